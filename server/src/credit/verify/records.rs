//! Idempotency records, against what they say was done.
//!
//! A record and its effect are written at one moment in one transaction: the movement that its kept answer names must
//! exist and be of that moment.

use std::collections::{HashMap, HashSet};

use entity::id::{HoldId, Id, RealmId, TransactionId};
use entity::timestamp::Timestamp;
use sea_orm::FromQueryResult;
use serde::Deserialize;
use uuid::Uuid;

use crate::credit::verify::Difference;
use crate::kernel::db::Moment;
use crate::kernel::error::Result;
use crate::kernel::sql::Sql;

/// Rows read at once.
const PAGE: usize = 1_000;
/// Operations whose answers name a movement.
const MOVES: &[&str] = &[
    "creditCharge",
    "creditCapture",
    "creditRefund",
    "creditGrant",
    "creditTransfer",
    "creditHold",
    "creditVoid",
    "apiKeyVerify",
];

#[derive(FromQueryResult)]
struct RecordRow {
    actor_id: Uuid,
    operation: String,
    idempotency_key: String,
    result: String,
    created_at: Timestamp,
}

#[derive(FromQueryResult)]
struct EffectRow {
    id: Uuid,
    at: Timestamp,
}

/// What of a kept answer says what was done: a transaction, or a hold that posted none.
#[derive(Deserialize)]
struct Answer {
    transaction: Option<Named>,
    hold: Option<HoldAnswer>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Named {
    Id(TransactionId),
    Row { id: TransactionId },
}

#[derive(Deserialize)]
struct HoldAnswer {
    row: HoldNamed,
}

#[derive(Deserialize)]
struct HoldNamed {
    id: HoldId,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Effect {
    Transaction(Uuid),
    HoldTaken(Uuid),
    HoldSettled(Uuid),
}

fn effect(record: &RecordRow) -> Option<Effect> {
    let answer: Answer = serde_json::from_str(&record.result).ok()?;
    match (answer.transaction, answer.hold) {
        (Some(Named::Id(id) | Named::Row { id }), _) => Some(Effect::Transaction(id.uuid())),
        (None, Some(hold)) if record.operation == "creditVoid" => Some(Effect::HoldSettled(hold.row.id.uuid())),
        (None, Some(hold)) => Some(Effect::HoldTaken(hold.row.id.uuid())),
        (None, None) => None,
    }
}

/// The first record whose effect is not there, is of another moment, or is another record's too.
pub async fn difference(moment: &Moment, realm: RealmId) -> Result<Option<Difference>> {
    let mut last: Option<RecordRow> = None;
    loop {
        let mut sql = Sql::new(
            "SELECT actor_id, operation, idempotency_key, result, created_at FROM idempotency_record WHERE realm_id = ",
        );
        sql.bind(realm);
        if let Some(last) = &last {
            sql.push(" AND (actor_id, operation, idempotency_key) > (").bind(last.actor_id);
            sql.push(", ").bind(last.operation.clone()).push(", ").bind(last.idempotency_key.clone()).push(")");
        }
        sql.push(" ORDER BY actor_id, operation, idempotency_key LIMIT ").bind(i64::try_from(PAGE).unwrap_or(i64::MAX));
        let mut rows = RecordRow::find_by_statement(sql.statement(moment)).all(moment).await?;
        if let Some(wrong) = first_wrong(moment, realm, &rows).await? {
            return Ok(Some(wrong));
        }
        if rows.len() < PAGE {
            return Ok(None);
        }
        last = rows.pop();
    }
}

async fn first_wrong(moment: &Moment, realm: RealmId, rows: &[RecordRow]) -> Result<Option<Difference>> {
    let records = rows.iter().filter(|row| MOVES.contains(&row.operation.as_str()));
    let named: Vec<(&RecordRow, Option<Effect>)> = records.map(|row| (row, effect(row))).collect();
    let ids =
        |of: fn(Effect) -> Option<Uuid>| named.iter().filter_map(|(_, effect)| of((*effect)?)).collect::<Vec<_>>();
    let read = async |table: &str, column: &str, ids: Vec<Uuid>| -> Result<HashMap<Uuid, Timestamp>> {
        let mut sql = Sql::new("SELECT id, ");
        sql.push(column).push(" AS at FROM ").push(table).push(" WHERE realm_id = ").bind(realm);
        sql.push(" AND ").push(column).push(" IS NOT NULL AND id").within(ids);
        let rows = EffectRow::find_by_statement(sql.statement(moment)).all(moment).await?;
        Ok(rows.into_iter().map(|row| (row.id, row.at)).collect())
    };
    let transaction = |effect| if let Effect::Transaction(id) = effect { Some(id) } else { None };
    let taken = |effect| if let Effect::HoldTaken(id) = effect { Some(id) } else { None };
    let settled = |effect| if let Effect::HoldSettled(id) = effect { Some(id) } else { None };
    let transactions = read("ledger_transaction", "created_at", ids(transaction)).await?;
    let holds_taken = read("hold", "created_at", ids(taken)).await?;
    let holds_settled = read("hold", "settled_at", ids(settled)).await?;
    let mut seen = HashSet::new();
    for (record, effect) in named {
        let at = effect.and_then(|effect| match effect {
            Effect::Transaction(id) => transactions.get(&id),
            Effect::HoldTaken(id) => holds_taken.get(&id),
            Effect::HoldSettled(id) => holds_settled.get(&id),
        });
        if at != Some(&record.created_at) || !effect.is_none_or(|effect| seen.insert(effect)) {
            return Ok(Some(Difference {
                figure: "idempotency record of this actor: its one effect",
                realm,
                id: record.actor_id,
                cached: record.created_at.as_micros(),
                counted: at.map_or(0, |at| at.as_micros()),
            }));
        }
    }
    Ok(None)
}
