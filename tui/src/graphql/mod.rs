//! The console's half of the GraphQL contract.
//!
//! Every operation is a Rust type that cynic checks against `../server/schema.graphql` when the
//! console is compiled: fields, nullability, arguments and variables. A test then validates the
//! documents they become as a whole.
//!
//! Invariants: nothing here waits, sends or draws; an answer of the wrong shape is a [`Failure`],
//! never a panic; an amount is a whole number from the wire to the cell.

pub mod organization;
pub mod outcome;
pub mod plan;
pub mod query;
pub mod request;
pub mod scalar;
pub mod subscription;

#[cynic::schema("banyan")]
pub mod schema {}

pub use organization::{OrganizationDetail, OrganizationPage, OrganizationRow, Wallet};
pub use outcome::{Issued, Outcome, Receipt, UserError};
pub use plan::Plan;
pub use query::{Answer, OrganizationPath, Query, Viewer};
pub use request::{Failure, FieldError, Request};
pub use scalar::{Environment, EventScope, OrganizationId, Secret};
pub use subscription::{Event, Follow, News, Topic};
