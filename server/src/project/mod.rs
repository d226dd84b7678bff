//! Projects: what an organization works on.
//!
//! **Tables.** project.
//! **Commands.** create.
//! **Events.** `project.*`, see [`event`].
//!
//! **Invariants.** A project belongs to one organization for ever. It has a time zone of its own, its organization's
//! unless it says another.
//!
//! **Not here.** What a platform keeps in a project; how many there are (`Organization.summary`).

pub mod command;
pub mod event;
pub mod graphql;
pub(crate) mod store;
#[cfg(test)]
mod tests;
