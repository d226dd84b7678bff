//! Suspend, resume, archive, and the plans of them (SPEC §6).

use serde_json::{Value, json};
use tests::{Answer, Key, Organization, TestApp, both};

async fn act(app: &TestApp, by: &Key, field: &str, on: &Organization) -> Answer {
    app.mutate(by, field, json!({ "organizationId": on.id }), "organization { id effectiveStatus }").await
}

async fn archive(app: &TestApp, by: &Key, on: &Organization, more: Value) -> Answer {
    let mut input = more;
    input["organizationId"] = json!(on.id);
    app.mutate(by, "organizationArchive", input, ARCHIVED).await
}

const ARCHIVED: &str = "organization { status archivedAt } reclaimedCredits revokedApiKeys pendingReclaim";

async fn admitted(app: &TestApp, key: &Key) -> Answer {
    app.gql(key, "{ viewer { id } }", json!({})).await
}

async fn plan(app: &TestApp, by: &Key, field: &str, on: &Organization) -> Value {
    let document = format!(
        "query($id: ID!) {{ {field}(organizationId: $id) {{ planHash descendants apiKeys openHolds heldCredits
           reclaimableCredits refusals {{ code path }} }} }}"
    );
    let answer = app.gql(by, &document, json!({ "id": on.id })).await.clean();
    answer.payload().clone()
}

