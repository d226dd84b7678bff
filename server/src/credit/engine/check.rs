//! Recounts every cached figure from what was written once: entries and holds.
//!
//! Feed a [`Recount`] all transactions and all holds of a realm, in any order, then compare it with
//! a book that has all wallets and counters. The first figure that differs is named; the order of
//! looking is fixed, so two runs name the same one.

use std::collections::HashMap;

use entity::id::{BucketId, HoldId, OrganizationId, TransactionId, WalletId};

use super::book::{Book, Counter, CounterSubject, Hold, Wallet};
use super::decision::{Account, Transaction};
use super::terms::{Environment, HoldStatus, SystemAccount, TransactionKind};

/// A cached figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// What a transaction's entries sum to; zero is right.
    TransactionSum(TransactionId),
    /// A hold's amount, against its legs.
    HoldAmount(HoldId),
    /// A hold's captured, against its legs.
    HoldCaptured(HoldId),
    /// A hold's refunded, against its legs.
    HoldRefunded(HoldId),
    /// Captured less refunded of a hold, against the entries that spent it.
    HoldSpent(HoldId),
    /// A bucket's balance, against its entries.
    BucketBalance(BucketId),
    /// A bucket's held, against the open legs.
    BucketHeld(BucketId),
    /// A wallet's balance, against its buckets.
    WalletBalance(WalletId),
    /// A wallet's held, against its buckets.
    WalletHeld(WalletId),
    /// A month's use, against what holds counted there.
    Used(Environment, Counter),
    /// All that an organization was ever refilled with, against the transactions. Not by month:
    /// transactions keep the instant, and the organization's time zone may have changed since.
    Refilled(OrganizationId),
    /// What the realm has issued, against the entries.
    IssuedTotal,
}

/// A cached figure that is not what its parts say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{figure:?} is cached as {cached}, recounted as {recounted}")]
pub struct Difference {
    pub figure: Figure,
    pub cached: i128,
    pub recounted: i128,
}

/// Sums of what was written. `i128`, so that no damage makes a sum overflow.
#[derive(Debug, Default)]
pub struct Recount {
    balances: HashMap<BucketId, i128>,
    held: HashMap<BucketId, i128>,
    spent: HashMap<HoldId, i128>,
    settled: HashMap<HoldId, i128>,
    counted: HashMap<(Environment, Counter), i128>,
    refilled: HashMap<OrganizationId, i128>,
    issued: i128,
}

fn same(figure: Figure, cached: impl Into<i128>, recounted: i128) -> Result<(), Difference> {
    let cached = cached.into();
    if cached == recounted { Ok(()) } else { Err(Difference { figure, cached, recounted }) }
}

impl Recount {
    /// Adds a transaction.
    ///
    /// # Errors
    /// When its entries do not sum to zero.
    pub fn transaction(&mut self, transaction: &Transaction) -> Result<(), Difference> {
        let mut sum = 0;
        for entry in &transaction.entries {
            let amount = i128::from(entry.amount.get());
            sum += amount;
            match entry.account {
                Account::Bucket { organization, bucket, .. } => {
                    *self.balances.entry(bucket).or_default() += amount;
                    let refilled = transaction.kind == TransactionKind::Refill;
                    if refilled && organization == transaction.organization {
                        *self.refilled.entry(organization).or_default() += amount;
                    }
                }
                Account::System(SystemAccount::Issued) => self.issued -= amount,
                Account::System(SystemAccount::Spent) => {
                    if let Some(hold) = transaction.hold {
                        *self.spent.entry(hold).or_default() += amount;
                    }
                }
                Account::System(SystemAccount::Expired) => {}
            }
        }
        same(Figure::TransactionSum(transaction.id), 0, sum)
    }

