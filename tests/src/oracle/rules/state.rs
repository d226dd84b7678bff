//! What the oracle knows of a world: lists, and nothing that could be counted from them.

use std::collections::{BTreeMap, BTreeSet};

use entity::kind::{BillingMode, BucketOrigin, Delegation, Environment, FundingMode, HoldStatus, StarvedReason};

use crate::oracle::command::{Act, Actor, Serial};

/// The most credits there are: 2^53−1.
pub const MOST: i64 = 9_007_199_254_740_991;

#[derive(Clone, Debug)]
pub struct Organization {
    pub parent: Option<Serial>,
    pub archived: bool,
    /// Whose suspensions stand: an organization's, or nobody's for the operator.
    pub suspended_by: BTreeSet<Option<Serial>>,
    pub billing_mode: BillingMode,
    pub zone: &'static str,
    pub delegation: Vec<Delegation>,
    /// Whether it was detached once: its tier then gets no children.
    pub free: bool,
    /// Of its own edge; without one the parent's default stands.
    pub funding: Option<FundingMode>,
    pub covers: bool,
    pub falls_back: bool,
    pub reserve: i64,
    pub own_cap: Option<i64>,
    pub subtree_cap: Option<i64>,
    pub threshold: Option<i64>,
    pub amount: Option<i64>,
    pub ceiling: Option<i64>,
    pub refill: Refill,
    pub version: i64,
}

/// Where the refill of a LIVE wallet stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refill {
    Armed,
    Fired,
    Starved(StarvedReason),
}

#[derive(Clone, Debug)]
pub struct Key {
    pub organization: Serial,
    pub environment: Environment,
    /// Whether it may do everything; otherwise it may spend.
    pub all: bool,
    pub family: Serial,
    pub expires_at: Option<i64>,
    pub superseded: bool,
    pub revoked: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    pub origin: BucketOrigin,
    pub priority: i32,
    pub expires_at: Option<i64>,
}

/// Buckets stay in the list for ever, in the order they were opened.
#[derive(Clone, Debug)]
pub struct Bucket {
    pub organization: Serial,
    pub environment: Environment,
    pub kind: Kind,
    pub created_at: i64,
    pub balance: i64,
    pub held: i64,
    /// Whether credits of its kind still go into it. An empty bucket is forgotten: credits of its kind open a new one,
    /// unless a hold that is being settled names it.
    pub remembered: bool,
}

#[derive(Clone, Debug)]
pub struct Hold {
    pub organization: Serial,
    pub environment: Environment,
    pub amount: i64,
    pub captured: i64,
    pub refunded: i64,
    pub status: HoldStatus,
    pub created_at: i64,
    pub expires_at: i64,
    pub settled_at: Option<i64>,
    pub price: Option<(String, i64, i64)>,
    pub legs: Vec<Leg>,
    /// The months it counts in, fixed when it was taken.
    pub places: Vec<Place>,
}

#[derive(Clone, Debug)]
pub struct Leg {
    pub bucket: usize,
    pub amount: i64,
    pub captured: i64,
    pub refunded: i64,
}

/// Whose use of credits is counted, and in which month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub of: Subject,
    pub month: (i16, i8),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    Own(Serial),
    Subtree(Serial),
    Family(Serial),
}

/// Credits that came by refill.
#[derive(Clone, Debug)]
pub struct Refilled {
    pub organization: Serial,
    pub month: (i16, i8),
    pub amount: i64,
}

/// What was answered to an idempotency key, and until when it is answered again.
#[derive(Clone, Debug)]
pub struct Answered {
    pub act: Act,
    pub answer: serde_json::Value,
    pub until: i64,
}

/// A world as the rules say it is.
#[derive(Clone, Debug, Default)]
pub struct Oracle {
    /// In seconds from 1970.
    pub now: i64,
    pub organizations: BTreeMap<Serial, Organization>,
    pub keys: BTreeMap<Serial, Key>,
    /// Spend limits of key families that have one.
    pub family_limits: BTreeMap<Serial, i64>,
    /// Prices in each root's catalogue.
    pub meters: BTreeMap<(Serial, String), i64>,
    pub buckets: Vec<Bucket>,
    pub holds: BTreeMap<Serial, Hold>,
    pub refills: Vec<Refilled>,
    /// All that was ever granted in this realm, play credits included.
    pub issued: i64,
    pub answers: BTreeMap<(Actor, &'static str, Serial), Answered>,
    /// Whether the commands at hand share one transaction.
    pub(super) together: bool,
    /// LIVE wallets that the command at hand has touched, in that order.
    pub(super) touched: Vec<Serial>,
    /// Those of them whose refill was looked at.
    pub(super) looked_at: BTreeSet<Serial>,
    /// Those of them that were refilled.
    pub(super) refilled: BTreeSet<Serial>,
}

impl Hold {
    /// What it counts for in its months: what is reserved or spent.
    pub fn counts(&self) -> i64 {
        match self.status {
            HoldStatus::Open => self.amount,
            HoldStatus::Captured => self.captured - self.refunded,
            HoldStatus::Voided | HoldStatus::Expired => 0,
        }
    }
}

impl Oracle {
    /// An empty world.
    pub fn at(now: i64) -> Self {
        Self { now, ..Self::default() }
    }

    pub fn organization(&self, serial: Serial) -> &Organization {
        &self.organizations[&serial]
    }

    pub(super) fn organization_mut(&mut self, serial: Serial) -> &mut Organization {
        self.organizations.get_mut(&serial).expect("the generator names what there is")
    }

    /// The organization, its parent, and so on up to the root.
    pub fn path(&self, serial: Serial) -> Vec<Serial> {
        let mut path = vec![serial];
        while let Some(parent) = self.organization(path[path.len() - 1]).parent {
            path.push(parent);
        }
        path
    }

    /// The price of a meter where an organization is.
    pub(super) fn meter_price(&self, of: Serial, key: &str) -> Option<i64> {
        let path = self.path(of);
        self.meters.get(&(path[path.len() - 1], key.to_owned())).copied()
    }

    /// The nearest archived organization on the path.
    pub fn archived_at(&self, serial: Serial) -> Option<Serial> {
        self.path(serial).into_iter().find(|step| self.organization(*step).archived)
    }

    /// The nearest suspended organization on the path.
    pub fn suspended_at(&self, serial: Serial) -> Option<Serial> {
        self.path(serial).into_iter().find(|step| !self.organization(*step).suspended_by.is_empty())
    }

    /// Year and month of the organization's calendar.
    pub fn month(&self, serial: Serial) -> (i16, i8) {
        let day = self.here(serial).date();
        (day.year(), day.month())
    }

    /// When that month ends: the first instant of the next month's first day.
    pub fn month_end(&self, serial: Serial) -> i64 {
        let day = self.here(serial).date();
        let (year, month) = if day.month() == 12 { (day.year() + 1, 1) } else { (day.year(), day.month() + 1) };
        let zone = jiff::tz::TimeZone::get(self.organization(serial).zone).expect("a known zone");
        jiff::civil::date(year, month, 1).to_zoned(zone).expect("an instant").timestamp().as_second()
    }

    fn here(&self, serial: Serial) -> jiff::Zoned {
        let at = jiff::Timestamp::from_second(self.now).expect("an instant");
        at.in_tz(self.organization(serial).zone).expect("a known zone")
    }
}
