//! Every document the console can send, as a whole, against the committed SDL.

use apollo_compiler::request::coerce_variable_values;
use apollo_compiler::{ExecutableDocument, Schema};
use tui::act::{Act, Form, Kind, Named, Occasion, Pinned, Spec};
use tui::command;
use tui::graphql::{Answer, Environment, EventScope, Follow, OrganizationId, Query, Request, Topic};
use tui::resource::{Ask, Order, ResourceId, Slice};

const SDL: &str = include_str!("../../server/schema.graphql");

fn id() -> OrganizationId {
    OrganizationId::new("org_1")
}

/// One of each. The matches below do not compile when a variant is added and not put here.
fn queries() -> Vec<Query> {
    let all = vec![
        Query::Viewer,
        Query::Roots { slice: Slice::First },
        Query::Children { parent: id(), slice: Slice::Last },
        Query::Detail { organization: id(), environment: Environment::Live },
        Query::Rows { ids: vec![id()] },
        Query::Path { organization: id() },
        Query::Search { name: String::new() },
    ];
    for query in &all {
        match query {
            Query::Of(_) => unreachable!("questions of lists and acts are in `questions`"),
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

fn pinned(kind: Kind) -> Pinned {
    let organization = Named { id: id(), name: "Acme".to_owned() };
    Pinned { kind, id: "id_1".to_owned(), name: "Till".to_owned(), organization, version: Some(3) }
}

/// Every act of the table, filled in as plainly as it can be.
fn acts() -> Vec<Act> {
    let filled = [
        ("Reason", "why"),
        ("New parent", "org_2"),
        ("Amount", "1"),
        ("Description", "what for"),
        ("Name", "Till"),
        ("Monthly cap", "none"),
        ("Refill by", "5"),
        ("Expires", "2027-01-31"),
    ];
    let source = Named { id: id(), name: "Quinn".to_owned() };
    let act = |(_, spec): (_, &'static Spec)| {
        let target = pinned(spec.on);
        let environment = Environment::Live;
        let mut fields = (spec.fields)(&Occasion { target: &target, environment: &environment, known: None });
        for field in &mut fields {
            if let Some((_, value)) = filled.iter().find(|(label, _)| *label == field.label) {
                field.fill(value).unwrap();
            }
        }
        let form =
            Form { target: &target, source: Some(&source), fields: &fields, plan: None, idempotency_key: "the-key" };
        Act::of(spec, &form).unwrap_or_else(|problem| panic!("{}: {problem:?}", spec.name))
    };
    command::acts().map(act).collect()
}

/// Every question that lists and acts ask by themselves.
fn questions() -> Vec<Request<Answer>> {
    let mut all = Vec::new();
    for id in ResourceId::ALL {
        let resource = id.spec();
        let filter: Vec<(&str, String)> = resource
            .filters
            .iter()
            .map(|filter| (filter.key, filter.words.first().unwrap_or(&"text").to_string()))
            .collect();
        let order = resource.orders.last().map(|field| Order { field, descending: true });
        for organization in [Some(self::id()), None] {
            for slice in [Slice::First, Slice::After("a".into()), Slice::Before("b".into()), Slice::Last, Slice::Count]
            {
                let ask = Ask {
                    organization: organization.clone(),
                    within: Some("whe_1".to_owned()),
                    environment: Environment::Live,
                    filter: filter.clone(),
                    order,
                    slice,
                };
                all.extend(resource.page.map(|page| page(&ask)));
            }
        }
        all.extend(resource.refresh.map(|refresh| refresh(&["id_1".to_owned()])));
    }
    for (_, spec) in command::acts() {
        let target = pinned(spec.on);
        let environment = Environment::Live;
        let mut fields = (spec.fields)(&Occasion { target: &target, environment: &environment, known: None });
        for field in fields.iter_mut().filter(|field| field.label == "New parent") {
            field.fill("org_2").unwrap();
        }
        let form = Form { target: &target, source: None, fields: &fields, plan: None, idempotency_key: "the-key" };
        all.extend(spec.plan.map(|plan| plan(&form).expect("what it depends on is filled in")));
    }
    all
}

#[test]
fn every_operation_is_valid_against_the_committed_schema() {
    let schema = Schema::parse_and_validate(SDL, "schema.graphql").expect("the SDL is valid");
    let mut documents: Vec<(&str, String)> = Vec::new();
    documents.extend(queries().iter().map(|query| query.request()).map(|r| (r.name, r.document)));
    let mut variables: Vec<(&str, String, serde_json::Value)> = Vec::new();
    variables.extend(acts().into_iter().map(|act| (act.request.name, act.request.document, act.request.body)));
    variables.extend(questions().into_iter().map(|request| (request.name, request.document, request.body)));
    for (name, document, body) in variables {
        let checked = ExecutableDocument::parse_and_validate(&schema, &document, name);
        let checked = checked.unwrap_or_else(|problem| panic!("{name}: {problem}\n{document}"));
        let operation = checked.operations.iter().next().expect("an operation");
        let given = serde_json_bytes_of(&body["variables"]);
        let coerced = coerce_variable_values(&schema, operation, &given);
        assert!(coerced.is_ok(), "{name}: {:?}\n{body:#}", coerced.err());
    }
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
        let request = act.request;
        let in_body = request.body.to_string().matches("the-key").count();
        let in_header = usize::from(request.idempotency_header.as_deref() == Some("the-key"));
        assert_eq!(in_body + in_header, 1, "{}", request.name);
    }
}

/// The variables in the types of the crate that checks them.
fn serde_json_bytes_of(variables: &serde_json::Value) -> apollo_compiler::response::JsonMap {
    serde_json::from_value(variables.clone()).expect("variables are an object")
}
