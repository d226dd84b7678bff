//! A time during which an organization had one parent in one relation: where it was, and whose books it was part of.

use sea_orm::entity::prelude::*;

use crate::id::{EdgePeriodId, OrganizationId, RealmId};
use crate::kind::Relation as EdgeRelation;
use crate::timestamp::Timestamp;

/// The period has begun at `since` and is over at `until`; the one that still runs has no end. A time that no period of an
/// organization covers is one that it was a root in.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, DeriveEntityModel)]
#[sea_orm(table_name = "edge_period")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub realm_id: RealmId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: EdgePeriodId,
    pub organization_id: OrganizationId,
    pub parent_id: OrganizationId,
    pub relation: EdgeRelation,
    pub since: Timestamp,
    pub until: Option<Timestamp>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
