//! What a gateway remembers of a realm between its charges holds only while nobody else has written there.

use axum::Router;
use serde_json::{Value, json};
use tests::{Answer, Organization, TestApp, both};

const WALLET: &str = "wallet { balance available }";

async fn charge(app: &TestApp, of: &Organization, amount: i64) -> Answer {
    app.mutate(&of.key, "creditCharge", json!({ "amount": amount }), WALLET).await
}

async fn charge_through(app: &TestApp, gateway: &Router, of: &Organization, amount: i64) -> Answer {
    let request = app.mutation("creditCharge", json!({ "amount": amount }), WALLET);
    request.key(&of.key).to(gateway).send().await
}

/// How many statements a charge takes.
async fn statements(app: &TestApp, of: &Organization) -> u64 {
    let before = app.kernel().db.statements();
    charge(app, of, 1).await.done();
    app.kernel().db.statements() - before
}

both! {
    async fn what_the_last_batch_knew_is_not_read_again(app) {
        let root = app.root("Quinn's").with_credits(100).create().await;
        // Whatever else is written in the realm ends what was remembered.
        root.mint(&["org:read"]).await;
        let first = statements(&app, &root).await;
        let second = statements(&app, &root).await;
        // Key, path, family, organizations, wallets, buckets, counters.
        assert_eq!(first - second, 7);
    }

    async fn gateways_that_take_turns_spend_no_credit_twice(app) {
        let root = app.root("Quinn's").with_credits(500).create().await;
        let other = app.another_gateway().await;
        for _ in 0..2 {
            charge(&app, &root, 100).await.done();
            charge_through(&app, &other, &root, 100).await.done();
        }
        assert_eq!(charge(&app, &root, 100).await.done()["wallet"]["balance"], 0);
        charge_through(&app, &other, &root, 1).await.refused("INSUFFICIENT_CREDITS");
    }

    async fn a_limit_that_another_gateway_sets_counts_for_the_next_charge(app) {
        let root = app.root("Quinn's").with_credits(500).create().await;
        let child = root.child("Cafe").with_credits(100).create().await;
        charge(&app, &child, 10).await.done();
        let other = app.another_gateway().await;
        let limits = json!({ "organizationId": child.id, "monthlyCreditCap": 15 });
        let request = app.mutation("organizationLimitsUpdate", limits, "organization { id }");
        request.key(&root.key).to(&other).send().await.done();
        charge(&app, &child, 10).await.refused("CAP_EXCEEDED");
    }

    async fn a_refused_charge_spoils_nothing(app) {
        let root = app.root("Quinn's").with_credits(100).create().await;
        charge(&app, &root, 60).await.done();
        charge(&app, &root, 60).await.refused("INSUFFICIENT_CREDITS");
        assert_eq!(charge(&app, &root, 40).await.done()["wallet"]["balance"], 0);
    }

    async fn a_refund_finds_the_bucket_that_its_charge_emptied(app) {
        let root = app.root("Quinn's").with_credits(100).create().await;
        let charged = app.mutate(&root.key, "creditCharge", json!({ "amount": 100 }), "charge { id }").await;
        let hold: Value = charged.done()["charge"]["id"].clone();
        charge(&app, &root, 1).await.refused("INSUFFICIENT_CREDITS");
        let refunded = app.mutate(&root.key, "creditRefund", json!({ "holdId": hold }), WALLET).await;
        assert_eq!(refunded.done()["wallet"], json!({ "balance": 100, "available": 100 }));
        assert_eq!(charge(&app, &root, 100).await.done()["wallet"]["balance"], 0);
    }
}
