//! Sending webhooks (SPEC §8): who hears of what, in which order, and what happens when it goes wrong.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tests::{Key, Organization, Receiver, Reply, TestApp, both};

/// An endpoint and the secret it was made with.
struct Endpoint {
    id: String,
    secret: String,
}

async fn listen(app: &TestApp, by: &Key, of: &str, receiver: &Receiver, scope: &str, types: &[&str]) -> Endpoint {
    let input = json!({ "organizationId": of, "url": receiver.url, "eventTypes": types, "scope": scope });
    let made = app.mutate(by, "webhookEndpointCreate", input, "webhookEndpoint { id } secret").await;
    let made = made.done();
    Endpoint { id: text(&made["webhookEndpoint"]["id"]), secret: text(&made["secret"]) }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

async fn work(app: &TestApp) {
    app.webhooks().run_until_idle().await.expect("webhooks are sent");
}

async fn rename(app: &TestApp, by: &Key, organization: &Organization, name: &str) {
    let version = organization.read("version").await["version"].clone();
    let input =
        json!({ "organizationId": organization.id, "expectedVersion": version, "name": format!("Renamed {name}") });
    app.mutate(by, "organizationUpdate", input, "organization { id }").await.done();
}

/// Every event of these tests tells its order by the name that was given.
async fn rename_each(app: &TestApp, organization: &Organization, names: &[&str]) {
    for name in names {
        rename(app, app.operator(), organization, name).await;
    }
}

const RENAMED: &[&str] = &["organization.updated"];

async fn on_endpoint(app: &TestApp, by: &Key, field: &str, endpoint: &Endpoint) -> Value {
    let input = json!({ "webhookEndpointId": endpoint.id });
    app.mutate(by, field, input, "webhookEndpoint { paused enabled disabledReason }").await.done().clone()
}

async fn log(app: &TestApp, endpoint: &Endpoint) -> Vec<Value> {
    let document = "query($id: ID!) { node(id: $id) { ... on WebhookEndpoint { enabled disabledReason
      deliveries { totalCount nodes { id eventId eventType status attemptCount nextAttemptAt settledAt redeliveryOfId
        webhookEndpoint { id } attempts { number startedAt durationMs responseStatus responseBody error } } } } } }";
    let answer = app.gql(app.operator(), document, json!({ "id": endpoint.id })).await.clean();
    let listed = answer.at("/node/deliveries");
    let nodes = listed["nodes"].as_array().expect("a list").clone();
    assert_eq!(listed["totalCount"], nodes.len(), "the log is longer than a page");
    // Oldest first reads as it happened.
    nodes.into_iter().rev().collect()
}

async fn enabled(app: &TestApp, endpoint: &Endpoint) -> (bool, String) {
    let document = "query($id: ID!) { node(id: $id) { ... on WebhookEndpoint { enabled disabledReason } } }";
    let answer = app.gql(app.operator(), document, json!({ "id": endpoint.id })).await.clean();
    let node = answer.at("/node");
    (node["enabled"] == true, node["disabledReason"].as_str().unwrap_or_default().to_owned())
}

fn statuses(log: &[Value]) -> Vec<String> {
    log.iter().map(|delivery| text(&delivery["status"])).collect()
}

