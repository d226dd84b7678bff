//! People and provisioning in the schema.

mod mutation;
mod object;
mod provision;

pub use mutation::MemberMutation;
pub use object::{Member, MemberConnection};
pub use provision::ProvisionMutation;
