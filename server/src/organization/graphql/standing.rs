//! What an organization stands under: its suspensions, who pays for it, its limits.

use async_graphql::{ID, SimpleObject};
use entity::id::OrganizationId;

use crate::schema::kind::{FundingMode, RefillState, StarvedReason};
use crate::schema::scalar::{Credits, Date, DateTime};

/// Somebody's suspension of an organization.
#[derive(SimpleObject, Clone, Debug)]
pub struct Suspension {
    /// Who placed it: an organization's id, or `operator`.
    pub placed_by: String,
    /// The organization that placed it and can lift it; null for the operator.
    pub placed_by_organization_id: Option<ID>,
    /// Why, in the words of whoever placed it.
    pub reason: Option<String>,
    /// Since when.
    pub placed_at: DateTime,
    /// Which organization it stands on: this one or an ancestor.
    pub organization_id: ID,
}

impl Suspension {
    pub fn of(row: &entity::suspension::Model) -> Self {
        let holder = (!row.holder_id.is_nil()).then(|| OrganizationId::from(row.holder_id).to_string());
        Self {
            placed_by: holder.clone().unwrap_or_else(|| "operator".to_owned()),
            placed_by_organization_id: holder.map(ID),
            reason: row.reason.clone(),
            placed_at: row.placed_at.into(),
            organization_id: row.organization_id.to_string().into(),
        }
    }
}

/// Who pays for an organization, and what it offers its children.
#[derive(SimpleObject, Clone, Debug)]
pub struct Funding {
    /// Who pays for its spend.
    pub mode: FundingMode,
    /// Whether the mode is the parent's default and not set on its own edge.
    pub inherited: bool,
    /// As a parent: whether its pool pays for its children's spend.
    pub primary_covers_secondary: bool,
    /// As a parent: whether it covers what its children cannot.
    pub fallback_to_primary: bool,
    /// What it keeps for itself when it pays for others.
    pub minimum_reserve: Credits,
}

/// An organization's caps and automatic refill, with this month's use.
#[derive(SimpleObject, Clone, Debug)]
pub struct Limits {
    /// The most it may spend in a month; null is no limit.
    pub monthly_credit_cap: Option<Credits>,
    /// What it has spent this month.
    pub monthly_used: Credits,
    /// The most it and everything below it may spend in a month; null is no limit.
    pub subtree_monthly_cap: Option<Credits>,
    /// What it and everything below it have spent this month.
    pub subtree_monthly_used: Credits,
    /// Refill when available falls below this.
    pub refill_threshold: Option<Credits>,
    /// Refill in multiples of this.
    pub refill_amount: Option<Credits>,
    /// The most refills may bring in a month; null is no limit.
    pub refill_monthly_ceiling: Option<Credits>,
    /// What refills have brought this month.
    pub refilled_this_month: Credits,
    /// Where the refill stands.
    pub refill_state: RefillState,
    /// Why it is starved, when it is.
    pub refill_reason: Option<StarvedReason>,
    /// Whether threshold and amount are set.
    pub auto_refill_enabled: bool,
    /// The first day of the month, in the organization's time zone.
    pub period_start: Date,
    /// When the month ends.
    pub period_ends_at: DateTime,
}
