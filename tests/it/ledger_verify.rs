//! `banyan ledger verify`: whatever is changed behind the ledger's back is found and named.

use serde_json::json;
use tests::{TestApp, both};

/// What is found, by name.
async fn found(app: &TestApp) -> Vec<&'static str> {
    let report = banyan::credit::verify::run(app.kernel()).await.expect("the ledger can be read");
    report.differences.iter().map(|difference| difference.figure).collect()
}

/// A pool with a child that has spent, holds something open, was refilled, and has voided something.
async fn busy(app: &TestApp) {
    let root = app.root("Quinn's").with_credits(1_000).create().await;
    let child = root.child("Acme").with_credits(100).create().await;
    child.limit(json!({ "refillThreshold": 50, "refillAmount": 20 })).await;
    let run = async |field: &str, input: serde_json::Value| {
        let selection = match field {
            "creditCharge" => "charge { id }",
            _ => "hold { id }",
        };
        let answer = app.mutate(&child.key, field, input, selection).await;
        let done = answer.done();
        done["charge"]["id"].as_str().or(done["hold"]["id"].as_str()).expect("an id was selected").to_owned()
    };
    run("creditCharge", json!({ "amount": 60 })).await;
    run("creditHold", json!({ "amount": 5 })).await;
    let voided = run("creditHold", json!({ "amount": 7 })).await;
    run("creditVoid", json!({ "holdId": voided })).await;
    let captured = run("creditHold", json!({ "amount": 9 })).await;
    run("creditCapture", json!({ "holdId": captured, "amount": 8 })).await;
    run("creditRefund", json!({ "holdId": captured, "amount": 3 })).await;
    assert_eq!(found(app).await, Vec::<&str>::new());
}

/// Each test changes one figure and tells which checks see it.
macro_rules! tampered {
    ($($name:ident: $text:literal => [$($figure:literal),+];)+) => {
        both! {$(
            async fn $name(app) {
                busy(&app).await;
                app.tamper($text).await;
                assert_eq!(found(&app).await, [$($figure),+]);
            }
        )+}
    };
}

tampered! {
    a_bucket: "UPDATE bucket SET balance = balance + 1 WHERE balance BETWEEN 900 AND 999" =>
        ["bucket balance: its entries", "wallet balance: its buckets"];
    a_wallet: "UPDATE wallet SET balance = balance + 1 WHERE balance BETWEEN 900 AND 999" => ["wallet balance: its buckets"];
    a_wallets_held: "UPDATE wallet SET held = held + 1 WHERE held = 5" => ["wallet held: its buckets"];
    a_buckets_held: "UPDATE bucket SET held = held - 1 WHERE held = 5" =>
        ["wallet held: its buckets", "bucket held: the legs of open holds"];
    an_entry: "UPDATE ledger_entry SET amount = 999 WHERE amount = 1000 AND account = 'BUCKET'" =>
        ["transaction: entries sum to zero", "bucket balance: its entries"];
    a_system_account: "UPDATE system_account SET balance = balance + 1 WHERE account = 'SPENT'" =>
        ["system account: its entries"];
    a_settled_hold: "UPDATE hold SET status = 'VOIDED' WHERE captured = 8" =>
        ["hold: settled once", "hold: captured only if settled", "counter: the holds taken in its month"];
    an_open_hold_called_captured: "UPDATE hold SET status = 'CAPTURED', captured = 5 WHERE amount = 5" =>
        ["bucket held: the legs of open holds", "hold: captured and refunded by its legs",
         "hold: captured only if settled"];
    a_holds_amount: "UPDATE hold SET amount = 6 WHERE amount = 5" =>
        ["hold: its amount by its legs", "counter: the holds taken in its month"];
    a_refund: "UPDATE hold_leg SET refunded = refunded - 1 WHERE refunded = 3" =>
        ["hold: captured and refunded by its legs"];
    an_own_counter: "UPDATE spend_counter SET used = used + 1 WHERE subject_kind = 'OWN' AND environment = 'LIVE'" =>
        ["counter: the holds taken in its month"];
    a_subtree_counter: "UPDATE spend_counter SET used = used - 1 WHERE subject_kind = 'SUBTREE'" =>
        ["counter: the holds taken in its month"];
    a_familys_counter_of_another_month: "UPDATE spend_counter SET month = 202605 WHERE subject_kind = 'FAMILY'" =>
        ["counter: the holds taken in its month"];
    a_refill_counter: "UPDATE spend_counter SET used = used + 20 WHERE subject_kind = 'REFILL'" =>
        ["refill counter: the refills of all months"];
    a_record_without_its_effect: "UPDATE idempotency_record SET result = '{}' WHERE operation = 'creditVoid'" =>
        ["idempotency record of this actor: its one effect"];
    a_record_of_another_moment:
        "UPDATE idempotency_record SET created_at = created_at + 1 WHERE operation = 'creditCapture'" =>
        ["idempotency record of this actor: its one effect"];
}

both! {
    async fn two_records_of_one_effect(app) {
        busy(&app).await;
        app.tamper(
            "INSERT INTO idempotency_record (realm_id, actor_id, operation, idempotency_key, input_hash, result, created_at, expires_at)
             SELECT realm_id, actor_id, operation, 'another', input_hash, result, created_at, expires_at
             FROM idempotency_record WHERE operation = 'creditRefund'",
        )
        .await;
        assert_eq!(found(&app).await, ["idempotency record of this actor: its one effect"]);
    }
}