    /// Adds a hold.
    ///
    /// # Errors
    /// When its figures are not those of its legs.
    pub fn hold(&mut self, hold: &Hold) -> Result<(), Difference> {
        let [mut amount, mut captured, mut refunded] = [0; 3];
        for leg in &hold.legs {
            amount += i128::from(leg.amount.get());
            captured += i128::from(leg.captured.get());
            refunded += i128::from(leg.refunded.get());
            if hold.status == HoldStatus::Open {
                *self.held.entry(leg.bucket).or_default() += i128::from(leg.amount.get());
            }
        }
        for &counter in &hold.counted {
            *self.counted.entry((hold.environment, counter)).or_default() += i128::from(hold.counts().get());
        }
        self.settled.insert(hold.id, captured - refunded);
        same(Figure::HoldAmount(hold.id), hold.amount.get(), amount)?;
        same(Figure::HoldCaptured(hold.id), hold.captured.get(), captured)?;
        same(Figure::HoldRefunded(hold.id), hold.refunded.get(), refunded)
    }

    /// Compares the figures of a book that was loaded in full.
    ///
    /// # Errors
    /// The first figure that differs.
    pub fn compare(mut self, book: &Book) -> Result<(), Difference> {
        self.compare_spent()?;
        let mut wallets: Vec<&Wallet> = book.wallets().collect();
        wallets.sort_unstable_by_key(|wallet| wallet.id);
        for wallet in wallets {
            self.compare_wallet(wallet)?;
        }
        // What is left was posted to or held of buckets that the book does not have.
        first(self.balances, Figure::BucketBalance)?;
        first(self.held, Figure::BucketHeld)?;
        compare_counters(book, self.counted, self.refilled)?;
        same(Figure::IssuedTotal, book.issued_total().get(), self.issued)
    }

    fn compare_spent(&self) -> Result<(), Difference> {
        let mut holds: Vec<HoldId> = self.spent.keys().chain(self.settled.keys()).copied().collect();
        holds.sort_unstable();
        holds.dedup();
        for hold in holds {
            let of = |figures: &HashMap<HoldId, i128>| figures.get(&hold).copied().unwrap_or_default();
            same(Figure::HoldSpent(hold), of(&self.settled), of(&self.spent))?;
        }
        Ok(())
    }

    fn compare_wallet(&mut self, wallet: &Wallet) -> Result<(), Difference> {
        let [mut balance, mut held] = [0; 2];
        for bucket in &wallet.buckets {
            balance += i128::from(bucket.balance.get());
            held += i128::from(bucket.held.get());
            let posted = self.balances.remove(&bucket.id).unwrap_or_default();
            same(Figure::BucketBalance(bucket.id), bucket.balance.get(), posted)?;
            let open = self.held.remove(&bucket.id).unwrap_or_default();
            same(Figure::BucketHeld(bucket.id), bucket.held.get(), open)?;
        }
        same(Figure::WalletBalance(wallet.id), wallet.balance.get(), balance)?;
        same(Figure::WalletHeld(wallet.id), wallet.held.get(), held)
    }
}

fn compare_counters(
    book: &Book,
    mut counted: HashMap<(Environment, Counter), i128>,
    mut refilled: HashMap<OrganizationId, i128>,
) -> Result<(), Difference> {
    let mut cached: Vec<_> = book.counters().collect();
    cached.sort_unstable_by_key(|&(environment, counter, _)| (environment, counter));
    let mut refills: Vec<(OrganizationId, i128)> = Vec::new();
    for (environment, counter, used) in cached {
        if let CounterSubject::Refill(organization) = counter.subject {
            match refills.last_mut() {
                Some((last, sum)) if *last == organization => *sum += i128::from(used.get()),
                _ => refills.push((organization, used.get().into())),
            }
        } else {
            let recounted = counted.remove(&(environment, counter)).unwrap_or_default();
            same(Figure::Used(environment, counter), used.get(), recounted)?;
        }
    }
    for (organization, cached) in refills {
        same(Figure::Refilled(organization), cached, refilled.remove(&organization).unwrap_or_default())?;
    }
    first(counted, |(environment, counter)| Figure::Used(environment, counter))?;
    first(refilled, Figure::Refilled)
}

/// The first sum that is not zero, where nothing is cached at all.
fn first<K: Copy + Ord>(sums: HashMap<K, i128>, figure: impl Fn(K) -> Figure) -> Result<(), Difference> {
    let left = sums.into_iter().filter(|&(_, sum)| sum != 0).min_by_key(|&(key, _)| key);
    left.map_or(Ok(()), |(key, sum)| same(figure(key), 0, sum))
}
