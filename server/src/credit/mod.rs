//! Credits: wallets, holds, charges, transfers and the ledger under them.
//!
//! **Shape.** [`engine`] decides, pure; `load` reads what it needs into a book; `save` writes what it decided; `post` is
//! the three together, in one transaction. [`command`] has the commands, [`api`] what other features call in theirs; `read` serves what is only shown.
//!
//! **Tables.** wallet, bucket, ledger_transaction, ledger_entry, hold, hold_leg, spend_counter, system_account, meter.
//! Entries are append-only; every balance is a cached sum of them.
//!
//! **Order.** A realm's writes are one after the other (see `kernel`), so a book loaded in a transaction is the truth
//! until it commits: no row of the ledger is locked by itself.
//!
//! **Not here.** Who may ask (the kernel asks `access`), money in (payment providers), prices in money.

pub mod api;
pub mod command;
pub mod engine;
pub mod event;
pub(crate) mod graphql;
mod load;
pub mod model;
mod post;
mod read;
mod save;
pub mod verify;
pub mod worker;
