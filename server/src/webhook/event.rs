//! What happens to webhook endpoints, as the outside hears it. Never a secret, and no URL, which may hold one.

use entity::id::WebhookEndpointId;
use entity::kind::EventScope;
use serde::Serialize;

pub const CREATED: &str = "webhook_endpoint.created";
pub const UPDATED: &str = "webhook_endpoint.updated";
pub const DELETED: &str = "webhook_endpoint.deleted";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Changed<'a> {
    pub webhook_endpoint_id: WebhookEndpointId,
    pub event_types: &'a [String],
    pub scope: EventScope,
    pub enabled: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Deleted {
    pub webhook_endpoint_id: WebhookEndpointId,
}
