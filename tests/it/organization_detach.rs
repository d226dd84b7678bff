//! Making an organization a root of its own in the same realm (SPEC §2, Finora's deprovision).

use serde_json::{Value, json};
use tests::{Answer, Key, Organization, TestApp, both};

use crate::organization_move::move_to;

const DETACHED: &str = "organizationId organization { id parent { id } tier depth version }";

async fn detach(app: &TestApp, by: &Key, what: &Organization) -> Answer {
    app.mutate(by, "organizationDetach", json!({ "organizationId": what.id }), DETACHED).await
}

async fn plan(app: &TestApp, by: &Key, what: &str) -> Value {
    let document = "query($what: ID!) { organizationDetachPlan(organizationId: $what) {
        organization { id } parent { id } descendants ancestorsLost { id } delegation tier payer { id } effectiveStatus
        openHolds heldCredits refusals { code path } planHash } }";
    app.gql(by, document, json!({ "what": what })).await.clean().payload().clone()
}

/// Everything in the answer but the id that was asked for and the request's own.
fn anonymous(answer: &Answer, id: &str) -> String {
    let mut body = answer.body.clone();
    for error in body["errors"].as_array_mut().into_iter().flatten() {
        error["extensions"]["requestId"] = Value::Null;
    }
    format!("{} {body}", answer.status).replace(id, "…")
}

