//! Who receives invoices.

use sea_orm::entity::prelude::*;

use crate::id::{BuyerId, OrganizationId, RealmId};
use crate::timestamp::Timestamp;

#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, DeriveEntityModel)]
#[sea_orm(table_name = "buyer")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub realm_id: RealmId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: BuyerId,
    pub organization_id: OrganizationId,
    pub name: String,
    pub tax_number: Option<String>,
    pub email: Option<String>,
    pub created_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
