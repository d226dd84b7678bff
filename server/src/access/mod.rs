//! Who may see and do what.
//!
//! [`policy`] is the permissions and the decision, pure; [`fields`] is what every field of the schema asks for; [`role`]
//! is what members may do; [`path`] is what is decided over; [`explain`] tells which rule decided. `store` loads paths and
//! keys in one statement each, and [`reader`] has requests that arrive together share it; [`principal`] is who asks.
//! Nothing is cached: whoever starts after a revocation, a suspension or a move has answered reads what it wrote; [`watch`]
//! ends what is open when it no longer may be. `server/access.txt` is the tables as text.

pub mod explain;
pub mod fields;
pub mod graphql;
pub mod path;
pub mod policy;
pub mod principal;
pub mod reader;
pub mod role;
pub mod scope;
pub(crate) mod store;
pub mod watch;
