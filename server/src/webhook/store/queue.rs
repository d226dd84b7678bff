//! What is to be sent when, and who sends it.
//!
//! A gateway takes an endpoint with a lease and serves it alone. Of each lane (an endpoint's events of one organization)
//! only the first delivery has an instant to be tried at; settled, it hands on to the next. A delivery that is being sent
//! is put off to the end of the lease, so that another gateway tries it if this one dies.

use entity::id::{DeliveryId, OrganizationId, RealmId, WebhookEndpointId};
use entity::timestamp::Timestamp;
use entity::{delivery, delivery_attempt, delivery_queue, event, webhook_endpoint};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect,
};
use uuid::Uuid;

use crate::kernel::error::{Fault, Result};
use crate::kernel::sql::Sql;
use crate::kernel::tx::Tx;
use crate::kernel::work::Work;

/// An endpoint that this gateway serves, and the lease it does so under.
#[derive(Clone, Copy, Debug)]
pub struct Claim {
    pub realm: RealmId,
    pub endpoint: WebhookEndpointId,
    pub lease: Uuid,
}

const DUE: &str = " AND (lease_until IS NULL OR lease_until <= ";

/// Realms with an endpoint to be served, those that wait longest first.
pub async fn due_realms(
    connection: &impl ConnectionTrait,
    now: Timestamp,
    troubled: bool,
    limit: i64,
) -> Result<Vec<RealmId>> {
    let mut sql =
        Sql::new("SELECT realm_id, MIN(next_attempt_at) AS since FROM delivery_queue WHERE next_attempt_at <= ");
    sql.bind(now).push(DUE).bind(now).push(") AND troubled = ").bind(troubled);
    sql.push(" GROUP BY realm_id ORDER BY since LIMIT ").bind(limit);
    let rows = connection.query_all_raw(sql.statement(connection)).await?;
    rows.iter().map(|row| Ok(row.try_get("", "realm_id")?)).collect()
}

/// Takes endpoints of a realm that are to be served and that nobody serves.
pub async fn claim(
    work: &Work,
    realm: RealmId,
    (now, until): (Timestamp, Timestamp),
    troubled: bool,
    limit: i64,
    lease: Uuid,
) -> Result<Vec<Claim>> {
    let mut sql = Sql::new("SELECT webhook_endpoint_id FROM delivery_queue WHERE realm_id = ");
    sql.bind(realm).push(" AND next_attempt_at <= ").bind(now).push(DUE).bind(now);
    sql.push(") AND troubled = ").bind(troubled).push(" ORDER BY next_attempt_at LIMIT ").bind(limit);
    work.lock_free(&mut sql);
    let rows = work.query_all_raw(sql.statement(work)).await?;
    let endpoints: Vec<WebhookEndpointId> =
        rows.iter().map(|row| Ok(row.try_get("", "webhook_endpoint_id")?)).collect::<Result<_>>()?;
    let mut sql = Sql::new("UPDATE delivery_queue SET lease_id = ");
    sql.bind(lease).push(", lease_until = ").bind(until).push(" WHERE realm_id = ").bind(realm);
    sql.push(" AND webhook_endpoint_id").within(endpoints.iter().copied());
    work.execute_raw(sql.statement(work)).await?;
    Ok(endpoints.into_iter().map(|endpoint| Claim { realm, endpoint, lease }).collect())
}

/// The claimed endpoint's queue, locked; `None` when the lease was lost.
pub async fn hold(work: &Work, claim: &Claim) -> Result<Option<delivery_queue::Model>> {
    let mut sql = Sql::new("SELECT * FROM delivery_queue WHERE realm_id = ");
    sql.bind(claim.realm).push(" AND webhook_endpoint_id = ").bind(claim.endpoint);
    sql.push(" AND lease_id = ").bind(claim.lease);
    work.lock(&mut sql);
    Ok(delivery_queue::Model::find_by_statement(sql.statement(work)).one(work).await?)
}

pub async fn save(work: &Work, queue: delivery_queue::Model) -> Result<()> {
    let (realm, endpoint) = (queue.realm_id, queue.webhook_endpoint_id);
    let updated = delivery_queue::Entity::update_many()
        .set(queue.into_active_model().reset_all())
        .filter(delivery_queue::Column::RealmId.eq(realm))
        .filter(delivery_queue::Column::WebhookEndpointId.eq(endpoint))
        .exec(work)
        .await?;
    if updated.rows_affected != 1 {
        return Err(Fault::new(format!("the queue of {endpoint} is gone")).into());
    }
    Ok(())
}

