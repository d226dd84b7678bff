//! What happens to credits, as the outside hears it.

use std::collections::BTreeSet;

use entity::credits::Credits;
use entity::id::{BucketId, HoldId, KeyFamilyId, OrganizationId, TransactionId};
use entity::kind::{Environment, StarvedReason};
use entity::timestamp::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::credit::engine::Book;
use crate::credit::engine::decision::{Decision, Notice};
use crate::credit::engine::refusal::Cap;
use crate::kernel::error::CapKind;
use crate::kernel::event::Event;

pub const CHARGED: &str = "credit.charged";
pub const HELD: &str = "credit.held";
pub const CAPTURED: &str = "credit.captured";
pub const VOIDED: &str = "credit.voided";
pub const HOLD_EXPIRED: &str = "credit.hold.expired";
pub const REFUNDED: &str = "credit.refunded";
pub const GRANTED: &str = "credit.granted";
pub const TRANSFERRED: &str = "credit.transferred";
pub const SWEPT: &str = "credit.swept";
pub const EXPIRED: &str = "credit.expired";
pub const REFILL_FIRED: &str = "credit.refill.fired";
pub const REFILL_STARVED: &str = "credit.refill.starved";
pub const CAP_WARNING: &str = "credit.cap.warning";

/// What happened, and whose wallets have other figures now; who watches a wallet looks there.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Moved<T> {
    #[serde(flatten)]
    what: T,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(default)]
    wallets: BTreeSet<OrganizationId>,
}

macro_rules! payloads {
    ($( $(#[$doc:meta])* $name:ident { $( $(#[$attribute:meta])* $field:ident: $type:ty ),+ $(,)? } )+) => {$(
        $(#[$doc])*
        #[derive(Serialize, JsonSchema)]
        #[serde(rename_all = "camelCase")]
        pub struct $name { $( $(#[$attribute])* $field: $type ),+ }
    )+};
}

payloads! {
    Charged {
        environment: Environment,
        amount: Credits,
        hold_id: HoldId,
        #[serde(skip_serializing_if = "Option::is_none")]
        key_family_id: Option<KeyFamilyId>,
    }
    Held { environment: Environment, amount: Credits, hold_id: HoldId, expires_at: Timestamp }
    Captured { environment: Environment, amount: Credits, returned: Credits, hold_id: HoldId }
    /// Also of a hold whose time was up.
    Returned { environment: Environment, returned: Credits, hold_id: HoldId }
    Refunded { environment: Environment, amount: Credits, hold_id: HoldId }
    Granted { environment: Environment, amount: Credits, transaction_id: TransactionId }
    Transferred {
        environment: Environment,
        amount: Credits,
        transaction_id: TransactionId,
        source_organization_id: OrganizationId,
        target_organization_id: OrganizationId,
    }
    /// Of an archive's sweep and of an automatic refill, which move LIVE credits only.
    MovedLive {
        amount: Credits,
        transaction_id: TransactionId,
        source_organization_id: OrganizationId,
        target_organization_id: OrganizationId,
    }
    Expired { environment: Environment, amount: Credits, transaction_id: TransactionId, bucket_id: BucketId }
    RefillStarved { reason: StarvedReason }
    CapWarning {
        limit: CapKind,
        percent: i64,
        /// When the limit begins anew.
        expires_at: Timestamp,
    }
}

/// The events of a decision. The first one names every wallet that changed.
pub fn of(book: &Book, decision: &Decision) -> Vec<Event> {
    let mut wallets: BTreeSet<OrganizationId> = decision.wallets.iter().map(|change| change.organization).collect();
    decision.notices.iter().filter_map(|notice| event_of(book, notice, &mut wallets)).collect()
}

fn event_of(book: &Book, notice: &Notice, wallets: &mut BTreeSet<OrganizationId>) -> Option<Event> {
    let mut telling = Telling { book, wallets };
    match *notice {
        Notice::ChargeMade { hold, organization, environment, amount, family } => {
            telling.of(CHARGED, organization, Charged { environment, amount, hold_id: hold, key_family_id: family })
        }
        Notice::HoldOpened { hold, organization, environment, amount, expires_at } => {
            telling.of(HELD, organization, Held { environment, amount, hold_id: hold, expires_at })
        }
        Notice::HoldCaptured { hold, organization, environment, amount, returned } => {
            telling.of(CAPTURED, organization, Captured { environment, amount, returned, hold_id: hold })
        }
        Notice::HoldVoided { hold, organization, environment, returned } => {
            telling.of(VOIDED, organization, Returned { environment, returned, hold_id: hold })
        }
        Notice::HoldExpired { hold, organization, environment, returned } => {
            telling.of(HOLD_EXPIRED, organization, Returned { environment, returned, hold_id: hold })
        }
        Notice::RefundMade { hold, organization, environment, amount } => {
            telling.of(REFUNDED, organization, Refunded { environment, amount, hold_id: hold })
        }
        Notice::GrantMade { transaction, organization, environment, amount } => {
            telling.of(GRANTED, organization, Granted { environment, amount, transaction_id: transaction })
        }
        Notice::TransferMade { transaction, source, target, environment, amount } => telling.of(
            TRANSFERRED,
            target,
            Transferred {
                environment,
                amount,
                transaction_id: transaction,
                source_organization_id: source,
                target_organization_id: target,
            },
        ),
        Notice::CreditsSwept { transaction, from, to, amount } => {
            telling.of(SWEPT, from, moved_live(transaction, from, to, amount))
        }
        Notice::CreditsExpired { transaction, organization, environment, bucket, amount } => telling.of(
            EXPIRED,
            organization,
            Expired { environment, amount, transaction_id: transaction, bucket_id: bucket },
        ),
        Notice::RefillFired { transaction, organization, parent, amount } => {
            telling.of(REFILL_FIRED, organization, moved_live(transaction, parent, organization, amount))
        }
        Notice::RefillStarved { organization, reason } => {
            telling.of(REFILL_STARVED, organization, RefillStarved { reason })
        }
        Notice::CapWarning { cap, percent, resets_at, .. } => {
            let (limit, organization) = match cap {
                Cap::Own(id) => (CapKind::Monthly, id),
                Cap::Subtree(id) => (CapKind::Subtree, id),
                Cap::Family(id) => (CapKind::KeyFamily, book.family(id)?.organization),
            };
            telling.of(CAP_WARNING, organization, CapWarning { limit, percent, expires_at: resets_at })
        }
        // Told by the `wallets` of the others.
        Notice::WalletChanged { .. } => None,
    }
}

fn moved_live(transaction: TransactionId, from: OrganizationId, to: OrganizationId, amount: Credits) -> MovedLive {
    MovedLive { amount, transaction_id: transaction, source_organization_id: from, target_organization_id: to }
}

/// A decision being told.
struct Telling<'a> {
    book: &'a Book,
    /// Not told yet.
    wallets: &'a mut BTreeSet<OrganizationId>,
}

impl Telling<'_> {
    fn of<T: Serialize>(&mut self, event_type: &'static str, organization: OrganizationId, what: T) -> Option<Event> {
        let path: Vec<OrganizationId> = self.book.path(organization).map(|node| node.id).collect();
        if path.is_empty() {
            return None;
        }
        let wallets = std::mem::take(self.wallets);
        Some(Event::new(event_type, path, &Moved { what, wallets }))
    }
}
