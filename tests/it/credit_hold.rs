//! Credits reserved for work in flight: captured once, voided, or expired (SPEC §5).

use serde_json::{Value, json};
use tests::{Organization, TestApp, both};

const HOLD: &str = "hold { id status amount captured expiresAt } wallet { balance held available }";

async fn hold(app: &TestApp, of: &Organization, amount: i64) -> Value {
    let answer = app.mutate(&of.key, "creditHold", json!({ "amount": amount }), HOLD).await;
    answer.done()["hold"]["id"].clone()
}

both! {
    async fn a_hold_lowers_what_is_available_and_not_the_balance(app) {
        let root = app.root("Quinn's").with_credits(1_000).create().await;
        let answer = app.mutate(&root.key, "creditHold", json!({ "amount": 300 }), HOLD).await;
        assert_eq!(answer.done()["wallet"], json!({ "balance": 1_000, "held": 300, "available": 700 }));
    }

    async fn a_hold_expires_a_quarter_of_an_hour_later_when_nothing_is_said(app) {
        let root = app.root("Quinn's").with_credits(1_000).create().await;
        let answer = app.mutate(&root.key, "creditHold", json!({ "amount": 300 }), HOLD).await;
        assert_eq!(answer.done()["hold"]["expiresAt"], "2026-06-03T12:15:00.000Z");
    }

    async fn a_hold_is_never_shrunk_to_what_is_there(app) {
        let root = app.root("Quinn's").with_credits(1_000).create().await;
        hold(&app, &root, 700).await;
        let answer = app.mutate(&root.key, "creditHold", json!({ "amount": 301 }), HOLD).await;
        assert_eq!(answer.refused("INSUFFICIENT_CREDITS")["spendable"], 300);
    }

    async fn capturing_a_part_returns_the_rest(app) {
        let root = app.root("Quinn's").with_credits(1_000).create().await;
        let id = hold(&app, &root, 300).await;
        let answer = app.mutate(&root.key, "creditCapture", json!({ "holdId": id, "amount": 120 }), HOLD).await;
        assert_eq!(answer.done()["wallet"], json!({ "balance": 880, "held": 0, "available": 880 }));
    }

    async fn capturing_more_than_is_held_is_refused(app) {
        let root = app.root("Quinn's").with_credits(1_000).create().await;
        let id = hold(&app, &root, 300).await;
        let answer = app.mutate(&root.key, "creditCapture", json!({ "holdId": id, "amount": 301 }), HOLD).await;
        answer.refused_at("INVALID_INPUT", "amount");
    }

    async fn a_hold_is_captured_once(app) {
        let root = app.root("Quinn's").with_credits(1_000).create().await;
        let id = hold(&app, &root, 300).await;
        app.mutate(&root.key, "creditCapture", json!({ "holdId": id, "amount": 100 }), HOLD).await.done();
        app.mutate(&root.key, "creditCapture", json!({ "holdId": id, "amount": 100 }), HOLD).await.refused("CONFLICT");
        app.mutate(&root.key, "creditVoid", json!({ "holdId": id }), HOLD).await.refused("CONFLICT");
    }

    async fn voiding_returns_everything(app) {
        let root = app.root("Quinn's").with_credits(1_000).create().await;
        let id = hold(&app, &root, 300).await;
        let answer = app.mutate(&root.key, "creditVoid", json!({ "holdId": id }), HOLD).await;
        assert_eq!(answer.done()["wallet"], json!({ "balance": 1_000, "held": 0, "available": 1_000 }));
    }

    async fn the_worker_returns_a_hold_whose_time_is_up(app) {
        let root = app.root("Quinn's").with_credits(1_000).create().await;
        hold(&app, &root, 300).await;
        app.advance(899);
        app.run_workers_until_idle().await;
        assert_eq!(root.available().await, 700);
        app.advance(1);
        app.run_workers_until_idle().await;
        assert_eq!(root.available().await, 1_000);
        assert_eq!(root.read("holds { nodes { status } }").await["holds"]["nodes"], json!([{ "status": "EXPIRED" }]));
    }

    /// Edge case 2: capture and expiry race, and the clock decides, whether or not the worker was there.
    async fn a_hold_whose_time_is_up_is_not_captured_even_before_the_worker_comes(app) {
        let root = app.root("Quinn's").with_credits(1_000).create().await;
        let id = hold(&app, &root, 300).await;
        app.advance(900);
        app.mutate(&root.key, "creditCapture", json!({ "holdId": id }), HOLD).await.refused("CONFLICT");
    }

    /// Edge case 9: legs are fixed when the hold is taken.
    async fn a_hold_is_settled_by_the_payer_it_was_taken_from_whoever_pays_now(app) {
        let root = app.root("Quinn's").with_credits(1_000).create().await;
        let child = root.child("Acme").with_credits(50).create().await;
        child.fund(json!({ "mode": "POOLED" })).await;
        let id = hold(&app, &child, 30).await;
        child.fund(json!({ "mode": "ISOLATED" })).await;
        app.mutate(&child.key, "creditCapture", json!({ "holdId": id }), HOLD).await.done();
        assert_eq!((root.balance().await, child.balance().await), (970, 50));
    }

    /// Edge case 16.
    async fn the_price_is_fixed_when_the_hold_is_taken(app) {
        let root = app.root("Yona").with_credits(1_000).create().await;
        app.mutate(&root.key, "meterSet", json!({ "key": "scan", "credits": 5 }), "meter { key }").await.done();
        let answer = app.mutate(&root.key, "creditHold", json!({ "meter": "scan", "quantity": 2 }), HOLD).await;
        let id = answer.done()["hold"]["id"].clone();
        app.mutate(&root.key, "meterSet", json!({ "key": "scan", "credits": 50 }), "meter { key }").await.done();
        let answer = app.mutate(&root.key, "creditCapture", json!({ "holdId": id }), HOLD).await;
        assert_eq!(answer.done()["hold"]["captured"], 10);
    }

    /// Edge case 28: a hold taken before the suspension counts; no new one is taken after it.
    async fn an_open_hold_of_a_suspended_organization_still_settles_by_its_ancestor(app) {
        let root = app.root("Quinn's").create().await;
        let child = root.child("Acme").with_credits(50).create().await;
        let id = hold(&app, &child, 30).await;
        child.suspend(&root.key).await;
        app.mutate(&root.key, "creditCapture", json!({ "holdId": id }), HOLD).await.done();
        assert_eq!(child.balance().await, 20);
    }

    /// Edge case 12.
    async fn what_is_held_outlives_its_expiry_and_the_rest_is_lost(app) {
        let root = app.root("Quinn's").create().await;
        root.grant(json!({ "amount": 100, "expiresAt": "2026-06-03T12:05:00Z" })).await;
        let id = hold(&app, &root, 30).await;
        app.advance(300);
        app.run_workers_until_idle().await;
        assert_eq!(root.balance().await, 30);
        app.mutate(&root.key, "creditCapture", json!({ "holdId": id, "amount": 20 }), HOLD).await.done();
        assert_eq!(root.balance().await, 0);
    }

    async fn a_hold_lives_between_one_second_and_seven_days(app) {
        let root = app.root("Quinn's").with_credits(100).create().await;
        for seconds in [0, -1, 604_801] {
            let input = json!({ "amount": 1, "expiresInSeconds": seconds });
            app.mutate(&root.key, "creditHold", input, HOLD).await.refused_at("INVALID_INPUT", "expiresInSeconds");
        }
        let input = json!({ "amount": 1, "expiresInSeconds": 604_800 });
        app.mutate(&root.key, "creditHold", input, HOLD).await.done();
    }

    async fn of_two_holds_racing_for_the_last_credits_one_wins(app) {
        let root = app.root("Quinn's").with_credits(100).create().await;
        let first = app.mutate(&root.key, "creditHold", json!({ "amount": 100 }), HOLD);
        let second = app.mutate(&root.key, "creditHold", json!({ "amount": 100 }), HOLD);
        let (first, second) = tokio::join!(first, second);
        let errors = |answer: &tests::Answer| answer.payload()["userErrors"].as_array().map_or(0, Vec::len);
        assert_eq!(errors(&first) + errors(&second), 1, "{first:?} {second:?}");
    }
}
