//! Who did what, and whether it was let.

use sea_orm::entity::prelude::*;

use crate::codec::Json;
use crate::id::{AuditEventId, OrganizationId, RealmId};
use crate::kind::{AuditOutcome, PrincipalKind};
use crate::timestamp::Timestamp;

#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, DeriveEntityModel)]
#[sea_orm(table_name = "audit_event")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub realm_id: RealmId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub sequence: i64,
    pub id: AuditEventId,
    pub organization_id: Option<OrganizationId>,
    pub path: Json<Vec<OrganizationId>>,
    pub acting_organization_id: Option<OrganizationId>,
    pub actor_kind: PrincipalKind,
    pub actor_id: Option<Uuid>,
    pub action: String,
    pub target_id: Option<String>,
    pub outcome: AuditOutcome,
    pub change: Json<serde_json::Value>,
    pub request_id: Uuid,
    pub address: Option<String>,
    pub created_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
