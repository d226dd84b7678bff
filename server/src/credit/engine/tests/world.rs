//! A small world to state examples in: organizations by letter, amounts as numbers, ids by count.

use std::time::Duration;

use entity::credits::Credits;
use entity::id::{BucketId, HoldId, KeyFamilyId, OrganizationId, WalletId};
use entity::timestamp::Timestamp;
use uuid::Uuid;

use crate::credit::engine::book::{
    Book, Bucket, Counter, CounterSubject, CreditPoolConfig, Hold, KeyFamily, Limits, Organization, Wallet,
};
use crate::credit::engine::check::{Difference, Recount};
use crate::credit::engine::decision::{Decision, Notice, Outcome, Transaction};
use crate::credit::engine::month::{Month, time_zone};
use crate::credit::engine::request::{Cost, Grant, Note, Spend, Transfer};
use crate::credit::engine::terms::{BillingMode, Environment, Funding, Origin, RefillState};
use crate::credit::engine::{IdSource, Refusal, Request, decide};

pub const LIVE: Environment = Environment::Live;
pub const TEST: Environment = Environment::Test;

/// Ids 1, 2, 3 and so on, far from those of organizations and wallets.
#[derive(Clone, Default)]
pub struct Count(u128);

impl IdSource for Count {
    fn next_uuid(&mut self) -> Uuid {
        self.0 += 1;
        Uuid::from_u128(self.0 << 32)
    }
}

pub fn credits(amount: i64) -> Credits {
    Credits::new(amount).expect("tests use amounts in range")
}

pub fn at(text: &str) -> Timestamp {
    text.parse().expect("tests use RFC 3339")
}

pub fn org(name: char) -> OrganizationId {
    Uuid::from_u128(u128::from(u32::from(name))).into()
}

pub fn family(name: char) -> KeyFamilyId {
    Uuid::from_u128(u128::from(u32::from(name))).into()
}

fn wallet_id(name: char, environment: Environment) -> WalletId {
    let test = u128::from(environment == TEST);
    Uuid::from_u128(u128::from(u32::from(name)) * 2 + test).into()
}

/// A book with a clock, an id source and everything that was ever posted.
pub struct World {
    pub book: Book,
    pub now: Timestamp,
    pub ids: Count,
    pub posted: Vec<Transaction>,
}

impl World {
    /// Organizations as `child<parent` or `root`, each with an empty wallet in both environments.
    /// All PREPAID in UTC, isolated, without limits.
    pub fn new(tree: &str) -> Self {
        let mut world = Self {
            book: Book::new(Credits::ZERO),
            now: at("2026-01-15T12:00:00Z"),
            ids: Count::default(),
            posted: Vec::new(),
        };
        for step in tree.split_whitespace() {
            let mut names = step.split('<').filter_map(|name| name.chars().next());
            let name = names.next().expect("a name");
            world.book.insert_organization(Organization {
                id: org(name),
                parent: names.next().map(org),
                archived: false,
                suspended: false,
                billing_mode: BillingMode::Prepaid,
                time_zone: time_zone("UTC"),
                funding: None,
                pool: CreditPoolConfig::default(),
                minimum_reserve: Credits::ZERO,
                limits: Limits::default(),
            });
            for environment in [LIVE, TEST] {
                world.book.insert_wallet(Wallet {
                    id: wallet_id(name, environment),
                    organization: org(name),
                    environment,
                    version: 1,
                    balance: Credits::ZERO,
                    held: Credits::ZERO,
                    refill: RefillState::Armed,
                    buckets: Vec::new(),
                });
            }
        }
        world
    }

    /// Changes an organization's settings.
    pub fn set(&mut self, name: char, change: impl FnOnce(&mut Organization)) -> &mut Self {
        let mut organization = self.book.organization(org(name)).expect("a known name").clone();
        change(&mut organization);
        self.book.insert_organization(organization);
        self
    }

    pub fn funding(&mut self, name: char, funding: Funding) -> &mut Self {
        self.set(name, |o| o.funding = Some(funding))
    }

    /// `threshold` and `amount` of a refill.
    pub fn refill(&mut self, name: char, threshold: i64, amount: i64) -> &mut Self {
        self.set(name, |o| {
            o.limits.refill_threshold = Some(credits(threshold));
            o.limits.refill_amount = Some(credits(amount));
        })
    }

    pub fn key(&mut self, name: char, owner: char, limit: Option<i64>) -> &mut Self {
        let monthly_limit = limit.map(credits);
        self.book.insert_family(KeyFamily { id: family(name), organization: org(owner), monthly_limit });
        self
    }

    /// Decides and applies.
    pub fn does(&mut self, request: &Request) -> Result<Decision, Refusal> {
        let decision = decide(&self.book, request, self.now, &mut self.ids)?;
        self.book.apply(&decision);
        self.posted.extend(decision.transactions.iter().cloned());
        Ok(decision)
    }

    pub fn grant(&mut self, name: char, amount: i64) -> BucketId {
        self.grant_until(name, amount, 0, None)
    }

