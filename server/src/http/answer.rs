//! What a client gets to see of an operation, whichever transport carries it.

use std::any::Any;
use std::collections::BTreeMap;

use async_graphql::indexmap::IndexMap;
use async_graphql::{ErrorExtensionValues, Name, PathSegment, Response, ServerError, Value};
use axum::http::{HeaderMap, StatusCode};
use serde::Serialize;

use super::admission::{INTERNAL_MESSAGE, TopLevelError, code};
use super::guard::{Limit, Refusal};
use super::{Allowance, RequestId};

const ERRORS_MAX: usize = 50;
/// The engine's messages quote names of the document, which may be long.
const MESSAGE_MAX_CHARS: usize = 500;

/// How an operation came out; decides the HTTP status, and whether `data` is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It ran; `data` is there, if only as null.
    Executed,
    /// The document or its variables were refused before anything ran.
    RequestError,
    /// The request as a whole was refused.
    Refused(StatusCode),
}

/// What the guard found and what is left, published as `extensions.cost` under Shopify's names.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cost {
    pub(super) requested_points: Option<u64>,
    /// Once it ran.
    pub(super) actual_points: Option<u64>,
    /// Of one document.
    pub(super) maximum_points: u64,
    /// Where points are counted.
    pub(super) left: Option<Allowance>,
}

#[derive(Debug, Serialize)]
pub(super) struct Answer {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<ServerError>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Value>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    extensions: BTreeMap<String, Value>,
    #[serde(skip)]
    pub(super) outcome: Outcome,
    #[serde(skip)]
    pub(super) retry_after_ms: Option<u64>,
    /// Set by resolvers.
    #[serde(skip)]
    pub(super) headers: HeaderMap,
}

impl Answer {
    fn of_error(error: ServerError, outcome: Outcome) -> Self {
        Self {
            errors: vec![error],
            data: None,
            extensions: BTreeMap::new(),
            outcome,
            retry_after_ms: None,
            headers: HeaderMap::new(),
        }
    }

    pub(super) fn top_level(error: TopLevelError, request_id: &RequestId) -> Self {
        let mut extensions = labelled(error.code, request_id);
        if let Some(milliseconds) = error.retry_after_ms {
            extensions.set("retryAfterMs", milliseconds);
        }
        for (name, value) in error.details {
            extensions.set(name, value);
        }
        let mut shown = ServerError::new(error.message, None);
        shown.extensions = Some(extensions);
        let mut answer = Self::of_error(shown, Outcome::Refused(error.status));
        answer.retry_after_ms = error.retry_after_ms;
        answer
    }

    pub(super) fn refusal(refusal: &Refusal, request_id: &RequestId) -> Self {
        let mut shown = ServerError::new(refusal.message(), None);
        let extensions = match refusal {
            Refusal::Limit { limit, maximum, found } => {
                let mut extensions = labelled(code::DOCUMENT_REJECTED, request_id);
                extensions.set("limit", limit.name());
                extensions.set("maximum", *maximum);
                extensions.set("found", *found);
                extensions
            }
            Refusal::Syntax { position, .. } => {
                shown.locations.extend(*position);
                labelled(code::BAD_REQUEST, request_id)
            }
            Refusal::Operation(_) => labelled(code::BAD_REQUEST, request_id),
        };
        shown.extensions = Some(extensions);
        Self::of_error(shown, Outcome::RequestError)
    }

    /// A refusal of a well-formed request that is not the guard's, such as a subscription without a stream.
    pub(super) fn request_error(message: &str, request_id: &RequestId) -> Self {
        let mut shown = ServerError::new(message, None);
        shown.extensions = Some(labelled(code::BAD_REQUEST, request_id));
        Self::of_error(shown, Outcome::RequestError)
    }

    /// The engine tells a request error from an execution error only by what it leaves out: errors of
    /// validation have no path, while it gives a path to every error that a resolver returned.
    pub(super) fn engine(response: Response, request_id: &RequestId) -> Self {
        let is_request_error = !response.errors.is_empty()
            && response.data == Value::Null
            && response.errors.iter().all(|error| error.path.is_empty());
        let omitted = response.errors.len().saturating_sub(ERRORS_MAX);
        let mut extensions = response.extensions;
        if omitted > 0 {
            extensions.insert("omittedErrors".to_owned(), Value::from(omitted));
        }
        Self {
            errors: disclose(response.errors, request_id),
            data: (!is_request_error).then_some(response.data),
            extensions,
            outcome: if is_request_error { Outcome::RequestError } else { Outcome::Executed },
            retry_after_ms: None,
            headers: response.http_headers,
        }
    }

