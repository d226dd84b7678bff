use async_graphql::Variables;
use serde_json::json;

use super::*;

pub(super) const SDL: &str = r#"
scalar Credits
interface Node { id: ID! }
type PageInfo { hasNextPage: Boolean! endCursor: String }
type Organization implements Node {
  id: ID!
  name: String!
  balance: Credits!
  parent: Organization
  ancestors: [Organization!]!
  children(first: Int, after: String, last: Int, before: String): OrganizationConnection!
  keys(first: Int = 5): OrganizationConnection!
}
type OrganizationConnection { edges: [OrganizationEdge!]! nodes: [Organization!]! pageInfo: PageInfo! totalCount: Int! }
type OrganizationEdge { cursor: String! node: Organization! }
type Query {
  a: Int
  organization(id: ID): Organization
  nodes(ids: [ID!]!): [Node]!
  organizations(first: Int, last: Int): OrganizationConnection
}
input Charge { amount: Credits! }
input ChargeBatch { charges: [Charge!]! tags: [String!] }
type Payload { organization: Organization organizations: [Organization!] userErrors: [Organization!]! query: Query! }
type Mutation { charge(input: Charge!): Payload chargeBatch(input: ChargeBatch!): Payload }
type Subscription { changes: Organization! }
"#;

pub(super) fn guard() -> Guard {
    Guard::new(SDL, Limits::default()).expect("the test's SDL parses")
}

fn check(query: &str) -> Result<Accepted, Refusal> {
    guard().check(query, None, &Variables::default())
}

fn cost_with(query: &str, variables: serde_json::Value) -> u64 {
    let accepted = guard().check(query, None, &Variables::from_json(variables));
    accepted.expect("the document is accepted").cost_points
}

fn cost(query: &str) -> u64 {
    cost_with(query, json!({}))
}

pub(super) fn refused(query: &str) -> (Limit, u64) {
    match check(query) {
        Err(Refusal::Limit { limit, found, .. }) => (limit, found),
        other => panic!("not refused for a limit: {other:?}"),
    }
}

#[test]
fn a_plain_query_is_accepted() {
    let accepted = check("{ organization { name } }").expect("accepted");
    assert_eq!(accepted.kind, OperationType::Query);
    assert_eq!(accepted.root_fields, 1);
}

#[test]
fn scalars_are_free_and_an_object_costs_one() {
    assert_eq!(cost("{ a }"), 0);
    assert_eq!(cost("{ organization { id name } }"), 1);
    assert_eq!(cost("{ organization { parent { parent { name } } } }"), 3);
}

#[test]
fn a_connection_costs_its_page_times_an_item() {
    assert_eq!(cost("{ organizations(first: 10) { nodes { name } } }"), 2 + 10);
    assert_eq!(cost("{ organizations(first: 10) { nodes { parent { name } } } }"), 2 + 20);
}

#[test]
fn edges_cost_what_nodes_cost() {
    assert_eq!(cost("{ organizations(first: 10) { edges { cursor node { name } } } }"), 12);
}

#[test]
fn connections_within_connections_multiply() {
    let query = "{ organizations(first: 10) { nodes { children(first: 20) { nodes { name } } } } }";
    assert_eq!(cost(query), 2 + 10 * (1 + 2 + 20));
}

#[test]
fn an_absent_page_counts_as_its_default() {
    assert_eq!(cost("{ organizations { nodes { name } } }"), 2 + 25);
    assert_eq!(cost("{ organization { keys { nodes { name } } } }"), 1 + 2 + 5);
}

#[test]
fn a_page_is_read_from_variables_and_their_defaults() {
    let query = "query Q($n: Int = 7) { organizations(first: $n) { nodes { name } } }";
    assert_eq!(cost_with(query, json!({})), 2 + 7);
    assert_eq!(cost_with(query, json!({"n": 3})), 2 + 3);
    assert_eq!(cost_with(query, json!({"n": null})), 2 + 25);
}

#[test]
fn a_page_beyond_the_largest_or_below_zero_counts_as_the_largest() {
    assert_eq!(cost("{ organizations(first: 5000) { nodes { name } } }"), 2 + 100);
    assert_eq!(cost("{ organizations(first: -1) { nodes { name } } }"), 2 + 100);
}

#[test]
fn total_count_is_paid_once_not_for_each_item() {
    assert_eq!(cost("{ organizations(first: 50) { totalCount pageInfo { hasNextPage } } }"), 2 + 5);
}

#[test]
fn a_fragment_on_a_connection_is_multiplied_like_its_text() {
    let query =
        "{ organizations(first: 10) { ...C } } fragment C on OrganizationConnection { totalCount nodes { name } }";
    assert_eq!(cost(query), 2 + 5 + 10);
}

