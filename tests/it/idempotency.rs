//! One key, one effect (SPEC §5).

use serde_json::json;
use tests::both;

const CHARGE: &str = "charge { id } wallet { balance }";

both! {
    async fn the_same_key_and_input_answer_the_first_answer_again(app) {
        let root = app.root("Quinn's").with_credits(1_000).create().await;
        let input = json!({ "amount": 300, "idempotencyKey": "once" });
        let first = app.mutate(&root.key, "creditCharge", input.clone(), CHARGE).await;
        let again = app.mutate(&root.key, "creditCharge", input, CHARGE).await;
        assert_eq!((&first.done()["replayed"], &again.done()["replayed"]), (&json!(false), &json!(true)));
        assert_eq!(first.done()["charge"]["id"], again.done()["charge"]["id"]);
        assert_eq!(root.balance().await, 700);
    }

    async fn the_same_key_with_other_input_is_a_conflict(app) {
        let root = app.root("Quinn's").with_credits(1_000).create().await;
        app.mutate(&root.key, "creditCharge", json!({ "amount": 300, "idempotencyKey": "once" }), CHARGE).await.done();
        let before = app.contents().await;
        let answer =
            app.mutate(&root.key, "creditCharge", json!({ "amount": 301, "idempotencyKey": "once" }), CHARGE).await;
        answer.refused_at("IDEMPOTENCY_CONFLICT", "idempotencyKey");
        assert_eq!(app.contents().await, before);
    }

    async fn two_actors_may_use_the_same_key(app) {
        let root = app.root("Quinn's").with_credits(1_000).create().await;
        let other = root.mint(&["credits:spend"]).await;
        for key in [&root.key, &other] {
            let input = json!({ "amount": 300, "idempotencyKey": "once" });
            assert_eq!(app.mutate(key, "creditCharge", input, CHARGE).await.done()["replayed"], false);
        }
    }

    async fn a_refusal_for_lack_of_funds_is_not_frozen(app) {
        let root = app.root("Quinn's").create().await;
        let input = json!({ "amount": 300, "idempotencyKey": "once" });
        app.mutate(&root.key, "creditCharge", input.clone(), CHARGE).await.refused("INSUFFICIENT_CREDITS");
        root.grant(json!({ "amount": 300 })).await;
        assert_eq!(app.mutate(&root.key, "creditCharge", input, CHARGE).await.done()["replayed"], false);
    }

    async fn a_replay_after_thirty_days_is_a_new_request(app) {
        let root = app.root("Quinn's").with_credits(1_000).create().await;
        let input = json!({ "amount": 300, "idempotencyKey": "once" });
        app.mutate(&root.key, "creditCharge", input.clone(), CHARGE).await.done();
        app.advance(30 * 86_400 - 1);
        assert_eq!(app.mutate(&root.key, "creditCharge", input.clone(), CHARGE).await.done()["replayed"], true);
        app.advance(1);
        assert_eq!(app.mutate(&root.key, "creditCharge", input, CHARGE).await.done()["replayed"], false);
    }

    /// Edge case 42.
    async fn a_replayed_mint_shows_no_secret_and_mints_nothing(app) {
        let root = app.root("Quinn's").create().await;
        let input = json!({ "name": "backend", "scopes": ["org:read"], "idempotencyKey": "once" });
        let first = app.mutate(&root.key, "apiKeyCreate", input.clone(), "secret apiKey { id }").await;
        let before = app.contents().await;
        let again = app.mutate(&root.key, "apiKeyCreate", input, "secret apiKey { id }").await;
        assert!(first.done()["secret"].is_string());
        let expected = json!({ "secret": null, "apiKey": first.done()["apiKey"], "replayed": true, "userErrors": [] });
        assert_eq!(*again.done(), expected);
        assert_eq!(app.contents().await, before);
    }

    async fn a_replayed_rotation_shows_no_secret_and_rotates_nothing(app) {
        let root = app.root("Quinn's").create().await;
        let key = root.mint(&["org:read"]).await;
        let input = json!({ "apiKeyId": key.id, "idempotencyKey": "once" });
        let first = app.mutate(&root.key, "apiKeyRotate", input.clone(), "secret apiKey { id }").await;
        let before = app.contents().await;
        let again = app.mutate(&root.key, "apiKeyRotate", input, "secret apiKey { id }").await;
        assert_eq!((&again.done()["secret"], &again.done()["apiKey"]), (&json!(null), &first.done()["apiKey"]));
        assert_eq!(app.contents().await, before);
    }

    async fn no_secret_is_kept_for_replays(app) {
        let root = app.root("Quinn's").create().await;
        let input = json!({ "name": "backend", "scopes": ["org:read"], "idempotencyKey": "once" });
        app.mutate(&root.key, "apiKeyCreate", input, "secret").await.done();
        let kept = "SELECT COUNT(*) FROM idempotency_record WHERE operation = 'apiKeyCreate'";
        assert_eq!(app.number(kept).await, 1);
        assert_eq!(app.number(&format!("{kept} AND result LIKE '%\"secret\":null%'")).await, 1);
    }

    async fn a_replayed_creation_answers_the_same_organization(app) {
        let root = app.root("Quinn's").create().await;
        let input = json!({ "name": "Acme", "idempotencyKey": "once" });
        let first = app.mutate(&root.key, "organizationCreate", input.clone(), "organization { id }").await;
        let again = app.mutate(&root.key, "organizationCreate", input, "organization { id }").await;
        assert_eq!(first.done()["organization"], again.done()["organization"]);
        assert_eq!(root.read("children { totalCount }").await["children"]["totalCount"], 1);
    }

    async fn a_replayed_root_is_made_once(app) {
        let input = json!({ "name": "Quinn's", "idempotencyKey": "once" });
        let first = app.mutate(app.operator(), "organizationCreate", input.clone(), "organization { id }").await;
        let again = app.mutate(app.operator(), "organizationCreate", input, "organization { id }").await;
        assert_eq!(again.done()["replayed"], true);
        assert_eq!(first.done()["organization"], again.done()["organization"]);
    }

    async fn the_header_serves_where_the_input_says_nothing(app) {
        let root = app.root("Quinn's").create().await;
        let send = || {
            let request = app.mutation("organizationCreate", json!({ "name": "Acme" }), "organization { id }");
            request.key(&root.key).header("Idempotency-Key", "once").send()
        };
        let (first, again) = (send().await, send().await);
        assert_eq!((&first.done()["replayed"], &again.done()["replayed"]), (&json!(false), &json!(true)));
        assert_eq!(first.done()["organization"], again.done()["organization"]);
    }

    async fn the_header_does_not_serve_two_mutations(app) {
        let root = app.root("Quinn's").create().await;
        let document = "mutation { a: organizationCreate(input: { name: \"One\" }) { userErrors { code } }
          b: organizationCreate(input: { name: \"Two\" }) { userErrors { code } } }";
        let before = app.contents().await;
        app.request(document).key(&root.key).header("Idempotency-Key", "once").send().await.failed("BAD_REQUEST");
        assert_eq!(app.contents().await, before);
    }

    /// Edge case 58.
    async fn two_mutations_of_one_document_with_the_same_key_have_one_effect(app) {
        let root = app.root("Quinn's").with_credits(1_000).create().await;
        let document = "mutation($input: CreditChargeInput!) {
          a: creditCharge(input: $input) { replayed charge { id } userErrors { code } }
          b: creditCharge(input: $input) { replayed charge { id } userErrors { code } } }";
        let answer =
            app.gql(&root.key, document, json!({ "input": { "amount": 300, "idempotencyKey": "once" } })).await.clean();
        assert_eq!((answer.at("/a/replayed"), answer.at("/b/replayed")), (&json!(false), &json!(true)));
        assert_eq!(answer.at("/a/charge/id"), answer.at("/b/charge/id"));
        assert_eq!(root.balance().await, 700);
    }

    /// Edge case 20.
    async fn two_requests_at_once_with_the_same_key_have_one_effect(app) {
        let root = app.root("Quinn's").with_credits(1_000).create().await;
        let input = json!({ "amount": 300, "idempotencyKey": "once" });
        let send = || app.mutate(&root.key, "creditCharge", input.clone(), CHARGE);
        let (first, second) = tokio::join!(send(), send());
        assert_eq!(first.done()["charge"], second.done()["charge"]);
        assert_eq!(root.balance().await, 700);
    }

    async fn an_idempotency_key_has_one_to_255_characters(app) {
        let root = app.root("Quinn's").with_credits(1_000).create().await;
        let before = app.contents().await;
        for key in [String::new(), "x".repeat(256)] {
            let answer =
                app.mutate(&root.key, "creditCharge", json!({ "amount": 1, "idempotencyKey": key }), CHARGE).await;
            answer.refused_at("INVALID_INPUT", "idempotencyKey");
        }
        assert_eq!(app.contents().await, before);
    }
}