pub async fn endpoint(work: &Work, claim: &Claim) -> Result<Option<webhook_endpoint::Model>> {
    Ok(webhook_endpoint::Entity::find_by_id((claim.realm, claim.endpoint)).one(work).await?)
}

/// What is to be tried by now, in the order it became so.
pub async fn due(work: &Work, claim: &Claim, now: Timestamp, limit: u64) -> Result<Vec<delivery::Model>> {
    let rows = delivery::Entity::find()
        .filter(delivery::Column::RealmId.eq(claim.realm))
        .filter(delivery::Column::WebhookEndpointId.eq(claim.endpoint))
        .filter(delivery::Column::NextAttemptAt.lte(now))
        .order_by_asc(delivery::Column::NextAttemptAt)
        .order_by_asc(delivery::Column::Id)
        .limit(limit)
        .all(work)
        .await?;
    Ok(rows)
}

/// When something of the endpoint is to be tried next.
pub async fn earliest(work: &Work, claim: &Claim) -> Result<Option<Timestamp>> {
    let mut sql = Sql::new("SELECT MIN(next_attempt_at) AS earliest FROM delivery WHERE realm_id = ");
    sql.bind(claim.realm).push(" AND webhook_endpoint_id = ").bind(claim.endpoint);
    sql.push(" AND next_attempt_at IS NOT NULL");
    let row = work.query_one_raw(sql.statement(work)).await?;
    Ok(row.ok_or_else(|| Fault::new("a minimum answered no row"))?.try_get("", "earliest")?)
}

/// Puts deliveries that are being sent off to the end of the lease.
pub async fn put_off(work: &Work, realm: RealmId, ids: &[DeliveryId], until: Timestamp) -> Result<()> {
    let mut sql = Sql::new("UPDATE delivery SET next_attempt_at = ");
    sql.bind(until).push(" WHERE realm_id = ").bind(realm).push(" AND id").within(ids.iter().copied());
    work.execute_raw(sql.statement(work)).await?;
    Ok(())
}

pub async fn events(work: &Work, realm: RealmId, sequences: Vec<i64>) -> Result<Vec<event::Model>> {
    let rows = event::Entity::find()
        .filter(event::Column::RealmId.eq(realm))
        .filter(event::Column::Sequence.is_in(sequences))
        .all(work)
        .await?;
    Ok(rows)
}

/// Writes where a delivery stands after an attempt or a decision.
pub async fn save_delivery(work: &Work, delivery: &delivery::Model) -> Result<()> {
    let mut sql = Sql::new("UPDATE delivery SET status = ");
    sql.bind(delivery.status).push(", attempt_count = ").bind(delivery.attempt_count);
    sql.push(", next_attempt_at = ").bind(delivery.next_attempt_at).push(", settled_at = ").bind(delivery.settled_at);
    sql.push(" WHERE realm_id = ").bind(delivery.realm_id).push(" AND id = ").bind(delivery.id);
    work.execute_raw(sql.statement(work)).await?;
    Ok(())
}

/// Has the first one that waits in a lane tried, now that the one before it is settled.
pub async fn promote(work: &Work, claim: &Claim, of: OrganizationId, at: Timestamp) -> Result<()> {
    let mut sql = Sql::new("UPDATE delivery SET next_attempt_at = ");
    sql.bind(at)
        .push(" WHERE realm_id = ")
        .bind(claim.realm)
        .push(" AND id = (SELECT d.id FROM delivery d WHERE d.realm_id = ");
    sql.bind(claim.realm).push(" AND d.webhook_endpoint_id = ").bind(claim.endpoint);
    sql.push(" AND d.event_organization_id = ").bind(of);
    sql.push(" AND d.status = 'PENDING' AND d.ordered ORDER BY d.event_sequence LIMIT 1)");
    work.execute_raw(sql.statement(work)).await?;
    Ok(())
}

pub async fn insert_attempt(work: &Work, attempt: delivery_attempt::Model) -> Result<()> {
    delivery_attempt::Entity::insert(attempt.into_active_model()).exec_without_returning(work).await?;
    Ok(())
}

/// Cancels what waits for the endpoint, a portion at a time. Answers how many.
pub async fn cancel(work: &Work, claim: &Claim, now: Timestamp, limit: i64) -> Result<u64> {
    let mut sql = Sql::new("UPDATE delivery SET status = 'CANCELLED', next_attempt_at = NULL, settled_at = ");
    sql.bind(now).push(" WHERE realm_id = ").bind(claim.realm);
    sql.push(" AND id IN (SELECT d.id FROM delivery d WHERE d.realm_id = ").bind(claim.realm);
    sql.push(" AND d.webhook_endpoint_id = ").bind(claim.endpoint);
    sql.push(" AND d.status = 'PENDING' LIMIT ").bind(limit).push(")");
    Ok(work.execute_raw(sql.statement(work)).await?.rows_affected())
}