    /// A panic of a resolver. Its text is logged only.
    pub(super) fn panicked(panic: &(dyn Any + Send), request_id: &RequestId) -> Self {
        let text = panic
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("a panic without text");
        tracing::error!(%request_id, panic = text, "a request panicked");
        Self::top_level(TopLevelError::internal(), request_id)
    }

    #[must_use]
    pub(super) fn with_cost(mut self, cost: Cost) -> Self {
        let requested = cost.requested_points.map_or(Value::Null, Value::from);
        let mut value = IndexMap::from([
            (Name::new("requestedQueryCost"), requested),
            (Name::new("maximum"), Value::from(cost.maximum_points)),
        ]);
        if let Some(actual) = cost.actual_points {
            value.insert(Name::new("actualQueryCost"), Value::from(actual));
        }
        if let Some(left) = cost.left {
            let status = async_graphql::value!({
                "maximumAvailable": left.maximum,
                "currentlyAvailable": left.available,
                "restoreRate": left.restored,
            });
            value.insert(Name::new("throttleStatus"), status);
        }
        self.extensions.insert("cost".to_owned(), Value::Object(value));
        self
    }

    /// What was answered; nothing when nothing ran.
    pub(super) fn data(&self) -> Option<&Value> {
        self.data.as_ref()
    }

    pub(super) fn errors(&self) -> &[ServerError] {
        &self.errors
    }

    /// Of an answer that came from the engine or from this module, which holds nothing JSON cannot say.
    pub(super) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|error| {
            tracing::error!(%error, "an answer could not be written as JSON");
            r#"{"errors":[{"message":"Something failed in the gateway.","extensions":{"code":"INTERNAL"}}]}"#.to_owned()
        })
    }

    /// The `errors` alone, as the payload of a WebSocket `error` message.
    pub(super) fn errors_json(&self) -> serde_json::Value {
        serde_json::to_value(&self.errors).unwrap_or_default()
    }
}

impl Refusal {
    /// The price of a document that was refused for it.
    pub(super) fn cost_points(&self) -> Option<u64> {
        match self {
            Refusal::Limit { limit: Limit::Cost, found, .. } => Some(*found),
            _ => None,
        }
    }
}

fn labelled(code: &str, request_id: &RequestId) -> ErrorExtensionValues {
    let mut extensions = ErrorExtensionValues::default();
    extensions.set("code", code);
    extensions.set("requestId", request_id.as_str());
    extensions
}

/// Gives every error a code and the request id, and keeps the text of faults from the client.
fn disclose(errors: Vec<ServerError>, request_id: &RequestId) -> Vec<ServerError> {
    let mut faults = 0_usize;
    let mut shown = Vec::with_capacity(errors.len().min(ERRORS_MAX));
    for mut error in errors {
        let code = code_of(&error);
        if code == code::INTERNAL {
            faults += 1;
            // One line for one answer: a list of a thousand rows fails a thousand times for one reason.
            if faults == 1 {
                tracing::error!(%request_id, path = path_text(&error.path), error = error.message, "a resolver failed");
            }
            INTERNAL_MESSAGE.clone_into(&mut error.message);
        } else if let Some((end, _)) = error.message.char_indices().nth(MESSAGE_MAX_CHARS) {
            error.message.truncate(end);
            error.message.push('…');
        }
        let extensions = error.extensions.get_or_insert_default();
        extensions.set("code", code);
        extensions.set("requestId", request_id.as_str());
        error.source = None;
        if shown.len() < ERRORS_MAX {
            shown.push(error);
        }
    }
    if faults > 1 {
        tracing::warn!(%request_id, others = faults - 1, "more resolvers of the same request failed");
    }
    shown
}

fn code_of(error: &ServerError) -> String {
    let given = error.extensions.as_ref().and_then(|extensions| extensions.get("code"));
    if let Some(Value::String(code)) = given {
        return code.clone();
    }
    if error.path.is_empty() {
        return code::BAD_REQUEST.to_owned();
    }
    // How the engine words an argument that its scalar refused, or that is of another type; a resolver's own error
    // would carry a source or a code.
    let refused = ["Failed to parse \"", "Expected input type \""];
    if error.source.is_none() && refused.iter().any(|wording| error.message.starts_with(wording)) {
        return code::INVALID_INPUT.to_owned();
    }
    code::INTERNAL.to_owned()
}

fn path_text(path: &[PathSegment]) -> String {
    let segments = path.iter().map(|segment| match segment {
        PathSegment::Field(name) => name.clone(),
        PathSegment::Index(index) => index.to_string(),
    });
    segments.collect::<Vec<_>>().join(".")
}
