use std::sync::Arc;
use std::time::Duration;

use async_graphql::Executor;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use super::Service;

const READY_DEADLINE: Duration = Duration::from_secs(2);
const PLAIN_TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
/// The text format of Prometheus, which is a version of its own.
const PROMETHEUS_TEXT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// The process runs; nothing else is asked, or a database's outage would have it restarted.
pub(super) async fn live() -> &'static str {
    "live\n"
}

pub(super) async fn ready<E: Executor>(State(service): State<Arc<Service<E>>>) -> Response {
    if service.shutdown.has_begun() {
        return (StatusCode::SERVICE_UNAVAILABLE, "shutting down\n").into_response();
    }
    match tokio::time::timeout(READY_DEADLINE, service.admission.ready()).await {
        Ok(Ok(())) => "ready\n".into_response(),
        Ok(Err(missing)) => (StatusCode::SERVICE_UNAVAILABLE, format!("{missing}\n")).into_response(),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "no answer in time\n").into_response(),
    }
}

pub(super) async fn metrics<E: Executor>(State(service): State<Arc<Service<E>>>) -> Response {
    match &service.metrics {
        Some(handle) => ([(header::CONTENT_TYPE, PROMETHEUS_TEXT)], handle.render()).into_response(),
        None => (StatusCode::NOT_FOUND, "no metrics are recorded\n").into_response(),
    }
}

/// The schema, as client tools want it.
pub(super) async fn schema<E: Executor>(State(service): State<Arc<Service<E>>>, headers: HeaderMap) -> Response {
    let tag = entity_tag(service.sdl.as_bytes());
    if is_known(&headers, &tag) {
        return (StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response();
    }
    let headers = [
        (header::CONTENT_TYPE, PLAIN_TEXT),
        (header::ETAG, tag),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, service.sdl.to_string()).into_response()
}

pub(super) fn entity_tag(content: &[u8]) -> HeaderValue {
    let digest = Sha256::digest(content);
    let hexadecimal: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    HeaderValue::from_str(&format!("\"{hexadecimal}\"")).expect("quotes and hexadecimal digits are visible ASCII")
}

pub(super) fn is_known(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let lines = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|line| line.to_str().ok());
    let mut tags = lines.flat_map(|line| line.split(',')).map(|known| known.trim().trim_start_matches("W/"));
    tags.any(|known| known == "*" || known.as_bytes() == tag.as_bytes())
}
