//! Organizations in the schema.

mod input;
mod level;
mod mutation;
mod object;
mod plan;
mod query;

pub use input::{OrganizationFilter, OrganizationOrder};
pub use level::{Member, OrganizationLevel, Organizations};
pub use mutation::OrganizationMutation;
pub use object::{Organization, OrganizationConnection, page};
pub use query::OrganizationQuery;
