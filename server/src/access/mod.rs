//! Who may see and do what.
//!
//! [`policy`] is the table and the decision, pure; [`path`] is what it decides over; `store` loads paths and keys in one
//! statement each; [`principal`] is who asks. Nothing is cached: whoever starts after a revocation, a suspension or a
//! move has answered reads what it wrote.

pub mod path;
pub mod policy;
pub mod principal;
pub mod scope;
pub(crate) mod store;
