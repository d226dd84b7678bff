//! `/graphql` over plain HTTP, as the GraphQL-over-HTTP specification and its audit suite want it.

use std::net::SocketAddr;
use std::sync::Arc;

use async_graphql::Executor;
use async_graphql::parser::types::OperationType;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::address::client_address;
use super::admission::{Credentials, TopLevelError, code};
use super::answer::{Answer, Outcome};
use super::negotiation::{Media, negotiate};
use super::operation::{self, Operation};
use super::parameters::{Malformed, Parameters};
use super::{RequestId, Service, graphiql, sse, websocket};

const ON_POST: [Media; 3] = [Media::GraphqlResponse, Media::Json, Media::EventStream];
const ON_GET: [Media; 4] = [Media::GraphqlResponse, Media::Json, Media::EventStream, Media::Html];
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
pub(super) const BANYAN_ORGANIZATION: HeaderName = HeaderName::from_static("banyan-organization");
const IDEMPOTENCY_KEY_MAX_BYTES: usize = 255;

pub(super) async fn get<E: Executor>(State(service): State<Arc<Service<E>>>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let request_id = request_id(&parts);
    if parts.headers.contains_key(header::UPGRADE) {
        return websocket::upgrade(service, &mut parts, request_id).await;
    }
    let Some(media) = negotiate(&parts.headers, &ON_GET) else {
        return respond(&not_acceptable(&request_id), Media::Json);
    };
    if media == Media::Html {
        return graphiql::page(parts.headers).await;
    }
    let parameters = Parameters::from_url_query(parts.uri.query().unwrap_or_default());
    let prepared = prepare(&service, parameters, &parts, &request_id).and_then(|(operation, credentials)| {
        if operation.kind == OperationType::Mutation {
            return Err(Box::new(mutation_over_get(&request_id)));
        }
        Ok((operation, credentials))
    });
    run(&service, prepared, media, request_id).await
}

pub(super) async fn post<E: Executor>(State(service): State<Arc<Service<E>>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let request_id = request_id(&parts);
    let Some(media) = negotiate(&parts.headers, &ON_POST) else {
        return respond(&not_acceptable(&request_id), Media::Json);
    };
    if let Err(error) = check_content(&parts.headers) {
        return respond(&Answer::top_level(error, &request_id), media);
    }
    let body = match read(body, &service).await {
        Ok(body) => body,
        Err(error) => return respond(&Answer::top_level(error, &request_id), media),
    };
    let prepared = prepare(&service, Parameters::from_json_bytes(&body), &parts, &request_id);
    run(&service, prepared, media, request_id).await
}

type Prepared = Result<(Operation, Credentials), Box<Answer>>;

/// Everything that can be refused without asking who the caller is.
fn prepare<E: Executor>(
    service: &Service<E>,
    parameters: Result<Parameters, Malformed>,
    parts: &Parts,
    request_id: &RequestId,
) -> Prepared {
    let refuse = |error| Box::new(Answer::top_level(error, request_id));
    let parameters = parameters.map_err(|Malformed(message)| refuse(TopLevelError::bad_request(message)))?;
    let credentials = credentials(service, parts, request_id).map_err(refuse)?;
    let operation = operation::check(service, parameters, request_id)?;
    let is_mutation = operation.kind == OperationType::Mutation;
    if is_mutation && credentials.idempotency_key.is_some() && operation.root_fields != 1 {
        return Err(refuse(TopLevelError::bad_request(
            "The header Idempotency-Key serves a document with one mutation field. Use the input's idempotencyKey.",
        )));
    }
    Ok((operation, credentials))
}

async fn run<E: Executor>(
    service: &Arc<Service<E>>,
    prepared: Prepared,
    media: Media,
    request_id: RequestId,
) -> Response {
    let (operation, credentials) = match prepared {
        Ok(prepared) => prepared,
        Err(answer) if media == Media::EventStream && answer.outcome == Outcome::RequestError => {
            return sse::refuse(&answer);
        }
        Err(answer) => return respond(&answer, media),
    };
    let admitted = match operation::admit(service, credentials).await {
        Ok(admitted) => admitted,
        Err(error) => return respond(&Answer::top_level(error, &request_id).with_cost(operation.cost()), media),
    };
    let (kind, cost) = (operation.kind, operation.cost());
    let ready = match operation::attach(service, operation, &admitted, &request_id) {
        Ok(ready) => ready,
        Err(answer) => return respond(&answer, media),
    };
    if media == Media::EventStream {
        return sse::respond(service, ready, admitted.ended, request_id).await;
    }
    if kind == OperationType::Subscription {
        let message = "A subscription needs a stream: send `Accept: text/event-stream`, or open a WebSocket with the \
                       subprotocol graphql-transport-ws.";
        return respond(&Answer::request_error(message, &request_id).with_cost(cost), media);
    }
    respond(&operation::execute(service, ready, &request_id).await, media)
}

pub(super) fn request_id(parts: &Parts) -> RequestId {
    parts.extensions.get::<RequestId>().cloned().expect("the router's outermost layer gives every request an id")
}

