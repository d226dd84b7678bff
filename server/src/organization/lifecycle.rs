//! Suspend, resume, archive.

use entity::credits::Credits;
use entity::id::OrganizationId;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::access::principal::Principal;
use crate::kernel::command::{Command, Subject};
use crate::kernel::error::{ErrorCode, Refusal, Result};
use crate::kernel::event::Event;
use crate::kernel::tx::Tx;
use crate::organization::command::check_current;
use crate::organization::model::{Organization, check_reason};
use crate::organization::plan::{Act, Plan};
use crate::organization::{event, store};
use crate::{api_key, credit, webhook};

/// Under whom a suspension stands: the caller's own organization, whoever it acts for; the operator under nobody.
fn holder(tx: &Tx) -> Uuid {
    match &tx.caller().principal {
        Principal::ApiKey(key) => key.organization.into(),
        _ => Uuid::nil(),
    }
}

/// Cuts the organization and everything below it off. A no-op when the caller's suspension stands already.
#[derive(Clone, Debug, Serialize)]
pub struct SuspendOrganization {
    pub organization: OrganizationId,
    pub reason: Option<String>,
    pub plan_hash: Option<String>,
}

impl Command for SuspendOrganization {
    const NAME: &'static str = "organizationSuspend";
    const REFUSALS: &'static [ErrorCode] =
        &[ErrorCode::InvalidInput, ErrorCode::Conflict, ErrorCode::ForbiddenScope, ErrorCode::PlanStale];
    type Output = Organization;

    fn subject(&self) -> Subject {
        Subject::Organization(Some(self.organization))
    }

    async fn run(&self, tx: &mut Tx) -> Result<Organization> {
        check_reason(self.reason.as_deref())?;
        let record = store::get(tx, tx.target().id()).await?;
        check_current(&record, None)?;
        if let Some(expected) = &self.plan_hash {
            // Counting what hangs below costs in proportion to it; suspending does not, unless it is asked to check.
            check_plan(tx, Act::Suspend, Some(expected)).await?;
        }
        let placed = store::suspend(tx, record.id, holder(tx), self.reason.clone()).await?;
        if placed {
            let path = tx.target().path.ids().collect();
            tx.emit(Event::new(event::SUSPENDED, path, &event::StatusChanged { reason: self.reason.as_deref() }));
        }
        tx.note("changed", placed);
        tx.note("reason", self.reason.clone());
        Ok(record)
    }
}

/// Lifts what the caller's organization placed, and what somebody placed who is above it no more: after a move or a detach
/// nobody else could. The operator's is the operator's alone. A no-op when there is nothing of these.
#[derive(Clone, Debug, Serialize)]
pub struct ResumeOrganization {
    pub organization: OrganizationId,
    pub reason: Option<String>,
}

impl Command for ResumeOrganization {
    const NAME: &'static str = "organizationResume";
    const REFUSALS: &'static [ErrorCode] = &[ErrorCode::InvalidInput, ErrorCode::Conflict, ErrorCode::ForbiddenScope];
    type Output = Organization;

    fn subject(&self) -> Subject {
        Subject::Organization(Some(self.organization))
    }

    async fn run(&self, tx: &mut Tx) -> Result<Organization> {
        check_reason(self.reason.as_deref())?;
        let record = store::get(tx, tx.target().id()).await?;
        check_current(&record, None)?;
        let others: Vec<Uuid> = tx.target().path.ids().map(Uuid::from).chain([Uuid::nil()]).collect();
        let lifted = store::resume(tx, record.id, holder(tx), &others).await?;
        if lifted {
            let path = tx.target().path.ids().collect();
            tx.emit(Event::new(event::RESUMED, path, &event::StatusChanged { reason: self.reason.as_deref() }));
            credit::api::rearm(tx, record.id).await?;
        }
        tx.note("changed", lifted);
        tx.note("reason", self.reason.clone());
        Ok(record)
    }
}

/// Ends an organization for good: keys die, credits go home, endpoints fall silent.
#[derive(Clone, Debug, Serialize)]
pub struct ArchiveOrganization {
    pub organization: OrganizationId,
    pub cascade: bool,
    pub reason: Option<String>,
    pub plan_hash: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Archived {
    pub organization: Organization,
    pub reclaimed_credits: Credits,
    pub revoked_api_keys: u64,
    /// Held by open holds: it comes home as they settle.
    pub pending_reclaim: Credits,
}

impl Command for ArchiveOrganization {
    const NAME: &'static str = "organizationArchive";
    const REFUSALS: &'static [ErrorCode] = &[
        ErrorCode::InvalidInput,
        ErrorCode::Conflict,
        ErrorCode::ForbiddenScope,
        ErrorCode::HasActiveChildren,
        ErrorCode::PlanStale,
    ];
    type Output = Archived;

    fn subject(&self) -> Subject {
        Subject::Organization(Some(self.organization))
    }

    async fn run(&self, tx: &mut Tx) -> Result<Archived> {
        check_reason(self.reason.as_deref())?;
        let record = store::get(tx, tx.target().id()).await?;
        check_current(&record, None)?;
        let plan = check_plan(tx, Act::Archive { cascade: self.cascade }, self.plan_hash.as_deref()).await?;
        if !self.cascade && plan.descendants > 0 {
            return Err(has_active_children(plan.descendants).into());
        }
        let members = plan.organizations;
        let revoked_api_keys = api_key::api::revoke_all(tx, &members).await?;
        let home = tx.target().path.nodes().iter().skip(1).find(|node| !node.archived).map(|node| node.id);
        let swept = credit::api::sweep(tx, &members, home).await?;
        store::archive_all(tx, &members).await?;
        let path = tx.target().path.ids().collect();
        let data =
            event::Archived { reason: self.reason.as_deref(), reclaimed_credits: swept.reclaimed, revoked_api_keys };
        tx.emit(Event::new(event::ARCHIVED, path, &data));
        webhook::api::disable_all(tx, &members).await?;
        tx.note("reclaimedCredits", swept.reclaimed.get());
        tx.note("revokedApiKeys", revoked_api_keys);
        tx.note("organizations", members.len());
        tx.note("reason", self.reason.clone());
        let organization = store::get(tx, record.id).await?;
        Ok(Archived {
            organization,
            reclaimed_credits: swept.reclaimed,
            revoked_api_keys,
            pending_reclaim: swept.pending,
        })
    }
}

pub(super) fn has_active_children(count: i64) -> Refusal {
    let message = format!("{count} organizations below are still active. Archive them first or set cascade: true.");
    Refusal::new(ErrorCode::HasActiveChildren, message).at("cascade")
}

/// The plan of this very moment; refuses when the caller decided on another one.
async fn check_plan(tx: &Tx, act: Act, expected: Option<&str>) -> Result<Plan> {
    let plan = Plan::make(tx, tx.realm(), tx.target().id(), act, tx.now()).await?;
    match expected {
        Some(expected) if expected != plan.hash => {
            let message = "The world changed since this plan was made. Ask for the plan again and decide.";
            Err(Refusal::new(ErrorCode::PlanStale, message).at("planHash").into())
        }
        _ => Ok(plan),
    }
}
