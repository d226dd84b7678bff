//! The schema as it is committed, and what a query costs and answers when a part of it fails (SPEC §11).

use std::path::Path;

use async_graphql::Positioned;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    FieldDefinition, InputValueDefinition, TypeDefinition, TypeKind, TypeSystemDefinition,
};
use serde_json::{Value, json};
use tests::{Organization, TestApp, both};

/// `UPDATE=1 cargo test -p tests schema` writes the file anew.
#[test]
fn the_committed_schema_is_the_one_that_is_served() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/schema.graphql");
    let served = banyan::schema::sdl();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &served).expect("the schema can be written");
    }
    let committed = std::fs::read_to_string(&path).expect("the schema is committed");
    assert!(
        committed == served,
        "server/schema.graphql is not what the gateway serves: run with UPDATE=1 and commit it"
    );
}

#[test]
fn everything_in_the_schema_is_described() {
    let document = parse_schema(banyan::schema::sdl()).expect("the schema's text parses");
    let mut said: Vec<(String, &Description)> = Vec::new();
    for definition in &document.definitions {
        match definition {
            TypeSystemDefinition::Schema(_) => {}
            TypeSystemDefinition::Directive(directive) => {
                said.push((directive.node.name.to_string(), &directive.node.description));
            }
            TypeSystemDefinition::Type(ty) => {
                said.push((ty.node.name.to_string(), &ty.node.description));
                said.extend(members(&ty.node));
            }
        }
    }
    assert!(said.len() > 500, "only {} descriptions were looked at", said.len());
    let silent = |description: &Description| description.as_ref().is_none_or(|text| text.node.trim().is_empty());
    let silent: Vec<String> = said.into_iter().filter(|(_, said)| silent(said)).map(|(name, _)| name).collect();
    assert_eq!(silent, Vec::<String>::new(), "these have no description");
}

type Description = Option<Positioned<String>>;

/// Everything a type is made of, with what is said of it.
fn members(ty: &TypeDefinition) -> Vec<(String, &Description)> {
    let of = ty.name.to_string();
    match &ty.kind {
        TypeKind::Object(object) => fields(&of, &object.fields),
        TypeKind::Interface(interface) => fields(&of, &interface.fields),
        TypeKind::InputObject(object) => inputs(&of, &object.fields),
        TypeKind::Enum(values) => {
            values.values.iter().map(|value| (format!("{of}.{}", value.node.value), &value.node.description)).collect()
        }
        TypeKind::Scalar | TypeKind::Union(_) => Vec::new(),
    }
}

fn fields<'a>(of: &str, fields: &'a [Positioned<FieldDefinition>]) -> Vec<(String, &'a Description)> {
    let mut said = Vec::new();
    for field in fields {
        let name = format!("{of}.{}", field.node.name);
        said.extend(inputs(&name, &field.node.arguments));
        said.push((name, &field.node.description));
    }
    said
}

fn inputs<'a>(of: &str, inputs: &'a [Positioned<InputValueDefinition>]) -> Vec<(String, &'a Description)> {
    inputs.iter().map(|input| (format!("{of}.{}", input.node.name), &input.node.description)).collect()
}

/// A root with `width` children, each with two of its own.
async fn tree(app: &TestApp, width: usize) -> Organization {
    let root = app.root("Top").create().await;
    for n in 0..width {
        let child = root.child(&format!("Child {n}")).create().await;
        for m in 0..2 {
            child.child(&format!("Grandchild {n}.{m}")).create().await;
        }
    }
    root
}

/// How many statements a document takes.
async fn statements(app: &TestApp, of: &Organization, document: &str) -> u64 {
    let before = app.kernel().db.statements();
    app.gql(&of.key, document, json!({})).await.clean();
    app.kernel().db.statements() - before
}

