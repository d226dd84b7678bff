//! Credits moved between wallets, credits issued, credits that run out of time (SPEC §5).

use serde_json::json;
use tests::both;

const TRANSFER: &str = "transaction { id kind amount } sourceWallet { balance } targetWallet { balance }";

both! {
    async fn a_transfer_stands_on_both_ledgers_under_one_id(app) {
        let root = app.root("Quinn's").with_credits(1_000).create().await;
        let child = root.child("Acme").create().await;
        let input = json!({ "targetOrganizationId": child.id, "amount": 400 });
        let answer = app.mutate(&root.key, "creditTransfer", input, TRANSFER).await;
        let done = answer.done();
        assert_eq!((&done["sourceWallet"]["balance"], &done["targetWallet"]["balance"]), (&json!(600), &json!(400)));
        for (organization, amount) in [(&root, -400), (&child, 400)] {
            let entries = organization.read("ledgerEntries(first: 1) { nodes { transactionId amount kind } }").await;
            let expected =
                json!([{ "transactionId": done["transaction"]["id"], "amount": amount, "kind": "TRANSFER" }]);
            assert_eq!(entries["ledgerEntries"]["nodes"], expected);
        }
    }

    async fn credits_come_back_from_a_descendant(app) {
        let root = app.root("Quinn's").create().await;
        let child = root.child("Acme").with_credits(500).create().await;
        let input = json!({ "sourceOrganizationId": child.id, "targetOrganizationId": root.id, "amount": 500 });
        let answer = app.mutate(&root.key, "creditTransfer", input, TRANSFER).await;
        assert_eq!(answer.done()["targetWallet"]["balance"], 500);
    }

    /// Edge case 11: cousins, by a common ancestor.
    async fn credits_move_between_two_descendants(app) {
        let root = app.root("Quinn's").create().await;
        let one = root.child("One").with_credits(500).create().await;
        let other = root.child("Other").create().await;
        let input = json!({ "sourceOrganizationId": one.id, "targetOrganizationId": other.id, "amount": 500 });
        app.mutate(&root.key, "creditTransfer", input.clone(), TRANSFER).await.done();
        app.mutate(&one.key, "creditTransfer", input, TRANSFER).await.refused("NOT_FOUND");
    }

    async fn a_transfer_to_itself_is_refused(app) {
        let root = app.root("Quinn's").with_credits(1_000).create().await;
        let input = json!({ "targetOrganizationId": root.id, "amount": 1 });
        app.mutate(&root.key, "creditTransfer", input, TRANSFER)
            .await
            .refused_at("INVALID_INPUT", "targetOrganizationId");
    }

    async fn a_transfer_of_more_than_there_is_says_what_is_missing(app) {
        let root = app.root("Quinn's").with_credits(1_000).create().await;
        let child = root.child("Acme").create().await;
        let input = json!({ "targetOrganizationId": child.id, "amount": 1_001 });
        let answer = app.mutate(&root.key, "creditTransfer", input, TRANSFER).await;
        let error = answer.refused("INSUFFICIENT_CREDITS");
        assert_eq!((&error["required"], &error["shortfall"]), (&json!(1_001), &json!(1)));
    }

    async fn billing_modes_that_do_not_mix_are_refused(app) {
        let root = app.root("Yona").with_credits(1_000).create().await;
        let child = root.child("Acme").with("billingMode", "PREPAID").create().await;
        let input = json!({ "targetOrganizationId": child.id, "amount": 1 });
        app.mutate(&root.key, "creditTransfer", input, TRANSFER).await.refused("BILLING_MODE_MISMATCH");
    }

    async fn a_transfer_to_an_archived_organization_is_a_conflict(app) {
        let root = app.root("Quinn's").with_credits(1_000).create().await;
        let child = root.child("Acme").create().await;
        app.mutate(&root.key, "organizationArchive", json!({ "organizationId": child.id }), "organization { id }")
            .await
            .done();
        let input = json!({ "targetOrganizationId": child.id, "amount": 1 });
        app.mutate(&root.key, "creditTransfer", input, TRANSFER).await.refused("CONFLICT");
    }

    /// Edge case 18.
    async fn a_transfer_is_replayed_after_its_target_was_archived(app) {
        let root = app.root("Quinn's").with_credits(1_000).create().await;
        let child = root.child("Acme").create().await;
        let input = json!({ "targetOrganizationId": child.id, "amount": 400, "idempotencyKey": "once" });
        let first = app.mutate(&root.key, "creditTransfer", input.clone(), TRANSFER).await;
        app.mutate(&root.key, "organizationArchive", json!({ "organizationId": child.id }), "organization { id }")
            .await
            .done();
        let again = app.mutate(&root.key, "creditTransfer", input, TRANSFER).await;
        assert_eq!(again.done()["replayed"], true);
        assert_eq!(again.done()["transaction"], first.done()["transaction"]);
    }

    /// Edge case 13.
    async fn credits_that_expire_gain_no_life_by_moving(app) {
        let root = app.root("Quinn's").create().await;
        root.grant(json!({ "amount": 100, "expiresAt": "2026-06-03T13:00:00Z" })).await;
        let child = root.child("Acme").create().await;
        let input = json!({ "targetOrganizationId": child.id, "amount": 100 });
        app.mutate(&root.key, "creditTransfer", input, TRANSFER).await.done();
        let wallet = child.read("wallet { buckets { origin expiresAt } }").await;
        let expected = json!([{ "origin": "PROMOTIONAL", "expiresAt": "2026-06-03T13:00:00.000Z" }]);
        assert_eq!(wallet["wallet"]["buckets"], expected);
    }

    async fn expired_credits_are_gone_before_the_worker_comes_and_posted_after(app) {
        let root = app.root("Quinn's").create().await;
        root.grant(json!({ "amount": 100, "expiresAt": "2026-06-03T13:00:00Z" })).await;
        app.advance(3_600);
        let answer = app.mutate(&root.key, "creditCharge", json!({ "amount": 1 }), "wallet { balance }").await;
        answer.refused("INSUFFICIENT_CREDITS");
        app.run_workers_until_idle().await;
        assert_eq!(root.balance().await, 0);
        let entries = root.read("ledgerEntries(first: 1) { nodes { kind amount } }").await;
        assert_eq!(entries["ledgerEntries"]["nodes"], json!([{ "kind": "EXPIRY", "amount": -100 }]));
    }

    async fn no_more_is_issued_than_a_number_can_hold(app) {
        let root = app.root("Quinn's").with_credits(1).create().await;
        let input = json!({ "organizationId": root.id, "amount": 9_007_199_254_740_991_i64 });
        let answer = app.mutate(app.operator(), "creditGrant", input, "wallet { balance }").await;
        answer.refused_at("INVALID_INPUT", "amount");
    }
}
