//! One operation on its way out, and the reading of its answer.

use std::sync::Arc;

use cynic::{GraphQlError, GraphQlResponse, Operation, QueryVariables};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::scalar::ErrorCode;
use crate::text;

/// What is kept of a text that came with a failure.
const FAILURE_CHARS_MAX: usize = 300;

/// An operation without its types: the document, the variables, and how to read the answer.
#[derive(Clone)]
pub struct Request<T> {
    pub name: &'static str,
    /// The document alone, for the test that checks all of them against the SDL.
    pub document: String,
    pub body: serde_json::Value,
    pub idempotency_header: Option<String>,
    read: Reader<T>,
}

type Reader<T> = Arc<dyn Fn(&[u8]) -> Result<T, Failure> + Send + Sync>;

/// The same operation with the same variables; how it is read follows from that.
impl<T> PartialEq for Request<T> {
    fn eq(&self, other: &Self) -> bool {
        self.body == other.body && self.idempotency_header == other.idempotency_header
    }
}

impl<T> std::fmt::Debug for Request<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request").field("name", &self.name).field("variables", &self.body["variables"]).finish()
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Failure {
    /// The gateway could not be reached: nothing was sent.
    Unreachable(String),
    /// The connection ended, or its time, after the request went out.
    Interrupted(String),
    /// Something answered that does not speak the schema.
    Unreadable(String),
    /// The gateway answered with errors instead of data.
    Errors(Vec<FieldError>),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldError {
    pub message: String,
    pub code: Option<ErrorCode>,
    /// The response names on the way to the field, indexes left out.
    pub path: Vec<String>,
    pub request_id: Option<String>,
    pub retry_after_ms: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Extensions {
    code: Option<ErrorCode>,
    request_id: Option<String>,
    retry_after_ms: Option<u64>,
}

impl<T> Request<T> {
    pub fn new<F, V>(name: &'static str, operation: Operation<F, V>, answer: fn(F, Vec<FieldError>) -> T) -> Self
    where
        F: DeserializeOwned + 'static,
        V: QueryVariables + Serialize,
        T: 'static,
    {
        Self::with_reader(name, operation, move |data, errors| Ok(answer(data, errors)))
    }

    /// For a mutation: a payload that is null says nothing of what happened beyond its errors.
    pub fn of_payload<F, V>(name: &'static str, operation: Operation<F, V>, answer: fn(F) -> Option<T>) -> Self
    where
        F: DeserializeOwned + 'static,
        V: QueryVariables + Serialize,
        T: 'static,
    {
        Self::with_reader(name, operation, move |data, errors| answer(data).ok_or_else(|| Failure::of(errors)))
    }

    fn with_reader<F, V>(
        name: &'static str,
        operation: Operation<F, V>,
        answer: impl Fn(F, Vec<FieldError>) -> Result<T, Failure> + Send + Sync + 'static,
    ) -> Self
    where
        F: DeserializeOwned + 'static,
        V: QueryVariables + Serialize,
        T: 'static,
    {
        let body =
            serde_json::to_value(&operation).expect("an operation is strings, whole numbers and enumeration words");
        let read = move |bytes: &[u8]| {
            let response: GraphQlResponse<F, Extensions> =
                serde_json::from_slice(bytes).map_err(|error| Failure::Unreadable(error.to_string()))?;
            let errors: Vec<FieldError> =
                response.errors.unwrap_or_default().into_iter().map(FieldError::from).collect();
            match response.data {
                Some(data) => answer(data, errors),
                None => Err(Failure::of(errors)),
            }
        };
        Self { name, document: operation.query, body, idempotency_header: None, read: Arc::new(read) }
    }

    pub fn with_idempotency_header(mut self, key: &str) -> Self {
        self.idempotency_header = Some(key.to_owned());
        self
    }

    /// The same in words that another client can send: the document, then its variables.
    pub fn as_graphql(&self) -> String {
        let variables = &self.body["variables"];
        let shown = serde_json::to_string_pretty(variables).unwrap_or_default();
        match variables.as_object().is_some_and(|variables| !variables.is_empty()) {
            true => format!("{}\n\n# variables\n{shown}\n", self.document.trim_end()),
            false => format!("{}\n", self.document.trim_end()),
        }
    }

    /// Reads a response body.
    pub fn read(&self, bytes: &[u8]) -> Result<T, Failure> {
        (self.read)(bytes)
    }
}

impl Failure {
    fn of(errors: Vec<FieldError>) -> Self {
        if errors.is_empty() {
            Self::Unreadable("the answer holds neither data nor errors".to_owned())
        } else {
            Self::Errors(errors)
        }
    }

    /// True when what was asked for may have happened all the same.
    pub fn leaves_outcome_unknown(&self) -> bool {
        match self {
            Self::Unreachable(_) => false,
            Self::Interrupted(_) | Self::Unreadable(_) => true,
            Self::Errors(errors) => {
                errors.iter().any(|error| error.code.as_ref().is_none_or(ErrorCode::leaves_outcome_unknown))
            }
        }
    }

    /// How long the gateway asks to be left alone.
    pub fn retry_after_ms(&self) -> Option<u64> {
        match self {
            Self::Errors(errors) => errors.iter().filter_map(|error| error.retry_after_ms).max(),
            Self::Unreachable(_) | Self::Interrupted(_) | Self::Unreadable(_) => None,
        }
    }

    pub fn is_of_the_connection(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Interrupted(_))
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreachable(reason) => write!(f, "gateway not reachable: {}", brief(reason)),
            Self::Interrupted(reason) => write!(f, "connection lost: {}", brief(reason)),
            Self::Unreadable(reason) => write!(f, "answer not understood: {}", brief(reason)),
            Self::Errors(errors) => {
                for (index, error) in errors.iter().enumerate() {
                    if index > 0 {
                        f.write_str("; ")?;
                    }
                    write!(f, "{error}")?;
                }
                Ok(())
            }
        }
    }
}

impl std::fmt::Display for FieldError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(code) = &self.code {
            write!(f, "{}: ", brief(code.word()))?;
        }
        f.write_str(&brief(&self.message))?;
        if let Some(request) = &self.request_id {
            write!(f, " (request {})", brief(request))?;
        }
        Ok(())
    }
}

/// The payload of an `error` message of the live connection: errors and nothing else.
pub fn errors_of(payload: &RawValue) -> Option<Vec<FieldError>> {
    let errors: Vec<GraphQlError<Extensions>> = serde_json::from_str(payload.get()).ok()?;
    Some(errors.into_iter().map(FieldError::from).collect())
}

fn brief(text: &str) -> String {
    text::neutral(text).chars().take(FAILURE_CHARS_MAX).collect()
}

impl From<GraphQlError<Extensions>> for FieldError {
    fn from(error: GraphQlError<Extensions>) -> Self {
        let path = error.path.unwrap_or_default().into_iter().filter_map(|segment| match segment {
            cynic::GraphQlErrorPathSegment::Field(name) => Some(name),
            cynic::GraphQlErrorPathSegment::Index(_) => None,
        });
        let path = path.collect();
        let (code, request_id, retry_after_ms) = match error.extensions {
            Some(extensions) => (extensions.code, extensions.request_id, extensions.retry_after_ms),
            None => (None, None, None),
        };
        Self { message: error.message, code, path, request_id, retry_after_ms }
    }
}
