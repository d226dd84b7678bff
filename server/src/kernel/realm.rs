//! A realm's row: the lock that gives its writes one order, and the number of the last of them.

use entity::id::RealmId;
use sea_orm::{ConnectionTrait, DatabaseBackend};

use crate::kernel::error::{Fault, Result};
use crate::kernel::sql::Sql;
use crate::kernel::tx::Tx;

/// The realm of what belongs to no tree: the operator's own acts, such as making a root.
pub fn platform_realm() -> RealmId {
    RealmId::from(uuid::Uuid::nil())
}

/// Takes the realm's lock and reads its sequence. Every write of a realm passes here first, so writes of one realm have
/// one order and never deadlock; realms do not wait for each other. On SQLite the open transaction is the lock.
pub(super) async fn lock(tx: &mut Tx) -> Result<i64> {
    let mut sql = Sql::new("SELECT sequence FROM realm WHERE realm_id = ");
    sql.bind(tx.realm);
    if tx.get_database_backend() == DatabaseBackend::Postgres {
        sql.push(" FOR NO KEY UPDATE");
    }
    let row = tx.query_one_raw(sql.statement(&*tx)).await?;
    let row = row.ok_or_else(|| Fault::new(format!("realm {} has no row", tx.realm)))?;
    // Not before: what waited for the lock happens after what held it.
    tx.now = tx.world.clock.now();
    tx.sequence = row.try_get("", "sequence")?;
    Ok(tx.sequence)
}

pub(super) async fn advance(tx: &Tx, sequence: i64) -> Result<()> {
    tx.execute_raw(advanced(tx, sequence).statement(tx)).await?;
    Ok(())
}

pub(super) fn advanced(tx: &Tx, sequence: i64) -> Sql {
    let mut sql = Sql::new("UPDATE realm SET sequence = ");
    sql.bind(sequence).push(" WHERE realm_id = ").bind(tx.realm);
    sql
}
