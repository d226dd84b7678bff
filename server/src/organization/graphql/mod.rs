//! Organizations in the schema.

pub mod edge;
pub mod holdings;
pub mod input;
pub mod level;
pub mod list;
pub mod mutation;
pub mod object;
pub mod owned;
pub mod plan;
pub mod query;
pub mod restructure;
pub mod standing;
pub mod summary;

pub use level::{OrganizationLevel, Organizations};
pub use mutation::OrganizationMutation;
pub use object::{Organization, owner_of, page};
pub use query::OrganizationQuery;
pub use restructure::{RestructureMutation, RestructureQuery};
