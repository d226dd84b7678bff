//! The rules of credits: a request and the state it meets go in, a decision or a refusal comes out.
//!
//! [`decide`] is the one function behind single requests, batches, `creditQuote`, the simulator and
//! `banyan ledger verify`. It reads a [`Book`] and writes nothing; [`Book::apply`] makes its decision
//! part of the book, so that the next request of the batch meets it.
//!
//! # Order of refusals
//!
//! The first that applies is given, always:
//!
//! | | code | of |
//! |---|---|---|
//! | 1 | `INVALID_INPUT` | the request alone |
//! | 2 | `NOT_FOUND` | what the request names is not in the book |
//! | 3 | `CONFLICT` | the state of the hold or bucket, an archived end of a transfer or grant |
//! | 4 | `ORGANIZATION_ARCHIVED` | charge, hold: the organization, then ancestors, nearest first |
//! | 5 | `ORGANIZATION_SUSPENDED` | the same |
//! | 6 | `BILLING_MODE_MISMATCH` | transfer |
//! | 7 | `CAP_EXCEEDED` | own monthly cap; subtree caps, the organization's own first, then upwards; key family |
//! | 8 | `RESERVE_PROTECTED` | enough but for the payers' reserves |
//! | 9 | `INSUFFICIENT_CREDITS` | |
//!
//! An amount above what a hold has left is `INVALID_INPUT` too, though it takes the hold to know it:
//! it comes after `CONFLICT`.
//!
//! # Invariants
//!
//! - The entries of every transaction sum to zero; asserted when made and when applied.
//! - No spend takes a bucket below zero, nor a wallet's available below zero.
//! - A refused request changes nothing. The same book, request, instant and ids decide the same.
//! - Legs, price and counted months of a hold never change after it was taken.
//!
//! # What TEST means
//!
//! Test credits are nobody's money: a TEST wallet is always isolated and never refilled or swept, and
//! subtree caps neither apply nor count. Status, the organization's own cap and the key family's
//! limit do, each counted apart from LIVE.
//!
//! # Not here
//!
//! Authority (who may ask), idempotency, loading and storing, the clock, randomness.

#![deny(clippy::as_conversions, clippy::float_arithmetic)]

pub mod book;
mod caps;
pub mod check;
pub mod decision;
mod draft;
mod expiry;
mod hold;
pub mod month;
mod payers;
mod refill;
pub mod refusal;
pub mod request;
mod spend;
pub mod status;
mod sweep;
pub mod terms;
mod transfer;

use std::time::Duration;

use entity::credits::Credits;
use entity::timestamp::Timestamp;
use uuid::Uuid;

use book::Leg;
use decision::Outcome;
use draft::Draft;
use request::Spend;

pub use book::Book;
pub use decision::Decision;
pub use payers::{funding, payers, spendable};
pub use refusal::Refusal;
pub use request::Request;

/// How many ancestors an organization can have; bounds every walk.
pub const ANCESTORS_MAX: usize = 32;
/// How long a hold is open when the request does not say.
pub const HOLD_DEFAULT: Duration = Duration::from_mins(15);
/// How long a hold can be open.
pub const HOLD_MAX: Duration = Duration::from_hours(7 * 24);
/// Use of a limit is told when it goes past these.
pub const CAP_WARNING_PERCENTS: [i64; 2] = [80, 100];

/// Where the ids of what a decision makes come from. UUIDv7 in production, so that entries sort by
/// time; a counter in tests.
pub trait IdSource {
    /// A UUID that was never given before.
    fn next_uuid(&mut self) -> Uuid;
}

/// What `request` does to `book` at `now`.
///
/// # Errors
/// The first refusal in the order above. Nothing was changed then, and ids that were taken from
/// `ids` are lost.
pub fn decide(book: &Book, request: &Request, now: Timestamp, ids: &mut dyn IdSource) -> Result<Decision, Refusal> {
    let mut draft = Draft::new(book, now, ids);
    let outcome = run(&mut draft, request)?;
    refill::settle(&mut draft)?;
    Ok(draft.finish(outcome))
}

fn run(draft: &mut Draft<'_>, request: &Request) -> Result<Outcome, Refusal> {
    match request {
        Request::Charge(spend) => spend::charge(draft, spend),
        Request::Hold { spend, expires_in } => spend::hold(draft, spend, *expires_in),
        Request::Capture { hold, amount, note } => hold::capture(draft, *hold, *amount, note),
        Request::Void { hold } => hold::void(draft, *hold),
        Request::Expire { hold } => hold::expire(draft, *hold),
        Request::Refund { hold, amount, note } => hold::refund(draft, *hold, *amount, note),
        Request::Grant(grant) => transfer::grant(draft, grant),
        Request::Transfer(transfer) => transfer::transfer(draft, transfer),
        Request::ExpireBucket { organization, environment, bucket } => {
            expiry::expire_bucket(draft, *organization, *environment, *bucket)
        }
        Request::Sweep { from, to } => sweep::sweep(draft, *from, *to),
        Request::RearmRefill { organization } => refill::rearm(draft, *organization),
    }
}

/// What a charge would cost whom, if it were made now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    pub amount: Credits,
    /// Who would pay, in the order of payment.
    pub legs: Vec<Leg>,
}

/// The decision of a charge without its effect.
///
/// # Errors
/// The refusal that the charge would meet.
pub fn quote(book: &Book, spend: &Spend, now: Timestamp) -> Result<Quote, Refusal> {
    let mut ids = NoIds;
    let mut draft = Draft::new(book, now, &mut ids);
    let hold = spend::plan(&mut draft, spend)?;
    Ok(Quote { amount: hold.amount, legs: hold.legs })
}

/// For decisions that are thrown away.
struct NoIds;

impl IdSource for NoIds {
    fn next_uuid(&mut self) -> Uuid {
        Uuid::nil()
    }
}

#[cfg(test)]
mod tests;
