//! Credits: wallets, holds, charges, transfers and the ledger under them.

pub mod engine;
