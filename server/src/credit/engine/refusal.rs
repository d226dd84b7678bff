//! Why a request was not done. A refused request changes nothing.

use std::fmt;

use entity::credits::Credits;
use entity::id::{AnyId, BucketId, HoldId, KeyFamilyId, OrganizationId};
use entity::timestamp::Timestamp;

use super::terms::{BillingMode, HoldStatus};

/// Every refusal, in the order of precedence: when several apply, the first of them is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The request itself cannot be meant.
    InvalidInput {
        /// The field of the request.
        field: &'static str,
        problem: Problem,
    },
    /// What the request names was not loaded into the book, so for this caller it does not exist.
    NotFound { id: AnyId },
    /// What the request is about is not in the state it needs.
    Conflict(Conflict),
    /// `archived`, the organization or the nearest such ancestor, is archived.
    OrganizationArchived { organization: OrganizationId, archived: OrganizationId },
    /// `suspended`, the organization or the nearest such ancestor, is suspended.
    OrganizationSuspended { organization: OrganizationId, suspended: OrganizationId },
    /// The ends of a transfer are billed in ways that do not mix.
    BillingModeMismatch { source: BillingMode, target: BillingMode },
    /// A monthly limit on the path has too little left.
    CapExceeded {
        cap: Cap,
        limit: Credits,
        used: Credits,
        requested: Credits,
        /// When the month of this limit ends.
        resets_at: Timestamp,
    },
    /// The payers have enough, but not above what they keep in reserve.
    ReserveProtected(Shortage),
    /// The payers have too little.
    InsufficientCredits(Shortage),
}

/// What is wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Amounts are more than zero.
    NotPositive,
    /// A product or sum goes beyond 2^53−1.
    TooLarge,
    /// More than the hold has left to capture or refund.
    MoreThan { most: Credits },
    /// The two ends of a transfer are one.
    SameOrganization,
    /// Credits would move to something that is not above their owner.
    NotAnAncestor,
    /// The instant is not in the future.
    NotInTheFuture,
    /// The duration is zero or longer than allowed.
    DurationOutOfRange { most_seconds: u64 },
}

/// A state that does not allow what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// The hold is not open any more, or, for a refund, was never captured.
    HoldIs { hold: HoldId, status: HoldStatus },
    /// The hold's time is up, though nothing has returned it yet.
    HoldTimeIsUp { hold: HoldId, expires_at: Timestamp },
    /// Asked to expire a hold too early.
    HoldNotDue { hold: HoldId, expires_at: Timestamp },
    /// All that was captured has been refunded.
    NothingToRefund { hold: HoldId },
    /// Asked to expire a bucket too early, or one that never expires.
    BucketNotDue { bucket: BucketId },
    /// An end of a transfer or grant is archived.
    Archived { organization: OrganizationId },
}

/// Which limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cap {
    /// `monthlyCreditCap` of the organization.
    Own(OrganizationId),
    /// `subtreeMonthlyCap` of the organization or an ancestor.
    Subtree(OrganizationId),
    /// The key family's spend limit.
    Family(KeyFamilyId),
}

/// How much was missing, and who was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortage {
    pub required: Credits,
    /// What the payers could give together; never below zero.
    pub spendable: Credits,
    /// `required − spendable`.
    pub shortfall: Credits,
    /// The payers in the order they were asked.
    pub payers: Vec<Payer>,
}

/// What one payer could give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payer {
    pub organization: OrganizationId,
    /// Posted minus held minus expired; may be negative.
    pub available: Credits,
    /// What it keeps back from others; zero when it pays for itself.
    pub reserve: Credits,
    /// `available − reserve`, at least zero.
    pub spendable: Credits,
}

