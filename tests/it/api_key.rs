//! Keys: minting, rotating, revoking, verifying (SPEC §4).

use serde_json::{Value, json};
use tests::{Answer, Key, TestApp, both};

/// Asks who the key is: admitted or not.
async fn viewer(app: &TestApp, key: impl AsRef<str>) -> Answer {
    app.gql(key, "{ viewer { id kind scopes environment } }", json!({})).await
}

async fn rotate(app: &TestApp, by: &Key, key: &Key, grace: Value) -> Answer {
    let mut input = json!({ "apiKeyId": key.id });
    if !grace.is_null() {
        input["gracePeriodSeconds"] = grace;
    }
    app.mutate(by, "apiKeyRotate", input, "secret apiKey { id familyId status } superseded { id status expiresAt }")
        .await
}

const VERIFY: &str = "valid reason scopes organization { id } apiKey { id } charge { amount }";

both! {
    async fn a_key_gives_at_most_what_it_holds(app) {
        let root = app.root("Quinn's").create().await;
        let key = root.mint(&["keys:*", "content:*"]).await;
        let before = app.contents().await;
        let input = json!({ "name": "x", "scopes": ["content:read", "credits:spend"] });
        app.mutate(&key, "apiKeyCreate", input, "secret").await.refused_at("FORBIDDEN_SCOPE", "scopes");
        assert_eq!(app.contents().await, before);
        let input = json!({ "name": "x", "scopes": ["content:read", "keys:verify"] });
        app.mutate(&key, "apiKeyCreate", input, "secret").await.done();
    }

    async fn no_key_gives_org_admin_even_when_it_holds_it(app) {
        let root = app.root("Quinn's").create().await;
        let input = json!({ "name": "x", "scopes": ["org:admin"] });
        app.mutate(&root.key, "apiKeyCreate", input, "secret").await.refused_at("FORBIDDEN_SCOPE", "scopes");
    }

    async fn no_wildcard_smuggles_org_admin(app) {
        let root = app.root("Quinn's").create().await;
        let input = json!({ "name": "x", "scopes": ["org:*"] });
        app.mutate(&root.key, "apiKeyCreate", input, "secret").await.refused_at("FORBIDDEN_SCOPE", "scopes");
    }

    async fn the_secret_is_shown_once_and_stored_nowhere(app) {
        let root = app.root("Quinn's").create().await;
        let key = root.mint(&["org:read"]).await;
        let read = app.gql(&root.key, "{ apiKeys { nodes { id prefix name scopes } } }", json!({})).await.clean();
        let (_, secret) = key.secret.rsplit_once('_').expect("a key has parts");
        assert!(!read.body.to_string().contains(secret));
        for column in ["secret_hash", "prefix", "name"] {
            let found = app.number(&format!("SELECT COUNT(*) FROM api_key WHERE {column} LIKE '%{secret}%'")).await;
            assert_eq!(found, 0, "{column}");
        }
    }

    async fn a_superseded_key_works_until_its_grace_ends(app) {
        let root = app.root("Quinn's").create().await;
        let key = root.mint(&["org:read"]).await;
        let answer = rotate(&app, &root.key, &key, json!(60)).await;
        let done = answer.done();
        assert_eq!(
            done["superseded"],
            json!({ "id": key.id, "status": "SUPERSEDED", "expiresAt": "2026-06-03T12:01:00.000Z" })
        );
        app.advance(59);
        viewer(&app, &key).await.clean();
        app.advance(1);
        viewer(&app, &key).await.failed("UNAUTHENTICATED");
        viewer(&app, done["secret"].as_str().unwrap_or_default()).await.clean();
    }

    /// Not by the request itself: a worker writes it for all keys together.
    async fn when_a_key_was_last_used_is_written_later_and_never_moves_back(app) {
        let root = app.root("Quinn's").create().await;
        let key = root.mint(&["keys:*"]).await;
        let last_used = "{ viewer { organization { apiKeys(first: 100) { nodes { id lastUsedAt } } } } }";
        let read = async || {
            let answer = app.gql(&root.key, last_used, json!({})).await.clean();
            let keys = answer.at("/viewer/organization/apiKeys/nodes").as_array().cloned().unwrap_or_default();
            keys.into_iter().find(|one| one["id"] == key.id).map(|one| one["lastUsedAt"].clone())
        };
        let flush = async || app.app().last_used.flush(app.kernel()).await.expect("it is written");
        viewer(&app, &key).await.clean();
        assert_eq!(read().await, Some(Value::Null));
        flush().await;
        assert_eq!(read().await, Some("2026-06-03T12:00:00.000Z".into()));
        app.advance(90);
        viewer(&app, &key).await.clean();
        flush().await;
        assert_eq!(read().await, Some("2026-06-03T12:01:30.000Z".into()));
        app.advance(-30);
        viewer(&app, &key).await.clean();
        flush().await;
        assert_eq!(read().await, Some("2026-06-03T12:01:30.000Z".into()));
    }

    async fn the_grace_is_a_day_when_nothing_is_said(app) {
        let root = app.root("Quinn's").create().await;
        let key = root.mint(&["org:read"]).await;
        let answer = rotate(&app, &root.key, &key, Value::Null).await;
        assert_eq!(answer.done()["superseded"]["expiresAt"], "2026-06-04T12:00:00.000Z");
    }

    /// Edge case 37.
    async fn the_grace_never_outlasts_the_keys_own_expiry(app) {
        let root = app.root("Quinn's").create().await;
        let key = root.mint_with(json!({ "scopes": ["org:read"], "expiresAt": "2026-06-03T13:00:00Z" })).await;
        let answer = rotate(&app, &root.key, &key, json!(604_800)).await;
        assert_eq!(answer.done()["superseded"]["expiresAt"], "2026-06-03T13:00:00.000Z");
    }

    async fn a_grace_is_at_most_seven_days(app) {
        let root = app.root("Quinn's").create().await;
        for grace in [-1, 604_801] {
            let answer = rotate(&app, &root.key, &root.key, json!(grace)).await;
            answer.refused_at("INVALID_INPUT", "gracePeriodSeconds");
        }
    }

    async fn a_superseded_a_revoked_and_an_expired_key_do_not_rotate(app) {
        let root = app.root("Quinn's").create().await;
        let superseded = root.mint(&["org:read"]).await;
        rotate(&app, &root.key, &superseded, Value::Null).await.done();
        let revoked = root.mint(&["org:read"]).await;
        app.mutate(&root.key, "apiKeyRevoke", json!({ "apiKeyId": revoked.id }), "apiKeys { id }").await.done();
        let expired = root.mint_with(json!({ "scopes": ["org:read"], "expiresAt": "2026-06-03T12:00:01Z" })).await;
        app.advance(1);
        for key in [superseded, revoked, expired] {
            rotate(&app, &root.key, &key, Value::Null).await.refused_at("CONFLICT", "apiKeyId");
        }
    }

    async fn of_two_rotations_at_once_one_wins(app) {
        let root = app.root("Quinn's").create().await;
        let key = root.mint(&["org:read"]).await;
        let (one, other) =
            tokio::join!(rotate(&app, &root.key, &key, Value::Null), rotate(&app, &root.key, &key, Value::Null));
        let refused = |answer: &Answer| answer.payload()["userErrors"].as_array().map_or(0, Vec::len);
        assert_eq!(refused(&one) + refused(&other), 1);
    }

    /// Whoever rotates holds the new secret.
    async fn a_key_does_not_rotate_one_that_holds_more(app) {
        let root = app.root("Quinn's").create().await;
        let small = root.mint(&["keys:*"]).await;
        rotate(&app, &small, &root.key, Value::Null).await.refused("FORBIDDEN_SCOPE");
    }

    async fn a_revoked_key_is_refused_from_the_next_request_on(app) {
        let root = app.root("Quinn's").create().await;
        let key = root.mint(&["org:read"]).await;
        viewer(&app, &key).await.clean();
        app.mutate(&root.key, "apiKeyRevoke", json!({ "apiKeyId": key.id }), "apiKeys { id }").await.done();
        viewer(&app, &key).await.failed("UNAUTHENTICATED");
    }

    /// Edge case 38.
    async fn revoking_the_family_ends_the_superseded_key_too(app) {
        let root = app.root("Quinn's").create().await;
        let old = root.mint(&["org:read"]).await;
        let answer = rotate(&app, &root.key, &old, Value::Null).await;
        let new = answer.done()["secret"].as_str().unwrap_or_default().to_owned();
        let input = json!({ "apiKeyId": answer.done()["apiKey"]["id"], "family": true });
        let revoked = app.mutate(&root.key, "apiKeyRevoke", input, "apiKeys { status }").await;
        assert_eq!(revoked.done()["apiKeys"], json!([{ "status": "REVOKED" }, { "status": "REVOKED" }]));
        viewer(&app, &old).await.failed("UNAUTHENTICATED");
        viewer(&app, &new).await.failed("UNAUTHENTICATED");
    }

    async fn revoking_twice_changes_nothing_more(app) {
        let root = app.root("Quinn's").create().await;
        let key = root.mint(&["org:read"]).await;
        let input = json!({ "apiKeyId": key.id });
        let first = app.mutate(&root.key, "apiKeyRevoke", input.clone(), "apiKeys { id revokedAt }").await;
        app.advance(60);
        let again = app.mutate(&root.key, "apiKeyRevoke", input, "apiKeys { id revokedAt }").await;
        assert_eq!(first.done(), again.done());
    }

    async fn an_expired_key_is_refused(app) {
        let root = app.root("Quinn's").create().await;
        let key = root.mint_with(json!({ "scopes": ["org:read"], "expiresAt": "2026-06-03T12:00:10Z" })).await;
        app.advance(9);
        viewer(&app, &key).await.clean();
        app.advance(1);
        viewer(&app, &key).await.failed("UNAUTHENTICATED");
    }

    async fn a_key_for_some_addresses_works_from_no_other(app) {
        let root = app.root("Quinn's").create().await;
        let key =
            root.mint_with(json!({ "scopes": ["org:read"], "allowedIps": ["203.0.113.0/24", "2001:db8::1"] })).await;
        for (address, admitted) in [("203.0.113.9", true), ("203.0.114.9", false), ("[2001:db8::1]", true)] {
            let answer = app.request("{ viewer { id } }").key(&key).from(address).send().await;
            assert_eq!(answer.errors().is_empty(), admitted, "{address}");
        }
    }

    async fn a_key_with_a_typing_error_or_of_nobody_is_refused(app) {
        let root = app.root("Quinn's").create().await;
        let key = &root.key.secret;
        let flipped = if key.ends_with('A') { "B" } else { "A" };
        let typing_error = format!("{}{flipped}", &key[..key.len() - 1]);
        for key in [typing_error.as_str(), "", "byn_live_", "nonsense"] {
            viewer(&app, key).await.failed("UNAUTHENTICATED");
        }
    }

    async fn what_a_key_is_minted_with_is_checked(app) {
        let root = app.root("Quinn's").create().await;
        let before = app.contents().await;
        let long = "x".repeat(101);
        for (field, value) in [
            ("name", json!("")),
            ("name", json!(long)),
            ("scopes", json!([])),
            ("scopes", json!(["Content:Read"])),
            ("scopes", json!(["content"])),
            ("expiresAt", json!("2026-06-03T12:00:00Z")),
            ("allowedIps", json!(["203.0.113.0/33"])),
            ("spendLimit", json!(-1)),
            ("rateLimit", json!(0)),
        ] {
            let mut input = json!({ "name": "x", "scopes": ["org:read"] });
            input[field] = value;
            app.mutate(&root.key, "apiKeyCreate", input, "secret").await.refused_at("INVALID_INPUT", field);
        }
        assert_eq!(app.contents().await, before);
    }

    async fn verifying_tells_whose_key_it_is_and_what_it_holds(app) {
        let root = app.root("Quinn's").create().await;
        let child = root.child("Acme").create().await;
        let key = child.mint(&["content:read"]).await;
        let input = json!({ "secret": key.secret, "requiredScopes": ["content:read"] });
        let answer = app.mutate(&root.key, "apiKeyVerify", input, VERIFY).await;
        let done = answer.done();
        assert_eq!((&done["valid"], &done["scopes"]), (&json!(true), &json!(["content:read"])));
        assert_eq!((&done["organization"]["id"], &done["apiKey"]["id"]), (&json!(child.id), &json!(key.id)));
    }

    async fn verifying_with_a_charge_takes_it_from_the_keys_organization(app) {
        let root = app.root("Quinn's").create().await;
        let child = root.child("Acme").with_credits(10).create().await;
        let key = child.mint(&["content:read"]).await;
        let input = json!({ "secret": key.secret, "charge": { "amount": 7 }, "idempotencyKey": "call-1" });
        let answer = app.mutate(&root.key, "apiKeyVerify", input.clone(), VERIFY).await;
        assert_eq!(answer.done()["charge"]["amount"], 7);
        let again = app.mutate(&root.key, "apiKeyVerify", input, VERIFY).await;
        assert_eq!(again.done()["replayed"], true);
        assert_eq!(child.balance().await, 3);
    }

    async fn verifying_with_a_charge_that_is_not_covered_is_not_valid_and_takes_nothing(app) {
        let root = app.root("Quinn's").create().await;
        let child = root.child("Acme").with_credits(10).create().await;
        let key = child.mint(&["content:read"]).await;
        let input = json!({ "secret": key.secret, "charge": { "amount": 11 }, "idempotencyKey": "call-1" });
        let answer = app.mutate(&root.key, "apiKeyVerify", input, VERIFY).await;
        assert_eq!(answer.refused("INSUFFICIENT_CREDITS")["shortfall"], 1);
        assert_eq!(
            (&answer.payload()["valid"], &answer.payload()["reason"]),
            (&json!(false), &json!("INSUFFICIENT_CREDITS"))
        );
        assert_eq!(child.balance().await, 10);
    }

    async fn verifying_again_after_a_top_up_charges_under_the_same_idempotency_key(app) {
        let root = app.root("Quinn's").create().await;
        let child = root.child("Acme").with_credits(10).create().await;
        let key = child.mint(&["content:read"]).await;
        let input = json!({ "secret": key.secret, "charge": { "amount": 11 }, "idempotencyKey": "call-1" });
        app.mutate(&root.key, "apiKeyVerify", input.clone(), VERIFY).await.refused("INSUFFICIENT_CREDITS");
        child.grant(json!({ "amount": 5 })).await;
        let answer = app.mutate(&root.key, "apiKeyVerify", input, VERIFY).await;
        assert_eq!((&answer.done()["valid"], &answer.done()["replayed"]), (&json!(true), &json!(false)));
        assert_eq!(child.balance().await, 4);
    }

    async fn verifying_a_charge_needs_an_idempotency_key(app) {
        let root = app.root("Quinn's").create().await;
        let input = json!({ "secret": root.key.secret, "charge": { "amount": 1 } });
        app.mutate(&root.key, "apiKeyVerify", input, VERIFY).await.refused_at("INVALID_INPUT", "idempotencyKey");
    }

    async fn verifying_says_why_a_key_is_not_good(app) {
        let root = app.root("Quinn's").create().await;
        let child = root.child("Acme").create().await;
        let key = child.mint(&["content:read"]).await;
        let revoked = child.mint(&["content:read"]).await;
        app.mutate(&root.key, "apiKeyRevoke", json!({ "apiKeyId": revoked.id }), "apiKeys { id }").await.done();
        let restricted = child.mint_with(json!({ "scopes": ["content:read"], "allowedIps": ["203.0.113.0/24"] })).await;
        let stranger = app.root("Stranger").create().await;
        for (input, reason) in [
            (json!({ "secret": key.secret, "requiredScopes": ["content:write"] }), "FORBIDDEN_SCOPE"),
            (json!({ "secret": revoked.secret }), "UNAUTHENTICATED"),
            (json!({ "secret": stranger.key.secret }), "UNAUTHENTICATED"),
            (json!({ "secret": "nonsense" }), "UNAUTHENTICATED"),
            (json!({ "secret": restricted.secret, "address": "198.51.100.1" }), "FORBIDDEN_SCOPE"),
        ] {
            let answer = app.mutate(&root.key, "apiKeyVerify", input, VERIFY).await;
            let payload = answer.payload();
            assert_eq!((&payload["valid"], &payload["reason"]), (&json!(false), &json!(reason)), "{:#}", answer.body);
            assert_eq!(payload["organization"], Value::Null);
        }
        child.suspend(&root.key).await;
        let answer = app.mutate(&root.key, "apiKeyVerify", json!({ "secret": key.secret }), VERIFY).await;
        assert_eq!(answer.refused("ORGANIZATION_SUSPENDED")["organizationId"], json!(child.id));
    }

    async fn verifying_without_a_charge_writes_nothing(app) {
        let root = app.root("Quinn's").create().await;
        let before = app.contents().await;
        app.mutate(&root.key, "apiKeyVerify", json!({ "secret": root.key.secret }), VERIFY).await.done();
        assert_eq!(app.contents().await, before);
    }

    async fn a_retry_of_a_charge_hears_the_first_answer_though_the_key_has_died(app) {
        let root = app.root("Quinn's").create().await;
        let child = root.child("Acme").with_credits(10).create().await;
        let key = child.mint(&["content:read"]).await;
        let call = |id: &str| json!({ "secret": key.secret, "charge": { "amount": 7 }, "idempotencyKey": id });
        app.mutate(&root.key, "apiKeyVerify", call("call-1"), VERIFY).await.done();
        app.mutate(&root.key, "apiKeyRevoke", json!({ "apiKeyId": key.id }), "apiKeys { id }").await.done();
        let again = app.mutate(&root.key, "apiKeyVerify", call("call-1"), VERIFY).await;
        assert_eq!(again.done()["replayed"], true);
        let next = app.mutate(&root.key, "apiKeyVerify", call("call-2"), VERIFY).await;
        assert_eq!(next.payload()["reason"], "UNAUTHENTICATED");
        assert_eq!(child.balance().await, 3);
    }

    async fn a_charge_for_a_presented_key_counts_in_that_keys_family(app) {
        let root = app.root("Quinn's").create().await;
        let child = root.child("Acme").with_credits(100).create().await;
        let key = child.mint_with(json!({ "scopes": ["content:read"], "spendLimit": 10 })).await;
        let call = |id: &str| json!({ "secret": key.secret, "charge": { "amount": 7 }, "idempotencyKey": id });
        app.mutate(&root.key, "apiKeyVerify", call("call-1"), VERIFY).await.done();
        let refused = app.mutate(&root.key, "apiKeyVerify", call("call-2"), VERIFY).await;
        assert_eq!(refused.refused("CAP_EXCEEDED")["limit"], "KEY_FAMILY");
    }

    async fn a_presented_test_key_never_touches_live_credits(app) {
        let root = app.root("Quinn's").create().await;
        let child = root.child("Acme").with_credits(100).create().await;
        let key = child.mint_with(json!({ "scopes": ["content:read"], "environment": "TEST" })).await;
        let input = json!({ "secret": key.secret, "charge": { "amount": 7 }, "idempotencyKey": "call-1" });
        app.mutate(&root.key, "apiKeyVerify", input, VERIFY).await.done();
        assert_eq!(child.balance().await, 100);
    }

    async fn a_key_outside_of_the_named_organization_is_unknown(app) {
        let root = app.root("Quinn's").create().await;
        let (one, two) = (root.child("One").create().await, root.child("Two").create().await);
        let input = json!({ "secret": two.key.secret, "organizationId": one.id });
        let answer = app.mutate(&root.key, "apiKeyVerify", input, VERIFY).await;
        assert_eq!(answer.payload()["reason"], "UNAUTHENTICATED");
    }

    async fn verifying_needs_its_scope(app) {
        let root = app.root("Quinn's").create().await;
        let key = root.mint(&["org:admin"]).await;
        let answer = app.mutate(&key, "apiKeyVerify", json!({ "secret": root.key.secret }), VERIFY).await;
        answer.refused("FORBIDDEN_SCOPE");
    }

    async fn a_test_key_makes_takes_over_and_charges_no_live_one(app) {
        let root = app.root("Quinn's").with_credits(10).create().await;
        let scopes = json!(["keys:*", "keys:verify"]);
        let test = root.mint_with(json!({ "scopes": scopes, "environment": "TEST" })).await;
        let mut input = json!({ "name": "x", "scopes": ["keys:verify"] });
        app.mutate(&test, "apiKeyCreate", input.clone(), "secret").await.refused_at("FORBIDDEN_SCOPE", "environment");
        input["environment"] = "TEST".into();
        app.mutate(&test, "apiKeyCreate", input, "secret").await.done();
        let live = root.mint(&["keys:verify"]).await;
        rotate(&app, &test, &live, Value::Null).await.refused("FORBIDDEN_SCOPE");
        let input = json!({ "secret": live.secret, "charge": { "amount": 1 }, "idempotencyKey": "v" });
        let answer = app.mutate(&test, "apiKeyVerify", input, "valid reason").await;
        assert_eq!(answer.payload()["valid"], false);
        assert_eq!(root.balance().await, 10);
    }
}
