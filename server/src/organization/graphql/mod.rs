//! Organizations in the schema.

mod input;
mod level;
mod mutation;
mod object;
mod plan;
mod query;

pub use level::{OrganizationLevel, Organizations};
pub use mutation::OrganizationMutation;
pub use object::{Organization, page};
pub use query::OrganizationQuery;