#[test]
fn a_list_of_ids_multiplies() {
    assert_eq!(cost(r#"{ nodes(ids: ["a", "b", "c"]) { id } }"#), 3);
    let query = "query Q($ids: [ID!]!) { nodes(ids: $ids) { ... on Organization { parent { id } } } }";
    assert_eq!(cost_with(query, json!({"ids": ["a", "b"]})), 4);
}

#[test]
fn another_list_counts_as_ten() {
    assert_eq!(cost("{ organization { ancestors { name } } }"), 1 + 10);
}

#[test]
fn a_mutation_costs_ten_and_five_for_each_further_item_of_its_input() {
    assert_eq!(cost("mutation { charge(input: {amount: 1}) { organization { id } } }"), 10 + 2);
    let query = "mutation M($input: ChargeBatch!) { chargeBatch(input: $input) { organization { id } } }";
    let input =
        json!({"input": {"charges": [{"amount": 1}, {"amount": 2}, {"amount": 3}], "tags": ["a", "b", "c", "d"]}});
    assert_eq!(cost_with(query, input), 10 + 2 * 5 + 2);
}

#[test]
fn a_list_in_a_payload_has_one_answer_for_each_item_of_the_input() {
    let query = "mutation M($input: ChargeBatch!) { chargeBatch(input: $input) { organizations { id } } }";
    let input = |items: usize| json!({"input": {"charges": vec![json!({"amount": 1}); items]}});
    assert_eq!(cost_with(query, input(20)), 10 + 19 * 5 + 1 + 20);
    assert_eq!(cost_with(query, input(2)), 10 + 5 + 1 + 10);
}

#[test]
fn user_errors_count_as_one() {
    assert_eq!(cost("mutation { charge(input: {amount: 1}) { userErrors { id } } }"), 10 + 1 + 1);
}

#[test]
fn an_absent_variable_within_the_input_does_not_hide_its_length() {
    let query = "mutation M($x: Credits) { chargeBatch(input: {charges: [{amount: $x}, {amount: $x}]}) { organization { id } } }";
    assert_eq!(cost(query), 15 + 2);
}

#[test]
fn a_cost_beyond_the_maximum_is_refused_with_its_figure() {
    let query = "{ organizations(first: 100) { nodes { children(first: 100) { nodes { name } } } } }";
    assert_eq!(refused(query), (Limit::Cost, 2 + 100 * (1 + 2 + 100)));
}

#[test]
fn fifteen_levels_pass_and_sixteen_are_refused() {
    let nested = |parents: usize| {
        format!("{{ organization {{ {} name {} }} }}", "parent {".repeat(parents), "}".repeat(parents))
    };
    assert!(check(&nested(13)).is_ok());
    assert_eq!(refused(&nested(14)), (Limit::Depth, 16));
}

#[test]
fn depth_is_counted_through_fragments() {
    let query = "{ organization { ...A } } \
        fragment A on Organization { parent { parent { parent { parent { ...B } } } } } \
        fragment B on Organization { parent { parent { parent { parent { ...C } } } } } \
        fragment C on Organization { parent { parent { parent { parent { parent { parent { name } } } } } } }";
    assert_eq!(refused(query), (Limit::Depth, 16));
}

#[test]
fn more_than_a_hundred_aliases_are_refused() {
    let aliases: String = (0..101).map(|number| format!("a{number}: name ")).collect();
    assert_eq!(refused(&format!("{{ organization {{ {aliases} }} }}")), (Limit::Aliases, 101));
}

#[test]
fn more_than_twenty_root_fields_are_refused_in_fragments_too() {
    let fields = "a ".repeat(11);
    let query = format!("{{ ...F ...F }} fragment F on Query {{ {fields} }}");
    assert_eq!(refused(&query), (Limit::RootFields, 22));
}

#[test]
fn more_than_two_thousand_fields_are_refused() {
    let names = "name ".repeat(2_000);
    assert_eq!(refused(&format!("{{ organization {{ {names} }} }}")), (Limit::Fields, 2_001));
    let names = "name ".repeat(9_000);
    assert_eq!(refused(&format!("{{ organization {{ {names} }} }}")), (Limit::Fields, 2_001));
}

#[test]
fn more_than_five_hundred_spreads_are_refused() {
    let spreads = "...F ".repeat(501);
    let query = format!("{{ organization {{ {spreads} }} }} fragment F on Organization {{ name }}");
    assert_eq!(refused(&query), (Limit::FragmentSpreads, 501));
}

#[test]
fn more_than_eight_directives_on_a_field_are_refused() {
    let directives = "@include(if: true) ".repeat(9);
    assert_eq!(refused(&format!("{{ a {directives} }}")), (Limit::Directives, 9));
}

#[test]
fn a_fragment_that_contains_itself_is_refused() {
    let query = "{ organization { ...A } } fragment A on Organization { parent { ...B } } \
        fragment B on Organization { parent { ...A } }";
    assert_eq!(refused(query).0, Limit::FragmentCycles);
    assert_eq!(refused("{ a } fragment A on Query { ...A }").0, Limit::FragmentCycles);
}

#[test]
fn an_operation_is_chosen_by_name() {
    let guard = guard();
    let query = "query Q { a } mutation M { charge(input: {amount: 1}) { organization { id } } }";
    let kind = |name| guard.check(query, name, &Variables::default()).map(|accepted| accepted.kind);
    assert_eq!(kind(Some("M")), Ok(OperationType::Mutation));
    assert!(matches!(kind(Some("X")), Err(Refusal::Operation(_))));
    assert!(matches!(kind(None), Err(Refusal::Operation(_))));
}

#[test]
fn a_syntax_error_does_not_quote_the_document() {
    let Err(Refusal::Syntax { message, position }) = check("{ secretsecretsecret(") else {
        panic!("not a syntax error");
    };
    assert!(!message.contains("secret"), "{message}");
    assert!(position.is_some());
}

#[test]
fn the_introspection_query_of_graphiql_passes() {
    let accepted = check(include_str!("introspection.graphql")).expect("accepted");
    assert_eq!(accepted.cost_points, 500);
}

#[test]
fn introspection_that_multiplies_itself_is_refused() {
    let query = "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }";
    assert_eq!(refused(query), (Limit::IntrospectionLists, 3));
}

#[test]
fn an_alias_does_not_make_a_deep_query_introspection() {
    let query = format!("{{ __schema: organization {{ {} name {} }} }}", "parent {".repeat(20), "}".repeat(20));
    assert_eq!(refused(&query).0, Limit::Depth);
}
