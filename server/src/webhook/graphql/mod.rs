//! Webhook endpoints and deliveries in the schema.

pub mod delivery;
pub mod endpoint;
pub mod mutation;

pub use delivery::{WebhookDelivery, WebhookDeliveryConnection};
pub use endpoint::{WebhookEndpoint, WebhookEndpointConnection};
pub use mutation::WebhookMutation;
