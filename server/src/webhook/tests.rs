//! Endpoints through the schema.

use entity::kind::Environment::Live;
use serde_json::{Value, json};

use crate::schema::testing::{Gateway, refusal};

const CREATE: &str = "mutation ($input: WebhookEndpointCreateInput!) { webhookEndpointCreate(input: $input) {
    webhookEndpoint { id url eventTypes scope enabled organization { name } } secret replayed
    userErrors { code path message } } }";

const UPDATE: &str = "mutation ($input: WebhookEndpointUpdateInput!) { webhookEndpointUpdate(input: $input) {
    webhookEndpoint { url enabled disabledReason } userErrors { code path message } } }";

async fn create(gateway: &Gateway, key: &str, input: Value) -> Value {
    let answer = gateway.with_key(key, CREATE, json!({ "input": input })).await;
    answer["data"]["webhookEndpointCreate"].clone()
}

fn endpoint() -> Value {
    json!({ "url": "https://quinns.example.com/hook", "eventTypes": ["credit.*"] })
}

#[tokio::test]
async fn a_secret_is_shown_once_and_the_endpoint_is_found() {
    let gateway = Gateway::start().await;
    let (_, key) = gateway.root(&["webhooks:*", "org:read"], Live).await;
    let mut input = endpoint();
    input["idempotencyKey"] = "k1".into();
    let made = create(&gateway, &key, input.clone()).await;
    assert!(made["secret"].as_str().unwrap().starts_with("whsec_"), "{made}");
    let again = create(&gateway, &key, input).await;
    assert_eq!((&again["secret"], &again["replayed"]), (&Value::Null, &json!(true)));
    assert_eq!(again["webhookEndpoint"]["id"], made["webhookEndpoint"]["id"]);
    let list = "{ viewer { organization { webhookEndpoints { totalCount nodes { id scope eventTypes } } } } }";
    let listed = gateway.with_key(&key, list, json!({})).await;
    let listed = &listed["data"]["viewer"]["organization"]["webhookEndpoints"];
    assert_eq!(listed["totalCount"], 1, "{listed}");
    let node = "query ($id: ID!) { node(id: $id) { id ... on WebhookEndpoint { url } } }";
    let found = gateway.with_key(&key, node, json!({ "id": made["webhookEndpoint"]["id"] })).await;
    assert_eq!(found["data"]["node"]["url"], "https://quinns.example.com/hook", "{found}");
}

#[tokio::test]
async fn only_admin_registers_or_redirects_the_firehose() {
    let gateway = Gateway::start().await;
    let (root, webhooks) = gateway.root(&["webhooks:*"], Live).await;
    let admin = gateway.key(&root, &["org:admin"], Live).await;
    let mut wide = endpoint();
    wide["scope"] = "SUBTREE".into();
    assert_eq!(refusal(&create(&gateway, &webhooks, wide.clone()).await), ("FORBIDDEN_SCOPE", vec!["input", "scope"]));
    let made = create(&gateway, &admin, wide).await;
    let redirect = json!({ "input": {
        "webhookEndpointId": made["webhookEndpoint"]["id"], "url": "https://elsewhere.example.com", "scope": "OWN",
    } });
    let answer = gateway.with_key(&webhooks, UPDATE, redirect.clone()).await;
    assert_eq!(refusal(&answer["data"]["webhookEndpointUpdate"]).0, "FORBIDDEN_SCOPE");
    let answer = gateway.with_key(&admin, UPDATE, redirect).await;
    assert_eq!(answer["data"]["webhookEndpointUpdate"]["webhookEndpoint"]["url"], "https://elsewhere.example.com");
}

#[tokio::test]
async fn the_twenty_first_endpoint_is_refused_until_one_is_removed() {
    let gateway = Gateway::start().await;
    let (_, key) = gateway.root(&["webhooks:*"], Live).await;
    let mut last = Value::Null;
    for _ in 0..20 {
        last = create(&gateway, &key, endpoint()).await["webhookEndpoint"]["id"].clone();
    }
    assert_eq!(refusal(&create(&gateway, &key, endpoint()).await).0, "CONFLICT");
    let delete = "mutation ($id: ID!) { webhookEndpointDelete(input: { webhookEndpointId: $id }) {
        deletedWebhookEndpointId userErrors { code path } } }";
    let answer = gateway.with_key(&key, delete, json!({ "id": last })).await;
    assert_eq!(answer["data"]["webhookEndpointDelete"]["deletedWebhookEndpointId"], last, "{answer}");
    assert_eq!(create(&gateway, &key, endpoint()).await["userErrors"], json!([]));
}

#[tokio::test]
async fn an_endpoint_is_disabled_and_enabled_on_request() {
    let gateway = Gateway::start().await;
    let (_, key) = gateway.root(&["webhooks:*"], Live).await;
    let id = create(&gateway, &key, endpoint()).await["webhookEndpoint"]["id"].clone();
    for enabled in [false, true] {
        let change = json!({ "input": { "webhookEndpointId": id, "enabled": enabled } });
        let answer = gateway.with_key(&key, UPDATE, change).await;
        let shown = &answer["data"]["webhookEndpointUpdate"]["webhookEndpoint"];
        assert_eq!(shown["enabled"], enabled, "{answer}");
        assert_eq!(shown["disabledReason"].is_null(), enabled);
    }
}
