//! The messages of `graphql-transport-ws`, as far as a client that only subscribes needs them.
//! See <https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>.

use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use crate::graphql::Secret;

pub const SUBPROTOCOL: &str = "graphql-transport-ws";

/// The gateway does not know who this is, and will not when asked again.
pub const CLOSE_UNAUTHORIZED: u16 = 4401;
/// The gateway knows, and says no.
pub const CLOSE_FORBIDDEN: u16 = 4403;

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromGateway {
    ConnectionAck,
    Ping,
    Pong,
    Next { id: String, payload: Box<RawValue> },
    Error { id: String, payload: Box<RawValue> },
    Complete { id: String },
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
