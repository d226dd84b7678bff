//! Organizations: the tree, the record, the lifecycle and the edges.
//!
//! **Tables.** organization, suspension.
//! **Commands.** create, update, suspend, resume, archive, relation, delegation, funding, limits.
//! **Events.** `organization.*`, see [`event`].
//!
//! **Invariants.** A child lives in its parent's realm, for ever. A tree is at most 32 levels deep. Suspending and
//! resuming write one row, whatever hangs below: effective status is read over the path, never stored. Archived is final.
//!
//! **Not here.** Credits of any kind (see `credit`), keys (see `api_key`).

pub mod api;
pub mod command;
pub mod event;
pub mod graphql;
pub mod lifecycle;
pub mod model;
pub mod plan;
pub(crate) mod store;
