//! A decision in the making: the book as it would be, without touching it.
//!
//! Reads see what the draft has changed so far. Only wallets that change are copied.

use entity::credits::Credits;
use entity::id::{BucketId, EntryId, HoldId, OrganizationId, TransactionId};
use entity::timestamp::Timestamp;

use super::IdSource;
use super::book::{Book, Bucket, Counter, Hold, Wallet};
use super::decision::{
    Account, BucketChange, CounterChange, Decision, Entry, HoldChange, Notice, Outcome, Transaction, WalletChange,
};
use super::refusal::{Problem, Refusal};
use super::request::Note;
use super::terms::{Environment, Origin, RefillState, TransactionKind};

pub(super) struct Draft<'a> {
    pub book: &'a Book,
    pub now: Timestamp,
    ids: &'a mut dyn IdSource,
    touched: Vec<Touched>,
    transactions: Vec<Transaction>,
    counters: Vec<CounterChange>,
    holds: Vec<HoldChange>,
    issued: Credits,
    notices: Vec<Notice>,
}

struct Touched {
    wallet: Wallet,
    refill_seen: bool,
    refilled: bool,
}

/// What a transaction is about, beside its entries.
pub(super) struct About {
    pub kind: TransactionKind,
    pub environment: Environment,
    pub organization: OrganizationId,
    pub hold: Option<HoldId>,
    pub note: Note,
}

/// What makes two buckets hold the same kind of credits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct BucketKind {
    pub origin: Origin,
    pub priority: i32,
    pub expires_at: Option<Timestamp>,
}

impl From<&Bucket> for BucketKind {
    fn from(bucket: &Bucket) -> Self {
        Self { origin: bucket.origin, priority: bucket.priority, expires_at: bucket.expires_at }
    }
}

/// The sum, or the refusal for amounts that no realm can hold.
pub(super) fn add(left: Credits, right: Credits) -> Result<Credits, Refusal> {
    left.checked_add(right).ok_or(Refusal::InvalidInput { field: "amount", problem: Problem::TooLarge })
}

/// Refuses amounts that are not more than zero.
pub(super) fn positive(field: &'static str, amount: Credits) -> Result<(), Refusal> {
    if amount.is_positive() { Ok(()) } else { Err(Refusal::InvalidInput { field, problem: Problem::NotPositive }) }
}

impl<'a> Draft<'a> {
    pub fn new(book: &'a Book, now: Timestamp, ids: &'a mut dyn IdSource) -> Self {
        Self {
            book,
            now,
            ids,
            touched: Vec::new(),
            transactions: Vec::new(),
            counters: Vec::new(),
            holds: Vec::new(),
            issued: Credits::ZERO,
            notices: Vec::new(),
        }
    }

    pub fn id<T: From<uuid::Uuid>>(&mut self) -> T {
        self.ids.next_uuid().into()
    }

    /// The wallet as the draft has it so far.
    pub fn wallet(&self, organization: OrganizationId, environment: Environment) -> Option<&Wallet> {
        self.touched
            .iter()
            .map(|touched| &touched.wallet)
            .find(|wallet| wallet.organization == organization && wallet.environment == environment)
            .or_else(|| self.book.wallet(organization, environment))
    }

    fn touch(&mut self, organization: OrganizationId, environment: Environment) -> Result<&mut Touched, Refusal> {
        let known = self.touched.iter().position(|touched| {
            touched.wallet.organization == organization && touched.wallet.environment == environment
        });
        let index = match known {
            Some(index) => index,
            None => {
                let wallet = self.book.wallet(organization, environment);
                let wallet = wallet.ok_or(Refusal::NotFound { id: organization.into() })?.clone();
                self.touched.push(Touched { wallet, refill_seen: false, refilled: false });
                self.touched.len() - 1
            }
        };
        Ok(&mut self.touched[index])
    }

    /// Adds to a bucket's posted and held figures, and so to its wallet's.
    pub fn adjust(
        &mut self,
        organization: OrganizationId,
        environment: Environment,
        bucket: BucketId,
        balance: Credits,
        held: Credits,
    ) -> Result<(), Refusal> {
        let wallet = &mut self.touch(organization, environment)?.wallet;
        let changed = wallet.buckets.iter_mut().find(|other| other.id == bucket);
        let changed = changed.ok_or(Refusal::NotFound { id: bucket.into() })?;
        changed.balance = add(changed.balance, balance)?;
        changed.held = add(changed.held, held)?;
        wallet.balance = add(wallet.balance, balance)?;
        wallet.held = add(wallet.held, held)?;
        Ok(())
    }

    /// Adds credits of a kind to a wallet: to the bucket of that kind if there is one, so that
    /// equal credits do not pile up in many buckets, else to a new one.
    pub fn deposit(
        &mut self,
        organization: OrganizationId,
        environment: Environment,
        kind: BucketKind,
        amount: Credits,
    ) -> Result<(BucketId, Account), Refusal> {
        let wallet = &self.touch(organization, environment)?.wallet;
        let id = wallet.id;
        let same = wallet.buckets.iter().find(|bucket| BucketKind::from(*bucket) == kind).map(|bucket| bucket.id);
        let bucket = match same {
            Some(bucket) => bucket,
            None => {
                let bucket = Bucket {
                    id: self.id(),
                    origin: kind.origin,
                    priority: kind.priority,
                    expires_at: kind.expires_at,
                    created_at: self.now,
                    balance: Credits::ZERO,
                    held: Credits::ZERO,
                };
                self.touch(organization, environment)?.wallet.place(bucket);
                bucket.id
            }
        };
        self.adjust(organization, environment, bucket, amount, Credits::ZERO)?;
        Ok((bucket, Account::Bucket { organization, wallet: id, bucket }))
    }