impl Refusal {
    /// The code of the API.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InvalidInput { .. } => "INVALID_INPUT",
            Self::NotFound { .. } => "NOT_FOUND",
            Self::Conflict(_) => "CONFLICT",
            Self::OrganizationArchived { .. } => "ORGANIZATION_ARCHIVED",
            Self::OrganizationSuspended { .. } => "ORGANIZATION_SUSPENDED",
            Self::BillingModeMismatch { .. } => "BILLING_MODE_MISMATCH",
            Self::CapExceeded { .. } => "CAP_EXCEEDED",
            Self::ReserveProtected(_) => "RESERVE_PROTECTED",
            Self::InsufficientCredits(_) => "INSUFFICIENT_CREDITS",
        }
    }

    /// Whether the same request can succeed later without anybody changing a setting: funds
    /// arrive and months begin, while a suspension must be lifted by somebody.
    pub const fn retryable(&self) -> bool {
        matches!(self, Self::CapExceeded { .. } | Self::ReserveProtected(_) | Self::InsufficientCredits(_))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidInput { field, problem } => write!(f, "{field}: {problem}"),
            Self::NotFound { id } => write!(f, "There is no {id} here. Check the id and who you act for."),
            Self::Conflict(conflict) => conflict.fmt(f),
            Self::OrganizationArchived { archived, .. } => {
                write!(f, "{archived} is archived, which is final. Use another organization.")
            }
            Self::OrganizationSuspended { suspended, .. } => {
                write!(f, "{suspended} is suspended. Whoever placed the suspension must resume it first.")
            }
            Self::BillingModeMismatch { source, target } => {
                write!(f, "The source is billed {source} and the target {target}. Put both in PAYG or HYBRID.")
            }
            Self::CapExceeded { cap, limit, used, requested, resets_at } => write!(
                f,
                "{cap} allows {limit} credits this month, {used} are used and {requested} were asked \
                 for. Raise the limit or wait until {resets_at}."
            ),
            Self::ReserveProtected(shortage) => write!(
                f,
                "{} credits are needed and {} can be spent without touching a payer's reserve. \
                 Top up the payer or lower its reserve.",
                shortage.required, shortage.spendable
            ),
            Self::InsufficientCredits(shortage) => write!(
                f,
                "{} credits are needed and {} can be spent. Add {} credits to a payer.",
                shortage.required, shortage.spendable, shortage.shortfall
            ),
        }
    }
}

impl std::error::Error for Refusal {}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotPositive => f.write_str("must be more than zero"),
            Self::TooLarge => write!(f, "goes beyond {}, the most a realm can hold", Credits::MAX),
            Self::MoreThan { most } => write!(f, "must be at most {most}"),
            Self::SameOrganization => f.write_str("must differ from the source"),
            Self::NotAnAncestor => f.write_str("must be an ancestor that is not archived"),
            Self::NotInTheFuture => f.write_str("must be in the future"),
            Self::DurationOutOfRange { most_seconds } => {
                write!(f, "must be more than zero and at most {most_seconds} seconds")
            }
        }
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HoldIs { hold, status } => {
                write!(f, "{hold} is {status}. Read the hold to see how it ended.")
            }
            Self::HoldTimeIsUp { hold, expires_at } => {
                write!(f, "{hold} expired at {expires_at}. Take a new hold.")
            }
            Self::HoldNotDue { hold, expires_at } => {
                write!(f, "{hold} is open until {expires_at}. Void it to end it sooner.")
            }
            Self::NothingToRefund { hold } => write!(f, "All of {hold} has been refunded already."),
            Self::BucketNotDue { bucket } => write!(f, "{bucket} has not expired. Try again when it has."),
            Self::Archived { organization } => {
                write!(f, "{organization} is archived, which is final. Choose another organization.")
            }
        }
    }
}

impl fmt::Display for Cap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own(organization) => write!(f, "The monthly cap of {organization}"),
            Self::Subtree(organization) => write!(f, "The subtree cap of {organization}"),
            Self::Family(family) => write!(f, "The spend limit of key family {family}"),
        }
    }
}
