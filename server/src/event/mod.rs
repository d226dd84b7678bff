//! Live streams over the outbox: `events` and `walletChanges`.
//!
//! **Tables.** event, which the kernel writes in the transaction of every change, numbered without gaps in the order of
//! the realm's commits. A stream is a cursor over it: it loses and doubles nothing, however often its client reconnects.
//!
//! [`catalogue`] lists every type there is and says what patterns such as `credit.*` mean.
//!
//! **Waking.** A commit of this process rings a bell; what other gateways commit is found by looking a few times a second.
//!
//! [`catalogue`] lists every type there is, whichever feature makes it, and says what patterns such as `credit.*` mean.
//!
//! **Not here.** Writing events (the kernel), sending them elsewhere (webhooks).

pub mod catalogue;
pub mod graphql;
mod store;
mod stream;
