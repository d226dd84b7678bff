//! Projects through the schema.

use entity::kind::Environment::Live;
use serde_json::json;

use crate::schema::testing::{Gateway, refusal};

const CREATE: &str = "mutation ($input: ProjectCreateInput!) { projectCreate(input: $input) {
    project { id name timezone organization { id summary { projectCount } } } userErrors { code path message } } }";

#[tokio::test]
async fn a_project_takes_its_organizations_time_zone_and_is_counted() {
    let gateway = Gateway::start().await;
    let (root, key) = gateway.root(&["projects:*", "org:read"], Live).await;
    let update = "mutation ($id: ID!) { organizationUpdate(input: {
        organizationId: $id, expectedVersion: 1, timezone: \"Africa/Lagos\" }) { userErrors { message } } }";
    gateway.operator(update, json!({ "id": root })).await;
    let answer = gateway.with_key(&key, CREATE, json!({ "input": { "name": "Acme Coffee" } })).await;
    let project = &answer["data"]["projectCreate"]["project"];
    assert_eq!(project["timezone"], "Africa/Lagos", "{answer}");
    assert_eq!(project["organization"]["summary"]["projectCount"], 1);
    let list = "{ viewer { organization { projects { totalCount nodes { name } } } } }";
    let listed = gateway.with_key(&key, list, json!({})).await;
    let expected = json!({ "totalCount": 1, "nodes": [{ "name": "Acme Coffee" }] });
    assert_eq!(listed["data"]["viewer"]["organization"]["projects"], expected, "{listed}");
}

#[tokio::test]
async fn a_short_name_and_an_unknown_time_zone_are_refused() {
    let gateway = Gateway::start().await;
    let (_, key) = gateway.root(&["projects:*"], Live).await;
    for (input, field) in
        [(json!({ "name": "A" }), "name"), (json!({ "name": "Acme", "timezone": "Mars/Olympus" }), "timezone")]
    {
        let answer = gateway.with_key(&key, CREATE, json!({ "input": input })).await;
        assert_eq!(refusal(&answer["data"]["projectCreate"]), ("INVALID_INPUT", vec!["input", field]));
    }
}

#[tokio::test]
async fn a_level_of_siblings_costs_the_same_however_wide_it_is() {
    let gateway = Gateway::start().await;
    let (root, key) = gateway.root(&["projects:*", "org:admin"], Live).await;
    let child = "mutation ($id: ID!, $name: String!) { organizationCreate(input: { parentId: $id, name: $name }) {
        organization { id } } }";
    let list = "{ viewer { organization { children { nodes { projects { totalCount nodes { name } } } } } } }";
    let mut costs = Vec::new();
    for name in ["Acme", "Beta", "Corn"] {
        let made = gateway.operator(child, json!({ "id": root, "name": name })).await;
        let id = &made["organizationCreate"]["organization"]["id"];
        gateway.with_key(&key, CREATE, json!({ "input": { "organizationId": id, "name": name } })).await;
        let before = gateway.statements();
        let listed = gateway.with_key(&key, list, json!({})).await;
        costs.push(gateway.statements() - before);
        let children = listed["data"]["viewer"]["organization"]["children"]["nodes"].as_array().unwrap();
        assert!(children.iter().all(|child| child["projects"]["totalCount"] == 1), "{listed}");
    }
    assert!(costs.iter().all(|cost| *cost == costs[0]), "{costs:?}");
}
