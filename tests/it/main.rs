//! Everything through GraphQL, on both databases, one module for each feature.

mod access;
mod access_table;
mod api_key;
mod bad_input;
mod credit_charge;
mod credit_charge_batch;
mod credit_hold;
mod credit_limits;
mod credit_transfer;
mod databases;
mod explain;
mod guide_documents;
mod guide_layers;
mod guide_yona;
mod idempotency;
mod ledger_verify;
mod lifecycle;
mod matrix;
mod organization;
mod program;
mod schema;
mod seed;
mod webhook;
mod webhook_library;
mod webhook_refused;
