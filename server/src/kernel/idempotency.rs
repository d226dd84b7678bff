//! First answers, kept so that the same request is answered the same and done once.

use std::time::Duration;

use entity::idempotency_record;
use sea_orm::ActiveValue::Set;
use sea_orm::EntityTrait;
use sea_orm::sea_query::OnConflict;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::kernel::command::Command;
use crate::kernel::error::{ErrorCode, Fault, Refusal, Result};
use crate::kernel::tx::Tx;

/// How long an idempotency record answers for: 30 days.
pub(super) const KEPT: Duration = Duration::from_secs(30 * 24 * 3_600);
/// The longest idempotency key, in characters.
const KEY_MAX_CHARS: usize = 255;

/// SHA-256 over the operation and its input without the idempotency key, in a fixed order of fields.
pub(crate) fn input_hash<C: Serialize>(name: &str, command: &C) -> Result<String> {
    let mut input = serde_json::to_value(command).map_err(|e| Fault::caused_by("a command does not serialize", e))?;
    if let serde_json::Value::Object(fields) = &mut input {
        fields.remove("idempotency_key");
    }
    let mut hasher = Sha256::new();
    hasher.update(name.as_bytes());
    hasher.update([0]);
    hasher.update(input.to_string().as_bytes());
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

pub(super) async fn first_answer<C: Command>(tx: &Tx, key: &str, hash: &str) -> Result<Option<C::Output>> {
    check(key)?;
    let id = (tx.realm, tx.caller.principal.actor_id(), C::NAME.to_owned(), key.to_owned());
    let Some(found) = idempotency_record::Entity::find_by_id(id).one(tx).await? else { return Ok(None) };
    if found.expires_at <= tx.now {
        return Ok(None);
    }
    if found.input_hash != hash {
        return Err(conflict(C::NAME).into());
    }
    let output = serde_json::from_str(&found.result)
        .map_err(|e| Fault::caused_by(format!("the kept answer of {} does not read back", C::NAME), e))?;
    Ok(Some(output))
}

pub(super) fn check(key: &str) -> Result<(), Refusal> {
    if key.is_empty() || key.chars().count() > KEY_MAX_CHARS {
        let message = format!("An idempotency key has 1 to {KEY_MAX_CHARS} characters.");
        return Err(Refusal::invalid("idempotencyKey", message));
    }
    Ok(())
}

pub(super) fn conflict(name: &str) -> Refusal {
    let message = format!("This idempotency key was first used for another {name}. Use a new key.");
    Refusal::new(ErrorCode::IdempotencyConflict, message).at("idempotencyKey")
}

/// A record is looked up before it is written, so what stands in its place has expired.
pub(super) fn replace_expired() -> OnConflict {
    use idempotency_record::Column;
    OnConflict::columns([Column::RealmId, Column::ActorId, Column::Operation, Column::IdempotencyKey])
        .update_columns([Column::InputHash, Column::Result, Column::CreatedAt, Column::ExpiresAt])
        .to_owned()
}

pub(super) async fn keep_answer<T: serde::Serialize>(
    tx: &Tx,
    name: &str,
    key: String,
    hash: String,
    answer: &T,
) -> Result<()> {
    let result = serde_json::to_string(answer).map_err(|e| Fault::caused_by("an answer does not serialize", e))?;
    idempotency_record::Entity::insert(idempotency_record::ActiveModel {
        realm_id: Set(tx.realm),
        actor_id: Set(tx.caller.principal.actor_id()),
        operation: Set(name.to_owned()),
        idempotency_key: Set(key),
        input_hash: Set(hash),
        result: Set(result),
        created_at: Set(tx.now),
        expires_at: Set(tx.now.plus(KEPT)),
    })
    .on_conflict(replace_expired())
    .exec_without_returning(tx)
    .await?;
    Ok(())
}
