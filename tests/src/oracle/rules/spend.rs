//! Charges, holds and quotes (SPEC §5): status, then limits, then who pays.

use entity::kind::{Environment, FundingMode, HoldStatus};
use serde_json::{Value, json};

use crate::oracle::command::{self, Actor, Cost, Serial, Spend, instant};
use crate::oracle::rules::access::Need;
use crate::oracle::rules::refusal::{Answer, No, invalid, refused_at};
use crate::oracle::rules::state::{Hold, Leg, MOST, Oracle, Place, Subject};

/// A hold is open for this long when nobody says, and this long at most.
const OPEN_FOR: i32 = 15 * 60;
const OPEN_FOR_MOST: i32 = 7 * 24 * 3_600;

/// A spend that is allowed: everything but its effect.
struct Plan {
    organization: Serial,
    environment: Environment,
    amount: i64,
    price: Option<(String, i64, i64)>,
    places: Vec<Place>,
    legs: Vec<(usize, i64)>,
}

impl Oracle {
    pub(super) fn charge(&mut self, serial: Serial, actor: Actor, spend: &Spend) -> Answer {
        self.begin(&[]);
        let plan = self.plan(actor, spend)?;
        let (organization, environment) = (plan.organization, plan.environment);
        self.take(serial, plan, 0);
        let hold = self.holds.get_mut(&serial).expect("it was just taken");
        hold.status = HoldStatus::Captured;
        hold.captured = hold.amount;
        hold.settled_at = Some(self.now);
        for leg in &mut hold.legs {
            leg.captured = leg.amount;
        }
        for leg in hold.legs.clone() {
            self.change(leg.bucket, -leg.amount, 0);
        }
        self.look_at_refills();
        Ok(json!({
            "charge": self.shown_hold(serial),
            "wallet": self.shown(organization, environment),
            "replayed": false,
        }))
    }

    pub(super) fn hold(&mut self, serial: Serial, actor: Actor, spend: &Spend, seconds: Option<i32>) -> Answer {
        self.begin(&[]);
        self.readable_spend(actor, spend)?;
        let seconds = seconds.unwrap_or(OPEN_FOR);
        if seconds == 0 || seconds > OPEN_FOR_MOST {
            return Err(invalid("expiresInSeconds"));
        }
        let plan = self.plan(actor, spend)?;
        let (organization, environment) = (plan.organization, plan.environment);
        self.take(serial, plan, seconds);
        for leg in self.holds[&serial].legs.clone() {
            self.change(leg.bucket, 0, leg.amount);
        }
        self.look_at_refills();
        Ok(json!({
            "hold": self.shown_hold(serial),
            "wallet": self.shown(organization, environment),
            "replayed": false,
        }))
    }

    /// The decision of a charge without its effect. What is wrong with the caller is a top-level error of a query.
    pub(super) fn quote(&self, actor: Actor, spend: &Spend) -> Answer {
        let outright = |no: No| match no {
            No::Refused(error) => No::Failed(code_of(&error)),
            failed @ No::Failed(_) => failed,
        };
        let organization = self.about(actor, spend.organization).map_err(outright)?;
        self.may(actor, organization, Need::Read).map_err(outright)?;
        let environment = self.environment(actor, spend.environment).map_err(outright)?;
        let spendable = self.spendable(organization, environment);
        Ok(match self.plan(actor, spend) {
            Ok(plan) => {
                let legs = plan.legs.iter().map(|&(bucket, amount)| {
                    json!({
                        "organizationId": command::organization(self.buckets[bucket].organization),
                        "bucketId": command::bucket(bucket),
                        "amount": amount,
                    })
                });
                json!({
                    "allowed": true,
                    "amount": plan.amount,
                    "spendable": spendable,
                    "legs": legs.collect::<Vec<Value>>(),
                    "userErrors": [],
                })
            }
            Err(No::Refused(error)) => json!({
                "allowed": false, "amount": null, "spendable": spendable, "legs": [], "userErrors": [error],
            }),
            Err(failed) => return Err(failed),
        })
    }

    /// What has to be known of a spend before it can be weighed: whose credits, at which price.
    fn readable_spend(&self, actor: Actor, spend: &Spend) -> Result<(), No> {
        self.environment(actor, spend.environment)?;
        let organization = self.about(actor, spend.organization)?;
        match &spend.cost {
            Cost::Meter { key, .. } if self.meter_price(organization, key).is_none() => {
                Err(refused_at("UNKNOWN_METER", "meter"))
            }
            _ => Ok(()),
        }
    }