both! {
    async fn a_level_costs_the_same_statements_however_wide_it_is(app) {
        let narrow = tree(&app, 2).await;
        let wide = tree(&app, 10).await;
        let document = "{ viewer { organization { children(first: 10) { nodes {
          wallet { balance } apiKeys(first: 2) { nodes { name } }
          children(first: 2) { nodes { wallet { balance } apiKeys(first: 2) { nodes { name } }
            children(first: 2) { nodes { wallet { balance } apiKeys(first: 2) { nodes { name } } } } } } } } } } }";
        let (narrow, wide) = (statements(&app, &narrow, document).await, statements(&app, &wide, document).await);
        assert_eq!(narrow, wide);
        // Admission and the own organization, then a list, wallets, and keys for each of two levels that have members,
        // and the empty third list.
        assert!(wide <= 12, "{wide} statements");
    }

    async fn a_count_costs_a_statement_only_when_it_is_asked_for(app) {
        let root = tree(&app, 2).await;
        let page = |count: &str| format!("{{ viewer {{ organization {{ children {{ {count} nodes {{ id }} }} }} }} }}");
        let (without, with) =
            (statements(&app, &root, &page("")).await, statements(&app, &root, &page("totalCount")).await);
        assert_eq!(with, without + 1);
    }

    async fn the_error_of_a_nullable_field_nulls_that_field_alone(app) {
        let root = app.root("Quinn's").create().await;
        let key = root.mint(&["org:read"]).await;
        let document =
            "{ viewer { organization { name wallet { balance } children { nodes { id } } } } meters { key } }";
        let answer = app.gql(&key, document, json!({})).await;
        let expected = json!({ "name": "Quinn's", "wallet": null, "children": { "nodes": [] } });
        assert_eq!(answer.at("/viewer/organization"), &expected);
        assert_eq!(answer.at("/meters"), &json!([]));
        assert_eq!(answer.errors().len(), 1);
        assert_eq!(answer.failed("FORBIDDEN_SCOPE")["path"], json!(["viewer", "organization", "wallet"]));
    }

    async fn one_mutation_that_is_refused_leaves_the_others_done(app) {
        let root = app.root("Quinn's").with_credits(10).create().await;
        let document = "mutation {
          a: creditCharge(input: { amount: 11, idempotencyKey: \"a\" }) { charge { id } userErrors { code } }
          b: creditCharge(input: { amount: 10, idempotencyKey: \"b\" }) { charge { amount } userErrors { code } } }";
        let answer = app.gql(&root.key, document, json!({})).await.clean();
        assert_eq!(*answer.at("/a"), json!({ "charge": null, "userErrors": [{ "code": "INSUFFICIENT_CREDITS" }] }));
        assert_eq!(*answer.at("/b"), json!({ "charge": { "amount": 10 }, "userErrors": [] }));
    }

    async fn a_mutations_answer_reads_on_in_the_same_round_trip(app) {
        let root = app.root("Quinn's").create().await;
        let input = json!({ "name": "Acme" });
        let answer = app.mutate(&root.key, "organizationCreate", input, "query { organizations { totalCount } }").await;
        assert_eq!(answer.done()["query"]["organizations"]["totalCount"], 2);
    }

    async fn every_answer_tells_its_cost(app) {
        let answer = app.request("{ viewer { kind } }").send().await.clean();
        assert!(answer.body["extensions"]["cost"]["requestedQueryCost"].is_u64(), "{:#}", answer.body);
    }

    async fn everything_is_found_again_by_its_id(app) {
        let root = app.root("Quinn's").with_credits(10).create().await;
        let held = app.mutate(&root.key, "creditHold", json!({ "amount": 1 }), "hold { id } wallet { id }").await;
        let audit = app.gql(&root.key, "{ auditEvents(first: 1) { nodes { id } } }", json!({})).await.clean();
        let entries = root.read("ledgerEntries(first: 1) { nodes { transactionId } }").await;
        let done = held.done();
        let ids = json!([
            root.id,
            root.key.id,
            done["hold"]["id"],
            done["wallet"]["id"],
            audit.at("/auditEvents/nodes/0/id"),
            entries["ledgerEntries"]["nodes"][0]["transactionId"]
        ]);
        let document = "query($ids: [ID!]!) { nodes(ids: $ids) { id __typename } }";
        let answer = app.gql(&root.key, document, json!({ "ids": ids })).await.clean();
        let found: Vec<&Value> = answer.at("/nodes").as_array().into_iter().flatten().map(|node| &node["id"]).collect();
        assert_eq!(json!(found), ids);
    }

    async fn no_more_than_a_hundred_nodes_are_fetched_at_once(app) {
        let root = app.root("Quinn's").create().await;
        let document = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }";
        app.gql(&root.key, document, json!({ "ids": vec![&root.id; 100] })).await.clean();
        app.gql(&root.key, document, json!({ "ids": vec![&root.id; 101] })).await.failed("BAD_REQUEST");
    }
}
