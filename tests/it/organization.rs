//! The record and the tree (SPEC §2).

use serde_json::{Value, json};
use tests::{Answer, Organization, TestApp, both};

const RECORD: &str = "organization { name email website metadata version }";

async fn update(app: &TestApp, of: &Organization, input: Value) -> Answer {
    app.mutate(&of.key, "organizationUpdate", input, RECORD).await
}

both! {
    async fn a_new_root_is_an_enterprise_and_pays_both_ways(app) {
        let root = app.root("Quinn's").create().await;
        let record =
            root.read("tier billingMode timezone depth parent { id } relation delegation effectiveStatus").await;
        let expected = json!({ "tier": "ENTERPRISE", "billingMode": "HYBRID", "timezone": "UTC", "depth": 1,
            "parent": null, "relation": null, "delegation": [], "effectiveStatus": "ACTIVE" });
        assert_eq!(record, expected);
    }

    async fn a_new_child_is_owned_and_has_two_wallets(app) {
        let root = app.root("Quinn's").create().await;
        let child = root.child("Acme").create().await;
        let record = child
            .read("relation delegation depth live: wallet { balance } test: wallet(environment: TEST) { balance }")
            .await;
        let expected = json!({ "relation": "OWNED", "delegation": ["BILLING", "DATA_READ", "DATA_WRITE"], "depth": 2,
            "live": { "balance": 0 }, "test": { "balance": 1_000_000 } });
        assert_eq!(record, expected);
    }

    async fn a_parent_below_enterprise_has_no_children(app) {
        let root = app.root("Finora").create().await;
        for tier in ["FREE", "STANDARD"] {
            let child = root.child("Business").with("tier", tier).create().await;
            let before = app.contents().await;
            let input = json!({ "name": "Below", "parentId": child.id });
            let answer = app.mutate(&root.key, "organizationCreate", input, "__typename").await;
            answer.refused_at("ENTERPRISE_ONLY", "parentId");
            assert_eq!(app.contents().await, before);
        }
    }

    async fn nobody_raises_their_own_tier(app) {
        let root = app.root("Finora").create().await;
        let child = root.child("Business").with("tier", "FREE").create().await;
        update(&app, &child, json!({ "expectedVersion": 1, "tier": "ENTERPRISE" }))
            .await
            .refused_at("FORBIDDEN_SCOPE", "tier");
    }

    async fn the_tree_is_32_levels_deep_and_not_33(app) {
        let root = app.root("Level 1").create().await;
        let mut parent = root.id.clone();
        for level in 2..=32 {
            let input = json!({ "name": format!("Level {level}"), "parentId": parent });
            let answer = app.mutate(&root.key, "organizationCreate", input, "organization { id depth }").await;
            assert_eq!(answer.done()["organization"]["depth"], level);
            parent = answer.done()["organization"]["id"].as_str().unwrap_or_default().to_owned();
        }
        let before = app.contents().await;
        let input = json!({ "name": "Level 33", "parentId": parent });
        app.mutate(&root.key, "organizationCreate", input, "__typename").await.refused_at("DEPTH_EXCEEDED", "parentId");
        assert_eq!(app.contents().await, before);
    }

    /// async-graphql before 8.0.0-rc.5 took an omitted variable for null: this is why the release candidate is used.
    async fn an_omitted_variable_keeps_the_field(app) {
        let root = app
            .root("Quinn's")
            .with("email", "ops@quinns.example")
            .with("website", "https://quinns.example")
            .create()
            .await;
        let document = "mutation($name: String, $email: String, $website: String) {
          organizationUpdate(input: { expectedVersion: 1, name: $name, email: $email, website: $website }) {
            organization { name email website version } userErrors { code path } } }";
        let answer = app.gql(&root.key, document, json!({ "name": "Quinn's Coffee", "website": null })).await.clean();
        let expected =
            json!({ "name": "Quinn's Coffee", "email": "ops@quinns.example", "website": null, "version": 2 });
        assert_eq!(answer.at("/organizationUpdate/organization"), &expected);
    }

    async fn an_absent_field_stays_and_a_null_one_is_cleared(app) {
        let root = app
            .root("Quinn's")
            .with("email", "ops@quinns.example")
            .with("website", "https://quinns.example")
            .create()
            .await;
        let answer = update(&app, &root, json!({ "expectedVersion": 1, "website": null })).await;
        let expected =
            json!({ "name": "Quinn's", "email": "ops@quinns.example", "website": null, "metadata": {}, "version": 2 });
        assert_eq!(answer.done()["organization"], expected);
    }

    async fn what_must_be_there_cannot_be_cleared(app) {
        let root = app.root("Quinn's").create().await;
        for field in ["name", "timezone", "billingMode", "tier"] {
            update(&app, &root, json!({ "expectedVersion": 1, field: null })).await.refused_at("INVALID_INPUT", field);
        }
    }

    async fn absent_limits_stay_and_null_lifts_them(app) {
        let root = app.root("Quinn's").create().await;
        root.limit(json!({ "monthlyCreditCap": 10, "subtreeMonthlyCap": 20 })).await;
        root.limit(json!({ "monthlyCreditCap": null })).await;
        let limits = root.read("limits { monthlyCreditCap subtreeMonthlyCap }").await;
        assert_eq!(limits["limits"], json!({ "monthlyCreditCap": null, "subtreeMonthlyCap": 20 }));
    }

    async fn a_stale_version_is_refused_with_the_current_one(app) {
        let root = app.root("Quinn's").create().await;
        update(&app, &root, json!({ "expectedVersion": 1, "name": "First" })).await.done();
        let answer = update(&app, &root, json!({ "expectedVersion": 1, "name": "Second" })).await;
        let error = answer.refused("STALE_VERSION");
        assert_eq!((&error["expectedVersion"], &error["currentVersion"]), (&json!(1), &json!(2)));
    }

    async fn of_two_updates_at_once_of_one_version_one_wins(app) {
        let root = app.root("Quinn's").create().await;
        let (one, other) = tokio::join!(
            update(&app, &root, json!({ "expectedVersion": 1, "name": "One" })),
            update(&app, &root, json!({ "expectedVersion": 1, "name": "Other" }))
        );
        let refused = |answer: &Answer| answer.payload()["userErrors"].as_array().map_or(0, Vec::len);
        assert_eq!(refused(&one) + refused(&other), 1);
    }

    async fn a_currency_is_inherited_until_it_is_set(app) {
        let root = app.root("Crane").with("baseCurrency", "NGN").create().await;
        let child = root.child("Branch").create().await;
        let grandchild = child.child("Desk").create().await;
        assert_eq!(grandchild.read("baseCurrency").await["baseCurrency"], "NGN");
        update(&app, &child, json!({ "expectedVersion": 1, "baseCurrency": "GHS" })).await.done();
        assert_eq!(grandchild.read("baseCurrency").await["baseCurrency"], "GHS");
    }

    async fn pages_go_forth_and_back_without_loss(app) {
        let root = app.root("Quinn's").create().await;
        for name in ["C", "A", "E", "B", "D"] {
            root.child(&name.repeat(2)).create().await;
        }
        let document = "query($first: Int, $after: String, $last: Int, $before: String) { viewer { organization {
          children(first: $first, after: $after, last: $last, before: $before) {
            totalCount nodes { name } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } } }";
        let page = async |variables: Value| {
            let answer = app.gql(&root.key, document, variables).await.clean();
            let page = answer.at("/viewer/organization/children").clone();
            let names: Vec<String> = page["nodes"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|node| node["name"].as_str().unwrap_or_default().to_owned())
                .collect();
            (names.join(" "), page["pageInfo"].clone())
        };
        let (names, first) = page(json!({ "first": 2 })).await;
        assert_eq!(
            (names.as_str(), &first["hasNextPage"], &first["hasPreviousPage"]),
            ("AA BB", &json!(true), &json!(false))
        );
        let (names, second) = page(json!({ "first": 2, "after": first["endCursor"] })).await;
        assert_eq!(
            (names.as_str(), &second["hasNextPage"], &second["hasPreviousPage"]),
            ("CC DD", &json!(true), &json!(true))
        );
        let (names, third) = page(json!({ "first": 2, "after": second["endCursor"] })).await;
        assert_eq!((names.as_str(), &third["hasNextPage"]), ("EE", &json!(false)));
        let (names, _) = page(json!({ "last": 2, "before": second["endCursor"] })).await;
        assert_eq!(names, "BB CC");
    }

    async fn lists_are_filtered_and_ordered(app) {
        let root = app.root("Quinn's").create().await;
        root.child("Acme Coffee").with("metadata", json!({ "plan": "growth" })).with_credits(5).create().await;
        root.child("Beta").linked().with("externalId", "b-1").with_credits(9).create().await;
        let gone = root.child("Gone").create().await;
        gone.suspend(&root.key).await;
        let names = async |arguments: &str| {
            let document = format!(
                "{{ viewer {{ organization {{ children({arguments}) {{ totalCount nodes {{ name }} }} }} }} }}"
            );
            let answer = app.gql(&root.key, &document, json!({})).await.clean();
            let page = answer.at("/viewer/organization/children").clone();
            let names: Vec<String> = page["nodes"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|node| node["name"].as_str().unwrap_or_default().to_owned())
                .collect();
            assert_eq!(page["totalCount"], json!(names.len()), "{arguments}");
            names.join(", ")
        };
        assert_eq!(names("filter: { name: \"COFFEE\" }").await, "Acme Coffee");
        assert_eq!(names("filter: { name: \"%\" }").await, "");
        assert_eq!(names("filter: { relation: LINKED }").await, "Beta");
        assert_eq!(names("filter: { externalId: \"b-1\" }").await, "Beta");
        assert_eq!(names("filter: { metadataKey: \"plan\" }").await, "Acme Coffee");
        assert_eq!(names("filter: { status: SUSPENDED }").await, "Gone");
        assert_eq!(names("filter: { status: ACTIVE }").await, "Acme Coffee, Beta");
        assert_eq!(names("orderBy: { field: BALANCE, direction: DESC }").await, "Beta, Acme Coffee, Gone");
        assert_eq!(names("orderBy: { field: CREATED_AT, direction: DESC }").await, "Gone, Beta, Acme Coffee");
    }

    async fn the_organization_that_pays_is_told(app) {
        let root = app.root("Crane").create().await;
        let child = root.child("Branch").create().await;
        assert_eq!(child.read("billingOrganization { id }").await["billingOrganization"]["id"], json!(child.id));
        child.fund(json!({ "mode": "POOLED" })).await;
        assert_eq!(child.read("billingOrganization { id }").await["billingOrganization"]["id"], json!(root.id));
    }

    async fn data_is_shared_with_a_parent_over_an_owned_edge_and_not_over_a_linked_one(app) {
        let root = app.root("Crane").create().await;
        let owned = root.child("Branch").create().await;
        let linked = root.child("Franchise").linked().create().await;
        for (organization, shared) in [(&owned, true), (&linked, false)] {
            let selection = format!("canShareDataWith(organizationId: \"{}\")", root.id);
            assert_eq!(organization.read(&selection).await["canShareDataWith"], json!(shared));
        }
    }

    async fn descendants_stop_at_the_depth_asked_for(app) {
        let root = app.root("Top").create().await;
        let child = root.child("BB").create().await;
        child.child("CC").create().await;
        let read =
            root.read("one: descendants(maxDepth: 1) { nodes { name } } all: descendants { nodes { name } }").await;
        assert_eq!(read["one"]["nodes"], json!([{ "name": "BB" }]));
        assert_eq!(read["all"]["nodes"], json!([{ "name": "BB" }, { "name": "CC" }]));
    }
}
