//! Wallets that fill themselves.

use super::world::*;
use crate::credit::engine::Request;
use crate::credit::engine::book::CounterSubject;
use crate::credit::engine::decision::{Decision, Notice};
use crate::credit::engine::terms::{Funding, RefillState, StarvedReason};

use RefillState::{Armed, Fired, Starved};
use StarvedReason::{CeilingReached, NoParent, ParentArchived, ParentExhausted, ParentSuspended};

/// What was told about refills: who got how much, and who starved why.
fn told(decision: &Decision) -> Vec<(char, Result<i64, StarvedReason>)> {
    let name = |id| ('A'..='Z').find(|&name| org(name) == id).expect("a letter");
    refill_notices(decision)
        .into_iter()
        .map(|notice| match *notice {
            Notice::RefillFired { organization, amount, .. } => (name(organization), Ok(amount.get())),
            Notice::RefillStarved { organization, reason } => (name(organization), Err(reason)),
            _ => unreachable!("only notices about refills"),
        })
        .collect()
}

fn charge(world: &mut World, name: char, amount: i64) -> Vec<(char, Result<i64, StarvedReason>)> {
    told(&world.does(&charging(name, amount)).unwrap())
}

/// B refills from A by 20 below 10 and has 30; A has `rich`.
fn parent_and_child(rich: i64) -> World {
    let mut world = World::new("A B<A");
    world.grant('A', rich);
    world.grant('B', 30);
    world.refill('B', 10, 20);
    world
}

#[test]
fn a_refill_is_the_smallest_multiple_that_reaches_the_threshold() {
    for (spent, refilled) in [(20, None), (21, Some(20)), (30, Some(20))] {
        let mut world = parent_and_child(100);
        let expected: Vec<_> = refilled.map(|amount| ('B', Ok(amount))).into_iter().collect();
        assert_eq!(charge(&mut world, 'B', spent), expected, "{spent}");
        assert_eq!(world.balance('B'), 30 - spent + refilled.unwrap_or(0));
        assert_eq!(world.wallet('B').refill, if refilled.is_some() { Fired } else { Armed });
        assert_eq!(world.recount(), Ok(()));
    }
}

#[test]
fn an_amount_smaller_than_a_charge_is_moved_several_times_at_once() {
    let mut world = parent_and_child(100);
    world.refill('B', 10, 3);
    assert_eq!(charge(&mut world, 'B', 30), [('B', Ok(12))]);
}

#[test]
fn a_hold_triggers_as_a_charge_does_and_a_refill_is_no_spend() {
    let mut world = parent_and_child(100);
    world.set('B', |b| b.limits.monthly_credit_cap = Some(credits(25)));
    let decision = world.does(&Request::Hold { spend: spend('B', LIVE, 25), expires_in: None }).unwrap();
    assert_eq!(told(&decision), [('B', Ok(20))]);
    assert_eq!(world.used(CounterSubject::Own(org('B')), 202_601), 25);
    assert_eq!(world.used(CounterSubject::Own(org('A')), 202_601), 0);
    assert_eq!(world.used(CounterSubject::Subtree(org('A')), 202_601), 25);
    assert_eq!(world.used(CounterSubject::Refill(org('B')), 202_601), 20);
}

#[test]
fn a_fired_refill_arms_again_once_a_decision_leaves_enough() {
    let mut world = parent_and_child(100);
    charge(&mut world, 'B', 25);
    assert_eq!(world.wallet('B').refill, Fired);
    assert_eq!(charge(&mut world, 'B', 1), []);
    assert_eq!(world.wallet('B').refill, Armed);
    assert_eq!(charge(&mut world, 'B', 20), [('B', Ok(20))]);
}

#[test]
fn threshold_zero_and_amounts_above_or_below_the_threshold_do_not_loop() {
    for (threshold, amount, refilled) in [(0, 5, None), (5, 5, Some(5)), (1000, 1, Some(1000)), (1, 1000, Some(1000))] {
        let mut world = World::new("A B<A");
        world.grant('A', 5000);
        world.grant('B', 30);
        world.refill('B', threshold, amount);
        let expected: Vec<_> = refilled.map(|amount| ('B', Ok(amount))).into_iter().collect();
        assert_eq!(charge(&mut world, 'B', 30), expected, "{threshold} {amount}");
    }
}

