//! What is malformed is refused with a code and the place, and changes nothing.

use serde_json::{Value, json};
use tests::{Organization, TestApp, both};

/// Sends each bad value in the field of an otherwise good input and insists on the answer.
async fn refuse(app: &TestApp, by: &Organization, mutation: &str, good: Value, field: &str, bad: &[Value], code: &str) {
    let before = app.contents().await;
    for value in bad {
        let mut input = good.clone();
        input[field] = value.clone();
        let answer = app.mutate(&by.key, mutation, input, "__typename").await;
        assert!(answer.errors().is_empty(), "{mutation} {field} {value}: {:#}", answer.body);
        answer.refused_at(code, field);
    }
    assert_eq!(app.contents().await, before, "{mutation} {field}");
}

/// Sends each value that the type of the field does not hold: the document's variables are refused as a whole.
async fn reject(app: &TestApp, by: &Organization, mutation: &str, good: Value, field: &str, bad: &[Value]) {
    let before = app.contents().await;
    for value in bad {
        let mut input = good.clone();
        input[field] = value.clone();
        let answer = app.mutate(&by.key, mutation, input, "__typename").await;
        assert!(!answer.errors().is_empty(), "{mutation} {field} {value}: {:#}", answer.body);
        // Which of the two depends on who finds out: the validation of variables, or the scalar itself.
        let code = answer.code();
        assert!(["INVALID_INPUT", "BAD_REQUEST"].contains(&code), "{value}: {:#}", answer.body);
        assert!(answer.body["errors"][0]["extensions"]["requestId"].is_string(), "{:#}", answer.body);
    }
    assert_eq!(app.contents().await, before, "{mutation} {field}");
}

/// Ids that are none, and ids of something else.
fn bad_ids() -> Vec<Value> {
    [
        "",
        "1",
        "org_",
        "org_01h455vb4pex5vsknk084sn02",
        "org_81h455vb4pex5vsknk084sn02q",
        "ORG_01h455vb4pex5vsknk084sn02q",
    ]
    .into_iter()
    .chain(["usr_01h455vb4pex5vsknk084sn02q", "org_01H455VB4PEX5VSKNK084SN02Q", "org_01h455vb4pex5vsknk084sn02q "])
    .map(Value::from)
    .collect()
}

