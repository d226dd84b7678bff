//! Where an organization wants its events sent.

use sea_orm::entity::prelude::*;

use crate::codec::Json;
use crate::id::{OrganizationId, RealmId, WebhookEndpointId};
use crate::kind::EventScope;
use crate::timestamp::Timestamp;

#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_endpoint")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub realm_id: RealmId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: WebhookEndpointId,
    pub organization_id: OrganizationId,
    pub url: String,
    pub event_types: Json<Vec<String>>,
    pub scope: EventScope,
    pub description: Option<String>,
    pub secret_sealed: String,
    pub created_at: Timestamp,
    pub disabled_at: Option<Timestamp>,
    pub disabled_reason: Option<String>,
    /// Since when nothing is sent though everything is kept for later.
    #[serde(default)]
    pub paused_at: Option<Timestamp>,
    /// The secret before the last rotation, which signs too until it expires.
    #[serde(default)]
    pub previous_secret_sealed: Option<String>,
    #[serde(default)]
    pub previous_secret_expires_at: Option<Timestamp>,
    /// It hears of events with a greater number than this.
    #[serde(default)]
    pub since_sequence: i64,
    /// And, disabled by an archive, of none with a greater number than this.
    #[serde(default)]
    pub until_sequence: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
