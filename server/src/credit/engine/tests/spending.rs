//! Who may spend, who pays, and what is refused first.

use entity::credits::Credits;

use super::world::*;
use crate::credit::engine::decision::{Account, Outcome};
use crate::credit::engine::refusal::{Cap, Conflict, Payer, Problem, Shortage};
use crate::credit::engine::request::{Cost, Note, Price, Spend};
use crate::credit::engine::terms::{Funding, SystemAccount};
use crate::credit::engine::{Quote, Refusal, Request, decide, funding, payers, quote, spendable};

fn legs(world: &World, name: char, amount: i64) -> Result<Vec<(char, i64)>, Refusal> {
    let Quote { legs, .. } = quote(&world.book, &spend(name, LIVE, amount), world.now)?;
    Ok(legs
        .iter()
        .map(|leg| {
            let name = ('A'..='Z').find(|&name| org(name) == leg.organization).expect("a letter");
            (name, leg.amount.get())
        })
        .collect())
}

#[test]
fn a_charge_posts_what_it_takes_from_the_bucket_as_spent() {
    let mut world = World::new("A");
    let bucket = world.grant('A', 10);
    let decision = world.does(&charging('A', 4)).unwrap();
    let [transaction] = &decision.transactions[..] else { panic!("one transaction") };
    let lines: Vec<_> = transaction.entries.iter().map(|entry| (entry.account, entry.amount.get())).collect();
    let wallet = world.wallet('A').id;
    assert_eq!(
        lines,
        [(Account::Bucket { organization: org('A'), wallet, bucket }, -4), (Account::System(SystemAccount::Spent), 4)]
    );
    assert_eq!((world.balance('A'), world.wallet('A').held.get(), world.wallet('A').version), (6, 0, 3));
    assert_eq!(world.recount(), Ok(()));
}

#[test]
fn two_holds_for_the_last_credit_give_it_to_one() {
    let mut world = World::new("A");
    world.grant('A', 1);
    assert!(world.hold('A', 1).is_ok());
    assert_eq!(world.hold('A', 1).unwrap_err().code(), "INSUFFICIENT_CREDITS");
}

/// The month's count would go beyond 2^53−1; that is not what is wrong with the request.
#[test]
fn the_largest_amount_is_not_covered_also_where_something_was_spent_before() {
    let mut world = World::new("A");
    world.grant('A', 10);
    assert!(world.charge('A', 4).is_ok());
    assert_eq!(world.charge('A', Credits::MAX.get()).unwrap_err().code(), "INSUFFICIENT_CREDITS");
}

#[test]
fn a_charge_that_is_not_covered_in_full_takes_nothing() {
    let mut world = World::new("A B<A");
    world.grant('A', 5).to_string();
    world.grant('B', 3);
    world.funding('B', Funding::Fallback);
    let payer = |name, available| Payer {
        organization: org(name),
        available: credits(available),
        reserve: Credits::ZERO,
        spendable: credits(available),
    };
    assert_eq!(
        world.charge('B', 9),
        Err(Refusal::InsufficientCredits(Shortage {
            required: credits(9),
            spendable: credits(8),
            shortfall: credits(1),
            payers: vec![payer('B', 3), payer('A', 5)],
        }))
    );
    assert_eq!((world.balance('A'), world.balance('B')), (5, 3));
}

#[test]
fn amounts_that_cannot_be_meant_are_invalid() {
    let world = World::new("A");
    let metered = |quantity, unit_price| {
        let cost = Cost::Metered(Price { meter: "invoice.submit".into(), quantity, unit_price: credits(unit_price) });
        Request::Charge(Spend { cost, ..spend('A', LIVE, 1) })
    };
    let max = Credits::MAX.get();
    for (request, field, problem) in [
        (charging('A', 0), "amount", Problem::NotPositive),
        (charging('A', -1), "amount", Problem::NotPositive),
        (metered(0, 5), "quantity", Problem::NotPositive),
        (metered(-1, 5), "quantity", Problem::NotPositive),
        (metered(1, 0), "unitPrice", Problem::NotPositive),
        (metered(1, -5), "unitPrice", Problem::NotPositive),
        (metered(2, max), "quantity", Problem::TooLarge),
        (metered(i64::MAX, max), "quantity", Problem::TooLarge),
    ] {
        let refusal = decide(&world.book, &request, world.now, &mut Count::default());
        assert_eq!(refusal, Err(Refusal::InvalidInput { field, problem }), "{request:?}");
    }
}

