//! How holds end, and refunds.

use std::time::Duration;

use entity::id::HoldId;

use super::world::*;
use crate::credit::engine::book::CounterSubject;
use crate::credit::engine::decision::{Decision, Outcome};
use crate::credit::engine::refusal::{Conflict, Problem};
use crate::credit::engine::terms::{Funding, HoldStatus, TransactionKind};
use crate::credit::engine::{HOLD_MAX, Refusal, Request};

fn kinds(decision: &Decision) -> Vec<TransactionKind> {
    decision.transactions.iter().map(|transaction| transaction.kind).collect()
}

fn parts(world: &World, hold: HoldId) -> Vec<(i64, i64, i64)> {
    let legs = world.held_by(hold).legs.iter();
    legs.map(|leg| (leg.amount.get(), leg.captured.get(), leg.refunded.get())).collect()
}

/// C falls back on B and B on A; a hold of 9 has three legs of 3, 4 and 2.
fn three_legs() -> (World, HoldId) {
    let mut world = World::new("A B<A C<B");
    world.funding('B', Funding::Fallback).funding('C', Funding::Fallback);
    for (name, amount) in [('A', 10), ('B', 4), ('C', 3)] {
        world.grant(name, amount);
    }
    let hold = world.hold('C', 9).unwrap();
    (world, hold)
}

#[test]
fn a_hold_lowers_available_and_posts_nothing() {
    let mut world = World::new("A");
    world.grant('A', 10);
    let decision = world.does(&Request::Hold { spend: spend('A', LIVE, 4), expires_in: None }).unwrap();
    assert!(decision.transactions.is_empty());
    assert_eq!((world.balance('A'), world.available('A')), (10, 6));
}

#[test]
fn a_hold_stays_open_for_a_quarter_of_an_hour_unless_told_otherwise_and_for_a_week_at_most() {
    let mut world = World::new("A");
    world.grant('A', 10);
    let hold = world.hold('A', 1).unwrap();
    assert_eq!(world.held_by(hold).expires_at, at("2026-01-15T12:15:00Z"));
    let hold = world.hold_for('A', 1, Some(HOLD_MAX)).unwrap();
    assert_eq!(world.held_by(hold).expires_at, at("2026-01-22T12:00:00Z"));
    for wrong in [Duration::ZERO, HOLD_MAX + Duration::from_micros(1)] {
        let problem = Problem::DurationOutOfRange { most_seconds: 604_800 };
        let refusal = world.hold_for('A', 1, Some(wrong));
        assert_eq!(refusal, Err(Refusal::InvalidInput { field: "expiresInSeconds", problem }));
    }
}

#[test]
fn a_partial_capture_takes_from_the_first_legs_and_returns_the_last() {
    let (mut world, hold) = three_legs();
    let decision = world.capture(hold, Some(5)).unwrap();
    assert!(matches!(decision.outcome, Outcome::Captured { returned, .. } if returned == credits(4)));
    assert_eq!(parts(&world, hold), [(3, 3, 0), (4, 2, 0), (2, 0, 0)]);
    assert_eq!(['A', 'B', 'C'].map(|name| (world.balance(name), world.available(name))), [(10, 10), (2, 2), (0, 0)]);
    assert_eq!(world.recount(), Ok(()));
}

#[test]
fn a_hold_settles_once() {
    let (mut world, hold) = three_legs();
    world.capture(hold, Some(5)).unwrap();
    let captured = Refusal::Conflict(Conflict::HoldIs { hold, status: HoldStatus::Captured });
    assert_eq!(world.capture(hold, Some(4)), Err(captured.clone()));
    assert_eq!(world.does(&Request::Void { hold }), Err(captured.clone()));
    world.now = at("2026-01-16T00:00:00Z");
    assert_eq!(world.does(&Request::Expire { hold }), Err(captured));
}

#[test]
fn a_voided_hold_returns_all_and_can_neither_be_captured_nor_refunded() {
    let (mut world, hold) = three_legs();
    world.does(&Request::Void { hold }).unwrap();
    assert_eq!(['A', 'B', 'C'].map(|name| world.available(name)), [10, 4, 3]);
    let voided = Refusal::Conflict(Conflict::HoldIs { hold, status: HoldStatus::Voided });
    assert_eq!(world.capture(hold, None), Err(voided.clone()));
    assert_eq!(world.refund(hold, None), Err(voided));
    assert_eq!(world.used(CounterSubject::Subtree(org('A')), 202_601), 0);
}

#[test]
fn more_than_was_held_is_never_captured() {
    let (mut world, hold) = three_legs();
    let too_much = Refusal::InvalidInput { field: "amount", problem: Problem::MoreThan { most: credits(9) } };
    assert_eq!(world.capture(hold, Some(10)), Err(too_much));
    let nothing = Refusal::InvalidInput { field: "amount", problem: Problem::NotPositive };
    assert_eq!(world.capture(hold, Some(0)), Err(nothing));
}

