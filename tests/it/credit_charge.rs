//! Spending at once: status, limits, payers, buckets (SPEC §5).

use serde_json::{Value, json};
use tests::{Organization, TestApp, both};

/// Charges with the organization's own key.
async fn charge(app: &TestApp, of: &Organization, amount: i64) -> tests::Answer {
    app.mutate(&of.key, "creditCharge", json!({ "amount": amount }), CHARGE).await
}

const CHARGE: &str = "charge { id status amount captured unitPrice quantity meter
  legs { organizationId amount captured } } wallet { balance held available spendable }";

/// Who paid how much.
fn legs(payload: &Value) -> Vec<(String, i64)> {
    let legs = payload["charge"]["legs"].as_array().expect("legs were selected");
    legs.iter()
        .map(|leg| (leg["organizationId"].as_str().unwrap_or_default().to_owned(), leg["amount"].as_i64().unwrap_or(0)))
        .collect()
}

both! {
    async fn a_charge_takes_credits_from_its_own_wallet(app) {
        let root = app.root("Quinn's").with_credits(1_000).create().await;
        let answer = charge(&app, &root, 300).await;
        let wallet = &answer.done()["wallet"];
        assert_eq!(*wallet, json!({ "balance": 700, "held": 0, "available": 700, "spendable": 700 }));
    }

    async fn a_charge_is_a_hold_captured_at_once(app) {
        let root = app.root("Quinn's").with_credits(1_000).create().await;
        let answer = charge(&app, &root, 300).await;
        let charge = &answer.done()["charge"];
        assert_eq!((&charge["status"], &charge["captured"]), (&json!("CAPTURED"), &json!(300)));
    }

    async fn a_charge_of_everything_leaves_zero(app) {
        let root = app.root("Quinn's").with_credits(1_000).create().await;
        assert_eq!(charge(&app, &root, 1_000).await.done()["wallet"]["balance"], 0);
    }

    async fn too_little_is_refused_with_what_is_missing_and_nothing_is_written(app) {
        let root = app.root("Quinn's").with_credits(1_000).create().await;
        let before = app.contents().await;
        let answer = charge(&app, &root, 1_001).await;
        let error = answer.refused("INSUFFICIENT_CREDITS");
        assert_eq!(
            (&error["required"], &error["spendable"], &error["shortfall"]),
            (&json!(1_001), &json!(1_000), &json!(1))
        );
        assert_eq!(error["payers"], json!([{ "organizationId": root.id, "available": 1_000, "spendable": 1_000 }]));
        assert_eq!(app.contents().await, before);
    }

    async fn a_meter_charges_its_price_times_the_quantity(app) {
        let root = app.root("Yona").with_credits(1_000).create().await;
        app.mutate(&root.key, "meterSet", json!({ "key": "invoice.submit", "credits": 5 }), "meter { key }")
            .await
            .done();
        let input = json!({ "meter": "invoice.submit", "quantity": 3 });
        let answer = app.mutate(&root.key, "creditCharge", input, CHARGE).await;
        let charge = &answer.done()["charge"];
        assert_eq!((&charge["amount"], &charge["unitPrice"], &charge["quantity"]), (&json!(15), &json!(5), &json!(3)));
    }

    async fn an_unknown_meter_is_refused(app) {
        let root = app.root("Yona").with_credits(1_000).create().await;
        let answer = app.mutate(&root.key, "creditCharge", json!({ "meter": "invoice.submit" }), CHARGE).await;
        answer.refused_at("UNKNOWN_METER", "meter");
    }

    async fn a_price_times_a_quantity_beyond_the_largest_number_is_refused(app) {
        let root = app.root("Yona").with_credits(1_000).create().await;
        let dear = json!({ "key": "dear", "credits": 9_007_199_254_740_991_i64 });
        app.mutate(&root.key, "meterSet", dear, "meter { key }").await.done();
        let answer = app.mutate(&root.key, "creditCharge", json!({ "meter": "dear", "quantity": 2 }), CHARGE).await;
        answer.refused_at("INVALID_INPUT", "quantity");
    }

    async fn the_bucket_that_expires_first_is_spent_first(app) {
        let root = app.root("Quinn's").with_credits(100).create().await;
        root.grant(json!({ "amount": 100, "expiresAt": "2026-07-01T00:00:00Z" })).await;
        charge(&app, &root, 60).await.done();
        let wallet = root.read("wallet { buckets { balance expiresAt } }").await;
        let expected =
            json!([{ "balance": 40, "expiresAt": "2026-07-01T00:00:00.000Z" }, { "balance": 100, "expiresAt": null }]);
        assert_eq!(wallet["wallet"]["buckets"], expected);
    }

    async fn the_bucket_of_lower_priority_number_is_spent_before_any_expiry(app) {
        let root = app.root("Quinn's").create().await;
        root.grant(json!({ "amount": 100, "expiresAt": "2026-07-01T00:00:00Z", "priority": 50 })).await;
        root.grant(json!({ "amount": 100, "priority": 10 })).await;
        charge(&app, &root, 60).await.done();
        let wallet = root.read("wallet { buckets { balance priority } }").await;
        assert_eq!(
            wallet["wallet"]["buckets"],
            json!([{ "balance": 40, "priority": 10 }, { "balance": 100, "priority": 50 }])
        );
    }

    async fn an_isolated_child_pays_alone_however_rich_its_parent(app) {
        let root = app.root("Quinn's").with_credits(1_000).create().await;
        let child = root.child("Acme").with_credits(10).create().await;
        assert_eq!(charge(&app, &child, 11).await.refused("INSUFFICIENT_CREDITS")["shortfall"], 1);
    }

    async fn a_pooled_child_is_paid_for_by_its_parent_alone(app) {
        let root = app.root("Quinn's").with_credits(1_000).create().await;
        let child = root.child("Acme").with_credits(10).create().await;
        child.fund(json!({ "mode": "POOLED" })).await;
        assert_eq!(legs(charge(&app, &child, 30).await.done()), [(root.id.clone(), 30)]);
        assert_eq!(child.balance().await, 10);
    }

    async fn a_pooled_grandchild_of_a_pooled_child_is_paid_for_by_the_first_that_is_not_pooled(app) {
        let root = app.root("Quinn's").with_credits(1_000).create().await;
        let child = root.child("Acme").with_credits(10).create().await;
        let grandchild = child.child("Acme North").create().await;
        child.fund(json!({ "mode": "POOLED" })).await;
        grandchild.fund(json!({ "mode": "POOLED" })).await;
        assert_eq!(legs(charge(&app, &grandchild, 30).await.done()), [(root.id.clone(), 30)]);
    }

    async fn a_fallback_child_pays_first_and_its_parent_the_rest(app) {
        let root = app.root("Quinn's").with_credits(1_000).create().await;
        let child = root.child("Acme").with_credits(10).create().await;
        child.fund(json!({ "mode": "FALLBACK" })).await;
        assert_eq!(legs(charge(&app, &child, 30).await.done()), [(child.id.clone(), 10), (root.id.clone(), 20)]);
    }

    async fn fallback_climbs_as_long_as_edges_are_fallback(app) {
        let root = app.root("Quinn's").with_credits(1_000).create().await;
        let child = root.child("Acme").with_credits(10).create().await;
        let grandchild = child.child("Acme North").with_credits(5).create().await;
        child.fund(json!({ "mode": "FALLBACK" })).await;
        grandchild.fund(json!({ "mode": "FALLBACK" })).await;
        let expected = [(grandchild.id.clone(), 5), (child.id.clone(), 10), (root.id.clone(), 15)];
        assert_eq!(legs(charge(&app, &grandchild, 30).await.done()), expected);
    }

    async fn the_parents_pool_config_is_the_default_of_its_children(app) {
        let root = app.root("Yona").with_credits(1_000).create().await;
        let child = root.child("Acme").create().await;
        root.fund(json!({ "primaryCoversSecondary": true })).await;
        assert_eq!(legs(charge(&app, &child, 30).await.done()), [(root.id.clone(), 30)]);
    }

    async fn the_childs_own_edge_decides_before_the_parents_default(app) {
        let root = app.root("Yona").with_credits(1_000).create().await;
        let child = root.child("Acme").create().await;
        root.fund(json!({ "primaryCoversSecondary": true })).await;
        child.fund(json!({ "mode": "ISOLATED" })).await;
        charge(&app, &child, 30).await.refused("INSUFFICIENT_CREDITS");
    }

    async fn a_payer_keeps_its_reserve_from_its_children(app) {
        let root = app.root("Yona").with_credits(1_000).create().await;
        let child = root.child("Acme").create().await;
        root.fund(json!({ "primaryCoversSecondary": true, "minimumReserve": 500 })).await;
        let answer = charge(&app, &child, 501).await;
        let error = answer.refused("RESERVE_PROTECTED");
        assert_eq!((&error["spendable"], &error["payers"][0]["available"]), (&json!(500), &json!(1_000)));
        charge(&app, &child, 500).await.done();
    }

    async fn the_payer_itself_may_spend_its_reserve(app) {
        let root = app.root("Yona").with_credits(1_000).create().await;
        root.fund(json!({ "minimumReserve": 500 })).await;
        assert_eq!(charge(&app, &root, 1_000).await.done()["wallet"]["balance"], 0);
    }

    async fn a_child_cannot_put_itself_into_its_parents_pool(app) {
        let root = app.root("Yona").with_credits(1_000).create().await;
        let child = root.child("Acme").create().await;
        let answer = app
            .mutate(&child.key, "organizationFundingUpdate", json!({ "mode": "POOLED" }), "organization { id }")
            .await;
        answer.refused_at("FORBIDDEN_SCOPE", "mode");
    }

    async fn nobody_pays_through_a_suspended_ancestor(app) {
        let root = app.root("Top").with_credits(1_000).create().await;
        let middle = root.child("Mid").create().await;
        let leaf = middle.child("Low").create().await;
        for organization in [&middle, &leaf] {
            organization.fund(json!({ "mode": "FALLBACK" })).await;
        }
        middle.suspend(&root.key).await;
        let input = json!({ "organizationId": leaf.id, "amount": 1 });
        let answer = app.mutate(&root.key, "creditCharge", input, CHARGE).await;
        let error = answer.refused("ORGANIZATION_SUSPENDED");
        assert_eq!(error["organizationId"], json!(middle.id));
    }

    async fn a_quote_says_what_the_charge_then_does(app) {
        let root = app.root("Quinn's").with_credits(1_000).create().await;
        let child = root.child("Acme").with_credits(10).create().await;
        child.fund(json!({ "mode": "FALLBACK" })).await;
        let quote = "query($input: CreditQuoteInput!) { creditQuote(input: $input) {
          allowed amount spendable legs { organizationId amount } userErrors { code } } }";
        let quoted = app.gql(&child.key, quote, json!({ "input": { "amount": 30 } })).await.clean();
        let quoted = quoted.at("/creditQuote").clone();
        let charged = charge(&app, &child, 30).await;
        assert_eq!((&quoted["allowed"], &quoted["spendable"]), (&json!(true), &json!(1_010)));
        let quoted = json!({ "charge": { "legs": quoted["legs"] } });
        assert_eq!(legs(&quoted), legs(charged.done()));
    }

    async fn a_quote_of_too_much_says_why_and_changes_nothing(app) {
        let root = app.root("Quinn's").with_credits(10).create().await;
        let before = app.contents().await;
        let quote =
            "query { creditQuote(input: { amount: 11 }) { allowed spendable legs { amount } userErrors { code } } }";
        let answer = app.gql(&root.key, quote, json!({})).await.clean();
        let errors = json!([{ "code": "INSUFFICIENT_CREDITS" }]);
        let expected = json!({ "allowed": false, "spendable": 10, "legs": [], "userErrors": errors });
        assert_eq!(*answer.at("/creditQuote"), expected);
        assert_eq!(app.contents().await, before);
    }

    async fn a_refund_returns_to_the_legs_that_paid_the_last_first(app) {
        let root = app.root("Quinn's").with_credits(1_000).create().await;
        let child = root.child("Acme").with_credits(10).create().await;
        child.fund(json!({ "mode": "FALLBACK" })).await;
        let charged = charge(&app, &child, 30).await;
        let input = json!({ "holdId": charged.done()["charge"]["id"], "amount": 25 });
        app.mutate(&child.key, "creditRefund", input, "hold { refunded }").await.done();
        assert_eq!((root.balance().await, child.balance().await), (1_000, 5));
    }

    async fn no_more_is_refunded_than_was_spent(app) {
        let root = app.root("Quinn's").with_credits(1_000).create().await;
        let charged = charge(&app, &root, 30).await;
        let id = &charged.done()["charge"]["id"];
        app.mutate(&root.key, "creditRefund", json!({ "holdId": id, "amount": 10 }), "hold { refunded }").await.done();
        let answer =
            app.mutate(&root.key, "creditRefund", json!({ "holdId": id, "amount": 21 }), "hold { refunded }").await;
        answer.refused_at("INVALID_INPUT", "amount");
        let answer = app.mutate(&root.key, "creditRefund", json!({ "holdId": id }), "hold { refunded }").await;
        assert_eq!(answer.done()["hold"]["refunded"], 30);
        let answer = app.mutate(&root.key, "creditRefund", json!({ "holdId": id }), "hold { refunded }").await;
        answer.refused("CONFLICT");
    }

    async fn a_test_key_never_touches_live_credits(app) {
        let root = app.root("Quinn's").with_credits(1_000).create().await;
        let key = root.mint_with(json!({ "scopes": ["credits:spend"], "environment": "TEST" })).await;
        let answer = app.mutate(&key, "creditCharge", json!({ "amount": 5 }), CHARGE).await;
        assert_eq!(answer.done()["wallet"]["balance"], 999_995);
        assert_eq!(root.balance().await, 1_000);
        let input = json!({ "amount": 5, "environment": "LIVE" });
        app.mutate(&key, "creditCharge", input, CHARGE).await.refused_at("FORBIDDEN_SCOPE", "environment");
    }

    async fn a_test_key_does_not_see_a_live_hold(app) {
        let root = app.root("Quinn's").with_credits(1_000).create().await;
        let key = root.mint_with(json!({ "scopes": ["credits:spend"], "environment": "TEST" })).await;
        let charged = charge(&app, &root, 30).await;
        let input = json!({ "holdId": charged.done()["charge"]["id"] });
        app.mutate(&key, "creditRefund", input, "hold { id }").await.refused("NOT_FOUND");
    }

    async fn a_test_wallet_is_isolated_even_where_the_live_one_is_pooled(app) {
        let root = app.root("Quinn's").with_credits(1_000).create().await;
        let child = root.child("Acme").create().await;
        child.fund(json!({ "mode": "POOLED" })).await;
        let key = child.mint_with(json!({ "scopes": ["credits:spend"], "environment": "TEST" })).await;
        let answer = app.mutate(&key, "creditCharge", json!({ "amount": 5 }), CHARGE).await;
        assert_eq!(legs(answer.done()), [(child.id.clone(), 5)]);
    }

    async fn only_the_operator_issues_credits(app) {
        let root = app.root("Quinn's").create().await;
        let answer = app.mutate(&root.key, "creditGrant", json!({ "amount": 5 }), "wallet { balance }").await;
        answer.refused("FORBIDDEN_SCOPE");
    }
}
