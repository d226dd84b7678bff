use std::fmt;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use uuid::Uuid;

pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const CLIENT_REQUEST_ID_MAX_BYTES: usize = 64;

/// Where ids come from; UUIDv7 in production.
pub type RequestIds = Arc<dyn Fn() -> Uuid + Send + Sync>;

/// The id of one HTTP request, in its answer, its errors, its log lines and its audit entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId {
    uuid: Uuid,
    text: Arc<str>,
}

impl RequestId {
    pub fn new(uuid: Uuid) -> Self {
        Self { uuid, text: uuid.to_string().into() }
    }

    /// The client's own id when it sent one that is short visible ASCII, so that its logs and ours meet.
    fn of_request(headers: &HeaderMap, ids: &RequestIds) -> Self {
        let sent = headers.get(X_REQUEST_ID).and_then(|value| value.to_str().ok());
        match sent.filter(|text| is_acceptable(text)) {
            Some(text) => Self { uuid: Uuid::parse_str(text).unwrap_or_else(|_| ids()), text: text.into() },
            None => Self::new(ids()),
        }
    }

    /// What the client sees. Unique only as far as the client keeps its own ids so.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The client's id when that is a UUID, else one of ours.
    pub fn uuid(&self) -> Uuid {
        self.uuid
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

fn is_acceptable(text: &str) -> bool {
    (1..=CLIENT_REQUEST_ID_MAX_BYTES).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Outermost layer: everything within can read the id, and every answer carries it.
pub(super) async fn layer(State(ids): State<RequestIds>, mut request: Request, next: Next) -> Response {
    let id = RequestId::of_request(request.headers(), &ids);
    let header = HeaderValue::from_str(id.as_str());
    request.extensions_mut().insert(id);
    let mut response = next.run(request).await;
    if let Ok(header) = header {
        response.headers_mut().insert(X_REQUEST_ID, header);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id_for(sent: &'static str) -> RequestId {
        let mut headers = HeaderMap::new();
        headers.insert(X_REQUEST_ID, HeaderValue::from_static(sent));
        let ids: RequestIds = Arc::new(|| Uuid::from_u128(7));
        RequestId::of_request(&headers, &ids)
    }

    #[test]
    fn a_short_visible_id_of_the_client_is_kept() {
        assert_eq!(id_for("order-17/3").as_str(), "order-17/3");
        assert_eq!(id_for("order-17/3").uuid(), Uuid::from_u128(7));
    }

    #[test]
    fn a_uuid_of_the_client_is_both_text_and_uuid() {
        let text = "018f0000-0000-7000-8000-000000000001";
        assert_eq!(id_for(text).uuid().to_string(), text);
    }

    #[test]
    fn an_id_with_a_space_or_too_long_is_replaced() {
        let own = Uuid::from_u128(7).to_string();
        assert_eq!(id_for("two words").as_str(), own);
        assert_eq!(id_for("").as_str(), own);
        assert_eq!(id_for("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa").as_str(), own);
    }
}
