//! The edge to the parent: who changes what about it, what became of it over time, and who hears (SPEC §3, §6, §8).

use std::time::{Duration, Instant};

use entity::timestamp::Timestamp;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use tests::{Answer, Key, Organization, Subscription, TestApp, both};

use crate::organization_move::move_to;

const EDGE: &str = "organization { relation delegation version }";
const HISTORY: &str = "edgeHistory { totalCount nodes { parent { id } relation from until } }";
const EVENTS: &str = "subscription($of: ID, $scope: EventScope! = SUBTREE) {
  events(organizationId: $of, scope: $scope) { type organizationId data } }";

async fn delegate(app: &TestApp, by: &Key, of: &Organization, delegation: Value) -> Answer {
    let input = json!({ "organizationId": of.id, "delegation": delegation });
    app.mutate(by, "organizationDelegationUpdate", input, EDGE).await
}

async fn relate(app: &TestApp, by: &Key, of: &Organization, relation: &str) -> Answer {
    let input = json!({ "organizationId": of.id, "relation": relation });
    app.mutate(by, "organizationRelationUpdate", input, EDGE).await
}

async fn detach(app: &TestApp, by: &Key, of: &Organization) {
    let input = json!({ "organizationId": of.id });
    app.mutate(by, "organizationDetach", input, "organizationId").await.done();
}

