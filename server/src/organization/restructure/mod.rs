//! Moving an organization below another parent, and detaching it into a root of its own.
//!
//! Either writes one row of the tree, whatever hangs below, and the history of the edge ([`super::store::edge`]). Every
//! write of a realm holds the realm's lock, and everything is looked at and decided behind it: two moves that would make a
//! cycle together have an order, and the second one is refused.
//!
//! **What goes along.** The record, data, members, keys, wallets, limits, relation, and who pays by the edge's own setting.
//! The delegation goes along narrowed to what the ancestors that stay had over the edges that are left behind: whoever
//! moves it from below a narrow edge does not see more of it than before ([`rules::carried`]). A root comes to its first
//! parent as LINKED with nothing delegated. Either way only its own principals widen it afterwards.
//!
//! **Money.** An open hold keeps its legs: what a wallet above funds stays that wallet's until the hold is captured, voided
//! or expires, and a refund goes back there. A hold also keeps the counters it was counted in. So what was spent below an
//! ancestor stays in that ancestor's subtree cap for the month though the spender is gone, and what an old hold returns is
//! taken off there; the new ancestors' caps count from the move on. Otherwise moving a child out and back would empty a
//! cap, and a new parent would find its own used up by what others allowed.
//!
//! **Prices.** A root has a catalogue of meters for its tree. What is detached keeps the prices it had as a catalogue of its
//! own; what is moved below another root is charged by that one's. An open hold keeps its price.
//!
//! **Suspensions.** Those on the organization and below go along and stand; one whose holder is no longer above it can be
//! lifted by whoever is (see [`super::lifecycle::ResumeOrganization`]). One on an ancestor that is left behind would end for
//! it, so only who can lift it may move it away: its holder, or the operator.

mod command;
mod outlook;
pub mod plan;
mod rules;

pub use command::{DetachOrganization, MoveOrganization};
pub use outlook::{Destination, Mover};
