//! The audit trail: who did what to whom, and what was refused.
//!
//! **Tables.** audit_event, which the kernel writes in the transaction of every change; audit_link and audit_chain, the
//! hash chain over it.
//!
//! **What it has.** Every change, by whomever: people's keys, the operator, Banyan's own workers. Mutations that were
//! refused for lack of rights, in the realm of whoever tried; what the operator is refused has no realm and leaves no
//! entry. Reads leave none. A change's entry tells what it was before and after where the change is of a record.
//!
//! **The chain.** [`seal`] adds entries to their realm's [`chain`] a moment after they were committed, in the order of the
//! commits; [`verify`] follows it in the database, [`file`] in an exported file. Until an entry is sealed, which takes less
//! than a second on a gateway that runs, nothing tells whether it was altered.

pub mod chain;
pub mod file;
pub mod graphql;
pub mod seal;
pub(crate) mod store;
pub mod verify;
