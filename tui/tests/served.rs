//! The gateway of the tests on a real socket: HTTP and WebSocket, with faults to order. The console's benchmark uses it
//! too.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::post;
use futures_util::{SinkExt, stream};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::{broadcast, watch};
use tokio::time::{Interval, interval};

use crate::gateway::Gateway;

/// Longer than anything here takes; reached only by a failure.
pub const PATIENCE: Duration = Duration::from_secs(20);
pub const KEY: &str = "byn_op_test";
/// Orders that may wait for a connection to carry them out.
const ORDERS_MAX: usize = 64;
/// How often a flood sends; what is due since goes out together.
const FLOOD_TICK: Duration = Duration::from_millis(1);

/// What a test makes the gateway do to every open WebSocket.
#[derive(Clone, Debug)]
pub enum Script {
    Wallet(&'static str),
    Event(&'static str, &'static str),
    Flood(Flood),
    /// Ends every stream, as of a console that reads too slowly.
    SlowConsumer,
    Close(u16),
    Drop,
    /// Says nothing more and reads on: a connection that is open at one end only.
    Silence,
}

/// News at a steady rate: a charge and a change of a record by turns, of organizations that chance picks.
#[derive(Clone, Debug)]
pub struct Flood {
    pub per_second: u32,
    pub count: u64,
    pub seed: u64,
}

#[derive(Clone)]
pub struct Served {
    pub gateway: Arc<Mutex<Gateway>>,
    script: broadcast::Sender<Script>,
    /// Streams of wallets accepted so far, over all connections.
    pub subscribed: watch::Sender<usize>,
    /// Messages of the flood that went out.
    pub flooded: watch::Sender<u64>,
    /// The close code for every connection from now on.
    pub refuse: Arc<Mutex<Option<u16>>>,
    /// The next mutation is done, and its answer is not sent.
    pub lose_next_answer: Arc<Mutex<bool>>,
}

impl Served {
    pub fn new() -> Self {
        Self {
            gateway: Arc::new(Mutex::new(Gateway::new())),
            script: broadcast::channel(ORDERS_MAX).0,
            subscribed: watch::channel(0).0,
            flooded: watch::channel(0).0,
            refuse: Arc::default(),
            lose_next_answer: Arc::default(),
        }
    }

    pub async fn listen(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(self.clone().serve(listener));
        address
    }

    async fn serve(self, listener: TcpListener) {
        let router = Router::new().route("/graphql", post(answer).get(upgrade)).with_state(self);
        axum::serve(listener, router).await.unwrap();
    }

    pub fn play(&self, script: Script) {
        self.script.send(script).expect("a connection to play it on");
    }

    pub async fn subscribed(&self, times: usize) {
        let mut subscribed = self.subscribed.subscribe();
        let reached = subscribed.wait_for(|count| *count >= times);
        tokio::time::timeout(PATIENCE, reached).await.expect("a subscription").unwrap();
    }
}

/// The gateway on threads of its own, so that it can be killed with everything that is open, and started again on its
/// port.
pub struct Apart {
    pub address: SocketAddr,
    runtime: Option<Runtime>,
}

impl Apart {
    pub fn start(served: &Served) -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), served)
    }

    pub fn start_at(address: SocketAddr, served: &Served) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (told, bound) = std::sync::mpsc::channel();
        let served = served.clone();
        runtime.spawn(async move {
            // Whoever had the port before may not have let go of it yet.
            let listener = loop {
                match TcpListener::bind(address).await {
                    Ok(listener) => break listener,
                    Err(_) => tokio::task::yield_now().await,
                }
            };
            told.send(listener.local_addr().unwrap()).unwrap();
            served.serve(listener).await;
        });
        Self { address: bound.recv_timeout(PATIENCE).expect("a port"), runtime: Some(runtime) }
    }

    /// Ends it where it stands.
    pub fn kill(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }

    pub fn start_again(&mut self, served: &Served) {
        *self = Self::start_at(self.address, served);
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        self.kill();
    }
}

