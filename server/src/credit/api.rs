//! What other features may do with credits inside their own transaction.

use std::collections::BTreeSet;

use entity::credits::Credits;
use entity::id::OrganizationId;
use entity::kind::{BucketOrigin, Environment, HoldStatus, RefillState};
use entity::{hold, wallet};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};

use crate::credit::command::grant_in;
use crate::credit::engine::Request;
use crate::credit::engine::decision::Outcome;
use crate::credit::engine::request::{Grant, Note};
use crate::credit::model::{DEFAULT_PRIORITY, TEST_CREDITS};
use crate::credit::{load, post};
use crate::kernel::error::Result;
use crate::kernel::tx::Tx;

pub use crate::credit::command::{Moved, Quantity, SpendInput, Spent, charge, price, transfer};
pub use crate::credit::read::{counters, holds_by_ids, transactions_by_ids, wallets_by_ids};

/// Opens the two wallets of a new organization: LIVE empty, TEST with its play credits.
pub async fn open_wallets(tx: &mut Tx, organization: OrganizationId) -> Result<()> {
    let row = |tx: &Tx, environment| wallet::Model {
        realm_id: tx.realm(),
        id: tx.id(),
        organization_id: organization,
        environment,
        balance: Credits::ZERO,
        held: Credits::ZERO,
        refill_state: RefillState::Armed,
        refill_reason: None,
        version: 0,
        updated_at: tx.now(),
    };
    let rows = [Environment::Live, Environment::Test].map(|environment| row(tx, environment).into_active_model());
    wallet::Entity::insert_many(rows).exec_without_returning(&*tx).await?;
    give(tx, organization, Environment::Test, TEST_CREDITS).await
}

/// Promotional credits that Banyan itself gives.
pub async fn give(tx: &mut Tx, organization: OrganizationId, environment: Environment, amount: Credits) -> Result<()> {
    let note = Note { description: Some("Welcome".into()), metadata: None };
    let origin = BucketOrigin::Promotional;
    let grant = Grant { organization, environment, amount, origin, priority: DEFAULT_PRIORITY, expires_at: None, note };
    grant_in(tx, grant).await?;
    Ok(())
}

/// Looks at the organization's refill again after its limits or its parent changed.
pub async fn rearm(tx: &mut Tx, organization: OrganizationId) -> Result<()> {
    let wanted = load::Wanted { organizations: BTreeSet::from([organization]), ..load::Wanted::default() };
    post::post(tx, &wanted, &[Request::RearmRefill { organization }]).await?;
    Ok(())
}

/// What sweeping left: what came home, and what open holds may still return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Swept {
    pub reclaimed: Credits,
    pub pending: Credits,
}

/// Moves everything available of the organizations to `to`; without it, counts what is held and leaves the rest.
pub async fn sweep(tx: &mut Tx, from: &[OrganizationId], to: Option<OrganizationId>) -> Result<Swept> {
    let mut reclaimed = Credits::ZERO;
    if let Some(to) = to {
        let organizations = from.iter().copied().chain([to]).collect();
        let wanted = load::Wanted { organizations, ..load::Wanted::default() };
        let requests: Vec<Request> = from.iter().map(|from| Request::Sweep { from: *from, to }).collect();
        let (_, decisions) = post::post(tx, &wanted, &requests).await?;
        for decision in &decisions {
            if let Outcome::Swept { amount, .. } = decision.outcome {
                reclaimed = reclaimed.saturating_add(amount);
            }
        }
    }
    let mut pending = Credits::ZERO;
    for chunk in from.chunks(500) {
        let rows = wallet::Entity::find()
            .filter(wallet::Column::RealmId.eq(tx.realm()))
            .filter(wallet::Column::Environment.eq(Environment::Live))
            .filter(wallet::Column::OrganizationId.is_in(chunk.iter().copied()))
            .all(&*tx)
            .await?;
        pending = rows.iter().fold(pending, |sum, row| sum.saturating_add(row.held));
    }
    Ok(Swept { reclaimed, pending })
}

/// What archiving would find: credits to reclaim and holds still open.
pub async fn to_reclaim(
    connection: &impl sea_orm::ConnectionTrait,
    realm: entity::id::RealmId,
    organizations: &[OrganizationId],
    now: entity::timestamp::Timestamp,
) -> Result<ToReclaim> {
    let mut found = ToReclaim::default();
    for chunk in organizations.chunks(500) {
        let wallets = load::wallets(connection, realm, chunk, &BTreeSet::new()).await?;
        for (row, buckets) in wallets.into_iter().filter(|(row, _)| row.environment == Environment::Live) {
            found.held = found.held.saturating_add(row.held);
            let available = crate::credit::model::Wallet { row, buckets }.available(now);
            found.reclaimable = found.reclaimable.saturating_add(available.floor_zero());
        }
        let open = hold::Entity::find()
            .filter(hold::Column::RealmId.eq(realm))
            .filter(hold::Column::Status.eq(HoldStatus::Open))
            .filter(hold::Column::OrganizationId.is_in(chunk.iter().copied()))
            .all(connection)
            .await?;
        found.open_holds += i64::try_from(open.len()).unwrap_or(i64::MAX);
    }
    Ok(found)
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ToReclaim {
    pub reclaimable: Credits,
    pub held: Credits,
    pub open_holds: i64,
}