#[test]
fn a_price_is_pinned_when_the_hold_is_taken() {
    let mut world = World::new("A");
    world.grant('A', 100);
    let price = Price { meter: "invoice.submit".into(), quantity: 3, unit_price: credits(5) };
    let spend = Spend { cost: Cost::Metered(price.clone()), ..spend('A', LIVE, 1) };
    let decision = world.does(&Request::Hold { spend, expires_in: None }).unwrap();
    let Outcome::Held { hold, amount, .. } = decision.outcome else { panic!("a hold") };
    assert_eq!((amount, &world.held_by(hold).price), (credits(15), &Some(price)));
    world.capture(hold, None).unwrap();
    assert_eq!(world.balance('A'), 85);
}

#[test]
fn buckets_are_spent_by_priority_then_expiry_then_age() {
    let mut world = World::new("A");
    let last = world.grant_until('A', 10, 5, Some("2026-01-16T00:00:00Z"));
    let never = world.grant_until('A', 10, 1, None);
    let soon = world.grant_until('A', 10, 1, Some("2026-02-01T00:00:00Z"));
    let later = world.grant_until('A', 10, 1, Some("2026-03-01T00:00:00Z"));
    let first = world.grant_until('A', 10, 0, None);
    let hold = world.hold('A', 45).unwrap();
    let order: Vec<_> = world.held_by(hold).legs.iter().map(|leg| (leg.bucket, leg.amount.get())).collect();
    assert_eq!(order, [(first, 10), (soon, 10), (later, 10), (never, 10), (last, 5)]);
}

#[test]
fn the_tree_and_the_settings_tell_who_pays() {
    use Funding::{Fallback, Isolated, Pooled};
    for (a, b, c, d, expected) in [
        (Isolated, Isolated, Isolated, Isolated, "D"),
        (Isolated, Isolated, Isolated, Fallback, "DC"),
        (Isolated, Isolated, Fallback, Fallback, "DCB"),
        (Isolated, Fallback, Fallback, Fallback, "DCBA"),
        (Isolated, Isolated, Isolated, Pooled, "C"),
        (Isolated, Isolated, Pooled, Pooled, "B"),
        (Isolated, Pooled, Pooled, Pooled, "A"),
        // The pool's owner pays alone, though it falls back for itself.
        (Isolated, Isolated, Fallback, Pooled, "C"),
        (Isolated, Pooled, Isolated, Fallback, "DC"),
        // A pooled step on the way up sends the draw on to its pool, past its own wallet.
        (Isolated, Isolated, Pooled, Fallback, "DB"),
        (Isolated, Pooled, Fallback, Fallback, "DCA"),
        // A root has nobody above it, whatever it says.
        (Pooled, Pooled, Pooled, Pooled, "A"),
    ] {
        let mut world = World::new("A B<A C<B D<C");
        world.funding('A', a).funding('B', b).funding('C', c).funding('D', d);
        let expected: Vec<_> = expected.chars().map(org).collect();
        assert_eq!(payers(&world.book, org('D')), expected, "{a} {b} {c} {d}");
    }
}

#[test]
fn a_childs_own_funding_comes_before_its_parents_default() {
    for (covers, fallback, own, expected) in [
        (true, true, None, Funding::Pooled),
        (true, false, None, Funding::Pooled),
        (false, true, None, Funding::Fallback),
        (false, false, None, Funding::Isolated),
        (true, true, Some(Funding::Isolated), Funding::Isolated),
        (false, false, Some(Funding::Pooled), Funding::Pooled),
    ] {
        let mut world = World::new("A B<A");
        world.set('A', |a| {
            a.pool.primary_covers_secondary = covers;
            a.pool.fallback_to_primary = fallback;
        });
        world.set('B', |b| b.funding = own);
        assert_eq!(funding(&world.book, world.book.organization(org('B')).unwrap()), expected);
    }
}

#[test]
fn a_fallback_draws_on_its_own_credits_first_and_on_three_wallets_if_need_be() {
    let mut world = World::new("A B<A C<B");
    world.funding('B', Funding::Fallback).funding('C', Funding::Fallback);
    for (name, amount) in [('A', 10), ('B', 4), ('C', 3)] {
        world.grant(name, amount);
    }
    assert_eq!(legs(&world, 'C', 2), Ok(vec![('C', 2)]));
    assert_eq!(legs(&world, 'C', 9), Ok(vec![('C', 3), ('B', 4), ('A', 2)]));
}

#[test]
fn a_pools_owner_pays_even_where_the_spender_has_credits() {
    let mut world = World::new("A B<A");
    world.funding('B', Funding::Pooled);
    world.grant('A', 10);
    world.grant('B', 10);
    assert_eq!(legs(&world, 'B', 10), Ok(vec![('A', 10)]));
    assert_eq!(legs(&world, 'B', 11).unwrap_err().code(), "INSUFFICIENT_CREDITS");
}

