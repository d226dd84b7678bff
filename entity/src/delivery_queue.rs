//! When an endpoint is to be served again, and which gateway serves it.

use sea_orm::entity::prelude::*;

use crate::id::{RealmId, WebhookEndpointId};
use crate::timestamp::Timestamp;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "delivery_queue")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub realm_id: RealmId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub webhook_endpoint_id: WebhookEndpointId,
    /// Empty when there is nothing to do.
    pub next_attempt_at: Option<Timestamp>,
    pub lease_id: Option<Uuid>,
    /// Whoever has the lease serves the endpoint alone until then.
    pub lease_until: Option<Timestamp>,
    /// Nothing is sent before then, whatever is due.
    pub hold_off_until: Option<Timestamp>,
    /// Attempts that failed one after the other.
    pub failures: i64,
    pub failing_since: Option<Timestamp>,
    /// Whether it failed last time or was slow.
    pub troubled: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