    fn plan(&self, actor: Actor, spend: &Spend) -> Result<Plan, No> {
        let organization = self.about(actor, spend.organization)?;
        self.readable_spend(actor, spend)?;
        let environment = self.environment(actor, spend.environment)?;
        let (amount, price) = match &spend.cost {
            Cost::Amount(amount) if *amount <= 0 => return Err(invalid("amount")),
            Cost::Amount(amount) => (*amount, None),
            Cost::Meter { key, quantity } => {
                let quantity = i64::from(quantity.unwrap_or(1));
                let unit = self.meter_price(organization, key).expect("it was looked for");
                let product = i128::from(unit) * i128::from(quantity);
                if quantity <= 0 || product > i128::from(MOST) {
                    return Err(invalid("quantity"));
                }
                (unit * quantity, Some((key.clone(), quantity, unit)))
            }
        };
        self.require_active(organization)?;
        let family = self.key(actor).map(|key| key.family);
        let places = self.places(organization, environment, family);
        self.require_room(&places, environment, amount)?;
        let legs = self.payers_of(organization, environment, amount)?;
        Ok(Plan { organization, environment, amount, price, places, legs })
    }

    fn take(&mut self, serial: Serial, plan: Plan, open_for: i32) {
        let leg = |(bucket, amount)| Leg { bucket, amount, captured: 0, refunded: 0 };
        let hold = Hold {
            organization: plan.organization,
            environment: plan.environment,
            amount: plan.amount,
            captured: 0,
            refunded: 0,
            status: HoldStatus::Open,
            created_at: self.now,
            expires_at: self.now + i64::from(open_for),
            settled_at: None,
            price: plan.price,
            legs: plan.legs.into_iter().map(leg).collect(),
            places: plan.places,
        };
        self.holds.insert(serial, hold);
    }

    /// An archive anywhere on the path comes before a suspension.
    fn require_active(&self, organization: Serial) -> Result<(), No> {
        let status = |code: &str, at: Serial, status: &str| {
            No::Refused(json!({
                "__typename": "OrganizationStatusError",
                "code": code,
                "path": [],
                "organizationId": command::organization(at),
                "effectiveStatus": status,
            }))
        };
        if let Some(at) = self.archived_at(organization) {
            return Err(status("ORGANIZATION_ARCHIVED", at, "ARCHIVED"));
        }
        match self.suspended_at(organization) {
            Some(at) => Err(status("ORGANIZATION_SUSPENDED", at, "SUSPENDED")),
            None => Ok(()),
        }
    }

    /// Where a spend counts, in the order in which limits are looked at.
    fn places(&self, organization: Serial, environment: Environment, family: Option<Serial>) -> Vec<Place> {
        let mut places = vec![Place { of: Subject::Own(organization), month: self.month(organization) }];
        if environment == Environment::Live {
            for step in self.path(organization) {
                places.push(Place { of: Subject::Subtree(step), month: self.month(step) });
            }
        }
        if let Some(family) = family {
            // A family is named by its first key.
            let owner = self.keys[&family].organization;
            places.push(Place { of: Subject::Family(family), month: self.month(owner) });
        }
        places
    }

    fn limit(&self, of: Subject) -> Option<i64> {
        match of {
            Subject::Own(id) => self.organization(id).own_cap,
            Subject::Subtree(id) => self.organization(id).subtree_cap,
            Subject::Family(family) => self.family_limits.get(&family).copied(),
        }
    }

    /// All that holds and charges count for at a place.
    pub fn used(&self, place: Place, environment: Environment) -> i64 {
        let here = |hold: &&Hold| hold.environment == environment && hold.places.contains(&place);
        self.holds.values().filter(here).map(Hold::counts).sum()
    }

    fn require_room(&self, places: &[Place], environment: Environment, amount: i64) -> Result<(), No> {
        for place in places {
            let Some(cap) = self.limit(place.of) else { continue };
            let used = self.used(*place, environment);
            if used + amount <= cap {
                continue;
            }
            let (limit, id, calendar) = match place.of {
                Subject::Own(id) => ("MONTHLY", command::organization(id), id),
                Subject::Subtree(id) => ("SUBTREE", command::organization(id), id),
                Subject::Family(family) => ("KEY_FAMILY", command::family(family), self.keys[&family].organization),
            };
            return Err(No::Refused(json!({
                "__typename": "CapExceededError",
                "code": "CAP_EXCEEDED",
                "path": [],
                "limit": limit,
                "limitId": id,
                "cap": cap,
                "used": used,
                "requested": amount,
                "resetsAt": instant(self.month_end(calendar)),
            })));
        }
        Ok(())
    }

