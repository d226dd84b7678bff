//! The state machine of `graphql-transport-ws`, server side.
//! Source: enisdenjo/graphql-ws, PROTOCOL.md.

use std::collections::HashSet;

use serde_json::{Map, Value as Json};

use super::super::admission::{EndReason, TopLevelError, code};
use super::super::parameters::Parameters;
use super::messages::{self, ClientMessage};

/// A close frame. The reason of a frame has at most 123 bytes, so none is made of a client's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Close {
    pub(super) code: u16,
    pub(super) reason: &'static str,
}

impl Close {
    const INVALID_MESSAGE: Self = Self { code: 4400, reason: "Invalid message" };
    const UNAUTHORIZED: Self = Self { code: 4401, reason: "Unauthorized" };
    pub(super) const SUBPROTOCOL: Self = Self { code: 4406, reason: "Subprotocol not acceptable" };
    const INIT_TIMEOUT: Self = Self { code: 4408, reason: "Connection initialisation timeout" };
    const DUPLICATE_ID: Self = Self { code: 4409, reason: "Subscriber for this id already exists" };
    const SECOND_INIT: Self = Self { code: 4429, reason: "Too many initialisation requests" };
    pub(super) const INTERNAL: Self = Self { code: 4500, reason: "Internal server error" };
    pub(super) const TOO_LONG: Self = Self { code: 1009, reason: "Message too long" };
    pub(super) const SHUTDOWN: Self = Self { code: 1012, reason: "The gateway restarts" };
    pub(super) const TRY_LATER: Self = Self { code: 1013, reason: "Try again later" };

    /// Clients come back after 4403 and 1013, not after 4500.
    pub(super) fn refused(error: &TopLevelError) -> Self {
        match error.code {
            code::RATE_LIMITED | code::RETRY_LATER => Self::TRY_LATER,
            code::INTERNAL => Self::INTERNAL,
            code => Self { code: 4403, reason: code },
        }
    }

    pub(super) fn ended(reason: EndReason) -> Self {
        Self { code: 4403, reason: reason.message() }
    }
}

#[derive(Debug)]
pub(super) enum Action {
    Send(String),
    /// Ask who this is; then [`Protocol::admitted`] or a close.
    Admit(Claims),
    Start {
        id: String,
        parameters: Box<Parameters>,
    },
    Stop {
        id: String,
    },
    /// As many operations run as may; this one does not start.
    Crowded {
        id: String,
    },
    Close(Close),
}

/// Who the client says it is, in `connection_init`.
#[derive(Default)]
pub(super) struct Claims {
    pub(super) authorization: Option<String>,
    pub(super) organization: Option<String>,
}

impl std::fmt::Debug for Claims {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Claims")
            .field("authorization", &self.authorization.as_ref().map(|_| "<redacted>"))
            .field("organization", &self.organization)
            .finish()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    AwaitingInit,
    Admitting,
    Acknowledged,
}

#[derive(Debug)]
pub(super) struct Protocol {
    phase: Phase,
    operations: HashSet<String>,
    max_operations: usize,
}

/// The id is the client's and is sent back with every message.
const ID_MAX_BYTES: usize = 256;

impl Protocol {
    pub(super) fn new(max_operations: usize) -> Self {
        Self { phase: Phase::AwaitingInit, operations: HashSet::new(), max_operations }
    }

    pub(super) fn received(&mut self, text: &str) -> Option<Action> {
        let Ok(message) = serde_json::from_str(text) else {
            return Some(Action::Close(Close::INVALID_MESSAGE));
        };
        match message {
            ClientMessage::ConnectionInit { payload } => Some(self.init(payload.unwrap_or_default())),
            ClientMessage::Ping { payload } => Some(Action::Send(messages::pong(payload))),
            ClientMessage::Pong { .. } => None,
            ClientMessage::Subscribe { id, payload } => Some(self.subscribe(id, payload)),
            ClientMessage::Complete { id } => self.operations.remove(&id).then_some(Action::Stop { id }),
        }
    }

    pub(super) fn received_binary(&self) -> Action {
        Action::Close(Close::INVALID_MESSAGE)
    }

