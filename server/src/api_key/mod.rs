//! API keys: minting, rotating, revoking, verifying.
//!
//! **Tables.** api_key, api_key_family, operator_key.
//! **Commands.** create, rotate, revoke; [`verify`] reads, and charges through the ledger.
//! **Events.** `api_key.*`, see [`event`].
//!
//! **Invariants.** A secret leaves once, in the answer that made it; a replay of that answer has none. A rotation makes a
//! new key of the same family; limits, budget and usage are the family's, so it doubles nothing, and it never makes a dead
//! key work. What was revoked stays revoked.
//!
//! **Not here.** Recognising a key on a request: see `admission`.

pub mod api;
pub mod command;
pub mod event;
pub mod graphql;
pub mod last_used;
pub mod model;
pub mod secret;
pub(crate) mod store;
pub mod verify;
