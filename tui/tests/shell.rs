//! The whole console over a real socket: HTTP and WebSocket to a scripted gateway, keys from a
//! channel, frames from a test backend. Every wait is for something to appear.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::post;
use futures_util::stream;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{broadcast, mpsc, watch};
use tui::connection::{Connection, Gateway as Address, MESSAGES_MAX, Patience};
use tui::graphql::Secret;
use tui::model::{Model, Settings};
use tui::msg::{Key, Msg};
use tui::record::Recorder;
use tui::shell::{Clock, Ended, Host, Shell};

use crate::console::settings;
use crate::gateway::{ACME, Gateway, QUINN};

/// Longer than anything here takes; reached only by a failure.
const PATIENCE: Duration = Duration::from_secs(20);
const KEY: &str = "byn_op_test";

/// What a test makes the gateway do to every open WebSocket.
#[derive(Clone, Debug)]
enum Script {
    Wallet(&'static str),
    Event(&'static str, &'static str),
    Close(u16),
    Drop,
    Silence,
}

#[derive(Clone)]
struct Served {
    gateway: Arc<Mutex<Gateway>>,
    script: broadcast::Sender<Script>,
    /// Streams of wallets accepted so far, over all connections.
    subscribed: watch::Sender<usize>,
    /// The close code for every connection from now on.
    refuse: Arc<Mutex<Option<u16>>>,
    /// The next mutation is done, and its answer is not sent.
    lose_next_answer: Arc<Mutex<bool>>,
}

impl Served {
    fn new() -> Self {
        Self {
            gateway: Arc::new(Mutex::new(Gateway::new())),
            script: broadcast::channel(16).0,
            subscribed: watch::channel(0).0,
            refuse: Arc::default(),
            lose_next_answer: Arc::default(),
        }
    }

    async fn listen(&self) -> std::net::SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/graphql", post(answer).get(upgrade));
        let router = router.with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        address
    }

    fn charge(&self, amount: i64) {
        self.gateway.lock().unwrap().charge(ACME, amount, "invoice.submit");
    }

    fn play(&self, script: Script) {
        self.script.send(script).expect("a connection to play it on");
    }

