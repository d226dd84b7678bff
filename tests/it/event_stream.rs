//! Live streams: what is heard, by whom, in which order, and how a client goes on (SPEC §8).

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::{Organization, Socket, Subscription, TestApp, both};

const EVENTS: &str = "subscription($of: ID, $scope: EventScope! = OWN, $types: [String!], $after: String) {
  events(organizationId: $of, scope: $scope, types: $types, after: $after) { cursor type organizationId data } }";
const WALLETS: &str = "subscription($of: ID, $scope: EventScope! = OWN) {
  walletChanges(organizationId: $of, scope: $scope) { balance organization { id } } }";

async fn charge(app: &TestApp, of: &Organization, amount: i64) {
    app.mutate(&of.key, "creditCharge", json!({ "amount": amount }), "charge { id }").await.done();
}

/// Opens a stream. Its headers come when it listens: nothing that a test does afterwards is missed.
async fn listen(app: &TestApp, of: &Organization, variables: Value) -> Subscription {
    app.subscribe(&of.key, EVENTS, variables).await
}

/// The error that a stream is refused with.
async fn refused(app: &TestApp, of: &Organization, variables: Value) -> Value {
    let mut stream = app.subscribe(&of.key, EVENTS, variables).await;
    stream.next().await.expect("a refusal")["errors"][0].clone()
}

/// What charges were heard, up to and with the one of this amount.
async fn amounts_until(stream: &mut Subscription, last: i64) -> Vec<i64> {
    let mut heard = Vec::new();
    while heard.last() != Some(&last) {
        heard.push(stream.item().await["data"]["amount"].as_i64().expect("a charge has an amount"));
    }
    heard
}

fn cursor(event: &Value) -> String {
    event["cursor"].as_str().expect("an event has a cursor").to_owned()
}

/// The numbers of an organization's events in the database.
async fn numbers(app: &TestApp, of: &Organization) -> Vec<i64> {
    use sea_orm::{ConnectionTrait, Statement};
    let connection = app.kernel().db.connection();
    let text = "SELECT sequence, path FROM event ORDER BY sequence";
    let statement = Statement::from_string(connection.get_database_backend(), text);
    let rows = connection.query_all_raw(statement).await.expect("events can be read");
    let rows = rows.into_iter().map(|row| (row.try_get("", "sequence"), row.try_get::<String>("", "path")));
    let rows = rows.map(|(sequence, path)| (sequence.expect("a number"), path.expect("a path")));
    rows.filter(|(_, path)| path.contains(&of.id)).map(|(sequence, _)| sequence).collect()
}

