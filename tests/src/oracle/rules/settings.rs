//! Organizations, keys, meters and settings: what the rules of credits depend on.

use std::collections::BTreeSet;

use entity::kind::{BillingMode, BucketOrigin, Delegation, Environment, FundingMode, Relation};
use serde_json::json;

use crate::oracle::command::{self, Act, Actor, Change, Funding, Limits, Serial};
use crate::oracle::rules::refusal::{Answer, No, invalid, refused, refused_at};
use crate::oracle::rules::state::{Key, Kind, MOST, Oracle, Organization, Refill};

/// What every organization's TEST wallet starts with.
const PLAY_CREDITS: i64 = 1_000_000;
/// How long a rotated key works on.
const GRACE: i64 = 24 * 3_600;

impl Oracle {
    pub(super) fn create(&mut self, serial: Serial, act: &Act) -> Answer {
        let Act::Create { parent, zone, billing_mode, relation } = act else { unreachable!("it is a creation") };
        if let Some(at) = parent.and_then(|parent| self.archived_at(parent)) {
            return Err(No::Refused(json!({
                "__typename": "OrganizationStatusError",
                "code": "ORGANIZATION_ARCHIVED",
                "path": [],
                "organizationId": command::organization(at),
                "effectiveStatus": "ARCHIVED",
            })));
        }
        if parent.is_some_and(|parent| self.organization(parent).free) {
            return Err(refused_at("ENTERPRISE_ONLY", "parentId"));
        }
        if self.issued + PLAY_CREDITS > MOST {
            return Err(invalid("amount"));
        }
        let above = parent.map(|parent| self.organization(parent).clone());
        let inherited = above.as_ref().map_or((BillingMode::Hybrid, "UTC"), |above| (above.billing_mode, above.zone));
        let delegation = match relation {
            Some(Relation::Linked) => vec![Delegation::Billing],
            _ => vec![Delegation::Billing, Delegation::DataRead, Delegation::DataWrite],
        };
        let organization = Organization {
            parent: *parent,
            archived: false,
            suspended_by: BTreeSet::new(),
            billing_mode: billing_mode.unwrap_or(inherited.0),
            zone: zone.unwrap_or(inherited.1),
            delegation,
            free: false,
            funding: None,
            covers: false,
            falls_back: false,
            reserve: 0,
            own_cap: None,
            subtree_cap: None,
            threshold: None,
            amount: None,
            ceiling: None,
            refill: Refill::Armed,
            version: 1,
        };
        self.organizations.insert(serial, organization);
        self.issued += PLAY_CREDITS;
        self.begin(&[]);
        let kind = Kind { origin: BucketOrigin::Promotional, priority: 100, expires_at: None };
        self.put(serial, Environment::Test, kind, PLAY_CREDITS);
        Ok(self.shown_organization(serial))
    }

    pub(super) fn mint(&mut self, serial: Serial, act: &Act) -> Answer {
        let &Act::Mint { organization, environment, all, spend_limit } = act else { unreachable!("it is a mint") };
        if self.organization(organization).archived {
            return Err(refused("CONFLICT"));
        }
        let (family, expires_at, superseded, revoked) = (serial, None, false, false);
        self.keys.insert(serial, Key { organization, environment, all, family, expires_at, superseded, revoked });
        if let Some(limit) = spend_limit {
            self.family_limits.insert(serial, limit);
        }
        Ok(Self::shown_key(serial, serial))
    }

    pub(super) fn rotate(&mut self, serial: Serial, old: Serial) -> Answer {
        let key = self.keys[&old].clone();
        let ended = key.expires_at.is_some_and(|at| at <= self.now);
        if key.revoked || key.superseded || ended {
            return Err(refused_at("CONFLICT", "apiKeyId"));
        }
        let family = key.family;
        self.keys.insert(serial, key);
        let now = self.now;
        let old = self.keys.get_mut(&old).expect("it was found");
        old.superseded = true;
        old.expires_at = Some(now + GRACE);
        Ok(Self::shown_key(serial, family))
    }

    fn shown_key(key: Serial, family: Serial) -> serde_json::Value {
        json!({ "secret": "@secret", "apiKey": { "id": command::key(key), "familyId": command::family(family) } })
    }

    pub(super) fn meter(&mut self, organization: Serial, key: &str, credits: i64) -> Answer {
        if self.organization(organization).parent.is_some() {
            return Err(refused("FORBIDDEN_SCOPE"));
        }
        if credits <= 0 {
            return Err(invalid("credits"));
        }
        self.meters.insert((organization, key.to_owned()), credits);
        Ok(json!({ "meter": { "key": key, "credits": credits } }))
    }

