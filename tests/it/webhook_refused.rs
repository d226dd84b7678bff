//! Where webhooks are never sent (SPEC §8): whatever name or spelling leads there.

use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use banyan::webhook::Loopback;
use banyan::webhook::send::Names;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::json;
use tests::{Receiver, TestApp, both};

/// A name that leads elsewhere every time it is asked for, as a rebinding one does.
struct Rebinding {
    answers: Mutex<Vec<&'static str>>,
    asked: AtomicUsize,
}

impl Rebinding {
    fn new(answers: &[&'static str]) -> Arc<Self> {
        let answers = Mutex::new(answers.iter().rev().copied().collect());
        Arc::new(Self { answers, asked: AtomicUsize::new(0) })
    }
}

impl Names for Rebinding {
    fn addresses(&self, _: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let next = self.answers.lock().expect("nobody panics with it").pop();
        let next = next.map(|text| text.parse().expect("an address"));
        async move { Ok(next.into_iter().collect()) }.boxed()
    }
}

/// Registers an endpoint and has one event sent to it, as often as it is tried.
async fn send(app: &TestApp, url: &str, names: Arc<dyn Names>, loopback: Loopback, tries: usize) -> Vec<String> {
    let root = app.root("Quinn").create().await;
    let input = json!({ "organizationId": root.id, "url": url, "eventTypes": ["organization.updated"] });
    let made = app.mutate(&root.key, "webhookEndpointCreate", input, "webhookEndpoint { id }").await;
    let endpoint = made.done()["webhookEndpoint"]["id"].clone();
    let input = json!({ "organizationId": root.id, "expectedVersion": 1, "name": "Renamed" });
    app.mutate(&root.key, "organizationUpdate", input, "organization { id }").await.done();
    let worker = app.webhooks_with(loopback, names);
    for _ in 0..tries {
        worker.run_until_idle().await.expect("webhooks are tried");
        app.advance(3_600);
    }
    let document = "query($id: ID!) { node(id: $id) { ... on WebhookEndpoint {
      deliveries { nodes { attempts { error } } } } } }";
    let answer = app.gql(&root.key, document, json!({ "id": endpoint })).await.clean();
    let attempts = answer.at("/node/deliveries/nodes/0/attempts").as_array().expect("a list").clone();
    attempts.iter().map(|attempt| attempt["error"].as_str().unwrap_or_default().to_owned()).collect()
}

both! {
    /// Edge case 50. A check before the request would have seen the public address and then dialled this machine; here what
    /// was checked is what is dialled, every time.
    async fn a_name_that_turns_to_this_machine_after_the_check_leads_nowhere(app) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let port = listener.local_addr().expect("a listener has an address").port();
        let names = Rebinding::new(&["11.0.0.1", "127.0.0.1", "::ffff:127.0.0.1", "169.254.169.254"]);
        let url = format!("https://rebind.example.com:{port}/hook");
        let errors = send(&app, &url, names.clone(), Loopback::Refused, 4).await;
        assert_eq!(names.asked.load(Ordering::SeqCst), 4, "one look for each dial: {errors:?}");
        assert!(!errors[0].contains("not public"), "the public address was dialled: {errors:?}");
        assert!(errors[1..].iter().all(|error| error.contains("not public")), "{errors:?}");
        assert!(listener.accept().now_or_never().is_none(), "this machine was dialled");
    }

    async fn the_setting_lets_this_machine_through_and_no_other_private_address(app) {
        let receiver = Receiver::start().await;
        let url = receiver.url.replace("127.0.0.1", "localhost");
        let names = Rebinding::new(&["10.0.0.1", "127.0.0.1"]);
        let errors = send(&app, &url, names, Loopback::Allowed, 2).await;
        assert!(errors[0].contains("private"), "{errors:?}");
        assert_eq!((errors[1].as_str(), receiver.received().len()), ("", 1));
    }

    async fn an_address_is_refused_when_it_is_registered_too(app) {
        let root = app.root("Quinn").create().await;
        for url in ["https://10.0.0.1/", "https://2852039166/latest/meta-data/", "https://[::ffff:192.168.0.1]/"] {
            let input = json!({ "organizationId": root.id, "url": url, "eventTypes": ["*"] });
            let answer = app.mutate(&root.key, "webhookEndpointCreate", input, "webhookEndpoint { id }").await;
            answer.refused_at("INVALID_INPUT", "url");
        }
    }
}
