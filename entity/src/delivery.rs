//! One series of attempts to send an event to an endpoint.

use sea_orm::entity::prelude::*;

use crate::id::{DeliveryId, EventId, OrganizationId, RealmId, WebhookEndpointId};
use crate::kind::DeliveryStatus;
use crate::timestamp::Timestamp;

#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, DeriveEntityModel)]
#[sea_orm(table_name = "delivery")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub realm_id: RealmId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: DeliveryId,
    /// Whose endpoint it is.
    pub organization_id: OrganizationId,
    pub webhook_endpoint_id: WebhookEndpointId,
    pub event_id: EventId,
    pub event_type: String,
    /// Where the event stands in the realm; a ping stands nowhere.
    pub event_sequence: Option<i64>,
    /// Whom the event happened to.
    pub event_organization_id: OrganizationId,
    /// Whether it waits for those before it. What was asked for by hand does not.
    pub ordered: bool,
    pub redelivery_of: Option<DeliveryId>,
    pub status: DeliveryStatus,
    pub attempt_count: i64,
    /// Empty when it is settled, or waits for one before it.
    pub next_attempt_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub settled_at: Option<Timestamp>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
