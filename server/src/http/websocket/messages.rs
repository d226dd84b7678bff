use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::super::answer::Answer;

/// What a client may say. Anything else closes the socket.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ClientMessage {
    ConnectionInit {
        #[serde(default)]
        payload: Option<Map<String, Json>>,
    },
    Ping {
        #[serde(default)]
        payload: Option<Map<String, Json>>,
    },
    Pong {
        #[serde(default, rename = "payload")]
        _payload: Option<Map<String, Json>>,
    },
    Subscribe {
        id: String,
        payload: Map<String, Json>,
    },
    Complete {
        id: String,
    },
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ServerMessage<'a> {
    ConnectionAck,
    Pong {
        #[serde(skip_serializing_if = "Option::is_none")]
        payload: Option<Map<String, Json>>,
    },
    Next {
        id: &'a str,
        payload: &'a Answer,
    },
    Error {
        id: &'a str,
        payload: Json,
    },
    Complete {
        id: &'a str,
    },
}

pub(super) fn connection_ack() -> String {
    write(&ServerMessage::ConnectionAck)
}

pub(super) fn pong(payload: Option<Map<String, Json>>) -> String {
    write(&ServerMessage::Pong { payload })
}

pub(super) fn next(id: &str, answer: &Answer) -> String {
    write(&ServerMessage::Next { id, payload: answer })
}

/// Ends the operation, like `complete`.
pub(super) fn error(id: &str, answer: &Answer) -> String {
    write(&ServerMessage::Error { id, payload: answer.errors_json() })
}

pub(super) fn complete(id: &str) -> String {
    write(&ServerMessage::Complete { id })
}

fn write(message: &ServerMessage<'_>) -> String {
    serde_json::to_string(message).expect("messages have string keys and values that JSON can say")
}
