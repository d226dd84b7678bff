//! Credits in the schema.

mod hold;
pub(crate) mod input;
mod ledger;
mod mutation;
mod query;
mod wallet;

pub use hold::{Hold, HoldConnection};
pub use ledger::{LedgerEntryConnection, LedgerTransaction};
pub use mutation::{CreditMutation, shown_charge};
pub use query::CreditQuery;
pub use wallet::{Wallet, payer, this_month, usage};
