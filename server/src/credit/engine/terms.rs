//! The words of the credit rules that are fixed choices, each with its one spelling.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The text is none of the words of the type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected one of {}", .expected.join(", "))]
pub struct UnknownWord {
    /// The words there are.
    pub expected: &'static [&'static str],
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// Every word, in the order of declaration.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word as stored and shown.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(UnknownWord { expected: Self::WORDS }),
                }
            }
        }
    };
}

words! {
    /// Whether credits are worth money.
    Environment {
        /// Real credits.
        Live "LIVE",
        /// Play credits: their own wallet, always isolated, never refilled.
        Test "TEST",
    }
}

words! {
    /// How an organization is billed; transfers do not cross between prepaid and the others.
    BillingMode {
        /// Pays before.
        Prepaid "PREPAID",
        /// Pays after.
        Payg "PAYG",
        /// Both.
        Hybrid "HYBRID",
    }
}

words! {
    /// Who pays for an organization's spend.
    Funding {
        /// The organization alone.
        Isolated "ISOLATED",
        /// The organization first, then the chain above it.
        Fallback "FALLBACK",
        /// The first ancestor that is not itself pooled, alone.
        Pooled "POOLED",
    }
}

words! {
    /// Where the credits of a bucket come from.
    Origin {
        /// Part of a plan.
        Included "INCLUDED",
        /// Bought.
        Prepaid "PREPAID",
        /// Given.
        Promotional "PROMOTIONAL",
    }
}

words! {
    /// What became of a hold.
    HoldStatus {
        /// Credits are reserved.
        Open "OPEN",
        /// Some or all of it was spent, the rest returned.
        Captured "CAPTURED",
        /// All of it returned by request.
        Voided "VOIDED",
        /// All of it returned because its time was up.
        Expired "EXPIRED",
    }
}

words! {
    /// Why a transaction was posted.
    TransactionKind {
        /// A charge.
        Charge "CHARGE",
        /// The capture of a hold.
        Capture "CAPTURE",
        /// Spent credits given back.
        Refund "REFUND",
        /// Credits issued.
        Grant "GRANT",
        /// Credits moved between two wallets by request.
        Transfer "TRANSFER",
        /// Credits moved from the parent because the wallet ran low.
        Refill "REFILL",
        /// Credits of an archived organization moved to the nearest live ancestor.
        Sweep "SWEEP",
        /// Credits whose time was up.
        Expiry "EXPIRY",
    }
}

words! {
    /// The accounts of a realm that belong to no wallet.
    SystemAccount {
        /// Negative by as much as was ever issued.
        Issued "ISSUED",
        /// What was spent and not refunded.
        Spent "SPENT",
        /// What ran out of time.
        Expired "EXPIRED",
    }
}

words! {
    /// Why a refill could not restore the threshold.
    StarvedReason {
        /// The parent has too little above its reserve.
        ParentExhausted "PARENT_EXHAUSTED",
        /// The month's ceiling for refills is used up.
        CeilingReached "CEILING_REACHED",
        /// The parent, or an organization above it, is suspended.
        ParentSuspended "PARENT_SUSPENDED",
        /// The parent, or an organization above it, is archived.
        ParentArchived "PARENT_ARCHIVED",
        /// A root has nobody to be refilled from.
        NoParent "NO_PARENT",
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
