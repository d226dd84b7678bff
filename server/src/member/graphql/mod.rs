//! People and provisioning in the schema.

pub mod mutation;
pub mod object;
pub mod provision;

pub use mutation::MemberMutation;
pub use object::{Member, MemberConnection};
pub use provision::ProvisionMutation;
