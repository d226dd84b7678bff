//! The first answers to idempotency keys that were used before.

use std::collections::HashMap;

use sea_orm::FromQueryResult;
use uuid::Uuid;

use super::Item;
use crate::kernel::error::{Fault, Result};
use crate::kernel::sql::Sql;
use crate::kernel::tx::Tx;

/// Actor, operation and key.
pub(super) type RecordKey = (Uuid, &'static str, String);

pub(super) fn record_key<R>(item: &Item<R>) -> RecordKey {
    (item.caller.principal.actor_id(), item.name, item.idempotency_key.clone().unwrap_or_default())
}

pub(super) struct Kept {
    pub input_hash: String,
    pub output: serde_json::Value,
}

#[derive(FromQueryResult)]
struct KeptRow {
    actor_id: Uuid,
    operation: String,
    idempotency_key: String,
    /// Expiry, hash of the input and answer, with colons between.
    kept: Option<String>,
}

/// The first answers there are to the batch's idempotency keys, in one statement.
pub(super) async fn first_answers<R>(tx: &Tx, items: &[Item<R>]) -> Result<HashMap<RecordKey, Kept>> {
    let keyed: Vec<_> = items.iter().filter(|item| item.idempotency_key.is_some()).collect();
    if keyed.is_empty() {
        return Ok(HashMap::new());
    }
    let keys = keyed.iter().map(|item| {
        let (actor, operation, key) = record_key(item);
        vec![actor.into(), operation.into(), key.into()]
    });
    // A subquery for each key, by nothing but the primary key: PostgreSQL reads the whole realm for a join that finds
    // nothing, as this one nearly always does, and prefers the index of expiries where it sees one.
    let mut sql = Sql::new("WITH asked (actor_id, operation, idempotency_key) AS (");
    sql.rows(keys.collect()).push(
        ") SELECT asked.actor_id, asked.operation, asked.idempotency_key, (
             SELECT CAST(r.expires_at AS TEXT) || ':' || r.input_hash || ':' || r.result FROM idempotency_record r WHERE r.realm_id = ",
    );
    sql.bind(tx.realm()).push(" AND r.actor_id = asked.actor_id AND r.operation = asked.operation");
    sql.push(" AND r.idempotency_key = asked.idempotency_key) AS kept FROM asked");
    let rows = KeptRow::find_by_statement(sql.statement(tx)).all(tx).await?;
    let names: HashMap<&str, &'static str> = items.iter().map(|item| (item.name, item.name)).collect();
    let mut known = HashMap::with_capacity(rows.len());
    for row in rows {
        let Some(name) = names.get(row.operation.as_str()) else { continue };
        let Some((expires_at, kept)) = row.kept.as_deref().and_then(|kept| kept.split_once(':')) else { continue };
        let Some((input_hash, result)) = kept.split_once(':') else { continue };
        if expires_at.parse().is_ok_and(|at: i64| at <= tx.now().as_micros()) {
            continue;
        }
        let output = serde_json::from_str(result)
            .map_err(|e| Fault::caused_by(format!("the kept answer of {name} does not read back"), e))?;
        let kept = Kept { input_hash: input_hash.to_owned(), output };
        known.insert((row.actor_id, *name, row.idempotency_key), kept);
    }
    Ok(known)
}
