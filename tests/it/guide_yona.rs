//! Yona's guide "Managing Multiple Organizations": what each step promises beside what its document shows (see
//! `guide_documents`).

use serde_json::{Value, json};
use tests::{Key, Organization, TestApp, both};

/// Yona's model: the partner controls the child and sees none of its data or billing.
async fn partner_and_child(app: &TestApp) -> (Organization, Value, Key) {
    let partner = app.root("Partner").with("billingMode", "PAYG").with_credits(10_000).create().await;
    let input = json!({ "name": "Acme Nigeria", "email": "admin@acme.ng", "relation": "LINKED" });
    let created = app.mutate(&partner.key, "organizationCreate", input, "organization { id name email version }").await;
    let child = created.done()["organization"].clone();
    let narrow = json!({ "organizationId": child["id"], "delegation": [] });
    app.mutate(&partner.key, "organizationDelegationUpdate", narrow, "organization { delegation }").await.done();
    let input = json!({ "organizationId": child["id"], "name": "acme-primary-key", "environment": "LIVE",
        "scopes": ["org:read", "credits:read", "credits:spend", "trade:*"] });
    let minted = app.mutate(&partner.key, "apiKeyCreate", input, "secret apiKey { id }").await;
    let minted = minted.done();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let key = Key { id: text(&minted["apiKey"]["id"]), secret: text(&minted["secret"]) };
    (partner, child, key)
}

both! {
    async fn step_2_onboards_a_child_with_a_key(app) {
        let (_, child, key) = partner_and_child(&app).await;
        let answer = app.gql(&key, "{ viewer { organization { id name email } } }", json!({})).await.clean();
        let expected = json!({ "id": child["id"], "name": "Acme Nigeria", "email": "admin@acme.ng" });
        assert_eq!(*answer.at("/viewer/organization"), expected);
    }

    async fn step_3_operates_as_the_child_with_its_own_key(app) {
        let (_, child, key) = partner_and_child(&app).await;
        let answer = app.gql(&key, "{ viewer { organization { id wallet { balance } } } }", json!({})).await.clean();
        assert_eq!(*answer.at("/viewer/organization"), json!({ "id": child["id"], "wallet": { "balance": 0 } }));
    }

    async fn step_4_manages_the_childs_keys_with_the_partners_key_and_sees_no_billing(app) {
        let (partner, child, key) = partner_and_child(&app).await;
        let document =
            "query($id: ID!) { organization(by: { id: $id }) { apiKeys { nodes { id } } wallet { balance } } }";
        let answer = app.gql(&partner.key, document, json!({ "id": child["id"] })).await;
        assert_eq!(answer.at("/organization/apiKeys/nodes"), &json!([{ "id": key.id }]));
        assert_eq!(answer.at("/organization/wallet"), &Value::Null);
        answer.failed("FORBIDDEN_SCOPE");
    }

    async fn step_5_lets_the_partners_pool_pay_above_its_reserve(app) {
        let (partner, _, key) = partner_and_child(&app).await;
        let input = json!({ "primaryCoversSecondary": true, "minimumReserve": 500 });
        let selection = "organization { funding { primaryCoversSecondary fallbackToPrimary minimumReserve } }";
        let answer = app.mutate(&partner.key, "organizationFundingUpdate", input, selection).await;
        let expected = json!({ "primaryCoversSecondary": true, "fallbackToPrimary": false, "minimumReserve": 500 });
        assert_eq!(answer.done()["organization"]["funding"], expected);
        app.mutate(&key, "creditCharge", json!({ "amount": 9_501 }), "charge { id }")
            .await
            .refused("RESERVE_PROTECTED");
        app.mutate(&key, "creditCharge", json!({ "amount": 9_500 }), "charge { id }").await.done();
        assert_eq!(partner.balance().await, 500);
    }

    async fn step_5_covers_the_shortfall_when_it_is_only_to_fall_back(app) {
        let (partner, child, key) = partner_and_child(&app).await;
        let input = json!({ "primaryCoversSecondary": false, "fallbackToPrimary": true });
        app.mutate(&partner.key, "organizationFundingUpdate", input, "organization { id }").await.done();
        let input = json!({ "targetOrganizationId": child["id"], "amount": 5 });
        app.mutate(&partner.key, "creditTransfer", input, "transaction { id }").await.done();
        let answer =
            app.mutate(&key, "creditCharge", json!({ "amount": 8 }), "charge { legs { organizationId amount } }").await;
        let expected =
            json!([{ "organizationId": child["id"], "amount": 5 }, { "organizationId": partner.id, "amount": 3 }]);
        assert_eq!(answer.done()["charge"]["legs"], expected);
    }

    async fn step_6_transfers_credits(app) {
        let (partner, child, key) = partner_and_child(&app).await;
        let input =
            json!({ "targetOrganizationId": child["id"], "amount": 1_000, "description": "Monthly credit allocation" });
        let answer = app
            .mutate(&partner.key, "creditTransfer", input, "transaction { description } sourceWallet { balance }")
            .await;
        let done = answer.done();
        assert_eq!(
            (&done["transaction"]["description"], &done["sourceWallet"]["balance"]),
            (&json!("Monthly credit allocation"), &json!(9_000))
        );
        let answer = app.gql(&key, "{ viewer { organization { wallet { balance } } } }", json!({})).await.clean();
        assert_eq!(*answer.at("/viewer/organization/wallet/balance"), json!(1_000));
    }

    async fn step_6_needs_both_ends_to_pay_as_they_go(app) {
        let (partner, child, key) = partner_and_child(&app).await;
        let prepaid = json!({ "organizationId": child["id"], "expectedVersion": 2, "billingMode": "PREPAID" });
        app.mutate(&partner.key, "organizationUpdate", prepaid, "organization { version }").await.done();
        let input = json!({ "targetOrganizationId": child["id"], "amount": 1_000 });
        app.mutate(&partner.key, "creditTransfer", input, "__typename").await.refused("BILLING_MODE_MISMATCH");
        let answer = app.gql(&key, "{ viewer { organization { wallet { balance } } } }", json!({})).await.clean();
        assert_eq!(*answer.at("/viewer/organization/wallet/balance"), json!(0));
    }
}
