//! Organizations that go elsewhere: who may, and what it leaves of edges and money.

use entity::kind::{Delegation, Environment};
use serde_json::{Value, json};

use crate::oracle::command::{self, Actor, Serial};
use crate::oracle::rules::access::Need;
use crate::oracle::rules::refusal::{Answer, No, refused, refused_at};
use crate::oracle::rules::state::Oracle;

/// Levels a tree may have.
const DEPTH_MAX: usize = 32;

fn at_the_parent(no: No) -> No {
    match no {
        No::Refused(mut error) => {
            error["path"] = json!(["input", "parentId"]);
            No::Refused(error)
        }
        failed @ No::Failed(_) => failed,
    }
}

impl Oracle {
    pub(super) fn move_below(&mut self, actor: Actor, id: Serial, parent: Serial) -> Answer {
        self.may_leave(actor, id)?;
        self.may(actor, parent, Need::Control).map_err(at_the_parent)?;
        self.with_live_key(actor)?;
        let (old, new) = (self.path(id), self.path(parent));
        if new.contains(&id) {
            return Err(refused_at("CYCLE", "parentId"));
        }
        if self.organization(id).parent == Some(parent) {
            return Ok(self.shown_organization(id));
        }
        if self.archived_at(parent).is_some() {
            return Err(refused_at("CONFLICT", "parentId"));
        }
        if self.organization(parent).free {
            return Err(refused_at("ENTERPRISE_ONLY", "parentId"));
        }
        let left: Vec<Serial> = old[1..].iter().copied().filter(|above| !new.contains(above)).collect();
        self.bound(actor, &left)?;
        let deepest = |below: &Serial| self.path(*below).iter().position(|step| *step == id).map(|levels| levels + 1);
        let height = self.organizations.keys().filter_map(deepest).max().expect("it is below itself");
        if new.len() + height > DEPTH_MAX {
            return Err(refused_at("DEPTH_EXCEEDED", "parentId"));
        }
        // What every edge left behind delegated; nobody was above a root.
        let behind: Vec<Serial> = old.iter().copied().filter(|step| !new.contains(step)).collect();
        let every = |one: &Delegation| {
            old.len() > 1
                && behind.iter().all(|step| {
                    let step = self.organization(*step);
                    step.parent.is_none() || step.delegation.contains(one)
                })
        };
        let all = [Delegation::Billing, Delegation::DataRead, Delegation::DataWrite];
        let delegation = all.into_iter().filter(every).collect();
        let organization = self.organization_mut(id);
        organization.delegation = delegation;
        organization.parent = Some(parent);
        self.gone(id);
        Ok(self.shown_organization(id))
    }

    pub(super) fn detach(&mut self, actor: Actor, id: Serial) -> Answer {
        self.may_leave(actor, id)?;
        self.with_live_key(actor)?;
        if self.organization(id).parent.is_some() {
            let left = self.path(id)[1..].to_vec();
            self.bound(actor, &left)?;
            let above = left[left.len() - 1];
            self.meters.retain(|(root, _), _| *root != id);
            let theirs: Vec<_> = self.meters.iter().filter(|((root, _), _)| *root == above).collect();
            let theirs: Vec<_> = theirs.into_iter().map(|((_, key), price)| ((id, key.clone()), *price)).collect();
            self.meters.extend(theirs);
            let organization = self.organization_mut(id);
            organization.parent = None;
            organization.funding = None;
            organization.free = true;
            self.gone(id);
        }
        let mut shown = self.shown_organization(id);
        shown["organizationId"] = json!(command::organization(id));
        // Whoever was above it sees it no more.
        if self.may(actor, id, Need::Control).is_err() {
            shown["organization"] = Value::Null;
        }
        Ok(shown)
    }

    fn gone(&mut self, id: Serial) {
        self.organization_mut(id).version += 1;
        if self.organization(id).threshold.is_some() {
            self.rearm(id);
        }
    }

    fn may_leave(&self, actor: Actor, id: Serial) -> Result<(), No> {
        if self.is_own(actor, id) {
            return Err(refused("FORBIDDEN_SCOPE"));
        }
        if self.organization(id).archived { Err(refused("CONFLICT")) } else { Ok(()) }
    }

    fn with_live_key(&self, actor: Actor) -> Result<(), No> {
        match self.key(actor) {
            Some(key) if key.environment == Environment::Test => Err(refused("FORBIDDEN_SCOPE")),
            _ => Ok(()),
        }
    }

    /// Nobody is taken away from a suspension that is not the mover's to lift.
    fn bound(&self, actor: Actor, left: &[Serial]) -> Result<(), No> {
        let Some(own) = self.key(actor).map(|key| key.organization) else { return Ok(()) };
        let others = |above: &&Serial| self.organization(**above).suspended_by.iter().any(|by| *by != Some(own));
        match left.iter().find(others) {
            None => Ok(()),
            Some(at) => Err(No::Refused(json!({
                "__typename": "OrganizationStatusError",
                "code": "ORGANIZATION_SUSPENDED",
                "path": [],
                "organizationId": command::organization(*at),
                "effectiveStatus": "SUSPENDED",
            }))),
        }
    }
}
