//! Credits: wallets, holds, charges, transfers and the ledger under them.
//!
//! **Shape.** [`engine`] decides, pure. A [`command`] waits in the [`ledger`]'s queue and is decided with others of its
//! realm by the `rules`: `load` reads what they need into one book, `save` writes what was decided. `post` does the same
//! for requests within another feature's transaction, which call [`api`]. `read` serves what is only shown, [`worker`]
//! ends what is due, [`verify`] proves what is stored.
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
pub mod graphql;
pub mod ledger;
mod load;
mod memory;
pub mod meter;
pub mod model;
mod post;
mod read;
mod rules;
mod save;
pub mod verify;
pub mod worker;
