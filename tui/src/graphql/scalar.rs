//! Scalars and enumerations of the schema as the console holds them.
//!
//! Every enumeration keeps a word it does not know: a console older than its gateway shows the new
//! word instead of failing to read the answer.

use serde::{Deserialize, Serialize};

use super::schema;
use crate::credits::Credits;

cynic::impl_scalar!(Credits, schema::Credits);
cynic::impl_scalar!(jiff::Timestamp, schema::DateTime);

/// An organization's id: opaque, compared and sent back, never taken apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrganizationId(String);

impl OrganizationId {
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for OrganizationId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&crate::text::neutral(&self.0))
    }
}

impl cynic::schema::IsScalar<cynic::Id> for OrganizationId {
    type SchemaType = cynic::Id;
}
impl schema::variable::Variable for OrganizationId {
    const TYPE: cynic::variables::VariableType = cynic::variables::VariableType::Named("ID");
}
cynic::impl_coercions!(OrganizationId [] [], cynic::Id);

/// A secret that is shown once. It leaves this type only through [`Secret::expose`]: what is
/// serialized (a recording) and what is printed for debugging says that something was there.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("[redacted]")
    }
}

impl cynic::schema::IsScalar<String> for Secret {
    type SchemaType = String;
}
cynic::impl_coercions!(Secret [] [], String);

macro_rules! words {
    ($(#[$note:meta])* $name:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$note])*
        #[derive(cynic::Enum, Clone, Debug, PartialEq, Eq)]
        #[cynic(non_exhaustive)]
        pub enum $name {
            $(#[cynic(rename = $word)] $variant,)+
            #[cynic(fallback)]
            Unknown(String),
        }

        impl $name {
            /// The word as the schema spells it.
            pub fn word(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)+
                    Self::Unknown(word) => word,
                }
            }

            pub fn of_word(word: &str) -> Self {
                match word {
                    $($word => Self::$variant,)+
                    other => Self::Unknown(other.to_owned()),
                }
            }
        }
    };
}

words!(EffectiveStatus { Active = "ACTIVE", Suspended = "SUSPENDED", Archived = "ARCHIVED" });
words!(Relation { Owned = "OWNED", Linked = "LINKED" });
words!(Delegation { Billing = "BILLING", DataRead = "DATA_READ", DataWrite = "DATA_WRITE" });
words!(FundingMode { Isolated = "ISOLATED", Fallback = "FALLBACK", Pooled = "POOLED" });
words!(BucketOrigin { Included = "INCLUDED", Prepaid = "PREPAID", Promotional = "PROMOTIONAL" });
words!(BillingMode { Prepaid = "PREPAID", Payg = "PAYG", Hybrid = "HYBRID" });
words!(Tier { Free = "FREE", Standard = "STANDARD", Enterprise = "ENTERPRISE" });
words!(RefillState { Armed = "ARMED", Fired = "FIRED", Starved = "STARVED" });
words!(StarvedReason {
    CeilingReached = "CEILING_REACHED",
    NoParent = "NO_PARENT",
    ParentArchived = "PARENT_ARCHIVED",
    ParentExhausted = "PARENT_EXHAUSTED",
    ParentSuspended = "PARENT_SUSPENDED",
});
words!(
    /// A ledger entry shows its kind in the schema's own word; of the others the console knows only what is spent.
    TransactionKind { Grant = "GRANT", Transfer = "TRANSFER", Charge = "CHARGE", Capture = "CAPTURE" }
);
words!(ApiKeyStatus {
    Active = "ACTIVE",
    Superseded = "SUPERSEDED",
    Revoked = "REVOKED",
    Expired = "EXPIRED",
});
words!(HoldStatus { Open = "OPEN", Captured = "CAPTURED", Voided = "VOIDED", Expired = "EXPIRED" });
words!(DeliveryStatus {
    Pending = "PENDING",
    Delivered = "DELIVERED",
    Failed = "FAILED",
    Cancelled = "CANCELLED",
});
words!(MemberRole {
    Owner = "OWNER",
    Admin = "ADMIN",
    Billing = "BILLING",
    Developer = "DEVELOPER",
    Viewer = "VIEWER",
});
words!(AuditOutcome { Done = "DONE", Denied = "DENIED" });
words!(PrincipalKind {
    Anonymous = "ANONYMOUS",
    Operator = "OPERATOR",
    ApiKey = "API_KEY",
    User = "USER",
});
words!(EventScope { Own = "OWN", Children = "CHILDREN", Subtree = "SUBTREE" });
words!(Environment { Live = "LIVE", Test = "TEST" });
words!(
    /// Only the codes the console itself acts on have a name here.
    ErrorCode {
        ForbiddenScope = "FORBIDDEN_SCOPE",
        InProgress = "IDEMPOTENCY_IN_PROGRESS",
        RetryLater = "RETRY_LATER",
        SlowConsumer = "SLOW_CONSUMER",
        Internal = "INTERNAL",
    }
);

impl ErrorCode {
    /// True when the code does not say whether the act happened: it is still running, or it may
    /// have been committed before the fault. Every other code is said before anything is written.
    pub fn leaves_outcome_unknown(&self) -> bool {
        matches!(self, Self::InProgress | Self::RetryLater | Self::Internal)
    }
}
