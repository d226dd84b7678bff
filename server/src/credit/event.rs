//! What happens to credits, as the outside hears it.

use std::collections::BTreeSet;

use entity::credits::Credits;
use entity::id::{BucketId, HoldId, KeyFamilyId, OrganizationId, TransactionId};
use entity::kind::{Environment, StarvedReason};
use entity::timestamp::Timestamp;
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

/// One payload serves all: what does not apply is absent.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Movement {
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<Environment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<Credits>,
    #[serde(skip_serializing_if = "Option::is_none")]
    returned: Option<Credits>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hold_id: Option<HoldId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction_id: Option<TransactionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bucket_id: Option<BucketId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_family_id: Option<KeyFamilyId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_organization_id: Option<OrganizationId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_organization_id: Option<OrganizationId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<StarvedReason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<CapKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    percent: Option<i64>,
    /// Whose wallets have other figures now; who watches a wallet looks here.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    wallets: BTreeSet<OrganizationId>,
}

/// The events of a decision. The first one names every wallet that changed.
pub fn of(book: &Book, decision: &Decision) -> Vec<Event> {
    let mut wallets: BTreeSet<OrganizationId> = decision.wallets.iter().map(|change| change.organization).collect();
    let mut events = Vec::new();
    for notice in &decision.notices {
        let Some((event_type, organization, mut movement)) = movement_of(book, notice) else { continue };
        movement.wallets = std::mem::take(&mut wallets);
        let path: Vec<OrganizationId> = book.path(organization).map(|node| node.id).collect();
        if !path.is_empty() {
            events.push(Event::new(event_type, path, &movement));
        }
    }
    events
}

fn movement_of(book: &Book, notice: &Notice) -> Option<(&'static str, OrganizationId, Movement)> {
    let none = Movement::default;
    Some(match *notice {
        Notice::ChargeMade { hold, organization, environment, amount, family } => (
            CHARGED,
            organization,
            Movement {
                environment: Some(environment),
                amount: Some(amount),
                hold_id: Some(hold),
                key_family_id: family,
                ..none()
            },
        ),
        Notice::HoldOpened { hold, organization, environment, amount, expires_at } => (
            HELD,
            organization,
            Movement {
                environment: Some(environment),
                amount: Some(amount),
                hold_id: Some(hold),
                expires_at: Some(expires_at),
                ..none()
            },
        ),
        Notice::HoldCaptured { hold, organization, environment, amount, returned } => (
            CAPTURED,
            organization,
            Movement {
                environment: Some(environment),
                amount: Some(amount),
                returned: Some(returned),
                hold_id: Some(hold),
                ..none()
            },
        ),
        Notice::HoldVoided { hold, organization, environment, returned } => (
            VOIDED,
            organization,
            Movement { environment: Some(environment), returned: Some(returned), hold_id: Some(hold), ..none() },
        ),
        Notice::HoldExpired { hold, organization, environment, returned } => (
            HOLD_EXPIRED,
            organization,
            Movement { environment: Some(environment), returned: Some(returned), hold_id: Some(hold), ..none() },
        ),
        Notice::RefundMade { hold, organization, environment, amount } => (
            REFUNDED,
            organization,
            Movement { environment: Some(environment), amount: Some(amount), hold_id: Some(hold), ..none() },
        ),
        Notice::GrantMade { transaction, organization, environment, amount } => (
            GRANTED,
            organization,
            Movement {
                environment: Some(environment),
                amount: Some(amount),
                transaction_id: Some(transaction),
                ..none()
            },
        ),
        Notice::TransferMade { transaction, source, target, environment, amount } => (
            TRANSFERRED,
            target,
            Movement {
                environment: Some(environment),
                amount: Some(amount),
                transaction_id: Some(transaction),
                source_organization_id: Some(source),
                target_organization_id: Some(target),
                ..none()
            },
        ),
        Notice::CreditsSwept { transaction, from, to, amount } => (
            SWEPT,
            from,
            Movement {
                amount: Some(amount),
                transaction_id: Some(transaction),
                source_organization_id: Some(from),
                target_organization_id: Some(to),
                ..none()
            },
        ),
        Notice::CreditsExpired { transaction, organization, environment, bucket, amount } => (
            EXPIRED,
            organization,
            Movement {
                environment: Some(environment),
                amount: Some(amount),
                transaction_id: Some(transaction),
                bucket_id: Some(bucket),
                ..none()
            },
        ),
        Notice::RefillFired { transaction, organization, parent, amount } => (
            REFILL_FIRED,
            organization,
            Movement {
                amount: Some(amount),
                transaction_id: Some(transaction),
                source_organization_id: Some(parent),
                target_organization_id: Some(organization),
                ..none()
            },
        ),
        Notice::RefillStarved { organization, reason } => {
            (REFILL_STARVED, organization, Movement { reason: Some(reason), ..none() })
        }
        Notice::CapWarning { cap, percent, resets_at, .. } => {
            let (limit, organization) = match cap {
                Cap::Own(id) => (CapKind::Monthly, id),
                Cap::Subtree(id) => (CapKind::Subtree, id),
                Cap::Family(id) => (CapKind::KeyFamily, book.family(id)?.organization),
            };
            (
                CAP_WARNING,
                organization,
                Movement { limit: Some(limit), percent: Some(percent), expires_at: Some(resets_at), ..none() },
            )
        }
        // Told by the `wallets` of the others.
        Notice::WalletChanged { .. } => return None,
    })
}