both! {
    async fn an_ancestor_lets_go_of_a_subtree_and_sees_it_no_more(app) {
        let root = app.root("Finora").create().await;
        let business = root.child("Business").linked().create().await;
        let branch = business.child("Branch").with_credits(20).create().await;
        let answer = detach(&app, &root.key, &business).await;
        let done = answer.done();
        assert_eq!((&done["organizationId"], &done["organization"]), (&json!(business.id), &Value::Null));
        let read = business.read("parent { id } tier depth relation root { id }").await;
        let expected = json!({ "parent": null, "tier": "FREE", "depth": 1, "relation": null, "root": { "id": business.id } });
        assert_eq!(read, expected);
        // Keys, members and data stay, and its own subtree is its own.
        let own = "query($id: ID!) { organization(by: { id: $id }) { name wallet { balance } } }";
        let answer = app.gql(&business.key, own, json!({ "id": branch.id })).await.clean();
        assert_eq!(answer.at("/organization/wallet/balance"), &json!(20));
        app.gql(&branch.key, "{ viewer { id } }", json!({})).await.clean();
        // FREE gets no more children.
        let input = json!({ "name": "Another" });
        app.mutate(&business.key, "organizationCreate", input, "__typename").await.refused("ENTERPRISE_ONLY");
    }

    /// Edge case 44, at once: what was one's own a moment ago answers as an unknown id does.
    async fn an_old_ancestors_key_is_refused_at_once_as_for_an_unknown_id(app) {
        let root = app.root("Finora").create().await;
        let middle = root.child("Middle").create().await;
        let business = middle.child("Business").with_credits(50).create().await;
        let branch = business.child("Branch").create().await;
        let held = app.mutate(&business.key, "creditHold", json!({ "amount": 5 }), "hold { id }").await;
        let hold = held.done()["hold"]["id"].as_str().unwrap_or_default().to_owned();
        detach(&app, &root.key, &business).await.done();
        let unknown = "org_01h455vb4pex5vsknk084sn02q";
        for key in [&root.key, &middle.key] {
            for foreign in [&business, &branch] {
                for (mutation, input) in [
                    ("organizationUpdate", json!({ "expectedVersion": 1, "name": "New" })),
                    ("organizationSuspend", json!({})),
                    ("organizationDetach", json!({})),
                    ("organizationMove", json!({ "parentId": root.id })),
                    ("apiKeyCreate", json!({ "name": "x", "scopes": ["org:read"] })),
                    ("creditCharge", json!({ "amount": 1 })),
                ] {
                    let send = |id: &str| {
                        let mut input = input.clone();
                        input["organizationId"] = json!(id);
                        app.mutate(key, mutation, input, "__typename")
                    };
                    let (theirs, nobodys) = (send(&foreign.id).await, send(unknown).await);
                    theirs.refused("NOT_FOUND");
                    assert_eq!(anonymous(&theirs, &foreign.id), anonymous(&nobodys, unknown), "{mutation}");
                }
                for document in [
                    "query($id: ID!) { organization(by: { id: $id }) { id } }",
                    "query($id: ID!) { node(id: $id) { id } }",
                    "query($id: ID!) { organizationDetachPlan(organizationId: $id) { planHash } }",
                    "query($id: ID) { auditEvents(organizationId: $id) { totalCount } }",
                ] {
                    let theirs = app.gql(key, document, json!({ "id": foreign.id })).await;
                    let nobodys = app.gql(key, document, json!({ "id": unknown })).await;
                    assert_eq!(anonymous(&theirs, &foreign.id), anonymous(&nobodys, unknown), "{document}");
                }
                let request = app.request("{ viewer { id } }").key(key).header("Banyan-Organization", foreign);
                request.send().await.failed("NOT_FOUND");
            }
            app.mutate(key, "creditVoid", json!({ "holdId": hold }), "__typename").await.refused("NOT_FOUND");
        }
        let list = app.gql(&root.key, "{ organizations { totalCount } }", json!({})).await.clean();
        assert_eq!(list.at("/organizations/totalCount"), 2);
    }

    /// Edge case 35: what a wallet above holds for it stays that wallet's until it is resolved.
    async fn holds_of_the_old_payer_stay_its_until_they_are_resolved(app) {
        let root = app.root("Finora").with_credits(100).create().await;
        let business = root.child("Business").create().await;
        business.fund(json!({ "mode": "POOLED" })).await;
        let hold = async || {
            let answer = app.mutate(&business.key, "creditHold", json!({ "amount": 20 }), "hold { id }").await;
            answer.done()["hold"]["id"].clone()
        };
        let (captured, voided, _expired) = (hold().await, hold().await, hold().await);
        let plan = plan(&app, &root.key, &business.id).await;
        assert_eq!((&plan["openHolds"], &plan["heldCredits"]), (&json!(3), &json!(60)));
        assert_eq!((&plan["payer"]["id"], &plan["tier"]), (&json!(business.id), &json!("FREE")));
        let input = json!({ "organizationId": business.id, "planHash": plan["planHash"] });
        app.mutate(&root.key, "organizationDetach", input, DETACHED).await.done();
        assert_eq!(business.read("funding { mode } billingOrganization { id }").await,
            json!({ "funding": { "mode": "ISOLATED" }, "billingOrganization": { "id": business.id } }));
        app.mutate(&business.key, "creditHold", json!({ "amount": 1 }), "__typename").await.refused("INSUFFICIENT_CREDITS");
        assert_eq!((root.balance().await, root.available().await), (100, 40));
        let input = json!({ "holdId": captured, "amount": 15 });
        app.mutate(&business.key, "creditCapture", input, "hold { captured }").await.done();
        assert_eq!((root.balance().await, root.available().await), (85, 45));
        app.mutate(&business.key, "creditVoid", json!({ "holdId": voided }), "hold { id }").await.done();
        assert_eq!((root.balance().await, root.available().await), (85, 65));
        app.advance(900);
        app.run_workers_until_idle().await;
        assert_eq!((root.balance().await, root.available().await), (85, 85));
        app.mutate(&business.key, "creditRefund", json!({ "holdId": captured }), "hold { refunded }").await.done();
        assert_eq!((root.balance().await, business.balance().await), (100, 0));
    }

    /// What was spent below an ancestor stays in its cap, and what an old hold returns comes off there.
    async fn caps_of_old_ancestors_keep_what_was_spent_below_them(app) {
        let root = app.root("Top").create().await;
        let from = root.child("From").create().await;
        let to = root.child("To").create().await;
        let leaf = from.child("Leaf").with_credits(1_000).create().await;
        from.limit(json!({ "subtreeMonthlyCap": 100 })).await;
        to.limit(json!({ "subtreeMonthlyCap": 50 })).await;
        let held = app.mutate(&leaf.key, "creditHold", json!({ "amount": 60 }), "hold { id }").await;
        let hold = held.done()["hold"]["id"].clone();
        app.mutate(&leaf.key, "creditCharge", json!({ "amount": 30 }), "charge { id }").await.done();
        let used = async |of: &Organization| of.read("limits { subtreeMonthlyUsed }").await["limits"]["subtreeMonthlyUsed"].clone();
        move_to(&app, &root.key, &leaf, &to.id).await.done();
        assert_eq!((used(&from).await, used(&to).await, used(&root).await), (json!(90), json!(0), json!(90)));
        app.mutate(&leaf.key, "creditCharge", json!({ "amount": 50 }), "charge { id }").await.done();
        app.mutate(&leaf.key, "creditCharge", json!({ "amount": 1 }), "__typename").await.refused("CAP_EXCEEDED");
        let input = json!({ "holdId": hold, "amount": 10 });
        app.mutate(&leaf.key, "creditCapture", input, "hold { id }").await.done();
        assert_eq!((used(&from).await, used(&to).await, used(&root).await), (json!(40), json!(50), json!(90)));
        detach(&app, &root.key, &leaf).await.done();
        app.mutate(&leaf.key, "creditCharge", json!({ "amount": 500 }), "charge { id }").await.done();
        assert_eq!((used(&to).await, used(&root).await), (json!(50), json!(90)));
    }

    async fn a_refill_has_no_parent_to_draw_on_any_more(app) {
        let root = app.root("Top").with_credits(100).create().await;
        let leaf = root.child("Leaf").create().await;
        leaf.limit(json!({ "refillThreshold": 10, "refillAmount": 10 })).await;
        assert_eq!(leaf.balance().await, 10);
        detach(&app, &root.key, &leaf).await.done();
        app.mutate(&leaf.key, "creditCharge", json!({ "amount": 4 }), "charge { id }").await.done();
        assert_eq!(leaf.read("limits { refillState refillReason }").await["limits"],
            json!({ "refillState": "STARVED", "refillReason": "NO_PARENT" }));
        assert_eq!((root.balance().await, leaf.balance().await), (90, 6));
    }

    /// Neither has a say in what the other's tree is charged.
    async fn prices_go_along_and_are_its_own_from_then_on(app) {
        let root = app.root("Top").with_credits(1_000).create().await;
        let leaf = root.child("Leaf").with_credits(1_000).create().await;
        let set = async |of: &Organization, credits: i64| {
            app.mutate(&of.key, "meterSet", json!({ "key": "scan", "credits": credits }), "meter { key }").await.done();
        };
        let charged = async |of: &Organization| {
            let answer = app.mutate(&of.key, "creditCharge", json!({ "meter": "scan" }), "charge { amount }").await;
            answer.done()["charge"]["amount"].clone()
        };
        set(&root, 5).await;
        detach(&app, &root.key, &leaf).await.done();
        assert_eq!((charged(&root).await, charged(&leaf).await), (json!(5), json!(5)));
        set(&root, 7).await;
        set(&leaf, 2).await;
        assert_eq!((charged(&root).await, charged(&leaf).await), (json!(7), json!(2)));
        let meters = app.gql(&leaf.key, "{ meters { key credits } }", json!({})).await.clean();
        assert_eq!(meters.at("/meters"), &json!([{ "key": "scan", "credits": 2 }]));
        // Below the root again its prices are the root's; a root once more, it has those of just then.
        move_to(&app, app.operator(), &leaf, &root.id).await.done();
        assert_eq!(charged(&leaf).await, 7);
        detach(&app, &root.key, &leaf).await.done();
        assert_eq!(charged(&leaf).await, 7);
    }

    async fn nobody_detaches_themselves_and_a_root_is_one_already(app) {
        let root = app.root("Top").create().await;
        let leaf = root.child("Leaf").create().await;
        detach(&app, &leaf.key, &leaf).await.refused("FORBIDDEN_SCOPE");
        detach(&app, &root.key, &root).await.refused("FORBIDDEN_SCOPE");
        let answer = detach(&app, app.operator(), &root).await;
        assert_eq!(answer.done()["organization"]["tier"], "ENTERPRISE");
        assert_eq!(app.number("SELECT COUNT(*) FROM event WHERE event_type = 'organization.detached'").await, 0);
    }

    async fn test_keys_stale_versions_stale_plans_and_the_archived_are_refused(app) {
        let root = app.root("Top").create().await;
        let leaf = root.child("Leaf").create().await;
        let key = root.mint_with(json!({ "scopes": ["org:admin"], "environment": "TEST" })).await;
        detach(&app, &key, &leaf).await.refused("FORBIDDEN_SCOPE");
        let before = app.contents().await;
        let input = json!({ "organizationId": leaf.id, "expectedVersion": 2 });
        app.mutate(&root.key, "organizationDetach", input, DETACHED).await.refused_at("STALE_VERSION", "expectedVersion");
        let plan = plan(&app, &root.key, &leaf.id).await;
        assert_eq!(app.contents().await, before);
        let below = leaf.child("Below").create().await;
        let input = json!({ "organizationId": leaf.id, "planHash": plan["planHash"] });
        app.mutate(&root.key, "organizationDetach", input, DETACHED).await.refused_at("PLAN_STALE", "planHash");
        app.mutate(&root.key, "organizationArchive", json!({ "organizationId": below.id }), "organization { id }").await.done();
        detach(&app, &root.key, &below).await.refused("CONFLICT");
    }

    async fn nobody_gets_away_from_anothers_suspension(app) {
        let root = app.root("Top").create().await;
        let middle = root.child("Mid").create().await;
        let held = middle.child("Held").create().await;
        let leaf = held.child("Leaf").create().await;
        held.suspend(&root.key).await;
        for answer in [detach(&app, &middle.key, &leaf).await, move_to(&app, &middle.key, &leaf, &middle.id).await] {
            let error = answer.refused("ORGANIZATION_SUSPENDED");
            assert_eq!(error["organizationId"], json!(held.id));
        }
        // Whoever placed it may, and the operator.
        move_to(&app, &root.key, &leaf, &middle.id).await.done();
        app.gql(&leaf.key, "{ viewer { id } }", json!({})).await.clean();
        move_to(&app, &root.key, &leaf, &held.id).await.done();
        app.gql(&leaf.key, "{ viewer { id } }", json!({})).await.failed("ORGANIZATION_SUSPENDED");
        detach(&app, app.operator(), &leaf).await.done();
        app.gql(&leaf.key, "{ viewer { id } }", json!({})).await.clean();
    }

    /// A suspension goes along; when its holder is above it no more, whoever is may lift it.
    async fn a_suspension_whose_holder_is_gone_is_lifted_by_whoever_is_above(app) {
        let root = app.root("Top").create().await;
        let from = root.child("From").create().await;
        let to = root.child("To").create().await;
        let leaf = from.child("Leaf").create().await;
        leaf.suspend(&from.key).await;
        move_to(&app, &root.key, &leaf, &to.id).await.done();
        app.gql(&leaf.key, "{ viewer { id } }", json!({})).await.failed("ORGANIZATION_SUSPENDED");
        leaf.suspend(app.operator()).await;
        let resume = json!({ "organizationId": leaf.id });
        let answer = app.mutate(&to.key, "organizationResume", resume.clone(), "organization { suspensions { placedBy } }").await;
        assert_eq!(answer.done()["organization"]["suspensions"], json!([{ "placedBy": "operator" }]));
        app.mutate(app.operator(), "organizationResume", resume, "organization { id }").await.done();
        app.gql(&leaf.key, "{ viewer { id } }", json!({})).await.clean();
    }

    async fn the_operator_puts_a_root_below_another_and_it_delegates_nothing(app) {
        let root = app.root("Top").create().await;
        let leaf = root.child("Leaf").with_credits(5).create().await;
        detach(&app, &root.key, &leaf).await.done();
        move_to(&app, &leaf.key, &leaf, &root.id).await.refused("FORBIDDEN_SCOPE");
        let answer = move_to(&app, app.operator(), &leaf, &root.id).await;
        assert_eq!(answer.done()["organization"]["delegation"], json!([]));
        assert_eq!(answer.done()["organization"]["relation"], "LINKED");
        let read = "query($id: ID!) { organization(by: { id: $id }) { name wallet { balance } } }";
        app.gql(&root.key, read, json!({ "id": leaf.id })).await.failed("FORBIDDEN_SCOPE");
    }
}
