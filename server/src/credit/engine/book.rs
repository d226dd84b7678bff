//! The state that decisions are made from: what was loaded for a batch of requests of one realm.
//!
//! What to load for a request: the organizations it names, those of the legs of its hold and the
//! one of its key family, each with all ancestors; the wallets of all of them in the environment,
//! with every bucket that is not empty, and those the legs name even when empty; the counters of
//! the current months. An absent counter is zero, and an absent wallet of an ancestor is empty; an
//! empty bucket may be left out, then credits of its kind get a new one. Where organization or
//! wallet is missing that a request is about, it is refused as `NOT_FOUND`. After loading, only
//! [`Book::apply`] changes what a book says; more may be loaded into it between decisions, and what no
//! request names any more may be let go.

use std::cmp::Ordering;
use std::collections::HashMap;

use entity::credits::Credits;
use entity::id::{BucketId, HoldId, KeyFamilyId, OrganizationId, WalletId};
use entity::timestamp::Timestamp;
use jiff::tz::TimeZone;

use super::decision::{Decision, HoldChange};
use super::month::Month;
use super::request::{Note, Price};
use super::terms::{BillingMode, Environment, Funding, HoldStatus, Origin, RefillState};

/// The state of one realm, as far as it was loaded.
#[derive(Clone, Debug, Default)]
pub struct Book {
    organizations: HashMap<OrganizationId, Organization>,
    families: HashMap<KeyFamilyId, KeyFamily>,
    wallets: HashMap<(OrganizationId, Environment), Wallet>,
    counters: HashMap<(Environment, Counter), Credits>,
    holds: HashMap<HoldId, Hold>,
    issued_total: Option<Credits>,
}

/// What the rules need of an organization.
#[derive(Clone, Debug)]
pub struct Organization {
    pub id: OrganizationId,
    pub parent: Option<OrganizationId>,
    /// By itself, not through an ancestor.
    pub archived: bool,
    /// By itself, not through an ancestor.
    pub suspended: bool,
    pub billing_mode: BillingMode,
    /// See [`super::month::time_zone`].
    pub time_zone: TimeZone,
    /// The setting of the edge to the parent; absent, the parent's default for its children.
    pub funding: Option<Funding>,
    /// The default for the children's edges.
    pub pool: CreditPoolConfig,
    /// What it keeps when it pays for others.
    pub minimum_reserve: Credits,
    pub limits: Limits,
}

/// How the children of an organization are funded unless their own edge says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CreditPoolConfig {
    pub primary_covers_secondary: bool,
    /// Moot when `primary_covers_secondary` is set.
    pub fallback_to_primary: bool,
}

/// The limits of an organization; absent means none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    pub monthly_credit_cap: Option<Credits>,
    pub subtree_monthly_cap: Option<Credits>,
    /// Set together with `refill_amount`, or refills are off.
    pub refill_threshold: Option<Credits>,
    pub refill_amount: Option<Credits>,
    pub refill_monthly_ceiling: Option<Credits>,
}

/// All keys that rotations made from one.
#[derive(Clone, Copy, Debug)]
pub struct KeyFamily {
    pub id: KeyFamilyId,
    /// Whose key it is; the limit's months are of its time zone.
    pub organization: OrganizationId,
    pub monthly_limit: Option<Credits>,
}

/// An organization's credits in one environment.
#[derive(Clone, Debug)]
pub struct Wallet {
    pub id: WalletId,
    pub organization: OrganizationId,
    pub environment: Environment,
    /// One more with every decision that touches it.
    pub version: i64,
    /// The sum of the buckets' balances, also of buckets that were not loaded.
    pub balance: Credits,
    /// The sum of the buckets' held.
    pub held: Credits,
    pub refill: RefillState,
    /// In the order they are spent; [`Book::insert_wallet`] sees to it.
    pub buckets: Vec<Bucket>,
}

/// Credits of one origin, priority and expiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    pub id: BucketId,
    pub origin: Origin,
    /// Lower is spent first.
    pub priority: i32,
    /// From this instant on it can not be spent; what is held of it still settles.
    pub expires_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub balance: Credits,
    pub held: Credits,
}

/// A reservation, and after its capture the charge it became.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    pub id: HoldId,
    pub organization: OrganizationId,
    pub environment: Environment,
    pub amount: Credits,
    pub captured: Credits,
    pub refunded: Credits,
    pub status: HoldStatus,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub settled_at: Option<Timestamp>,
    pub family: Option<KeyFamilyId>,
    /// Where it counts as use, by the months it was taken in. What returns is taken off there.
    pub counted: Vec<Counter>,
    /// Who pays, fixed when it is taken, in the order of payment.
    pub legs: Vec<Leg>,
    /// The price it was taken at, when it was asked for by meter.
    pub price: Option<Price>,
    pub note: Note,
}

