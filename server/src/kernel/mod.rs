//! The one write path and what it stands on.
//!
//! A mutation is a [`command::Command`]: a name, a permission, a closed list of refusals, and `run`. [`Kernel::execute`]
//! takes the realm's lock, authorizes with what the database says *now*, answers a known idempotency key with its first
//! answer, runs the command, writes its audit entry and events, and commits; it retries what the database asks to retry,
//! a bounded number of times. Nothing else can begin or commit a transaction, but for [`work`]: the bookkeeping of workers,
//! which is no change that anybody made.
//!
//! **Order.** Every write of a realm holds the realm's row, so one realm's changes have one order, which `sequence`
//! spells out: events and audit entries are numbered without gaps in the order of their commits, and two commands of one
//! realm cannot deadlock. Realms do not wait for each other.
//!
//! **Ports.** [`clock`] (time, ids, secrets). There is no other way to the outside from here.
//!
//! It knows no feature: features depend on it, never the other way round.

pub mod authorize;
pub mod batch;
pub mod bundle;
pub mod clock;
pub mod command;
pub mod db;
pub mod error;
pub mod event;
pub mod execute;
pub mod idempotency;
pub mod owned;
pub mod page;
pub mod queue;
pub mod realm;
mod record;
pub mod seal;
pub mod sql;
pub mod tx;
pub mod work;

use sea_orm::ConnectionTrait;
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

    /// The row behind the lock and the count of what belongs to no tree. Made once, by whoever comes first.
    pub async fn make_platform_realm(&self) -> error::Result<()> {
        let connection = self.db.connection();
        let mut sql = sql::Sql::new("INSERT INTO realm (realm_id, sequence, created_at) VALUES (");
        sql.bind(realm::platform_realm()).push(", 0, ").bind(self.world.clock.now());
        sql.push(") ON CONFLICT DO NOTHING");
        connection.execute_raw(sql.statement(connection)).await?;
        Ok(())
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> error::Result<()> {
        let snapshot = self.db.snapshot();
        snapshot.query_one_raw(sql::Sql::new("SELECT 1").statement(&snapshot)).await?;
        Ok(())
    }

    pub fn commits(&self) -> watch::Receiver<u64> {
        self.wake.subscribe()
    }
}
