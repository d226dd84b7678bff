//! Who may do what, as far as commands of the oracle need it.

use entity::kind::{Delegation, Environment};

use crate::oracle::command::{Actor, Serial};
use crate::oracle::rules::refusal::{No, invalid, refused, refused_at};
use crate::oracle::rules::state::{Key, Oracle};

/// What a command needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Anything that an ancestor may always do, and a key that may do everything.
    Control,
    /// `credits:spend`, with BILLING on every edge.
    Spend,
    /// `credits:read`, with BILLING on every edge.
    Read,
    Operator,
}

impl Oracle {
    /// Whether a request of this actor is let in at all.
    pub fn admit(&self, actor: Actor) -> Result<(), &'static str> {
        let Actor::Key(key) = actor else { return Ok(()) };
        let key = &self.keys[&key];
        if key.revoked || key.expires_at.is_some_and(|at| at <= self.now) {
            return Err("UNAUTHENTICATED");
        }
        if self.archived_at(key.organization).is_some() {
            return Err("ORGANIZATION_ARCHIVED");
        }
        if self.suspended_at(key.organization).is_some() {
            return Err("ORGANIZATION_SUSPENDED");
        }
        Ok(())
    }

    pub(super) fn key(&self, actor: Actor) -> Option<&Key> {
        match actor {
            Actor::Operator => None,
            Actor::Key(key) => Some(&self.keys[&key]),
        }
    }

    /// The organization a command is about: the named one, or the key's own.
    pub(super) fn about(&self, actor: Actor, named: Option<Serial>) -> Result<Serial, No> {
        named.or(self.key(actor).map(|key| key.organization)).ok_or_else(|| invalid("organizationId"))
    }

    /// Whether the actor may do this to the organization.
    pub(super) fn may(&self, actor: Actor, organization: Serial, need: Need) -> Result<(), No> {
        let Some(key) = self.key(actor) else { return Ok(()) };
        let path = self.path(organization);
        let Some(distance) = path.iter().position(|step| *step == key.organization) else {
            return Err(refused("NOT_FOUND"));
        };
        let delegated =
            path[..distance].iter().all(|step| self.organization(*step).delegation.contains(&Delegation::Billing));
        let allowed = match need {
            Need::Control => key.all,
            Need::Spend => delegated,
            Need::Read => key.all && delegated,
            Need::Operator => false,
        };
        if allowed { Ok(()) } else { Err(refused("FORBIDDEN_SCOPE")) }
    }

    /// Whether the actor acts on its own organization, which is not an ancestor's or the operator's say.
    pub(super) fn is_own(&self, actor: Actor, organization: Serial) -> bool {
        self.key(actor).is_some_and(|key| key.organization == organization)
    }

    /// The environment a command spends in: the key's, and for the operator the one asked for.
    pub(super) fn environment(&self, actor: Actor, asked: Option<Environment>) -> Result<Environment, No> {
        match self.key(actor) {
            Some(key) if asked.is_some_and(|asked| asked != key.environment) => {
                Err(refused_at("FORBIDDEN_SCOPE", "environment"))
            }
            Some(key) => Ok(key.environment),
            None => Ok(asked.unwrap_or(Environment::Live)),
        }
    }
}
