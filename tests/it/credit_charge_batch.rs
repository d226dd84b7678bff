//! Many charges in one request: each its own outcome, all through the same engine.

use serde_json::{Value, json};
use tests::{TestApp, both};

const RESULTS: &str = "results { charge { id amount } wallet { balance } replayed
  userErrors { code path message ... on InsufficientCreditsError { required spendable shortfall } } }";

/// Charges of these amounts, with idempotency keys counted from `first`.
fn charges(first: usize, amounts: &[i64]) -> Value {
    let items: Vec<Value> = amounts
        .iter()
        .enumerate()
        .map(|(at, amount)| json!({ "amount": amount, "idempotencyKey": format!("item-{}", first + at) }))
        .collect();
    json!({ "charges": items })
}

async fn results(app: &TestApp, key: &tests::Key, input: Value) -> Vec<Value> {
    let answer = app.mutate(key, "creditChargeBatch", input, RESULTS).await;
    answer.done()["results"].as_array().expect("results were selected").clone()
}

both! {
    async fn each_charge_has_its_own_outcome(app) {
        let root = app.root("Quinn's").with_credits(10).create().await;
        let results = results(&app, &root.key, charges(0, &[4, 7, 6, 0, 1])).await;
        let codes: Vec<_> = results.iter().map(|result| result["userErrors"][0]["code"].clone()).collect();
        assert_eq!(codes, [Value::Null, json!("INSUFFICIENT_CREDITS"), Value::Null, json!("INVALID_INPUT"),
            json!("INSUFFICIENT_CREDITS")]);
        assert_eq!(results[1]["userErrors"][0]["shortfall"], 1);
        assert_eq!(results[2]["wallet"]["balance"], 0);
        assert_eq!(root.balance().await, 0);
    }

    async fn a_refusal_names_the_charge_and_its_field(app) {
        let root = app.root("Quinn's").with_credits(10).create().await;
        let input = json!({ "charges": [
            { "amount": 1, "idempotencyKey": "a" },
            { "meter": "none", "idempotencyKey": "b" },
            { "amount": 1, "quantity": 2, "idempotencyKey": "c" },
        ] });
        let results = results(&app, &root.key, input).await;
        assert_eq!(results[1]["userErrors"][0]["path"], json!(["input", "charges", "1", "meter"]));
        assert_eq!(results[2]["userErrors"][0]["path"], json!(["input", "charges", "2", "quantity"]));
    }

    async fn a_batch_sent_again_is_told_the_first_answers(app) {
        let root = app.root("Quinn's").with_credits(10).create().await;
        let first = results(&app, &root.key, charges(0, &[4, 3])).await;
        let again = results(&app, &root.key, charges(0, &[4, 3])).await;
        assert_eq!(again[0]["charge"]["id"], first[0]["charge"]["id"]);
        assert!(again.iter().all(|result| result["replayed"] == true));
        assert_eq!(root.balance().await, 3);
    }

    async fn a_charge_of_a_batch_and_a_single_one_share_the_idempotency_key(app) {
        let root = app.root("Quinn's").with_credits(10).create().await;
        results(&app, &root.key, charges(0, &[4])).await;
        let input = json!({ "amount": 4, "idempotencyKey": "item-0" });
        let single = app.mutate(&root.key, "creditCharge", input, "charge { id }").await;
        assert_eq!(single.done()["replayed"], true);
    }

    async fn the_same_key_twice_in_a_batch_charges_once(app) {
        let root = app.root("Quinn's").with_credits(10).create().await;
        let item = json!({ "amount": 4, "idempotencyKey": "same" });
        let other = json!({ "amount": 5, "idempotencyKey": "same" });
        let results = results(&app, &root.key, json!({ "charges": [item, item, other] })).await;
        assert_eq!((&results[0]["replayed"], &results[1]["replayed"]), (&json!(false), &json!(true)));
        assert_eq!(results[2]["userErrors"][0]["code"], "IDEMPOTENCY_CONFLICT");
        assert_eq!(root.balance().await, 6);
    }

    async fn a_batch_may_charge_descendants_and_strangers_do_not_exist(app) {
        let root = app.root("Quinn's").create().await;
        let child = root.child("Acme").with_credits(5).create().await;
        let stranger = app.root("Stranger").with_credits(5).create().await;
        let input = json!({ "charges": [
            { "organizationId": child.id, "amount": 2, "idempotencyKey": "a" },
            { "organizationId": stranger.id, "amount": 2, "idempotencyKey": "b" },
        ] });
        let results = results(&app, &root.key, input).await;
        assert_eq!(results[0]["wallet"]["balance"], 3);
        assert_eq!(results[1]["userErrors"][0]["code"], "NOT_FOUND");
        assert_eq!(stranger.balance().await, 5);
    }

    async fn a_thousand_charges_are_taken_in_order(app) {
        let root = app.root("Quinn's").with_credits(999).create().await;
        let input = charges(0, &[1; 1_000]);
        let selection = "results { charge { amount } userErrors { code } }";
        let answer = app.mutate(&root.key, "creditChargeBatch", input, selection).await;
        let results = answer.done()["results"].as_array().expect("results were selected");
        let refused: Vec<_> = results.iter().enumerate().filter(|(_, result)| result["charge"].is_null()).collect();
        assert_eq!(refused.len(), 1);
        assert_eq!((refused[0].0, &refused[0].1["userErrors"][0]["code"]), (999, &json!("INSUFFICIENT_CREDITS")));
    }

    async fn none_and_too_many_are_refused(app) {
        let root = app.root("Quinn's").with_credits(10).create().await;
        let before = app.contents().await;
        for input in [charges(0, &[]), charges(0, &[1; 1_001])] {
            let answer = app.mutate(&root.key, "creditChargeBatch", input, "results { replayed userErrors { code } }").await;
            answer.refused_at("INVALID_INPUT", "charges");
        }
        assert_eq!(app.contents().await, before);
    }

    async fn without_the_scope_every_charge_is_refused(app) {
        let root = app.root("Quinn's").with_credits(10).create().await;
        let key = root.mint(&["credits:read"]).await;
        let results = results(&app, &key, charges(0, &[1, 1])).await;
        assert!(results.iter().all(|result| result["userErrors"][0]["code"] == "FORBIDDEN_SCOPE"));
    }
}
