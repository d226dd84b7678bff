//! Those who listen, and those who spend. They read no more of a message than they need.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use banyan::kernel::clock::{Clock, SystemClock};
use entity::timestamp::Timestamp;
use futures_util::{SinkExt, StreamExt};
use rand::RngExt;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::STREAMS_PER_SOCKET;
use crate::scene::Scene;

const DOCUMENT: &str = "subscription($of: ID, $scope: EventScope!) {
  events(organizationId: $of, scope: $scope, types: [\"credit.charged\"], after: \"0\") { cursor occurredAt } }";
const OCCURRED_AT: &str = "\"occurredAt\":\"";

/// What was heard, by all.
#[derive(Default)]
pub struct Heard {
    count: AtomicU64,
    delays: Mutex<Vec<i64>>,
}

impl Heard {
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// In microseconds, the shortest first.
    pub fn delays(&self) -> Vec<i64> {
        let mut delays = self.delays.lock().unwrap_or_else(PoisonError::into_inner).clone();
        delays.sort_unstable();
        delays
    }

    fn note(&self, message: &str) {
        let now = SystemClock.now();
        let Some((_, rest)) = message.split_once(OCCURRED_AT) else {
            assert!(!message.contains("\"error"), "a stream ended: {message}");
            return;
        };
        let at: Timestamp = rest.split('"').next().and_then(|text| text.parse().ok()).expect("an instant");
        self.delays.lock().unwrap_or_else(PoisonError::into_inner).push(now.as_micros() - at.as_micros());
        self.count.fetch_add(1, Ordering::Relaxed);
    }
}

/// Opens every stream of the scene.
pub async fn listen(address: SocketAddr, scene: &Scene, heard: &Arc<Heard>) -> Listeners {
    let mut listeners = JoinSet::new();
    for root in &scene.roots {
        let streams = root.streams();
        for (key, streams) in root.listening_keys.iter().zip(streams.chunks(STREAMS_PER_SOCKET)) {
            let mut socket = open(address, key).await;
            for (number, variables) in streams.iter().enumerate() {
                let payload = json!({ "query": DOCUMENT, "variables": variables });
                let subscribe = json!({ "type": "subscribe", "id": number.to_string(), "payload": payload });
                socket.send(Message::text(subscribe.to_string())).await.expect("the gateway listens");
            }
            let heard = Arc::clone(heard);
            listeners.spawn(async move {
                while let Some(message) = socket.next().await {
                    match message.expect("the socket does not break off") {
                        Message::Text(text) => heard.note(&text),
                        Message::Close(frame) => panic!("the gateway closed a socket: {frame:?}"),
                        _ => {}
                    }
                }
            });
        }
    }
    Listeners(listeners)
}

/// They listen until they are told not to.
pub struct Listeners(JoinSet<()>);

impl Listeners {
    pub fn abort_all(mut self) {
        self.0.abort_all();
    }
}

type Socket = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

async fn open(address: SocketAddr, key: &str) -> Socket {
    let mut request = format!("ws://{address}/graphql").into_client_request().expect("an address");
    let protocol = "graphql-transport-ws".parse().expect("a legal header");
    request.headers_mut().insert("sec-websocket-protocol", protocol);
    let (mut socket, _) = connect_async(request).await.expect("the gateway upgrades");
    let init = json!({ "type": "connection_init", "payload": { "authorization": format!("Bearer {key}") } });
    socket.send(Message::text(init.to_string())).await.expect("the gateway listens");
    let answer = socket.next().await.expect("an answer").expect("the socket is open");
    assert!(answer.to_text().is_ok_and(|text| text.contains("connection_ack")), "{answer}");
    socket
}

/// Spends at a steady rate.
pub struct Spender {
    http: reqwest::Client,
    address: String,
    /// Organizations and the key that spends theirs.
    accounts: Arc<Vec<(String, String)>>,
}

pub struct Charged {
    pub done: u64,
    pub failed: u64,
    pub per_second: f64,
}

impl Spender {
    pub fn new(address: SocketAddr, scene: &Scene) -> Self {
        let accounts = scene.roots.iter().flat_map(|root| {
            root.organizations.iter().map(|organization| (organization.clone(), root.spending_key.clone()))
        });
        Self {
            http: reqwest::Client::new(),
            address: format!("http://{address}/graphql"),
            accounts: Arc::new(accounts.collect()),
        }
    }

    pub async fn spend(&self, per_second: u32, time: Duration) -> Charged {
        let begun = Instant::now();
        let total = (f64::from(per_second) * time.as_secs_f64()) as u64;
        let mut ticks = tokio::time::interval(Duration::from_secs(1) / per_second.max(1));
        let mut charges = JoinSet::new();
        for number in 0..total {
            ticks.tick().await;
            let (http, address) = (self.http.clone(), self.address.clone());
            let (organization, key) = self.accounts[rand::rng().random_range(0..self.accounts.len())].clone();
            charges.spawn(async move { charge(&http, &address, &organization, &key, number).await });
        }
        let results = charges.join_all().await;
        let done = results.iter().filter(|done| **done).count() as u64;
        Charged { done, failed: total - done, per_second: total as f64 / begun.elapsed().as_secs_f64() }
    }
}

async fn charge(http: &reqwest::Client, address: &str, organization: &str, key: &str, number: u64) -> bool {
    let query = "mutation($input: CreditChargeInput!) {
      creditCharge(input: $input) { charge { id } userErrors { message } } }";
    let input = json!({ "organizationId": organization, "amount": 1, "idempotencyKey": format!("bench-{number}") });
    let body = json!({ "query": query, "variables": { "input": input } });
    let sent = http.post(address).bearer_auth(key).json(&body).send().await;
    let Ok(sent) = sent else { return false };
    sent.json::<Value>().await.is_ok_and(|answer| answer["data"]["creditCharge"]["charge"]["id"].is_string())
}