    /// Sets where the wallet's refill stands.
    pub fn set_refill(&mut self, organization: OrganizationId, state: RefillState) -> Result<(), Refusal> {
        self.touch(organization, Environment::Live)?.wallet.refill = state;
        Ok(())
    }

    /// Notes that the wallet's refill needs no look any more.
    pub fn mark_refill_seen(&mut self, organization: OrganizationId) {
        if let Some(touched) = self.touched_live(organization) {
            touched.refill_seen = true;
        }
    }

    /// Notes that the wallet got a refill.
    pub fn mark_refilled(&mut self, organization: OrganizationId) {
        if let Some(touched) = self.touched_live(organization) {
            touched.refilled = true;
        }
    }

    /// Whether the draft refilled the wallet.
    pub fn refilled(&mut self, organization: OrganizationId) -> bool {
        self.touched_live(organization).is_some_and(|touched| touched.refilled)
    }

    fn touched_live(&mut self, organization: OrganizationId) -> Option<&mut Touched> {
        self.touched.iter_mut().find(|touched| {
            touched.wallet.organization == organization && touched.wallet.environment == Environment::Live
        })
    }

    /// A LIVE wallet that the draft touched and whose refill nobody has looked at.
    pub fn refill_unseen(&self) -> Option<OrganizationId> {
        self.touched
            .iter()
            .find(|touched| touched.wallet.environment == Environment::Live && !touched.refill_seen)
            .map(|touched| touched.wallet.organization)
    }

    /// Appends a transaction.
    ///
    /// # Panics
    /// When the lines do not sum to zero: the rules that made them are wrong.
    pub fn post(&mut self, about: About, lines: Vec<(Account, Credits)>) -> TransactionId {
        let id = self.id();
        let entries =
            lines.into_iter().map(|(account, amount)| Entry { id: self.id::<EntryId>(), account, amount }).collect();
        let transaction = Transaction {
            id,
            kind: about.kind,
            environment: about.environment,
            organization: about.organization,
            hold: about.hold,
            created_at: self.now,
            note: about.note,
            entries,
        };
        transaction.assert_balanced();
        self.transactions.push(transaction);
        id
    }

    /// What a counter stands at, with what the draft adds.
    pub fn used(&self, environment: Environment, counter: Counter) -> Credits {
        let added = self.counters.iter().filter(|c| c.environment == environment && c.counter == counter);
        added.fold(self.book.used(environment, counter), |sum, change| sum.saturating_add(change.delta))
    }

    /// Adds to a counter.
    pub fn count(&mut self, environment: Environment, counter: Counter, delta: Credits) -> Result<(), Refusal> {
        add(self.used(environment, counter), delta)?;
        let known = self.counters.iter_mut().find(|c| c.environment == environment && c.counter == counter);
        match known {
            Some(change) => change.delta = add(change.delta, delta)?,
            None => self.counters.push(CounterChange { environment, counter, delta }),
        }
        Ok(())
    }

    /// Adds to what the realm has issued.
    pub fn issue(&mut self, amount: Credits) -> Result<(), Refusal> {
        self.issued = add(self.issued, amount)?;
        add(self.book.issued_total(), self.issued).map(drop)
    }

    pub fn open_hold(&mut self, hold: Hold) {
        self.holds.push(HoldChange::Opened(hold));
    }

    pub fn update_hold(&mut self, hold: Hold) {
        self.holds.push(HoldChange::Updated(hold));
    }

    pub fn tell(&mut self, notice: Notice) {
        self.notices.push(notice);
    }

    /// The decision: what differs from the book.
    pub fn finish(self, outcome: Outcome) -> Decision {
        let Self { book, now, touched, transactions, mut counters, holds, issued, mut notices, .. } = self;
        let mut wallets = Vec::with_capacity(touched.len());
        for Touched { wallet, .. } in touched {
            let before = book.wallet(wallet.organization, wallet.environment);
            let Some(change) = before.and_then(|before| difference(before, &wallet)) else { continue };
            notices.push(Notice::WalletChanged {
                organization: change.organization,
                environment: change.environment,
                wallet: change.wallet,
                version: change.version,
                balance: change.balance,
                held: change.held,
                available: wallet.available(now),
            });
            wallets.push(change);
        }
        counters.retain(|change| !change.delta.is_zero());
        Decision { outcome, transactions, wallets, counters, holds, issued, notices }
    }
}

/// What changed from `before` to `after`; nothing when they are equal.
fn difference(before: &Wallet, after: &Wallet) -> Option<WalletChange> {
    // Both are in spend order and no bucket leaves or changes its place: one walk pairs them.
    let mut old = before.buckets.iter().peekable();
    let mut buckets = Vec::new();
    for &bucket in &after.buckets {
        let known = old.next_if(|other| other.id == bucket.id);
        if known == Some(&bucket) {
            continue;
        }
        buckets.push(BucketChange {
            bucket,
            opened: known.is_none(),
            balance_delta: bucket.balance.saturating_sub(known.map_or(Credits::ZERO, |other| other.balance)),
            held_delta: bucket.held.saturating_sub(known.map_or(Credits::ZERO, |other| other.held)),
        });
    }
    if buckets.is_empty() && before.refill == after.refill {
        return None;
    }
    Some(WalletChange {
        organization: after.organization,
        environment: after.environment,
        wallet: after.id,
        version: before.version.saturating_add(1),
        balance: after.balance,
        held: after.held,
        refill: after.refill,
        balance_delta: after.balance.saturating_sub(before.balance),
        held_delta: after.held.saturating_sub(before.held),
        buckets,
    })
}
