//! Moving an organization below another parent of its realm (SPEC §2).

use serde_json::{Value, json};
use tests::{Answer, Key, Organization, TestApp, both};

pub const MOVED: &str = "organization { id parent { id } relation delegation version effectiveStatus }";

pub async fn move_to(app: &TestApp, by: &Key, what: &Organization, to: &str) -> Answer {
    app.mutate(by, "organizationMove", json!({ "organizationId": what.id, "parentId": to }), MOVED).await
}

/// The plan of a move; null when there is none to be seen.
pub async fn plan(app: &TestApp, by: &Key, what: &str, to: &str) -> Value {
    let document = "query($what: ID!, $to: ID!) { organizationMovePlan(organizationId: $what, parentId: $to) {
        organization { id } parent { id } descendants ancestorsLost { id } webhookEndpoints delegation tier payer { id }
        effectiveStatus openHolds heldCredits refusals { code path } planHash } }";
    app.gql(by, document, json!({ "what": what, "to": to })).await.clean().payload().clone()
}

/// A root with two children, the first of which has one itself.
async fn tree(app: &TestApp) -> (Organization, Organization, Organization, Organization) {
    let root = app.root("Top").create().await;
    let from = root.child("From").create().await;
    let to = root.child("To").create().await;
    let leaf = from.child("Leaf").create().await;
    (root, from, to, leaf)
}

fn ids(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(|one| one["id"].as_str()).collect()
}

