//! The messages of `graphql-transport-ws`, as far as a client that only subscribes needs them.
//! See <https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use crate::graphql::Secret;

pub const SUBPROTOCOL: &str = "graphql-transport-ws";

/// The gateway does not know who this is, and will not when asked again.
pub const CLOSE_UNAUTHORIZED: u16 = 4401;
/// The gateway knows, and says no.
pub const CLOSE_FORBIDDEN: u16 = 4403;

/// A message from the gateway. One struct for all of them: an enumeration tagged by `type` would
/// have to copy a payload into a tree before it could be read. Here it stays where it came in.
#[derive(Debug, Deserialize)]
pub struct FromGateway<'a> {
    #[serde(rename = "type")]
    pub kind: Kind,
    #[serde(default, borrow)]
    pub id: Cow<'a, str>,
    #[serde(default, borrow)]
    pub payload: Option<&'a RawValue>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    ConnectionAck,
    Ping,
    Pong,
    Next,
    Error,
    Complete,
}

pub fn connection_init(key: &Secret) -> String {
    let authorization = format!("Bearer {}", key.expose());
    json!({ "type": "connection_init", "payload": { "Authorization": authorization } }).to_string()
}

pub fn subscribe(id: &str, payload: &serde_json::Value) -> String {
    json!({ "type": "subscribe", "id": id, "payload": payload }).to_string()
}

pub fn complete(id: &str) -> String {
    json!({ "type": "complete", "id": id }).to_string()
}

pub fn ping() -> &'static str {
    r#"{"type":"ping"}"#
}

pub fn pong() -> &'static str {
    r#"{"type":"pong"}"#
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_of_the_protocol_is_understood() {
        let kind = |text: &str| serde_json::from_str::<FromGateway>(text).map(|message| message.kind).ok();
        assert_eq!(kind(r#"{"type":"connection_ack","payload":{}}"#), Some(Kind::ConnectionAck));
        assert_eq!(kind(r#"{"type":"ping"}"#), Some(Kind::Ping));
        assert_eq!(kind(r#"{"type":"pong","payload":null}"#), Some(Kind::Pong));
        assert_eq!(kind(r#"{"id":"7","type":"next","payload":{"data":{"a":[1]}}}"#), Some(Kind::Next));
        assert_eq!(kind(r#"{"id":"7","type":"error","payload":[{"message":"no"}]}"#), Some(Kind::Error));
        assert_eq!(kind(r#"{"id":"7","type":"complete"}"#), Some(Kind::Complete));
        assert_eq!(kind(r#"{"type":"data"}"#), None);
    }

    #[test]
    fn a_payload_is_kept_as_it_came() {
        let text = r#"{"id":"7","type":"next","payload":{"data": 1}}"#;
        let message: FromGateway = serde_json::from_str(text).unwrap();
        assert_eq!(message.payload.map(RawValue::get), Some(r#"{"data": 1}"#));
    }
}
