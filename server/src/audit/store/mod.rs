//! The SQL of the audit trail: lists of it, and the chain over it. Entries themselves are the kernel's to write.

pub mod chain;
mod list;

pub use list::{Filter, by_ids, count, list};
