//! People and their membership of organizations, and provisioning: an organization with all it needs to begin.
//!
//! **Tables.** users, member.
//! **Commands.** add and remove a member; provision an organization.
//! **Events.** `member.*`, see [`event`].
//!
//! **Invariants.** A person is one user, known by the e-mail address whatever its capitals, in any number of
//! organizations of any realm. What is on record of a person is not changed by whoever adds them. Nobody gives a role that
//! does more than they may do themselves, nor takes one away. The last owner is not removed. Provisioning does everything
//! or nothing: organization, owner, first key, first funding.
//!
//! **Not here.** Signing in, invitations, sessions. Provisioning opens no subscription and no chart of accounts: neither
//! exists yet.

pub mod command;
pub mod event;
pub mod graphql;
pub mod model;
pub mod provision;
pub(crate) mod store;
#[cfg(test)]
mod tests;
