//! Refusals as the schema shows them: an interface, and types that carry what the refusal knows.

use async_graphql::{ID, Interface, SimpleObject};

use crate::kernel::error::{CapKind, Detail, ErrorCode, Refusal};
use crate::schema::kind::EffectiveStatus;
use crate::schema::scalar::{Credits, DateTime};

/// Why a mutation did not do what was asked. Nothing was changed.
#[derive(Interface, Clone, Debug)]
#[graphql(
    field(name = "message", ty = "&String", desc = "What is wrong and what to do next, for people."),
    field(name = "code", ty = "&ErrorCode", desc = "What is wrong, for programs."),
    field(name = "path", ty = "&Vec<String>", desc = "The offending input field, outermost first; empty when no single one is to blame.")
)]
pub enum UserError {
    Refused(RefusedError),
    InsufficientCredits(InsufficientCreditsError),
    CapExceeded(CapExceededError),
    OrganizationStatus(OrganizationStatusError),
    StaleVersion(StaleVersionError),
}

/// A refusal that its code says all about.
#[derive(SimpleObject, Clone, Debug)]
pub struct RefusedError {
    /// What is wrong and what to do next, for people.
    pub message: String,
    /// What is wrong, for programs.
    pub code: ErrorCode,
    /// The offending input field, outermost first; empty when no single one is to blame.
    pub path: Vec<String>,
}

/// The paying wallets together do not cover the amount, or their reserves protect what there is.
#[derive(SimpleObject, Clone, Debug)]
pub struct InsufficientCreditsError {
    /// What is wrong and what to do next, for people.
    pub message: String,
    /// `INSUFFICIENT_CREDITS` or `RESERVE_PROTECTED`.
    pub code: ErrorCode,
    /// The offending input field, outermost first; empty when no single one is to blame.
    pub path: Vec<String>,
    /// What the request needed.
    pub required: Credits,
    /// What the payers could give together.
    pub spendable: Credits,
    /// `required` minus `spendable`.
    pub shortfall: Credits,
    /// The wallets that were asked, in the order of payment.
    pub payers: Vec<Payer>,
}

/// One wallet of a payer chain.
#[derive(SimpleObject, Clone, Debug)]
pub struct Payer {
    /// Whose wallet it is.
    pub organization_id: ID,
    /// Posted minus held; may be negative.
    pub available: Credits,
    /// What it could give, its reserve kept.
    pub spendable: Credits,
}

/// A limit on the path does not allow this much.
#[derive(SimpleObject, Clone, Debug)]
pub struct CapExceededError {
    /// What is wrong and what to do next, for people.
    pub message: String,
    /// `CAP_EXCEEDED`.
    pub code: ErrorCode,
    /// The offending input field, outermost first; empty when no single one is to blame.
    pub path: Vec<String>,
    /// Which kind of limit refused.
    pub limit: CapKind,
    /// Whose limit it is: an organization, or the key family for `KEY_FAMILY`.
    pub limit_id: ID,
    /// The limit.
    pub cap: Credits,
    /// What this month has used of it.
    pub used: Credits,
    /// What the request needed.
    pub requested: Credits,
    /// When the month ends, in the organization's time zone.
    pub resets_at: DateTime,
}

/// The organization or one above it is suspended or archived.
#[derive(SimpleObject, Clone, Debug)]
pub struct OrganizationStatusError {
    /// What is wrong and what to do next, for people.
    pub message: String,
    /// `ORGANIZATION_SUSPENDED` or `ORGANIZATION_ARCHIVED`.
    pub code: ErrorCode,
    /// The offending input field, outermost first; empty when no single one is to blame.
    pub path: Vec<String>,
    /// The nearest organization that is in the way.
    pub organization_id: ID,
    /// What it is.
    pub effective_status: EffectiveStatus,
}

/// The record changed since it was read.
#[derive(SimpleObject, Clone, Debug)]
pub struct StaleVersionError {
    /// What is wrong and what to do next, for people.
    pub message: String,
    /// `STALE_VERSION`.
    pub code: ErrorCode,
    /// The offending input field, outermost first; empty when no single one is to blame.
    pub path: Vec<String>,
    /// The version the request was made for.
    pub expected_version: i32,
    /// The version there is.
    pub current_version: i32,
}

impl From<Refusal> for UserError {
    fn from(refusal: Refusal) -> Self {
        let Refusal { code, message, path, detail } = refusal;
        match detail {
            None => Self::Refused(RefusedError { message, code, path }),
            Some(Detail::InsufficientCredits { required, spendable, shortfall, payers }) => {
                Self::InsufficientCredits(InsufficientCreditsError {
                    message,
                    code,
                    path,
                    required: required.into(),
                    spendable: spendable.into(),
                    shortfall: shortfall.into(),
                    payers: payers
                        .into_iter()
                        .map(|payer| Payer {
                            organization_id: payer.organization.to_string().into(),
                            available: payer.available.into(),
                            spendable: payer.spendable.into(),
                        })
                        .collect(),
                })
            }
            Some(Detail::CapExceeded { limit, id, cap, used, requested, resets_at }) => {
                Self::CapExceeded(CapExceededError {
                    message,
                    code,
                    path,
                    limit,
                    limit_id: id.into(),
                    cap: cap.into(),
                    used: used.into(),
                    requested: requested.into(),
                    resets_at: resets_at.into(),
                })
            }
            Some(Detail::Status { organization, archived }) => Self::OrganizationStatus(OrganizationStatusError {
                message,
                code,
                path,
                organization_id: organization.to_string().into(),
                effective_status: if archived { EffectiveStatus::Archived } else { EffectiveStatus::Suspended },
            }),
            Some(Detail::StaleVersion { expected, current }) => Self::StaleVersion(StaleVersionError {
                message,
                code,
                path,
                expected_version: i32::try_from(expected).unwrap_or(i32::MAX),
                current_version: i32::try_from(current).unwrap_or(i32::MAX),
            }),
        }
    }
}