#[test]
fn a_parent_that_cannot_give_all_gives_the_largest_multiple_and_starvation_is_told_once() {
    let mut world = parent_and_child(50);
    world.refill('B', 100, 20);
    world.set('A', |a| a.minimum_reserve = credits(5));
    assert_eq!(charge(&mut world, 'B', 10), [('B', Ok(40)), ('B', Err(ParentExhausted))]);
    assert_eq!((world.balance('A'), world.balance('B')), (10, 60));
    assert_eq!(charge(&mut world, 'B', 1), []);
    assert_eq!(world.wallet('B').refill, Starved(ParentExhausted));
    // It goes on trying, and says what it got.
    world.grant('A', 100);
    assert_eq!(charge(&mut world, 'B', 1), [('B', Ok(60))]);
    assert_eq!(world.wallet('B').refill, Fired);
}

#[test]
fn a_reserve_is_kept_from_refills() {
    let mut world = parent_and_child(100);
    world.set('A', |a| a.minimum_reserve = credits(100));
    assert_eq!(charge(&mut world, 'B', 21), [('B', Err(ParentExhausted))]);
    assert_eq!(world.balance('A'), 100);
}

#[test]
fn a_ceiling_bounds_the_refills_of_a_month() {
    let mut world = parent_and_child(1000);
    world.set('B', |b| b.limits.refill_monthly_ceiling = Some(credits(50)));
    assert_eq!(charge(&mut world, 'B', 30), [('B', Ok(20))]);
    assert_eq!(charge(&mut world, 'B', 20), [('B', Ok(20))]);
    assert_eq!(charge(&mut world, 'B', 20), [('B', Err(CeilingReached))]);
    world.now = at("2026-02-01T00:00:00Z");
    let decision = world.does(&Request::RearmRefill { organization: org('B') }).unwrap();
    assert_eq!(told(&decision), [('B', Ok(20))]);
}

#[test]
fn a_parent_refills_itself_first_by_what_it_will_lack() {
    let mut world = World::new("A B<A C<B");
    world.grant('A', 1000);
    world.grant('B', 15);
    world.grant('C', 10);
    world.refill('B', 10, 10).refill('C', 10, 20);
    // C lacks 20; B has 15, so it needs 15 more to give 20 and keep 10.
    assert_eq!(charge(&mut world, 'C', 10), [('B', Ok(20)), ('C', Ok(20))]);
    assert_eq!(['A', 'B', 'C'].map(|name| world.balance(name)), [980, 15, 20]);
    assert_eq!((world.wallet('B').refill, world.wallet('C').refill), (Fired, Fired));
    assert_eq!(world.recount(), Ok(()));
}

#[test]
fn a_parent_that_starves_itself_gives_what_it_has() {
    let mut world = World::new("A B<A C<B");
    world.grant('B', 45);
    world.grant('C', 10);
    world.refill('B', 10, 10).refill('C', 50, 20);
    assert_eq!(charge(&mut world, 'C', 10), [('C', Ok(40)), ('C', Err(ParentExhausted)), ('B', Err(ParentExhausted))]);
    assert_eq!(['A', 'B', 'C'].map(|name| world.balance(name)), [0, 5, 40]);
}

#[test]
fn a_parent_that_gives_less_than_was_wanted_and_keeps_enough_has_not_starved() {
    let mut world = World::new("A B<A C<B");
    world.grant('B', 35);
    world.grant('C', 10);
    world.refill('B', 10, 10).refill('C', 50, 20);
    assert_eq!(charge(&mut world, 'C', 10), [('C', Ok(20)), ('C', Err(ParentExhausted))]);
    assert_eq!((world.balance('B'), world.wallet('B').refill), (15, Armed));
}

