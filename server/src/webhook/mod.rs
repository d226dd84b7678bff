//! Webhook endpoints: where an organization wants its events sent.
//!
//! **Tables.** webhook_endpoint.
//! **Commands.** create, update, delete.
//! **Events.** `webhook_endpoint.*`, see [`event`].
//!
//! **Invariants.** An organization has at most 20 endpoints. An endpoint that hears of more than its own organization was
//! made, and is changed, by `org:admin` only. A secret leaves once, in the answer that made it; the database keeps it
//! sealed, because a signature needs it again.
//!
//! **Not here.** Sending: signatures, retries, the delivery log, a ping, another secret. Whether an address is private is
//! decided when it is connected to, not when it is written down: a name may point elsewhere by then.

pub mod api;
pub mod command;
pub mod event;
pub mod graphql;
pub mod model;
pub(crate) mod store;
#[cfg(test)]
mod tests;
