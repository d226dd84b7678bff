//! What other features may do with credits inside their own transaction.

use std::collections::BTreeSet;

use entity::credits::Credits;
use entity::id::OrganizationId;
use entity::kind::{BucketOrigin, Environment, HoldStatus, RefillState};
use entity::{hold, wallet};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};

use crate::credit::engine::Request;
use crate::credit::engine::decision::Outcome;
use crate::credit::engine::request::{self, Grant, Note};
use crate::credit::model::{DEFAULT_PRIORITY, Remark, TEST_CREDITS};
use crate::credit::rules::{environment_of, family_of, moved, spent};
use crate::credit::{load, post};
use crate::kernel::error::{Fault, Result};
use crate::kernel::tx::Tx;

pub use crate::credit::command::{Moved, Quantity, Spent};
pub use crate::credit::meter::inherit as inherit_meters;
pub use crate::credit::read::{counters, holds_by_ids, transactions_by_ids, wallets_by_ids};
pub use crate::credit::rules::price;

/// Opens the two wallets of a new organization: LIVE empty, TEST with its play credits.
pub async fn open_wallets(tx: &mut Tx, organization: OrganizationId) -> Result<()> {
    open_wallets_of(tx, &[organization]).await
}

/// The same for many new organizations at once.
pub async fn open_wallets_of(tx: &mut Tx, organizations: &[OrganizationId]) -> Result<()> {
    let mut rows = Vec::with_capacity(2 * organizations.len());
    for organization in organizations {
        for environment in [Environment::Live, Environment::Test] {
            let row = wallet::Model {
                realm_id: tx.realm(),
                id: tx.id(),
                organization_id: *organization,
                environment,
                balance: Credits::ZERO,
                held: Credits::ZERO,
                refill_state: RefillState::Armed,
                refill_reason: None,
                version: 0,
                updated_at: tx.now(),
            };
            rows.push(row.into_active_model());
        }
    }
    wallet::Entity::insert_many(rows).exec_without_returning(&*tx).await?;
    let requests: Vec<Request> =
        organizations.iter().map(|id| Request::Grant(welcome(*id, Environment::Test, TEST_CREDITS))).collect();
    let wanted = load::Wanted {
        organizations: organizations.iter().copied().collect(),
        issued: true,
        ..load::Wanted::default()
    };
    post::post(tx, &wanted, &requests).await?;
    Ok(())
}

fn welcome(organization: OrganizationId, environment: Environment, amount: Credits) -> Grant {
    let note = Note { description: Some("Welcome".into()), metadata: None };
    let origin = BucketOrigin::Promotional;
    Grant { organization, environment, amount, origin, priority: DEFAULT_PRIORITY, expires_at: None, note }
}

/// Promotional credits that Banyan itself gives.
pub async fn give(tx: &mut Tx, organization: OrganizationId, environment: Environment, amount: Credits) -> Result<()> {
    let wanted =
        load::Wanted { organizations: BTreeSet::from([organization]), issued: true, ..load::Wanted::default() };
    post::post(tx, &wanted, &[Request::Grant(welcome(organization, environment, amount))]).await?;
    Ok(())
}

/// Charges within another command's transaction, such as an invoice's submission.
pub async fn charge(tx: &mut Tx, spend: request::Spend) -> Result<Spent> {
    let wanted = load::Wanted {
        organizations: BTreeSet::from([spend.organization]),
        families: spend.family.into_iter().collect(),
        ..load::Wanted::default()
    };
    let (book, decisions) = post::post(tx, &wanted, &[Request::Charge(spend)]).await?;
    let Some(Outcome::Charged { hold, transaction, amount }) = decisions.first().map(|made| made.outcome.clone())
    else {
        return Err(Fault::new("a charge was decided as something else").into());
    };
    tx.note("holdId", hold.to_string());
    tx.note("amount", amount.get());
    Ok(spent(tx, &book, hold, Some(transaction))?)
}

/// Charges one unit of a meter to the target, within its own transaction: environment and family are the calling key's.
pub async fn charge_meter(tx: &mut Tx, meter: &str, remark: &Remark) -> Result<Spent> {
    remark.check()?;
    let cost = Quantity::Meter { key: meter.to_owned(), quantity: 1 };
    let spend = request::Spend {
        organization: tx.target().id(),
        environment: environment_of(tx.caller().principal.key(), None)?,
        cost: price(tx, tx.realm(), tx.target().path.root(), &cost).await?,
        family: family_of(tx.caller().principal.key()),
        note: remark.note(),
    };
    charge(tx, spend).await
}

/// Moves credits within another command's transaction, in the calling key's environment, both ends already authorized:
/// the first funding of a provisioned organization.
pub async fn transfer(
    tx: &mut Tx,
    source: OrganizationId,
    target: OrganizationId,
    amount: Credits,
    remark: &Remark,
) -> Result<Moved> {
    remark.check()?;
    let environment = environment_of(tx.caller().principal.key(), None)?;
    let wanted = load::Wanted { organizations: BTreeSet::from([source, target]), ..load::Wanted::default() };
    let request = Request::Transfer(request::Transfer { source, target, environment, amount, note: remark.note() });
    let (book, decisions) = post::post(tx, &wanted, &[request]).await?;
    let decision = decisions.first().ok_or_else(|| Fault::new("one request made no decision"))?;
    tx.note("sourceOrganizationId", source.to_string());
    tx.note("targetOrganizationId", target.to_string());
    tx.note("amount", amount.get());
    Ok(moved(tx, &book, decision, Some(source), target)?)
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