    /// Who pays for an organization, by its own edge, else by what its parent says for all its children.
    pub fn funding(&self, organization: Serial) -> FundingMode {
        let organization = self.organization(organization);
        let Some(parent) = organization.parent else { return FundingMode::Isolated };
        let parent = self.organization(parent);
        match organization.funding {
            Some(mode) => mode,
            None if parent.covers => FundingMode::Pooled,
            None if parent.falls_back => FundingMode::Fallback,
            None => FundingMode::Isolated,
        }
    }

    /// Whose wallets are asked, in order.
    pub fn payers(&self, organization: Serial, environment: Environment) -> Vec<Serial> {
        if environment == Environment::Test {
            return vec![organization];
        }
        let mut payers = Vec::new();
        let mut asked = organization;
        while self.funding(asked) == FundingMode::Fallback {
            payers.push(asked);
            asked = self.organization(asked).parent.expect("a root is isolated");
        }
        // The last one asked is isolated or pooled, and a pooled one has its pool's owner pay.
        while self.funding(asked) == FundingMode::Pooled {
            asked = self.organization(asked).parent.expect("a root is isolated");
        }
        payers.push(asked);
        payers
    }

    /// What a payer could give for somebody's spend: for others it keeps its reserve.
    fn share(&self, payer: Serial, spender: Serial, environment: Environment) -> i64 {
        let reserve = if payer == spender { 0 } else { self.organization(payer).reserve };
        (self.available(payer, environment) - reserve).max(0)
    }

    fn payers_of(&self, organization: Serial, environment: Environment, amount: i64) -> Result<Vec<(usize, i64)>, No> {
        let payers = self.payers(organization, environment);
        let mut legs = Vec::new();
        let mut missing = amount;
        for payer in &payers {
            let part = self.share(*payer, organization, environment).min(missing);
            legs.extend(self.draw(*payer, environment, part));
            missing -= part;
        }
        if missing == 0 { Ok(legs) } else { Err(self.short(organization, environment, amount, &payers)) }
    }

    /// The refusal for an amount that the payers do not have.
    pub(super) fn short(&self, spender: Serial, environment: Environment, amount: i64, payers: &[Serial]) -> No {
        let shares: Vec<i64> = payers.iter().map(|payer| self.share(*payer, spender, environment)).collect();
        let available: Vec<i64> = payers.iter().map(|payer| self.available(*payer, environment)).collect();
        let spendable: i64 = shares.iter().sum();
        let but_for_reserves = available.iter().sum::<i64>() >= amount;
        let told: Vec<Value> = (0..payers.len())
            .map(|at| {
                json!({
                    "organizationId": command::organization(payers[at]),
                    "available": available[at],
                    "spendable": shares[at],
                })
            })
            .collect();
        No::Refused(json!({
            "__typename": "InsufficientCreditsError",
            "code": if but_for_reserves { "RESERVE_PROTECTED" } else { "INSUFFICIENT_CREDITS" },
            "path": [],
            "required": amount,
            "spendable": spendable,
            "shortfall": amount - spendable,
            "payers": told,
        }))
    }

    /// What a charge could take now, but for the limit of a key.
    pub fn spendable(&self, organization: Serial, environment: Environment) -> i64 {
        if self.require_active(organization).is_err() {
            return 0;
        }
        let payers = self.payers(organization, environment);
        let mut most: i64 = payers.iter().map(|payer| self.share(*payer, organization, environment)).sum();
        for place in self.places(organization, environment, None) {
            if let Some(cap) = self.limit(place.of) {
                most = most.min(cap - self.used(place, environment));
            }
        }
        most.max(0)
    }
}

/// The codes that a query about credits can fail with.
fn code_of(error: &Value) -> &'static str {
    let codes = ["NOT_FOUND", "FORBIDDEN_SCOPE", "INVALID_INPUT"];
    codes.into_iter().find(|code| error["code"] == *code).expect("a code of access")
}
