//! Wallets: buckets in their order, and credits that go in and out of them.

use entity::kind::Environment;
use serde_json::{Value, json};

use crate::oracle::command::Serial;
use crate::oracle::rules::state::{Bucket, Kind, Oracle};

impl Oracle {
    /// The buckets of a wallet in the order they are spent: priority, then expiry, then age.
    pub fn wallet(&self, organization: Serial, environment: Environment) -> Vec<usize> {
        let mut found: Vec<usize> = (0..self.buckets.len())
            .filter(|index| {
                let bucket = &self.buckets[*index];
                bucket.organization == organization && bucket.environment == environment
            })
            .collect();
        found.sort_by_key(|index| {
            let bucket = &self.buckets[*index];
            (bucket.kind.priority, bucket.kind.expires_at.unwrap_or(i64::MAX), bucket.created_at, *index)
        });
        found
    }

    fn expired(&self, bucket: usize) -> bool {
        self.buckets[bucket].kind.expires_at.is_some_and(|at| at <= self.now)
    }

    /// What a bucket could give now.
    fn free(&self, bucket: usize) -> i64 {
        if self.expired(bucket) { 0 } else { self.buckets[bucket].balance - self.buckets[bucket].held }
    }

    /// What a wallet could give now.
    pub fn available(&self, organization: Serial, environment: Environment) -> i64 {
        self.wallet(organization, environment).into_iter().map(|bucket| self.free(bucket)).sum()
    }

    /// Which buckets give how much of an amount that the wallet has.
    pub(super) fn draw(&self, organization: Serial, environment: Environment, amount: i64) -> Vec<(usize, i64)> {
        let mut parts = Vec::new();
        let mut missing = amount;
        for bucket in self.wallet(organization, environment) {
            let part = self.free(bucket).min(missing);
            if part > 0 {
                parts.push((bucket, part));
                missing -= part;
            }
        }
        assert_eq!(missing, 0, "the wallet had less than it was asked for");
        parts
    }

    /// The first thing of every transaction: which empty buckets are out of use. `named` are those that the holds at
    /// hand, or the clock, bring into it.
    pub(super) fn begin(&mut self, named: &[usize]) {
        if self.together {
            return self.begin_decision();
        }
        for (index, bucket) in self.buckets.iter_mut().enumerate() {
            bucket.remembered = bucket.balance != 0 || bucket.held != 0 || named.contains(&index);
        }
        self.begin_decision();
    }

    /// The first thing of every decision.
    pub(super) fn begin_decision(&mut self) {
        self.touched.clear();
        self.looked_at.clear();
        self.refilled.clear();
    }

    /// Changes a bucket.
    pub(super) fn change(&mut self, bucket: usize, balance: i64, held: i64) {
        let bucket = &mut self.buckets[bucket];
        bucket.balance += balance;
        bucket.held += held;
        assert!(0 <= bucket.held && bucket.held <= bucket.balance, "a bucket holds more than it has: {bucket:?}");
        let organization = bucket.organization;
        if bucket.environment == Environment::Live && !self.touched.contains(&organization) {
            self.touched.push(organization);
        }
    }

    /// Puts credits where their kind is, or into a new bucket.
    pub(super) fn put(&mut self, organization: Serial, environment: Environment, kind: Kind, amount: i64) {
        let wallet = self.wallet(organization, environment);
        let same = wallet.into_iter().find(|bucket| {
            let bucket = &self.buckets[*bucket];
            bucket.remembered && bucket.kind == kind
        });
        let bucket = same.unwrap_or_else(|| {
            let created_at = self.now;
            let (balance, held, remembered) = (0, 0, true);
            self.buckets.push(Bucket { organization, environment, kind, created_at, balance, held, remembered });
            self.buckets.len() - 1
        });
        self.change(bucket, amount, 0);
    }

    /// Moves parts of buckets to another wallet; they stay what they are.
    pub(super) fn shift(&mut self, parts: &[(usize, i64)], to: Serial) {
        for &(bucket, part) in parts {
            self.change(bucket, -part, 0);
            let (environment, kind) = (self.buckets[bucket].environment, self.buckets[bucket].kind);
            self.put(to, environment, kind, part);
        }
    }

    /// Where credits go that have come back to a bucket: on to nowhere when it has expired, home when its organization
    /// is archived.
    pub(super) fn came_back(&mut self, bucket: usize, amount: i64) {
        if amount == 0 {
            return;
        }
        let Bucket { organization, environment, .. } = self.buckets[bucket];
        if self.expired(bucket) {
            self.change(bucket, -amount, 0);
        } else if environment == Environment::Live && self.archived_at(organization).is_some() {
            let above = self.path(organization).into_iter().skip(1);
            if let Some(home) = above.into_iter().find(|step| self.archived_at(*step).is_none()) {
                self.shift(&[(bucket, amount)], home);
            }
        }
    }

    /// What is left unheld of an expired bucket is lost. Nothing else happens by itself to a bucket.
    pub(super) fn lose(&mut self, bucket: usize) {
        let left = self.buckets[bucket].balance - self.buckets[bucket].held;
        self.change(bucket, -left, 0);
    }

    /// Expired buckets with something to lose.
    pub fn due_buckets(&self) -> Vec<usize> {
        let due = |index: &usize| self.expired(*index) && self.buckets[*index].balance > self.buckets[*index].held;
        (0..self.buckets.len()).filter(due).collect()
    }

    /// A wallet as it is shown.
    pub fn shown(&self, organization: Serial, environment: Environment) -> Value {
        let buckets = self.wallet(organization, environment);
        let balance: i64 = buckets.iter().map(|bucket| self.buckets[*bucket].balance).sum();
        let held: i64 = buckets.iter().map(|bucket| self.buckets[*bucket].held).sum();
        json!({ "balance": balance, "held": held, "available": balance - held })
    }
}