    pub fn grant_until(&mut self, name: char, amount: i64, priority: i32, until: Option<&str>) -> BucketId {
        let grant = granting(name, LIVE, amount, priority, until);
        match self.does(&grant).expect("a grant").outcome {
            Outcome::Granted { bucket, .. } => bucket,
            other => panic!("a grant gave {other:?}"),
        }
    }

    pub fn charge(&mut self, name: char, amount: i64) -> Result<HoldId, Refusal> {
        match self.does(&charging(name, amount))?.outcome {
            Outcome::Charged { hold, .. } => Ok(hold),
            other => panic!("a charge gave {other:?}"),
        }
    }

    pub fn hold(&mut self, name: char, amount: i64) -> Result<HoldId, Refusal> {
        self.hold_for(name, amount, None)
    }

    pub fn hold_for(&mut self, name: char, amount: i64, expires_in: Option<Duration>) -> Result<HoldId, Refusal> {
        match self.does(&Request::Hold { spend: spend(name, LIVE, amount), expires_in })?.outcome {
            Outcome::Held { hold, .. } => Ok(hold),
            other => panic!("a hold gave {other:?}"),
        }
    }

    pub fn capture(&mut self, hold: HoldId, amount: Option<i64>) -> Result<Decision, Refusal> {
        self.does(&Request::Capture { hold, amount: amount.map(credits), note: Note::default() })
    }

    pub fn refund(&mut self, hold: HoldId, amount: Option<i64>) -> Result<Decision, Refusal> {
        self.does(&Request::Refund { hold, amount: amount.map(credits), note: Note::default() })
    }

    pub fn transfer(&mut self, source: char, target: char, amount: i64) -> Result<Decision, Refusal> {
        self.does(&transferring(source, target, amount))
    }

    pub fn wallet(&self, name: char) -> &Wallet {
        self.book.wallet(org(name), LIVE).expect("a known name")
    }

    pub fn balance(&self, name: char) -> i64 {
        self.wallet(name).balance.get()
    }

    pub fn available(&self, name: char) -> i64 {
        self.wallet(name).available(self.now).get()
    }

    /// Balance and held of a bucket.
    pub fn bucket(&self, name: char, id: BucketId) -> (i64, i64) {
        let bucket = self.wallet(name).bucket(id).expect("a known bucket");
        (bucket.balance.get(), bucket.held.get())
    }

    pub fn held_by(&self, hold: HoldId) -> &Hold {
        self.book.hold(hold).expect("a known hold")
    }

    /// What is counted of the subject in the month `number`.
    pub fn used(&self, subject: CounterSubject, number: i32) -> i64 {
        let month = Month::from_number(number).expect("a month");
        self.book.used(LIVE, Counter { subject, month }).get()
    }

    /// Puts a wallet in overdraft, as a reversed top-up does.
    pub fn overdraw(&mut self, name: char, balance: i64) {
        let mut wallet = self.wallet(name).clone();
        wallet.balance = credits(balance);
        wallet.buckets = vec![Bucket {
            id: Uuid::from_u128(7).into(),
            origin: Origin::Prepaid,
            priority: 0,
            expires_at: None,
            created_at: self.now,
            balance: credits(balance),
            held: Credits::ZERO,
        }];
        self.book.insert_wallet(wallet);
    }

    /// Recounts everything that happened.
    pub fn recount(&self) -> Result<(), Difference> {
        let mut recount = Recount::default();
        for transaction in &self.posted {
            recount.transaction(transaction)?;
        }
        for hold in self.book.holds() {
            recount.hold(hold)?;
        }
        recount.compare(&self.book)
    }
}

pub fn spend(name: char, environment: Environment, amount: i64) -> Spend {
    Spend {
        organization: org(name),
        environment,
        cost: Cost::Amount(credits(amount)),
        family: None,
        note: Note::default(),
    }
}

pub fn charging(name: char, amount: i64) -> Request {
    Request::Charge(spend(name, LIVE, amount))
}

pub fn charging_by(name: char, key: char, amount: i64) -> Request {
    Request::Charge(Spend { family: Some(family(key)), ..spend(name, LIVE, amount) })
}

pub fn granting(name: char, environment: Environment, amount: i64, priority: i32, until: Option<&str>) -> Request {
    Request::Grant(Grant {
        organization: org(name),
        environment,
        amount: credits(amount),
        origin: Origin::Prepaid,
        priority,
        expires_at: until.map(at),
        note: Note::default(),
    })
}

pub fn transferring(source: char, target: char, amount: i64) -> Request {
    Request::Transfer(Transfer {
        source: org(source),
        target: org(target),
        environment: LIVE,
        amount: credits(amount),
        note: Note::default(),
    })
}

/// The notices about refills.
pub fn refill_notices(decision: &Decision) -> Vec<&Notice> {
    let about_refill = |n: &&Notice| matches!(n, Notice::RefillFired { .. } | Notice::RefillStarved { .. });
    decision.notices.iter().filter(about_refill).collect()
}
