//! What can be asked of the rules.

use std::sync::Arc;
use std::time::Duration;

use entity::credits::Credits;
use entity::id::{BucketId, HoldId, KeyFamilyId, OrganizationId};
use entity::timestamp::Timestamp;

use super::terms::{Environment, Origin};

/// One request, already authorized.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Spend at once: a hold that is born captured.
    Charge(Spend),
    /// Reserve, to be captured or voided later.
    Hold {
        spend: Spend,
        /// How long it stays open; `HOLD_DEFAULT` when absent, at most `HOLD_MAX`.
        expires_in: Option<Duration>,
    },
    /// Spend what a hold reserved; the rest returns. All of it when `amount` is absent.
    Capture { hold: HoldId, amount: Option<Credits>, note: Note },
    /// Return what a hold reserved.
    Void { hold: HoldId },
    /// Return what a hold reserved, because its time is up. Asked by the worker.
    Expire { hold: HoldId },
    /// Give spent credits back to the legs that paid. All that is left when `amount` is absent.
    Refund { hold: HoldId, amount: Option<Credits>, note: Note },
    /// Issue credits.
    Grant(Grant),
    /// Move credits between two wallets of one environment. Origin, priority and expiry go along.
    Transfer(Transfer),
    /// Take the part of a bucket that nobody holds, because its time is up. Asked by the worker.
    ExpireBucket { organization: OrganizationId, environment: Environment, bucket: BucketId },
    /// Move all available LIVE credits of an organization being archived to its ancestor `to`.
    Sweep { from: OrganizationId, to: OrganizationId },
    /// Look at a wallet's refill again after something other than its balance changed: limits, a
    /// parent resumed, a month begun. Clears a starved state that no longer holds.
    RearmRefill { organization: OrganizationId },
}

/// What is common to charges and holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spend {
    pub organization: OrganizationId,
    pub environment: Environment,
    pub cost: Cost,
    /// The family of the key that asked, if a key did: its monthly limit counts.
    pub family: Option<KeyFamilyId>,
    pub note: Note,
}

/// Credits to issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub organization: OrganizationId,
    pub environment: Environment,
    pub amount: Credits,
    pub origin: Origin,
    /// Lower is spent first.
    pub priority: i32,
    pub expires_at: Option<Timestamp>,
    pub note: Note,
}

/// Credits to move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    pub source: OrganizationId,
    pub target: OrganizationId,
    pub environment: Environment,
    pub amount: Credits,
    pub note: Note,
}

/// How much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cost {
    Amount(Credits),
    Metered(Price),
}

/// A meter's price as it was when the spend was asked for; it stays with the hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    pub meter: Arc<str>,
    pub quantity: i64,
    pub unit_price: Credits,
}

/// What the caller says about a request. Passed through and never looked into.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Note {
    pub description: Option<Arc<str>>,
    /// JSON text.
    pub metadata: Option<Arc<str>>,
}
