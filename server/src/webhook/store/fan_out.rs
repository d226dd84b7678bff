//! From events to deliveries.

use std::collections::{BTreeSet, HashSet};

use entity::id::{OrganizationId, RealmId, WebhookEndpointId};
use entity::timestamp::Timestamp;
use entity::{delivery, delivery_queue, event, webhook_endpoint};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};

use crate::kernel::bundle::chunks;
use crate::kernel::error::{Fault, Result};
use crate::kernel::sql::Sql;
use crate::kernel::work::Work;

/// Realms with events that were not looked at yet.
pub async fn realms_behind(connection: &impl ConnectionTrait, limit: i64) -> Result<Vec<RealmId>> {
    let mut sql = Sql::new(
        "SELECT c.realm_id FROM event_cursor c JOIN realm r ON r.realm_id = c.realm_id
         WHERE r.sequence > c.sequence LIMIT ",
    );
    sql.bind(limit);
    let rows = connection.query_all_raw(sql.statement(connection)).await?;
    rows.iter().map(|row| Ok(row.try_get("", "realm_id")?)).collect()
}

/// How far the realm's events were looked at; `None` while another gateway is at it. Locked until the end.
pub async fn claim_cursor(work: &Work, realm: RealmId) -> Result<Option<i64>> {
    let mut sql = Sql::new("SELECT sequence FROM event_cursor WHERE realm_id = ");
    sql.bind(realm);
    work.lock_free(&mut sql);
    let row = work.query_one_raw(sql.statement(work)).await?;
    row.map(|row| Ok(row.try_get("", "sequence")?)).transpose()
}

pub async fn move_cursor(work: &Work, realm: RealmId, sequence: i64) -> Result<()> {
    let mut sql = Sql::new("UPDATE event_cursor SET sequence = ");
    sql.bind(sequence).push(" WHERE realm_id = ").bind(realm);
    work.execute_raw(sql.statement(work)).await?;
    Ok(())
}

/// The last number the realm has given out. What has it or a smaller one is there to be read: numbers are given under the
/// realm's lock.
pub async fn head(connection: &impl ConnectionTrait, realm: RealmId) -> Result<i64> {
    let mut sql = Sql::new("SELECT sequence FROM realm WHERE realm_id = ");
    sql.bind(realm);
    let row = connection.query_one_raw(sql.statement(connection)).await?;
    Ok(row.ok_or_else(|| Fault::new(format!("realm {realm} has no row")))?.try_get("", "sequence")?)
}

/// The realm's events after one number and up to another, oldest first.
pub async fn events(work: &Work, realm: RealmId, after: i64, up_to: i64, limit: u64) -> Result<Vec<event::Model>> {
    let rows = event::Entity::find()
        .filter(event::Column::RealmId.eq(realm))
        .filter(event::Column::Sequence.gt(after))
        .filter(event::Column::Sequence.lte(up_to))
        .order_by_asc(event::Column::Sequence)
        .limit(limit)
        .all(work)
        .await?;
    Ok(rows)
}

/// The endpoints of organizations that may hear of anything: enabled ones, and those that an archive disabled.
pub async fn endpoints(
    work: &Work,
    realm: RealmId,
    organizations: &BTreeSet<OrganizationId>,
) -> Result<Vec<webhook_endpoint::Model>> {
    let mut sql = Sql::new("SELECT * FROM webhook_endpoint WHERE realm_id = ");
    sql.bind(realm).push(" AND organization_id").within(organizations.iter().copied());
    sql.push(" AND (disabled_at IS NULL OR until_sequence IS NOT NULL) ORDER BY id");
    Ok(webhook_endpoint::Model::find_by_statement(sql.statement(work)).all(work).await?)
}

/// The endpoints' queues, locked in one order: nothing is settled and nobody is promoted meanwhile.
pub async fn lock_queues(
    work: &Work,
    realm: RealmId,
    endpoints: &BTreeSet<WebhookEndpointId>,
) -> Result<Vec<delivery_queue::Model>> {
    let mut sql = Sql::new("SELECT * FROM delivery_queue WHERE realm_id = ");
    sql.bind(realm).push(" AND webhook_endpoint_id").within(endpoints.iter().copied());
    sql.push(" ORDER BY webhook_endpoint_id");
    work.lock(&mut sql);
    Ok(delivery_queue::Model::find_by_statement(sql.statement(work)).all(work).await?)
}

/// An endpoint's events of one organization are sent one after the other.
pub type Lane = (WebhookEndpointId, OrganizationId);

#[derive(FromQueryResult)]
struct LaneRow {
    webhook_endpoint_id: WebhookEndpointId,
    organization_id: OrganizationId,
}

/// Those of the lanes in which something waits already.
pub async fn busy(work: &Work, realm: RealmId, lanes: &BTreeSet<Lane>) -> Result<HashSet<Lane>> {
    let mut busy = HashSet::new();
    for chunk in chunks(lanes.iter().collect()) {
        let mut sql = Sql::new("WITH v (webhook_endpoint_id, organization_id) AS (");
        sql.rows(
            chunk
                .into_iter()
                .map(|(endpoint, organization)| vec![(*endpoint).into(), (*organization).into()])
                .collect(),
        );
        sql.push(
            ") SELECT v.webhook_endpoint_id, v.organization_id FROM v WHERE EXISTS (SELECT 1 FROM delivery d
             WHERE d.webhook_endpoint_id = v.webhook_endpoint_id AND d.event_organization_id = v.organization_id
             AND d.status = 'PENDING' AND d.ordered AND d.realm_id = ",
        );
        sql.bind(realm).push(")");
        let rows = LaneRow::find_by_statement(sql.statement(work)).all(work).await?;
        busy.extend(rows.into_iter().map(|row| (row.webhook_endpoint_id, row.organization_id)));
    }
    Ok(busy)
}

pub async fn insert(work: &Work, deliveries: Vec<delivery::Model>) -> Result<()> {
    for chunk in chunks(deliveries) {
        let sql = Sql::insert(chunk.into_iter().map(IntoActiveModel::into_active_model));
        work.execute_raw(sql.statement(work)).await?;
    }
    Ok(())
}

/// Has the endpoints served at the given instants.
pub async fn wake(work: &Work, realm: RealmId, at: Vec<(WebhookEndpointId, Timestamp)>) -> Result<()> {
    for chunk in chunks(at) {
        let mut sql = Sql::new("WITH v (id, at) AS (");
        sql.rows(chunk.into_iter().map(|(endpoint, at)| vec![endpoint.into(), at.into()]).collect());
        sql.push(
            ") UPDATE delivery_queue SET next_attempt_at = v.at FROM v WHERE delivery_queue.webhook_endpoint_id = v.id",
        );
        sql.push(" AND delivery_queue.realm_id = ").bind(realm);
        work.execute_raw(sql.statement(work)).await?;
    }
    Ok(())
}
