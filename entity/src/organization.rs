//! A node of the tree.

use sea_orm::entity::prelude::*;

use crate::codec::Metadata;
use crate::credits::Credits;
use crate::id::{OrganizationId, RealmId};
use crate::kind::{BillingMode, Delegations, FundingMode, Relation as EdgeRelation, Tier};
use crate::timestamp::Timestamp;

#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, DeriveEntityModel)]
#[sea_orm(table_name = "organization")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub realm_id: RealmId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: OrganizationId,
    pub parent_id: Option<OrganizationId>,
    pub name: String,
    pub name_folded: String,
    pub email: Option<String>,
    pub billing_email: Option<String>,
    pub tax_number: Option<String>,
    pub phone_number: Option<String>,
    pub website: Option<String>,
    pub country: Option<String>,
    pub industry: Option<String>,
    pub base_currency: Option<String>,
    pub timezone: String,
    pub external_id: Option<String>,
    pub metadata: Metadata,
    pub billing_mode: BillingMode,
    pub tier: Tier,
    pub relation: EdgeRelation,
    pub delegation: Delegations,
    pub funding: Option<FundingMode>,
    pub primary_covers_secondary: bool,
    pub fallback_to_primary: bool,
    pub minimum_reserve: Credits,
    pub monthly_credit_cap: Option<Credits>,
    pub subtree_monthly_cap: Option<Credits>,
    pub refill_threshold: Option<Credits>,
    pub refill_amount: Option<Credits>,
    pub refill_monthly_ceiling: Option<Credits>,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub archived_at: Option<Timestamp>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
