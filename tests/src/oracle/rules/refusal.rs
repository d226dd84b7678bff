//! Why not, as the schema says it. Messages are for people and are not foretold.

use serde_json::{Value, json};

/// A command that was not done.
#[derive(Clone, Debug, PartialEq)]
pub enum No {
    /// A user error.
    Refused(Value),
    /// A top-level error with this code.
    Failed(&'static str),
}

pub type Answer = Result<Value, No>;

/// A refusal that its code says all about.
pub fn refused(code: &str) -> No {
    No::Refused(json!({ "__typename": "RefusedError", "code": code, "path": [] }))
}

/// The same, with the field that is to blame.
pub fn refused_at(code: &str, field: &str) -> No {
    No::Refused(json!({ "__typename": "RefusedError", "code": code, "path": ["input", field] }))
}

/// An input that cannot be meant.
pub fn invalid(field: &str) -> No {
    refused_at("INVALID_INPUT", field)
}