/// What one bucket gives to a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leg {
    pub organization: OrganizationId,
    pub wallet: WalletId,
    pub bucket: BucketId,
    pub amount: Credits,
    pub captured: Credits,
    pub refunded: Credits,
}

/// One month's use of one subject, in the environment it is kept under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Counter {
    pub subject: CounterSubject,
    pub month: Month,
}

/// What use is counted of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CounterSubject {
    /// Spend of the organization itself, whoever paid.
    Own(OrganizationId),
    /// Spend of the organization and all below it. LIVE only.
    Subtree(OrganizationId),
    /// Spend asked for by keys of the family.
    Family(KeyFamilyId),
    /// Credits the organization got by refill; not spend. LIVE only.
    Refill(OrganizationId),
}

impl Bucket {
    /// What is posted and not held, whether or not it has expired. May be negative.
    pub fn unheld(&self) -> Credits {
        self.balance.saturating_sub(self.held)
    }

    /// Whether its time is up at `now`.
    pub fn expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }

    /// Priority, then what expires soonest, then age. The id makes the order total.
    pub fn spend_order(&self, other: &Self) -> Ordering {
        let expiry = |bucket: &Self| bucket.expires_at.map_or((1, 0), |at| (0, at.as_micros()));
        self.priority
            .cmp(&other.priority)
            .then_with(|| expiry(self).cmp(&expiry(other)))
            .then_with(|| self.created_at.cmp(&other.created_at))
            .then_with(|| self.id.cmp(&other.id))
    }
}

impl Wallet {
    /// Posted minus held, without what has expired at `now` and waits to be taken. May be negative;
    /// an overdraft of an expired bucket still counts.
    pub fn available(&self, now: Timestamp) -> Credits {
        let expired = self.buckets.iter().filter(|bucket| bucket.expired(now));
        expired.fold(self.balance.saturating_sub(self.held), |rest, bucket| {
            rest.saturating_sub(bucket.unheld().floor_zero())
        })
    }

    /// The bucket, if it is in this wallet and was loaded.
    pub fn bucket(&self, id: BucketId) -> Option<&Bucket> {
        self.buckets.iter().find(|bucket| bucket.id == id)
    }

    /// Puts a bucket where the order of spending wants it.
    pub(super) fn place(&mut self, bucket: Bucket) {
        let at = self.buckets.partition_point(|other| other.spend_order(&bucket).is_lt());
        self.buckets.insert(at, bucket);
    }
}

impl Hold {
    /// What it still counts for in its months.
    pub fn counts(&self) -> Credits {
        match self.status {
            HoldStatus::Open => self.amount,
            HoldStatus::Captured => self.refundable(),
            HoldStatus::Voided | HoldStatus::Expired => Credits::ZERO,
        }
    }

    /// What was captured and not refunded.
    pub fn refundable(&self) -> Credits {
        self.captured.saturating_sub(self.refunded)
    }
}

impl Book {
    /// A book of a realm that has issued `issued_total` so far, in both environments together.
    /// Only grants look at it.
    pub fn new(issued_total: Credits) -> Self {
        Self { issued_total: Some(issued_total), ..Self::default() }
    }

    /// Loads what the realm has issued.
    pub fn insert_issued_total(&mut self, issued_total: Credits) {
        self.issued_total = Some(issued_total);
    }

    /// Loads an organization.
    pub fn insert_organization(&mut self, organization: Organization) {
        self.organizations.insert(organization.id, organization);
    }

    /// Loads a key family.
    pub fn insert_family(&mut self, family: KeyFamily) {
        self.families.insert(family.id, family);
    }

    /// Loads a wallet.
    pub fn insert_wallet(&mut self, mut wallet: Wallet) {
        wallet.buckets.sort_unstable_by(Bucket::spend_order);
        self.wallets.insert((wallet.organization, wallet.environment), wallet);
    }

    /// Loads one more bucket into a wallet that was loaded without it, as empty ones are.
    pub fn insert_bucket(&mut self, organization: OrganizationId, environment: Environment, bucket: Bucket) {
        if let Some(wallet) = self.wallets.get_mut(&(organization, environment))
            && wallet.bucket(bucket.id).is_none()
        {
            wallet.place(bucket);
        }
    }

