//! Credits in the schema.

pub mod batch;
pub mod hold;
pub mod input;
pub mod ledger;
pub mod mutation;
pub mod query;
pub mod wallet;

pub use batch::CreditBatchMutation;
pub use hold::{Hold, HoldConnection};
pub use ledger::{LedgerEntryConnection, LedgerTransaction};
pub use mutation::{CreditMutation, shown_charge};
pub use query::CreditQuery;
pub use wallet::{Wallet, payer, this_month, usage};
