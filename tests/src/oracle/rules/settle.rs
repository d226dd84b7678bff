//! How holds end (SPEC §5): captured, voided, expired; and charges given back.

use entity::kind::HoldStatus;
use serde_json::{Value, json};

use crate::oracle::command::{self, Actor, Serial, instant};
use crate::oracle::rules::refusal::{Answer, No, invalid, refused, refused_at};
use crate::oracle::rules::state::{Hold, Leg, Oracle};

impl Oracle {
    /// What the legs of holds name.
    pub(super) fn named_by(&self, holds: &[Serial]) -> Vec<usize> {
        holds.iter().flat_map(|hold| self.holds[hold].legs.iter().map(|leg| leg.bucket)).collect()
    }

    /// A hold as somebody sees it who may spend there: a key sees those of its own environment.
    fn seen(&self, actor: Actor, hold: Serial) -> Result<Hold, No> {
        let found = self.holds[&hold].clone();
        match self.key(actor) {
            Some(key) if key.environment != found.environment => Err(refused("NOT_FOUND")),
            _ => Ok(found),
        }
    }

    pub(super) fn capture(&mut self, actor: Actor, id: Serial, amount: Option<i64>) -> Answer {
        self.begin(&self.named_by(&[id]));
        let hold = self.seen(actor, id)?;
        if amount.is_some_and(|amount| amount <= 0) {
            return Err(invalid("amount"));
        }
        if hold.status != HoldStatus::Open || hold.expires_at <= self.now {
            return Err(refused_at("CONFLICT", "holdId"));
        }
        let amount = amount.unwrap_or(hold.amount);
        if amount > hold.amount {
            return Err(invalid("amount"));
        }
        let mut missing = amount;
        let mut returned = Vec::new();
        let mut legs = hold.legs;
        for leg in &mut legs {
            leg.captured = leg.amount.min(missing);
            missing -= leg.captured;
            self.change(leg.bucket, -leg.captured, -leg.amount);
            returned.push((leg.bucket, leg.amount - leg.captured));
        }
        let now = self.now;
        let hold = self.holds.get_mut(&id).expect("it was seen");
        hold.legs = legs;
        hold.captured = amount;
        hold.status = HoldStatus::Captured;
        hold.settled_at = Some(now);
        // The last leg that was to pay is the first to get back.
        for (bucket, part) in returned.into_iter().rev() {
            self.came_back(bucket, part);
        }
        self.look_at_refills();
        Ok(self.settled(id))
    }

    pub(super) fn void(&mut self, actor: Actor, id: Serial) -> Answer {
        self.begin(&self.named_by(&[id]));
        let hold = self.seen(actor, id)?;
        if hold.status != HoldStatus::Open {
            return Err(refused_at("CONFLICT", "holdId"));
        }
        self.release(id, HoldStatus::Voided);
        Ok(self.settled(id))
    }

    /// What the worker does in one transaction: holds of one organization, one after the other.
    pub fn expire_holds(&mut self, ids: &[Serial]) {
        self.begin(&self.named_by(ids));
        for id in ids {
            self.begin_decision();
            self.release(*id, HoldStatus::Expired);
        }
    }

    /// The same for buckets of one organization.
    pub fn expire_buckets(&mut self, buckets: &[usize]) {
        self.begin(buckets);
        for bucket in buckets {
            self.begin_decision();
            self.lose(*bucket);
            self.look_at_refills();
        }
    }

    /// Open holds whose time is up.
    pub fn due_holds(&self) -> Vec<Serial> {
        let due = |hold: &Hold| hold.status == HoldStatus::Open && hold.expires_at <= self.now;
        self.holds.iter().filter(|(_, hold)| due(hold)).map(|(id, _)| *id).collect()
    }

    fn release(&mut self, id: Serial, status: HoldStatus) {
        let now = self.now;
        let hold = self.holds.get_mut(&id).expect("it was seen");
        hold.status = status;
        hold.settled_at = Some(now);
        for leg in hold.legs.clone().into_iter().rev() {
            self.change(leg.bucket, 0, -leg.amount);
            self.came_back(leg.bucket, leg.amount);
        }
        self.look_at_refills();
    }

    pub(super) fn refund(&mut self, actor: Actor, id: Serial, amount: Option<i64>) -> Answer {
        self.begin(&self.named_by(&[id]));
        let mut hold = self.seen(actor, id)?;
        if amount.is_some_and(|amount| amount <= 0) {
            return Err(invalid("amount"));
        }
        if hold.status != HoldStatus::Captured {
            return Err(refused_at("CONFLICT", "holdId"));
        }
        let left = hold.captured - hold.refunded;
        if left == 0 {
            return Err(refused("CONFLICT"));
        }
        let amount = amount.unwrap_or(left);
        if amount > left {
            return Err(invalid("amount"));
        }
        // The last leg that paid is the first to get back.
        let mut missing = amount;
        let mut given = Vec::new();
        for leg in hold.legs.iter_mut().rev() {
            let part = (leg.captured - leg.refunded).min(missing);
            if part > 0 {
                leg.refunded += part;
                missing -= part;
                self.change(leg.bucket, part, 0);
                given.push((leg.bucket, part));
            }
        }
        hold.refunded += amount;
        self.holds.insert(id, hold);
        for (bucket, part) in given {
            self.came_back(bucket, part);
        }
        self.look_at_refills();
        Ok(self.settled(id))
    }

    fn settled(&self, id: Serial) -> Value {
        let hold = &self.holds[&id];
        let wallet = self.shown(hold.organization, hold.environment);
        json!({ "hold": self.shown_hold(id), "wallet": wallet, "replayed": false })
    }

    /// A hold as it is shown.
    pub fn shown_hold(&self, id: Serial) -> Value {
        let hold = &self.holds[&id];
        let leg = |leg: &Leg| {
            json!({
                "organizationId": command::organization(self.buckets[leg.bucket].organization),
                "bucketId": command::bucket(leg.bucket),
                "amount": leg.amount,
                "captured": leg.captured,
                "refunded": leg.refunded,
            })
        };
        let (meter, quantity, unit) = match &hold.price {
            Some((meter, quantity, unit)) => (Some(meter), Some(quantity), Some(unit)),
            None => (None, None, None),
        };
        json!({
            "id": command::hold(id),
            "environment": hold.environment,
            "status": hold.status,
            "amount": hold.amount,
            "captured": hold.captured,
            "refunded": hold.refunded,
            "meter": meter,
            "quantity": quantity,
            "unitPrice": unit,
            "createdAt": instant(hold.created_at),
            "expiresAt": instant(hold.expires_at),
            "settledAt": hold.settled_at.map(instant),
            "legs": hold.legs.iter().map(leg).collect::<Vec<Value>>(),
        })
    }
}