pub(super) fn credentials<E: Executor>(
    service: &Service<E>,
    parts: &Parts,
    request_id: &RequestId,
) -> Result<Credentials, TopLevelError> {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
    let idempotency_key = single(&parts.headers, &IDEMPOTENCY_KEY)?;
    if let Some(key) = &idempotency_key {
        let is_visible = key.bytes().all(|byte| byte.is_ascii_graphic());
        if key.is_empty() || key.len() > IDEMPOTENCY_KEY_MAX_BYTES || !is_visible {
            return Err(TopLevelError::bad_request(
                "The header Idempotency-Key must be 1 to 255 visible ASCII characters.",
            ));
        }
    }
    Ok(Credentials {
        authorization: single(&parts.headers, &header::AUTHORIZATION)?,
        organization: single(&parts.headers, &BANYAN_ORGANIZATION)?,
        idempotency_key,
        address: client_address(peer, &parts.headers, &service.settings.trusted_proxies),
        request_id: request_id.clone(),
    })
}

/// A header that says who acts must not say two things: a proxy and this server could each believe another one.
fn single(headers: &HeaderMap, name: &HeaderName) -> Result<Option<String>, TopLevelError> {
    let mut values = headers.get_all(name).iter();
    let Some(first) = values.next() else { return Ok(None) };
    if values.any(|other| other != first) {
        return Err(TopLevelError::bad_request(format!("The header {name} is given twice with different values.")));
    }
    match first.to_str() {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(_) => Err(TopLevelError::bad_request(format!("The header {name} must be visible ASCII."))),
    }
}

/// Only JSON: a browser sends `text/plain` and forms across origins without asking first.
fn check_content(headers: &HeaderMap) -> Result<(), TopLevelError> {
    let unsupported =
        |message: &str| TopLevelError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, code::BAD_REQUEST, message);
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut parts = content_type.split(';').map(str::trim);
    if !parts.next().unwrap_or_default().eq_ignore_ascii_case("application/json") {
        return Err(unsupported("Send the request as `Content-Type: application/json`."));
    }
    for parameter in parts {
        if let Some((name, value)) = parameter.split_once('=')
            && name.trim().eq_ignore_ascii_case("charset")
            && !value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        {
            return Err(unsupported("Send the request in UTF-8."));
        }
    }
    let encoding = headers.get(header::CONTENT_ENCODING).and_then(|value| value.to_str().ok());
    if encoding.is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
        return Err(unsupported("Send the request without Content-Encoding."));
    }
    Ok(())
}

async fn read<E: Executor>(body: Body, service: &Service<E>) -> Result<Bytes, TopLevelError> {
    let maximum = service.settings.body_max_bytes;
    let reading = axum::body::to_bytes(body, maximum);
    match tokio::time::timeout(service.settings.body_deadline, reading).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(error)) if is_too_long(&error) => Err(TopLevelError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            code::DOCUMENT_REJECTED,
            format!("The body is longer than {maximum} bytes."),
        )),
        Ok(Err(_)) => Err(TopLevelError::bad_request("The body ended early.")),
        Err(_) => {
            Err(TopLevelError::new(StatusCode::REQUEST_TIMEOUT, code::RETRY_LATER, "The body did not arrive in time."))
        }
    }
}

fn is_too_long(error: &axum::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<http_body_util::LengthLimitError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

fn not_acceptable(request_id: &RequestId) -> Answer {
    let message = "Accept application/graphql-response+json, application/json or text/event-stream.";
    Answer::top_level(TopLevelError::new(StatusCode::NOT_ACCEPTABLE, code::BAD_REQUEST, message), request_id)
}

fn mutation_over_get(request_id: &RequestId) -> Answer {
    let message = "A mutation must be sent with POST.";
    let mut answer =
        Answer::top_level(TopLevelError::new(StatusCode::METHOD_NOT_ALLOWED, code::BAD_REQUEST, message), request_id);
    answer.headers.insert(header::ALLOW, HeaderValue::from_static("POST"));
    answer
}

/// The status table. A client that asks for `application/json` may be an old one, which reads the body of
/// a 200 only; a refused document is told to it with 200, as the specification wants.
pub(super) fn respond(answer: &Answer, media: Media) -> Response {
    let media = if media == Media::Json { media } else { Media::GraphqlResponse };
    let status = match answer.outcome {
        Outcome::Executed => StatusCode::OK,
        Outcome::RequestError if media == Media::Json => StatusCode::OK,
        Outcome::RequestError => StatusCode::BAD_REQUEST,
        Outcome::Refused(status) => status,
    };
    let mut response = (status, answer.to_json()).into_response();
    let headers = response.headers_mut();
    headers.extend(answer.headers.clone());
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media.content_type()));
    headers.insert(header::VARY, HeaderValue::from_static("Accept"));
    if let Some(milliseconds) = answer.retry_after_ms {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(milliseconds.div_ceil(1_000)));
    }
    response
}