    pub(super) fn fund(&mut self, actor: Actor, funding: &Funding) -> Answer {
        let own = self.is_own(actor, funding.organization);
        let organization = self.organization_mut(funding.organization);
        if organization.archived {
            return Err(refused("CONFLICT"));
        }
        if funding.mode != Change::<FundingMode>::Keep {
            if organization.parent.is_none() {
                return Err(refused_at("CONFLICT", "mode"));
            }
            if own {
                return Err(refused_at("FORBIDDEN_SCOPE", "mode"));
            }
        }
        if funding.reserve.is_some_and(|reserve| reserve < 0) {
            return Err(invalid("minimumReserve"));
        }
        organization.funding = funding.mode.or(organization.funding);
        organization.covers = funding.covers.unwrap_or(organization.covers);
        organization.falls_back = funding.falls_back.unwrap_or(organization.falls_back);
        organization.reserve = funding.reserve.unwrap_or(organization.reserve);
        organization.version += 1;
        Ok(self.shown_organization(funding.organization))
    }

    pub(super) fn limit_to(&mut self, actor: Actor, limits: &Limits) -> Answer {
        let own = self.is_own(actor, limits.organization);
        let old = self.organization(limits.organization);
        if old.archived {
            return Err(refused("CONFLICT"));
        }
        if own && old.parent.is_some() {
            return Err(refused("FORBIDDEN_SCOPE"));
        }
        let mut new = old.clone();
        new.own_cap = limits.own_cap.or(old.own_cap);
        new.subtree_cap = limits.subtree_cap.or(old.subtree_cap);
        new.threshold = limits.threshold.or(old.threshold);
        new.amount = limits.amount.or(old.amount);
        new.ceiling = limits.ceiling.or(old.ceiling);
        new.version += 1;
        if new.threshold.is_some() != new.amount.is_some() {
            let missing = if new.amount.is_none() { "refillAmount" } else { "refillThreshold" };
            return Err(refused_at("REFILL_REQUIRES_THRESHOLD_AND_AMOUNT", missing));
        }
        for (limit, field) in [
            (new.own_cap, "monthlyCreditCap"),
            (new.subtree_cap, "subtreeMonthlyCap"),
            (new.threshold, "refillThreshold"),
            (new.ceiling, "refillMonthlyCeiling"),
        ] {
            if limit.is_some_and(|limit| limit < 0) {
                return Err(invalid(field));
            }
        }
        if new.amount.is_some_and(|amount| amount <= 0) {
            return Err(invalid("refillAmount"));
        }
        self.organizations.insert(limits.organization, new);
        self.rearm(limits.organization);
        Ok(self.shown_organization(limits.organization))
    }

    pub(super) fn update(&mut self, act: &Act) -> Answer {
        let &Act::Update { organization: id, zone, billing_mode, stale } = act else { unreachable!("an update") };
        let organization = self.organization_mut(id);
        if organization.archived {
            return Err(refused("CONFLICT"));
        }
        if stale {
            let current = organization.version;
            return Err(No::Refused(json!({
                "__typename": "StaleVersionError",
                "code": "STALE_VERSION",
                "path": ["input", "expectedVersion"],
                "expectedVersion": current - 1,
                "currentVersion": current,
            })));
        }
        organization.zone = zone.unwrap_or(organization.zone);
        organization.billing_mode = billing_mode.unwrap_or(organization.billing_mode);
        organization.version += 1;
        Ok(self.shown_organization(id))
    }

    pub(super) fn delegate(&mut self, actor: Actor, id: Serial, wanted: &[Delegation]) -> Answer {
        let may_widen = self.is_own(actor, id);
        let organization = self.organization_mut(id);
        if organization.parent.is_none() || organization.archived {
            return Err(refused("CONFLICT"));
        }
        if !may_widen && wanted.iter().any(|one| !organization.delegation.contains(one)) {
            return Err(refused_at("FORBIDDEN_SCOPE", "delegation"));
        }
        if wanted.iter().all(|one| organization.delegation.contains(one))
            && organization.delegation.iter().all(|one| wanted.contains(one))
        {
            return Ok(self.shown_organization(id));
        }
        organization.delegation = wanted.to_vec();
        organization.version += 1;
        Ok(self.shown_organization(id))
    }

    pub(super) fn suspend(&mut self, actor: Actor, id: Serial) -> Answer {
        let own = self.is_own(actor, id);
        let holder = self.key(actor).map(|key| key.organization);
        let organization = self.organization_mut(id);
        if organization.archived {
            return Err(refused("CONFLICT"));
        }
        if own {
            return Err(refused("FORBIDDEN_SCOPE"));
        }
        organization.suspended_by.insert(holder);
        Ok(self.shown_organization(id))
    }

    pub(super) fn resume(&mut self, actor: Actor, id: Serial) -> Answer {
        let holder = self.key(actor).map(|key| key.organization);
        if self.organization(id).archived {
            return Err(refused("CONFLICT"));
        }
        // Its own, and those of organizations that are above it no more.
        let path = self.path(id);
        let stays = |of: &Option<Serial>| *of != holder && of.is_none_or(|of| path.contains(&of));
        let organization = self.organization_mut(id);
        let before = organization.suspended_by.len();
        organization.suspended_by.retain(stays);
        if organization.suspended_by.len() < before {
            self.rearm(id);
        }
        Ok(self.shown_organization(id))
    }
}
