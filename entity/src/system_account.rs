//! The cached balance of a realm's issued, spent or expired account.

use sea_orm::entity::prelude::*;

use crate::credits::Credits;
use crate::id::RealmId;
use crate::kind::{Account, Environment};

#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, DeriveEntityModel)]
#[sea_orm(table_name = "system_account")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub realm_id: RealmId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub environment: Environment,
    #[sea_orm(primary_key, auto_increment = false)]
    pub account: Account,
    pub balance: Credits,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
