//! How far a realm's events were handed out to webhook endpoints. Only realms that ever had one have a row.

use sea_orm::entity::prelude::*;

use crate::id::RealmId;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "event_cursor")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub realm_id: RealmId,
    pub sequence: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