    fn init(&mut self, payload: Map<String, Json>) -> Action {
        if self.phase != Phase::AwaitingInit {
            return Action::Close(Close::SECOND_INIT);
        }
        match claims(payload) {
            Some(claims) => {
                self.phase = Phase::Admitting;
                Action::Admit(claims)
            }
            None => Action::Close(Close::INVALID_MESSAGE),
        }
    }

    fn subscribe(&mut self, id: String, payload: Map<String, Json>) -> Action {
        if self.phase != Phase::Acknowledged {
            return Action::Close(Close::UNAUTHORIZED);
        }
        if id.is_empty() || id.len() > ID_MAX_BYTES {
            return Action::Close(Close::INVALID_MESSAGE);
        }
        let Ok(parameters) = Parameters::from_json(Json::Object(payload)) else {
            return Action::Close(Close::INVALID_MESSAGE);
        };
        if self.operations.contains(&id) {
            return Action::Close(Close::DUPLICATE_ID);
        }
        if self.operations.len() >= self.max_operations {
            return Action::Crowded { id };
        }
        self.operations.insert(id.clone());
        Action::Start { id, parameters: Box::new(parameters) }
    }

    pub(super) fn admitted(&mut self) -> Action {
        self.phase = Phase::Acknowledged;
        Action::Send(messages::connection_ack())
    }

    pub(super) fn is_awaiting_init(&self) -> bool {
        self.phase == Phase::AwaitingInit
    }

    pub(super) fn init_deadline_passed(&self) -> Option<Close> {
        self.is_awaiting_init().then_some(Close::INIT_TIMEOUT)
    }

    /// The last message of an operation is on its way; its id is free again.
    pub(super) fn finished(&mut self, id: &str) {
        self.operations.remove(id);
    }
}

/// None when a claim is there but is not text, or is there twice under two spellings.
fn claims(payload: Map<String, Json>) -> Option<Claims> {
    let mut claims = Claims::default();
    for (name, value) in payload {
        let claim = if name.eq_ignore_ascii_case("authorization") {
            &mut claims.authorization
        } else if name.eq_ignore_ascii_case("banyan-organization") {
            &mut claims.organization
        } else {
            continue;
        };
        match value {
            Json::String(text) if claim.is_none() => *claim = Some(text),
            Json::Null => {}
            _ => return None,
        }
    }
    Some(claims)
}

#[cfg(test)]
mod tests {
    use super::*;

    const INIT: &str = r#"{"type":"connection_init"}"#;

