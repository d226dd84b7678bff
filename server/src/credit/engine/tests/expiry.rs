//! Credits with an end.

use super::world::*;
use crate::credit::engine::decision::Account;
use crate::credit::engine::refusal::{Conflict, Problem};
use crate::credit::engine::terms::{SystemAccount, TransactionKind};
use crate::credit::engine::{Refusal, Request};

const END: &str = "2026-01-16T00:00:00Z";

fn expire(name: char, bucket: entity::id::BucketId) -> Request {
    Request::ExpireBucket { organization: org(name), environment: LIVE, bucket }
}

#[test]
fn a_bucket_cannot_be_spent_from_the_instant_it_expires() {
    let mut world = World::new("A");
    world.grant_until('A', 10, 0, Some(END));
    world.now = at("2026-01-15T23:59:59.999999Z");
    assert!(world.charge('A', 1).is_ok());
    world.now = at(END);
    assert_eq!((world.balance('A'), world.available('A')), (9, 0));
    assert_eq!(world.charge('A', 1).unwrap_err().code(), "INSUFFICIENT_CREDITS");
}

#[test]
fn the_held_part_of_an_expired_bucket_survives_to_settle() {
    let mut world = World::new("A");
    let bucket = world.grant_until('A', 10, 0, Some(END));
    let hold = world.hold_for('A', 6, Some(std::time::Duration::from_hours(48))).unwrap();
    world.now = at(END);
    world.does(&expire('A', bucket)).unwrap();
    assert_eq!(world.bucket('A', bucket), (6, 6));
    let decision = world.capture(hold, Some(4)).unwrap();
    let kinds: Vec<_> = decision.transactions.iter().map(|t| t.kind).collect();
    assert_eq!(kinds, [TransactionKind::Capture, TransactionKind::Expiry]);
    assert_eq!(world.bucket('A', bucket), (0, 0));
    assert_eq!(world.recount(), Ok(()));
}

#[test]
fn a_refund_into_an_expired_bucket_expires_at_once() {
    let mut world = World::new("A");
    let bucket = world.grant_until('A', 10, 0, Some(END));
    let hold = world.charge('A', 6).unwrap();
    world.now = at(END);
    let decision = world.refund(hold, Some(5)).unwrap();
    let [_, expiry] = &decision.transactions[..] else { panic!("two transactions") };
    let lines: Vec<_> = expiry.entries.iter().map(|entry| (entry.account, entry.amount.get())).collect();
    let wallet = world.wallet('A').id;
    assert_eq!(
        lines,
        [
            (Account::Bucket { organization: org('A'), wallet, bucket }, -5),
            (Account::System(SystemAccount::Expired), 5)
        ]
    );
    // What was there before waits for the worker.
    assert_eq!(world.bucket('A', bucket), (4, 0));
}

#[test]
fn a_bucket_is_not_expired_before_its_time() {
    let mut world = World::new("A");
    let ends = world.grant_until('A', 10, 0, Some(END));
    let never = world.grant('A', 10);
    for bucket in [ends, never] {
        let refusal = Refusal::Conflict(Conflict::BucketNotDue { bucket });
        assert_eq!(world.does(&expire('A', bucket)), Err(refusal));
    }
}

#[test]
fn expiring_an_empty_bucket_posts_nothing() {
    let mut world = World::new("A");
    let bucket = world.grant_until('A', 10, 0, Some(END));
    world.charge('A', 10).unwrap();
    world.now = at(END);
    let decision = world.does(&expire('A', bucket)).unwrap();
    assert!(decision.transactions.is_empty() && decision.wallets.is_empty());
}

#[test]
fn credits_are_not_granted_with_an_end_in_the_past() {
    let mut world = World::new("A");
    let refusal = Refusal::InvalidInput { field: "expiresAt", problem: Problem::NotInTheFuture };
    assert_eq!(world.does(&granting('A', LIVE, 1, 0, Some("2026-01-15T12:00:00Z"))), Err(refusal));
}

#[test]
fn moved_credits_keep_their_end_there_and_back() {
    let mut world = World::new("A B<A");
    world.grant_until('A', 10, 0, Some(END));
    world.transfer('A', 'B', 10).unwrap();
    assert_eq!(world.wallet('B').buckets[0].expires_at, Some(at(END)));
    world.set('B', |b| b.archived = true);
    world.does(&Request::Sweep { from: org('B'), to: org('A') }).unwrap();
    let ends: Vec<_> = world.wallet('A').buckets.iter().map(|b| (b.expires_at, b.balance.get())).collect();
    assert_eq!(ends, [(Some(at(END)), 10)]);
    world.now = at(END);
    assert_eq!((world.available('A'), world.available('B')), (0, 0));
}
