//! API keys in the schema.

mod mutation;
mod object;
mod query;

pub use mutation::ApiKeyMutation;
pub use object::{ApiKey, ApiKeyConnection, ApiKeyFilter};
pub use query::ApiKeyQuery;
