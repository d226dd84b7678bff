//! What the gateway answered, and what a test says about it.

use axum::http::{HeaderMap, StatusCode};
use serde_json::Value;

/// One answer of the router.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    pub fn data(&self) -> &Value {
        &self.body["data"]
    }

    /// The value at a JSON pointer below `data`, such as `/organization/name`.
    #[track_caller]
    pub fn at(&self, pointer: &str) -> &Value {
        self.data().pointer(pointer).unwrap_or_else(|| panic!("there is no {pointer} in {:#}", self.body))
    }

    /// The top-level errors.
    pub fn errors(&self) -> &[Value] {
        self.body["errors"].as_array().map_or(&[], Vec::as_slice)
    }

    /// The code of the first top-level error; empty when there is none.
    pub fn code(&self) -> &str {
        self.body["errors"][0]["extensions"]["code"].as_str().unwrap_or_default()
    }

    /// Insists that there is no top-level error.
    #[track_caller]
    pub fn clean(self) -> Self {
        assert!(self.errors().is_empty() && self.status == StatusCode::OK, "{}: {:#}", self.status, self.body);
        self
    }

    /// The first root field's value: the payload of a mutation.
    #[track_caller]
    pub fn payload(&self) -> &Value {
        let first = self.data().as_object().and_then(|data| data.values().next());
        first.unwrap_or_else(|| panic!("{}: no data in {:#}", self.status, self.body))
    }

    /// The payload of a mutation that was done.
    #[track_caller]
    pub fn done(&self) -> &Value {
        assert!(self.errors().is_empty(), "{}: {:#}", self.status, self.body);
        let payload = self.payload();
        assert_eq!(payload["userErrors"], serde_json::json!([]), "{:#}", self.body);
        payload
    }

    /// The user error of a mutation that was refused with this code.
    #[track_caller]
    pub fn refused(&self, code: &str) -> &Value {
        assert!(self.errors().is_empty(), "{}: {:#}", self.status, self.body);
        let errors = self.payload()["userErrors"].as_array().map_or(&[][..], Vec::as_slice);
        assert_eq!(errors.len(), 1, "one user error was expected: {:#}", self.body);
        assert_eq!(errors[0]["code"], code, "{:#}", self.body);
        let message = errors[0]["message"].as_str().unwrap_or_default();
        assert!(message.ends_with('.'), "a message is a sentence: {message}");
        &errors[0]
    }

    /// Insists on a user error with this code at this field of the input.
    #[track_caller]
    pub fn refused_at(&self, code: &str, field: &str) {
        let error = self.refused(code);
        assert_eq!(error["path"], serde_json::json!(["input", field]), "{:#}", self.body);
    }

    /// Insists on a top-level error with this code.
    #[track_caller]
    pub fn failed(&self, code: &str) -> &Value {
        assert_eq!(self.code(), code, "{}: {:#}", self.status, self.body);
        let error = &self.body["errors"][0];
        assert!(error["extensions"]["requestId"].is_string(), "an error names its request: {:#}", self.body);
        error
    }
}
