//! What an audit entry was when it was sealed, and its place in the realm's chain.

use sea_orm::entity::prelude::*;

use crate::id::RealmId;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_link")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub realm_id: RealmId,
    /// The entry's.
    #[sea_orm(primary_key, auto_increment = false)]
    pub sequence: i64,
    /// That of the entry before; 0 for the first.
    pub previous_sequence: i64,
    /// SHA-256 of the entry, in hex.
    pub entry_hash: String,
    /// SHA-256 of the link before and of this one, in hex.
    pub hash: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
