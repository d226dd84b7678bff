//! An organization's credits in one environment, as cached totals over its buckets.

use sea_orm::entity::prelude::*;

use crate::credits::Credits;
use crate::id::{OrganizationId, RealmId, WalletId};
use crate::kind::{Environment, RefillState, StarvedReason};
use crate::timestamp::Timestamp;

#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, DeriveEntityModel)]
#[sea_orm(table_name = "wallet")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub realm_id: RealmId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: WalletId,
    pub organization_id: OrganizationId,
    pub environment: Environment,
    pub balance: Credits,
    pub held: Credits,
    pub refill_state: RefillState,
    pub refill_reason: Option<StarvedReason>,
    pub version: i64,
    pub updated_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
