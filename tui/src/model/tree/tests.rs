//! Walking through branches far larger than what is kept, against a list that answers by place.

use std::collections::HashSet;

use super::*;
use crate::graphql::OrganizationRow;
use crate::graphql::organization::{OrganizationSummary, PageEnds};
use crate::graphql::scalar::EffectiveStatus;

/// Of every branch.
const CHILDREN: usize = 20_000;
const PAGE: usize = 50;

fn id(path: &str) -> OrganizationId {
    OrganizationId::new(path)
}

/// Children are named by their parent's name and their place.
fn child(parent: Option<&OrganizationId>, place: usize) -> OrganizationId {
    id(&format!("{}/{place}", parent.map_or("", |parent| parent.as_str())))
}

fn page(parent: Option<&OrganizationId>, slice: &Slice) -> OrganizationPage {
    let number = |cursor: &str| cursor.parse::<usize>().unwrap();
    let range = match slice {
        Slice::First | Slice::Count => 0..PAGE,
        Slice::After(cursor) => number(cursor) + 1..(number(cursor) + 1 + PAGE).min(CHILDREN),
        Slice::Before(cursor) => number(cursor).saturating_sub(PAGE)..number(cursor),
        Slice::Last => CHILDREN - PAGE..CHILDREN,
    };
    let row = |place: usize| OrganizationRow {
        id: child(parent, place),
        name: String::new(),
        effective_status: EffectiveStatus::Active,
        relation: None,
        depth: 1,
        version: 1,
        parent: None,
        summary: OrganizationSummary { child_count: 0, available: None },
    };
    OrganizationPage {
        page_info: PageEnds {
            has_previous_page: range.start > 0,
            has_next_page: range.end < CHILDREN,
            start_cursor: Some(range.start.to_string()),
            end_cursor: Some((range.end - 1).to_string()),
        },
        nodes: range.map(row).collect(),
    }
}

fn tree() -> Tree {
    let mut tree = Tree::default();
    tree.add_page(None, &page(None, &Slice::First), &Slice::First);
    tree
}

/// Reads what the cursor stands on until it stands on an organization, as the console would.
fn read(tree: &mut Tree) {
    while let Some(RowKey::Before(parent) | RowKey::More(parent)) = tree.cursor().cloned() {
        let branch = tree.branch(parent.as_ref()).unwrap();
        let slice = match tree.cursor() {
            Some(RowKey::Before(_)) => branch.previous().unwrap(),
            _ => branch.next().unwrap(),
        };
        tree.add_page(parent.as_ref(), &page(parent.as_ref(), &slice), &slice);
        tree.forget_far();
        check(tree);
    }
}

fn step(tree: &mut Tree, down: bool) {
    let at = tree.cursor_position().unwrap();
    tree.move_to(if down { at + 1 } else { at.saturating_sub(1) });
    read(tree);
}

/// What always holds.
fn check(tree: &Tree) {
    assert!(tree.kept() <= KEPT_MAX, "{} are kept", tree.kept());
    let mut seen = HashSet::new();
    for (at, row) in tree.rows().iter().enumerate() {
        assert!(seen.insert(format!("{:?}", row.key)), "{:?} twice", row.key);
        let depth = row.above.map_or(0, |above| tree.rows()[above].depth + 1);
        assert!(row.depth == depth && row.above.is_none_or(|above| above < at));
    }
    let cursor = tree.cursor().expect("there are rows");
    assert_eq!(tree.position(cursor), tree.cursor_position());
    // Of each branch, an unbroken part in its order.
    for branch in std::iter::once(&tree.roots).chain(tree.branches.values()) {
        let places: Vec<usize> =
            branch.children().map(|id| id.as_str().rsplit('/').next().unwrap().parse().unwrap()).collect();
        assert!(places.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{places:?}");
    }
}

#[test]
fn a_branch_of_any_size_is_walked_through_both_ways_and_little_of_it_is_kept() {
    let mut tree = tree();
    for place in 1..6_000 {
        step(&mut tree, true);
        assert_eq!(tree.chosen(), Some(&child(None, place)));
    }
    for place in (0..5_999).rev() {
        step(&mut tree, false);
        assert_eq!(tree.chosen(), Some(&child(None, place)));
    }
    assert!(tree.branch(None).unwrap().begins());
}

#[test]
fn the_end_is_read_from_the_end_and_the_way_back_from_there() {
    let mut tree = tree();
    tree.move_to(usize::MAX);
    assert_eq!(tree.cursor(), Some(&RowKey::More(None)));
    tree.add_page(None, &page(None, &Slice::Last), &Slice::Last);
    assert_eq!(tree.chosen(), Some(&child(None, CHILDREN - 1)));
    for back in 2..200 {
        step(&mut tree, false);
        assert_eq!(tree.chosen(), Some(&child(None, CHILDREN - back)));
    }
    check(&tree);
}

#[test]
fn branches_within_branches_are_forgotten_from_afar_and_the_way_to_the_cursor_is_not() {
    let mut tree = tree();
    let mut parent = child(None, 7);
    for _ in 0..4 {
        tree.choose(&RowKey::Organization(parent.clone()));
        tree.set_open(&parent, true);
        step(&mut tree, true);
        for _ in 0..900 {
            step(&mut tree, true);
        }
        check(&tree);
        parent = tree.chosen().unwrap().clone();
    }
    let path: Vec<String> = tree.path().iter().map(|id| id.as_str().to_owned()).collect();
    assert_eq!(path, ["/7", "/7/900", "/7/900/900", "/7/900/900/900", "/7/900/900/900/900"]);
}

#[test]
fn a_branch_that_is_closed_is_forgotten_before_what_is_in_sight() {
    let mut tree = tree();
    let opened = child(None, 3);
    tree.choose(&RowKey::Organization(opened.clone()));
    tree.set_open(&opened, true);
    for _ in 0..1_000 {
        step(&mut tree, true);
    }
    tree.set_open(&opened, false);
    assert_eq!(tree.chosen(), Some(&opened), "the cursor comes out to it");
    for _ in 0..1_500 {
        step(&mut tree, true);
    }
    assert!(!tree.branch(Some(&opened)).is_some_and(Branch::is_read));
    assert_eq!(tree.branch(None).unwrap().len(), 1_550, "nothing of what is in sight went");
}

#[test]
fn a_first_page_that_is_read_again_loses_nobody_who_was_pushed_out_of_it() {
    let mut tree = tree();
    let second = Slice::After((PAGE - 1).to_string());
    tree.add_page(None, &page(None, &second), &second);
    let mut fresh = page(None, &Slice::First);
    let newcomer = OrganizationRow { id: id("new"), ..fresh.nodes[0].clone() };
    fresh.nodes.insert(3, newcomer);
    fresh.nodes.pop();
    fresh.page_info.end_cursor = Some((PAGE - 2).to_string());
    tree.choose(&RowKey::Organization(child(None, PAGE + 4)));
    tree.add_page(None, &fresh, &Slice::First);
    let shown: Vec<&OrganizationId> = tree.branch(None).unwrap().children().collect();
    assert_eq!((shown.len(), shown[3].as_str()), (2 * PAGE + 1, "new"));
    assert_eq!(shown[PAGE], &child(None, PAGE - 1), "pushed out of the first page");
    assert_eq!(tree.chosen(), Some(&child(None, PAGE + 4)));
}