/// Clears the log of an endpoint that is gone, a portion at a time, and at last its queue. Answers whether all is cleared.
pub async fn clear(work: &Work, claim: &Claim, limit: u64) -> Result<bool> {
    let ids: Vec<DeliveryId> = delivery::Entity::find()
        .select_only()
        .column(delivery::Column::Id)
        .filter(delivery::Column::RealmId.eq(claim.realm))
        .filter(delivery::Column::WebhookEndpointId.eq(claim.endpoint))
        .limit(limit)
        .into_tuple()
        .all(work)
        .await?;
    remove(work, claim.realm, &ids).await?;
    if !ids.is_empty() {
        return Ok(false);
    }
    delivery_queue::Entity::delete_by_id((claim.realm, claim.endpoint)).exec(work).await?;
    Ok(true)
}

async fn remove(work: &Work, realm: RealmId, ids: &[DeliveryId]) -> Result<()> {
    for (table, column) in [("delivery_attempt", "delivery_id"), ("delivery", "id")] {
        let mut sql = Sql::new("DELETE FROM ");
        sql.push(table).push(" WHERE realm_id = ").bind(realm).push(" AND ").push(column).within(ids.iter().copied());
        work.execute_raw(sql.statement(work)).await?;
    }
    Ok(())
}

/// Realms with deliveries that were settled before an instant.
pub async fn realms_with_old(connection: &impl ConnectionTrait, before: Timestamp, limit: u64) -> Result<Vec<RealmId>> {
    let realms = delivery::Entity::find()
        .select_only()
        .column(delivery::Column::RealmId)
        .distinct()
        .filter(delivery::Column::SettledAt.lt(before))
        .limit(limit)
        .into_tuple()
        .all(connection)
        .await?;
    Ok(realms)
}

/// Removes deliveries that were settled before an instant, a portion at a time. Answers how many.
pub async fn remove_old(work: &Work, realm: RealmId, before: Timestamp, limit: u64) -> Result<usize> {
    let ids: Vec<DeliveryId> = delivery::Entity::find()
        .select_only()
        .column(delivery::Column::Id)
        .filter(delivery::Column::RealmId.eq(realm))
        .filter(delivery::Column::SettledAt.lt(before))
        .limit(limit)
        .into_tuple()
        .all(work)
        .await?;
    remove(work, realm, &ids).await?;
    Ok(ids.len())
}

/// Makes the queue of a new endpoint, and the realm's cursor if it has none: events before this moment are nobody's.
pub async fn open(tx: &Tx, endpoint: WebhookEndpointId) -> Result<()> {
    let queue = delivery_queue::Model {
        realm_id: tx.realm(),
        webhook_endpoint_id: endpoint,
        next_attempt_at: None,
        lease_id: None,
        lease_until: None,
        hold_off_until: None,
        failures: 0,
        failing_since: None,
        troubled: false,
    };
    delivery_queue::Entity::insert(queue.into_active_model()).exec_without_returning(tx).await?;
    let mut sql = Sql::new("INSERT INTO event_cursor (realm_id, sequence) VALUES (");
    sql.bind(tx.realm()).push(", ").bind(tx.last_sequence()).push(") ON CONFLICT DO NOTHING");
    tx.execute_raw(sql.statement(tx)).await?;
    Ok(())
}

/// Has the endpoint served at once, by whoever comes first; what held it off is forgotten.
pub async fn wake_now(tx: &Tx, endpoint: WebhookEndpointId) -> Result<()> {
    let mut sql = Sql::new("UPDATE delivery_queue SET hold_off_until = NULL, next_attempt_at = ");
    sql.bind(tx.now()).push(" WHERE realm_id = ").bind(tx.realm()).push(" AND webhook_endpoint_id = ").bind(endpoint);
    tx.execute_raw(sql.statement(tx)).await?;
    Ok(())
}

/// Forgets how the endpoint did before.
pub async fn forgive(tx: &Tx, endpoint: WebhookEndpointId) -> Result<()> {
    let mut sql =
        Sql::new("UPDATE delivery_queue SET failures = 0, failing_since = NULL, troubled = FALSE WHERE realm_id = ");
    sql.bind(tx.realm()).push(" AND webhook_endpoint_id = ").bind(endpoint);
    tx.execute_raw(sql.statement(tx)).await?;
    Ok(())
}