    async fn subscribed(&self, times: usize) {
        let mut subscribed = self.subscribed.subscribe();
        let reached = subscribed.wait_for(|count| *count >= times);
        tokio::time::timeout(PATIENCE, reached).await.expect("a subscription").unwrap();
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
    upgrade.protocols(["graphql-transport-ws"]).on_upgrade(|socket| stream_wallets(served, socket))
}

async fn stream_wallets(served: Served, mut socket: WebSocket) {
    let mut script = served.script.subscribe();
    let mut streams = std::collections::HashMap::new();
    let mut silent = false;
    loop {
        tokio::select! {
            incoming = socket.recv() => {
                let Some(Ok(Message::Text(text))) = incoming else { return };
                if silent {
                    continue;
                }
                let message: Value = serde_json::from_str(&text).unwrap();
                let reply = match message["type"].as_str().unwrap() {
                    "connection_init" => {
                        assert_eq!(message["payload"]["Authorization"], format!("Bearer {KEY}"));
                        let refused = *served.refuse.lock().unwrap();
                        if let Some(code) = refused {
                            close(&mut socket, code).await;
                            return;
                        }
                        json!({ "type": "connection_ack" })
                    }
                    "ping" => json!({ "type": "pong" }),
                    "subscribe" => {
                        let operation = message["payload"]["operationName"].as_str().unwrap().to_owned();
                        if operation == "WalletChanges" {
                            served.subscribed.send_modify(|count| *count += 1);
                        }
                        streams.insert(operation, message["id"].clone());
                        continue;
                    }
                    _ => continue,
                };
                socket.send(Message::text(reply.to_string())).await.unwrap();
            }
            step = script.recv() => match step.unwrap() {
                Script::Wallet(id) => {
                    let wallet = served.gateway.lock().unwrap().wallet(id);
                    let payload = json!({ "data": { "walletChanges": wallet } });
                    let next = json!({ "type": "next", "id": streams["WalletChanges"], "payload": payload });
                    socket.send(Message::text(next.to_string())).await.unwrap();
                }
                Script::Event(kind, id) => {
                    let event = served.gateway.lock().unwrap().event(kind, id);
                    let payload = json!({ "data": { "events": event } });
                    let next = json!({ "type": "next", "id": streams["Events"], "payload": payload });
                    socket.send(Message::text(next.to_string())).await.unwrap();
                }
                Script::Close(code) => return close(&mut socket, code).await,
                Script::Drop => return,
                Script::Silence => silent = true,
            },
        }
    }
}

async fn close(socket: &mut WebSocket, code: u16) {
    let frame = CloseFrame { code, reason: "as the test says".into() };
    // The other side may have gone already.
    let _ = socket.send(Message::Close(Some(frame))).await;
}

struct Frames(watch::Sender<String>, Arc<Mutex<Vec<String>>>);

impl Host for Frames {
    fn begin_frame(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn end_frame(&mut self, frame: &Buffer) -> io::Result<()> {
        self.0.send_replace(crate::frame::letters(frame));
        Ok(())
    }

    fn copy(&mut self, text: &str) -> io::Result<()> {
        self.1.lock().unwrap().push(text.to_owned());
        Ok(())
    }

    fn suspend(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A running console, seen from its user's chair.
struct Seat {
    keys: mpsc::UnboundedSender<Msg>,
    frames: watch::Receiver<String>,
    copied: Arc<Mutex<Vec<String>>>,
    running: tokio::task::JoinHandle<io::Result<Ended>>,
}

fn patience() -> Patience {
    Patience {
        ping_every: Duration::from_millis(50),
        retry_first: Duration::from_millis(10),
        retry_max: Duration::from_millis(50),
        ..Patience::default()
    }
}

fn sit_down(address: std::net::SocketAddr, settings: Settings) -> Seat {
    sit_down_with(patience(), address, settings)
}

fn sit_down_with(patience: Patience, address: std::net::SocketAddr, settings: Settings) -> Seat {
    let clock = Clock::starting_at("2026-11-20T10:00:00Z".parse().unwrap());
    let (sender, messages) = mpsc::channel(MESSAGES_MAX);
    let gateway = Address {
        url: format!("http://{address}/graphql").parse().unwrap(),
        key: Secret::new(KEY),
        read_only: settings.read_only,
        patience,
    };
    let connection = Connection::new(gateway, sender, clock.clone()).unwrap();
    let (frame_sender, frames) = watch::channel(String::new());
    let copied = Arc::<Mutex<Vec<String>>>::default();
    let mut shell = Shell {
        model: Model::new(settings, uuid::Uuid::from_u128(7), clock.now()),
        terminal: Terminal::new(TestBackend::new(120, 40)).unwrap(),
        host: Frames(frame_sender, copied.clone()),
        connection: Some(connection),
        clock,
        recorder: Recorder::default(),
        switch_to: None,
    };
    let (keys, pressed) = mpsc::unbounded_channel();
    let input =
        stream::unfold(pressed, |mut pressed| async move { pressed.recv().await.map(|msg| (Ok(msg), pressed)) });
    let running = tokio::spawn(async move { shell.run(input, messages).await });
    Seat { keys, frames, copied, running }
}

impl Seat {
    fn press(&self, keys: &[Key]) {
        for key in keys {
            self.keys.send(Msg::Key(*key)).unwrap();
        }
    }

    /// Waits for a frame that says all of this, and gives it back.
    async fn sees(&mut self, words: &[&str]) -> String {
        let seen = {
            let says = |frame: &String| words.iter().all(|word| frame.contains(word));
            let wait = self.frames.wait_for(says);
            tokio::time::timeout(PATIENCE, wait).await.map(|frame| frame.unwrap().clone())
        };
        match seen {
            Ok(frame) => frame,
            Err(_) => panic!("never saw {words:?} but\n{}", *self.frames.borrow()),
        }
    }

    /// Presses again and again, because a dialog that has just opened takes no key. For keys that
    /// may be pressed twice.
    async fn presses_until(&mut self, keys: &[Key], word: &str) {
        let mut frames = self.frames.clone();
        let mut seen = std::pin::pin!(frames.wait_for(|frame| frame.contains(word)));
        let mut again = tokio::time::interval(Duration::from_millis(20));
        let pressed_and_seen = async {
            loop {
                tokio::select! {
                    frame = &mut seen => return drop(frame.unwrap()),
                    _ = again.tick() => self.press(keys),
                }
            }
        };
        tokio::time::timeout(PATIENCE, pressed_and_seen).await.expect("keys to be taken");
    }

    /// Waits for a frame that no longer says this.
    async fn sees_no(&mut self, word: &str) {
        let wait = self.frames.wait_for(|frame| !frame.contains(word));
        tokio::time::timeout(PATIENCE, wait).await.expect("it to go away").unwrap();
    }

    /// Opens the first root and goes to Acme.
    async fn goes_to_acme(&mut self) {
        self.sees(&["Quinn's Coffee CRM", "live"]).await;
        self.press(&[Key::Enter]);
        self.sees(&["Acme Coffee"]).await;
        self.press(&[Key::Down]);
        self.sees(&[ACME, "12,450"]).await;
    }
}

#[tokio::test]
async fn a_charge_elsewhere_moves_the_balance_and_then_the_ledger() {
    let served = Served::new();
    let mut seat = sit_down(served.listen().await, settings());
    seat.goes_to_acme().await;
    served.subscribed(1).await;
    served.charge(1_234);
    served.play(Script::Wallet(ACME));
    // Only the stream says by how much it changed; only the ledger names the charge.
    seat.sees(&["11,216", "last change         -1,234", "invoice.submit"]).await;
    assert_eq!(*served.subscribed.borrow(), 1, "over the first connection");
    seat.press(&[Key::Char('q')]);
    assert_eq!(seat.running.await.unwrap().unwrap(), Ended::Quit);
}

#[tokio::test]
async fn a_connection_that_is_killed_is_noticed_and_recovered_with_what_changed_meanwhile() {
    let served = Served::new();
    let mut seat = sit_down(served.listen().await, settings());
    seat.goes_to_acme().await;
    served.subscribed(1).await;
    served.charge(50);
    served.play(Script::Drop);
    served.subscribed(2).await;
    let frame = seat.sees(&["12,400", "* live"]).await;
    assert!(!frame.contains("STALE"), "{frame}");
    served.charge(1);
    served.play(Script::Wallet(ACME));
    seat.sees(&["12,399", "last change"]).await;
    assert_eq!(*served.subscribed.borrow(), 2, "over the second connection");
}

#[tokio::test]
async fn a_gateway_that_goes_silent_is_noticed() {
    let served = Served::new();
    let impatient = Patience { pong: Duration::from_millis(300), ..patience() };
    let mut seat = sit_down_with(impatient, served.listen().await, settings());
    seat.sees(&["Quinn's Coffee CRM", "* live"]).await;
    served.subscribed(1).await;
    served.play(Script::Silence);
    served.subscribed(2).await;
}

#[tokio::test]
async fn a_suspension_made_elsewhere_reaches_the_screen() {
    let served = Served::new();
    let mut seat = sit_down(served.listen().await, settings());
    seat.goes_to_acme().await;
    served.subscribed(1).await;
    served.gateway.lock().unwrap().find_mut(ACME).suspended = Some("chargeback".to_owned());
    served.play(Script::Event("organization.suspended", ACME));
    seat.sees(&["! Acme Coffee", "! SUSPENDED", "chargeback"]).await;
}

#[tokio::test]
async fn a_close_code_is_shown_and_the_connection_tried_again() {
    let served = Served::new();
    let mut seat = sit_down(served.listen().await, settings());
    seat.sees(&["Quinn's Coffee CRM", "* live"]).await;
    served.subscribed(1).await;
    *served.refuse.lock().unwrap() = Some(1013);
    served.play(Script::Close(1001));
    seat.sees(&["STALE", "closed with 1013"]).await;
    *served.refuse.lock().unwrap() = None;
    served.subscribed(2).await;
    seat.sees_no("STALE").await;
}

#[tokio::test]
async fn a_refused_key_is_said_and_not_tried_again() {
    let served = Served::new();
    let mut seat = sit_down(served.listen().await, settings());
    seat.sees(&["Quinn's Coffee CRM", "* live"]).await;
    served.subscribed(1).await;
    served.play(Script::Close(4403));
    seat.sees(&["REFUSED 4403", "as the test says"]).await;
    assert_eq!(*served.subscribed.borrow(), 1);
}

#[tokio::test]
async fn a_refused_key_is_tried_again_when_somebody_asks() {
    let served = Served::new();
    let mut seat = sit_down(served.listen().await, settings());
    seat.sees(&["Quinn's Coffee CRM", "* live"]).await;
    served.subscribed(1).await;
    served.play(Script::Close(4403));
    seat.sees(&["REFUSED 4403", "r asks again"]).await;
    seat.press(&[Key::Char('r')]);
    seat.sees(&["* live"]).await;
    served.subscribed(2).await;
}

#[tokio::test]
async fn a_lost_gateway_is_tried_at_once_when_somebody_asks() {
    let served = Served::new();
    let far_off = Duration::from_secs(3600);
    let patient = Patience { retry_first: far_off, retry_max: far_off, ..patience() };
    let mut seat = sit_down_with(patient, served.listen().await, settings());
    seat.sees(&["Quinn's Coffee CRM", "* live"]).await;
    served.subscribed(1).await;
    served.play(Script::Drop);
    seat.sees(&["STALE", "reconnecting"]).await;
    seat.press(&[Key::Char('r')]);
    served.subscribed(2).await;
}

#[tokio::test]
async fn an_answer_lost_on_the_way_is_looked_up_and_credits_move_once() {
    let served = Served::new();
    let mut seat = sit_down(served.listen().await, settings());
    seat.goes_to_acme().await;
    *served.lose_next_answer.lock().unwrap() = true;
    seat.press(&[Key::Char('t')]);
    seat.presses_until(&[Key::Ctrl('u'), Key::Char('5')], "Amount       5").await;
    seat.press(&[Key::Enter, Key::Enter]);
    seat.sees(&["Transfer 5", "Cancel"]).await;
    // A key that does nothing shows that keys are taken; of two at once, the second alone would have cancelled.
    seat.presses_until(&[Key::Char('y')], "nothing was done").await;
    seat.press(&[Key::Right, Key::Enter]);
    seat.sees(&["unknown outcome, checking"]).await;
    seat.sees(&["Transferred 5 credits", "happened once"]).await;
    let gateway = served.gateway.lock().unwrap();
    assert_eq!(gateway.find(QUINN).unwrap().balance, 482_000 - 5);
    assert_eq!(gateway.find(ACME).unwrap().balance, 12_450 + 5);
}

#[tokio::test]
async fn an_id_is_copied_through_the_terminal() {
    let served = Served::new();
    let mut seat = sit_down(served.listen().await, settings());
    seat.goes_to_acme().await;
    seat.press(&[Key::Char('c')]);
    seat.sees(&["clipboard (OSC 52)"]).await;
    assert_eq!(*seat.copied.lock().unwrap(), [ACME]);
}

#[tokio::test]
async fn a_gateway_that_is_not_there_yet_is_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let mut seat = sit_down(address, settings());
    let frame = seat.sees(&["gateway not reachable", "reconnecting"]).await;
    assert!(!seat.running.is_finished(), "{frame}");
}