    fn subscribe(id: &str) -> String {
        format!(r#"{{"type":"subscribe","id":"{id}","payload":{{"query":"{{ a }}"}}}}"#)
    }

    fn acknowledged() -> Protocol {
        let mut protocol = Protocol::new(2);
        assert!(matches!(protocol.received(INIT), Some(Action::Admit(_))));
        assert!(matches!(protocol.admitted(), Action::Send(text) if text == r#"{"type":"connection_ack"}"#));
        protocol
    }

    fn closed(action: Option<Action>) -> u16 {
        match action {
            Some(Action::Close(close)) => close.code,
            other => panic!("not closed: {other:?}"),
        }
    }

    #[test]
    fn a_subscribe_before_the_acknowledgement_closes_4401() {
        let mut protocol = Protocol::new(2);
        assert_eq!(closed(protocol.received(&subscribe("1"))), 4401);
        let mut protocol = Protocol::new(2);
        protocol.received(INIT);
        assert_eq!(closed(protocol.received(&subscribe("1"))), 4401);
    }

    #[test]
    fn a_second_init_closes_4429_acknowledged_or_not() {
        let mut protocol = Protocol::new(2);
        protocol.received(INIT);
        assert_eq!(closed(protocol.received(INIT)), 4429);
        assert_eq!(closed(acknowledged().received(INIT)), 4429);
    }

    #[test]
    fn an_id_in_use_closes_4409() {
        let mut protocol = acknowledged();
        protocol.received(&subscribe("1"));
        assert_eq!(closed(protocol.received(&subscribe("1"))), 4409);
    }

    #[test]
    fn an_id_is_free_again_after_complete_and_after_the_end() {
        let mut protocol = acknowledged();
        protocol.received(&subscribe("1"));
        let stop = protocol.received(r#"{"type":"complete","id":"1"}"#);
        assert!(matches!(stop, Some(Action::Stop { id }) if id == "1"));
        assert!(matches!(protocol.received(&subscribe("1")), Some(Action::Start { .. })));
        protocol.finished("1");
        assert!(matches!(protocol.received(&subscribe("1")), Some(Action::Start { .. })));
    }

    #[test]
    fn a_complete_of_nothing_is_ignored() {
        assert!(acknowledged().received(r#"{"type":"complete","id":"9"}"#).is_none());
    }

    #[test]
    fn one_operation_too_many_is_refused_alone() {
        let mut protocol = acknowledged();
        protocol.received(&subscribe("1"));
        protocol.received(&subscribe("2"));
        assert!(matches!(protocol.received(&subscribe("3")), Some(Action::Crowded { id }) if id == "3"));
    }

    #[test]
    fn what_is_no_message_closes_4400() {
        for text in [
            "",
            "{",
            "[]",
            r#"{"type":"start","id":"1"}"#,
            r#"{"id":"1"}"#,
            r#"{"type":"connection_init","payload":"x"}"#,
            r#"{"type":"connection_init","payload":{"Authorization":1}}"#,
            r#"{"type":"ping","payload":1}"#,
            r#"{"type":"complete"}"#,
        ] {
            let mut protocol = Protocol::new(2);
            assert_eq!(closed(protocol.received(text)), 4400, "{text}");
        }
        for text in [
            r#"{"type":"subscribe","id":"1"}"#,
            r#"{"type":"subscribe","id":"","payload":{"query":"{a}"}}"#,
            r#"{"type":"subscribe","id":"1","payload":{}}"#,
            r#"{"type":"subscribe","id":"1","payload":{"query":"{a}","variables":[]}}"#,
        ] {
            assert_eq!(closed(acknowledged().received(text)), 4400, "{text}");
        }
        assert_eq!(closed(Some(acknowledged().received_binary())), 4400);
    }

    #[test]
    fn a_ping_is_answered_with_its_payload_in_every_phase() {
        let mut protocol = Protocol::new(2);
        let answer = protocol.received(r#"{"type":"ping","payload":{"a":1}}"#);
        assert!(matches!(answer, Some(Action::Send(text)) if text == r#"{"type":"pong","payload":{"a":1}}"#));
        assert!(protocol.received(r#"{"type":"pong"}"#).is_none());
    }

    #[test]
    fn claims_are_read_whatever_the_case_of_their_names() {
        let text = r#"{"type":"connection_init","payload":{"authorization":"Bearer k","Banyan-Organization":"org_1"}}"#;
        let Some(Action::Admit(claims)) = Protocol::new(2).received(text) else { panic!("not admitted") };
        assert_eq!(claims.authorization.as_deref(), Some("Bearer k"));
        assert_eq!(claims.organization.as_deref(), Some("org_1"));
    }

    #[test]
    fn a_claim_under_two_spellings_closes_4400() {
        let text = r#"{"type":"connection_init","payload":{"authorization":"a","Authorization":"b"}}"#;
        assert_eq!(closed(Protocol::new(2).received(text)), 4400);
    }

    #[test]
    fn the_deadline_of_init_closes_4408_only_while_it_is_awaited() {
        assert_eq!(Protocol::new(2).init_deadline_passed().map(|close| close.code), Some(4408));
        assert_eq!(acknowledged().init_deadline_passed(), None);
    }

    #[test]
    fn refusals_close_so_that_clients_come_back_when_it_helps() {
        let code = |code| Close::refused(&TopLevelError::new(axum::http::StatusCode::FORBIDDEN, code, "")).code;
        assert_eq!(code("UNAUTHENTICATED"), 4403);
        assert_eq!(code("RATE_LIMITED"), 1013);
        assert_eq!(code("INTERNAL"), 4500);
        assert_eq!(Close::ended(EndReason::Revoked).code, 4403);
    }
}
