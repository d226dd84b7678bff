//! Live streams over the outbox: `events` and `walletChanges`.
//!
//! **Tables.** event, which the kernel writes in the transaction of every change, numbered without gaps in the order of
//! the realm's commits. A stream is a cursor over it: it loses and doubles nothing, however often its client reconnects.
//!
//! [`relay`] is the gateway's one reader of the outbox; [`stream`] reads the past and then what the relay hands out;
//! [`wallets`] turns what it hands out into the newest wallets; [`sight`] leaves out what the path does not delegate.
//! [`audience`] says whose events are meant, [`catalogue`] lists every type there is, whichever feature makes it, and says
//! what patterns such as `credit.*` mean.
//!
//! **Invariants.** A stream tells only what its caller may see at the moment of telling: when an edge, a relation or a
//! status changes, every stream of the realm looks at its authority again before it goes on. Nothing is kept for a client
//! that does not read: it is told SLOW_CONSUMER and the cursor to go on from.
//!
//! **Not here.** Writing events (the kernel), sending them elsewhere (webhooks), ending the streams of a credential that
//! was cut off ([`crate::access::watch`]).

pub mod audience;
pub mod catalogue;
pub mod graphql;
pub mod relay;
mod sight;
mod store;
mod stream;
mod wallets;