#[test]
fn two_siblings_cannot_drain_a_parent_together_below_its_reserve() {
    let mut world = World::new("A B<A C<A");
    for (name, amount) in [('A', 50), ('B', 10), ('C', 10)] {
        world.grant(name, amount);
    }
    world.set('A', |a| a.minimum_reserve = credits(20));
    world.refill('B', 10, 20).refill('C', 10, 20);
    assert_eq!(charge(&mut world, 'B', 10), [('B', Ok(20))]);
    assert_eq!(charge(&mut world, 'C', 10), [('C', Err(ParentExhausted))]);
    assert_eq!(world.balance('A'), 30);
}

#[test]
fn every_wallet_a_charge_draws_on_is_refilled() {
    let mut world = World::new("A B<A C<B");
    world.funding('C', Funding::Fallback).refill('B', 10, 10).refill('C', 5, 5);
    for (name, amount) in [('A', 100), ('B', 10), ('C', 5)] {
        world.grant(name, amount);
    }
    assert_eq!(charge(&mut world, 'C', 7), [('B', Ok(10)), ('C', Ok(5))]);
    assert_eq!(['A', 'B', 'C'].map(|name| world.balance(name)), [90, 13, 5]);
}

#[test]
fn the_true_gap_of_an_overdraft_is_filled() {
    let mut world = parent_and_child(1000);
    world.overdraw('B', -35);
    let decision = world.does(&Request::RearmRefill { organization: org('B') }).unwrap();
    assert_eq!(told(&decision), [('B', Ok(60))]);
    assert_eq!(world.available('B'), 25);
}

#[test]
fn a_parent_that_may_not_give_starves_the_child() {
    for (archived, suspended, reason) in
        [(true, true, ParentArchived), (false, true, ParentSuspended), (true, false, ParentArchived)]
    {
        let mut world = parent_and_child(100);
        let hold = world.hold('B', 15).unwrap();
        world.set('A', |a| {
            a.archived = archived;
            a.suspended = suspended;
        });
        world.refill('B', 100, 20);
        let decision = world.capture(hold, None).unwrap();
        assert_eq!(told(&decision), [('B', Err(reason))]);
        assert_eq!(world.balance('A'), 100);
    }
}

#[test]
fn a_root_has_nobody_to_be_refilled_from() {
    let mut world = World::new("A");
    world.grant('A', 30);
    world.refill('A', 10, 20);
    assert_eq!(charge(&mut world, 'A', 21), [('A', Err(NoParent))]);
}

#[test]
fn a_suspended_child_is_not_refilled_and_keeps_its_state() {
    let mut world = parent_and_child(100);
    let hold = world.hold('B', 15).unwrap();
    world.set('B', |b| b.suspended = true).refill('B', 100, 20);
    let decision = world.capture(hold, None).unwrap();
    assert_eq!(told(&decision), []);
    assert_eq!((world.wallet('B').refill, world.balance('A')), (Armed, 100));
}

#[test]
fn a_refill_switched_off_disarms_a_starved_wallet() {
    let mut world = parent_and_child(1);
    assert_eq!(charge(&mut world, 'B', 30), [('B', Err(ParentExhausted))]);
    world.set('B', |b| b.limits.refill_amount = None);
    world.does(&Request::RearmRefill { organization: org('B') }).unwrap();
    assert_eq!(world.wallet('B').refill, Armed);
}

#[test]
fn test_wallets_are_not_refilled() {
    let mut world = parent_and_child(100);
    world.does(&granting('A', TEST, 100, 0, None)).unwrap();
    world.does(&granting('B', TEST, 10, 0, None)).unwrap();
    let decision = world.does(&Request::Charge(spend('B', TEST, 10))).unwrap();
    assert_eq!(told(&decision), []);
}

#[test]
fn refilled_credits_keep_the_end_they_had() {
    let mut world = World::new("A B<A");
    world.grant_until('A', 100, 0, Some("2026-01-20T00:00:00Z"));
    world.grant('B', 10);
    world.refill('B', 10, 10);
    charge(&mut world, 'B', 10);
    assert_eq!(world.available('B'), 10);
    world.now = at("2026-01-20T00:00:00Z");
    assert_eq!(world.available('B'), 0);
}
