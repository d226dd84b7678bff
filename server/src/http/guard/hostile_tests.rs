//! The documents that end or stall async-graphql when nothing stands before it, and variations on them.

use std::time::{Duration, Instant};

use async_graphql::Variables;
use proptest::prelude::*;

use super::tests::guard;
use super::*;

/// Far above what a refusal takes, because tests run unoptimised on busy machines; the attacks take seconds
/// or end the process.
const REFUSAL_DEADLINE: Duration = Duration::from_millis(500);

fn refusal(query: &str) -> Refusal {
    let guard = guard();
    let started = Instant::now();
    let refusal = guard.check(query, None, &Variables::default()).expect_err("the document is refused");
    assert!(started.elapsed() < REFUSAL_DEADLINE, "took {:?}", started.elapsed());
    refusal
}

fn limit(query: &str) -> Limit {
    match refusal(query) {
        Refusal::Limit { limit, .. } => limit,
        other => panic!("refused for another reason: {other:?}"),
    }
}

fn doubling_fragments(levels: usize) -> String {
    let mut query = "{ organization { ...F0 } }".to_owned();
    for level in 0..levels {
        query += &format!("fragment F{level} on Organization {{ ...F{0} ...F{0} }}", level + 1);
    }
    query + &format!("fragment F{levels} on Organization {{ id }}")
}

#[test]
fn a_list_nested_two_thousand_deep_is_refused() {
    let query = format!("{{ nodes(ids: {}{}) {{ id }} }}", "[".repeat(2_000), "]".repeat(2_000));
    assert!(query.len() < 4_100);
    assert_eq!(limit(&query), Limit::Nesting);
}

#[test]
fn thirty_doubling_fragments_are_refused() {
    let query = doubling_fragments(30);
    assert!(query.len() < 1_500);
    assert_eq!(limit(&query), Limit::FragmentSpreads);
}

#[test]
fn doubling_fragments_beyond_the_range_of_a_number_are_refused() {
    assert_eq!(limit(&doubling_fragments(200)), Limit::FragmentSpreads);
}

#[test]
fn doubling_fragments_that_nothing_spreads_are_refused() {
    let query = doubling_fragments(30).replace("{ organization { ...F0 } }", "{ a }");
    assert_eq!(limit(&query), Limit::FragmentSpreads);
}

#[test]
fn a_chain_of_four_hundred_fragments_is_refused_without_recursion() {
    let mut query = "{ organization { ...F0 } }".to_owned();
    for level in 0..400 {
        query += &format!("fragment F{level} on Organization {{ ...F{} }}", level + 1);
    }
    query += "fragment F400 on Organization { id }";
    assert_eq!(limit(&query), Limit::Nesting);
}

#[test]
fn a_cycle_of_four_hundred_fragments_is_refused_without_recursion() {
    let mut query = "{ organization { ...F0 } }".to_owned();
    for level in 0..400 {
        query += &format!("fragment F{level} on Organization {{ ...F{} }}", (level + 1) % 400);
    }
    assert_eq!(limit(&query), Limit::FragmentCycles);
}

#[test]
fn twenty_thousand_directives_are_refused() {
    assert_eq!(limit(&format!("{{ a {} }}", "@x ".repeat(20_000))), Limit::Tokens);
}

#[test]
fn brackets_that_never_close_are_refused() {
    for bracket in ["{", "[", "(", "{a(b:[", "{a{", "{a(b:{c:"] {
        let query = bracket.repeat(8_000);
        assert_eq!(limit(&query), Limit::Nesting, "{bracket}");
    }
}

#[test]
fn a_page_that_is_a_large_variable_is_not_copied_for_each_field() {
    let items: Vec<u32> = (0..40_000).collect();
    let variables = Variables::from_json(serde_json::json!({ "n": items }));
    let fields: String = (0..100).map(|number| format!("c{number}: children(first: $n) {{ totalCount }} ")).collect();
    let query = format!("query Q($n: Int) {{ organization {{ {fields} }} }}");
    let started = Instant::now();
    guard().check(&query, None, &variables).expect("the price is within the maximum");
    assert!(started.elapsed() < REFUSAL_DEADLINE, "took {:?}", started.elapsed());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever the bytes, the guard comes back: the parser recursed into nothing the scan did not count.
    #[test]
    fn any_arrangement_of_lexical_pieces_comes_back(pieces in prop::collection::vec(
        prop::sample::select(vec!["{", "}", "[", "]", "(", ")", "\"", "\"\"\"", "\\", "#", "\n", "a", ":", "$", "...", "@", "1", "!", " "]),
        0..400,
    )) {
        let _ = guard().check(&pieces.concat(), None, &Variables::default());
    }
}