both! {
    async fn an_ancestor_of_both_moves_a_subtree(app) {
        let (root, from, to, leaf) = tree(&app).await;
        let below = leaf.child("Below").create().await;
        let answer = move_to(&app, &root.key, &leaf, &to.id).await;
        let moved = &answer.done()["organization"];
        assert_eq!((&moved["parent"]["id"], &moved["version"]), (&json!(to.id), &json!(2)));
        let above = below.read("ancestors { id } depth").await;
        assert_eq!((ids(&above["ancestors"]), &above["depth"]), (vec![&*leaf.id, &*to.id, &*root.id], &json!(4)));
        assert_eq!(from.read("descendants { totalCount }").await["descendants"]["totalCount"], 0);
        assert_eq!(to.read("descendants { totalCount }").await["descendants"]["totalCount"], 2);
    }

    async fn the_operator_moves_and_the_trail_names_both_ends(app) {
        let (_, from, to, leaf) = tree(&app).await;
        let input = json!({ "organizationId": leaf.id, "parentId": to.id, "reason": "sold" });
        app.mutate(app.operator(), "organizationMove", input, MOVED).await.done();
        let audit = "{ auditEvents(filter: { action: \"organizationMove\" }) { nodes { organizationId change } } }";
        for key in [&from.key, &to.key, &leaf.key] {
            let answer = app.gql(key, audit, json!({})).await.clean();
            let entry = answer.at("/auditEvents/nodes/0");
            assert_eq!(entry["organizationId"], json!(leaf.id));
            let change = json!({ "changed": true, "reason": "sold", "parentOrganizationId": to.id,
                "previousParentOrganizationId": from.id });
            assert_eq!(entry["change"], change);
        }
    }

    async fn moving_to_where_it_is_does_nothing_and_tells_nobody(app) {
        let (root, _, to, leaf) = tree(&app).await;
        let plan = plan(&app, &root.key, &leaf.id, &to.id).await;
        let input = json!({ "organizationId": leaf.id, "parentId": to.id, "expectedVersion": 1, "planHash": plan["planHash"] });
        for _ in 0..2 {
            let answer = app.mutate(&root.key, "organizationMove", input.clone(), MOVED).await;
            assert_eq!(answer.done()["organization"]["version"], 2);
        }
        assert_eq!(app.number("SELECT COUNT(*) FROM event WHERE event_type = 'organization.moved'").await, 1);
    }

    async fn nothing_goes_below_itself(app) {
        let (root, from, _, leaf) = tree(&app).await;
        let before = app.contents().await;
        for by in [&root.key, app.operator()] {
            move_to(&app, by, &from, &from.id).await.refused_at("CYCLE", "parentId");
            move_to(&app, by, &from, &leaf.id).await.refused_at("CYCLE", "parentId");
        }
        assert_eq!(app.contents().await, before);
    }

    /// Edge case 44: the parent to be is somebody's, nobody's, above or beside: the same answer.
    async fn a_parent_out_of_sight_is_one_that_does_not_exist(app) {
        let (root, from, to, leaf) = tree(&app).await;
        let stranger = app.root("Stranger").create().await;
        let unknown = "org_01h455vb4pex5vsknk084sn02q";
        let before = app.contents().await;
        let told = async |to: &str| {
            let answer = move_to(&app, &from.key, &leaf, to).await;
            answer.refused_at("NOT_FOUND", "parentId");
            assert_eq!(plan(&app, &from.key, &leaf.id, to).await, Value::Null);
            answer.body.to_string().replace(to, "…")
        };
        let nobodys = told(unknown).await;
        for to in [&stranger, &to, &root] {
            assert_eq!(told(&to.id).await, nobodys);
        }
        // Nor does what is moved.
        for what in [&stranger, &to, &root] {
            move_to(&app, &from.key, what, &leaf.id).await.refused("NOT_FOUND");
            assert_eq!(plan(&app, &from.key, &what.id, &leaf.id).await, Value::Null);
        }
        assert_eq!(app.contents().await, before);
    }

    async fn nobody_moves_themselves(app) {
        let (root, from, _, leaf) = tree(&app).await;
        let child = leaf.child("Below").create().await;
        for (who, to) in [(&root, &from), (&from, &leaf), (&leaf, &child)] {
            move_to(&app, &who.key, who, &to.id).await.refused("FORBIDDEN_SCOPE");
        }
        // By the header it is still the ancestor that does it.
        let input = json!({ "organizationId": leaf.id, "parentId": root.id });
        let request = app.mutation("organizationMove", input, MOVED).key(&root.key);
        request.header("Banyan-Organization", &leaf).send().await.done();
    }

    async fn a_key_needs_the_scope_and_a_live_environment(app) {
        let (root, _, to, leaf) = tree(&app).await;
        let before = app.contents().await;
        let key = root.mint(&["org:write", "org:read", "keys:*"]).await;
        move_to(&app, &key, &leaf, &to.id).await.refused("FORBIDDEN_SCOPE");
        let key = root.mint_with(json!({ "scopes": ["org:admin"], "environment": "TEST" })).await;
        move_to(&app, &key, &leaf, &to.id).await.refused("FORBIDDEN_SCOPE");
        assert_eq!(plan(&app, &key, &leaf.id, &to.id).await["refusals"][0]["code"], "FORBIDDEN_SCOPE");
        let changed = app.contents().await;
        assert_eq!(changed["versions of organizations"], before["versions of organizations"]);
    }

    async fn no_realm_is_left(app) {
        let (_, _, _, leaf) = tree(&app).await;
        let elsewhere = app.root("Elsewhere").create().await;
        move_to(&app, app.operator(), &leaf, &elsewhere.id).await.refused_at("CONFLICT", "parentId");
    }

    async fn the_archived_stay_where_they_are_and_take_nobody_in(app) {
        let (root, from, to, leaf) = tree(&app).await;
        let archive = json!({ "organizationId": to.id });
        app.mutate(&root.key, "organizationArchive", archive, "organization { id }").await.done();
        move_to(&app, &root.key, &leaf, &to.id).await.refused_at("CONFLICT", "parentId");
        let answer = move_to(&app, &root.key, &to, &from.id).await;
        answer.refused("CONFLICT");
    }

    async fn a_parent_whose_tier_has_no_children_takes_nobody_in(app) {
        let (root, from, to, leaf) = tree(&app).await;
        let input = json!({ "organizationId": to.id, "expectedVersion": 1, "tier": "STANDARD" });
        app.mutate(&root.key, "organizationUpdate", input, "organization { id }").await.done();
        let before = app.contents().await;
        move_to(&app, &root.key, &leaf, &to.id).await.refused_at("ENTERPRISE_ONLY", "parentId");
        assert_eq!(app.contents().await, before);
        assert_eq!(plan(&app, &root.key, &leaf.id, &to.id).await["refusals"][0]["code"], "ENTERPRISE_ONLY");
        assert_eq!(ids(&leaf.read("ancestors { id }").await["ancestors"])[0], from.id);
    }

    async fn an_external_id_is_unique_among_the_live_children_of_the_new_parent(app) {
        let root = app.root("Top").create().await;
        let to = root.child("To").create().await;
        let theirs = to.child("Theirs").with("externalId", "b-1").create().await;
        let mine = root.child("Mine").with("externalId", "b-1").create().await;
        move_to(&app, &root.key, &mine, &to.id).await.refused_at("CONFLICT", "parentId");
        let archive = json!({ "organizationId": theirs.id });
        app.mutate(&root.key, "organizationArchive", archive, "organization { id }").await.done();
        move_to(&app, &root.key, &mine, &to.id).await.done();
    }

    /// SPEC §2: 32 levels, whatever of the moved subtree is the deepest.
    async fn the_deepest_that_goes_along_stays_within_the_depth(app) {
        let root = app.root("Top").create().await;
        let mut chain = vec![root.clone()];
        for level in 2..=30 {
            let next = chain[level - 2].child(&format!("Level {level}")).create().await;
            chain.push(next);
        }
        let branch = root.child("Branch").create().await;
        let twig = branch.child("Twig").create().await;
        // 30 + 2 = 32.
        move_to(&app, &root.key, &branch, &chain[29].id).await.done();
        move_to(&app, &root.key, &branch, &root.id).await.done();
        twig.child("Leaf").create().await;
        let before = app.contents().await;
        move_to(&app, &root.key, &branch, &chain[29].id).await.refused_at("DEPTH_EXCEEDED", "parentId");
        assert_eq!(app.contents().await, before);
        move_to(&app, &root.key, &branch, &chain[28].id).await.done();
    }

    async fn a_stale_version_is_refused(app) {
        let (root, _, to, leaf) = tree(&app).await;
        let input = json!({ "organizationId": leaf.id, "parentId": to.id, "expectedVersion": 7 });
        app.mutate(&root.key, "organizationMove", input, MOVED).await.refused_at("STALE_VERSION", "expectedVersion");
    }

    async fn what_is_malformed_changes_nothing(app) {
        let (root, _, to, leaf) = tree(&app).await;
        let before = app.contents().await;
        for bad in ["", "1", "org_", "usr_01h455vb4pex5vsknk084sn02q"] {
            let input = json!({ "organizationId": leaf.id, "parentId": bad });
            app.mutate(&root.key, "organizationMove", input, MOVED).await.refused_at("INVALID_INPUT", "parentId");
            let input = json!({ "organizationId": bad, "parentId": to.id });
            app.mutate(&root.key, "organizationMove", input, MOVED).await.refused_at("INVALID_INPUT", "organizationId");
        }
        let input = json!({ "organizationId": leaf.id, "parentId": to.id, "reason": "x".repeat(501) });
        app.mutate(&root.key, "organizationMove", input, MOVED).await.refused_at("INVALID_INPUT", "reason");
        assert_eq!(app.contents().await, before);
    }

    async fn a_plan_says_what_the_move_would_do_and_then_it_does_that(app) {
        let (root, from, to, leaf) = tree(&app).await;
        leaf.child("Below").create().await;
        to.fund(json!({ "primaryCoversSecondary": true })).await;
        from.grant(json!({ "amount": 100 })).await;
        leaf.fund(json!({ "mode": "POOLED" })).await;
        app.mutate(&leaf.key, "creditHold", json!({ "amount": 30 }), "hold { id }").await.done();
        let hook = json!({ "url": "https://example.com/hook", "eventTypes": ["*"], "scope": "SUBTREE" });
        app.mutate(&from.key, "webhookEndpointCreate", hook, "webhookEndpoint { id }").await.done();
        to.suspend(&root.key).await;
        let plan = plan(&app, &root.key, &leaf.id, &to.id).await;
        assert_eq!((&plan["parent"]["id"], &plan["descendants"]), (&json!(to.id), &json!(1)));
        assert_eq!((ids(&plan["ancestorsLost"]), &plan["webhookEndpoints"]), (vec![&*from.id], &json!(1)));
        assert_eq!((&plan["payer"]["id"], &plan["effectiveStatus"]), (&json!(to.id), &json!("SUSPENDED")));
        assert_eq!((&plan["openHolds"], &plan["heldCredits"]), (&json!(1), &json!(30)));
        assert_eq!((&plan["refusals"], &plan["tier"]), (&json!([]), &json!("ENTERPRISE")));
        let input = json!({ "organizationId": leaf.id, "parentId": to.id, "planHash": plan["planHash"] });
        let answer = app.mutate(&root.key, "organizationMove", input, MOVED).await;
        assert_eq!(answer.done()["organization"]["effectiveStatus"], "SUSPENDED");
        assert_eq!(leaf.read("billingOrganization { id }").await["billingOrganization"]["id"], json!(to.id));
    }

    async fn a_plan_is_stale_once_the_world_has_changed(app) {
        let (root, from, to, leaf) = tree(&app).await;
        for change in ["a child", "the record", "the parent", "a suspension", "the edge", "a hold"] {
            let plan = plan(&app, &root.key, &leaf.id, &to.id).await;
            match change {
                "a child" => drop(leaf.child("Below").create().await),
                "the record" => leaf.fund(json!({ "minimumReserve": 3 })).await,
                "the parent" => to.limit(json!({ "monthlyCreditCap": 5 })).await,
                "a suspension" => to.suspend(&root.key).await,
                "the edge" => {
                    let input = json!({ "organizationId": leaf.id, "delegation": ["BILLING"] });
                    app.mutate(&from.key, "organizationDelegationUpdate", input, "organization { id }").await.done();
                }
                _ => {
                    leaf.fund(json!({ "mode": "POOLED" })).await;
                    from.grant(json!({ "amount": 9 })).await;
                    app.mutate(&leaf.key, "creditHold", json!({ "amount": 3 }), "hold { id }").await.done();
                }
            }
            let input = json!({ "organizationId": leaf.id, "parentId": to.id, "planHash": plan["planHash"] });
            let answer = app.mutate(&root.key, "organizationMove", input, MOVED).await;
            answer.refused_at("PLAN_STALE", "planHash");
        }
    }

    async fn a_plan_of_one_place_does_not_serve_another(app) {
        let (root, _, to, leaf) = tree(&app).await;
        let plan = plan(&app, &root.key, &leaf.id, &to.id).await;
        let input = json!({ "organizationId": leaf.id, "parentId": root.id, "planHash": plan["planHash"] });
        app.mutate(&root.key, "organizationMove", input, MOVED).await.refused_at("PLAN_STALE", "planHash");
    }

    /// Edge case 25: each legal alone, together a cycle.
    async fn two_moves_that_race_never_make_a_cycle(app) {
        let root = app.root("Top").create().await;
        for round in 0..6 {
            let one = root.child(&format!("One {round}")).create().await;
            let other = root.child(&format!("Other {round}")).create().await;
            let (first, second) = tokio::join!(
                move_to(&app, &root.key, &one, &other.id),
                move_to(&app, &root.key, &other, &one.id),
            );
            let refused = [&first, &second].into_iter().filter(|answer| answer.payload()["organization"].is_null());
            let refused: Vec<_> = refused.collect();
            assert_eq!(refused.len(), 1, "exactly one wins: {first:?} {second:?}");
            refused[0].refused_at("CYCLE", "parentId");
            let depths = (one.read("depth").await, other.read("depth").await);
            let depths = (depths.0["depth"].as_i64(), depths.1["depth"].as_i64());
            assert!([(Some(2), Some(3)), (Some(3), Some(2))].contains(&depths), "{depths:?}");
        }
    }
}
