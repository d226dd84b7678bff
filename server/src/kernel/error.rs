//! How a command or a read can end other than well.
//!
//! A **refusal** is expected: it has a stable code, says what to do next, and reaches the client as a user error.
//! A **fault** is a bug or an outage: the client gets a request id, the log gets the whole chain, once.

use async_graphql::Enum;
use entity::credits::Credits;
use entity::id::OrganizationId;
use entity::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

/// Every code a client can meet. Closed: adding one is a change of the contract.
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ErrorCode {
    /// The request itself is malformed: a header, a cursor, a document that is not valid GraphQL. Mend it; do not retry as it is.
    BadRequest,
    /// A value in the input is out of its documented range or form. `path` names it.
    InvalidInput,
    /// No such thing, or not yours to see: the two are never told apart.
    NotFound,
    /// No key, an unknown key, or one that no longer works. Send a valid `Authorization: Bearer` header.
    Unauthenticated,
    /// The key's scopes, or what the path delegates, do not allow this. `explainAccess` says which rule decided.
    ForbiddenScope,
    /// The thing is not in a state that allows this. Read it again and decide.
    Conflict,
    /// `expectedVersion` is not the current version. Read the thing again, merge, and send the new version.
    StaleVersion,
    /// The world changed since the plan was made. Ask for the plan again.
    PlanStale,
    /// The organization or an ancestor is suspended. Do not retry until it is resumed.
    OrganizationSuspended,
    /// The organization or an ancestor is archived. This is final.
    OrganizationArchived,
    /// The parent's tier does not allow children. Raise its tier to `ENTERPRISE`.
    EnterpriseOnly,
    /// The organization still has active children. Archive them first or set `cascade: true`.
    HasActiveChildren,
    /// The tree may be 32 levels deep, and this would be deeper.
    DepthExceeded,
    /// An organization cannot be moved below itself.
    Cycle,
    /// A monthly limit on the path does not allow this much. The error says which and until when.
    CapExceeded,
    /// The payer's minimum reserve protects the credits that are there.
    ReserveProtected,
    /// The paying wallets together do not cover the amount.
    InsufficientCredits,
    /// Credits do not cross between billing mode `PREPAID` and the others. Put both ends into `PAYG` or `HYBRID`.
    BillingModeMismatch,
    /// Set `refillThreshold` and `refillAmount` together, or neither.
    RefillRequiresThresholdAndAmount,
    /// No meter of that key in this realm's catalogue.
    UnknownMeter,
    /// This idempotency key was used with other input. Use a new key for a new request.
    IdempotencyConflict,
    /// A request with this idempotency key is still running. Retry with the same key and input.
    IdempotencyInProgress,
    /// The gateway is busy. Retry after `retryAfterMs` with the same idempotency key.
    RetryLater,
    /// Too many requests or points. Retry after `retryAfterMs`.
    RateLimited,
    /// The document is larger, deeper or dearer than a limit allows. The error says which limit and by how much.
    DocumentRejected,
    /// A stream's client reads too slowly. Subscribe again with the last cursor.
    SlowConsumer,
    /// A fault on our side, logged under `requestId`. Safe to retry with the same idempotency key.
    Internal,
}

impl ErrorCode {
    /// The code as the wire spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "BAD_REQUEST",
            Self::InvalidInput => "INVALID_INPUT",
            Self::NotFound => "NOT_FOUND",
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::ForbiddenScope => "FORBIDDEN_SCOPE",
            Self::Conflict => "CONFLICT",
            Self::StaleVersion => "STALE_VERSION",
            Self::PlanStale => "PLAN_STALE",
            Self::OrganizationSuspended => "ORGANIZATION_SUSPENDED",
            Self::OrganizationArchived => "ORGANIZATION_ARCHIVED",
            Self::EnterpriseOnly => "ENTERPRISE_ONLY",
            Self::HasActiveChildren => "HAS_ACTIVE_CHILDREN",
            Self::DepthExceeded => "DEPTH_EXCEEDED",
            Self::Cycle => "CYCLE",
            Self::CapExceeded => "CAP_EXCEEDED",
            Self::ReserveProtected => "RESERVE_PROTECTED",
            Self::InsufficientCredits => "INSUFFICIENT_CREDITS",
            Self::BillingModeMismatch => "BILLING_MODE_MISMATCH",
            Self::RefillRequiresThresholdAndAmount => "REFILL_REQUIRES_THRESHOLD_AND_AMOUNT",
            Self::UnknownMeter => "UNKNOWN_METER",
            Self::IdempotencyConflict => "IDEMPOTENCY_CONFLICT",
            Self::IdempotencyInProgress => "IDEMPOTENCY_IN_PROGRESS",
            Self::RetryLater => "RETRY_LATER",
            Self::RateLimited => "RATE_LIMITED",
            Self::DocumentRejected => "DOCUMENT_REJECTED",
            Self::SlowConsumer => "SLOW_CONSUMER",
            Self::Internal => "INTERNAL",
        }
    }

    /// Whether the same request may succeed later without anybody changing anything.
    pub const fn retryable(self) -> bool {
        matches!(self, Self::IdempotencyInProgress | Self::RetryLater | Self::RateLimited | Self::Internal)
    }
}