both! {
    async fn ids_of_inputs_are_checked(app) {
        let root = app.root("Quinn's").with_credits(10).create().await;
        for (mutation, good, field) in [
            ("organizationCreate", json!({ "name": "Acme" }), "parentId"),
            ("organizationUpdate", json!({ "expectedVersion": 1 }), "organizationId"),
            ("organizationSuspend", json!({}), "organizationId"),
            ("organizationArchive", json!({}), "organizationId"),
            ("apiKeyCreate", json!({ "name": "x", "scopes": ["org:read"] }), "organizationId"),
            ("apiKeyRevoke", json!({}), "apiKeyId"),
            ("apiKeyRotate", json!({}), "apiKeyId"),
            ("creditCharge", json!({ "amount": 1 }), "organizationId"),
            ("creditTransfer", json!({ "amount": 1 }), "targetOrganizationId"),
            ("creditCapture", json!({}), "holdId"),
        ] {
            refuse(&app, &root, mutation, good, field, &bad_ids(), "INVALID_INPUT").await;
        }
    }

    async fn ids_of_queries_are_checked(app) {
        let root = app.root("Quinn's").create().await;
        for id in ["", "1", "org_", "nonsense"] {
            for document in [
                "query($id: ID!) { node(id: $id) { id } }",
                "query($id: ID!) { nodes(ids: [$id]) { id } }",
                "query($id: ID!) { organization(by: { id: $id }) { id } }",
                "query($id: ID) { apiKeys(organizationId: $id) { nodes { id } } }",
            ] {
                app.gql(&root.key, document, json!({ "id": id })).await.failed("INVALID_INPUT");
            }
        }
    }

    async fn amounts_are_more_than_zero(app) {
        let root = app.root("Quinn's").with_credits(10).create().await;
        let child = root.child("Acme").create().await;
        let bad = [json!(0), json!(-1), json!(-9_007_199_254_740_991_i64)];
        let transfer = json!({ "targetOrganizationId": child.id });
        refuse(&app, &root, "creditCharge", json!({}), "amount", &bad, "INVALID_INPUT").await;
        refuse(&app, &root, "creditHold", json!({}), "amount", &bad, "INVALID_INPUT").await;
        refuse(&app, &root, "creditTransfer", transfer, "amount", &bad, "INVALID_INPUT").await;
        let meter = json!({ "key": "scan" });
        refuse(&app, &root, "meterSet", meter, "credits", &bad, "INVALID_INPUT").await;
    }

    async fn amounts_are_whole_numbers_within_2_to_the_53rd(app) {
        let root = app.root("Quinn's").with_credits(10).create().await;
        let bad = [json!(9_007_199_254_740_992_i64), json!(1.5), json!("5"), json!(true), json!([1]), json!(1e300)];
        reject(&app, &root, "creditCharge", json!({}), "amount", &bad).await;
        reject(&app, &root, "organizationLimitsUpdate", json!({}), "monthlyCreditCap", &bad).await;
    }

    async fn limits_and_reserves_are_not_negative(app) {
        let root = app.root("Quinn's").create().await;
        for field in ["monthlyCreditCap", "subtreeMonthlyCap", "refillMonthlyCeiling"] {
            refuse(&app, &root, "organizationLimitsUpdate", json!({}), field, &[json!(-1)], "INVALID_INPUT").await;
        }
        refuse(&app, &root, "organizationFundingUpdate", json!({}), "minimumReserve", &[json!(-1)], "INVALID_INPUT")
            .await;
        let good = json!({ "refillThreshold": 0 });
        refuse(&app, &root, "organizationLimitsUpdate", good, "refillAmount", &[json!(0), json!(-1)], "INVALID_INPUT")
            .await;
    }

    async fn an_amount_and_a_meter_exclude_each_other(app) {
        let root = app.root("Quinn's").with_credits(10).create().await;
        let both = json!({ "amount": 1, "meter": "scan" });
        app.mutate(&root.key, "creditCharge", both, "__typename").await.refused_at("INVALID_INPUT", "amount");
        app.mutate(&root.key, "creditCharge", json!({}), "__typename").await.refused_at("INVALID_INPUT", "amount");
        let quantity = json!({ "amount": 1, "quantity": 2 });
        app.mutate(&root.key, "creditCharge", quantity, "__typename").await.refused_at("INVALID_INPUT", "quantity");
    }

    async fn a_quantity_is_more_than_zero(app) {
        let root = app.root("Quinn's").with_credits(10).create().await;
        app.mutate(&root.key, "meterSet", json!({ "key": "scan", "credits": 1 }), "__typename").await.done();
        let bad = [json!(0), json!(-1)];
        refuse(&app, &root, "creditCharge", json!({ "meter": "scan" }), "quantity", &bad, "INVALID_INPUT").await;
    }

    async fn names_have_2_to_255_characters(app) {
        let root = app.root("Quinn's").create().await;
        let bad = [json!(""), json!("A"), json!("   "), json!("x".repeat(256)), json!("a\u{0}b")];
        refuse(&app, &root, "organizationCreate", json!({}), "name", &bad, "INVALID_INPUT").await;
        refuse(&app, &root, "organizationUpdate", json!({ "expectedVersion": 1 }), "name", &bad, "INVALID_INPUT").await;
        for good in ["AB".to_owned(), "é".repeat(255)] {
            app.mutate(&root.key, "organizationCreate", json!({ "name": good }), "__typename").await.done();
        }
    }

    async fn the_fields_of_a_record_have_their_forms(app) {
        let root = app.root("Quinn's").create().await;
        for (field, bad) in [
            ("email", vec!["ops", "ops@", "@acme.ng", "ops@acme", "a b@acme.ng"]),
            ("billingEmail", vec!["ops@acme"]),
            ("taxNumber", vec!["12345678", "12345678-000", "1234567a-0001", "12345678-00012"]),
            ("phoneNumber", vec!["2348012345678", "+0348012345678", "+234 801 234 5678", "+1"]),
            ("website", vec!["acme.ng", "ftp://acme.ng", "javascript:alert(1)", "https://"]),
            ("country", vec!["ng", "NGA", "ZZ", ""]),
            ("industry", vec![""]),
            ("baseCurrency", vec!["ngn", "NAIRA", ""]),
            ("timezone", vec!["Mars/Olympus", "", "../etc/passwd"]),
            ("externalId", vec![""]),
        ] {
            let bad: Vec<Value> = bad.into_iter().map(Value::from).collect();
            refuse(&app, &root, "organizationCreate", json!({ "name": "Acme" }), field, &bad, "INVALID_INPUT").await;
            let good = json!({ "expectedVersion": 1 });
            refuse(&app, &root, "organizationUpdate", good, field, &bad, "INVALID_INPUT").await;
        }
    }

    async fn metadata_has_its_bounds(app) {
        let root = app.root("Quinn's").with_credits(10).create().await;
        let keys = |count: usize| -> Value { (0..count).map(|n| (format!("k{n}"), json!("v"))).collect() };
        let bad = [
            keys(51),
            json!({ "k".repeat(41): "v" }),
            json!({ "": "v" }),
            json!({ "k": "v".repeat(501) }),
            json!({ "k": 1 }),
            json!({ "k": null }),
            json!({ "k": {} }),
            json!([]),
            json!("text"),
        ];
        refuse(&app, &root, "organizationCreate", json!({ "name": "Acme" }), "metadata", &bad, "INVALID_INPUT").await;
        refuse(&app, &root, "creditCharge", json!({ "amount": 1 }), "metadata", &bad, "INVALID_INPUT").await;
        let good = json!({ "name": "Acme", "metadata": keys(50) });
        app.mutate(&root.key, "organizationCreate", good, "__typename").await.done();
    }

    async fn an_external_id_is_unique_among_siblings(app) {
        let root = app.root("Quinn's").create().await;
        let child = root.child("Acme").with("externalId", "a-1").create().await;
        let taken = [json!("a-1")];
        let good = json!({ "name": "Other", "parentId": root.id });
        refuse(&app, &root, "organizationCreate", good, "externalId", &taken, "CONFLICT").await;
        // Its cousins are nobody's business.
        child.child("Nephew").with("externalId", "a-1").create().await;
        let other = root.child("Other").create().await;
        let good = json!({ "organizationId": other.id, "expectedVersion": 1 });
        refuse(&app, &root, "organizationUpdate", good, "externalId", &taken, "CONFLICT").await;
    }

    async fn descriptions_and_reasons_have_at_most_500_characters(app) {
        let root = app.root("Quinn's").with_credits(10).create().await;
        let child = root.child("Acme").create().await;
        let bad = [json!("x".repeat(501))];
        refuse(&app, &root, "creditCharge", json!({ "amount": 1 }), "description", &bad, "INVALID_INPUT").await;
        let good = json!({ "organizationId": child.id });
        refuse(&app, &root, "organizationSuspend", good.clone(), "reason", &bad, "INVALID_INPUT").await;
        refuse(&app, &root, "organizationArchive", good, "reason", &bad, "INVALID_INPUT").await;
    }

    async fn instants_are_rfc_3339(app) {
        let root = app.root("Quinn's").create().await;
        let bad = [json!("2026-06-31T00:00:00Z"), json!("tomorrow"), json!("2026-07-01"), json!(1_780_000_000)];
        reject(&app, &root, "apiKeyCreate", json!({ "name": "x", "scopes": ["org:read"] }), "expiresAt", &bad).await;
    }

    async fn values_of_no_enum_are_refused(app) {
        let root = app.root("Quinn's").create().await;
        reject(&app, &root, "organizationCreate", json!({ "name": "Acme" }), "relation", &[json!("owned"), json!(1)])
            .await;
    }

    async fn cursors_are_ours(app) {
        let root = app.root("Quinn's").create().await;
        for cursor in ["", "1", "bm9uc2Vuc2U", "%%%", "eyJhIjoxfQ"] {
            for document in [
                "query($c: String) { organizations(after: $c) { nodes { id } } }",
                "query($c: String) { viewer { organization { children(before: $c) { nodes { id } } } } }",
                "query($c: String) { apiKeys(after: $c) { nodes { id } } }",
                "query($c: String) { auditEvents(after: $c) { nodes { id } } }",
            ] {
                app.gql(&root.key, document, json!({ "c": cursor })).await.failed("BAD_REQUEST");
            }
        }
    }

    async fn a_page_has_at_most_a_hundred(app) {
        let root = app.root("Quinn's").create().await;
        for page in ["first: 101", "first: -1", "last: 101", "first: 1, last: 1"] {
            let answer =
                app.gql(&root.key, &format!("{{ organizations({page}) {{ nodes {{ id }} }} }}"), json!({})).await;
            answer.failed("BAD_REQUEST");
        }
    }

    async fn bodies_are_json_objects_with_a_query(app) {
        let root = app.root("Quinn's").create().await;
        for body in [
            "",
            "{",
            "null",
            "[]",
            "[{\"query\":\"{viewer{id}}\"}]",
            "{}",
            "{\"query\":1}",
            "{\"query\":null}",
            "{\"query\":\"{viewer{id}}\",\"variables\":[]}",
            "{\"query\":\"{viewer{id}}\",\"operationName\":1}",
        ] {
            let answer = app.request("").raw(body).key(&root.key).send().await;
            answer.failed("BAD_REQUEST");
            assert_eq!(answer.status, 400, "{body}");
        }
    }

    async fn documents_that_are_no_graphql_are_bad_requests(app) {
        let root = app.root("Quinn's").create().await;
        for document in ["{", "{ nothing }", "query { viewer { id }", "{ viewer }", "mutation { viewer { id } }"] {
            app.gql(&root.key, document, json!({})).await.failed("BAD_REQUEST");
        }
    }

    async fn the_organization_header_names_one_organization_that_is_seen(app) {
        let root = app.root("Quinn's").create().await;
        let child = root.child("Acme").create().await;
        let stranger = app.root("Stranger").create().await;
        let weak = root.mint(&["org:read"]).await;
        let unknown = "org_01h455vb4pex5vsknk084sn02q";
        let ask = || app.request("{ viewer { actingOrganization { id } } }");
        for (key, value, code) in [
            (&root.key, "nonsense", "BAD_REQUEST"),
            (&root.key, root.key.id.as_str(), "BAD_REQUEST"),
            (&root.key, stranger.id.as_str(), "NOT_FOUND"),
            (&root.key, unknown, "NOT_FOUND"),
            (&child.key, root.id.as_str(), "NOT_FOUND"),
            (&weak, child.id.as_str(), "FORBIDDEN_SCOPE"),
            (&weak, root.id.as_str(), "FORBIDDEN_SCOPE"),
        ] {
            ask().key(key).header("Banyan-Organization", value).send().await.failed(code);
        }
        ask().header("Banyan-Organization", &child).send().await.failed("UNAUTHENTICATED");
        let twice = ask().key(&root.key).header("Banyan-Organization", &child).header("Banyan-Organization", &root);
        twice.send().await.failed("BAD_REQUEST");
    }

    async fn the_idempotency_header_is_short_and_visible(app) {
        let root = app.root("Quinn's").create().await;
        let before = app.contents().await;
        let long = "x".repeat(256);
        for value in ["", "a b", long.as_str()] {
            let request = app.mutation("organizationCreate", json!({ "name": "Acme" }), "__typename");
            request.key(&root.key).header("Idempotency-Key", value).send().await.failed("BAD_REQUEST");
        }
        let request = app.mutation("organizationCreate", json!({ "name": "Acme" }), "__typename").key(&root.key);
        request.header("Idempotency-Key", "a").header("Idempotency-Key", "b").send().await.failed("BAD_REQUEST");
        assert_eq!(app.contents().await, before);
    }
}
