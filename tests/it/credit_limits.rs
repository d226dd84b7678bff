//! Caps, key families' limits and automatic refill (SPEC §5).

use serde_json::json;
use tests::{Answer, Key, TestApp, both};

async fn charge(app: &TestApp, key: &Key, amount: i64) -> Answer {
    app.mutate(key, "creditCharge", json!({ "amount": amount }), "wallet { balance }").await
}

both! {
    async fn the_own_cap_says_how_much_is_used_and_until_when(app) {
        let root = app.root("Quinn's").with_credits(1_000).create().await;
        let child = root.child("Acme").with_credits(500).create().await;
        child.limit(json!({ "monthlyCreditCap": 100 })).await;
        charge(&app, &child.key, 80).await.done();
        let answer = charge(&app, &child.key, 21).await;
        let error = answer.refused("CAP_EXCEEDED");
        assert_eq!((&error["limit"], &error["limitId"]), (&json!("MONTHLY"), &json!(child.id)));
        assert_eq!((&error["cap"], &error["used"], &error["requested"]), (&json!(100), &json!(80), &json!(21)));
        assert_eq!(error["resetsAt"], "2026-07-01T00:00:00.000Z");
        charge(&app, &child.key, 20).await.done();
    }

    /// Edge case 4.
    async fn a_month_ends_in_the_organizations_time_zone(app) {
        let root = app.root("Quinn's").with_credits(1_000).with("timezone", "America/Los_Angeles").create().await;
        root.limit(json!({ "monthlyCreditCap": 100 })).await;
        charge(&app, &root.key, 100).await.done();
        assert_eq!(charge(&app, &root.key, 1).await.refused("CAP_EXCEEDED")["resetsAt"], "2026-07-01T07:00:00.000Z");
        // From noon of 3 June to 07:00 of 1 July, in UTC.
        app.advance(27 * 86_400 + 19 * 3_600 - 1);
        charge(&app, &root.key, 1).await.refused("CAP_EXCEEDED");
        app.advance(1);
        charge(&app, &root.key, 100).await.done();
    }

    async fn the_cap_of_an_ancestor_over_its_subtree_counts_the_spend_of_cousins(app) {
        let root = app.root("Quinn's").create().await;
        root.limit(json!({ "subtreeMonthlyCap": 100 })).await;
        let one = root.child("One").with_credits(500).create().await;
        let other = root.child("Other").with_credits(500).create().await;
        charge(&app, &one.key, 70).await.done();
        let answer = charge(&app, &other.key, 31).await;
        let error = answer.refused("CAP_EXCEEDED");
        assert_eq!(
            (&error["limit"], &error["limitId"], &error["used"]),
            (&json!("SUBTREE"), &json!(root.id), &json!(70))
        );
    }

    async fn the_limit_of_a_key_family_outlives_rotation(app) {
        let root = app.root("Quinn's").with_credits(1_000).create().await;
        let key = root.mint_with(json!({ "scopes": ["credits:spend"], "spendLimit": 50 })).await;
        charge(&app, &key, 40).await.done();
        let rotated =
            app.mutate(&root.key, "apiKeyRotate", json!({ "apiKeyId": key.id }), "secret apiKey { familyId }").await;
        let rotated = rotated.done();
        let input = json!({ "amount": 11 });
        let secret = rotated["secret"].as_str().unwrap_or_default();
        let answer = app.mutate(secret, "creditCharge", input, "wallet { balance }").await;
        let error = answer.refused("CAP_EXCEEDED");
        assert_eq!((&error["limit"], &error["limitId"]), (&json!("KEY_FAMILY"), &rotated["apiKey"]["familyId"]));
    }

    async fn a_cap_below_what_is_used_blocks_new_spend_only(app) {
        let root = app.root("Quinn's").with_credits(1_000).create().await;
        let answer = app.mutate(&root.key, "creditHold", json!({ "amount": 80 }), "hold { id }").await;
        let id = answer.done()["hold"]["id"].clone();
        root.limit(json!({ "monthlyCreditCap": 10 })).await;
        charge(&app, &root.key, 1).await.refused("CAP_EXCEEDED");
        app.mutate(&root.key, "creditCapture", json!({ "holdId": id }), "hold { id }").await.done();
    }

    async fn what_a_hold_returns_can_be_spent_again_in_its_month(app) {
        let root = app.root("Quinn's").with_credits(1_000).create().await;
        root.limit(json!({ "monthlyCreditCap": 100 })).await;
        let answer = app.mutate(&root.key, "creditHold", json!({ "amount": 100 }), "hold { id }").await;
        let id = answer.done()["hold"]["id"].clone();
        charge(&app, &root.key, 1).await.refused("CAP_EXCEEDED");
        app.mutate(&root.key, "creditCapture", json!({ "holdId": id, "amount": 60 }), "hold { id }").await.done();
        charge(&app, &root.key, 40).await.done();
    }

    async fn a_child_cannot_lift_its_own_limits(app) {
        let root = app.root("Quinn's").create().await;
        let child = root.child("Acme").create().await;
        let answer = app
            .mutate(&child.key, "organizationLimitsUpdate", json!({ "monthlyCreditCap": null }), "organization { id }")
            .await;
        answer.refused("FORBIDDEN_SCOPE");
    }

    async fn a_refill_needs_threshold_and_amount(app) {
        let root = app.root("Quinn's").create().await;
        let child = root.child("Acme").create().await;
        for (given, missing) in [("refillThreshold", "refillAmount"), ("refillAmount", "refillThreshold")] {
            let input = json!({ "organizationId": child.id, given: 10 });
            let answer = app.mutate(&root.key, "organizationLimitsUpdate", input, "organization { id }").await;
            answer.refused_at("REFILL_REQUIRES_THRESHOLD_AND_AMOUNT", missing);
        }
    }

    async fn a_refill_moves_the_smallest_multiple_that_reaches_the_threshold(app) {
        let root = app.root("Quinn's").with_credits(10_000).create().await;
        let child = root.child("Acme").with_credits(1_000).create().await;
        child.limit(json!({ "refillThreshold": 500, "refillAmount": 200 })).await;
        charge(&app, &child.key, 900).await.done();
        assert_eq!((child.balance().await, root.balance().await), (500, 9_600));
        let limits = child.read("limits { refillState refilledThisMonth }").await;
        assert_eq!(limits["limits"], json!({ "refillState": "FIRED", "refilledThisMonth": 400 }));
    }

    async fn a_refill_leaves_the_parents_reserve_and_starves_once(app) {
        let root = app.root("Quinn's").with_credits(600).create().await;
        root.fund(json!({ "minimumReserve": 500 })).await;
        let child = root.child("Acme").with_credits(1_000).create().await;
        child.limit(json!({ "refillThreshold": 500, "refillAmount": 200 })).await;
        charge(&app, &child.key, 700).await.done();
        charge(&app, &child.key, 10).await.done();
        let limits = child.read("limits { refillState refillReason }").await;
        assert_eq!(limits["limits"], json!({ "refillState": "STARVED", "refillReason": "PARENT_EXHAUSTED" }));
        assert_eq!(root.balance().await, 600);
        assert_eq!(app.number("SELECT COUNT(*) FROM event WHERE event_type LIKE '%starved%'").await, 1);
    }

    async fn a_refill_stops_at_the_months_ceiling(app) {
        let root = app.root("Quinn's").with_credits(10_000).create().await;
        let child = root.child("Acme").with_credits(1_000).create().await;
        child.limit(json!({ "refillThreshold": 500, "refillAmount": 200, "refillMonthlyCeiling": 300 })).await;
        charge(&app, &child.key, 1_000).await.done();
        let limits = child.read("limits { refillState refillReason refilledThisMonth }").await;
        let expected = json!({ "refillState": "STARVED", "refillReason": "CEILING_REACHED", "refilledThisMonth": 200 });
        assert_eq!(limits["limits"], expected);
    }

    async fn a_parent_refills_itself_before_it_gives(app) {
        let root = app.root("Quinn's").with_credits(10_000).create().await;
        let parent = root.child("Region").with_credits(500).create().await;
        let child = parent.child("Shop").with_credits(500).create().await;
        parent.limit(json!({ "refillThreshold": 500, "refillAmount": 1_000 })).await;
        child.limit(json!({ "refillThreshold": 400, "refillAmount": 400 })).await;
        charge(&app, &child.key, 500).await.done();
        assert_eq!(child.balance().await, 400);
        assert_eq!(parent.balance().await, 1_100);
    }

    async fn a_suspended_childs_refill_pauses(app) {
        let root = app.root("Quinn's").with_credits(10_000).create().await;
        let child = root.child("Acme").with_credits(100).create().await;
        let answer = app.mutate(&child.key, "creditHold", json!({ "amount": 100 }), "hold { id }").await;
        let id = answer.done()["hold"]["id"].clone();
        child.suspend(&root.key).await;
        child.limit(json!({ "refillThreshold": 500, "refillAmount": 500 })).await;
        app.mutate(&root.key, "creditCapture", json!({ "holdId": id }), "hold { id }").await.done();
        assert_eq!(child.balance().await, 0);
        app.mutate(&root.key, "organizationResume", json!({ "organizationId": child.id }), "organization { id }")
            .await
            .done();
        assert_eq!(child.balance().await, 500);
    }
}
