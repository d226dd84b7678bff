//! Every document the console can send, as a whole, against the committed SDL.

use apollo_compiler::{ExecutableDocument, Schema};
use tui::credits::Credits;
use tui::graphql::{Act, Environment, EventScope, Follow, OrganizationId, Query, Topic};

const SDL: &str = include_str!("../../server/schema.graphql");

fn id() -> OrganizationId {
    OrganizationId::new("org_1")
}

/// One of each. The matches below do not compile when a variant is added and not put here.
fn queries() -> Vec<Query> {
    let all = vec![
        Query::Viewer,
        Query::Roots { after: None },
        Query::Children { parent: id(), after: None },
        Query::Detail { organization: id(), environment: Environment::Live },
        Query::Rows { ids: vec![id()] },
        Query::Path { organization: id() },
        Query::Search { name: String::new() },
    ];
    for query in &all {
        match query {
            Query::Viewer
            | Query::Roots { .. }
            | Query::Children { .. }
            | Query::Detail { .. }
            | Query::Rows { .. }
            | Query::Path { .. }
            | Query::Search { .. } => {}
        }
    }
    all
}

fn acts() -> Vec<Act> {
    let all = vec![
        Act::Suspend { organization: id(), reason: String::new() },
        Act::Resume { organization: id() },
        Act::Transfer { source: id(), target: id(), amount: Credits(1), description: None },
        Act::MintKey { organization: id(), name: String::new(), scopes: Vec::new(), environment: Environment::Live },
    ];
    for act in &all {
        match act {
            Act::Suspend { .. } | Act::Resume { .. } | Act::Transfer { .. } | Act::MintKey { .. } => {}
        }
    }
    all
}

#[test]
fn every_operation_is_valid_against_the_committed_schema() {
    let schema = Schema::parse_and_validate(SDL, "schema.graphql").expect("the SDL is valid");
    let mut documents: Vec<(&str, String)> = Vec::new();
    documents.extend(queries().iter().map(|query| query.request()).map(|r| (r.name, r.document)));
    documents.extend(acts().iter().map(|act| act.request("key")).map(|r| (r.name, r.document)));
    for topic in [Topic::Wallets { environment: Environment::Live }, Topic::Events] {
        let follow = Follow { organization: id(), scope: EventScope::Subtree, topic };
        let request = follow.request(Some("7"));
        documents.push((request.name, request.document));
    }
    for (name, document) in documents {
        let checked = ExecutableDocument::parse_and_validate(&schema, &document, name);
        assert!(checked.is_ok(), "{name}: {}\n{document}", checked.unwrap_err());
    }
}

#[test]
fn an_act_carries_its_idempotency_key_exactly_once() {
    for act in acts() {
        let request = act.request("the-key");
        let in_body = request.body.to_string().matches("the-key").count();
        let in_header = usize::from(request.idempotency_header.as_deref() == Some("the-key"));
        assert_eq!(in_body + in_header, 1, "{}", request.name);
    }
}