async fn answer(State(served): State<Served>, Json(body): Json<Value>) -> Response {
    let operation = body["operationName"].as_str().unwrap().to_owned();
    let answer = served.gateway.lock().unwrap().respond(&operation, &body["variables"]);
    let loses = operation == "TransferMutation" && std::mem::take(&mut *served.lose_next_answer.lock().unwrap());
    if loses {
        // A body that ends in the middle is what a connection lost in the middle looks like.
        let cut = stream::iter([Ok(r#"{"data":"#), Err(io::Error::other("cut"))]);
        return axum::body::Body::from_stream(cut).into_response();
    }
    Json(answer).into_response()
}

async fn upgrade(State(served): State<Served>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.protocols(["graphql-transport-ws"]).on_upgrade(|socket| async move {
        let mut connection =
            Connection { script: served.script.subscribe(), served, socket, streams: HashMap::new(), flood: None };
        // A console that is gone takes nothing, and nobody is left to be told.
        let _ = connection.live().await;
    })
}

struct Connection {
    served: Served,
    socket: WebSocket,
    script: broadcast::Receiver<Script>,
    /// Ids of open streams, with what they are of.
    streams: HashMap<String, Topic>,
    flood: Option<Flooding>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Topic {
    Wallets,
    Events,
}

struct Flooding {
    ticks: Interval,
    left: u64,
    per_tick: u64,
    random: SmallRng,
}

/// The connection is over.
struct Over;

impl From<axum::Error> for Over {
    fn from(_: axum::Error) -> Self {
        Self
    }
}

impl Connection {
    async fn live(&mut self) -> Result<(), Over> {
        let mut silent = false;
        loop {
            let tick = async {
                match &mut self.flood {
                    Some(flood) => flood.ticks.tick().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                incoming = self.socket.recv() => {
                    let Some(Ok(Message::Text(text))) = incoming else { return Ok(()) };
                    if !silent {
                        self.hear(&serde_json::from_str(&text).unwrap()).await?;
                    }
                }
                step = self.script.recv() => match step.unwrap() {
                    Script::Wallet(id) => {
                        let wallet = self.served.gateway.lock().unwrap().wallet(id);
                        self.tell(Topic::Wallets, &json!({ "walletChanges": wallet })).await?;
                    }
                    Script::Event(kind, id) => {
                        let event = self.served.gateway.lock().unwrap().event(kind, id);
                        self.tell(Topic::Events, &json!({ "events": event })).await?;
                    }
                    Script::Flood(flood) => self.flood = Some(Flooding::of(&flood)),
                    Script::SlowConsumer => self.end_streams().await?,
                    Script::Close(code) => return self.close(code).await,
                    Script::Drop => return Ok(()),
                    Script::Silence => silent = true,
                },
                _ = tick => self.flood().await?,
            }
            self.socket.flush().await?;
        }
    }

    async fn hear(&mut self, message: &Value) -> Result<(), Over> {
        let id = || message["id"].as_str().unwrap().to_owned();
        let reply = match message["type"].as_str().unwrap() {
            "connection_init" => {
                assert_eq!(message["payload"]["Authorization"], format!("Bearer {KEY}"));
                let refused = *self.served.refuse.lock().unwrap();
                if let Some(code) = refused {
                    self.close(code).await?;
                    return Err(Over);
                }
                json!({ "type": "connection_ack" })
            }
            "ping" => json!({ "type": "pong" }),
            "subscribe" => {
                let of_wallets = message["payload"]["operationName"] == "WalletChanges";
                self.streams.insert(id(), if of_wallets { Topic::Wallets } else { Topic::Events });
                let after = message["payload"]["variables"]["after"].as_str().map(str::to_owned);
                self.tell_missed(&id(), after).await?;
                self.served.subscribed.send_modify(|count| *count += usize::from(of_wallets));
                return Ok(());
            }
            "complete" => {
                self.streams.remove(&id());
                return Ok(());
            }
            _ => return Ok(()),
        };
        self.say(&reply).await
    }

    /// What happened behind a cursor.
    async fn tell_missed(&mut self, id: &str, after: Option<String>) -> Result<(), Over> {
        let Some(after) = after else { return Ok(()) };
        let after: usize = after.parse().unwrap();
        let is_missed =
            |event: &&Value| event["cursor"].as_str().is_some_and(|at| at.parse::<usize>().unwrap() > after);
        let missed: Vec<Value> = {
            let gateway = self.served.gateway.lock().unwrap();
            gateway.events.iter().filter(is_missed).cloned().collect()
        };
        for event in missed {
            let payload = json!({ "data": { "events": event } });
            self.say(&json!({ "type": "next", "id": id, "payload": payload })).await?;
        }
        Ok(())
    }

    async fn tell(&mut self, topic: Topic, data: &Value) -> Result<(), Over> {
        let ids: Vec<String> = self.streams.iter().filter(|(_, of)| **of == topic).map(|(id, _)| id.clone()).collect();
        for id in ids {
            self.say(&json!({ "type": "next", "id": id, "payload": { "data": data } })).await?;
        }
        Ok(())
    }

    async fn end_streams(&mut self) -> Result<(), Over> {
        let error = json!({ "message": "Read faster.", "extensions": { "code": "SLOW_CONSUMER" } });
        for (id, _) in std::mem::take(&mut self.streams) {
            self.say(&json!({ "type": "error", "id": id, "payload": [error] })).await?;
        }
        Ok(())
    }

    async fn flood(&mut self) -> Result<(), Over> {
        let Some(mut flood) = self.flood.take() else { return Ok(()) };
        for _ in 0..flood.per_tick.min(flood.left) {
            let (topic, data) = {
                let mut gateway = self.served.gateway.lock().unwrap();
                let at = flood.random.random_range(0..gateway.organizations.len());
                let id = gateway.organizations[at].id.clone();
                match flood.left.is_multiple_of(2) {
                    true => {
                        gateway.charge(&id, 1, "");
                        (Topic::Wallets, json!({ "walletChanges": gateway.wallet(&id) }))
                    }
                    false => {
                        gateway.organizations[at].name = format!("Renamed {}", flood.left % 10_000);
                        (Topic::Events, json!({ "events": gateway.event("organization.updated", &id) }))
                    }
                }
            };
            flood.left -= 1;
            self.tell(topic, &data).await?;
            self.served.flooded.send_modify(|count| *count += 1);
        }
        self.flood = Some(flood).filter(|flood| flood.left > 0);
        Ok(())
    }

    /// Says it with the next flush.
    async fn say(&mut self, message: &Value) -> Result<(), Over> {
        Ok(self.socket.feed(Message::text(message.to_string())).await?)
    }

    async fn close(&mut self, code: u16) -> Result<(), Over> {
        let frame = CloseFrame { code, reason: "as the test says".into() };
        Ok(self.socket.send(Message::Close(Some(frame))).await?)
    }
}

impl Flooding {
    fn of(flood: &Flood) -> Self {
        let ticks_per_second = u32::try_from(1_000 / FLOOD_TICK.as_millis()).unwrap();
        Self {
            ticks: interval(FLOOD_TICK),
            left: flood.count,
            per_tick: u64::from(flood.per_second.div_ceil(ticks_per_second)),
            random: SmallRng::seed_from_u64(flood.seed),
        }
    }
}
