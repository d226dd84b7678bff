//! Which bucket pays which part of a hold.

use sea_orm::entity::prelude::*;

use crate::credits::Credits;
use crate::id::{BucketId, HoldId, OrganizationId, RealmId, WalletId};

#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, DeriveEntityModel)]
#[sea_orm(table_name = "hold_leg")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub realm_id: RealmId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub hold_id: HoldId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i64,
    pub organization_id: OrganizationId,
    pub wallet_id: WalletId,
    pub bucket_id: BucketId,
    pub amount: Credits,
    pub captured: Credits,
    pub refunded: Credits,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
