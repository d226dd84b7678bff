//! What happens to webhook endpoints, as the outside hears it. Never a secret, and no URL, which may hold one.

use entity::id::{OrganizationId, WebhookEndpointId};
use entity::kind::EventScope;
use schemars::JsonSchema;
use serde::Serialize;

pub const CREATED: &str = "webhook_endpoint.created";
pub const UPDATED: &str = "webhook_endpoint.updated";
pub const PAUSED: &str = "webhook_endpoint.paused";
pub const RESUMED: &str = "webhook_endpoint.resumed";
pub const SECRET_ROTATED: &str = "webhook_endpoint.secret.rotated";
pub const DISABLED: &str = "webhook_endpoint.disabled";
pub const DELETED: &str = "webhook_endpoint.deleted";
pub const PING: &str = "webhook_endpoint.ping";

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Changed<'a> {
    pub webhook_endpoint_id: WebhookEndpointId,
    pub event_types: &'a [String],
    pub scope: EventScope,
    pub enabled: bool,
    pub paused: bool,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Disabled<'a> {
    pub webhook_endpoint_id: WebhookEndpointId,
    /// One sentence.
    pub reason: &'a str,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Deleted {
    pub webhook_endpoint_id: WebhookEndpointId,
}

/// Sent to the one endpoint that was pinged; it stands in no stream.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Pinged {
    pub webhook_endpoint_id: WebhookEndpointId,
    pub organization_id: OrganizationId,
}
