//! The guides of Yona and Layers as documents anybody can send (`tests/guide/*.graphql`), with the guides' own numbers.

use serde_json::{Value, json};
use tests::{Answer, Key, TestApp, both};

const YONA: &str = include_str!("../guide/yona.graphql");
const LAYERS: &str = include_str!("../guide/layers.graphql");

/// One operation of a guide.
fn operation(guide: &str, name: &str) -> String {
    let starts = |line: &str| line.starts_with("mutation ") || line.starts_with("query ");
    let named = |line: &str| starts(line) && line.split([' ', '(', '{']).nth(1) == Some(name);
    let lines: Vec<&str> = guide.lines().skip_while(|line| !named(line)).collect();
    assert!(!lines.is_empty(), "the guide has no {name}");
    let length = lines.iter().skip(1).position(|line| starts(line)).map_or(lines.len(), |next| next + 1);
    lines[..length].join("\n")
}

async fn send(app: &TestApp, key: &str, guide: &str, name: &str, variables: Value) -> Answer {
    app.gql(key, &operation(guide, name), variables).await
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

both! {
    async fn yonas_five_steps_work_as_the_guide_writes_them(app) {
        let partner = app.root("Partner").with("billingMode", "PAYG").with_credits(10_000).create().await;
        app.mutate(&partner.key, "meterSet", json!({ "key": "invoice.submit", "credits": 5 }), "meter { key }")
            .await
            .done();
        let Key { secret: key, .. } = partner.key.clone();

        let onboarded = send(&app, &key, YONA, "Onboard", json!({})).await;
        let onboarded = onboarded.done().clone();
        assert_eq!(onboarded["owner"], json!({ "email": "admin@acme.example", "role": "OWNER" }));
        let child = onboarded["organization"]["id"].clone();
        let child_key = text(&onboarded["secret"]);
        send(&app, &key, YONA, "Isolate", json!({ "child": child })).await.done();

        let pooled = send(&app, &key, YONA, "Pool", json!({})).await;
        assert_eq!(pooled.done()["organization"]["funding"], json!({ "primaryCoversSecondary": true,
            "fallbackToPrimary": false, "minimumReserve": 500 }));

        let seller = send(&app, &child_key, YONA, "Seller", json!({})).await.done()["seller"]["id"].clone();
        let buyer = send(&app, &child_key, YONA, "Buyer", json!({})).await.done()["buyer"]["id"].clone();
        let made = send(&app, &child_key, YONA, "Invoice", json!({ "seller": seller, "buyer": buyer })).await;
        let invoice = made.done()["invoice"].clone();
        assert_eq!((&invoice["status"], &invoice["total"]), (&json!("DRAFT"), &json!(1_350_000)));
        let submitted = send(&app, &child_key, YONA, "Submit", json!({ "invoice": invoice["id"] })).await;
        assert_eq!(submitted.done()["charge"], json!({ "amount": 5,
            "legs": [{ "organizationId": partner.id, "amount": 5 }] }));

        let seen = send(&app, &key, YONA, "Keys", json!({ "child": child })).await.clean();
        assert_eq!(*seen.at("/organization/apiKeys/nodes"), json!([{ "name": "acme-primary-key", "status": "ACTIVE" }]));
        assert_eq!(*seen.at("/organization/members/nodes"), json!([{ "email": "admin@acme.example", "role": "OWNER" }]));
        let hook = send(&app, &key, YONA, "Webhook", json!({ "child": child })).await;
        assert_eq!(hook.done()["webhookEndpoint"]["scope"], "OWN");
        let billing = send(&app, &key, YONA, "Billing", json!({ "child": child })).await;
        assert_eq!(*billing.at("/organization"), json!({ "name": "Acme Nigeria", "wallet": null }));
        billing.failed("FORBIDDEN_SCOPE");

        let moved = send(&app, &key, YONA, "Transfer", json!({ "child": child })).await;
        assert_eq!(moved.done()["transaction"]["amount"], 1_000);
        assert_eq!(moved.done()["replayed"], false);
        let again = send(&app, &key, YONA, "Transfer", json!({ "child": child })).await;
        assert_eq!((&again.done()["replayed"], &again.done()["transaction"]["id"]),
            (&json!(true), &moved.done()["transaction"]["id"]));
    }

    async fn layers_six_steps_end_with_3200_reclaimed_and_2_keys_revoked(app) {
        let crm = app.root("Quinn's Coffee CRM").with_credits(60_000).create().await;
        // The parent's key of the guide: control, spending, projects, and the content scopes it hands on.
        let parent = crm.mint(&["org:admin", "keys:*", "credits:read", "credits:spend", "credits:transfer",
            "projects:*", "webhooks:*", "content:*"]).await.secret;

        let created = send(&app, &parent, LAYERS, "Create", json!({})).await;
        let acme = created.done()["organization"].clone();
        assert_eq!(acme["parent"], json!({ "name": "Quinn's Coffee CRM" }));
        let child = &acme["id"];
        let by_child = json!({ "child": child });

        let made = app.request(&operation(LAYERS, "Project")).key(&parent)
            .header("Banyan-Organization", &text(child)).send().await;
        assert_eq!(made.done()["project"]["organization"]["id"], *child);
        let usage = send(&app, &parent, LAYERS, "Usage", by_child.clone()).await.clean();
        assert_eq!(*usage.at("/organization/summary"), json!({ "projectCount": 1, "balance": 0, "available": 0 }));

        let funded = send(&app, &parent, LAYERS, "Fund", by_child.clone()).await;
        assert_eq!(funded.done()["targetWallet"], json!({ "balance": 5_000, "available": 5_000 }));
        let limited = send(&app, &parent, LAYERS, "Limit", by_child.clone()).await;
        assert_eq!(limited.done()["organization"]["limits"], json!({ "monthlyCreditCap": 5_000,
            "refillThreshold": 1_000, "refillAmount": 2_000, "autoRefillEnabled": true }));
        let mut secrets = Vec::new();
        for name in ["acme-integration", "acme-reports"] {
            let minted = send(&app, &parent, LAYERS, "Key", json!({ "child": child, "name": name })).await;
            assert_eq!(minted.done()["apiKey"]["scopes"], json!(["content:read", "content:write"]));
            secrets.push(text(&minted.done()["secret"]));
        }
        send(&app, &parent, LAYERS, "Generate", by_child.clone()).await.done();

        let hose = send(&app, &parent, LAYERS, "Firehose", json!({})).await;
        assert_eq!(hose.done()["webhookEndpoint"]["scope"], "CHILDREN");
        assert!(text(&hose.done()["secret"]).starts_with("whsec_"));
        let modest = crm.mint(&["webhooks:*"]).await;
        send(&app, &modest.secret, LAYERS, "Firehose", json!({})).await.refused("FORBIDDEN_SCOPE");

        let paused = send(&app, &parent, LAYERS, "Suspend", by_child.clone()).await;
        assert_eq!(paused.done()["organization"]["effectiveStatus"], "SUSPENDED");
        app.gql(&secrets[0], "{ viewer { kind } }", json!({})).await.failed("ORGANIZATION_SUSPENDED");
        let back = send(&app, &parent, LAYERS, "Resume", by_child.clone()).await;
        assert_eq!(back.done()["organization"]["effectiveStatus"], "ACTIVE");

        let ended = send(&app, &parent, LAYERS, "Archive", by_child.clone()).await;
        assert_eq!(ended.done()["organization"]["status"], "ARCHIVED");
        assert_eq!((&ended.done()["reclaimedCredits"], &ended.done()["revokedApiKeys"]), (&json!(3_200), &json!(2)));
        app.gql(&secrets[0], "{ viewer { kind } }", json!({})).await.failed("UNAUTHENTICATED");
    }
}
