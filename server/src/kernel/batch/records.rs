//! Audit entries, events and idempotency records of a batch.

use entity::codec::Json;
use entity::id::EventId;
use entity::kind::AuditOutcome;
use entity::{audit_event, event, idempotency_record};
use sea_orm::ActiveValue::Set;

use super::{Decided, Item};
use crate::kernel::bundle::{Bundle, chunks};
use crate::kernel::error::{Fault, Result};
use crate::kernel::idempotency::KEPT;
use crate::kernel::sql::Sql;
use crate::kernel::tx::{Target, Tx};
use crate::kernel::{realm, record};

/// Numbered in the order they were decided.
pub(super) struct Records {
    /// The last number given out.
    pub last: i64,
    audit: Vec<audit_event::ActiveModel>,
    events: Vec<event::ActiveModel>,
    idempotency: Vec<idempotency_record::ActiveModel>,
}

impl Records {
    /// For what comes after the number `last` of the realm.
    pub fn after(last: i64) -> Self {
        Self { last, audit: Vec::new(), events: Vec::new(), idempotency: Vec::new() }
    }

    /// Nothing to write.
    pub fn is_empty(&self) -> bool {
        self.audit.is_empty()
    }

    pub fn add<R>(&mut self, tx: &Tx, item: &Item<R>, target: &Target, decided: &Decided) -> Result<(), Fault> {
        self.last += 1;
        let about = record::About {
            caller: &item.caller,
            action: item.name,
            organization: Some(target.id()),
            target: item.subject.part(),
            path: target.path.ids().collect(),
            change: decided.change.clone(),
        };
        self.audit.push(record::audit_entry(tx, about, self.last, AuditOutcome::Done));
        for event in &decided.events {
            self.last += 1;
            self.events.push(event::ActiveModel {
                realm_id: Set(tx.realm()),
                sequence: Set(self.last),
                id: Set(tx.id::<EventId>()),
                event_type: Set(event.event_type.to_owned()),
                organization_id: Set(event.organization),
                path: Set(Json(event.path.clone())),
                data: Set(Json(event.data.clone())),
                occurred_at: Set(tx.now()),
            });
        }
        if let Some(key) = &item.idempotency_key {
            self.idempotency.push(idempotency_record::ActiveModel {
                realm_id: Set(tx.realm()),
                actor_id: Set(item.caller.principal.actor_id()),
                operation: Set(item.name.to_owned()),
                idempotency_key: Set(key.clone()),
                input_hash: Set(item.input_hash.clone()),
                result: Set(decided.output.to_string()),
                created_at: Set(tx.now()),
                expires_at: Set(tx.now().plus(KEPT)),
            });
        }
        Ok(())
    }

    pub fn save(self, tx: &Tx, writes: &mut Bundle) {
        for chunk in chunks(self.audit) {
            writes.add(Sql::insert(chunk));
        }
        for chunk in chunks(self.events) {
            writes.add(Sql::insert(chunk));
        }
        for chunk in chunks(self.idempotency) {
            // A record whose time is up may still stand under the key.
            let mut sql = Sql::insert(chunk);
            sql.push(
                " ON CONFLICT (realm_id, actor_id, operation, idempotency_key) DO UPDATE SET
                   input_hash = excluded.input_hash, result = excluded.result, created_at = excluded.created_at,
                   expires_at = excluded.expires_at",
            );
            writes.add(sql);
        }
        writes.add(realm::advanced(tx, self.last));
    }
}