    /// Loads a counter.
    pub fn insert_counter(&mut self, environment: Environment, counter: Counter, used: Credits) {
        self.counters.insert((environment, counter), used);
    }

    /// Loads a hold.
    pub fn insert_hold(&mut self, hold: Hold) {
        self.holds.insert(hold.id, hold);
    }

    /// The organization, if loaded.
    pub fn organization(&self, id: OrganizationId) -> Option<&Organization> {
        self.organizations.get(&id)
    }

    /// The key family, if loaded.
    pub fn family(&self, id: KeyFamilyId) -> Option<&KeyFamily> {
        self.families.get(&id)
    }

    /// The wallet, if loaded.
    pub fn wallet(&self, organization: OrganizationId, environment: Environment) -> Option<&Wallet> {
        self.wallets.get(&(organization, environment))
    }

    /// All loaded wallets, in no order.
    pub fn wallets(&self) -> impl Iterator<Item = &Wallet> {
        self.wallets.values()
    }

    /// The hold, if loaded.
    pub fn hold(&self, id: HoldId) -> Option<&Hold> {
        self.holds.get(&id)
    }

    /// All loaded holds, in no order.
    pub fn holds(&self) -> impl Iterator<Item = &Hold> {
        self.holds.values()
    }

    /// What a counter stands at.
    pub fn used(&self, environment: Environment, counter: Counter) -> Credits {
        self.counters.get(&(environment, counter)).copied().unwrap_or_default()
    }

    /// All loaded counters, in no order.
    pub fn counters(&self) -> impl Iterator<Item = (Environment, Counter, Credits)> {
        self.counters.iter().map(|(&(environment, counter), &used)| (environment, counter, used))
    }

    /// What the realm has issued so far; zero when that was not loaded.
    pub fn issued_total(&self) -> Credits {
        self.issued_total.unwrap_or_default()
    }

    /// Whether it was loaded what the realm has issued.
    pub fn knows_issued_total(&self) -> bool {
        self.issued_total.is_some()
    }

    /// How many organizations and key families were loaded.
    pub fn size(&self) -> usize {
        self.organizations.len() + self.families.len()
    }

    /// Lets go of all holds.
    pub fn forget_holds(&mut self) {
        self.holds.clear();
    }

    /// Lets go of the empty buckets of a wallet.
    pub fn forget_empty_buckets(&mut self, organization: OrganizationId, environment: Environment) {
        if let Some(wallet) = self.wallets.get_mut(&(organization, environment)) {
            wallet.buckets.retain(|bucket| !bucket.balance.is_zero() || !bucket.held.is_zero());
        }
    }

    /// The organization and its ancestors, nearest first. Ends where nothing was loaded, and
    /// after `ANCESTORS_MAX` of them, should a cycle ever be loaded.
    pub fn path(&self, from: OrganizationId) -> impl Iterator<Item = &Organization> {
        std::iter::successors(self.organization(from), |below| {
            below.parent.and_then(|parent| self.organization(parent))
        })
        .take(super::ANCESTORS_MAX + 1)
    }

    /// Makes a decision part of the state. It must have been made from this very state.
    ///
    /// # Panics
    /// When a transaction does not sum to zero or the decision was made from another state: going
    /// on would book money that does not exist.
    pub fn apply(&mut self, decision: &Decision) {
        for transaction in &decision.transactions {
            transaction.assert_balanced();
        }
        for change in &decision.wallets {
            let wallet = self
                .wallets
                .get_mut(&(change.organization, change.environment))
                .expect("a decision changes only wallets of its book");
            assert_eq!(
                wallet.version.checked_add(1),
                Some(change.version),
                "a decision made from another state of {}",
                wallet.id
            );
            wallet.version = change.version;
            wallet.balance = change.balance;
            wallet.held = change.held;
            wallet.refill = change.refill;
            for changed in &change.buckets {
                if changed.opened {
                    wallet.place(changed.bucket);
                } else {
                    let bucket = wallet.buckets.iter_mut().find(|b| b.id == changed.bucket.id);
                    *bucket.expect("a decision changes only buckets of its book") = changed.bucket;
                }
            }
        }
        for change in &decision.counters {
            let used = self.counters.entry((change.environment, change.counter)).or_default();
            *used = used.checked_add(change.delta).expect("decide has added these before");
        }
        for change in &decision.holds {
            let (HoldChange::Opened(hold) | HoldChange::Updated(hold)) = change;
            self.holds.insert(hold.id, hold.clone());
        }
        if let Some(issued) = &mut self.issued_total {
            *issued = issued.checked_add(decision.issued).expect("decide has added these before");
        }
    }
}
