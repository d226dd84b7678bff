//! Credits reserved for work in flight; a charge is a hold captured at once.

use sea_orm::entity::prelude::*;

use crate::codec::{Counted, Json, Metadata};
use crate::credits::Credits;
use crate::id::{HoldId, KeyFamilyId, OrganizationId, RealmId};
use crate::kind::{Environment, HoldStatus};
use crate::timestamp::Timestamp;

#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, DeriveEntityModel)]
#[sea_orm(table_name = "hold")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub realm_id: RealmId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: HoldId,
    pub organization_id: OrganizationId,
    pub environment: Environment,
    pub status: HoldStatus,
    pub amount: Credits,
    pub captured: Credits,
    pub refunded: Credits,
    pub meter: Option<String>,
    pub quantity: Option<i64>,
    pub unit_price: Option<Credits>,
    pub description: Option<String>,
    pub metadata: Metadata,
    pub family_id: Option<KeyFamilyId>,
    pub counted: Json<Vec<Counted>>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub settled_at: Option<Timestamp>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
