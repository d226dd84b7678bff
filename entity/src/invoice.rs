//! A bill from a seller to a buyer.

use sea_orm::entity::prelude::*;

use crate::codec::Json;
use crate::id::{BuyerId, HoldId, InvoiceId, OrganizationId, RealmId, SellerId};
use crate::kind::InvoiceStatus;
use crate::timestamp::Timestamp;

#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, DeriveEntityModel)]
#[sea_orm(table_name = "invoice")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub realm_id: RealmId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: InvoiceId,
    pub organization_id: OrganizationId,
    pub seller_id: SellerId,
    pub buyer_id: BuyerId,
    pub status: InvoiceStatus,
    pub currency: String,
    pub total_minor: i64,
    pub lines: Json<serde_json::Value>,
    pub hold_id: Option<HoldId>,
    pub created_at: Timestamp,
    pub submitted_at: Option<Timestamp>,
    pub cancelled_at: Option<Timestamp>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
