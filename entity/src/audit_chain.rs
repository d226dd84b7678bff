//! How far a realm's audit trail is sealed. A realm that was never sealed has no row.

use sea_orm::entity::prelude::*;

use crate::id::RealmId;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_chain")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub realm_id: RealmId,
    /// Every entry up to this number of the realm is sealed.
    pub sealed_to: i64,
    /// The last sealed entry's number.
    pub sequence: i64,
    /// The last link's.
    pub hash: String,
    pub entries: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
