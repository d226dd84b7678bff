//! The delivery log, as it is read and as people add to it.

use std::collections::HashMap;

use entity::id::{DeliveryId, OrganizationId, RealmId, WebhookEndpointId};
use entity::{delivery, delivery_attempt, webhook_endpoint};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, IntoActiveModel, QueryFilter, QueryOrder};
use uuid::Uuid;

use crate::access::fields::handed;
use crate::access::policy::Permission;
use crate::kernel::error::Result;
use crate::kernel::owned::OwnedRow;
use crate::kernel::page::{Order, Page, PerOwner, Slice, count_per_owner, counts, slices};
use crate::kernel::sql::Sql;
use crate::kernel::tx::Tx;
use crate::webhook::model::Delivery;

impl OwnedRow for Delivery {
    const TABLE: &'static str = "delivery";
    const READ: Permission = handed("WebhookDelivery");

    fn uuid(&self) -> Uuid {
        self.id.into()
    }

    fn organization_id(&self) -> OrganizationId {
        self.organization_id
    }
}

/// Which deliveries of a list are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Filter {
    pub status: Option<entity::kind::DeliveryStatus>,
}

impl Filter {
    fn narrow(self, sql: &mut Sql) {
        if let Some(status) = self.status {
            sql.push(" AND x.status = ").bind(status);
        }
    }
}

const ENDPOINT: &str = "webhook_endpoint_id";

fn uuids(endpoints: &[(RealmId, WebhookEndpointId)]) -> Vec<(RealmId, Uuid)> {
    endpoints.iter().map(|(realm, id)| (*realm, (*id).into())).collect()
}

/// A page of each endpoint's deliveries, newest first, in one statement.
pub async fn of_endpoints(
    connection: &impl ConnectionTrait,
    endpoints: &[(RealmId, WebhookEndpointId)],
    filter: Filter,
    page: &Page,
) -> Result<HashMap<WebhookEndpointId, Slice<Delivery>>> {
    if endpoints.is_empty() {
        return Ok(HashMap::new());
    }
    let per_owner = PerOwner { table: Delivery::TABLE, owner_column: ENDPOINT, joins: "", order: Order::NEWEST, page };
    let sql = per_owner.sql(connection, &uuids(endpoints), "", |sql| filter.narrow(sql));
    let rows = Delivery::find_by_statement(sql.statement(connection)).all(connection).await?;
    Ok(slices(rows, |row| row.webhook_endpoint_id, page))
}

pub async fn count(
    connection: &impl ConnectionTrait,
    endpoints: &[(RealmId, WebhookEndpointId)],
    filter: Filter,
) -> Result<HashMap<Uuid, i64>> {
    if endpoints.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = count_per_owner(Delivery::TABLE, ENDPOINT, &uuids(endpoints), |sql| filter.narrow(sql));
    counts(connection, &sql).await
}

/// The attempts of deliveries, oldest first, in one statement.
pub async fn attempts(
    connection: &impl ConnectionTrait,
    realms: Vec<RealmId>,
    deliveries: Vec<DeliveryId>,
) -> Result<HashMap<DeliveryId, Vec<delivery_attempt::Model>>> {
    let mut by_delivery: HashMap<DeliveryId, Vec<_>> = HashMap::new();
    let mut sql = Sql::new("SELECT * FROM delivery_attempt WHERE realm_id");
    sql.within(realms).push(" AND delivery_id").within(deliveries).push(" ORDER BY delivery_id, number");
    for row in delivery_attempt::Model::find_by_statement(sql.statement(connection)).all(connection).await? {
        by_delivery.entry(row.delivery_id).or_default().push(row);
    }
    Ok(by_delivery)
}

/// The endpoints with these ids.
pub async fn endpoints(
    connection: &impl ConnectionTrait,
    realms: Vec<RealmId>,
    ids: Vec<WebhookEndpointId>,
) -> Result<Vec<webhook_endpoint::Model>> {
    let rows = webhook_endpoint::Entity::find()
        .filter(webhook_endpoint::Column::RealmId.is_in(realms))
        .filter(webhook_endpoint::Column::Id.is_in(ids))
        .order_by_asc(webhook_endpoint::Column::Id)
        .all(connection)
        .await?;
    Ok(rows)
}

pub async fn insert(tx: &Tx, delivery: Delivery) -> Result<()> {
    delivery::Entity::insert(delivery.into_active_model()).exec_without_returning(tx).await?;
    Ok(())
}