/// An expected "no".
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Refusal {
    pub code: ErrorCode,
    /// What is wrong and what to do next, in one or two sentences.
    pub message: String,
    /// The offending field of the input, outermost first; empty when no single field is to blame.
    pub path: Vec<String>,
    pub detail: Option<Detail>,
}

/// What some refusals carry besides code and message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Detail {
    InsufficientCredits {
        required: Credits,
        spendable: Credits,
        shortfall: Credits,
        payers: Vec<PayerPart>,
    },
    CapExceeded {
        limit: CapKind,
        /// Whose limit: an organization, or a key family.
        id: String,
        cap: Credits,
        used: Credits,
        requested: Credits,
        resets_at: Timestamp,
    },
    Status {
        organization: OrganizationId,
        archived: bool,
    },
    StaleVersion {
        expected: i64,
        current: i64,
    },
}

/// One wallet of the payer chain and what it could give.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PayerPart {
    pub organization: OrganizationId,
    pub available: Credits,
    pub spendable: Credits,
}

/// Which limit refused.
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CapKind {
    /// The organization's own monthly cap.
    Monthly,
    /// The cap of an organization on the path over all that is below it.
    Subtree,
    /// The spend limit of the API key's family.
    KeyFamily,
    /// The monthly ceiling of automatic refills.
    RefillCeiling,
}

impl Refusal {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), path: Vec::new(), detail: None }
    }

    /// A value of the input that is out of range or form.
    pub fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidInput, message).at(field)
    }

    /// The one answer for an unknown id and for somebody else's.
    pub fn not_found() -> Self {
        Self::new(ErrorCode::NotFound, "There is nothing with this id that you can see. Check the id and the key.")
    }

    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Conflict, message)
    }

    #[must_use]
    pub fn at(mut self, field: &str) -> Self {
        self.path = vec!["input".to_owned(), field.to_owned()];
        self
    }

    #[must_use]
    pub fn with(mut self, detail: Detail) -> Self {
        self.detail = Some(detail);
        self
    }
}

/// Something that should not happen: logged with its chain, shown to nobody.
#[derive(Debug, thiserror::Error)]
#[error("{doing}")]
pub struct Fault {
    pub doing: String,
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
    /// Whether the transaction may be run again: a serialization failure, a deadlock, a busy database.
    pub transient: bool,
}

impl Fault {
    pub fn new(doing: impl Into<String>) -> Self {
        Self { doing: doing.into(), source: None, transient: false }
    }

    pub fn caused_by(doing: impl Into<String>, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { doing: doing.into(), source: Some(source.into()), transient: false }
    }

    /// The whole chain in one line, for the log.
    pub fn chain(&self) -> String {
        let mut text = self.doing.clone();
        let mut next = std::error::Error::source(self);
        while let Some(source) = next {
            text.push_str(": ");
            text.push_str(&source.to_string());
            next = source.source();
        }
        text
    }
}

impl From<sea_orm::DbErr> for Fault {
    fn from(source: sea_orm::DbErr) -> Self {
        let transient = is_transient(&source);
        Self { doing: "the database refused a statement".to_owned(), source: Some(Box::new(source)), transient }
    }
}

/// PostgreSQL's serialization failure, deadlock, lock timeout and end of a transaction that was idle for too long, and SQLite's busy and locked.
fn is_transient(error: &sea_orm::DbErr) -> bool {
    use sea_orm::RuntimeErr;
    let (sea_orm::DbErr::Exec(RuntimeErr::SqlxError(inner)) | sea_orm::DbErr::Query(RuntimeErr::SqlxError(inner))) =
        error
    else {
        return matches!(error, sea_orm::DbErr::ConnectionAcquire(_));
    };
    inner
        .as_database_error()
        .and_then(|e| e.code())
        .is_some_and(|code| matches!(code.as_ref(), "40001" | "40P01" | "55P03" | "25P03" | "5" | "6" | "517" | "261"))
}

/// What a command or a read fails with.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("refused: {}", .0.message)]
    Refused(Box<Refusal>),
    #[error(transparent)]
    Fault(Box<Fault>),
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::Fault(Box::new(fault))
    }
}

impl From<sea_orm::DbErr> for Error {
    fn from(source: sea_orm::DbErr) -> Self {
        Self::Fault(Box::new(source.into()))
    }
}

pub type Result<T, E = Error> = std::result::Result<T, E>;
