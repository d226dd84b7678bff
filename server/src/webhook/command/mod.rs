//! Everything people and workers do to endpoints and deliveries.

mod delivery;
mod endpoint;
mod secret;
mod state;

use entity::id::{AnyId, RealmId, WebhookEndpointId};

use crate::kernel::event::Event;
use crate::kernel::seal::Place;
use crate::kernel::tx::Tx;
use crate::webhook::event;
use crate::webhook::model::Endpoint;

pub use delivery::{Ping, Redeliver};
pub use endpoint::{CreateEndpoint, DeleteEndpoint, Registered, UpdateEndpoint};
pub use secret::{RotateSecret, Rotated};
pub use state::{DisableEndpoint, PauseEndpoint, ResumeEndpoint};

/// What an endpoint's secret is sealed for; who sends opens it with the same.
pub fn secret_place(realm: RealmId, id: WebhookEndpointId, column: &'static str) -> Place {
    Place { realm, table: "webhook_endpoint", column, id: AnyId::WebhookEndpoint(id) }
}

/// Tells how the endpoint is now.
fn tell(tx: &mut Tx, event_type: &'static str, endpoint: &Endpoint) {
    let data = event::Changed {
        webhook_endpoint_id: endpoint.id,
        event_types: &endpoint.event_types.0,
        scope: endpoint.scope,
        enabled: endpoint.disabled_at.is_none(),
        paused: endpoint.paused_at.is_some(),
    };
    let path = tx.target().path.ids().collect();
    tx.note("webhookEndpointId", endpoint.id.to_string());
    tx.note("scope", endpoint.scope.as_str());
    tx.note("enabled", data.enabled);
    tx.note("paused", data.paused);
    tx.emit(Event::new(event_type, path, &data));
}

/// The endpoint as the audit trail may know it: of its address only the host, since the rest may hold a secret.
fn described(endpoint: &Endpoint) -> serde_json::Value {
    let url = url::Url::parse(&endpoint.url).ok();
    serde_json::json!({
        "event_types": endpoint.event_types.0,
        "scope": endpoint.scope,
        "description": endpoint.description,
        "enabled": endpoint.disabled_at.is_none(),
        "host": url.as_ref().and_then(url::Url::host_str),
    })
}
