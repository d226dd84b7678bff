//! Grants, transfers and sweeps.

use entity::credits::Credits;

use super::world::*;
use crate::credit::engine::book::Book;
use crate::credit::engine::check::Figure;
use crate::credit::engine::decision::Outcome;
use crate::credit::engine::refusal::{Conflict, Problem};
use crate::credit::engine::terms::BillingMode;
use crate::credit::engine::{Refusal, Request};

#[test]
fn a_realm_never_issues_more_than_a_json_number_holds() {
    let mut world = World::new("A B<A");
    world.grant('A', Credits::MAX.get() - 5);
    world.grant('B', 5);
    let refusal = Refusal::InvalidInput { field: "amount", problem: Problem::TooLarge };
    assert_eq!(world.does(&granting('B', LIVE, 1, 0, None)), Err(refusal.clone()));
    // Test credits are issued from the same total, and spending gives none of it back.
    world.charge('B', 5).unwrap();
    assert_eq!(world.does(&granting('B', TEST, 1, 0, None)), Err(refusal));
}

#[test]
fn equal_grants_share_a_bucket() {
    let mut world = World::new("A");
    let first = world.grant('A', 3);
    assert_eq!(world.grant('A', 4), first);
    assert_ne!(world.grant_until('A', 1, 1, None), first);
    assert_eq!(world.bucket('A', first), (7, 0));
}

#[test]
fn a_transfer_has_one_id_and_an_entry_on_both_ledgers() {
    let mut world = World::new("A B<A");
    world.grant('A', 10);
    let decision = world.transfer('A', 'B', 4).unwrap();
    let [transaction] = &decision.transactions[..] else { panic!("one transaction") };
    assert_eq!(transaction.entries.iter().map(|e| e.amount.get()).collect::<Vec<_>>(), [-4, 4]);
    assert!(matches!(decision.outcome, Outcome::Transferred { transaction: id, .. } if id == transaction.id));
    assert_eq!((world.balance('A'), world.balance('B')), (6, 4));
}

#[test]
fn a_transfer_needs_available_credits_and_counts_as_no_spend() {
    let mut world = World::new("A B<A");
    world.grant('A', 10);
    world.set('A', |a| a.limits.monthly_credit_cap = Some(Credits::ZERO));
    world.does(&Request::Charge(spend('A', LIVE, 1))).unwrap_err();
    world.set('A', |a| a.minimum_reserve = credits(10));
    assert_eq!(world.transfer('A', 'B', 11).unwrap_err().code(), "INSUFFICIENT_CREDITS");
    assert!(world.transfer('A', 'B', 10).is_ok());
    assert_eq!(world.book.counters().count(), 0);
}

#[test]
fn credits_go_up_down_and_across_but_not_to_oneself() {
    let mut world = World::new("A B<A C<A");
    world.grant('B', 10);
    for (source, target) in [('B', 'C'), ('C', 'A'), ('A', 'B')] {
        assert!(world.transfer(source, target, 10).is_ok());
    }
    let refusal = Refusal::InvalidInput { field: "targetOrganizationId", problem: Problem::SameOrganization };
    assert_eq!(world.transfer('B', 'B', 1), Err(refusal));
}

#[test]
fn prepaid_credits_do_not_mix_with_others() {
    use BillingMode::{Hybrid, Payg, Prepaid};
    for (source, target, mixes) in [
        (Prepaid, Prepaid, true),
        (Payg, Payg, true),
        (Payg, Hybrid, true),
        (Hybrid, Payg, true),
        (Prepaid, Payg, false),
        (Hybrid, Prepaid, false),
    ] {
        let mut world = World::new("A B<A");
        world.grant('A', 1);
        world.set('A', |a| a.billing_mode = source).set('B', |b| b.billing_mode = target);
        let expected = if mixes { None } else { Some(Refusal::BillingModeMismatch { source, target }) };
        assert_eq!(world.transfer('A', 'B', 1).err(), expected);
    }
}

#[test]
fn an_archived_end_is_a_conflict_and_a_suspended_one_is_not() {
    let mut world = World::new("A B<A C<B");
    world.grant('A', 10);
    world.set('B', |b| b.suspended = true);
    assert!(world.transfer('A', 'C', 5).is_ok());
    world.set('B', |b| b.archived = true);
    for (source, target) in [('A', 'C'), ('C', 'A')] {
        let refusal = Refusal::Conflict(Conflict::Archived { organization: org('C') });
        assert_eq!(world.transfer(source, target, 1), Err(refusal));
    }
    let refusal = Refusal::Conflict(Conflict::Archived { organization: org('B') });
    assert_eq!(world.does(&granting('B', LIVE, 1, 0, None)), Err(refusal));
}

