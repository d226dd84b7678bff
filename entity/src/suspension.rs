//! One holder's suspension of one organization.

use sea_orm::entity::prelude::*;

use crate::id::{OrganizationId, RealmId, SuspensionId};
use crate::timestamp::Timestamp;

#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, DeriveEntityModel)]
#[sea_orm(table_name = "suspension")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub realm_id: RealmId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SuspensionId,
    pub organization_id: OrganizationId,
    pub holder_id: Uuid,
    pub reason: Option<String>,
    pub placed_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
