//! Members and provisioning through the schema.

use entity::kind::Environment::Live;
use serde_json::{Value, json};

use crate::schema::testing::{Gateway, refusal};

const PROVISION: &str = "mutation ($input: OrganizationProvisionInput!) { organizationProvision(input: $input) {
    organization { id name relation parent { id } members { totalCount } wallet { balance } }
    owner { id email firstName role } apiKey { scopes environment organization { id } } secret
    funding { amount } replayed userErrors { code path message } } }";

const ADD: &str = "mutation ($input: MemberAddInput!) { memberAdd(input: $input) {
    member { id userId email firstName role } userErrors { code path message } } }";

const REMOVE: &str = "mutation ($id: ID!) { memberRemove(input: { memberId: $id }) {
    removedMemberId organization { members { totalCount } } userErrors { code path message } } }";

fn acme() -> Value {
    json!({
        "name": "Acme Suya Spot", "email": "ops@acme.ng", "relation": "LINKED", "ownerEmail": "Ada@Acme.ng",
        "ownerFirstName": "Ada", "ownerLastName": "Obi", "ownerPhone": "+2348012345678",
        "fundingAmount": 200, "idempotencyKey": "acme",
    })
}

async fn provision(gateway: &Gateway, key: &str, input: Value) -> Value {
    let answer = gateway.with_key(key, PROVISION, json!({ "input": input })).await;
    assert_eq!(answer.get("errors"), None, "{answer}");
    answer["data"]["organizationProvision"].clone()
}

async fn platform() -> (Gateway, String, String) {
    let gateway = Gateway::start().await;
    let (root, key) = gateway.root(&["org:admin", "credits:*", "trade:*"], Live).await;
    (gateway, root, key)
}

/// How many children the platform has, and what is in its wallet.
async fn state(gateway: &Gateway, key: &str) -> Value {
    let document = "{ viewer { organization { children { totalCount } wallet { balance } } } }";
    gateway.with_key(key, document, json!({})).await["data"]["viewer"]["organization"].clone()
}

#[tokio::test]
async fn provisioning_makes_organization_owner_key_and_funding_at_once() {
    let (gateway, root, key) = platform().await;
    let made = provision(&gateway, &key, acme()).await;
    assert_eq!(made["userErrors"], json!([]), "{made}");
    assert_eq!(made["organization"]["parent"]["id"], root.as_str());
    assert_eq!(made["organization"]["relation"], "LINKED");
    assert_eq!(made["organization"]["wallet"]["balance"], 200);
    assert_eq!((&made["owner"]["email"], &made["owner"]["role"]), (&json!("ada@acme.ng"), &json!("OWNER")));
    assert_eq!(made["apiKey"]["scopes"], json!(["credits:read", "credits:spend", "credits:transfer", "trade:*"]));
    assert_eq!(made["apiKey"]["organization"]["id"], made["organization"]["id"]);
    assert_eq!(made["funding"]["amount"], 200);
    assert_eq!(state(&gateway, &key).await["wallet"]["balance"], 300);
    let viewer = gateway.with_key(made["secret"].as_str().unwrap(), "{ viewer { kind } }", json!({})).await;
    assert_eq!(viewer["data"]["viewer"]["kind"], "API_KEY");
}

#[tokio::test]
async fn a_replayed_provision_makes_nothing_and_shows_no_secret() {
    let (gateway, _, key) = platform().await;
    let first = provision(&gateway, &key, acme()).await;
    let again = provision(&gateway, &key, acme()).await;
    assert_eq!((&again["replayed"], &again["secret"]), (&json!(true), &Value::Null), "{again}");
    assert_eq!(again["organization"]["id"], first["organization"]["id"]);
    assert_eq!(state(&gateway, &key).await["children"]["totalCount"], 1);
}

#[tokio::test]
async fn one_refused_part_leaves_nothing() {
    let (gateway, _, key) = platform().await;
    let before = state(&gateway, &key).await;
    for (field, value, code, path) in [
        ("fundingAmount", json!(501), "INSUFFICIENT_CREDITS", vec!["input", "fundingAmount"]),
        ("apiKey", json!({ "scopes": ["books:*"] }), "FORBIDDEN_SCOPE", vec!["input", "apiKey", "scopes"]),
        ("ownerPhone", json!("555"), "INVALID_INPUT", vec!["input", "ownerPhone"]),
        ("billingMode", json!("PREPAID"), "BILLING_MODE_MISMATCH", vec!["input", "fundingAmount"]),
        ("idempotencyKey", Value::Null, "INVALID_INPUT", vec!["input", "idempotencyKey"]),
    ] {
        let mut input = acme();
        input[field] = value;
        let refused = provision(&gateway, &key, input).await;
        assert_eq!(refusal(&refused), (code, path));
    }
    assert_eq!(state(&gateway, &key).await, before);
}

