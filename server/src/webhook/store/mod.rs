//! The SQL of webhooks: endpoints, which events go where, what is to be sent when, and how it went.

pub mod delivery;
pub mod endpoint;
pub mod fan_out;
pub mod queue;