/// Opens a stream and waits until it listens.
async fn listen(app: &TestApp, by: &Organization, variables: Value) -> Subscription {
    let open = app.app().relay.streams();
    let stream = app.subscribe(&by.key, EVENTS, variables).await;
    let begun = Instant::now();
    while app.app().relay.streams() == open {
        assert!(begun.elapsed() < Duration::from_secs(20), "the stream does not listen");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stream
}

fn text(of: Timestamp) -> Value {
    json!(of.to_string())
}

both! {
    async fn either_side_narrows_and_only_the_childs_own_key_widens(app) {
        let root = app.root("Top").create().await;
        let middle = root.child("Mid").create().await;
        let child = middle.child("Child").create().await;
        let below = child.child("Below").create().await;
        let all = json!(["BILLING", "DATA_READ", "DATA_WRITE"]);
        for narrower in [&child.key, &middle.key, &root.key, app.operator()] {
            let answer = delegate(&app, narrower, &child, json!(["BILLING"])).await;
            assert_eq!(answer.done()["organization"]["delegation"], json!(["BILLING"]));
            for other in [&middle.key, &root.key, app.operator()] {
                delegate(&app, other, &child, all.clone()).await.refused_at("FORBIDDEN_SCOPE", "delegation");
            }
            delegate(&app, &below.key, &child, all.clone()).await.refused("NOT_FOUND");
            let answer = delegate(&app, &child.key, &child, all.clone()).await;
            assert_eq!(answer.done()["organization"]["delegation"], all);
        }
    }

    /// Whoever acts for the child by the header is an ancestor or the operator all the same.
    async fn the_header_makes_nobody_the_child(app) {
        let root = app.root("Top").create().await;
        let child = root.child("Child").linked().create().await;
        let input = json!({ "organizationId": child.id, "delegation": ["BILLING", "DATA_READ"] });
        for key in [&root.key, app.operator()] {
            let request = app.mutation("organizationDelegationUpdate", input.clone(), EDGE).key(key);
            let answer = request.header("Banyan-Organization", &child).send().await;
            answer.refused_at("FORBIDDEN_SCOPE", "delegation");
        }
        let key = child.mint(&["org:write"]).await;
        delegate(&app, &key, &child, json!([])).await.refused("FORBIDDEN_SCOPE");
    }

    async fn a_new_relation_brings_its_default_as_far_as_the_caller_may_widen(app) {
        let root = app.root("Top").create().await;
        for (by_child, delegation) in [(false, json!(["BILLING"])), (true, json!(["BILLING", "DATA_READ", "DATA_WRITE"]))] {
            for operator in [false, true] {
                let child = root.child("Child").linked().create().await;
                let by = match (by_child, operator) {
                    (true, _) => &child.key,
                    (_, true) => app.operator(),
                    _ => &root.key,
                };
                let answer = relate(&app, by, &child, "OWNED").await;
                assert_eq!(answer.done()["organization"]["delegation"], delegation);
                let answer = relate(&app, &root.key, &child, "LINKED").await;
                assert_eq!(answer.done()["organization"]["delegation"], json!(["BILLING"]));
            }
        }
    }

    async fn what_is_so_already_changes_nothing(app) {
        let root = app.root("Top").create().await;
        let child = root.child("Child").create().await;
        delegate(&app, &root.key, &child, json!(["DATA_READ"])).await.done();
        let events = "SELECT COUNT(*) FROM event";
        let before = app.number(events).await;
        for key in [&root.key, &child.key] {
            // The default of OWNED would be wider.
            let answer = relate(&app, key, &child, "OWNED").await;
            let expected = json!({ "relation": "OWNED", "delegation": ["DATA_READ"], "version": 2 });
            assert_eq!(answer.done()["organization"], expected);
            delegate(&app, key, &child, json!(["DATA_READ"])).await.done();
        }
        assert_eq!(app.number(events).await, before);
        relate(&app, app.operator(), &root, "LINKED").await.refused("CONFLICT");
    }

    /// Moving somebody from below a narrow edge shows no more of them than before.
    async fn a_move_does_not_widen_what_the_edges_left_behind_delegated(app) {
        let root = app.root("Top").create().await;
        let middle = root.child("Mid").linked().create().await;
        let leaf = middle.child("Leaf").with_credits(5).create().await;
        let other = root.child("Other").create().await;
        let read = "query($id: ID!) { organization(by: { id: $id }) { wallet { balance } projects { totalCount } } }";
        for to in [&other, &root] {
            move_to(&app, &root.key, &leaf, &to.id).await.done();
            let answer = app.gql(&root.key, read, json!({ "id": leaf.id })).await;
            assert_eq!(answer.at("/organization/wallet/balance"), 5);
            answer.failed("FORBIDDEN_SCOPE");
        }
        assert_eq!(leaf.read("relation delegation").await, json!({ "relation": "OWNED", "delegation": ["BILLING"] }));
    }

    async fn history_keeps_every_place_and_shows_parents_to_those_who_see_them(app) {
        let root = app.root("Top").create().await;
        let from = root.child("From").create().await;
        let to = root.child("To").create().await;
        let leaf = from.child("Leaf").create().await;
        let born = text(app.now());
        app.advance(60);
        let linked = text(app.now());
        relate(&app, &root.key, &leaf, "LINKED").await.done();
        app.advance(60);
        let moved = text(app.now());
        move_to(&app, &root.key, &leaf, &to.id).await.done();
        let period = |parent: Value, relation: &str, from: &Value, until: Value| {
            json!({ "parent": parent, "relation": relation, "from": from, "until": until })
        };
        let of = |parent: &Organization| json!({ "id": parent.id });
        let expected = |to: Value, from: Value| json!([
            period(to, "LINKED", &moved, Value::Null),
            period(from.clone(), "LINKED", &linked, moved.clone()),
            period(from, "OWNED", &born, linked.clone()),
        ]);
        let read = format!("query($id: ID!) {{ organization(by: {{ id: $id }}) {{ {HISTORY} }} }}");
        for (key, seen) in [
            (&root.key, expected(of(&to), of(&from))),
            (&to.key, expected(of(&to), Value::Null)),
            (&leaf.key, expected(Value::Null, Value::Null)),
        ] {
            let answer = app.gql(key, &read, json!({ "id": leaf.id })).await.clean();
            assert_eq!(answer.at("/organization/edgeHistory"), &json!({ "totalCount": 3, "nodes": seen }));
        }
        app.advance(60);
        let detached = text(app.now());
        detach(&app, &root.key, &leaf).await;
        let answer = app.gql(&leaf.key, &read, json!({ "id": leaf.id })).await.clean();
        let newest = answer.at("/organization/edgeHistory/nodes/0");
        assert_eq!((&newest["from"], &newest["until"]), (&moved, &detached));
        assert_eq!(root.read(HISTORY).await["edgeHistory"]["totalCount"], 0);
    }

    /// SPEC §6: OWNED→LINKED keeps past periods consolidated; LINKED→OWNED consolidates from its date.
    async fn books_are_consolidated_as_the_edges_were_then(app) {
        let root = app.root("Top").create().await;
        let middle = root.child("Mid").create().await;
        let leaf = middle.child("Leaf").create().await;
        let late = root.child("Late").linked().create().await;
        let times: Vec<Timestamp> = (0..5).map(|minute| {
            app.now().plus(Duration::from_secs(60 * minute))
        }).collect();
        app.advance(60);
        relate(&app, &root.key, &middle, "LINKED").await.done();
        app.advance(60);
        relate(&app, &root.key, &late, "OWNED").await.done();
        move_to(&app, &root.key, &leaf, &late.id).await.done();
        app.advance(60);
        detach(&app, &root.key, &late).await;
        let id = |of: &Organization| of.id.parse::<entity::id::OrganizationId>().expect("an id");
        let found = entity::organization::Entity::find().filter(entity::organization::Column::Id.eq(id(&root)));
        let found = found.one(&app.kernel().db.snapshot()).await.expect("organizations can be read");
        let realm = found.expect("the root is there").realm_id;
        let covered = async |top: &Organization, since: usize, until: usize| {
            let snapshot = app.kernel().db.snapshot();
            let (since, until) = (times[since], times[until]);
            let periods = banyan::organization::api::consolidated(&snapshot, realm, id(top), since, until).await.expect("periods");
            periods.into_iter().map(|period| (period.organization_id, period.since, period.until)).collect::<Vec<_>>()
        };
        assert_eq!(covered(&root, 0, 4).await, [
            (id(&middle), times[0], times[1]),
            (id(&leaf), times[0], times[1]),
            (id(&leaf), times[2], times[3]),
            (id(&late), times[2], times[3]),
        ]);
        assert_eq!(covered(&root, 1, 2).await, []);
        assert_eq!(covered(&root, 3, 4).await, []);
        assert_eq!(covered(&late, 0, 4).await, [(id(&leaf), times[2], times[4])]);
    }

    async fn both_ends_hear_of_a_move_and_then_each_its_own(app) {
        let root = app.root("Top").create().await;
        let from = root.child("From").create().await;
        let to = root.child("To").create().await;
        let leaf = from.child("Leaf").with_credits(50).create().await;
        let mut old = listen(&app, &from, json!({ "scope": "CHILDREN" })).await;
        let mut new = listen(&app, &to, json!({ "scope": "CHILDREN" })).await;
        let mut own = listen(&app, &leaf, json!({ "scope": "OWN" })).await;
        let of_the_leaf = listen(&app, &from, json!({ "of": leaf.id, "scope": "OWN" })).await;
        move_to(&app, &root.key, &leaf, &to.id).await.done();
        app.mutate(&leaf.key, "creditCharge", json!({ "amount": 1 }), "charge { id }").await.done();
        app.mutate(&leaf.key, "apiKeyCreate", json!({ "name": "x", "scopes": ["org:read"] }), "apiKey { id }").await.done();
        let departed = old.item().await;
        assert_eq!((&departed["type"], &departed["organizationId"]), (&json!("organization.child.departed"), &json!(from.id)));
        assert_eq!(departed["data"]["childOrganizationId"], json!(leaf.id));
        assert!(!departed.to_string().contains(&to.id), "where it went is not the old parent's to know");
        for stream in [&mut new, &mut own] {
            let moved = stream.item().await;
            assert_eq!((&moved["type"], &moved["organizationId"]), (&json!("organization.moved"), &json!(leaf.id)));
            assert_eq!(moved["data"]["parentOrganizationId"], json!(to.id));
            assert!(!moved.to_string().contains(&from.id), "where it was is not the new parent's to know");
            assert_eq!(stream.item().await["type"], "credit.charged");
            assert_eq!(stream.item().await["type"], "api_key.created");
        }
        // The old parent hears nothing of it any more: the next is its own.
        from.mint(&["org:read"]).await;
        assert_eq!(old.item().await["organizationId"], json!(from.id));
        assert_eq!(of_the_leaf.end().await, "NOT_FOUND");
    }

    async fn an_old_ancestors_streams_stop_carrying_what_was_detached(app) {
        let root = app.root("Top").create().await;
        let business = root.child("Business").with_credits(50).create().await;
        let branch = business.child("Branch").with_credits(50).create().await;
        let mut above = listen(&app, &root, json!({})).await;
        let of_the_branch = listen(&app, &root, json!({ "of": branch.id })).await;
        let mut own = listen(&app, &business, json!({})).await;
        let wallets = "subscription($of: ID) { walletChanges(organizationId: $of) { balance } }";
        let mut wallet = app.subscribe(&root.key, wallets, json!({ "of": business.id })).await;
        assert_eq!(wallet.item().await["balance"], 50);
        detach(&app, &root.key, &business).await;
        for of in [&business, &branch] {
            app.mutate(&of.key, "creditCharge", json!({ "amount": 1 }), "charge { id }").await.done();
        }
        root.mint(&["org:read"]).await;
        let told = above.item().await;
        assert_eq!((&told["type"], &told["data"]["tier"]), (&json!("organization.detached"), &json!("FREE")));
        assert_eq!(above.item().await["organizationId"], json!(root.id));
        let heard = [own.item().await, own.item().await, own.item().await];
        assert_eq!(heard.map(|event| event["type"].clone()), ["organization.detached", "credit.charged", "credit.charged"]);
        assert_eq!(of_the_branch.end().await, "NOT_FOUND");
        assert_eq!(wallet.end().await, "NOT_FOUND");
    }

    /// A stream that begins in the past hears what was its own then, as far as it may read it now.
    async fn the_past_is_heard_as_far_as_it_was_below(app) {
        let root = app.root("Top").create().await;
        let leaf = root.child("Leaf").with_credits(50).create().await;
        app.mutate(&leaf.key, "creditCharge", json!({ "amount": 1 }), "charge { id }").await.done();
        detach(&app, &root.key, &leaf).await;
        app.mutate(&leaf.key, "apiKeyCreate", json!({ "name": "x", "scopes": ["org:read"] }), "apiKey { id }").await.done();
        root.mint(&["org:read"]).await;
        let from_the_start = "subscription { events(scope: SUBTREE, after: \"0\") { type organizationId } }";
        let mut stream = app.subscribe(&root.key, from_the_start, json!({})).await;
        let mut heard = Vec::new();
        while heard.last().is_none_or(|(kind, _)| kind != "organization.detached") {
            let event = stream.item().await;
            heard.push((event["type"].as_str().unwrap_or_default().to_owned(), event["organizationId"].clone()));
        }
        assert!(heard.contains(&("organization.created".to_owned(), json!(leaf.id))));
        let money = |(kind, of): &&(String, Value)| kind.starts_with("credit.") && *of == json!(leaf.id);
        assert_eq!(heard.iter().find(money), None, "what it earned is its own");
        assert_eq!(stream.item().await["organizationId"], json!(root.id));
    }
}
