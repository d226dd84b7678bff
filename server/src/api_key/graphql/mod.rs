//! API keys in the schema.

pub mod mutation;
pub mod object;
pub mod query;

pub use mutation::ApiKeyMutation;
pub use object::{ApiKey, ApiKeyConnection, ApiKeyFilter};
pub use query::ApiKeyQuery;
