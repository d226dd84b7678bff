//! Organizations: the tree, the record, the lifecycle and the edges.
//!
//! **Tables.** organization, suspension, edge_period.
//! **Commands.** create, update, suspend, resume, archive, move, detach, relation, delegation, funding, limits.
//! **Events.** `organization.*`, see [`event`].
//!
//! **Invariants.** A child lives in its parent's realm, for ever. A tree is at most 32 levels deep. Suspending and
//! resuming write one row, whatever hangs below: effective status is read over the path, never stored. Moving and detaching write one row too, and the history of the edge: an organization has
//! at most one period that runs, and none as a root. Archived is final.
//!
//! **Not here.** Credits of any kind (see `credit`), keys (see `api_key`).

pub mod api;
pub mod command;
pub mod edge;
pub mod event;
pub mod graphql;
pub mod lifecycle;
pub mod model;
pub mod plan;
pub mod restructure;
pub(crate) mod store;
