//! What every change leaves behind in its own transaction: an audit entry and its events.

use entity::codec::Json;
use entity::id::{AnyId, EventId, Id, OrganizationId};
use entity::kind::AuditOutcome;
use entity::{audit_event, event};
use sea_orm::ActiveValue::Set;
use sea_orm::EntityTrait;

use crate::access::principal::{Caller, Principal};
use crate::kernel::command::Subject;
use crate::kernel::error::Result;
use crate::kernel::realm;
use crate::kernel::tx::Tx;

/// Writes audit entry and events under consecutive sequence numbers of the realm.
pub(super) async fn record(tx: &mut Tx, name: &'static str, subject: &Subject, sequence: i64) -> Result<()> {
    let mut next = sequence + 1;
    let (organization, path) = match (tx.audited.take(), &tx.target) {
        (Some((organization, path)), _) => (Some(organization), path),
        (None, Some(target)) => (Some(target.id()), target.path.ids().collect()),
        (None, None) => (None, Vec::new()),
    };
    let change = std::mem::take(&mut tx.change);
    let about = About { caller: &tx.caller, action: name, organization, target: subject.part(), path, change };
    let entry = audit_entry(tx, about, next, AuditOutcome::Done);
    audit_event::Entity::insert(entry).exec_without_returning(&*tx).await?;
    let events = std::mem::take(&mut tx.events);
    if !events.is_empty() {
        let mut rows = Vec::with_capacity(events.len());
        for event in events {
            next += 1;
            rows.push(event::ActiveModel {
                realm_id: Set(tx.realm),
                sequence: Set(next),
                id: Set(tx.id::<EventId>()),
                event_type: Set(event.event_type.to_owned()),
                organization_id: Set(event.organization),
                path: Set(Json(event.path)),
                data: Set(Json(event.data)),
                occurred_at: Set(tx.now),
            });
        }
        event::Entity::insert_many(rows).exec_without_returning(&*tx).await?;
    }
    realm::advance(tx, next).await
}

/// What an audit entry is about.
pub(super) struct About<'a> {
    pub caller: &'a Caller,
    pub action: &'static str,
    pub organization: Option<OrganizationId>,
    /// What it was done to; the organization when there is nothing more exact.
    pub target: Option<AnyId>,
    /// The organization's path at this moment, itself first.
    pub path: Vec<OrganizationId>,
    pub change: serde_json::Map<String, serde_json::Value>,
}

pub(super) fn audit_entry(tx: &Tx, about: About<'_>, sequence: i64, outcome: AuditOutcome) -> audit_event::ActiveModel {
    let principal = &about.caller.principal;
    let actor: Option<uuid::Uuid> = match principal {
        Principal::ApiKey(key) => Some(key.key.uuid()),
        Principal::Operator(key) => Some(key.uuid()),
        Principal::Anonymous | Principal::System => None,
    };
    audit_event::ActiveModel {
        realm_id: Set(tx.realm),
        sequence: Set(sequence),
        id: Set(tx.id()),
        organization_id: Set(about.organization),
        path: Set(Json(about.path)),
        acting_organization_id: Set(about.caller.acting_organization()),
        actor_kind: Set(principal.kind()),
        actor_id: Set(actor),
        action: Set(about.action.to_owned()),
        target_id: Set(about.target.or(about.organization.map(AnyId::from)).map(|id| id.to_string())),
        outcome: Set(outcome),
        change: Set(Json(serde_json::Value::Object(about.change))),
        request_id: Set(about.caller.request_id),
        address: Set(about.caller.address.map(|address| address.to_string())),
        created_at: Set(tx.now),
    }
}
