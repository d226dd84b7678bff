//! Monthly limits and the months they count in.

use std::time::Duration;

use entity::credits::Credits;

use super::world::*;
use crate::credit::engine::Refusal;
use crate::credit::engine::Request;
use crate::credit::engine::book::CounterSubject;
use crate::credit::engine::decision::Notice;
use crate::credit::engine::month::{Month, time_zone};
use crate::credit::engine::refusal::Cap;
use crate::credit::engine::request::Spend;

#[test]
fn a_cap_says_which_how_much_and_until_when() {
    let mut world = World::new("A B<A");
    world.grant('B', 100);
    world.set('A', |a| {
        a.limits.subtree_monthly_cap = Some(credits(10));
        a.time_zone = time_zone("America/New_York");
    });
    world.charge('B', 8).unwrap();
    assert_eq!(
        world.charge('B', 3),
        Err(Refusal::CapExceeded {
            cap: Cap::Subtree(org('A')),
            limit: credits(10),
            used: credits(8),
            requested: credits(3),
            resets_at: at("2026-02-01T05:00:00Z"),
        })
    );
    assert!(world.charge('B', 2).is_ok());
}

#[test]
fn an_ancestors_limit_holds_though_the_child_has_a_wider_one() {
    let mut world = World::new("A B<A");
    world.grant('B', 100);
    world.set('A', |a| a.limits.subtree_monthly_cap = Some(credits(10)));
    world.set('B', |b| b.limits.monthly_credit_cap = Some(credits(1000)));
    assert!(matches!(world.charge('B', 11), Err(Refusal::CapExceeded { cap: Cap::Subtree(_), .. })));
}

#[test]
fn siblings_share_their_parents_subtree_cap() {
    let mut world = World::new("A B<A C<A");
    world.grant('B', 10);
    world.grant('C', 10);
    world.set('A', |a| a.limits.subtree_monthly_cap = Some(credits(10)));
    world.charge('B', 6).unwrap();
    assert_eq!(world.charge('C', 5).unwrap_err().code(), "CAP_EXCEEDED");
    assert!(world.charge('C', 4).is_ok());
}

#[test]
fn use_is_counted_before_there_is_a_cap_and_a_cap_below_it_stops_only_new_spend() {
    let mut world = World::new("A");
    world.grant('A', 100);
    let hold = world.hold('A', 8).unwrap();
    world.set('A', |a| a.limits.monthly_credit_cap = Some(credits(5)));
    assert!(matches!(world.charge('A', 1), Err(Refusal::CapExceeded { used, .. }) if used == credits(8)));
    assert!(world.capture(hold, None).is_ok());
}

#[test]
fn a_cap_starts_anew_at_midnight_of_the_organizations_zone() {
    let mut world = World::new("A");
    world.grant('A', 100);
    world.set('A', |a| {
        a.limits.monthly_credit_cap = Some(credits(10));
        a.time_zone = time_zone("Africa/Lagos");
    });
    world.now = at("2026-01-31T22:59:59.999999Z");
    world.charge('A', 10).unwrap();
    assert_eq!(world.charge('A', 1).unwrap_err().code(), "CAP_EXCEEDED");
    world.now = at("2026-01-31T23:00:00Z");
    assert!(world.charge('A', 10).is_ok());
    let own = CounterSubject::Own(org('A'));
    assert_eq!((world.used(own, 202_601), world.used(own, 202_602)), (10, 10));
}

#[test]
fn months_end_where_the_calendar_of_the_zone_ends_them() {
    for (zone, within, end) in [
        ("UTC", "2026-01-31T12:00:00Z", "2026-02-01T00:00:00Z"),
        ("UTC", "2026-02-28T23:59:59Z", "2026-03-01T00:00:00Z"),
        ("UTC", "2028-02-29T12:00:00Z", "2028-03-01T00:00:00Z"),
        ("UTC", "2026-12-31T12:00:00Z", "2027-01-01T00:00:00Z"),
        // Summer time begins within the month, so it ends at another offset than it began.
        ("America/New_York", "2026-03-01T05:00:00Z", "2026-04-01T04:00:00Z"),
        ("Pacific/Auckland", "2026-03-31T10:59:59Z", "2026-03-31T11:00:00Z"),
        // Clocks went from 24:00 to 01:00: the month began an hour late.
        ("America/Asuncion", "2017-09-30T12:00:00Z", "2017-10-01T04:00:00Z"),
        ("No/Such_Place", "2026-01-31T12:00:00Z", "2026-02-01T00:00:00Z"),
    ] {
        let zone_rules = time_zone(zone);
        let month = Month::of(at(within), &zone_rules);
        assert_eq!(month.end(&zone_rules), at(end), "{zone} {within}");
        assert_eq!(Month::of(at(end).minus(Duration::from_micros(1)), &zone_rules), month);
        assert_ne!(Month::of(at(end), &zone_rules), month);
        assert_eq!(Month::from_number(month.number()), Some(month));
    }
    assert_eq!(Month::from_number(202_613), None);
}

#[test]
fn a_key_family_has_one_limit_in_the_months_of_its_own_organization() {
    let mut world = World::new("A B<A");
    world.grant('A', 100);
    world.grant('B', 100);
    world.key('k', 'A', Some(10)).set('A', |a| a.time_zone = time_zone("Asia/Tokyo"));
    world.now = at("2026-01-31T14:00:00Z");
    world.does(&charging_by('A', 'k', 6)).unwrap();
    let refusal = world.does(&charging_by('B', 'k', 5)).unwrap_err();
    assert!(matches!(refusal, Refusal::CapExceeded { cap: Cap::Family(_), resets_at, .. }
        if resets_at == at("2026-01-31T15:00:00Z")));
    assert!(world.charge('B', 5).is_ok());
    world.now = at("2026-01-31T15:00:00Z");
    assert!(world.does(&charging_by('B', 'k', 10)).is_ok());
}

#[test]
fn test_spend_meets_the_own_cap_apart_and_no_subtree_cap() {
    let mut world = World::new("A B<A");
    world.grant('B', 100);
    world.does(&granting('B', TEST, 100, 0, None)).unwrap();
    world.set('A', |a| a.limits.subtree_monthly_cap = Some(Credits::ZERO));
    world.set('B', |b| b.limits.monthly_credit_cap = Some(credits(10)));
    let charge = |amount| Request::Charge(Spend { ..spend('B', TEST, amount) });
    assert!(world.does(&charge(10)).is_ok());
    assert!(matches!(world.does(&charge(1)), Err(Refusal::CapExceeded { cap: Cap::Own(_), .. })));
    world.set('A', |a| a.limits.subtree_monthly_cap = None);
    assert!(world.charge('B', 10).is_ok());
}

#[test]
fn a_limit_warns_once_at_four_fifths_and_once_when_it_is_reached() {
    let mut world = World::new("A");
    world.grant('A', 100);
    world.set('A', |a| a.limits.monthly_credit_cap = Some(credits(10)));
    let mut warned = |amount| -> Vec<i64> {
        let notices = world.does(&charging('A', amount)).unwrap().notices;
        let percent = |notice: &Notice| match notice {
            Notice::CapWarning { percent, .. } => Some(*percent),
            _ => None,
        };
        notices.iter().filter_map(percent).collect()
    };
    assert_eq!([warned(7), warned(1), warned(1), warned(1)], [vec![], vec![80], vec![], vec![100]]);
}
