//! What the credit feature shows of the engine's state, and how rows and engine types correspond.

use std::collections::BTreeMap;
use std::sync::Arc;

use entity::codec::{Counted, Json};
use entity::credits::Credits;
use entity::id::{HoldId, OrganizationId, RealmId};
use entity::kind::{Account as AccountKind, CounterSubject as SubjectKind, RefillState as RefillKind};
use entity::timestamp::Timestamp;
use entity::{bucket, hold, hold_leg, wallet};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::credit::engine::book::{self, Counter, CounterSubject};
use crate::credit::engine::month::Month;
use crate::credit::engine::request::{Note, Price};
use crate::credit::engine::terms::RefillState;
use crate::kernel::error::{Fault, Refusal};

/// The longest description of a movement, in characters.
pub const DESCRIPTION_MAX_CHARS: usize = 500;
/// The longest key of a meter, in characters.
pub const METER_KEY_MAX_CHARS: usize = 100;
/// What a TEST wallet starts with.
pub const TEST_CREDITS: Credits = Credits::new(1_000_000).unwrap();
/// Buckets of a grant that names no priority.
pub const DEFAULT_PRIORITY: i32 = 100;

/// A wallet with its buckets, as of one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wallet {
    pub row: wallet::Model,
    pub buckets: Vec<bucket::Model>,
}

impl Wallet {
    /// Posted minus held, without what has expired and waits to be taken. May be negative, and is shown so.
    pub fn available(&self, now: Timestamp) -> Credits {
        self.buckets
            .iter()
            .filter(|bucket| bucket.expires_at.is_some_and(|at| at <= now))
            .fold(self.row.balance.saturating_sub(self.row.held), |sum, bucket| {
                sum.saturating_sub(bucket.balance.saturating_sub(bucket.held))
            })
    }
}

/// A hold with its legs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hold {
    pub row: hold::Model,
    pub legs: Vec<hold_leg::Model>,
}

impl Hold {
    pub fn id(&self) -> HoldId {
        self.row.id
    }
}

/// What a caller says about a movement.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Remark {
    pub description: Option<String>,
    pub metadata: BTreeMap<String, String>,
}

impl Remark {
    pub fn check(&self) -> Result<(), Refusal> {
        if self.description.as_deref().is_some_and(|text| text.chars().count() > DESCRIPTION_MAX_CHARS) {
            let message = format!("A description has at most {DESCRIPTION_MAX_CHARS} characters.");
            return Err(Refusal::invalid("description", message));
        }
        crate::organization::model::check_metadata(&self.metadata)
    }

    pub fn note(&self) -> Note {
        let metadata = serde_json::to_string(&self.metadata).expect("a map of strings serializes");
        Note { description: self.description.as_deref().map(Arc::from), metadata: Some(Arc::from(metadata)) }
    }
}

pub(super) fn metadata_of(note: &Note) -> entity::codec::Metadata {
    let read = note.metadata.as_deref().and_then(|text| serde_json::from_str(text).ok());
    Json(read.unwrap_or_default())
}

pub(super) fn refill_kind(state: RefillState) -> (RefillKind, Option<entity::kind::StarvedReason>) {
    match state {
        RefillState::Armed => (RefillKind::Armed, None),
        RefillState::Fired => (RefillKind::Fired, None),
        RefillState::Starved(reason) => (RefillKind::Starved, Some(reason)),
    }
}

pub(super) fn refill_state(row: &wallet::Model) -> RefillState {
    match (row.refill_state, row.refill_reason) {
        (RefillKind::Starved, Some(reason)) => RefillState::Starved(reason),
        (RefillKind::Fired, _) => RefillState::Fired,
        _ => RefillState::Armed,
    }
}

pub(super) fn subject_of(subject: CounterSubject) -> (SubjectKind, Uuid) {
    match subject {
        CounterSubject::Own(id) => (SubjectKind::Own, id.into()),
        CounterSubject::Subtree(id) => (SubjectKind::Subtree, id.into()),
        CounterSubject::Family(id) => (SubjectKind::Family, id.into()),
        CounterSubject::Refill(id) => (SubjectKind::Refill, id.into()),
    }
}

pub(super) fn counter_of(kind: SubjectKind, id: Uuid, month: i64) -> Result<Counter, Fault> {
    let subject = match kind {
        SubjectKind::Own => CounterSubject::Own(id.into()),
        SubjectKind::Subtree => CounterSubject::Subtree(id.into()),
        SubjectKind::Family => CounterSubject::Family(id.into()),
        SubjectKind::Refill => CounterSubject::Refill(id.into()),
    };
    let month = i32::try_from(month).ok().and_then(Month::from_number);
    Ok(Counter { subject, month: month.ok_or_else(|| Fault::new("a spend counter has no month"))? })
}

pub(super) fn wallet_row(realm: RealmId, wallet: &book::Wallet, updated_at: Timestamp) -> wallet::Model {
    let (refill_state, refill_reason) = refill_kind(wallet.refill);
    wallet::Model {
        realm_id: realm,
        id: wallet.id,
        organization_id: wallet.organization,
        environment: wallet.environment,
        balance: wallet.balance,
        held: wallet.held,
        refill_state,
        refill_reason,
        version: wallet.version,
        updated_at,
    }
}