#[test]
fn a_payer_keeps_its_reserve_from_others_and_not_from_itself() {
    let mut world = World::new("A B<A");
    world.funding('B', Funding::Fallback).set('A', |a| a.minimum_reserve = credits(4));
    world.grant('A', 10);
    assert_eq!(legs(&world, 'B', 6), Ok(vec![('A', 6)]));
    assert_eq!(legs(&world, 'B', 7).unwrap_err().code(), "RESERVE_PROTECTED");
    assert_eq!(legs(&world, 'B', 10).unwrap_err().code(), "RESERVE_PROTECTED");
    assert_eq!(legs(&world, 'B', 11).unwrap_err().code(), "INSUFFICIENT_CREDITS");
    assert_eq!(legs(&world, 'A', 10), Ok(vec![('A', 10)]));
}

#[test]
fn a_reserve_raised_above_available_stops_draws_and_lets_holds_settle() {
    let mut world = World::new("A B<A");
    world.funding('B', Funding::Pooled);
    world.grant('A', 10);
    let hold = world.hold('B', 5).unwrap();
    world.set('A', |a| a.minimum_reserve = credits(50));
    assert_eq!(world.charge('B', 1).unwrap_err().code(), "RESERVE_PROTECTED");
    assert!(world.capture(hold, None).is_ok());
}

#[test]
fn a_suspended_or_archived_ancestor_denies_instead_of_being_skipped() {
    let mut world = World::new("A B<A C<B");
    world.funding('B', Funding::Fallback).funding('C', Funding::Fallback);
    world.grant('C', 10);
    world.set('B', |b| b.suspended = true);
    assert_eq!(
        world.charge('C', 1),
        Err(Refusal::OrganizationSuspended { organization: org('C'), suspended: org('B') })
    );
    world.set('A', |a| a.archived = true);
    assert_eq!(world.charge('C', 1), Err(Refusal::OrganizationArchived { organization: org('C'), archived: org('A') }));
    assert_eq!(spendable(&world.book, org('C'), LIVE, world.now), Credits::ZERO);
}

#[test]
fn an_ancestor_that_was_not_loaded_does_not_pass_for_active() {
    let mut world = World::new("A B<Z");
    world.grant('A', 10);
    for request in [charging('B', 1), granting('B', LIVE, 1, 0, None), transferring('A', 'B', 1)] {
        assert_eq!(world.does(&request), Err(Refusal::NotFound { id: org('Z').into() }));
    }
}

#[test]
fn a_path_of_33_is_walked_to_its_root() {
    let names: Vec<char> = ('A'..='Z').chain('a'..='g').collect();
    let tree: Vec<String> = names.windows(2).map(|pair| format!("{}<{}", pair[1], pair[0])).collect();
    let mut world = World::new(&format!("A {}", tree.join(" ")));
    world.grant('g', 1);
    world.set('A', |a| a.suspended = true);
    assert_eq!(
        world.charge('g', 1),
        Err(Refusal::OrganizationSuspended { organization: org('g'), suspended: org('A') })
    );
}

#[test]
fn the_nearest_suspension_is_the_one_named() {
    let mut world = World::new("A B<A C<B");
    world.set('A', |a| a.suspended = true).set('C', |c| c.suspended = true);
    assert_eq!(
        world.charge('C', 1),
        Err(Refusal::OrganizationSuspended { organization: org('C'), suspended: org('C') })
    );
}

#[test]
fn of_several_refusals_the_first_in_the_documented_order_is_given() {
    let mut world = World::new("A B<A");
    world.funding('B', Funding::Pooled);
    world.key('k', 'B', Some(0));
    world.grant('A', 1);
    world.set('A', |a| {
        a.archived = true;
        a.suspended = true;
        a.minimum_reserve = credits(1);
        a.limits.subtree_monthly_cap = Some(Credits::ZERO);
    });
    world.set('B', |b| {
        b.limits.monthly_credit_cap = Some(Credits::ZERO);
        b.limits.subtree_monthly_cap = Some(Credits::ZERO);
    });
    let refusal = |world: &World, amount| {
        decide(&world.book, &charging_by('B', 'k', amount), world.now, &mut Count::default()).unwrap_err()
    };
    let cap = |world: &World| match refusal(world, 1) {
        Refusal::CapExceeded { cap, .. } => cap,
        other => panic!("{other}"),
    };
    assert_eq!(refusal(&world, 0).code(), "INVALID_INPUT");
    assert_eq!(refusal(&world, 1).code(), "ORGANIZATION_ARCHIVED");
    world.set('A', |a| a.archived = false);
    assert_eq!(refusal(&world, 1).code(), "ORGANIZATION_SUSPENDED");
    world.set('A', |a| a.suspended = false);
    assert_eq!(cap(&world), Cap::Own(org('B')));
    world.set('B', |b| b.limits.monthly_credit_cap = None);
    assert_eq!(cap(&world), Cap::Subtree(org('B')));
    world.set('B', |b| b.limits.subtree_monthly_cap = None);
    assert_eq!(cap(&world), Cap::Subtree(org('A')));
    world.set('A', |a| a.limits.subtree_monthly_cap = None);
    assert_eq!(cap(&world), Cap::Family(family('k')));
    world.key('k', 'B', None);
    assert_eq!(refusal(&world, 1).code(), "RESERVE_PROTECTED");
    assert_eq!(refusal(&world, 2).code(), "INSUFFICIENT_CREDITS");
}