both! {
    async fn an_event_arrives_once_and_says_whose_it_is(app) {
        let receiver = Receiver::start().await;
        let root = app.root("Quinn").create().await;
        let endpoint = listen(&app, &root.key, &root, &receiver, "OWN", RENAMED).await;
        rename(&app, app.operator(), &root, "Quinn's CRM").await;
        work(&app).await;
        work(&app).await;
        let received = receiver.received();
        assert_eq!(received.len(), 1, "{received:?}");
        assert_eq!((received[0].event_type(), received[0].organization()), ("organization.updated", &*root.id));
        assert_eq!(received[0].body["data"]["organizationId"], root.id);
        assert!(received[0].body["timestamp"].as_str().is_some_and(|at| at.starts_with("2026-06-03T12:00:00")));
        let log = log(&app, &endpoint).await;
        assert_eq!(log[0]["eventId"], received[0].id);
        assert_eq!(log[0]["webhookEndpoint"]["id"], endpoint.id);
        assert_eq!((&log[0]["status"], &log[0]["attempts"][0]["responseStatus"]), (&json!("DELIVERED"), &json!(204)));
    }

    async fn a_firehose_hears_of_everything_below_and_an_own_endpoint_of_nothing_else(app) {
        let (hose, children, own) = (Receiver::start().await, Receiver::start().await, Receiver::start().await);
        let root = app.root("Top").create().await;
        let child = root.child("Mid").create().await;
        let grandchild = child.child("Low").create().await;
        for (receiver, scope) in [(&hose, "SUBTREE"), (&children, "CHILDREN"), (&own, "OWN")] {
            listen(&app, &root.key, &root, receiver, scope, RENAMED).await;
        }
        for organization in [&root, &child, &grandchild] {
            rename(&app, app.operator(), organization, "Renamed").await;
        }
        work(&app).await;
        let heard = |receiver: &Receiver| {
            let mut heard: Vec<String> = receiver.received().iter().map(|it| it.organization().to_owned()).collect();
            heard.sort();
            heard
        };
        let mut all = vec![root.id.clone(), child.id.clone(), grandchild.id.clone()];
        all.sort();
        assert_eq!(heard(&hose), all);
        let mut near = vec![root.id.clone(), child.id.clone()];
        near.sort();
        assert_eq!(heard(&children), near);
        assert_eq!(heard(&own), std::slice::from_ref(&root.id));
    }

    /// SPEC §8: events of a LINKED descendant reach ancestors as far as the path delegates; control-plane ones always.
    async fn a_linked_childs_data_stays_its_own_while_its_wallet_and_record_are_heard_of(app) {
        let receiver = Receiver::start().await;
        let root = app.root("Partner").create().await;
        let child = root.child("Client").linked().create().await;
        listen(&app, &root.key, &root, &receiver, "SUBTREE", &["project.*", "credit.granted", "organization.updated"]).await;
        let project = json!({ "organizationId": child.id, "name": "Secret" });
        app.mutate(&child.key, "projectCreate", project, "project { id }").await.done();
        child.grant(json!({ "amount": 5, "origin": "PREPAID" })).await;
        rename(&app, &child.key, &child, "Client Ltd").await;
        work(&app).await;
        let received = receiver.received();
        let heard: Vec<&str> = received.iter().map(tests::Received::event_type).collect();
        assert_eq!(heard, ["credit.granted", "organization.updated"]);
    }

    async fn events_before_the_endpoint_are_not_sent(app) {
        let receiver = Receiver::start().await;
        let root = app.root("Quinn").create().await;
        rename(&app, app.operator(), &root, "Before").await;
        listen(&app, &root.key, &root, &receiver, "OWN", RENAMED).await;
        rename(&app, app.operator(), &root, "After").await;
        work(&app).await;
        assert_eq!(receiver.received().len(), 1);
    }

    /// Edge case 48.
    async fn an_organizations_events_wait_for_the_one_before_and_anothers_do_not(app) {
        let receiver = Receiver::start().await;
        let root = app.root("Top").create().await;
        let (one, other) = (root.child("One").create().await, root.child("Other").create().await);
        let endpoint = listen(&app, &root.key, &root, &receiver, "SUBTREE", RENAMED).await;
        rename_each(&app, &one, &["1a"]).await;
        receiver.will_reply([Reply::Status(500)]);
        work(&app).await;
        rename_each(&app, &one, &["1b", "1c"]).await;
        rename_each(&app, &other, &["2a", "2b"]).await;
        work(&app).await;
        let received = receiver.take();
        let first = received[0].id.clone();
        let of = |id: &str| received.iter().filter(|it| it.organization() == id).count();
        assert_eq!((of(&one.id), of(&other.id)), (1, 2), "{received:?}");
        app.advance(10);
        work(&app).await;
        let received = receiver.take();
        let ids: Vec<&str> = received.iter().map(|it| it.id.as_str()).collect();
        let log = log(&app, &endpoint).await;
        let wanted: Vec<&str> = [0, 1, 2].map(|at| log[at]["eventId"].as_str().unwrap()).to_vec();
        assert_eq!(ids, wanted);
        assert_eq!(ids[0], first);
    }

    async fn a_failed_delivery_is_tried_eight_times_over_a_day_and_then_the_next_one_goes(app) {
        let receiver = Receiver::start().await;
        let root = app.root("Quinn").create().await;
        let endpoint = listen(&app, &root.key, &root, &receiver, "OWN", RENAMED).await;
        rename_each(&app, &root, &["first", "second"]).await;
        receiver.will_reply((0..8).map(|_| Reply::Status(500)));
        for _ in 0..9 {
            work(&app).await;
            app.advance(12 * 3_600);
        }
        let received = receiver.received();
        assert_eq!(received.len(), 9);
        assert!(received[..8].iter().all(|it| it.id == received[0].id) && received[8].id != received[0].id);
        let log = log(&app, &endpoint).await;
        assert_eq!(statuses(&log), ["FAILED", "DELIVERED"]);
        assert_eq!(log[0]["attemptCount"], 8);
    }

    async fn a_failed_attempt_is_not_repeated_before_its_time(app) {
        let receiver = Receiver::start().await;
        let root = app.root("Quinn").create().await;
        listen(&app, &root.key, &root, &receiver, "OWN", RENAMED).await;
        rename_each(&app, &root, &["first"]).await;
        receiver.will_reply([Reply::RetryAfter(503, "120")]);
        work(&app).await;
        app.advance(119);
        work(&app).await;
        assert_eq!(receiver.received().len(), 1);
        app.advance(1);
        work(&app).await;
        assert_eq!(receiver.received().len(), 2);
    }

    async fn an_endpoint_that_says_it_is_overrun_is_left_alone_with_all_organizations(app) {
        let receiver = Receiver::start().await;
        let root = app.root("Top").create().await;
        let child = root.child("Child").create().await;
        listen(&app, &root.key, &root, &receiver, "SUBTREE", RENAMED).await;
        receiver.will_reply([Reply::RetryAfter(429, "60")]);
        rename_each(&app, &root, &["first"]).await;
        work(&app).await;
        rename_each(&app, &child, &["other"]).await;
        work(&app).await;
        assert_eq!(receiver.received().len(), 1);
        app.advance(61);
        work(&app).await;
        assert_eq!(receiver.received().len(), 3);
    }

    /// Edge case 51.
    async fn a_dead_endpoint_costs_the_others_nothing(app) {
        let (dead, well) = (Receiver::start().await, Receiver::start().await);
        dead.will_reply((0..100).map(|_| Reply::Silence));
        let root = app.root("Top").create().await;
        let stuck = listen(&app, &root.key, &root, &dead, "SUBTREE", RENAMED).await;
        listen(&app, &root.key, &root, &well, "SUBTREE", RENAMED).await;
        let mut children = Vec::new();
        for name in ["Child A", "Child B", "Child C"] {
            children.push(root.child(name).create().await);
        }
        for child in &children {
            rename_each(&app, child, &["1", "2", "3"]).await;
        }
        work(&app).await;
        assert_eq!(well.received().len(), 9);
        let log = log(&app, &stuck).await;
        let errors: Vec<&str> =
            log.iter().filter_map(|delivery| delivery["attempts"][0]["error"].as_str()).collect();
        assert_eq!(errors.len(), 3, "one attempt for each organization: {errors:?}");
        assert!(errors.iter().all(|error| error.starts_with("No answer within")), "{errors:?}");
    }

    async fn gone_disables_and_cancels_what_waited(app) {
        let receiver = Receiver::start().await;
        let root = app.root("Quinn").create().await;
        let endpoint = listen(&app, &root.key, &root, &receiver, "OWN", RENAMED).await;
        let told = Receiver::start().await;
        listen(&app, &root.key, &root, &told, "OWN", &["webhook_endpoint.disabled"]).await;
        rename_each(&app, &root, &["1", "2", "3"]).await;
        receiver.will_reply([Reply::Status(410)]);
        work(&app).await;
        assert_eq!(receiver.received().len(), 1);
        assert_eq!(enabled(&app, &endpoint).await, (false, "The endpoint answered 410 Gone.".to_owned()));
        assert_eq!(statuses(&log(&app, &endpoint).await), ["FAILED", "CANCELLED", "CANCELLED"]);
        assert_eq!(told.received()[0].body["data"]["webhookEndpointId"], endpoint.id);
        // Enabled again, it hears of what happens from then on.
        rename_each(&app, &root, &["meanwhile"]).await;
        let input = json!({ "webhookEndpointId": endpoint.id, "enabled": true });
        app.mutate(&root.key, "webhookEndpointUpdate", input, "webhookEndpoint { enabled }").await.done();
        rename_each(&app, &root, &["later"]).await;
        work(&app).await;
        assert_eq!(receiver.received().len(), 2);
    }

    async fn five_days_of_failures_disable_an_endpoint(app) {
        let receiver = Receiver::start().await;
        let root = app.root("Quinn").create().await;
        let endpoint = listen(&app, &root.key, &root, &receiver, "OWN", RENAMED).await;
        receiver.will_reply((0..100).map(|_| Reply::Status(500)));
        rename_each(&app, &root, &["1", "2", "3", "4", "5", "6"]).await;
        let mut rounds = 0;
        while enabled(&app, &endpoint).await.0 {
            work(&app).await;
            app.advance(6 * 3_600);
            rounds += 1;
            assert!(rounds < 100, "it is never disabled");
        }
        assert!((20..30).contains(&rounds), "five days are twenty rounds of six hours: {rounds}");
        assert_eq!(enabled(&app, &endpoint).await.1, "Every attempt failed for five days.");
    }

    async fn one_success_in_five_days_keeps_an_endpoint(app) {
        let receiver = Receiver::start().await;
        let root = app.root("Quinn").create().await;
        let endpoint = listen(&app, &root.key, &root, &receiver, "OWN", RENAMED).await;
        let bad = |count| (0..count).map(|_| Reply::Status(500)).collect::<Vec<_>>();
        receiver.will_reply(bad(16));
        receiver.will_reply([Reply::Status(200)]);
        receiver.will_reply(bad(16));
        rename_each(&app, &root, &["1", "2", "3", "4", "5"]).await;
        for _ in 0..36 {
            work(&app).await;
            app.advance(6 * 3_600);
        }
        assert!(enabled(&app, &endpoint).await.0);
    }

    async fn a_pause_keeps_the_backlog_and_a_resume_sends_it_in_order(app) {
        let receiver = Receiver::start().await;
        let root = app.root("Quinn").create().await;
        let endpoint = listen(&app, &root.key, &root, &receiver, "OWN", RENAMED).await;
        assert_eq!(on_endpoint(&app, &root.key, "webhookEndpointPause", &endpoint).await["webhookEndpoint"]["paused"], true);
        rename_each(&app, &root, &["1", "2", "3"]).await;
        work(&app).await;
        assert_eq!(receiver.received().len(), 0);
        assert_eq!(statuses(&log(&app, &endpoint).await), ["PENDING", "PENDING", "PENDING"]);
        on_endpoint(&app, &root.key, "webhookEndpointResume", &endpoint).await;
        work(&app).await;
        let sent: Vec<String> = receiver.received().iter().map(|it| it.id.clone()).collect();
        let kept: Vec<String> = log(&app, &endpoint).await.iter().map(|it| text(&it["eventId"])).collect();
        assert_eq!(sent, kept);
    }

    /// SPEC §6.
    async fn a_suspension_pauses_the_organizations_own_endpoints_and_leaves_the_firehose(app) {
        let (own, hose) = (Receiver::start().await, Receiver::start().await);
        let root = app.root("Top").create().await;
        let child = root.child("Child").create().await;
        let types = ["organization.*"];
        listen(&app, &child.key, &child, &own, "OWN", &types).await;
        listen(&app, &root.key, &root, &hose, "SUBTREE", &types).await;
        child.suspend(&root.key).await;
        rename(&app, &root.key, &child, "Renamed").await;
        work(&app).await;
        assert_eq!(own.received().len(), 0);
        assert_eq!(hose.received().len(), 2);
        let input = json!({ "organizationId": child.id });
        app.mutate(&root.key, "organizationResume", input, "organization { id }").await.done();
        app.advance(31);
        work(&app).await;
        let received = own.received();
        let types: Vec<&str> = received.iter().map(tests::Received::event_type).collect();
        assert_eq!(types, ["organization.suspended", "organization.updated", "organization.resumed"]);
    }

    /// SPEC §6: endpoints are disabled after `organization.archived` is queued.
    async fn an_archives_last_words_reach_the_endpoint_it_disables(app) {
        let receiver = Receiver::start().await;
        let root = app.root("Top").create().await;
        let child = root.child("Child").create().await;
        let endpoint = listen(&app, &child.key, &child, &receiver, "OWN", &["organization.*"]).await;
        rename(&app, &child.key, &child, "Renamed").await;
        let input = json!({ "organizationId": child.id });
        app.mutate(&root.key, "organizationArchive", input, "organization { id }").await.done();
        assert!(!enabled(&app, &endpoint).await.0);
        receiver.will_reply([Reply::Status(500)]);
        work(&app).await;
        app.advance(10);
        work(&app).await;
        let received = receiver.received();
        let types: Vec<&str> = received.iter().map(tests::Received::event_type).collect();
        assert_eq!(types, ["organization.updated", "organization.updated", "organization.archived"]);
    }

    async fn a_ping_goes_past_the_queue(app) {
        let receiver = Receiver::start().await;
        let root = app.root("Quinn").create().await;
        let endpoint = listen(&app, &root.key, &root, &receiver, "OWN", RENAMED).await;
        rename_each(&app, &root, &["1", "2"]).await;
        receiver.will_reply([Reply::Status(500)]);
        work(&app).await;
        let input = json!({ "webhookEndpointId": endpoint.id });
        let pinged = app.mutate(&root.key, "webhookEndpointPing", input, "webhookDelivery { id eventType status }").await;
        let pinged = pinged.done()["webhookDelivery"].clone();
        assert_eq!((&pinged["eventType"], &pinged["status"]), (&json!("webhook_endpoint.ping"), &json!("PENDING")));
        work(&app).await;
        let last = receiver.received().pop().expect("something arrived");
        assert_eq!((last.event_type(), last.organization()), ("webhook_endpoint.ping", &*root.id));
        let document = "query($id: ID!) { node(id: $id) { ... on WebhookDelivery { status attempts { responseStatus } } } }";
        let answer = app.gql(&root.key, document, json!({ "id": pinged["id"] })).await.clean();
        assert_eq!(answer.at("/node/status"), "DELIVERED");
    }

    async fn a_redelivery_carries_the_same_event_id(app) {
        let receiver = Receiver::start().await;
        let root = app.root("Quinn").create().await;
        let endpoint = listen(&app, &root.key, &root, &receiver, "OWN", RENAMED).await;
        rename_each(&app, &root, &["1"]).await;
        let waiting = |log: &[Value]| json!({ "webhookDeliveryId": log[0]["id"] });
        receiver.will_reply([Reply::Status(500)]);
        work(&app).await;
        let selection = "webhookDelivery { id eventId redeliveryOfId }";
        let first = log(&app, &endpoint).await;
        app.mutate(&root.key, "webhookDeliveryRedeliver", waiting(&first), selection).await.refused("CONFLICT");
        app.advance(10);
        work(&app).await;
        let again = app.mutate(&root.key, "webhookDeliveryRedeliver", waiting(&first), selection).await;
        let again = again.done()["webhookDelivery"].clone();
        assert_eq!((&again["eventId"], &again["redeliveryOfId"]), (&first[0]["eventId"], &first[0]["id"]));
        work(&app).await;
        let received = receiver.received();
        assert_eq!(received.len(), 3);
        assert!(received.iter().all(|it| it.id == received[0].id && it.text == received[0].text));
    }

    /// At least once: the receiver has it, the gateway dies before it wrote that down, another one sends it again.
    async fn a_gateway_that_dies_while_sending_is_taken_over_under_the_same_event_id(app) {
        let receiver = Receiver::start().await;
        let root = app.root("Quinn").create().await;
        let endpoint = listen(&app, &root.key, &root, &receiver, "OWN", RENAMED).await;
        rename_each(&app, &root, &["1", "2"]).await;
        receiver.will_reply([Reply::Silence]);
        let dying = app.webhooks();
        let dying = tokio::spawn(async move { dying.run_until_idle().await });
        receiver.arrived(1).await;
        dying.abort();
        let _ = dying.await;
        work(&app).await;
        assert_eq!(receiver.received().len(), 1, "the lease stands");
        app.advance(61);
        work(&app).await;
        let received = receiver.received();
        assert_eq!(received.len(), 3, "{received:?}");
        assert!(received[0].id == received[1].id && received[1].id != received[2].id);
        assert_eq!(statuses(&log(&app, &endpoint).await), ["DELIVERED", "DELIVERED"]);
    }

    async fn gateways_share_the_work_and_none_is_done_twice(app) {
        let receiver = Receiver::start().await;
        let root = app.root("Top").create().await;
        for _ in 0..4 {
            listen(&app, &root.key, &root, &receiver, "SUBTREE", RENAMED).await;
        }
        let mut children = Vec::new();
        for name in ["Child A", "Child B", "Child C"] {
            children.push(root.child(name).create().await);
        }
        for child in &children {
            rename_each(&app, child, &["1", "2", "3", "4", "5"]).await;
        }
        let gateways: Vec<_> = (0..4).map(|_| app.webhooks()).collect();
        futures_util::future::try_join_all(gateways.iter().map(|gateway| gateway.run_until_idle())).await.expect("all work");
        work(&app).await;
        let mut times: BTreeMap<String, usize> = BTreeMap::new();
        for it in receiver.received() {
            *times.entry(it.id).or_default() += 1;
        }
        assert_eq!(times.len(), 15);
        assert!(times.values().all(|times| *times == 4), "each of four endpoints once: {times:?}");
    }

    async fn after_a_rotation_both_secrets_sign_until_the_overlap_ends(app) {
        let receiver = Receiver::start().await;
        let root = app.root("Quinn").create().await;
        let endpoint = listen(&app, &root.key, &root, &receiver, "OWN", RENAMED).await;
        let input = json!({ "webhookEndpointId": endpoint.id, "idempotencyKey": "rotate-1" });
        let selection = "secret replayed webhookEndpoint { previousSecretExpiresAt }";
        let rotated = app.mutate(&root.key, "webhookEndpointSecretRotate", input.clone(), selection).await;
        let secret = text(&rotated.done()["secret"]);
        assert_ne!(secret, endpoint.secret);
        let replay = app.mutate(&root.key, "webhookEndpointSecretRotate", input, selection).await;
        assert_eq!((&replay.done()["secret"], &replay.done()["replayed"]), (&Value::Null, &json!(true)));
        for _ in 0..2 {
            rename_each(&app, &root, &["again"]).await;
            work(&app).await;
            app.advance(24 * 3_600 + 1);
        }
        let signed = |secret: &str, it: &tests::Received| {
            let webhook = standardwebhooks::Webhook::new(secret).expect("a secret is one");
            let at = it.timestamp.parse().expect("seconds");
            it.signatures.contains(&webhook.sign(&it.id, at, it.text.as_bytes()).expect("it signs"))
        };
        let received = receiver.received();
        let by = |it| (signed(&secret, it), signed(&endpoint.secret, it));
        assert_eq!(by(&received[0]), (true, true));
        assert_eq!(by(&received[1]), (true, false));
        assert_eq!(received[1].signatures.len(), 1);
    }

    async fn the_log_keeps_the_beginning_of_an_answer_and_redirects_are_not_followed(app) {
        let (receiver, elsewhere) = (Receiver::start().await, Receiver::start().await);
        let root = app.root("Quinn").create().await;
        let endpoint = listen(&app, &root.key, &root, &receiver, "OWN", RENAMED).await;
        receiver.will_reply([Reply::Body(500, "x\0".repeat(100_000)), Reply::Redirect(elsewhere.url.clone())]);
        rename_each(&app, &root, &["1"]).await;
        for _ in 0..3 {
            work(&app).await;
            app.advance(3_600);
        }
        let log = log(&app, &endpoint).await;
        let attempts = log[0]["attempts"].as_array().expect("a list");
        let statuses: Vec<i64> = attempts.iter().filter_map(|it| it["responseStatus"].as_i64()).collect();
        assert_eq!(statuses, [500, 307, 204]);
        let body = attempts[0]["responseBody"].as_str().expect("a text");
        assert_eq!((body.chars().count(), body.contains('\0')), (1_024, false));
        assert!(attempts[1]["error"].as_str().is_some_and(|error| error.contains("not followed")));
        assert_eq!(elsewhere.received().len(), 0);
    }

    async fn the_log_is_filtered_by_status_and_cleared_after_a_month(app) {
        let receiver = Receiver::start().await;
        let root = app.root("Quinn").create().await;
        let endpoint = listen(&app, &root.key, &root, &receiver, "OWN", RENAMED).await;
        rename_each(&app, &root, &["1", "2"]).await;
        receiver.will_reply([Reply::Status(204), Reply::Status(500)]);
        work(&app).await;
        let document = "query($id: ID!, $status: DeliveryStatus) { node(id: $id) { ... on WebhookEndpoint {
          deliveries(status: $status) { totalCount nodes { status } } } } }";
        for (status, count) in [("DELIVERED", 1), ("PENDING", 1), ("FAILED", 0)] {
            let variables = json!({ "id": endpoint.id, "status": status });
            let answer = app.gql(&root.key, document, variables).await.clean();
            assert_eq!(answer.at("/node/deliveries/totalCount"), count, "{status}");
        }
        app.advance(29 * 24 * 3_600);
        work(&app).await;
        app.advance(2 * 24 * 3_600);
        work(&app).await;
        assert_eq!(statuses(&log(&app, &endpoint).await), ["DELIVERED"], "the second one was delivered late");
    }

    async fn a_removed_endpoint_gets_nothing_more_and_leaves_no_log(app) {
        let receiver = Receiver::start().await;
        let root = app.root("Quinn").create().await;
        let endpoint = listen(&app, &root.key, &root, &receiver, "OWN", RENAMED).await;
        rename_each(&app, &root, &["1", "2"]).await;
        receiver.will_reply([Reply::Status(500)]);
        work(&app).await;
        let input = json!({ "webhookEndpointId": endpoint.id });
        app.mutate(&root.key, "webhookEndpointDelete", input, "deletedWebhookEndpointId").await.done();
        app.advance(3_600);
        work(&app).await;
        assert_eq!(receiver.received().len(), 1);
        for table in ["delivery", "delivery_attempt", "delivery_queue"] {
            assert_eq!(app.number(&format!("SELECT COUNT(*) FROM {table}")).await, 0, "{table}");
        }
    }

    async fn only_admin_touches_the_firehose_and_strangers_see_no_delivery(app) {
        let receiver = Receiver::start().await;
        let root = app.root("Top").create().await;
        let stranger = app.root("Stranger").create().await;
        let endpoint = listen(&app, &root.key, &root, &receiver, "SUBTREE", RENAMED).await;
        rename_each(&app, &root, &["1"]).await;
        work(&app).await;
        let delivery = log(&app, &endpoint).await[0]["id"].clone();
        let plain = root.mint(&["webhooks:*"]).await;
        let on = json!({ "webhookEndpointId": endpoint.id });
        let of = json!({ "webhookDeliveryId": delivery });
        for (field, input) in [
            ("webhookEndpointPause", &on),
            ("webhookEndpointResume", &on),
            ("webhookEndpointPing", &on),
            ("webhookEndpointSecretRotate", &on),
            ("webhookDeliveryRedeliver", &of),
        ] {
            app.mutate(&plain, field, input.clone(), "query { __typename }").await.refused("FORBIDDEN_SCOPE");
            app.mutate(&stranger.key, field, input.clone(), "query { __typename }").await.refused("NOT_FOUND");
        }
        let node = "query($id: ID!) { node(id: $id) { id } }";
        assert_eq!(app.gql(&stranger.key, node, json!({ "id": delivery })).await.clean().at("/node"), &Value::Null);
        let keys_only = root.mint(&["keys:*"]).await;
        assert_eq!(app.gql(&keys_only, node, json!({ "id": delivery })).await.clean().at("/node"), &Value::Null);
        assert_eq!(app.gql(&plain, node, json!({ "id": delivery })).await.clean().at("/node/id"), &delivery);
    }
}