#[test]
fn capture_and_expiry_meet_at_one_instant_and_expiry_wins_from_then_on() {
    let (mut world, hold) = three_legs();
    let expires_at = world.held_by(hold).expires_at;
    let too_early = Refusal::Conflict(Conflict::HoldNotDue { hold, expires_at });
    world.now = expires_at.minus(Duration::from_micros(1));
    assert_eq!(world.does(&Request::Expire { hold }), Err(too_early));
    world.now = expires_at;
    let time_is_up = Refusal::Conflict(Conflict::HoldTimeIsUp { hold, expires_at });
    assert_eq!(world.capture(hold, None), Err(time_is_up));
    world.does(&Request::Expire { hold }).unwrap();
    assert_eq!(world.held_by(hold).status, HoldStatus::Expired);
    assert_eq!(['A', 'B', 'C'].map(|name| world.available(name)), [10, 4, 3]);
    let expired = Refusal::Conflict(Conflict::HoldIs { hold, status: HoldStatus::Expired });
    assert_eq!(world.capture(hold, None), Err(expired));
}

#[test]
fn a_hold_of_january_gives_back_to_january() {
    let mut world = World::new("A");
    world.grant('A', 100);
    world.set('A', |a| a.limits.monthly_credit_cap = Some(credits(10)));
    world.now = at("2026-01-31T23:50:00Z");
    let [partly, voided, refunded] = [0; 3].map(|_| world.hold('A', 3).unwrap());
    world.capture(refunded, None).unwrap();
    world.now = at("2026-02-01T00:01:00Z");
    let own = CounterSubject::Own(org('A'));
    assert_eq!((world.used(own, 202_601), world.used(own, 202_602)), (9, 0));
    world.capture(partly, Some(1)).unwrap();
    world.does(&Request::Void { hold: voided }).unwrap();
    world.refund(refunded, Some(2)).unwrap();
    assert_eq!((world.used(own, 202_601), world.used(own, 202_602)), (2, 0));
    assert!(world.charge('A', 10).is_ok());
    assert_eq!(world.recount(), Ok(()));
}

#[test]
fn a_hold_settles_by_its_legs_whatever_the_funding_is_by_then() {
    let mut world = World::new("A B<A C<A");
    world.funding('B', Funding::Pooled);
    world.grant('A', 10);
    world.grant('B', 10);
    let hold = world.hold('B', 5).unwrap();
    world.funding('B', Funding::Isolated).set('B', |b| b.parent = Some(org('C')));
    world.capture(hold, None).unwrap();
    assert_eq!((world.balance('A'), world.balance('B')), (5, 10));
}

#[test]
fn open_holds_settle_while_the_organization_is_suspended() {
    let (mut world, hold) = three_legs();
    world.set('C', |c| c.suspended = true);
    assert!(world.charge('C', 1).is_err());
    world.capture(hold, Some(5)).unwrap();
    world.refund(hold, None).unwrap();
    assert_eq!(['A', 'B', 'C'].map(|name| world.balance(name)), [10, 4, 3]);
}

#[test]
fn a_refund_gives_back_to_the_last_leg_that_paid_first() {
    let (mut world, hold) = three_legs();
    world.capture(hold, Some(8)).unwrap();
    world.refund(hold, Some(2)).unwrap();
    assert_eq!(parts(&world, hold), [(3, 3, 0), (4, 4, 1), (2, 1, 1)]);
    world.refund(hold, Some(5)).unwrap();
    assert_eq!(parts(&world, hold), [(3, 3, 2), (4, 4, 4), (2, 1, 1)]);
    assert_eq!(world.recount(), Ok(()));
}

#[test]
fn no_more_is_refunded_than_was_captured() {
    let (mut world, hold) = three_legs();
    let open = Refusal::Conflict(Conflict::HoldIs { hold, status: HoldStatus::Open });
    assert_eq!(world.refund(hold, None), Err(open));
    world.capture(hold, Some(8)).unwrap();
    world.refund(hold, Some(3)).unwrap();
    let too_much = Refusal::InvalidInput { field: "amount", problem: Problem::MoreThan { most: credits(5) } };
    assert_eq!(world.refund(hold, Some(6)), Err(too_much));
    world.refund(hold, None).unwrap();
    assert_eq!(world.refund(hold, None), Err(Refusal::Conflict(Conflict::NothingToRefund { hold })));
}

#[test]
fn what_returns_to_an_archived_organization_goes_to_the_nearest_live_ancestor() {
    let (mut world, hold) = three_legs();
    let voided = world.hold('A', 1).unwrap();
    world.set('C', |c| c.archived = true).set('B', |b| b.archived = true);
    let decision = world.capture(hold, Some(2)).unwrap();
    use TransactionKind::{Capture, Refund, Sweep};
    assert_eq!(kinds(&decision), [Capture, Sweep, Sweep]);
    assert_eq!(['A', 'B', 'C'].map(|name| world.balance(name)), [15, 0, 0]);
    let decision = world.refund(hold, None).unwrap();
    assert_eq!(kinds(&decision), [Refund, Sweep]);
    assert_eq!(['A', 'B', 'C'].map(|name| world.balance(name)), [17, 0, 0]);
    // A root has nobody to give to.
    world.set('A', |a| a.archived = true);
    world.does(&Request::Void { hold: voided }).unwrap();
    assert_eq!(world.available('A'), 17);
    assert_eq!(world.recount(), Ok(()));
}
