//! Who may do what: scopes, edges, and what does not exist for whom (SPEC §3).

use serde_json::{Value, json};
use tests::{Answer, Key, Organization, TestApp, both};

/// The codes a read answers with: `OK` or that of its error.
fn verdict(answer: &Answer) -> String {
    let user_error = answer.data().as_object().and_then(|data| data.values().next());
    let user_error = user_error.and_then(|payload| payload["userErrors"][0]["code"].as_str());
    match (answer.code(), user_error) {
        ("", None) => "OK".to_owned(),
        ("", Some(code)) => code.to_owned(),
        (code, _) => code.to_owned(),
    }
}

async fn read(app: &TestApp, key: &Key, selection: &str, of: &Organization) -> Answer {
    let document = format!("query($id: ID!) {{ organization(by: {{ id: $id }}) {{ {selection} }} }}");
    app.gql(key, &document, json!({ "id": of.id })).await
}

/// What is left of an answer when the id that was asked for and the request's own are taken out.
fn anonymous(answer: &Answer, id: &str) -> String {
    let mut body = answer.body.clone();
    if let Some(errors) = body["errors"].as_array_mut() {
        for error in errors {
            error["extensions"]["requestId"] = Value::Null;
        }
    }
    format!("{} {body}", answer.status).replace(id, "…")
}

/// An id of the right form that nothing has.
const UNKNOWN: &str = "org_01h455vb4pex5vsknk084sn02q";