#[test]
fn a_sweep_leaves_what_is_held() {
    let mut world = World::new("A B<A");
    world.grant('B', 10);
    world.hold('B', 4).unwrap();
    world.refill('B', 100, 10);
    world.grant('A', 1000);
    let decision = world.does(&Request::Sweep { from: org('B'), to: org('A') }).unwrap();
    assert!(matches!(decision.outcome, Outcome::Swept { amount, .. } if amount == credits(6)));
    assert_eq!((world.balance('B'), world.available('B'), world.balance('A')), (4, 0, 1006));
    assert_eq!(refill_notices(&decision), Vec::<&_>::new());
}

#[test]
fn a_sweep_goes_only_upwards_and_to_who_is_not_archived() {
    let mut world = World::new("A B<A C<A");
    world.grant('B', 10);
    let refusal = Refusal::InvalidInput { field: "to", problem: Problem::NotAnAncestor };
    for to in ['B', 'C'] {
        assert_eq!(world.does(&Request::Sweep { from: org('B'), to: org(to) }), Err(refusal.clone()));
    }
    world.set('A', |a| a.archived = true);
    assert_eq!(world.does(&Request::Sweep { from: org('B'), to: org('A') }), Err(refusal));
}

#[test]
#[should_panic(expected = "not to zero")]
fn a_decision_whose_entries_do_not_sum_to_zero_is_not_applied() {
    let mut world = World::new("A");
    world.grant('A', 10);
    let mut decision =
        crate::credit::engine::decide(&world.book, &charging('A', 1), world.now, &mut world.ids).unwrap();
    decision.transactions[0].entries[0].amount = credits(-2);
    world.book.apply(&decision);
}

#[test]
#[should_panic(expected = "made from another state")]
fn a_decision_is_applied_to_the_state_it_was_made_from() {
    let mut world = World::new("A");
    world.grant('A', 10);
    let decision = world.does(&charging('A', 1)).unwrap();
    world.book.apply(&decision);
}

#[test]
fn a_recount_names_the_figure_that_drifted() {
    let mut world = World::new("A");
    let bucket = world.grant('A', 10);
    world.charge('A', 3).unwrap();
    world.hold('A', 2).unwrap();
    assert_eq!(world.recount(), Ok(()));

    let figure = |world: &World| world.recount().unwrap_err().figure;
    let honest = world.wallet('A').clone();
    let drifted = |change: fn(&mut crate::credit::engine::book::Wallet)| {
        let mut wallet = honest.clone();
        change(&mut wallet);
        wallet
    };
    world.book.insert_wallet(drifted(|wallet| wallet.balance = credits(8)));
    assert_eq!(figure(&world), Figure::WalletBalance(honest.id));
    world.book.insert_wallet(drifted(|wallet| wallet.held = credits(1)));
    assert_eq!(figure(&world), Figure::WalletHeld(honest.id));
    world.book.insert_wallet(drifted(|wallet| wallet.buckets[0].balance = credits(8)));
    assert_eq!(figure(&world), Figure::BucketBalance(bucket));
    world.book.insert_wallet(drifted(|wallet| wallet.buckets[0].held = Credits::ZERO));
    assert_eq!(figure(&world), Figure::BucketHeld(bucket));
    world.book.insert_wallet(drifted(|wallet| wallet.buckets.clear()));
    assert_eq!(figure(&world), Figure::WalletBalance(honest.id));
    world.book.insert_wallet(honest.clone());

    let (environment, counter, used) = world.book.counters().min_by_key(|&(_, counter, _)| counter).unwrap();
    world.book.insert_counter(environment, counter, credits(used.get() - 1));
    assert_eq!(figure(&world), Figure::Used(environment, counter));
    world.book.insert_counter(environment, counter, used);

    let lost = world.posted.pop().unwrap();
    assert!(matches!(figure(&world), Figure::HoldSpent(hold) if Some(hold) == lost.hold));
    world.book = Book::new(Credits::ZERO);
    world.posted.clear();
    assert_eq!(world.recount(), Ok(()));
}