#[tokio::test]
async fn the_operator_provisions_a_root_and_funds_it_otherwise() {
    let gateway = Gateway::start().await;
    let mut input = acme();
    let document = json!({ "input": input });
    let made = gateway.operator(PROVISION, document).await;
    assert_eq!(refusal(&made["organizationProvision"]).1, ["input", "fundingAmount"]);
    input["fundingAmount"] = Value::Null;
    let made = gateway.operator(PROVISION, json!({ "input": input })).await;
    let made = &made["organizationProvision"];
    assert_eq!(
        (&made["organization"]["parent"], &made["organization"]["wallet"]["balance"]),
        (&Value::Null, &json!(500))
    );
    assert_eq!(made["organization"]["members"]["totalCount"], 1, "{made}");
}

#[tokio::test]
async fn the_last_owner_stays_until_there_is_another() {
    let (gateway, _, key) = platform().await;
    let made = provision(&gateway, &key, acme()).await;
    let owner = &made["owner"]["id"];
    let answer = gateway.with_key(&key, REMOVE, json!({ "id": owner })).await;
    assert_eq!(refusal(&answer["data"]["memberRemove"]), ("CONFLICT", vec!["input", "memberId"]));
    let grace = json!({ "input": {
        "organizationId": made["organization"]["id"], "email": "grace@acme.ng", "firstName": "Grace",
        "lastName": "Eze", "role": "OWNER",
    } });
    let added = gateway.with_key(&key, ADD, grace.clone()).await;
    assert_eq!(added["data"]["memberAdd"]["member"]["firstName"], "Grace", "{added}");
    let again = gateway.with_key(&key, ADD, grace).await;
    assert_eq!(refusal(&again["data"]["memberAdd"]), ("CONFLICT", vec!["input", "email"]));
    let answer = gateway.with_key(&key, REMOVE, json!({ "id": owner })).await;
    assert_eq!(answer["data"]["memberRemove"]["organization"]["members"]["totalCount"], 1, "{answer}");
}

#[tokio::test]
async fn a_person_is_one_user_in_every_realm() {
    let (gateway, root, key) = platform().await;
    let made = provision(&gateway, &key, acme()).await;
    let (other, other_key) = gateway.root(&["org:admin"], Live).await;
    let mut users = Vec::new();
    for (organization, key) in [(root, key), (other, other_key)] {
        let input = json!({
            "organizationId": organization, "email": "ADA@acme.ng", "firstName": "Other", "lastName": "Name",
            "role": "VIEWER",
        });
        let added = gateway.with_key(&key, ADD, json!({ "input": input })).await;
        let member = &added["data"]["memberAdd"]["member"];
        assert_eq!(member["firstName"], made["owner"]["firstName"], "{added}");
        users.push(member["userId"].clone());
    }
    assert_eq!(users[0], users[1]);
}

#[tokio::test]
async fn a_key_without_admin_adds_no_owner_and_removes_none() {
    let (gateway, root, admin) = platform().await;
    let members = gateway.key(&root, &["members:*"], Live).await;
    let mut input = json!({
        "email": "ada@acme.ng", "firstName": "Ada", "lastName": "Obi", "role": "OWNER", "organizationId": root,
    });
    let refused = gateway.with_key(&members, ADD, json!({ "input": input })).await;
    assert_eq!(refusal(&refused["data"]["memberAdd"]), ("FORBIDDEN_SCOPE", vec!["input", "role"]));
    let added = gateway.with_key(&admin, ADD, json!({ "input": input })).await;
    input["email"] = "grace@acme.ng".into();
    gateway.with_key(&admin, ADD, json!({ "input": input })).await;
    let id = &added["data"]["memberAdd"]["member"]["id"];
    let refused = gateway.with_key(&members, REMOVE, json!({ "id": id })).await;
    assert_eq!(refusal(&refused["data"]["memberRemove"]), ("FORBIDDEN_SCOPE", vec!["input", "memberId"]));
}
