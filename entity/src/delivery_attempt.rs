//! One attempt to send an event to an endpoint, and what came of it.

use sea_orm::entity::prelude::*;

use crate::id::{DeliveryId, RealmId};
use crate::timestamp::Timestamp;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "delivery_attempt")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub realm_id: RealmId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub delivery_id: DeliveryId,
    /// From 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i64,
    pub started_at: Timestamp,
    pub duration_ms: i64,
    /// Empty when there was no answer.
    pub response_status: Option<i64>,
    pub response_body: Option<String>,
    /// Why it failed, when that is not in the answer.
    pub error: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