pub(super) fn bucket_row(realm: RealmId, wallet: entity::id::WalletId, bucket: &book::Bucket) -> bucket::Model {
    bucket::Model {
        realm_id: realm,
        id: bucket.id,
        wallet_id: wallet,
        origin: bucket.origin,
        priority: i64::from(bucket.priority),
        expires_at: bucket.expires_at,
        balance: bucket.balance,
        held: bucket.held,
        created_at: bucket.created_at,
    }
}

pub(super) fn bucket_of(row: &bucket::Model) -> Result<book::Bucket, Fault> {
    Ok(book::Bucket {
        id: row.id,
        origin: row.origin,
        priority: i32::try_from(row.priority)
            .map_err(|e| Fault::caused_by("a bucket's priority is out of range", e))?,
        expires_at: row.expires_at,
        created_at: row.created_at,
        balance: row.balance,
        held: row.held,
    })
}

/// A wallet of the book as it is shown.
pub(super) fn shown_wallet(realm: RealmId, wallet: &book::Wallet, now: Timestamp) -> Wallet {
    let buckets = wallet.buckets.iter().map(|bucket| bucket_row(realm, wallet.id, bucket)).collect();
    Wallet { row: wallet_row(realm, wallet, now), buckets }
}

/// A hold of the book as it is shown and stored.
pub(super) fn hold_rows(realm: RealmId, hold: &book::Hold) -> Hold {
    let counted = hold
        .counted
        .iter()
        .map(|counter| {
            let (subject_kind, subject_id) = subject_of(counter.subject);
            Counted { subject_kind, subject_id, month: i64::from(counter.month.number()) }
        })
        .collect();
    let row = hold::Model {
        realm_id: realm,
        id: hold.id,
        organization_id: hold.organization,
        environment: hold.environment,
        status: hold.status,
        amount: hold.amount,
        captured: hold.captured,
        refunded: hold.refunded,
        meter: hold.price.as_ref().map(|price| price.meter.to_string()),
        quantity: hold.price.as_ref().map(|price| price.quantity),
        unit_price: hold.price.as_ref().map(|price| price.unit_price),
        description: hold.note.description.as_deref().map(str::to_owned),
        metadata: metadata_of(&hold.note),
        family_id: hold.family,
        counted: Json(counted),
        created_at: hold.created_at,
        expires_at: hold.expires_at,
        settled_at: hold.settled_at,
    };
    let legs = hold
        .legs
        .iter()
        .zip(0_i64..)
        .map(|(leg, position)| hold_leg::Model {
            realm_id: realm,
            hold_id: hold.id,
            position,
            organization_id: leg.organization,
            wallet_id: leg.wallet,
            bucket_id: leg.bucket,
            amount: leg.amount,
            captured: leg.captured,
            refunded: leg.refunded,
        })
        .collect();
    Hold { row, legs }
}

pub(super) fn hold_of(shown: &Hold) -> Result<book::Hold, Fault> {
    let row = &shown.row;
    let price = match (&row.meter, row.quantity, row.unit_price) {
        (Some(meter), Some(quantity), Some(unit_price)) => {
            Some(Price { meter: Arc::from(meter.as_str()), quantity, unit_price })
        }
        _ => None,
    };
    let metadata = serde_json::to_string(&row.metadata.0).expect("a map of strings serializes");
    let counted = row.counted.0.iter().map(|c| counter_of(c.subject_kind, c.subject_id, c.month));
    Ok(book::Hold {
        id: row.id,
        organization: row.organization_id,
        environment: row.environment,
        amount: row.amount,
        captured: row.captured,
        refunded: row.refunded,
        status: row.status,
        created_at: row.created_at,
        expires_at: row.expires_at,
        settled_at: row.settled_at,
        family: row.family_id,
        counted: counted.collect::<Result<_, _>>()?,
        legs: shown
            .legs
            .iter()
            .map(|leg| book::Leg {
                organization: leg.organization_id,
                wallet: leg.wallet_id,
                bucket: leg.bucket_id,
                amount: leg.amount,
                captured: leg.captured,
                refunded: leg.refunded,
            })
            .collect(),
        price,
        note: Note { description: row.description.as_deref().map(Arc::from), metadata: Some(Arc::from(metadata)) },
    })
}

/// The entry's account as its row spells it: kind, organization, wallet, bucket.
pub(super) fn account_columns(
    account: crate::credit::engine::decision::Account,
) -> (AccountKind, Option<OrganizationId>, Option<entity::id::WalletId>, Option<entity::id::BucketId>) {
    use crate::credit::engine::decision::Account;
    match account {
        Account::Bucket { organization, wallet, bucket } => {
            (AccountKind::Bucket, Some(organization), Some(wallet), Some(bucket))
        }
        Account::System(system) => (system.into(), None, None, None),
    }
}
