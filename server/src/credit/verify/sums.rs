//! Figures that one statement can add up: entries, balances, holds.
//!
//! Each is a statement of its own and so sees one moment; the database does the adding and answers the first difference.

use entity::id::RealmId;
use sea_orm::FromQueryResult;
use uuid::Uuid;

use crate::credit::verify::Difference;
use crate::kernel::db::Snapshot;
use crate::kernel::error::Result;
use crate::kernel::sql::Sql;

#[derive(FromQueryResult)]
struct Row {
    realm_id: RealmId,
    id: Uuid,
    cached: i64,
    counted: i64,
}

/// Each check answers the rows whose cached figure differs from what its rows add up to.
const CHECKS: &[(&str, &str)] = &[
    (
        "transaction: entries sum to zero",
        "SELECT realm_id, transaction_id AS id, CAST(0 AS BIGINT) AS cached, CAST(SUM(amount) AS BIGINT) AS counted
         FROM ledger_entry GROUP BY realm_id, transaction_id HAVING SUM(amount) <> 0",
    ),
    (
        "bucket balance: its entries",
        "SELECT b.realm_id, b.id, b.balance AS cached, CAST(COALESCE(e.total, 0) AS BIGINT) AS counted
         FROM bucket b LEFT JOIN (
           SELECT realm_id, bucket_id, SUM(amount) AS total FROM ledger_entry
           WHERE bucket_id IS NOT NULL GROUP BY realm_id, bucket_id
         ) e ON e.realm_id = b.realm_id AND e.bucket_id = b.id WHERE b.balance <> COALESCE(e.total, 0)",
    ),
    (
        "wallet balance: its buckets",
        "SELECT w.realm_id, w.id, w.balance AS cached, CAST(COALESCE(b.total, 0) AS BIGINT) AS counted
         FROM wallet w LEFT JOIN (
           SELECT realm_id, wallet_id, SUM(balance) AS total FROM bucket GROUP BY realm_id, wallet_id
         ) b ON b.realm_id = w.realm_id AND b.wallet_id = w.id WHERE w.balance <> COALESCE(b.total, 0)",
    ),
    (
        "wallet held: its buckets",
        "SELECT w.realm_id, w.id, w.held AS cached, CAST(COALESCE(b.total, 0) AS BIGINT) AS counted
         FROM wallet w LEFT JOIN (
           SELECT realm_id, wallet_id, SUM(held) AS total FROM bucket GROUP BY realm_id, wallet_id
         ) b ON b.realm_id = w.realm_id AND b.wallet_id = w.id WHERE w.held <> COALESCE(b.total, 0)",
    ),
    (
        "bucket held: the legs of open holds",
        "SELECT b.realm_id, b.id, b.held AS cached, CAST(COALESCE(l.total, 0) AS BIGINT) AS counted
         FROM bucket b LEFT JOIN (
           SELECT hold_leg.realm_id, hold_leg.bucket_id, SUM(hold_leg.amount) AS total FROM hold_leg
           JOIN hold ON hold.realm_id = hold_leg.realm_id AND hold.id = hold_leg.hold_id AND hold.status = 'OPEN'
           GROUP BY hold_leg.realm_id, hold_leg.bucket_id
         ) l ON l.realm_id = b.realm_id AND l.bucket_id = b.id WHERE b.held <> COALESCE(l.total, 0)",
    ),
    (
        "system account: its entries",
        "SELECT s.realm_id, s.realm_id AS id, s.balance AS cached, CAST(COALESCE(SUM(e.amount), 0) AS BIGINT) AS counted
         FROM system_account s LEFT JOIN ledger_entry e
           ON e.realm_id = s.realm_id AND e.environment = s.environment AND e.account = s.account
         GROUP BY s.realm_id, s.environment, s.account, s.balance
         HAVING s.balance <> COALESCE(SUM(e.amount), 0)",
    ),
    (
        "hold: captured and refunded by its legs",
        "SELECT h.realm_id, h.id, h.captured - h.refunded AS cached,
           CAST(COALESCE(l.total, 0) AS BIGINT) AS counted
         FROM hold h LEFT JOIN (
           SELECT realm_id, hold_id, SUM(captured - refunded) AS total FROM hold_leg GROUP BY realm_id, hold_id
         ) l ON l.realm_id = h.realm_id AND l.hold_id = h.id WHERE h.captured - h.refunded <> COALESCE(l.total, 0)",
    ),
    (
        "hold: settled once",
        "SELECT t.realm_id, t.hold_id AS id, CAST(1 AS BIGINT) AS cached, COUNT(*) AS counted
         FROM ledger_transaction t JOIN hold h ON h.realm_id = t.realm_id AND h.id = t.hold_id
         WHERE t.kind IN ('CAPTURE', 'CHARGE')
         GROUP BY t.realm_id, t.hold_id, h.status HAVING COUNT(*) <> 1 OR h.status <> 'CAPTURED'",
    ),
    (
        "hold: captured only if settled",
        "SELECT h.realm_id, h.id, h.captured AS cached, CAST(0 AS BIGINT) AS counted
         FROM hold h LEFT JOIN ledger_transaction t
           ON t.realm_id = h.realm_id AND t.hold_id = h.id AND t.kind IN ('CAPTURE', 'CHARGE')
         WHERE h.captured + h.refunded <> 0 AND (h.status <> 'CAPTURED' OR t.id IS NULL)
           OR h.status = 'CAPTURED' AND t.id IS NULL",
    ),
    (
        "hold: its amount by its legs",
        "SELECT h.realm_id, h.id, h.amount AS cached, CAST(COALESCE(l.total, 0) AS BIGINT) AS counted
         FROM hold h LEFT JOIN (
           SELECT realm_id, hold_id, SUM(amount) AS total FROM hold_leg GROUP BY realm_id, hold_id
         ) l ON l.realm_id = h.realm_id AND l.hold_id = h.id WHERE h.amount <> COALESCE(l.total, 0)",
    ),
    (
        "refill counter: the refills of all months",
        "SELECT c.realm_id, c.subject_id AS id, c.used AS cached, CAST(COALESCE(SUM(t.amount), 0) AS BIGINT) AS counted
         FROM (
           SELECT realm_id, subject_id, environment, CAST(SUM(used) AS BIGINT) AS used FROM spend_counter
           WHERE subject_kind = 'REFILL' GROUP BY realm_id, subject_id, environment
         ) c LEFT JOIN ledger_transaction t ON t.realm_id = c.realm_id AND t.organization_id = c.subject_id
           AND t.environment = c.environment AND t.kind = 'REFILL'
         GROUP BY c.realm_id, c.subject_id, c.environment, c.used HAVING c.used <> COALESCE(SUM(t.amount), 0)",
    ),
];

/// The first difference of each check.
pub async fn differences(snapshot: &Snapshot) -> Result<Vec<Difference>> {
    let mut differences = Vec::new();
    for (figure, text) in CHECKS {
        // In order, and so the first is always the same one. Materialized: PostgreSQL would plan for one row of what has
        // none, and compare each bucket with every sum.
        let mut sql = Sql::new("WITH differing AS MATERIALIZED (");
        sql.push(text).push(") SELECT * FROM differing ORDER BY realm_id, id LIMIT 1");
        let statement = sql.statement(snapshot);
        if let Some(row) = Row::find_by_statement(statement).one(snapshot).await? {
            let (cached, counted) = (row.cached, row.counted);
            differences.push(Difference { figure, realm: row.realm_id, id: row.id, cached, counted });
        }
    }
    Ok(differences)
}
