//! What must hold whatever is asked, tried with random trees and requests. The seed is fixed, so a
//! failure shows again.

use std::time::Duration;

use entity::credits::Credits;
use entity::id::{BucketId, HoldId};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::world::*;
use crate::credit::engine::book::{Counter, CounterSubject};
use crate::credit::engine::decision::Account;
use crate::credit::engine::request::{Cost, Grant, Note, Spend, Transfer};
use crate::credit::engine::terms::{Environment, Funding, Origin, SystemAccount};
use crate::credit::engine::{Request, decide, quote, spendable};

const NAMES: [char; 5] = ['A', 'B', 'C', 'D', 'E'];
const CASES: u32 = 256;
const STEPS_MAX: usize = 40;

/// A request before it is known which holds and buckets there are.
#[derive(Clone, Debug)]
enum Step {
    Charge(usize, bool, i64, bool),
    Hold(usize, bool, i64, u64),
    Capture(usize, Option<i64>),
    Void(usize),
    Expire(usize),
    Refund(usize, Option<i64>),
    Grant(usize, bool, i64, u8, Option<u64>),
    Transfer(usize, usize, i64),
    ExpireBucket(usize, usize),
    Sweep(usize, usize),
    Rearm(usize),
    Later(u64),
    Suspend(usize, bool),
    Archive(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let name = 0..NAMES.len();
    let amount = -1..60_i64;
    let minutes = 1..60_000_u64;
    let step = prop_oneof![
        6 => (name.clone(), any::<bool>(), amount.clone(), any::<bool>())
            .prop_map(|(n, live, a, key)| Step::Charge(n, live, a, key)),
        6 => (name.clone(), any::<bool>(), amount.clone(), 1..120_u64).prop_map(|(n, l, a, m)| Step::Hold(n, l, a, m)),
        4 => (any::<usize>(), proptest::option::of(amount.clone())).prop_map(|(h, a)| Step::Capture(h, a)),
        2 => any::<usize>().prop_map(Step::Void),
        2 => any::<usize>().prop_map(Step::Expire),
        3 => (any::<usize>(), proptest::option::of(amount.clone())).prop_map(|(h, a)| Step::Refund(h, a)),
        6 => (name.clone(), any::<bool>(), 1..200_i64, 0..3_u8, proptest::option::of(minutes))
            .prop_map(|(n, l, a, p, m)| Step::Grant(n, l, a, p, m)),
        3 => (name.clone(), name.clone(), amount).prop_map(|(s, t, a)| Step::Transfer(s, t, a)),
        2 => (name.clone(), any::<usize>()).prop_map(|(n, b)| Step::ExpireBucket(n, b)),
        1 => (name.clone(), name.clone()).prop_map(|(f, t)| Step::Sweep(f, t)),
        1 => name.clone().prop_map(Step::Rearm),
        3 => (1..20_000_u64).prop_map(Step::Later),
        1 => (name.clone(), any::<bool>()).prop_map(|(n, s)| Step::Suspend(n, s)),
        1 => (1..NAMES.len()).prop_map(Step::Archive),
    ];
    proptest::collection::vec(step, 1..STEPS_MAX)
}

/// Parent, funding, reserve, cap and refill of an organization; the first has no parent.
type Settings = (usize, u8, i64, Option<i64>, Option<(i64, i64)>);

fn settings() -> impl Strategy<Value = Vec<Settings>> {
    let cap = proptest::option::of(20..300_i64);
    let refill = proptest::option::of((1..40_i64, 1..30_i64));
    proptest::collection::vec((any::<usize>(), 0..4_u8, 0..30_i64, cap, refill), NAMES.len())
}

fn world_of(settings: &[Settings]) -> World {
    let tree: Vec<String> = NAMES
        .iter()
        .enumerate()
        .map(|(i, name)| match i {
            0 => name.to_string(),
            _ => format!("{name}<{}", NAMES[settings[i].0 % i]),
        })
        .collect();
    let mut world = World::new(&tree.join(" "));
    for (&name, &(_, funding, reserve, cap, refill)) in NAMES.iter().zip(settings) {
        let funding =
            [None, Some(Funding::Isolated), Some(Funding::Fallback), Some(Funding::Pooled)][usize::from(funding)];
        world.set(name, |o| {
            o.funding = funding;
            o.minimum_reserve = credits(reserve);
            o.limits.subtree_monthly_cap = cap.map(credits);
            o.limits.monthly_credit_cap = cap.map(|cap| credits(cap / 2));
            o.limits.refill_threshold = refill.map(|(threshold, _)| credits(threshold));
            o.limits.refill_amount = refill.map(|(_, amount)| credits(amount));
            o.limits.refill_monthly_ceiling = refill.map(|_| credits(100));
        });
    }
    world.key('k', 'B', Some(80));
    world
}

fn environment(live: bool) -> Environment {
    if live { LIVE } else { TEST }
}

fn request(world: &mut World, step: &Step) -> Option<Request> {
    let mut holds: Vec<HoldId> = world.book.holds().map(|hold| hold.id).collect();
    holds.sort_unstable();
    let hold = |pick: usize| holds.get(pick.checked_rem(holds.len())?).copied();
    let note = Note::default();
    let spend = |name: usize, live, amount, key: bool| Spend {
        family: key.then(|| family('k')),
        ..spend(NAMES[name], environment(live), amount)
    };
    let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
    Some(match *step {
        Step::Charge(name, live, amount, key) => Request::Charge(spend(name, live, amount, key)),
        Step::Hold(name, live, amount, open_for) => {
            Request::Hold { spend: spend(name, live, amount, false), expires_in: Some(minutes(open_for)) }
        }
        Step::Capture(pick, amount) => Request::Capture { hold: hold(pick)?, amount: amount.map(credits), note },
        Step::Void(pick) => Request::Void { hold: hold(pick)? },
        Step::Expire(pick) => Request::Expire { hold: hold(pick)? },
        Step::Refund(pick, amount) => Request::Refund { hold: hold(pick)?, amount: amount.map(credits), note },
        Step::Grant(name, live, amount, priority, until) => Request::Grant(Grant {
            organization: org(NAMES[name]),
            environment: environment(live),
            amount: credits(amount),
            origin: if priority == 0 { Origin::Included } else { Origin::Promotional },
            priority: priority.into(),
            expires_at: until.map(|until| world.now.plus(minutes(until))),
            note,
        }),
        Step::Transfer(source, target, amount) => Request::Transfer(Transfer {
            source: org(NAMES[source]),
            target: org(NAMES[target]),
            environment: LIVE,
            amount: credits(amount),
            note,
        }),
        Step::ExpireBucket(name, pick) => {
            let buckets: Vec<BucketId> = world.wallet(NAMES[name]).buckets.iter().map(|bucket| bucket.id).collect();
            let bucket = *buckets.get(pick.checked_rem(buckets.len())?)?;
            Request::ExpireBucket { organization: org(NAMES[name]), environment: LIVE, bucket }
        }
        Step::Sweep(from, to) => Request::Sweep { from: org(NAMES[from]), to: org(NAMES[to]) },
        Step::Rearm(name) => Request::RearmRefill { organization: org(NAMES[name]) },
        Step::Later(later) => {
            world.now = world.now.plus(minutes(later));
            return None;
        }
        Step::Suspend(name, suspended) => {
            world.set(NAMES[name], |o| o.suspended = suspended);
            return None;
        }
        Step::Archive(name) => {
            world.set(NAMES[name], |o| o.archived = true);
            return None;
        }
    })
}

/// Everything in the book, in one order.
fn picture(world: &World) -> String {
    let mut wallets: Vec<_> = world.book.wallets().collect();
    wallets.sort_by_key(|wallet| wallet.id);
    let mut holds: Vec<_> = world.book.holds().collect();
    holds.sort_by_key(|hold| hold.id);
    let mut counters: Vec<_> = world.book.counters().collect();
    counters.sort_by_key(|&(environment, counter, _)| (environment, counter));
    format!("{wallets:?} {holds:?} {counters:?} {}", world.book.issued_total())
}

/// Balances in all buckets = issued − spent − expired, from the entries alone.
fn conserved(world: &World) -> bool {
    let mut system = [0_i64; 3];
    for entry in world.posted.iter().flat_map(|transaction| &transaction.entries) {
        match entry.account {
            Account::System(SystemAccount::Issued) => system[0] -= entry.amount.get(),
            Account::System(SystemAccount::Spent) => system[1] += entry.amount.get(),
            Account::System(SystemAccount::Expired) => system[2] += entry.amount.get(),
            Account::Bucket { .. } => {}
        }
    }
    let held: i64 = world.book.wallets().flat_map(|wallet| &wallet.buckets).map(|b| b.balance.get()).sum();
    held == system[0] - system[1] - system[2]
}

/// No bucket, and no counter of spend, is below zero; no more is held than is there.
fn solvent(world: &World) -> bool {
    let mut buckets = world.book.wallets().flat_map(|wallet| &wallet.buckets);
    buckets.all(|bucket| !bucket.balance.is_negative() && !bucket.held.is_negative() && bucket.held <= bucket.balance)
        && world.book.counters().all(|(_, _, used)| !used.is_negative())
}

/// Refills stay within the ceiling of their month.
fn within_ceilings(world: &World) -> bool {
    world.book.counters().all(|(_, Counter { subject, .. }, used)| match subject {
        CounterSubject::Refill(_) => used <= credits(100),
        _ => true,
    })
}

fn run(settings: &[Settings], steps: &[Step]) -> Result<(), TestCaseError> {
    let mut world = world_of(settings);
    for step in steps {
        let Some(request) = request(&mut world, step) else { continue };
        let before = picture(&world);
        let decided = decide(&world.book, &request, world.now, &mut world.ids.clone());
        let again = decide(&world.book, &request, world.now, &mut world.ids.clone());
        prop_assert_eq!(&decided, &again);
        if let Request::Charge(spend) = &request {
            let quoted = quote(&world.book, spend, world.now).map(|quote| quote.amount);
            prop_assert_eq!(quoted.as_ref().err(), decided.as_ref().err());
            let fits = spendable(&world.book, spend.organization, spend.environment, world.now);
            let Cost::Amount(amount) = spend.cost else { unreachable!("steps are not metered") };
            if spend.family.is_none() {
                prop_assert_eq!(quoted.is_ok(), amount.is_positive() && amount <= fits);
            }
        }
        prop_assert_eq!(&picture(&world), &before, "deciding changes nothing");
        let done = world.does(&request);
        prop_assert_eq!(&done, &decided);
        if let Ok(decision) = &done {
            let deltas = decision.wallets.iter().map(|wallet| wallet.balance_delta);
            let posted = decision.transactions.iter().flat_map(|transaction| &transaction.entries);
            let posted = posted.filter(|entry| matches!(entry.account, Account::Bucket { .. }));
            let sum = |amounts: &mut dyn Iterator<Item = Credits>| amounts.map(Credits::get).sum::<i64>();
            prop_assert_eq!(sum(&mut deltas.into_iter()), sum(&mut posted.map(|entry| entry.amount)));
        } else {
            prop_assert_eq!(&picture(&world), &before, "a refused request changes nothing");
        }
        prop_assert!(conserved(&world), "credits appeared or vanished");
        prop_assert!(solvent(&world), "below zero, or more held than there is");
        prop_assert!(within_ceilings(&world), "refilled above the ceiling");
        prop_assert_eq!(world.recount(), Ok(()));
    }
    Ok(())
}

#[test]
fn whatever_is_asked_no_credit_appears_or_vanishes() {
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let seed = TestRng::from_seed(RngAlgorithm::ChaCha, b"credits neither come nor vanish.");
    let mut runner = TestRunner::new_with_rng(config, seed);
    runner.run(&(settings(), steps()), |(settings, steps)| run(&settings, &steps)).unwrap();
}
