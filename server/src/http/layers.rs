use std::panic::AssertUnwindSafe;

use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::FutureExt;

use super::RequestId;
use super::admission::{TopLevelError, code};
use super::answer::Answer;
use super::graphql::respond;
use super::negotiation::Media;

/// Turns a panic outside of resolvers into an answer that names the request, which a generic layer cannot.
pub(super) async fn catch_panic(request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().cloned();
    match (AssertUnwindSafe(next.run(request)).catch_unwind().await, id) {
        (Ok(response), _) => response,
        (Err(panic), Some(id)) => respond(&Answer::panicked(panic.as_ref(), &id), Media::Json),
        (Err(panic), None) => std::panic::resume_unwind(panic),
    }
}

/// Answers are about one caller at one moment, so nothing keeps them unless its handler said otherwise.
pub(super) async fn security_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    response
}

pub(super) async fn not_found(request: Request) -> Response {
    let message = "There is nothing at this path. The API is at /graphql.";
    refuse(&request, TopLevelError::new(StatusCode::NOT_FOUND, "NOT_FOUND", message))
}

pub(super) async fn method_not_allowed(request: Request) -> Response {
    let is_options = request.method() == Method::OPTIONS;
    let message = if is_options { "Other origins are not served." } else { "Use POST or GET." };
    refuse(&request, TopLevelError::new(StatusCode::METHOD_NOT_ALLOWED, code::BAD_REQUEST, message))
}

fn refuse(request: &Request, error: TopLevelError) -> Response {
    let id = request.extensions().get::<RequestId>().expect("the router's outermost layer gives every request an id");
    respond(&Answer::top_level(error, id), Media::Json)
}
