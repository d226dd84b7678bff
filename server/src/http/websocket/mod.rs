//! GraphQL over WebSocket: the subprotocol `graphql-transport-ws`, at the same `/graphql`.
//!
//! [`protocol`] is the state machine, without a socket or a clock: a message or an event in, an action out.
//! [`operations`] are the running operations of one socket, each a task with a bounded buffer, served in turn.
//! [`connection`] is the loop around both.
//!
//! Invariants:
//! - The loop never waits for the peer to read: writing has a task of its own, and one message that does not
//!   leave within the send deadline ends the socket. Pings, deadlines and the end of an authority are always
//!   heard.
//! - An operation that waits too long for room in its buffer ends with SLOW_CONSUMER; the others go on.
//! - When the caller's authority ends the socket closes with 4403, and 1012 when the gateway shuts down: after
//!   both, the clients of graphql-ws connect again.
//!
//! A page of another origin may open sockets, since browsers do not ask first, but it has nothing to send: no
//! cookie is ever read. `Origin`, when there is one, must still be this host's or an allowed one, so that no page
//! can use an open gateway of an inner network.

mod connection;
mod messages;
mod operations;
mod protocol;

use std::sync::Arc;

use async_graphql::Executor;
use axum::extract::{FromRequestParts, WebSocketUpgrade};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::admission::{TopLevelError, code};
use super::answer::Answer;
use super::graphql::{credentials, respond};
use super::negotiation::Media;
use super::{RequestId, Service};

const SUBPROTOCOL: &str = "graphql-transport-ws";

/// Longer messages are not even read to their end; those between this and the cap are told why.
const TRANSPORT_SLACK_FACTOR: usize = 4;

pub(super) async fn upgrade<E: Executor>(
    service: Arc<Service<E>>,
    parts: &mut Parts,
    request_id: RequestId,
) -> Response {
    let refuse = |error| respond(&Answer::top_level(error, &request_id), Media::Json);
    if !is_allowed_origin(&parts.headers, &service.settings.allowed_origins) {
        let message = "Pages of this origin may not open a WebSocket here.";
        return refuse(TopLevelError::new(StatusCode::FORBIDDEN, code::BAD_REQUEST, message));
    }
    if service.shutdown.has_begun() {
        let message = "The gateway shuts down; connect again.";
        return refuse(TopLevelError::new(StatusCode::SERVICE_UNAVAILABLE, code::RETRY_LATER, message));
    }
    let credentials = match credentials(&service, parts, &request_id) {
        Ok(credentials) => credentials,
        Err(error) => return refuse(error),
    };
    let mut upgrade = match WebSocketUpgrade::from_request_parts(parts, &()).await {
        Ok(upgrade) => upgrade,
        Err(rejection) => return rejection.into_response(),
    };
    let is_spoken = upgrade.requested_protocols().any(|offered| offered == SUBPROTOCOL);
    if is_spoken {
        upgrade.set_selected_protocol(HeaderValue::from_static(SUBPROTOCOL));
    }
    let transport_max_bytes = service.settings.websocket.message_max_bytes.saturating_mul(TRANSPORT_SLACK_FACTOR);
    upgrade.max_message_size(transport_max_bytes).max_frame_size(transport_max_bytes).on_upgrade(
        move |socket| async move {
            let _open = service.shutdown.stream();
            if is_spoken {
                connection::serve(service, socket, credentials).await;
            } else {
                connection::refuse_subprotocol(socket, &service.settings.websocket).await;
            }
        },
    )
}

fn is_allowed_origin(headers: &HeaderMap, allowed: &[String]) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let Ok(origin) = origin.to_str() else { return false };
    if allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin)) {
        return true;
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let authority = origin.split_once("://").map(|(_, authority)| authority);
    match (authority, host) {
        (Some(authority), Some(host)) => authority.eq_ignore_ascii_case(host),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_allowed(origin: Option<&'static str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static("api.example.com:4000"));
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
        }
        is_allowed_origin(&headers, &["https://app.example.com".to_owned()])
    }

    #[test]
    fn programs_send_no_origin_and_are_let_in() {
        assert!(is_allowed(None));
    }

    #[test]
    fn the_own_page_and_named_origins_are_let_in() {
        assert!(is_allowed(Some("http://api.example.com:4000")));
        assert!(is_allowed(Some("https://app.example.com")));
    }

    #[test]
    fn other_origins_are_not() {
        assert!(!is_allowed(Some("http://api.example.com")));
        assert!(!is_allowed(Some("https://evil.example")));
        assert!(!is_allowed(Some("null")));
    }
}
