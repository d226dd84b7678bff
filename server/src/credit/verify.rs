//! `banyan ledger verify`: replays what is stored and compares every cached figure with it.
//!
//! Online: each check is one statement and so sees one moment, beside running gateways. In bounded memory: the database
//! does the adding, and answers the first difference only.

use std::fmt;

use entity::id::RealmId;
use sea_orm::{ConnectionTrait, FromQueryResult};
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

#[derive(FromQueryResult)]
struct Row {
    realm_id: RealmId,
    id: Uuid,
    cached: i64,
    counted: i64,
}

/// Each check answers the first row whose cached figure differs from what its rows add up to.
const CHECKS: &[(&str, &str)] = &[
    (
        "transaction: entries sum to zero",
        "SELECT realm_id, transaction_id AS id, CAST(0 AS BIGINT) AS cached, CAST(SUM(amount) AS BIGINT) AS counted
         FROM ledger_entry GROUP BY realm_id, transaction_id HAVING SUM(amount) <> 0 LIMIT 1",
    ),
    (
        "bucket balance: its entries",
        "SELECT b.realm_id, b.id, b.balance AS cached, CAST(COALESCE(SUM(e.amount), 0) AS BIGINT) AS counted
         FROM bucket b LEFT JOIN ledger_entry e ON e.realm_id = b.realm_id AND e.bucket_id = b.id
         GROUP BY b.realm_id, b.id, b.balance HAVING b.balance <> COALESCE(SUM(e.amount), 0) LIMIT 1",
    ),
    (
        "wallet balance: its buckets",
        "SELECT w.realm_id, w.id, w.balance AS cached, CAST(COALESCE(SUM(b.balance), 0) AS BIGINT) AS counted
         FROM wallet w LEFT JOIN bucket b ON b.realm_id = w.realm_id AND b.wallet_id = w.id
         GROUP BY w.realm_id, w.id, w.balance HAVING w.balance <> COALESCE(SUM(b.balance), 0) LIMIT 1",
    ),
    (
        "wallet held: its buckets",
        "SELECT w.realm_id, w.id, w.held AS cached, CAST(COALESCE(SUM(b.held), 0) AS BIGINT) AS counted
         FROM wallet w LEFT JOIN bucket b ON b.realm_id = w.realm_id AND b.wallet_id = w.id
         GROUP BY w.realm_id, w.id, w.held HAVING w.held <> COALESCE(SUM(b.held), 0) LIMIT 1",
    ),
    (
        "bucket held: the legs of open holds",
        "SELECT b.realm_id, b.id, b.held AS cached, CAST(COALESCE(SUM(l.amount), 0) AS BIGINT) AS counted
         FROM bucket b LEFT JOIN (
           SELECT hold_leg.realm_id, hold_leg.bucket_id, hold_leg.amount FROM hold_leg
           JOIN hold ON hold.realm_id = hold_leg.realm_id AND hold.id = hold_leg.hold_id AND hold.status = 'OPEN'
         ) l ON l.realm_id = b.realm_id AND l.bucket_id = b.id
         GROUP BY b.realm_id, b.id, b.held HAVING b.held <> COALESCE(SUM(l.amount), 0) LIMIT 1",
    ),
    (
        "system account: its entries",
        "SELECT s.realm_id, s.realm_id AS id, s.balance AS cached, CAST(COALESCE(SUM(e.amount), 0) AS BIGINT) AS counted
         FROM system_account s LEFT JOIN ledger_entry e
           ON e.realm_id = s.realm_id AND e.environment = s.environment AND e.account = s.account
         GROUP BY s.realm_id, s.environment, s.account, s.balance
         HAVING s.balance <> COALESCE(SUM(e.amount), 0) LIMIT 1",
    ),
    (
        "hold: captured and refunded by its legs",
        "SELECT h.realm_id, h.id, h.captured - h.refunded AS cached,
           CAST(COALESCE(SUM(l.captured - l.refunded), 0) AS BIGINT) AS counted
         FROM hold h LEFT JOIN hold_leg l ON l.realm_id = h.realm_id AND l.hold_id = h.id
         GROUP BY h.realm_id, h.id, h.captured, h.refunded
         HAVING h.captured - h.refunded <> COALESCE(SUM(l.captured - l.refunded), 0) LIMIT 1",
    ),
    (
        "hold: settled once",
        "SELECT t.realm_id, t.hold_id AS id, CAST(1 AS BIGINT) AS cached, COUNT(*) AS counted
         FROM ledger_transaction t JOIN hold h ON h.realm_id = t.realm_id AND h.id = t.hold_id
         WHERE t.kind IN ('CAPTURE', 'CHARGE')
         GROUP BY t.realm_id, t.hold_id, h.status HAVING COUNT(*) <> 1 OR h.status <> 'CAPTURED' LIMIT 1",
    ),
    (
        "own counter: the holds taken in its month",
        "SELECT c.realm_id, c.subject_id AS id, CAST(SUM(c.used) AS BIGINT) AS cached, (
           SELECT CAST(COALESCE(SUM(CASE h.status WHEN 'OPEN' THEN h.amount WHEN 'CAPTURED' THEN h.captured - h.refunded
             ELSE 0 END), 0) AS BIGINT)
           FROM hold h WHERE h.realm_id = c.realm_id AND h.organization_id = c.subject_id
             AND h.environment = c.environment) AS counted
         FROM spend_counter c WHERE c.subject_kind = 'OWN' GROUP BY c.realm_id, c.subject_id, c.environment
         HAVING SUM(c.used) <> (
           SELECT COALESCE(SUM(CASE h.status WHEN 'OPEN' THEN h.amount WHEN 'CAPTURED' THEN h.captured - h.refunded
             ELSE 0 END), 0)
           FROM hold h WHERE h.realm_id = c.realm_id AND h.organization_id = c.subject_id
             AND h.environment = c.environment) LIMIT 1",
    ),
];

/// Runs every check.
pub async fn run(kernel: &Kernel) -> Result<Report> {
    let snapshot = kernel.db.snapshot();
    let mut report = Report {
        transactions: count(&snapshot, "ledger_transaction").await?,
        entries: count(&snapshot, "ledger_entry").await?,
        wallets: count(&snapshot, "wallet").await?,
        differences: Vec::new(),
    };
    for (figure, text) in CHECKS {
        let statement = Sql::new(text).statement(&snapshot);
        if let Some(row) = Row::find_by_statement(statement).one(&snapshot).await? {
            report.differences.push(Difference {
                figure,
                realm: row.realm_id,
                id: row.id,
                cached: row.cached,
                counted: row.counted,
            });
        }
    }
    Ok(report)
}

async fn count(connection: &impl ConnectionTrait, table: &'static str) -> Result<i64> {
    let mut sql = Sql::new("SELECT COUNT(*) AS total FROM ");
    sql.push(table);
    let row = connection.query_one_raw(sql.statement(connection)).await?;
    Ok(row.map_or(Ok(0), |row| row.try_get("", "total"))?)
}
