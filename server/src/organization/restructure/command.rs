//! The two acts.

use entity::id::OrganizationId;
use serde::Serialize;

use crate::credit;
use crate::kernel::command::{Command, Subject};
use crate::kernel::error::{ErrorCode, Refusal, Result};
use crate::kernel::event::Event;
use crate::kernel::tx::Tx;
use crate::organization::command::check_current;
use crate::organization::model::{Organization, check_reason};
use crate::organization::restructure::outlook::{Destination, Mover, look};
use crate::organization::restructure::plan::Plan;
use crate::organization::restructure::rules::{self, Facts};
use crate::organization::{event, store};

/// Puts an organization and everything below it under another parent of its realm. A no-op when it is there already.
#[derive(Clone, Debug, Serialize)]
pub struct MoveOrganization {
    pub organization: OrganizationId,
    pub parent: OrganizationId,
    pub reason: Option<String>,
    pub expected_version: Option<i64>,
    pub plan_hash: Option<String>,
}

impl Command for MoveOrganization {
    const NAME: &'static str = "organizationMove";
    const REFUSALS: &'static [ErrorCode] = &[
        ErrorCode::InvalidInput,
        ErrorCode::Conflict,
        ErrorCode::StaleVersion,
        ErrorCode::PlanStale,
        ErrorCode::Cycle,
        ErrorCode::DepthExceeded,
        ErrorCode::EnterpriseOnly,
    ];
    type Output = Organization;

    fn subject(&self) -> Subject {
        Subject::Organization(Some(self.organization))
    }

    async fn run(&self, tx: &mut Tx) -> Result<Organization> {
        check_reason(self.reason.as_deref())?;
        tx.note("reason", self.reason.clone());
        let asked = Asked {
            to: Destination::Below(self.parent),
            expected_version: self.expected_version,
            plan_hash: self.plan_hash.as_deref(),
        };
        let Change { facts, record } = asked.change::<Self>(tx).await?;
        let Some(record) = record else { return Ok(facts.record) };
        let new_path = facts.new.as_ref().map(|(_, path)| path);
        let path: Vec<OrganizationId> =
            [record.id].into_iter().chain(new_path.into_iter().flat_map(|path| path.ids())).collect();
        let left = rules::left(&facts.old, new_path);
        // Those above the old place and not above the new one hear that it left, and not where it went.
        if let Some(old_parent) = facts.record.parent_id {
            let data = event::ChildDeparted { child_organization_id: record.id, reason: self.reason.as_deref() };
            tx.emit(Event::new(event::CHILD_DEPARTED, facts.old.ids().skip(1).collect(), &data));
            tx.note("previousParentOrganizationId", old_parent.to_string());
        }
        let data = event::Moved {
            parent_organization_id: self.parent,
            relation: record.relation,
            delegation: record.delegation.iter().collect(),
            reason: self.reason.as_deref(),
        };
        tx.emit(Event::new(event::MOVED, path.clone(), &data));
        tx.note("parentOrganizationId", self.parent.to_string());
        // Both ends find the entry in their trail.
        tx.audit_under(record.id, path.into_iter().chain(left).collect());
        look_at_refill(tx, &record).await?;
        Ok(record)
    }
}

/// Makes an organization, with everything below it, a root of its own in the same realm (Finora's deprovision). A no-op on
/// a root.
#[derive(Clone, Debug, Serialize)]
pub struct DetachOrganization {
    pub organization: OrganizationId,
    pub reason: Option<String>,
    pub expected_version: Option<i64>,
    pub plan_hash: Option<String>,
}

impl Command for DetachOrganization {
    const NAME: &'static str = "organizationDetach";
    const REFUSALS: &'static [ErrorCode] =
        &[ErrorCode::InvalidInput, ErrorCode::Conflict, ErrorCode::StaleVersion, ErrorCode::PlanStale];
    type Output = Organization;

    fn subject(&self) -> Subject {
        Subject::Organization(Some(self.organization))
    }

    async fn run(&self, tx: &mut Tx) -> Result<Organization> {
        check_reason(self.reason.as_deref())?;
        tx.note("reason", self.reason.clone());
        let asked = Asked {
            to: Destination::Root,
            expected_version: self.expected_version,
            plan_hash: self.plan_hash.as_deref(),
        };
        let Change { facts, record } = asked.change::<Self>(tx).await?;
        let Some(record) = record else { return Ok(facts.record) };
        credit::api::inherit_meters(tx, facts.old.root(), record.id).await?;
        // The path it had: this is the last that those above it hear of it, and its own principals hear it too.
        let data = event::Detached {
            parent_organization_id: facts.record.parent_id,
            tier: record.tier,
            reason: self.reason.as_deref(),
        };
        tx.emit(Event::new(event::DETACHED, facts.old.ids().collect(), &data));
        tx.note("previousParentOrganizationId", facts.record.parent_id.map(|parent| parent.to_string()));
        tx.note("previousTier", facts.record.tier.as_str());
        look_at_refill(tx, &record).await?;
        Ok(record)
    }
}

/// A refill draws on the parent: what starved may not any more, and the other way round.
async fn look_at_refill(tx: &mut Tx, record: &Organization) -> Result<()> {
    if record.refill_threshold.is_some() {
        credit::api::rearm(tx, record.id).await?;
    }
    Ok(())
}

/// What both acts are asked.
struct Asked<'a> {
    to: Destination,
    expected_version: Option<i64>,
    plan_hash: Option<&'a str>,
}

/// What was found, and the record as it is now; none when nothing was to be done.
struct Change {
    facts: Facts,
    record: Option<Organization>,
}

impl Asked<'_> {
    /// Looks, decides and writes: the organization's row and the history of its edge.
    async fn change<C: Command>(&self, tx: &mut Tx) -> Result<Change> {
        let target = tx.target().clone();
        let principal = tx.caller().principal.clone();
        let mover = Mover::new(&principal, &target.scopes);
        let facts = look(&*tx, tx.realm(), &target.path, self.to, &mover, C::PERMISSION).await?;
        let is_there = rules::is_there(&facts);
        if is_there {
            // A second try of what was done is told so, whatever version and plan it was made for.
            rules::decide(&facts)?;
            tx.note("changed", false);
            return Ok(Change { facts, record: None });
        }
        check_current(&facts.record, self.expected_version)?;
        if let Some(expected) = self.plan_hash {
            let plan = Plan::of(&*tx, tx.realm(), &facts, self.to).await?;
            if expected != plan.hash {
                let message = "The world changed since this plan was made. Ask for the plan again and decide.";
                return Err(Refusal::new(ErrorCode::PlanStale, message).at("planHash").into());
            }
        }
        let settled = rules::decide(&facts)?;
        let mut record = facts.record.clone();
        record.parent_id = settled.parent;
        record.relation = settled.relation;
        record.delegation = settled.delegation;
        record.tier = settled.tier;
        if settled.parent.is_none() {
            record.funding = None;
        }
        store::save(tx, &mut record).await?;
        store::edge::change(tx, &record).await?;
        tx.note("changed", true);
        Ok(Change { facts, record: Some(record) })
    }
}
