//! The edge to the parent: how data flows over it, and what it lets ancestors do.
//!
//! Either side may narrow it; only a principal of the child itself may widen it (SPEC §3). That leaves out the operator,
//! and an ancestor that acts for the child by the header: whoever runs a deployment can mint the child a key, and the
//! audit trail then says so.

use entity::id::OrganizationId;
use entity::kind::{Delegation, Delegations, Relation};
use serde::Serialize;

use crate::access::policy::Reach;
use crate::kernel::command::{Command, Subject};
use crate::kernel::error::{ErrorCode, Refusal, Result};
use crate::kernel::event::Event;
use crate::kernel::tx::Tx;
use crate::organization::command::check_current;
use crate::organization::model::Organization;
use crate::organization::{event, store};

/// Changes how data flows over the edge to the parent. The new relation's default delegation comes with it, as far as it
/// does not widen what a caller from above may not widen. A no-op when it is so already.
///
/// Periods that are over stay consolidated as they were: the edge's time so far ends, and another begins.
#[derive(Clone, Debug, Serialize)]
pub struct UpdateRelation {
    pub organization: OrganizationId,
    pub relation: Relation,
    pub expected_version: Option<i64>,
}

impl Command for UpdateRelation {
    const NAME: &'static str = "organizationRelationUpdate";
    const REFUSALS: &'static [ErrorCode] =
        &[ErrorCode::InvalidInput, ErrorCode::Conflict, ErrorCode::StaleVersion, ErrorCode::ForbiddenScope];
    type Output = Organization;

    fn subject(&self) -> Subject {
        Subject::Organization(Some(self.organization))
    }

    async fn run(&self, tx: &mut Tx) -> Result<Organization> {
        let mut record = edge_of(tx, self.expected_version).await?;
        let before = record.clone();
        let changed = record.relation != self.relation;
        if changed {
            let wanted = Delegations::default_of(self.relation);
            record.delegation = if may_widen(tx) { wanted } else { record.delegation.intersect(wanted) };
            record.relation = self.relation;
            store::save(tx, &mut record).await?;
            store::edge::change(tx, &record).await?;
            tx.note_change(&before, &record);
        }
        told(tx, changed.then_some(event::RELATION_UPDATED), &record);
        Ok(record)
    }
}

/// Sets what an edge delegates. A no-op when it is so already.
#[derive(Clone, Debug, Serialize)]
pub struct UpdateDelegation {
    pub organization: OrganizationId,
    pub delegation: Vec<Delegation>,
    pub expected_version: Option<i64>,
}

impl Command for UpdateDelegation {
    const NAME: &'static str = "organizationDelegationUpdate";
    const REFUSALS: &'static [ErrorCode] =
        &[ErrorCode::InvalidInput, ErrorCode::Conflict, ErrorCode::StaleVersion, ErrorCode::ForbiddenScope];
    type Output = Organization;

    fn subject(&self) -> Subject {
        Subject::Organization(Some(self.organization))
    }

    async fn run(&self, tx: &mut Tx) -> Result<Organization> {
        let mut record = edge_of(tx, self.expected_version).await?;
        let wanted: Delegations = self.delegation.iter().copied().collect();
        if !wanted.is_subset_of(record.delegation) && !may_widen(tx) {
            let message = "Only a key of the child itself may widen what its edge delegates. You can narrow it.";
            return Err(Refusal::new(ErrorCode::ForbiddenScope, message).at("delegation").into());
        }
        let changed = record.delegation != wanted;
        if changed {
            let before = record.clone();
            record.delegation = wanted;
            store::save(tx, &mut record).await?;
            tx.note_change(&before, &record);
        }
        told(tx, changed.then_some(event::DELEGATION_UPDATED), &record);
        Ok(record)
    }
}

/// The child of the edge, which a root is not.
async fn edge_of(tx: &Tx, expected_version: Option<i64>) -> Result<Organization> {
    let record = store::get(tx, tx.target().id()).await?;
    if record.parent_id.is_none() {
        return Err(Refusal::conflict(format!("{} is a root: it has no edge to a parent.", record.id)).into());
    }
    check_current(&record, expected_version)?;
    Ok(record)
}

/// Whether the caller is the child itself.
fn may_widen(tx: &Tx) -> bool {
    tx.target().reach == Reach::Own
}

fn told(tx: &mut Tx, event_type: Option<&'static str>, record: &Organization) {
    let data = event::EdgeChanged { relation: record.relation, delegation: record.delegation.iter().collect() };
    tx.note("changed", event_type.is_some());
    tx.note("relation", record.relation.as_str());
    tx.note("delegation", serde_json::json!(data.delegation));
    if let Some(event_type) = event_type {
        let path = tx.target().path.ids().collect();
        tx.emit(Event::new(event_type, path, &data));
    }
}
