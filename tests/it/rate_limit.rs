//! How much a key may ask: requests a minute of its family, points of its family and of its root (SPEC §4, §11).

use axum::Router;
use serde_json::{Value, json};
use tests::{Answer, Key, TestApp, both};

const LIST: &str = "{ organizations(first: 100) { nodes { id children(first: 8) { nodes { id } } } } }";
/// A connection of 100, and in each a connection of eight.
const LIST_POINTS: u64 = 2 + 100 * (1 + 2 + 8);

/// 2,000 points, of which no answer gives any back.
const DEAR: &str = "{ a: __schema { types { name } } b: __schema { types { name } } \
                    c: __schema { types { name } } d: __schema { types { name } } }";

async fn ask(app: &TestApp, gateway: &Router, key: &Key, document: &str) -> Answer {
    app.request(document).to(gateway).key(key).send().await
}

fn left(answer: &Answer) -> &Value {
    &answer.body["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"]
}

fn limited(answer: &Answer, retry_after_ms: u64) {
    answer.failed("RATE_LIMITED");
    assert_eq!(answer.status, 429);
    assert_eq!(answer.body["errors"][0]["extensions"]["retryAfterMs"], retry_after_ms);
    assert_eq!(answer.headers["retry-after"], retry_after_ms.div_ceil(1_000).to_string());
}

both! {
    async fn a_family_may_send_its_requests_a_minute_and_rotation_does_not_begin_anew(app) {
        let root = app.root("Quinn's").create().await;
        let key = root.mint_with(json!({ "scopes": ["org:read"], "rateLimit": 2 })).await;
        let who = "{ viewer { rateLimit { requests { maximum available restoredPerMinute } keyPoints { available } } } }";
        let answer = app.gql(&key, who, json!({})).await;
        let requests = json!({ "maximum": 2, "available": 1, "restoredPerMinute": 2 });
        let told = answer.clean();
        assert_eq!(told.at("/viewer/rateLimit"), &json!({ "requests": requests, "keyPoints": null }));
        let rotated = app.mutate(&root.key, "apiKeyRotate", json!({ "apiKeyId": key.id }), "secret").await;
        let next = rotated.done()["secret"].as_str().unwrap_or_default().to_owned();
        app.gql(&next, who, json!({})).await.clean();
        for secret in [&next, &key.secret] {
            limited(&app.gql(secret, who, json!({})).await, 30_000);
        }
        app.gql(&root.key, who, json!({})).await.clean();
        app.advance(30);
        app.gql(&next, who, json!({})).await.clean();
    }

    async fn what_a_document_did_not_use_is_given_back(app) {
        let root = app.root("Quinn's").create().await;
        let gateway = app.limiting_gateway(1_000, 2_000).await;
        let answer = ask(&app, &gateway, &root.key, LIST).await;
        let answer = answer.clean();
        let cost = &answer.body["extensions"]["cost"];
        // One organization without children.
        let status = json!({ "maximumAvailable": 10_000, "currentlyAvailable": 9_995, "restoreRate": 1_000 });
        assert_eq!(
            cost,
            &json!({ "requestedQueryCost": LIST_POINTS, "actualQueryCost": 5, "maximum": 10_000, "throttleStatus": status })
        );
    }

    async fn a_key_without_points_is_refused_and_told_when_to_come_back(app) {
        let root = app.root("Quinn's").create().await;
        let gateway = app.limiting_gateway(100, 0).await;
        // The bucket holds the dearest document there is, whatever ten seconds of a hundred would be.
        for left_after in [8_000, 6_000, 4_000, 2_000, 0] {
            assert_eq!(left(&ask(&app, &gateway, &root.key, DEAR).await.clean()), left_after);
        }
        let refused = ask(&app, &gateway, &root.key, DEAR).await;
        limited(&refused, 20_000);
        assert_eq!(left(&refused), 0);
        assert_eq!(refused.body["extensions"]["cost"]["requestedQueryCost"], 2_000);
        app.advance(20);
        assert_eq!(left(&ask(&app, &gateway, &root.key, DEAR).await.clean()), 0);
    }

    async fn keys_of_one_tree_share_the_roots_points(app) {
        let root = app.root("Quinn's").create().await;
        let child = root.child("Child").create().await;
        let other = app.root("Other").create().await;
        let gateway = app.limiting_gateway(0, 100).await;
        for key in [&root.key, &child.key, &root.key, &child.key, &root.key] {
            ask(&app, &gateway, key, DEAR).await.clean();
        }
        limited(&ask(&app, &gateway, &child.key, DEAR).await, 20_000);
        ask(&app, &gateway, &other.key, DEAR).await.clean();
        ask(&app, &gateway, app.operator(), DEAR).await.clean();
    }

    async fn a_mutation_costs_its_points_whatever_it_answers(app) {
        let root = app.root("Quinn's").create().await;
        let gateway = app.limiting_gateway(1_000, 0).await;
        let document = "mutation { organizationUpdate(input: { name: \"\", expectedVersion: 1 }) { organization { id } userErrors { code } } }";
        let answer = ask(&app, &gateway, &root.key, document).await;
        let cost = &answer.body["extensions"]["cost"];
        // The mutation, its payload and one user error; no organization.
        assert_eq!(cost["actualQueryCost"], 12, "{cost}");
    }
}
