//! Layers' guide "Manage customers with sub-organizations", from creating the customer to its end, with spending and a
//! refill in between (the guide's documents are in `guide_documents`).

use serde_json::{Value, json};
use tests::both;

const CREATED: &str = "organization { id name status metadata billingEmail parent { id } }";
const LIMITS: &str = "organization { limits { monthlyCreditCap refillThreshold refillAmount autoRefillEnabled }
  wallet { balance available } }";
const CHARGE: &str = "wallet { balance available }";

both! {
    async fn a_customer_is_created_funded_limited_paused_and_offboarded(app) {
        let crm = app.root("Quinn's Coffee CRM").with_credits(60_000).create().await;

        let input = json!({ "name": "Acme Coffee", "externalId": "acme-coffee", "metadata": { "plan": "growth" } });
        let created = app.mutate(&crm.key, "organizationCreate", input, CREATED).await;
        let acme = created.done()["organization"].clone();
        let id = &acme["id"];
        let expected = json!({ "id": id, "name": "Acme Coffee", "status": "ACTIVE", "metadata": { "plan": "growth" },
            "billingEmail": null, "parent": { "id": crm.id } });
        assert_eq!(acme, expected);

        let usage = "{ organization(by: { externalId: \"acme-coffee\" }) { summary { balance available }
          limits { monthlyCreditCap refillThreshold refillAmount autoRefillEnabled } } }";
        let answer = app.gql(&crm.key, usage, json!({})).await.clean();
        let expected = json!({ "summary": { "balance": 0, "available": 0 }, "limits": { "monthlyCreditCap": null,
            "refillThreshold": null, "refillAmount": null, "autoRefillEnabled": false } });
        assert_eq!(*answer.at("/organization"), expected);

        let input = json!({ "targetOrganizationId": id, "amount": 5_000 });
        let allocated = app
            .mutate(&crm.key, "creditTransfer", input, "transaction { id amount } targetWallet { balance available }")
            .await;
        let allocated = allocated.done();
        assert!(allocated["transaction"]["id"].as_str().unwrap_or_default().starts_with("txn_"));
        assert_eq!(allocated["transaction"]["amount"], 5_000);
        assert_eq!(allocated["targetWallet"], json!({ "balance": 5_000, "available": 5_000 }));

        let input =
            json!({ "organizationId": id, "monthlyCreditCap": 5_000, "refillThreshold": 1_000, "refillAmount": 2_000 });
        let limited = app.mutate(&crm.key, "organizationLimitsUpdate", input, LIMITS).await;
        let expected = json!({ "limits": { "monthlyCreditCap": 5_000, "refillThreshold": 1_000, "refillAmount": 2_000,
            "autoRefillEnabled": true }, "wallet": { "balance": 5_000, "available": 5_000 } });
        assert_eq!(limited.done()["organization"], expected);

        let mut secrets: Vec<Value> = Vec::new();
        for name in ["acme-integration", "acme-reports"] {
            let input = json!({ "organizationId": id, "name": name, "scopes": ["credits:spend", "org:read"] });
            let minted = app.mutate(&crm.key, "apiKeyCreate", input, "secret apiKey { name status }").await;
            assert_eq!(minted.done()["apiKey"], json!({ "name": name, "status": "ACTIVE" }));
            secrets.push(minted.done()["secret"].clone());
        }
        let acme_key = secrets[0].as_str().unwrap_or_default();

        // 5,000 − 3,800 stays above the threshold; the next 600 go below it and fire a refill of 2,000.
        let answer = app.mutate(acme_key, "creditCharge", json!({ "amount": 3_800 }), CHARGE).await;
        assert_eq!(answer.done()["wallet"], json!({ "balance": 1_200, "available": 1_200 }));
        let answer = app.mutate(acme_key, "creditCharge", json!({ "amount": 600 }), CHARGE).await;
        assert_eq!(answer.done()["wallet"], json!({ "balance": 2_600, "available": 2_600 }));
        // 4,400 of the cap are used.
        let answer = app.mutate(acme_key, "creditCharge", json!({ "amount": 601 }), CHARGE).await;
        assert_eq!(answer.refused("CAP_EXCEEDED")["used"], 4_400);

        let suspend = json!({ "organizationId": id });
        for _ in 0..2 {
            app.mutate(&crm.key, "organizationSuspend", suspend.clone(), "organization { effectiveStatus }")
                .await
                .done();
        }
        app.gql(acme_key, "{ viewer { id } }", json!({})).await.failed("ORGANIZATION_SUSPENDED");
        app.mutate(&crm.key, "organizationResume", suspend, "organization { effectiveStatus }").await.done();
        app.gql(acme_key, "{ viewer { id } }", json!({})).await.clean();

        let input = json!({ "targetOrganizationId": id, "amount": 600 });
        app.mutate(&crm.key, "creditTransfer", input, "transaction { id }").await.done();
        let archived = app
            .mutate(
                &crm.key,
                "organizationArchive",
                json!({ "organizationId": id }),
                "organization { status archivedAt } reclaimedCredits revokedApiKeys",
            )
            .await;
        let expected = json!({ "organization": { "status": "ARCHIVED", "archivedAt": "2026-06-03T12:00:00.000Z" },
            "reclaimedCredits": 3_200, "revokedApiKeys": 2, "userErrors": [] });
        assert_eq!(*archived.done(), expected);
        assert_eq!(crm.balance().await, 60_000 - 4_400);
        app.gql(acme_key, "{ viewer { id } }", json!({})).await.failed("UNAUTHENTICATED");
    }
}
