//! A movement of credits whose entries sum to zero.

use sea_orm::entity::prelude::*;

use crate::codec::Metadata;
use crate::credits::Credits;
use crate::id::{HoldId, OrganizationId, RealmId, TransactionId};
use crate::kind::{Environment, TransactionKind};
use crate::timestamp::Timestamp;

#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, DeriveEntityModel)]
#[sea_orm(table_name = "ledger_transaction")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub realm_id: RealmId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TransactionId,
    pub kind: TransactionKind,
    pub environment: Environment,
    pub organization_id: OrganizationId,
    pub counterparty_id: Option<OrganizationId>,
    pub hold_id: Option<HoldId>,
    pub amount: Credits,
    pub description: Option<String>,
    pub metadata: Metadata,
    pub created_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
