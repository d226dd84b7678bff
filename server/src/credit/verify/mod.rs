//! `banyan ledger verify`: replays what is stored and compares every cached figure with it.
//!
//! Online: nothing is locked, running gateways go on. In bounded memory: [`sums`] lets the database add, [`counters`] and
//! [`records`] stream a realm's holds and idempotency records in pages, each realm as of one moment. On PostgreSQL that
//! moment is a transaction that is open while the realm is read; a very large realm is best verified on a standby.

mod counters;
mod records;
mod sums;

use std::fmt;

use entity::id::RealmId;
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::kernel::Kernel;
use crate::kernel::error::Result;
use crate::kernel::sql::Sql;

/// What was found.
#[derive(Debug, Default)]
pub struct Report {
    pub transactions: i64,
    pub entries: i64,
    pub wallets: i64,
    /// The first difference of each kind.
    pub differences: Vec<Difference>,
}

/// A cached figure that its entries do not add up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub figure: &'static str,
    pub realm: RealmId,
    pub id: Uuid,
    pub cached: i64,
    pub counted: i64,
}

impl Report {
    pub fn is_clean(&self) -> bool {
        self.differences.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} transactions, {} entries, {} wallets", self.transactions, self.entries, self.wallets)?;
        for difference in &self.differences {
            writeln!(
                f,
                "DIFFERENCE in {}: {} of {} is {}, its rows add up to {}",
                difference.figure, difference.id, difference.realm, difference.cached, difference.counted
            )?;
        }
        if self.is_clean() {
            writeln!(f, "Everything adds up.")?;
        }
        Ok(())
    }
}

/// Runs every check.
pub async fn run(kernel: &Kernel) -> Result<Report> {
    let snapshot = kernel.db.snapshot();
    let mut report = Report {
        transactions: count(&snapshot, "ledger_transaction").await?,
        entries: count(&snapshot, "ledger_entry").await?,
        wallets: count(&snapshot, "wallet").await?,
        differences: sums::differences(&snapshot).await?,
    };
    let mut after = None;
    while let Some(realm) = next_realm(&snapshot, after).await? {
        let moment = kernel.db.moment().await?;
        report.differences.extend(counters::difference(&moment, realm).await?);
        report.differences.extend(records::difference(&moment, realm).await?);
        after = Some(realm);
    }
    Ok(report)
}

async fn next_realm(connection: &impl ConnectionTrait, after: Option<RealmId>) -> Result<Option<RealmId>> {
    let mut sql = Sql::new("SELECT realm_id FROM realm");
    if let Some(after) = after {
        sql.push(" WHERE realm_id > ").bind(after);
    }
    sql.push(" ORDER BY realm_id LIMIT 1");
    let row = connection.query_one_raw(sql.statement(connection)).await?;
    Ok(row.map(|row| row.try_get("", "realm_id")).transpose()?)
}

async fn count(connection: &impl ConnectionTrait, table: &'static str) -> Result<i64> {
    let mut sql = Sql::new("SELECT COUNT(*) AS total FROM ");
    sql.push(table);
    let row = connection.query_one_raw(sql.statement(connection)).await?;
    Ok(row.map_or(Ok(0), |row| row.try_get("", "total"))?)
}