#[test]
fn what_the_book_does_not_have_is_not_found() {
    let world = World::new("A");
    let note = Note::default;
    let hold = uuid::Uuid::nil().into();
    for request in [
        charging('Z', 1),
        charging_by('A', 'k', 1),
        granting('Z', LIVE, 1, 0, None),
        transferring('A', 'Z', 1),
        transferring('Z', 'A', 1),
        Request::Capture { hold, amount: None, note: note() },
        Request::Void { hold },
        Request::Expire { hold },
        Request::Refund { hold, amount: None, note: note() },
        Request::ExpireBucket { organization: org('A'), environment: LIVE, bucket: uuid::Uuid::nil().into() },
        Request::Sweep { from: org('A'), to: org('Z') },
        Request::RearmRefill { organization: org('Z') },
    ] {
        let refusal = decide(&world.book, &request, world.now, &mut Count::default()).unwrap_err();
        assert_eq!(refusal.code(), "NOT_FOUND", "{request:?}");
    }
}

#[test]
fn an_overdraft_in_one_bucket_counts_against_the_others() {
    let mut world = World::new("A");
    world.overdraw('A', -30);
    world.grant_until('A', 100, 1, None);
    assert_eq!(world.available('A'), 70);
    assert_eq!(world.charge('A', 71).unwrap_err().code(), "INSUFFICIENT_CREDITS");
    assert!(world.charge('A', 70).is_ok());
}

#[test]
fn an_overdraft_outlives_the_expiry_of_its_bucket() {
    let mut world = World::new("A");
    world.overdraw('A', -30);
    let mut wallet = world.wallet('A').clone();
    wallet.buckets[0].expires_at = Some(world.now);
    world.book.insert_wallet(wallet);
    world.grant('A', 100);
    assert_eq!(world.available('A'), 70);
}

#[test]
fn test_credits_are_isolated_and_apart_from_live_ones() {
    let mut world = World::new("A B<A");
    world.funding('B', Funding::Pooled);
    world.grant('A', 10);
    world.does(&granting('B', TEST, 100, 0, None)).unwrap();
    let decision = world.does(&Request::Charge(spend('B', TEST, 60))).unwrap();
    assert_eq!(decision.wallets.len(), 1);
    assert_eq!(world.book.wallet(org('B'), TEST).unwrap().balance, credits(40));
    assert_eq!((world.balance('A'), world.balance('B')), (10, 0));
    let short = decide(&world.book, &Request::Charge(spend('B', TEST, 41)), world.now, &mut Count::default());
    assert_eq!(short.unwrap_err().code(), "INSUFFICIENT_CREDITS");
}

#[test]
fn a_quote_says_what_the_charge_will_do() {
    let mut world = World::new("A B<A");
    world.funding('B', Funding::Fallback);
    world.grant('A', 10);
    world.grant('B', 2);
    let quoted = quote(&world.book, &spend('B', LIVE, 7), world.now).unwrap();
    let hold = world.charge('B', 7).unwrap();
    let charged: Vec<_> = world.held_by(hold).legs.iter().map(|leg| (leg.bucket, leg.amount)).collect();
    assert_eq!(quoted.legs.iter().map(|leg| (leg.bucket, leg.amount)).collect::<Vec<_>>(), charged);
}

#[test]
fn spendable_is_what_a_charge_can_take_and_not_one_more() {
    let mut world = World::new("A B<A");
    world.funding('B', Funding::Fallback).set('A', |a| a.minimum_reserve = credits(4));
    world.grant('A', 10);
    world.grant('B', 2);
    for (cap, expected) in [(None, 8), (Some(5), 5), (Some(100), 8)] {
        world.set('A', |a| a.limits.subtree_monthly_cap = cap.map(credits));
        assert_eq!(spendable(&world.book, org('B'), LIVE, world.now), credits(expected));
        assert!(quote(&world.book, &spend('B', LIVE, expected), world.now).is_ok());
        assert!(quote(&world.book, &spend('B', LIVE, expected + 1), world.now).is_err());
    }
}

#[test]
fn only_what_time_or_money_can_cure_is_retryable() {
    let mut world = World::new("A");
    assert!(world.charge('A', 1).unwrap_err().retryable());
    world.set('A', |a| a.suspended = true);
    assert!(!world.charge('A', 1).unwrap_err().retryable());
    assert!(!Refusal::Conflict(Conflict::Archived { organization: org('A') }).retryable());
}
