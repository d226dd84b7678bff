//! Everything through GraphQL, on both databases, one module for each feature.

mod credit_charge;
mod credit_hold;
mod credit_limits;
mod credit_transfer;
mod databases;
