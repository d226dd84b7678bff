//! All keys that rotations made from one: limits and usage belong here.

use sea_orm::entity::prelude::*;

use crate::credits::Credits;
use crate::id::{KeyFamilyId, OrganizationId, RealmId};
use crate::timestamp::Timestamp;

#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, DeriveEntityModel)]
#[sea_orm(table_name = "api_key_family")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub realm_id: RealmId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: KeyFamilyId,
    pub organization_id: OrganizationId,
    pub spend_limit: Option<Credits>,
    pub rate_limit: Option<i64>,
    pub created_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
