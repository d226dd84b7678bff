//! Credits of one origin, priority and expiry.

use sea_orm::entity::prelude::*;

use crate::credits::Credits;
use crate::id::{BucketId, RealmId, WalletId};
use crate::kind::BucketOrigin;
use crate::timestamp::Timestamp;

#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, DeriveEntityModel)]
#[sea_orm(table_name = "bucket")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub realm_id: RealmId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: BucketId,
    pub wallet_id: WalletId,
    pub origin: BucketOrigin,
    pub priority: i64,
    pub expires_at: Option<Timestamp>,
    pub balance: Credits,
    pub held: Credits,
    pub created_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
