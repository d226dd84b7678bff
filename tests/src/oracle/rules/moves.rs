//! Credits issued and moved (SPEC §5).

use entity::kind::{BillingMode, Environment};
use serde_json::{Value, json};

use crate::oracle::command::{Actor, Grant, Serial};
use crate::oracle::rules::refusal::{Answer, invalid, refused};
use crate::oracle::rules::state::{Kind, MOST, Oracle};

/// What a grant's bucket has that names no priority.
const PRIORITY: i32 = 100;

impl Oracle {
    pub(super) fn grant(&mut self, grant: &Grant) -> Answer {
        self.begin(&[]);
        if grant.amount <= 0 {
            return Err(invalid("amount"));
        }
        if grant.expires_at.is_some_and(|at| at <= self.now) {
            return Err(invalid("expiresAt"));
        }
        if self.issued + grant.amount > MOST {
            return Err(invalid("amount"));
        }
        if self.archived_at(grant.organization).is_some() {
            return Err(refused("CONFLICT"));
        }
        self.issued += grant.amount;
        let priority = grant.priority.unwrap_or(PRIORITY);
        let kind = Kind { origin: grant.origin, priority, expires_at: grant.expires_at };
        self.put(grant.organization, grant.environment, kind, grant.amount);
        self.look_at_refills();
        Ok(json!({
            "transaction": { "kind": "GRANT", "amount": grant.amount },
            "wallet": self.shown(grant.organization, grant.environment),
            "replayed": false,
        }))
    }

    pub(super) fn transfer(&mut self, actor: Actor, source: Serial, target: Serial, amount: i64) -> Answer {
        self.begin(&[]);
        let environment = self.environment(actor, None)?;
        if amount <= 0 {
            return Err(invalid("amount"));
        }
        if source == target {
            return Err(invalid("targetOrganizationId"));
        }
        if self.archived_at(source).is_some() || self.archived_at(target).is_some() {
            return Err(refused("CONFLICT"));
        }
        let prepaid = |id| self.organization(id).billing_mode == BillingMode::Prepaid;
        if prepaid(source) != prepaid(target) {
            return Err(refused("BILLING_MODE_MISMATCH"));
        }
        if self.available(source, environment) < amount {
            return Err(self.short(source, environment, amount, &[source]));
        }
        let parts = self.draw(source, environment, amount);
        self.shift(&parts, target);
        self.look_at_refills();
        Ok(json!({
            "transaction": { "kind": "TRANSFER", "amount": amount },
            "sourceWallet": self.shown(source, environment),
            "targetWallet": self.shown(target, environment),
            "replayed": false,
        }))
    }

    /// Ends an organization, and everything below it when told so.
    pub(super) fn archive(&mut self, actor: Actor, id: Serial, cascade: bool) -> Answer {
        if self.organization(id).archived {
            return Err(refused("CONFLICT"));
        }
        if self.is_own(actor, id) {
            return Err(refused("FORBIDDEN_SCOPE"));
        }
        let mut members = vec![id];
        let below =
            |other: &Serial| *other != id && self.path(*other).contains(&id) && !self.organization(*other).archived;
        members.extend(self.organizations.keys().copied().filter(below));
        if members.len() > 1 && !cascade {
            return Err(crate::oracle::rules::refusal::refused_at("HAS_ACTIVE_CHILDREN", "cascade"));
        }
        let now = self.now;
        let mut revoked = 0;
        for key in self.keys.values_mut().filter(|key| members.contains(&key.organization) && !key.revoked) {
            key.revoked = true;
            revoked += i64::from(key.expires_at.is_none_or(|at| at > now));
        }
        let mut reclaimed = 0;
        self.begin(&[]);
        if let Some(home) = self.organization(id).parent {
            for member in &members {
                self.begin_decision();
                let amount = self.available(*member, Environment::Live);
                let parts = self.draw(*member, Environment::Live, amount);
                self.shift(&parts, home);
                reclaimed += amount;
                // What is taken away is not refilled.
                self.looked_at.insert(*member);
                self.look_at_refills();
            }
        }
        let mut pending = 0;
        for member in &members {
            pending += self.shown(*member, Environment::Live)["held"].as_i64().expect("a sum");
            let member = self.organization_mut(*member);
            member.archived = true;
            member.version += 1;
        }
        let mut answer = self.shown_organization(id);
        answer["reclaimedCredits"] = json!(reclaimed);
        answer["revokedApiKeys"] = json!(revoked);
        answer["pendingReclaim"] = json!(pending);
        Ok(answer)
    }

    /// An organization as mutations show it.
    pub(super) fn shown_organization(&self, id: Serial) -> Value {
        let version = self.organization(id).version;
        json!({ "organization": { "id": crate::oracle::command::organization(id), "version": version } })
    }
}