both! {
    async fn every_scope_opens_its_own_and_nothing_else(app) {
        let root = app.root("Quinn's").with_credits(100).create().await;
        let reads = [
            (
                "organization",
                "{ viewer { organization { id } } organizations { nodes { id } } }",
                &["org:read", "org:write", "org:admin"][..],
            ),
            ("keys", "{ apiKeys { nodes { id } } }", &["keys:*", "org:admin"]),
            ("wallet", "{ creditQuote(input: { amount: 1 }) { allowed } }", &["credits:read", "org:admin"]),
            ("audit", "{ auditEvents { nodes { id } } }", &["audit:read", "org:admin"]),
        ];
        for scope in [
            "org:admin",
            "org:read",
            "org:write",
            "keys:*",
            "keys:verify",
            "credits:read",
            "credits:spend",
            "audit:read",
            "content:read",
        ] {
            let key = root.mint(&[scope]).await;
            for (name, document, opened_by) in reads {
                let expected = if opened_by.contains(&scope) { "OK" } else { "FORBIDDEN_SCOPE" };
                assert_eq!(verdict(&app.gql(&key, document, json!({})).await), expected, "{scope} reads {name}");
            }
            for (mutation, input, opened_by) in [
                ("organizationCreate", json!({ "name": "Acme" }), &["org:admin"][..]),
                (
                    "apiKeyCreate",
                    json!({ "name": "x", "scopes": [if scope == "org:admin" { "org:read" } else { scope }] }),
                    &["keys:*"],
                ),
                ("creditCharge", json!({ "amount": 1 }), &["credits:spend"]),
                ("creditGrant", json!({ "amount": 1 }), &[]),
            ] {
                let expected = if opened_by.contains(&scope) { "OK" } else { "FORBIDDEN_SCOPE" };
                let answer = app.mutate(&key, mutation, input, "__typename").await;
                assert_eq!(verdict(&answer), expected, "{scope} does {mutation}");
            }
        }
    }

    async fn an_ancestor_reads_and_controls_over_an_owned_edge(app) {
        let root = app.root("Quinn's").create().await;
        let child = root.child("Acme").create().await;
        assert_eq!(
            verdict(
                &read(
                    &app,
                    &root.key,
                    "name wallet { balance } apiKeys { nodes { id } } holds { nodes { id } }",
                    &child
                )
                .await
            ),
            "OK"
        );
        let answer = app
            .mutate(
                &root.key,
                "organizationUpdate",
                json!({ "organizationId": child.id, "expectedVersion": 1, "name": "New" }),
                "__typename",
            )
            .await;
        assert_eq!(verdict(&answer), "OK");
    }

    async fn an_ancestor_reads_wallets_over_a_linked_edge(app) {
        let root = app.root("Yona").create().await;
        let child = root.child("Acme").linked().create().await;
        assert_eq!(child.read("relation delegation").await, json!({ "relation": "LINKED", "delegation": ["BILLING"] }));
        assert_eq!(verdict(&read(&app, &root.key, "wallet { balance }", &child).await), "OK");
    }

    async fn a_narrowed_edge_shows_the_record_and_no_wallet(app) {
        let root = app.root("Yona").create().await;
        let child = root.child("Acme").linked().create().await;
        let grandchild = child.child("Acme North").create().await;
        let narrow = json!({ "organizationId": child.id, "delegation": [] });
        app.mutate(&root.key, "organizationDelegationUpdate", narrow, "organization { delegation }").await.done();
        for organization in [&child, &grandchild] {
            let answer =
                read(&app, &root.key, "name wallet { balance } ledgerEntries { nodes { id } }", organization).await;
            assert_eq!(answer.at("/organization/wallet"), &Value::Null);
            assert_eq!(answer.at("/organization/ledgerEntries"), &Value::Null);
            assert!(answer.at("/organization/name").is_string());
            answer.failed("FORBIDDEN_SCOPE");
        }
        let input = json!({ "organizationId": child.id, "amount": 1 });
        app.mutate(&root.key, "creditCharge", input, "__typename").await.refused("FORBIDDEN_SCOPE");
        // Control still reaches.
        let input = json!({ "organizationId": child.id, "name": "x", "scopes": ["org:read"] });
        app.mutate(&root.key, "apiKeyCreate", input, "__typename").await.done();
    }

    async fn only_the_child_widens_its_edge(app) {
        let root = app.root("Yona").create().await;
        let child = root.child("Acme").linked().create().await;
        let widen = json!({ "organizationId": child.id, "delegation": ["BILLING", "DATA_READ"] });
        let answer =
            app.mutate(&root.key, "organizationDelegationUpdate", widen.clone(), "organization { delegation }").await;
        answer.refused_at("FORBIDDEN_SCOPE", "delegation");
        let answer = app.mutate(&child.key, "organizationDelegationUpdate", widen, "organization { delegation }").await;
        assert_eq!(answer.done()["organization"]["delegation"], json!(["BILLING", "DATA_READ"]));
    }

    async fn the_parent_does_not_widen_by_changing_the_relation(app) {
        let root = app.root("Yona").create().await;
        let child = root.child("Acme").linked().create().await;
        let input = json!({ "organizationId": child.id, "relation": "OWNED" });
        let answer =
            app.mutate(&root.key, "organizationRelationUpdate", input, "organization { relation delegation }").await;
        assert_eq!(answer.done()["organization"], json!({ "relation": "OWNED", "delegation": ["BILLING"] }));
    }

    /// Edge case 44: the two answers must not differ in anything but the id that was asked for.
    async fn an_id_out_of_sight_answers_like_one_that_does_not_exist(app) {
        let root = app.root("Quinn's").with_credits(10).create().await;
        let sibling = root.child("Sibling").with("externalId", "s-1").with_credits(10).create().await;
        let child = root.child("Acme").with_credits(10).create().await;
        let stranger = app.root("Stranger").with_credits(10).create().await;
        let documents = [
            "query($id: ID!) { organization(by: { id: $id }) { id name } }",
            "query($id: ID!) { node(id: $id) { id } }",
            "query($id: ID!) { nodes(ids: [$id]) { id } }",
            "query($id: ID) { apiKeys(organizationId: $id) { totalCount nodes { id } } }",
            "query($id: ID) { auditEvents(organizationId: $id) { totalCount nodes { id } } }",
            "query($id: ID) { creditQuote(input: { organizationId: $id, amount: 1 }) { allowed userErrors { code } } }",
            "query($id: ID!) { organizationArchivePlan(organizationId: $id) { planHash } }",
            "query($id: ID!) { organizationSuspendPlan(organizationId: $id) { planHash } }",
            "query($id: ID) { meters(organizationId: $id) { key } }",
            "query($id: ID!) { viewer { organization { canShareDataWith(organizationId: $id) } } }",
        ];
        // The parent is out of its child's sight too: authority never goes upward.
        for foreign in [&sibling, &root, &stranger] {
            for document in documents {
                let theirs = app.gql(&child.key, document, json!({ "id": foreign.id })).await;
                let nobodys = app.gql(&child.key, document, json!({ "id": UNKNOWN })).await;
                assert_eq!(anonymous(&theirs, &foreign.id), anonymous(&nobodys, UNKNOWN), "{document}");
            }
            for (mutation, input, field) in [
                ("organizationCreate", json!({ "name": "Acme" }), "parentId"),
                ("organizationUpdate", json!({ "expectedVersion": 1, "name": "New" }), "organizationId"),
                ("organizationSuspend", json!({}), "organizationId"),
                ("organizationResume", json!({}), "organizationId"),
                ("organizationArchive", json!({}), "organizationId"),
                ("organizationRelationUpdate", json!({ "relation": "OWNED" }), "organizationId"),
                ("organizationDelegationUpdate", json!({ "delegation": [] }), "organizationId"),
                ("organizationFundingUpdate", json!({ "minimumReserve": 1 }), "organizationId"),
                ("organizationLimitsUpdate", json!({ "monthlyCreditCap": 1 }), "organizationId"),
                ("apiKeyCreate", json!({ "name": "x", "scopes": ["org:read"] }), "organizationId"),
                ("meterSet", json!({ "key": "scan", "credits": 1 }), "organizationId"),
                ("creditCharge", json!({ "amount": 1 }), "organizationId"),
                ("creditHold", json!({ "amount": 1 }), "organizationId"),
                ("creditTransfer", json!({ "amount": 1 }), "targetOrganizationId"),
            ] {
                let send = |id: &str| {
                    let mut input = input.clone();
                    input[field] = json!(id);
                    app.mutate(&child.key, mutation, input, "__typename")
                };
                let (theirs, nobodys) = (send(&foreign.id).await, send(UNKNOWN).await);
                assert_eq!(anonymous(&theirs, &foreign.id), anonymous(&nobodys, UNKNOWN), "{mutation}");
                theirs.refused("NOT_FOUND");
            }
        }
        let by_external_id =
            app.gql(&child.key, "{ organization(by: { externalId: \"s-1\" }) { id } }", json!({})).await;
        assert_eq!(by_external_id.clean().at("/organization"), &Value::Null);
    }

    async fn keys_and_holds_of_others_answer_like_ones_that_do_not_exist(app) {
        let root = app.root("Quinn's").create().await;
        let child = root.child("Acme").create().await;
        let sibling = root.child("Sibling").with_credits(10).create().await;
        let held = app.mutate(&sibling.key, "creditHold", json!({ "amount": 1 }), "hold { id }").await;
        let hold = held.done()["hold"]["id"].as_str().unwrap_or_default().to_owned();
        for (mutation, field, theirs, unknown) in [
            ("apiKeyRotate", "apiKeyId", sibling.key.id.as_str(), "key_01h455vb4pex5vsknk084sn02q"),
            ("apiKeyRevoke", "apiKeyId", sibling.key.id.as_str(), "key_01h455vb4pex5vsknk084sn02q"),
            ("creditCapture", "holdId", hold.as_str(), "hold_01h455vb4pex5vsknk084sn02q"),
            ("creditVoid", "holdId", hold.as_str(), "hold_01h455vb4pex5vsknk084sn02q"),
            ("creditRefund", "holdId", hold.as_str(), "hold_01h455vb4pex5vsknk084sn02q"),
        ] {
            let answer = app.mutate(&child.key, mutation, json!({ field: theirs }), "__typename").await;
            let nobodys = app.mutate(&child.key, mutation, json!({ field: unknown }), "__typename").await;
            answer.refused("NOT_FOUND");
            assert_eq!(anonymous(&answer, theirs), anonymous(&nobodys, unknown), "{mutation}");
        }
        for id in [&hold, &sibling.key.id] {
            let answer = app.gql(&child.key, "query($id: ID!) { node(id: $id) { id } }", json!({ "id": id })).await;
            assert_eq!(answer.clean().at("/node"), &Value::Null);
        }
    }

    async fn lists_and_counts_show_only_the_own_subtree(app) {
        let root = app.root("Quinn's").create().await;
        let child = root.child("Acme").create().await;
        child.child("Acme North").create().await;
        root.child("Sibling").create().await;
        app.root("Stranger").create().await;
        let list = "{ organizations { totalCount nodes { name } } }";
        let answer = app.gql(&child.key, list, json!({})).await.clean();
        let expected = json!({ "totalCount": 2, "nodes": [{ "name": "Acme" }, { "name": "Acme North" }] });
        assert_eq!(*answer.at("/organizations"), expected);
        let above = app
            .gql(&child.key, "{ viewer { organization { parent { id } root { id } ancestors { id } } } }", json!({}))
            .await;
        assert_eq!(above.clean().at("/viewer/organization"), &json!({ "parent": null, "root": null, "ancestors": [] }));
        let answer = app.gql(app.operator(), list, json!({})).await.clean();
        assert_eq!(*answer.at("/organizations/totalCount"), json!(5));
    }

    async fn nobody_without_a_key_reads_or_changes_anything(app) {
        let root = app.root("Quinn's").create().await;
        let before = app.contents().await;
        for document in
            ["{ organizations { nodes { id } } }", "{ apiKeys { nodes { id } } }", "{ auditEvents { nodes { id } } }"]
        {
            app.request(document).send().await.failed("UNAUTHENTICATED");
        }
        let node = app.request("query($id: ID!) { node(id: $id) { id } }").variables(json!({ "id": root.id }));
        node.send().await.failed("UNAUTHENTICATED");
        for (mutation, input) in [
            ("organizationCreate", json!({ "name": "Acme" })),
            ("creditCharge", json!({ "organizationId": root.id, "amount": 1 })),
            ("apiKeyRevoke", json!({ "apiKeyId": root.key.id })),
            ("apiKeyRevoke", json!({ "apiKeyId": "nonsense" })),
        ] {
            app.mutation(mutation, input, "__typename").send().await.failed("UNAUTHENTICATED");
        }
        let answer = app.request("{ viewer { kind } }").send().await.clean();
        assert_eq!(answer.at("/viewer/kind"), "ANONYMOUS");
        assert_eq!(app.contents().await, before);
    }

    async fn the_header_makes_a_descendant_the_acting_organization(app) {
        let root = app.root("Layers").create().await;
        let child = root.child("Acme").with_credits(10).create().await;
        let request = app.mutation("creditCharge", json!({ "amount": 4 }), "charge { organization { id } }");
        let answer = request.key(&root.key).header("Banyan-Organization", &child).send().await;
        assert_eq!(answer.done()["charge"]["organization"]["id"], json!(child.id));
        let audit = "{ auditEvents(filter: { action: \"creditCharge\" }) {
          nodes { actor actingOrganizationId organizationId } } }";
        let answer = app.gql(&root.key, audit, json!({})).await.clean();
        let expected = json!([{ "actor": root.key.id, "actingOrganizationId": child.id, "organizationId": child.id }]);
        assert_eq!(*answer.at("/auditEvents/nodes"), expected);
    }

    async fn the_operator_acts_for_anybody_by_the_header(app) {
        let root = app.root("Layers").create().await;
        let request = app.request("{ viewer { kind actingOrganization { id } } }").key(app.operator());
        let answer = request.header("Banyan-Organization", &root).send().await.clean();
        assert_eq!(*answer.at("/viewer"), json!({ "kind": "OPERATOR", "actingOrganization": { "id": root.id } }));
    }

    async fn the_operator_must_name_an_organization(app) {
        let answer = app.mutate(app.operator(), "creditCharge", json!({ "amount": 1 }), "__typename").await;
        answer.refused_at("INVALID_INPUT", "organizationId");
    }

    async fn a_key_of_the_root_does_not_make_roots(app) {
        let root = app.root("Quinn's").create().await;
        let answer = app
            .mutate(&root.key, "organizationCreate", json!({ "name": "Acme" }), "organization { parent { id } }")
            .await;
        assert_eq!(answer.done()["organization"]["parent"]["id"], json!(root.id));
    }

    async fn a_denied_attempt_leaves_an_entry_in_the_trail_of_whoever_tried(app) {
        let root = app.root("Quinn's").create().await;
        let stranger = app.root("Stranger").create().await;
        let input = json!({ "organizationId": root.id });
        app.mutate(&stranger.key, "organizationArchive", input, "__typename").await.refused("NOT_FOUND");
        let audit = "{ auditEvents(filter: { outcome: DENIED }) { nodes { action actor change } } }";
        let answer = app.gql(&stranger.key, audit, json!({})).await.clean();
        let expected =
            json!([{ "action": "organizationArchive", "actor": stranger.key.id, "change": { "code": "NOT_FOUND" } }]);
        assert_eq!(*answer.at("/auditEvents/nodes"), expected);
        let answer = app.gql(&root.key, audit, json!({})).await.clean();
        assert_eq!(*answer.at("/auditEvents/nodes"), json!([]));
    }

    async fn a_transfer_over_an_edge_does_not_show_the_wallet_behind_it(app) {
        let root = app.root("Yona").with_credits(10).create().await;
        let child = root.child("Acme").linked().with_credits(5).create().await;
        let input = json!({ "targetOrganizationId": child.id, "amount": 1 });
        let both = "transaction { amount entries { balanceAfter } } sourceWallet { balance } targetWallet { balance }";
        let answer = app.mutate(&root.key, "creditTransfer", input.clone(), both).await;
        assert_eq!(answer.done()["targetWallet"], json!({ "balance": 6 }));
        let narrow = json!({ "organizationId": child.id, "delegation": [] });
        app.mutate(&root.key, "organizationDelegationUpdate", narrow, "organization { id }").await.done();
        let answer = app.mutate(&root.key, "creditTransfer", input, both).await;
        let done = answer.done();
        assert_eq!((&done["sourceWallet"], &done["targetWallet"]), (&json!({ "balance": 8 }), &Value::Null));
        assert_eq!(done["transaction"], json!({ "amount": 1, "entries": [{ "balanceAfter": 8 }] }));
    }

    async fn a_key_without_org_read_is_told_where_it_is_and_no_more(app) {
        let root = app.root("Quinn's").create().await;
        root.child("Acme").create().await;
        let key = root.mint(&["credits:read"]).await;
        let own = "{ viewer { organization { id name effectiveStatus wallet { organization { name } } } } }";
        let answer = app.gql(&key, own, json!({})).await.clean();
        assert_eq!(answer.at("/viewer/organization/name"), "Quinn's");
        for field in [
            "email",
            "metadata",
            "children { totalCount }",
            "descendants { nodes { id } }",
            "funding { mode }",
            "suspensions { reason }",
            "wallet { organization { children { nodes { id } } } }",
        ] {
            let document = format!("{{ viewer {{ organization {{ {field} }} }} }}");
            app.gql(&key, &document, json!({})).await.failed("FORBIDDEN_SCOPE");
        }
    }
}
