//! The closed vocabularies of SPEC §1: one enum per word, spelled in the database as in the schema.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

macro_rules! kinds {
    ($( $(#[$doc:meta])* $name:ident { $( $variant:ident = $text:literal ),+ $(,)? } )+) => {$(
        $(#[$doc])*
        #[derive(
            Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, EnumIter, DeriveActiveEnum,
            schemars::JsonSchema,
        )]
        #[schemars(inline)]
        #[sea_orm(rs_type = "String", db_type = "Text")]
        pub enum $name {
            $(
                #[serde(rename = $text)]
                #[sea_orm(string_value = $text)]
                $variant,
            )+
        }

        impl $name {
            /// The word as the database and the schema spell it.
            pub const fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $text, )+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    )+};
}

kinds! {
    /// How data flows over the edge to the parent.
    Relation { Owned = "OWNED", Linked = "LINKED" }
    /// Who pays for an organization's spend.
    FundingMode { Isolated = "ISOLATED", Fallback = "FALLBACK", Pooled = "POOLED" }
    /// How an organization buys credits.
    BillingMode { Prepaid = "PREPAID", Payg = "PAYG", Hybrid = "HYBRID" }
    /// What an organization's plan allows.
    Tier { Free = "FREE", Standard = "STANDARD", Enterprise = "ENTERPRISE" }
    /// Live credits are money; test credits never are.
    Environment { Live = "LIVE", Test = "TEST" }
    /// Where the credits of a bucket came from.
    BucketOrigin { Included = "INCLUDED", Prepaid = "PREPAID", Promotional = "PROMOTIONAL" }
    /// A hold is settled once: captured, voided or expired.
    HoldStatus { Open = "OPEN", Captured = "CAPTURED", Voided = "VOIDED", Expired = "EXPIRED" }
    /// Where a wallet's automatic refill stands.
    RefillState { Armed = "ARMED", Fired = "FIRED", Starved = "STARVED" }
    /// Why a refill could not bring the wallet back to its threshold.
    StarvedReason {
        NoParent = "NO_PARENT",
        ParentExhausted = "PARENT_EXHAUSTED",
        ParentSuspended = "PARENT_SUSPENDED",
        ParentArchived = "PARENT_ARCHIVED",
        CeilingReached = "CEILING_REACHED",
    }
    /// What moved the credits of a transaction.
    TransactionKind {
        Grant = "GRANT",
        Transfer = "TRANSFER",
        Charge = "CHARGE",
        Capture = "CAPTURE",
        Refund = "REFUND",
        Expiry = "EXPIRY",
        Refill = "REFILL",
        Sweep = "SWEEP",
    }
    /// What an entry is posted to: a wallet's bucket or one of the realm's system accounts.
    Account { Bucket = "BUCKET", Issued = "ISSUED", Spent = "SPENT", Expired = "EXPIRED" }
    /// What a monthly counter counts for.
    CounterSubject { Own = "OWN", Subtree = "SUBTREE", Family = "FAMILY", Refill = "REFILL" }
    /// Who acts.
    PrincipalKind { Anonymous = "ANONYMOUS", Operator = "OPERATOR", ApiKey = "API_KEY", User = "USER", System = "SYSTEM" }
    /// Whether an attempt was let through.
    AuditOutcome { Done = "DONE", Denied = "DENIED" }
    /// What a member may do, as a set of scopes.
    MemberRole { Owner = "OWNER", Admin = "ADMIN", Billing = "BILLING", Developer = "DEVELOPER", Viewer = "VIEWER" }
    /// Whose events are meant: the organization's, its children's too, or the whole subtree's.
    EventScope { Own = "OWN", Children = "CHILDREN", Subtree = "SUBTREE" }
    /// What became of a delivery: a settled one is tried no more.
    DeliveryStatus { Pending = "PENDING", Delivered = "DELIVERED", Failed = "FAILED", Cancelled = "CANCELLED" }
    /// Where an invoice stands.
    InvoiceStatus { Draft = "DRAFT", Submitted = "SUBMITTED", Cancelled = "CANCELLED" }
    /// One thing an edge lets ancestors do besides control.
    Delegation { Billing = "BILLING", DataRead = "DATA_READ", DataWrite = "DATA_WRITE" }
}

impl Delegation {
    const fn bit(self) -> i64 {
        match self {
            Self::Billing => 1,
            Self::DataRead => 2,
            Self::DataWrite => 4,
        }
    }
}

/// A set of [`Delegation`]s, stored as a bit mask.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, DeriveValueType)]
pub struct Delegations(i64);

impl Delegations {
    pub const ALL: Self = Self(7);
    pub const NONE: Self = Self(0);

    /// What a new edge of this relation delegates (SPEC §3).
    pub const fn default_of(relation: Relation) -> Self {
        match relation {
            Relation::Owned => Self::ALL,
            Relation::Linked => Self(Delegation::Billing.bit()),
        }
    }

    pub const fn contains(self, delegation: Delegation) -> bool {
        self.0 & delegation.bit() != 0
    }

    /// What both let: how delegation narrows along a path.
    #[must_use]
    pub const fn intersect(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub const fn is_subset_of(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// The members in the order the schema lists them.
    pub fn iter(self) -> impl Iterator<Item = Delegation> {
        [Delegation::Billing, Delegation::DataRead, Delegation::DataWrite]
            .into_iter()
            .filter(move |d| self.contains(*d))
    }
}

impl FromIterator<Delegation> for Delegations {
    fn from_iter<I: IntoIterator<Item = Delegation>>(members: I) -> Self {
        Self(members.into_iter().fold(0, |mask, delegation| mask | delegation.bit()))
    }
}
