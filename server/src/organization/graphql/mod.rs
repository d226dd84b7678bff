//! Organizations in the schema.

mod holdings;
pub(crate) mod input;
mod level;
mod mutation;
mod object;
pub(crate) mod owned;
mod plan;
mod query;

pub use level::{OrganizationLevel, Organizations};
pub use mutation::OrganizationMutation;
pub use object::{Organization, owner_of, page};
pub use query::OrganizationQuery;
