//! Writes that belong together: one round trip on PostgreSQL, one statement after the other on SQLite.

use sea_orm::{ConnectionTrait, DatabaseBackend};

use crate::kernel::error::{Fault, Result};
use crate::kernel::sql::Sql;
use crate::kernel::tx::Tx;

/// Rows of one INSERT or UPDATE; times columns this stays below the 32,766 values that SQLite binds to one statement.
const ROWS_PER_STATEMENT: usize = 1_000;

/// The rows in portions of one statement each.
pub fn chunks<T>(rows: Vec<T>) -> impl Iterator<Item = Vec<T>> {
    let mut rows = rows.into_iter();
    std::iter::from_fn(move || {
        let chunk: Vec<T> = rows.by_ref().take(ROWS_PER_STATEMENT).collect();
        (!chunk.is_empty()).then_some(chunk)
    })
}

/// INSERTs and UPDATEs of which none sees or touches the rows of another.
///
/// PostgreSQL runs them as the parts of one WITH: all on the same snapshot, foreign keys checked at the end.
#[derive(Default)]
pub struct Bundle {
    writes: Vec<Write>,
}

struct Write {
    sql: Sql,
    /// How many rows it must touch, and what they are called.
    expected: Option<(usize, &'static str)>,
}

impl Bundle {
    pub fn add(&mut self, sql: Sql) {
        self.writes.push(Write { sql, expected: None });
    }

    /// A write that must touch exactly so many rows; else the transaction is at fault.
    pub fn expect(&mut self, sql: Sql, rows: usize, what: &'static str) {
        self.writes.push(Write { sql, expected: Some((rows, what)) });
    }

    pub async fn run(self, tx: &Tx) -> Result<()> {
        match tx.get_database_backend() {
            DatabaseBackend::Postgres => self.run_as_one(tx).await,
            _ => self.run_in_order(tx).await,
        }
    }

    async fn run_in_order(self, tx: &Tx) -> Result<()> {
        for write in self.writes {
            let touched = tx.execute_raw(write.sql.statement(tx)).await?.rows_affected();
            check(write.expected, touched)?;
        }
        Ok(())
    }

    async fn run_as_one(self, tx: &Tx) -> Result<()> {
        if self.writes.is_empty() {
            return Ok(());
        }
        let mut sql = Sql::new("WITH ");
        let mut counts = String::new();
        let mut expected = Vec::with_capacity(self.writes.len());
        for (i, write) in self.writes.into_iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            sql.push(comma).push(&format!("w{i} AS (")).append(write.sql).push(" RETURNING 1)");
            counts.push_str(&format!("{comma}(SELECT count(*) FROM w{i}) AS n{i}"));
            expected.push(write.expected);
        }
        sql.push(" SELECT ").push(&counts);
        let row = tx.query_one_raw(sql.statement(tx)).await?.ok_or_else(|| Fault::new("a bundle told no counts"))?;
        for (i, expected) in expected.into_iter().enumerate() {
            let touched: i64 = row.try_get("", &format!("n{i}"))?;
            check(expected, u64::try_from(touched).unwrap_or(0))?;
        }
        Ok(())
    }
}

fn check(expected: Option<(usize, &'static str)>, touched: u64) -> Result<(), Fault> {
    match expected {
        Some((rows, what)) if u64::try_from(rows).ok() != Some(touched) => {
            Err(Fault::new(format!("expected to write {rows} {what}, touched {touched}")))
        }
        _ => Ok(()),
    }
}
