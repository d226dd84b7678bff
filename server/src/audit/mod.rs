//! The audit trail: who did what to whom, and what was refused.
//!
//! **Tables.** audit_event, which the kernel writes in the transaction of every change.
//! **Not here.** The hash chain over it.

pub mod graphql;
pub(crate) mod store;
