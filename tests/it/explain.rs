//! `explainAccess`: which rule grants or denies, from the code that decides.

use serde_json::{Value, json};
use tests::{Answer, Key, TestApp, both};

const EXPLAIN: &str = "query($subject: AccessSubjectInput!, $action: String!) {
  explainAccess(subject: $subject, action: $action) {
    allowed rule permission scopes grantedByScope delegation edgeOrganizationId statusOrganizationId message } }";

async fn explain(app: &TestApp, key: impl AsRef<str>, subject: Value, action: &str) -> Answer {
    app.gql(key, EXPLAIN, json!({ "subject": subject, "action": action })).await
}

/// The rule and whatever it names.
async fn rule(app: &TestApp, key: &Key, subject: Value, action: &str) -> String {
    let answer = explain(app, key, subject, action).await.clean();
    let told = answer.at("/explainAccess");
    assert!(told["message"].as_str().is_some_and(|message| message.ends_with('.')), "{told}");
    let named = ["grantedByScope", "delegation", "edgeOrganizationId", "statusOrganizationId"];
    let named: Vec<&str> = named.iter().filter_map(|name| told[name].as_str()).collect();
    [told["rule"].as_str().unwrap_or_default()].into_iter().chain(named).collect::<Vec<_>>().join(" ")
}

both! {
    async fn the_scope_that_grants_and_the_scopes_that_would_are_told(app) {
        let root = app.root("Quinn's").create().await;
        let reader = root.mint(&["credits:read"]).await;
        let answer = explain(&app, &reader, json!({}), "creditCharge").await.clean();
        let told = answer.at("/explainAccess");
        assert_eq!((&told["allowed"], &told["rule"]), (&json!(false), &json!("MISSING_SCOPE")));
        assert_eq!((&told["permission"], &told["scopes"]), (&json!("credit:spend"), &json!(["credits:spend"])));
        assert_eq!(rule(&app, &reader, json!({}), "Organization.wallet").await, "OWN credits:read");
        assert_eq!(rule(&app, &reader, json!({}), "Wallet.balance").await, "OWN credits:read");
        assert_eq!(rule(&app, &reader, json!({}), "viewer").await, "OPEN");
        assert_eq!(rule(&app, &reader, json!({}), "creditGrant").await, "OPERATOR_ONLY");
        let operator = app.operator();
        assert_eq!(rule(&app, operator, json!({ "organizationId": root.id }), "creditGrant").await, "OPERATOR");
        explain(&app, operator, json!({}), "creditGrant").await.failed("INVALID_INPUT");
        explain(&app, &reader, json!({}), "creditCharg").await.failed("INVALID_INPUT");
    }

    async fn the_edge_that_lacks_the_delegation_is_named(app) {
        let root = app.root("Yona").create().await;
        let child = root.child("Acme").linked().create().await;
        let leaf = child.child("Acme North").create().await;
        let on = |id: &str| json!({ "organizationId": id });
        assert_eq!(rule(&app, &root.key, on(&leaf), "creditCharge").await, "DELEGATED credits:spend BILLING");
        let denied = format!("NOT_DELEGATED DATA_READ {}", child.id);
        assert_eq!(rule(&app, &root.key, on(&leaf), "Organization.projects").await, denied);
        assert_eq!(rule(&app, &root.key, on(&leaf), "apiKeyCreate").await, "CONTROL keys:*");
        assert_eq!(rule(&app, &child.key, on(&leaf), "projectCreate").await, "DELEGATED projects:* DATA_WRITE");
        assert_eq!(rule(&app, &leaf.key, json!({}), "organizationSuspend").await, "MISPLACED");
        assert_eq!(rule(&app, &leaf.key, json!({}), "meterSet").await, "MISPLACED");
    }

    async fn another_key_or_a_member_is_explained_to_who_may_see_them(app) {
        let root = app.root("Quinn's").create().await;
        let child = root.child("Acme").create().await;
        let person = json!({ "email": "ada@example.com", "firstName": "Ada", "lastName": "Lovelace", "role": "VIEWER" });
        let added = app.mutate(&child.key, "memberAdd", person, "member { id }").await;
        let member = json!({ "memberId": added.done()["member"]["id"] });
        assert_eq!(rule(&app, &root.key, member.clone(), "Organization.wallet").await, "OWN credits:read");
        assert_eq!(rule(&app, &root.key, member.clone(), "creditCharge").await, "MISSING_SCOPE");
        let key = child.mint(&["credits:spend"]).await;
        let of_key = json!({ "apiKeyId": key.id });
        assert_eq!(rule(&app, &root.key, of_key.clone(), "creditCharge").await, "OWN credits:spend");
        // For the key of the child there is no parent, though whoever asks sees both.
        let upward = json!({ "apiKeyId": key.id, "organizationId": root.id });
        assert_eq!(rule(&app, &root.key, upward, "creditCharge").await, "OUT_OF_SIGHT");
        let stranger = app.root("Stranger").create().await;
        for subject in [of_key.clone(), member, json!({ "organizationId": child.id })] {
            explain(&app, &stranger.key, subject, "creditCharge").await.failed("NOT_FOUND");
        }
        let modest = root.mint(&["org:read"]).await;
        explain(&app, &modest, of_key, "creditCharge").await.failed("FORBIDDEN_SCOPE");
        app.request(EXPLAIN).variables(json!({ "subject": {}, "action": "viewer" })).send().await.failed("UNAUTHENTICATED");
    }

    async fn a_key_that_ended_and_a_suspension_are_told_with_who_is_in_the_way(app) {
        let root = app.root("Quinn's").create().await;
        let child = root.child("Acme").create().await;
        let leaf = child.child("Acme North").create().await;
        let of_leaf = json!({ "apiKeyId": leaf.key.id });
        child.suspend(&root.key).await;
        assert_eq!(rule(&app, &root.key, of_leaf.clone(), "creditCharge").await, format!("CUT {}", child.id));
        let on_leaf = json!({ "organizationId": leaf.id });
        assert_eq!(rule(&app, &root.key, on_leaf.clone(), "creditCharge").await, format!("STATUS {}", child.id));
        assert_eq!(rule(&app, &root.key, on_leaf, "organizationUpdate").await, "CONTROL org:write");
        app.mutate(&root.key, "apiKeyRevoke", json!({ "apiKeyId": leaf.key.id }), "apiKeys { id }").await.done();
        assert_eq!(rule(&app, &root.key, of_leaf, "creditCharge").await, "REVOKED");
    }
}
