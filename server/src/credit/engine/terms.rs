//! The words of the credit rules that are fixed choices.

use entity::kind::Account as AccountKind;
pub use entity::kind::{
    BillingMode, BucketOrigin as Origin, Environment, FundingMode as Funding, HoldStatus, StarvedReason,
    TransactionKind,
};

/// The accounts of a realm that belong to no wallet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SystemAccount {
    /// Negative by as much as was ever issued.
    Issued,
    /// What was spent and not refunded.
    Spent,
    /// What ran out of time.
    Expired,
}

impl From<SystemAccount> for AccountKind {
    fn from(account: SystemAccount) -> Self {
        match account {
            SystemAccount::Issued => Self::Issued,
            SystemAccount::Spent => Self::Spent,
            SystemAccount::Expired => Self::Expired,
        }
    }
}

/// Where a wallet's refill stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RefillState {
    /// Available is at or above the threshold, or refills are not set.
    #[default]
    Armed,
    /// The last fall below the threshold was made good.
    Fired,
    /// It was not; tried again by every decision that lowers available, told once.
    Starved(StarvedReason),
}
