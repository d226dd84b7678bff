//! One side of a movement. Never updated, never deleted.

use sea_orm::entity::prelude::*;

use crate::credits::Credits;
use crate::id::{BucketId, EntryId, OrganizationId, RealmId, TransactionId, WalletId};
use crate::kind::{Account, Environment};
use crate::timestamp::Timestamp;

#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, DeriveEntityModel)]
#[sea_orm(table_name = "ledger_entry")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub realm_id: RealmId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: EntryId,
    pub transaction_id: TransactionId,
    pub account: Account,
    pub environment: Environment,
    pub organization_id: Option<OrganizationId>,
    pub wallet_id: Option<WalletId>,
    pub bucket_id: Option<BucketId>,
    pub amount: Credits,
    pub balance_after: Option<Credits>,
    pub created_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