both! {
    async fn a_suspension_refuses_the_organizations_own_keys_and_its_descendants(app) {
        let root = app.root("Top").create().await;
        let middle = root.child("Mid").create().await;
        let leaf = middle.child("Low").create().await;
        act(&app, &root.key, "organizationSuspend", &middle).await.done();
        for key in [&middle.key, &leaf.key] {
            let answer = admitted(&app, key).await;
            answer.failed("ORGANIZATION_SUSPENDED");
            assert_eq!(answer.status, 403);
        }
        admitted(&app, &root.key).await.clean();
    }

    /// SPEC §6: O(1) rows, whatever hangs below.
    async fn a_suspension_writes_one_row(app) {
        let root = app.root("Top").create().await;
        let middle = root.child("Mid").create().await;
        for name in ["C1", "C2", "C3"] {
            middle.child(name).create().await;
        }
        act(&app, &root.key, "organizationSuspend", &middle).await.done();
        assert_eq!(app.number("SELECT COUNT(*) FROM suspension").await, 1);
    }

    /// Edge case 27.
    async fn resuming_the_ancestor_leaves_the_descendants_own_suspension(app) {
        let root = app.root("Top").create().await;
        let middle = root.child("Mid").create().await;
        let leaf = middle.child("Low").create().await;
        act(&app, &root.key, "organizationSuspend", &leaf).await.done();
        act(&app, &root.key, "organizationSuspend", &middle).await.done();
        act(&app, &root.key, "organizationResume", &middle).await.done();
        admitted(&app, &middle.key).await.clean();
        admitted(&app, &leaf.key).await.failed("ORGANIZATION_SUSPENDED");
        act(&app, &root.key, "organizationResume", &leaf).await.done();
        admitted(&app, &leaf.key).await.clean();
    }

    async fn resuming_lifts_only_what_the_callers_organization_placed(app) {
        let root = app.root("Top").create().await;
        let middle = root.child("Mid").create().await;
        let leaf = middle.child("Low").create().await;
        act(&app, &root.key, "organizationSuspend", &leaf).await.done();
        let answer = act(&app, &middle.key, "organizationResume", &leaf).await;
        assert_eq!(answer.done()["organization"]["effectiveStatus"], "SUSPENDED");
        let answer = act(&app, &root.key, "organizationResume", &leaf).await;
        assert_eq!(answer.done()["organization"]["effectiveStatus"], "ACTIVE");
    }

    async fn the_operators_suspension_outranks_every_other(app) {
        let root = app.root("Top").create().await;
        let leaf = root.child("Mid").create().await;
        act(&app, &root.key, "organizationSuspend", &leaf).await.done();
        act(&app, app.operator(), "organizationSuspend", &leaf).await.done();
        let answer = act(&app, &root.key, "organizationResume", &leaf).await;
        assert_eq!(answer.done()["organization"]["effectiveStatus"], "SUSPENDED");
        let suspensions = leaf.read("suspensions { placedBy placedByOrganizationId }").await;
        assert_eq!(suspensions["suspensions"], json!([{ "placedBy": "operator", "placedByOrganizationId": null }]));
        let answer = act(&app, app.operator(), "organizationResume", &leaf).await;
        assert_eq!(answer.done()["organization"]["effectiveStatus"], "ACTIVE");
    }

    async fn suspending_twice_and_resuming_twice_tell_nobody_twice(app) {
        let root = app.root("Top").create().await;
        let leaf = root.child("Mid").create().await;
        for field in ["organizationSuspend", "organizationSuspend", "organizationResume", "organizationResume"] {
            act(&app, &root.key, field, &leaf).await.done();
        }
        for event in ["organization.suspended", "organization.resumed"] {
            assert_eq!(
                app.number(&format!("SELECT COUNT(*) FROM event WHERE event_type = '{event}'")).await,
                1,
                "{event}"
            );
        }
    }

    async fn nobody_suspends_or_archives_themselves(app) {
        let root = app.root("Top").create().await;
        act(&app, &root.key, "organizationSuspend", &root).await.refused("FORBIDDEN_SCOPE");
        archive(&app, &root.key, &root, json!({})).await.refused("FORBIDDEN_SCOPE");
    }

    async fn ancestors_keep_control_of_a_suspended_organization(app) {
        let root = app.root("Top").with_credits(10).create().await;
        let leaf = root.child("Mid").create().await;
        act(&app, &root.key, "organizationSuspend", &leaf).await.done();
        let input = json!({ "targetOrganizationId": leaf.id, "amount": 10 });
        app.mutate(&root.key, "creditTransfer", input, "transaction { id }").await.done();
        let input = json!({ "organizationId": leaf.id, "name": "x", "scopes": ["org:read"] });
        app.mutate(&root.key, "apiKeyCreate", input, "apiKey { id }").await.done();
    }

    async fn archiving_revokes_keys_and_sends_credits_home(app) {
        let root = app.root("Top").create().await;
        let leaf = root.child("Mid").with_credits(70).create().await;
        leaf.mint(&["org:read"]).await;
        let answer = archive(&app, &root.key, &leaf, json!({})).await;
        let done = answer.done();
        assert_eq!((&done["reclaimedCredits"], &done["revokedApiKeys"]), (&json!(70), &json!(2)));
        assert_eq!((&done["pendingReclaim"], &done["organization"]["status"]), (&json!(0), &json!("ARCHIVED")));
        assert_eq!(root.balance().await, 70);
        admitted(&app, &leaf.key).await.failed("UNAUTHENTICATED");
    }

    /// Edge case 30.
    async fn what_open_holds_return_goes_home_after_the_archive(app) {
        let root = app.root("Top").create().await;
        let leaf = root.child("Mid").with_credits(100).create().await;
        let held = app.mutate(&leaf.key, "creditHold", json!({ "amount": 30 }), "hold { id }").await;
        let answer = archive(&app, &root.key, &leaf, json!({})).await;
        assert_eq!((&answer.done()["reclaimedCredits"], &answer.done()["pendingReclaim"]), (&json!(70), &json!(30)));
        let input = json!({ "holdId": held.done()["hold"]["id"], "amount": 10 });
        app.mutate(&root.key, "creditCapture", input, "hold { captured }").await.done();
        assert_eq!((root.balance().await, leaf.balance().await), (90, 0));
    }

    async fn a_hold_of_an_archived_organization_expires_home(app) {
        let root = app.root("Top").create().await;
        let leaf = root.child("Mid").with_credits(100).create().await;
        app.mutate(&leaf.key, "creditHold", json!({ "amount": 30 }), "hold { id }").await.done();
        archive(&app, &root.key, &leaf, json!({})).await.done();
        app.advance(900);
        app.run_workers_until_idle().await;
        assert_eq!((root.balance().await, leaf.balance().await), (100, 0));
    }

    async fn active_children_stand_in_the_way_of_archiving(app) {
        let root = app.root("Top").create().await;
        let middle = root.child("Mid").create().await;
        middle.child("Low").create().await;
        let before = app.contents().await;
        archive(&app, &root.key, &middle, json!({})).await.refused_at("HAS_ACTIVE_CHILDREN", "cascade");
        assert_eq!(app.contents().await, before);
    }

    async fn a_cascade_archives_everything_below(app) {
        let root = app.root("Top").create().await;
        let middle = root.child("Mid").with_credits(5).create().await;
        let leaf = middle.child("Low").with_credits(6).create().await;
        let answer = archive(&app, &root.key, &middle, json!({ "cascade": true })).await;
        assert_eq!((&answer.done()["reclaimedCredits"], &answer.done()["revokedApiKeys"]), (&json!(11), &json!(2)));
        assert_eq!(leaf.read("status").await["status"], "ARCHIVED");
        assert_eq!(root.balance().await, 11);
    }

    async fn archiving_the_archived_is_a_conflict(app) {
        let root = app.root("Top").create().await;
        let leaf = root.child("Mid").create().await;
        archive(&app, &root.key, &leaf, json!({})).await.done();
        archive(&app, &root.key, &leaf, json!({})).await.refused("CONFLICT");
        for field in ["organizationSuspend", "organizationResume"] {
            act(&app, &root.key, field, &leaf).await.refused("CONFLICT");
        }
    }

    async fn an_archived_organization_is_changed_in_no_way(app) {
        let root = app.root("Top").create().await;
        let leaf = root.child("Mid").create().await;
        archive(&app, &root.key, &leaf, json!({})).await.done();
        let before = app.contents().await;
        for (field, input, code) in [
            ("organizationUpdate", json!({ "expectedVersion": 2, "name": "New" }), "CONFLICT"),
            ("organizationLimitsUpdate", json!({ "monthlyCreditCap": 1 }), "CONFLICT"),
            ("organizationFundingUpdate", json!({ "mode": "POOLED" }), "CONFLICT"),
            ("organizationRelationUpdate", json!({ "relation": "LINKED" }), "CONFLICT"),
            ("organizationDelegationUpdate", json!({ "delegation": [] }), "CONFLICT"),
            ("apiKeyCreate", json!({ "name": "x", "scopes": ["org:read"] }), "CONFLICT"),
            ("creditCharge", json!({ "amount": 1 }), "ORGANIZATION_ARCHIVED"),
        ] {
            let mut input = input;
            input["organizationId"] = json!(leaf.id);
            app.mutate(&root.key, field, input, "__typename").await.refused(code);
        }
        let input = json!({ "parentId": leaf.id, "name": "Orphan" });
        app.mutate(&root.key, "organizationCreate", input, "__typename").await.refused("ORGANIZATION_ARCHIVED");
        assert_eq!(app.contents().await, before);
    }

    /// Edge case 32.
    async fn an_external_id_is_free_again_after_the_archive(app) {
        let root = app.root("Top").create().await;
        let leaf = root.child("Mid").with("externalId", "b-1").create().await;
        archive(&app, &root.key, &leaf, json!({})).await.done();
        let again = root.child("Mid again").with("externalId", "b-1").create().await;
        let found = app.gql(&root.key, "{ organization(by: { externalId: \"b-1\" }) { id } }", json!({})).await.clean();
        assert_eq!(*found.at("/organization/id"), json!(again.id));
    }

    async fn a_plan_says_what_archiving_would_do_and_then_it_does_that(app) {
        let root = app.root("Top").create().await;
        let leaf = root.child("Mid").with_credits(100).create().await;
        app.mutate(&leaf.key, "creditHold", json!({ "amount": 30 }), "hold { id }").await.done();
        let plan = plan(&app, &root.key, "organizationArchivePlan", &leaf).await;
        assert_eq!((&plan["apiKeys"], &plan["reclaimableCredits"]), (&json!(1), &json!(70)));
        assert_eq!((&plan["openHolds"], &plan["heldCredits"], &plan["refusals"]), (&json!(1), &json!(30), &json!([])));
        let answer = archive(&app, &root.key, &leaf, json!({ "planHash": plan["planHash"] })).await;
        assert_eq!(answer.done()["reclaimedCredits"], 70);
    }

    async fn a_plan_names_the_refusal_that_is_to_come(app) {
        let root = app.root("Top").create().await;
        let middle = root.child("Mid").create().await;
        middle.child("Low").create().await;
        let plan = plan(&app, &root.key, "organizationArchivePlan", &middle).await;
        assert_eq!(plan["refusals"], json!([{ "code": "HAS_ACTIVE_CHILDREN", "path": ["input", "cascade"] }]));
    }

    async fn a_plan_is_stale_once_the_world_has_changed(app) {
        let root = app.root("Top").create().await;
        let leaf = root.child("Mid").with_credits(100).create().await;
        for (planned, field) in
            [("organizationSuspendPlan", "organizationSuspend"), ("organizationArchivePlan", "organizationArchive")]
        {
            let plan = plan(&app, &root.key, planned, &leaf).await;
            app.mutate(&leaf.key, "creditCharge", json!({ "amount": 1 }), "charge { id }").await.done();
            let input = json!({ "organizationId": leaf.id, "planHash": plan["planHash"] });
            let answer = app.mutate(&root.key, field, input, "organization { id }").await;
            answer.refused_at("PLAN_STALE", "planHash");
        }
    }

    async fn a_plan_of_one_act_does_not_serve_another(app) {
        let root = app.root("Top").create().await;
        let leaf = root.child("Mid").create().await;
        let plan = plan(&app, &root.key, "organizationSuspendPlan", &leaf).await;
        archive(&app, &root.key, &leaf, json!({ "planHash": plan["planHash"] }))
            .await
            .refused_at("PLAN_STALE", "planHash");
    }
}
