use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use async_graphql::{Request, Value};
use axum::http::StatusCode;
use futures_util::future::BoxFuture;

use super::throttle::Unlimited;
use super::{RequestId, Throttle};

/// What the transport asks of the rest of the gateway: once for each HTTP request, once for each
/// `connection_init`.
pub trait Admission: Send + Sync + 'static {
    fn admit<'a>(&'a self, credentials: Credentials) -> BoxFuture<'a, Result<Admitted, TopLevelError>>;

    /// Whether requests can be served; the text says what is missing, to operators.
    fn ready<'a>(&'a self) -> BoxFuture<'a, Result<(), String>>;
}

/// What a client says about itself. Nothing in it is checked yet, beyond its form.
pub struct Credentials {
    /// The `Authorization` header, or its namesake in `connection_init`.
    pub authorization: Option<String>,
    /// `Banyan-Organization`: the descendant to act on behalf of.
    pub organization: Option<String>,
    /// `Idempotency-Key`: visible ASCII, at most 255 bytes. Only on requests with one mutation field.
    pub idempotency_key: Option<String>,
    pub address: IpAddr,
    pub request_id: RequestId,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Credentials")
            .field("authorization", &self.authorization.as_ref().map(|_| "<redacted>"))
            .field("organization", &self.organization)
            .field("idempotency_key", &self.idempotency_key)
            .field("address", &self.address)
            .field("request_id", &self.request_id)
            .finish()
    }
}

/// A caller that may send operations until its authority ends.
pub struct Admitted {
    /// Puts the principal and whatever else resolvers need into a request's data.
    pub attach: Box<dyn Fn(Request) -> Request + Send + Sync>,
    pub throttle: Arc<dyn Throttle>,
    /// Resolves when the authority is over; then streams end and sockets close. Polled to the end only for
    /// streams and sockets.
    pub ended: BoxFuture<'static, EndReason>,
    pub anonymous: bool,
}

impl Admitted {
    /// Without throttle, and with an authority that never ends.
    pub fn new(attach: impl Fn(Request) -> Request + Send + Sync + 'static) -> Self {
        Self {
            attach: Box::new(attach),
            throttle: Arc::new(Unlimited),
            ended: Box::pin(std::future::pending()),
            anonymous: false,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    Revoked,
    Expired,
    Suspended,
    Archived,
    SignedOut,
}

impl EndReason {
    /// Shown to the client as the reason of the close.
    pub fn message(self) -> &'static str {
        match self {
            EndReason::Revoked => "the credentials were revoked",
            EndReason::Expired => "the credentials expired",
            EndReason::Suspended => "the organization is suspended",
            EndReason::Archived => "the organization is archived",
            EndReason::SignedOut => "the session was ended",
        }
    }

    pub(super) fn code(self) -> &'static str {
        match self {
            EndReason::Revoked | EndReason::Expired | EndReason::SignedOut => code::UNAUTHENTICATED,
            EndReason::Suspended => code::ORGANIZATION_SUSPENDED,
            EndReason::Archived => code::ORGANIZATION_ARCHIVED,
        }
    }
}

/// A refusal of a whole request. The client sees `extensions { code, requestId, retryAfterMs? }`.
#[derive(Clone, Debug, PartialEq)]
pub struct TopLevelError {
    pub status: StatusCode,
    /// One of the schema's `ErrorCode`.
    pub code: &'static str,
    pub message: String,
    pub retry_after_ms: Option<u64>,
    /// More entries of `extensions`.
    pub details: Vec<(&'static str, Value)>,
}

impl TopLevelError {
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), retry_after_ms: None, details: Vec::new() }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code::BAD_REQUEST, message)
    }

    pub(super) fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, code::INTERNAL, INTERNAL_MESSAGE)
    }
}

pub(super) const INTERNAL_MESSAGE: &str =
    "Something failed in the gateway. Try again, and report the requestId if it persists.";

/// The codes of `ErrorCode` that the transport itself gives.
pub(super) mod code {
    pub const BAD_REQUEST: &str = "BAD_REQUEST";
    pub const INVALID_INPUT: &str = "INVALID_INPUT";
    pub const UNAUTHENTICATED: &str = "UNAUTHENTICATED";
    pub const ORGANIZATION_SUSPENDED: &str = "ORGANIZATION_SUSPENDED";
    pub const ORGANIZATION_ARCHIVED: &str = "ORGANIZATION_ARCHIVED";
    pub const DOCUMENT_REJECTED: &str = "DOCUMENT_REJECTED";
    pub const RATE_LIMITED: &str = "RATE_LIMITED";
    pub const RETRY_LATER: &str = "RETRY_LATER";
    pub const INTERNAL: &str = "INTERNAL";
    /// Only on subscriptions: the client reads slower than events come.
    pub const SLOW_CONSUMER: &str = "SLOW_CONSUMER";
}
