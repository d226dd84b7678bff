//! Webhook endpoints: where an organization wants its events sent.
pub mod api;
