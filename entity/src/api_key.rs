//! One API key; the secret is kept as a keyed hash.

use sea_orm::entity::prelude::*;

use crate::codec::Json;
use crate::id::{ApiKeyId, KeyFamilyId, OrganizationId, RealmId};
use crate::kind::Environment;
use crate::timestamp::Timestamp;

#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, DeriveEntityModel)]
#[sea_orm(table_name = "api_key")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub realm_id: RealmId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ApiKeyId,
    pub family_id: KeyFamilyId,
    pub organization_id: OrganizationId,
    pub name: String,
    pub environment: Environment,
    pub scopes: Json<Vec<String>>,
    pub allowed_ips: Json<Vec<String>>,
    pub secret_hash: String,
    pub pepper_id: i64,
    pub prefix: String,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub superseded_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