/// Waits until so many streams are open.
async fn until_streams(app: &TestApp, count: usize) {
    let begun = Instant::now();
    while app.app().relay.streams() != count {
        assert!(begun.elapsed() < Duration::from_secs(20), "{} streams are open", app.app().relay.streams());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Serves the gateway on a port of its own, for as long as the test runs.
async fn served(app: &TestApp) -> std::net::SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("a listener has an address");
    let router = app.router().into_make_service_with_connect_info::<std::net::SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

both! {
    async fn events_are_heard_as_they_happen_and_in_order(app) {
        let root = app.root("Quinn's").with_credits(1_000).create().await;
        let mut stream = listen(&app, &root, json!({ "types": ["credit.charged"] })).await;
        for amount in 1..=20 {
            charge(&app, &root, amount).await;
        }
        assert_eq!(amounts_until(&mut stream, 20).await, (1..=20).collect::<Vec<_>>());
    }

    async fn a_stream_without_a_cursor_begins_now(app) {
        let root = app.root("Quinn's").with_credits(1_000).create().await;
        charge(&app, &root, 1).await;
        let mut stream = listen(&app, &root, json!({})).await;
        charge(&app, &root, 2).await;
        assert_eq!(stream.item().await["data"]["amount"], 2);
    }

    async fn a_client_that_reconnects_while_others_spend_loses_and_doubles_nothing(app) {
        let root = app.root("Quinn's").with_credits(1_000_000).create().await;
        let child = root.child("Acme").with_credits(1_000_000).create().await;
        let marker = root.child("Marker").with_credits(10).create().await;
        let spenders: Vec<_> = [&root, &child].map(|of| {
            let (app, of) = (app.clone(), of.clone());
            tokio::spawn(async move {
                for amount in 1..=60 {
                    charge(&app, &of, amount).await;
                }
            })
        }).into();
        let mut after = "0".to_owned();
        let mut heard = Vec::new();
        for reads in 1.. {
            let mut stream = app.subscribe(&root.key, EVENTS, json!({ "scope": "SUBTREE", "after": after })).await;
            for _ in 0..reads {
                let event = stream.item().await;
                after = cursor(&event);
                heard.push(after.parse::<i64>().expect("a cursor is a number"));
            }
            // 120 charges come, 91 events are read so.
            if reads == 13 {
                break;
            }
        }
        for spender in spenders {
            spender.await.expect("the charges were done");
        }
        charge(&app, &marker, 10).await;
        let expected = numbers(&app, &root).await;
        let mut stream = app.subscribe(&root.key, EVENTS, json!({ "scope": "SUBTREE", "after": after })).await;
        while heard.last() != expected.last() {
            heard.push(cursor(&stream.item().await).parse().expect("a cursor is a number"));
        }
        assert_eq!(heard, expected);
    }

    async fn a_long_past_is_read_in_parts_and_whole(app) {
        let root = app.root("Quinn's").with_credits(1_000_000).create().await;
        let quiet = root.child("Quiet").with_credits(10).create().await;
        for _ in 0..40 {
            charge(&app, &root, 1).await;
        }
        // Numbers of which nothing is left, as if thousands of other changes lay between.
        app.tamper("UPDATE realm SET sequence = sequence + 7000 WHERE sequence > 10").await;
        charge(&app, &quiet, 7).await;
        let types = json!(["credit.charged"]);
        let mut stream = listen(&app, &quiet, json!({ "after": "0", "types": types })).await;
        assert_eq!(amounts_until(&mut stream, 7).await, [7]);
        let mut stream = listen(&app, &root, json!({ "scope": "CHILDREN", "after": "0", "types": types })).await;
        assert_eq!(amounts_until(&mut stream, 7).await.len(), 41);
    }

    async fn what_another_gateway_commits_is_heard(app) {
        let root = app.root("Quinn's").with_credits(1_000).create().await;
        let other = app.another_gateway().await;
        let behind = json!({ "after": numbers(&app, &root).await.last().map(ToString::to_string) });
        let mut stream = Subscription::open(other, &root.key.secret, EVENTS, &behind).await;
        charge(&app, &root, 5).await;
        assert_eq!(stream.item().await["data"]["amount"], 5);
    }

    async fn a_scope_ends_where_it_says(app) {
        let root = app.root("Top").with_credits(10).create().await;
        let child = root.child("Mid").with_credits(10).create().await;
        let grandchild = child.child("Low").with_credits(10).create().await;
        let types = json!(["credit.charged"]);
        let mut own = listen(&app, &root, json!({ "types": types })).await;
        let mut children = listen(&app, &root, json!({ "scope": "CHILDREN", "types": types })).await;
        let mut subtree = listen(&app, &root, json!({ "scope": "SUBTREE", "types": types })).await;
        charge(&app, &grandchild, 1).await;
        charge(&app, &child, 2).await;
        charge(&app, &root, 3).await;
        assert_eq!(amounts_until(&mut own, 3).await, [3]);
        assert_eq!(amounts_until(&mut children, 3).await, [2, 3]);
        assert_eq!(amounts_until(&mut subtree, 3).await, [1, 2, 3]);
    }

    async fn a_firehose_needs_an_administrator(app) {
        let root = app.root("Top").create().await;
        let key = root.mint(&["org:read"]).await;
        let mut stream = app.subscribe(&key, EVENTS, json!({ "scope": "SUBTREE" })).await;
        assert_eq!(stream.next().await.expect("a refusal")["errors"][0]["extensions"]["code"], "FORBIDDEN_SCOPE");
    }

    async fn only_the_types_asked_for_are_heard(app) {
        let root = app.root("Top").with_credits(10).create().await;
        let mut stream = listen(&app, &root, json!({ "types": ["credit.*"] })).await;
        root.mint(&["org:read"]).await;
        charge(&app, &root, 1).await;
        assert_eq!(stream.item().await["type"], "credit.charged");
    }

    async fn an_unknown_type_is_refused_and_the_nearest_is_named(app) {
        let root = app.root("Top").create().await;
        let error = refused(&app, &root, json!({ "types": ["credit.chargd"] })).await;
        assert_eq!(error["extensions"]["code"], "INVALID_INPUT");
        assert!(error["message"].as_str().is_some_and(|text| text.contains("credit.charged")), "{error}");
    }

    /// A cursor of another root, or of a database that was put back to an earlier day.
    async fn a_cursor_that_the_root_has_not_reached_is_refused(app) {
        let root = app.root("Top").create().await;
        for cursor in ["999999", "-1", "x", ""] {
            let error = refused(&app, &root, json!({ "after": cursor })).await;
            assert_eq!(error["extensions"]["code"], "BAD_REQUEST", "{cursor:?}");
        }
    }

    /// SPEC §8: as far as the path delegates; control always.
    async fn what_an_edge_does_not_delegate_is_not_heard_above_it(app) {
        let root = app.root("Top").create().await;
        let child = root.child("Acme").linked().with_credits(100).create().await;
        let mut stream = listen(&app, &root, json!({ "scope": "SUBTREE" })).await;
        let mut own = listen(&app, &child, json!({ "types": ["project.created", "credit.charged"] })).await;
        let project = json!({ "name": "Site" });
        app.mutate(&child.key, "projectCreate", project.clone(), "project { id }").await.done();
        charge(&app, &child, 1).await;
        // LINKED delegates BILLING and no data.
        assert_eq!(stream.item().await["type"], "credit.charged");
        let narrowed = json!({ "organizationId": child.id, "delegation": [] });
        app.mutate(&root.key, "organizationDelegationUpdate", narrowed, "organization { id }").await.done();
        charge(&app, &child, 2).await;
        child.mint(&["org:read"]).await;
        assert_eq!(stream.item().await["type"], "organization.delegation.updated");
        assert_eq!(stream.item().await["type"], "api_key.created");
        let heard = [own.item().await, own.item().await, own.item().await];
        assert_eq!(heard.map(|event| event["type"].clone()), ["project.created", "credit.charged", "credit.charged"]);
    }

    async fn a_wallet_is_no_longer_told_when_the_edge_is_narrowed(app) {
        let root = app.root("Top").create().await;
        let child = root.child("Acme").linked().with_credits(100).create().await;
        let mut stream = app.subscribe(&root.key, WALLETS, json!({ "of": child.id })).await;
        assert_eq!(stream.item().await["balance"], 100);
        let narrowed = json!({ "organizationId": child.id, "delegation": [] });
        app.mutate(&root.key, "organizationDelegationUpdate", narrowed, "organization { id }").await.done();
        assert_eq!(stream.end().await, "FORBIDDEN_SCOPE");
    }

    async fn a_revoked_keys_streams_end(app) {
        let root = app.root("Top").create().await;
        let key = root.mint(&["org:read"]).await;
        let stream = app.subscribe(&key, EVENTS, json!({})).await;
        app.mutate(&root.key, "apiKeyRevoke", json!({ "apiKeyId": key.id }), "apiKeys { id }").await.done();
        assert_eq!(stream.end().await, "UNAUTHENTICATED");
        until_streams(&app, 0).await;
    }

    async fn a_suspended_organizations_streams_end_and_its_ancestors_go_on(app) {
        let root = app.root("Top").create().await;
        let child = root.child("Acme").create().await;
        let below = listen(&app, &child, json!({})).await;
        let mut above = listen(&app, &root, json!({ "scope": "SUBTREE" })).await;
        child.suspend(&root.key).await;
        assert_eq!(below.end().await, "ORGANIZATION_SUSPENDED");
        assert_eq!(above.item().await["type"], "organization.suspended");
    }

    async fn a_client_that_does_not_read_is_let_go_with_a_cursor_and_loses_nothing(app) {
        let root = app.root("Quinn's").with_credits(1_000).create().await;
        for _ in 0..300 {
            charge(&app, &root, 1).await;
        }
        let types = json!(["credit.charged"]);
        let mut stream = listen(&app, &root, json!({ "types": types, "after": "0" })).await;
        until_streams(&app, 0).await;
        let mut heard = BTreeSet::new();
        let mut after = None;
        while let Some(answer) = stream.next().await {
            let error = &answer["errors"][0]["extensions"];
            if error["code"] == "SLOW_CONSUMER" {
                after = error["cursor"].as_str().map(str::to_owned);
            } else {
                assert!(heard.insert(cursor(&answer["data"]["events"])), "told twice");
            }
        }
        let after = after.expect("a slow client is told where to go on");
        assert!(heard.len() < 300, "there was no need to let it go");
        let mut stream = listen(&app, &root, json!({ "types": types, "after": after })).await;
        while heard.len() < 300 {
            assert!(heard.insert(cursor(&stream.item().await)), "told twice");
        }
        charge(&app, &root, 2).await;
        assert_eq!(stream.item().await["data"]["amount"], 2);
    }

    async fn a_root_has_so_many_streams_and_no_more(app) {
        let root = app.root("Quinn's").with_credits(10).create().await;
        let other = app.root("Acme").create().await;
        let mut streams = Vec::new();
        for _ in 0..banyan::event::relay::STREAMS_PER_ROOT_MAX {
            streams.push(app.subscribe(&root.key, EVENTS, json!({ "types": ["credit.charged"] })).await);
        }
        until_streams(&app, streams.len()).await;
        assert_eq!(refused(&app, &root, json!({})).await["extensions"]["code"], "RATE_LIMITED");
        let others = listen(&app, &other, json!({})).await;
        until_streams(&app, streams.len() + 1).await;
        charge(&app, &root, 3).await;
        for stream in &mut streams {
            assert_eq!(stream.item().await["data"]["amount"], 3);
        }
        drop((streams, others));
        until_streams(&app, 0).await;
    }

    async fn a_wallet_is_told_as_it_is_and_then_as_it_becomes(app) {
        let root = app.root("Quinn's").with_credits(1_000).create().await;
        let mut stream = app.subscribe(&root.key, WALLETS, json!({})).await;
        assert_eq!(stream.item().await["balance"], 1_000);
        for _ in 0..10 {
            charge(&app, &root, 7).await;
        }
        let mut told = vec![1_000];
        while told.last() != Some(&930) {
            told.push(stream.item().await["balance"].as_i64().expect("a balance"));
        }
        assert!(told.is_sorted_by(|earlier, later| earlier >= later), "{told:?}");
        assert!(told.len() <= 11, "{told:?}");
    }

    async fn changes_that_come_together_are_told_as_one_and_the_last_is_the_newest(app) {
        let root = app.root("Quinn's").with_credits(1_000).create().await;
        let mut stream = app.subscribe(&root.key, WALLETS, json!({})).await;
        assert_eq!(stream.item().await["balance"], 1_000);
        let charges = (0..40).map(|_| charge(&app, &root, 1));
        futures_util::future::join_all(charges).await;
        let mut told = Vec::new();
        while told.last() != Some(&960) {
            told.push(stream.item().await["balance"].as_i64().expect("a balance"));
        }
        assert!(told.len() < 40, "{told:?}");
    }

    async fn the_payers_wallet_is_told_when_a_child_spends(app) {
        let root = app.root("Quinn's").with_credits(100).create().await;
        let child = root.child("Acme").create().await;
        child.fund(json!({ "mode": "POOLED" })).await;
        let mut own = app.subscribe(&root.key, WALLETS, json!({})).await;
        let mut subtree = app.subscribe(&root.key, WALLETS, json!({ "scope": "SUBTREE" })).await;
        for stream in [&mut own, &mut subtree] {
            assert_eq!(stream.item().await["balance"], 100);
        }
        charge(&app, &child, 40).await;
        for stream in [&mut own, &mut subtree] {
            let wallet = stream.item().await;
            assert_eq!(wallet, json!({ "balance": 60, "organization": { "id": root.id } }));
        }
    }

    async fn one_socket_carries_many_streams_and_each_goes_its_own_way(app) {
        let root = app.root("Quinn's").with_credits(1_000).create().await;
        let child = root.child("Acme").with_credits(1_000).create().await;
        let mut socket = Socket::open(served(&app).await, &root.key.secret).await;
        let types = json!(["credit.charged"]);
        socket.subscribe("busy", EVENTS, json!({ "scope": "SUBTREE", "types": types })).await;
        socket.subscribe("quiet", EVENTS, json!({ "types": types })).await;
        until_streams(&app, 2).await;
        for amount in 1..=30 {
            charge(&app, &child, amount).await;
        }
        charge(&app, &root, 99).await;
        let mut heard = Vec::new();
        let mut is_quiet_heard = false;
        while !is_quiet_heard || heard.last() != Some(&99) {
            let message = socket.hear().await;
            assert_eq!(message["type"], "next", "{message}");
            let amount = message["payload"]["data"]["events"]["data"]["amount"].as_i64().expect("an amount");
            match message["id"].as_str() {
                Some("busy") => heard.push(amount),
                _ => is_quiet_heard = amount == 99,
            }
        }
        assert_eq!(heard, (1..=30).chain([99]).collect::<Vec<_>>());
        socket.say(json!({ "type": "complete", "id": "busy" })).await;
        until_streams(&app, 1).await;
        app.mutate(&root.key, "apiKeyRevoke", json!({ "apiKeyId": root.key.id }), "apiKeys { id }").await.done();
        assert_eq!(u16::from(socket.closed().await.code), 4403);
        until_streams(&app, 0).await;
    }
}
