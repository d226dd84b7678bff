//! The one write path and what it stands on.
//!
//! A mutation is a [`command::Command`]: a name, a permission, a closed list of refusals, and `run`. [`Kernel::execute`]
//! takes the realm's lock, authorizes with what the database says *now*, answers a known idempotency key with its first
//! answer, runs the command, writes its audit entry and events, and commits; it retries what the database asks to retry,
//! a bounded number of times. Nothing else can begin or commit a transaction.
//!
//! **Order.** Every write of a realm holds the realm's row, so one realm's changes have one order, which `sequence`
//! spells out: events and audit entries are numbered without gaps in the order of their commits, and two commands of one
//! realm cannot deadlock. Realms do not wait for each other.
//!
//! **Ports.** [`clock`] (time, ids, secrets). There is no other way to the outside from here.
//!
//! It knows no feature: features depend on it, never the other way round.

pub mod clock;
pub mod command;
pub mod db;
pub mod error;
pub mod event;
pub mod execute;
pub mod owned;
pub mod page;
pub mod seal;
pub mod sql;
pub mod tx;

use tokio::sync::watch;

use crate::kernel::clock::World;
use crate::kernel::db::Database;

/// Database, world, and a bell that rings after each commit of this process.
#[derive(Clone)]
pub struct Kernel {
    pub db: Database,
    pub world: World,
    /// Counts commits, so that streams look at once for what is new. A hint: what other gateways commit is found by
    /// looking anyway.
    wake: watch::Sender<u64>,
}

impl Kernel {
    pub fn new(db: Database, world: World) -> Self {
        Self { db, world, wake: watch::Sender::new(0) }
    }

    pub fn commits(&self) -> watch::Receiver<u64> {
        self.wake.subscribe()
    }
}
