//! What becomes of a mutation.

use serde::{Deserialize, Serialize};

use super::organization::{OrganizationRow, Wallet};
use super::scalar::{ErrorCode, Secret};
use super::schema;

/// What an act came to. Either way the gateway has decided, and the outcome is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(clippy::large_enum_variant, reason = "there is one at a time, and it is read at once")]
pub enum Outcome {
    Done(Receipt),
    Refused(Vec<UserError>),
}

/// What the gateway said of something it did. Each act fills in what its payload has.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// The organization as it now is.
    pub organization: Option<OrganizationRow>,
    pub wallets: Vec<Wallet>,
    /// Something new whose secret is shown once.
    pub issued: Option<Issued>,
    /// True when it had been done before, under the same idempotency key.
    pub replayed: bool,
    /// What else there is to say about it.
    pub note: Option<String>,
}

/// A key or an endpoint that was made. `secret` is absent when it had been made before and only its
/// record came back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Issued {
    pub id: String,
    pub name: String,
    /// What it is recognised by.
    pub prefix: String,
    pub secret: Option<Secret>,
}

#[derive(cynic::QueryFragment, Serialize, Clone, Debug, PartialEq)]
pub struct UserError {
    pub message: String,
    pub code: ErrorCode,
    pub path: Vec<String>,
}

/// Done without errors, refused with them: a payload is either.
pub fn settled(errors: Vec<UserError>, receipt: Receipt) -> Outcome {
    if errors.is_empty() { Outcome::Done(receipt) } else { Outcome::Refused(errors) }
}
