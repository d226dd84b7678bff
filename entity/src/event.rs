//! A fact that happened, in the realm's order.

use sea_orm::entity::prelude::*;

use crate::codec::Json;
use crate::id::{EventId, OrganizationId, RealmId};
use crate::timestamp::Timestamp;

#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, DeriveEntityModel)]
#[sea_orm(table_name = "event")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub realm_id: RealmId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub sequence: i64,
    pub id: EventId,
    pub event_type: String,
    pub organization_id: OrganizationId,
    pub path: Json<Vec<OrganizationId>>,
    pub data: Json<serde_json::Value>,
    pub occurred_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
