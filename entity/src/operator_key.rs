//! A key of whoever runs the deployment; belongs to no realm.

use sea_orm::entity::prelude::*;

use crate::id::OperatorKeyId;
use crate::timestamp::Timestamp;

#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, DeriveEntityModel)]
#[sea_orm(table_name = "operator_key")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: OperatorKeyId,
    pub name: String,
    pub secret_hash: String,
    pub pepper_id: i64,
    pub created_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
