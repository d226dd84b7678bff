//! Webhook endpoints, and sending them what happens.
//!
//! **Tables.** webhook_endpoint; event_cursor, how far a realm's events were handed out; delivery and delivery_attempt, the
//! log; delivery_queue, when an endpoint is to be served and by which gateway.
//!
//! **Commands.** create, update, delete; pause, resume, disable (Banyan's own); rotate the secret; ping, redeliver.
//! **Events.** `webhook_endpoint.*`, see [`event`].
//!
//! **The way of an event.** [`fan_out`] reads the realm's events behind its cursor and writes a delivery for each endpoint
//! that hears of it ([`hearing`]). [`worker`] takes endpoints that have something due, each with a lease; [`turn`] serves one: what is
//! due is signed ([`message`]), sent ([`send`]), and written down; [`schedule`] says when it is tried again. All gateways
//! do all of it.
//!
//! **Invariants.**
//! - An organization has at most 20 endpoints. An endpoint that hears of more than its own organization was made, and is
//!   changed, by `org:admin` only. A secret leaves once, in the answer that made it; the database keeps it sealed, because
//!   a signature needs it again.
//! - Each event is handed out once. It is sent at least once: a gateway that dies between sending and writing down leaves it
//!   to the next, which sends it again under the same `webhook-id`.
//! - An endpoint's events of one organization are sent in their order, one at a time: of such a lane only the first delivery
//!   that is not settled has a `next_attempt_at`.
//! - A gateway serves an endpoint alone, while its lease lasts. Endpoints that failed or were slow take no place of others.
//! - Nothing is sent to an address that is not public ([`address`]), whatever name or spelling leads there, unless the
//!   deployment allows this very machine.
//! - While an organization is suspended its own endpoints hear nothing and miss nothing. An archive's last words go out
//!   before its endpoints fall silent.
//!
//! **Not here.** Making events (features), keeping them (kernel).

mod address;
pub mod api;
pub mod command;
pub mod event;
mod fan_out;
pub mod graphql;
mod hearing;
mod message;
pub mod model;
mod schedule;
pub mod send;
pub(crate) mod store;
#[cfg(test)]
mod tests;
mod turn;
pub mod worker;

pub use address::Loopback;
