//! The one WebSocket: opened, watched, lost and opened again.
//!
//! Invariants: pings go out at a fixed interval whatever else is on the wire, so a busy connection
//! is watched as closely as a quiet one; a console that is slow to draw slows nothing down, because
//! wallets wait here by organization and a newer one replaces an older, and events up to a bound; the gateway's close code
//! decides between trying again and stopping.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::value::RawValue;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, sleep_until, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use super::Gateway;
use super::protocol::{self, FromGateway, Kind};
use crate::effect::SubscriptionId;
use crate::graphql::{Event, Failure, Follow, News, OrganizationId, Request, Wallet};
use crate::msg::{Live, Msg};
use crate::shell::Clock;

/// Organizations whose latest wallet may wait to be taken in; with more, the screen is read again.
const WALLETS_WAITING_MAX: usize = 1024;
/// Events that may wait to be taken in; with more, the screen is read again instead.
const EVENTS_WAITING_MAX: usize = 1024;
const MESSAGE_BYTES_MAX: usize = 1 << 20;
/// After news was handed over, what comes next gathers so long: a flood wakes the console fifty times a second and not
/// thousands of times. News after a quiet while is handed over at once.
const REST: Duration = Duration::from_millis(20);
/// Messages that are taken in before the console gets what they say.
const TAKEN_MAX: usize = 512;

#[derive(Debug)]
pub enum Command {
    Subscribe {
        subscription: SubscriptionId,
        follow: Follow,
        after: Option<String>,
    },
    Unsubscribe {
        subscription: SubscriptionId,
    },
    /// Do not wait any longer before the next attempt.
    Hurry,
}

pub struct LiveConnection<J> {
    gateway: Gateway,
    messages: mpsc::Sender<Msg>,
    clock: Clock,
    jitter: J,
}

/// The open streams by their ids, each with how its messages are read.
type Follows = HashMap<String, (SubscriptionId, Request<News>)>;
type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Why a connection ended.
enum End {
    /// To be tried again.
    Lost {
        reason: String,
    },
    Refused {
        code: u16,
        reason: String,
    },
    /// The console is gone.
    Over,
}

/// What has come in and was not taken yet.
#[derive(Default)]
struct Waiting {
    wallets: HashMap<OrganizationId, Wallet>,
    events: BTreeMap<SubscriptionId, Vec<Event>>,
    lagged: bool,
}

impl Waiting {
    fn add(&mut self, wallet: Wallet) {
        let id = wallet.organization.id.clone();
        match self.wallets.get(&id) {
            Some(waiting) if waiting.version > wallet.version => {}
            None if self.wallets.len() >= WALLETS_WAITING_MAX => self.lagged = true,
            _ => drop(self.wallets.insert(id, wallet)),
        }
    }

    fn add_event(&mut self, subscription: SubscriptionId, event: Event) {
        let events = self.events.entry(subscription).or_default();
        if events.len() >= EVENTS_WAITING_MAX {
            // The last one is kept for its cursor.
            events.clear();
            self.lagged = true;
        }
        events.push(event);
    }

    fn is_empty(&self) -> bool {
        self.wallets.is_empty() && self.events.is_empty() && !self.lagged
    }

    fn take(&mut self) -> Live {
        if let Some((subscription, events)) = self.events.pop_first() {
            return Live::Events { subscription, events };
        }
        if self.wallets.is_empty() {
            self.lagged = false;
            return Live::Lagged;
        }
        let mut wallets: Vec<Wallet> = self.wallets.drain().map(|(_, wallet)| wallet).collect();
        wallets.sort_by(|a, b| a.organization.id.cmp(&b.organization.id));
        Live::Wallets(wallets)
    }
}

impl<J: FnMut() -> f64> LiveConnection<J> {
    pub fn new(gateway: Gateway, messages: mpsc::Sender<Msg>, clock: Clock, jitter: J) -> Self {
        Self { gateway, messages, clock, jitter }
    }

    /// Connects, and connects again, until the gateway refuses the key or the console ends.
    pub async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut attempt: u32 = 0;
        let mut heard = self.clock.now();
        loop {
            if self.report(Live::Connecting).await.is_err() {
                return;
            }
            let began = Instant::now();
            match self.connect_once(&mut commands, &mut heard).await {
                End::Over => return,
                End::Refused { code, reason } => {
                    tracing::warn!(code, reason, "the gateway refused the live connection");
                    // Whoever hears of the refusal may ask for a new connection at once, and sees
                    // by this channel that there is none.
                    drop(commands);
                    let _ended = self.report(Live::Refused { code, reason }).await;
                    return;
                }
                End::Lost { reason } => {
                    // A gateway that accepts and drops at once is not to be hammered, so only a
                    // connection that held for a while counts as a fresh start.
                    let held = began.elapsed() >= self.gateway.patience.ping_every;
                    attempt = if held { 1 } else { attempt.saturating_add(1) };
                    let wait = self.gateway.patience.retry(attempt, (self.jitter)());
                    tracing::info!(reason, attempt, ?wait, "lost the live connection");
                    let heard_at = heard;
                    let retry_at = self.clock.now().checked_add(wait).unwrap_or(heard_at);
                    let lost = Live::Lost { reason, attempt, heard_at, retry_at };
                    if self.report(lost).await.is_err() || !idle(&mut commands, wait).await {
                        return;
                    }
                }
            }
        }
    }

    async fn report(&self, live: Live) -> Result<(), mpsc::error::SendError<Msg>> {
        self.messages.send(Msg::Live(live)).await
    }

    async fn connect_once(&mut self, commands: &mut mpsc::Receiver<Command>, heard: &mut jiff::Timestamp) -> End {
        let patience = self.gateway.patience;
        let opened = timeout(patience.connect, open(&self.gateway)).await;
        let mut socket = match opened {
            Ok(Ok(socket)) => socket,
            Ok(Err(error)) => return refusal_or_loss(error),
            Err(_) => return lost("no connection in time"),
        };
        match timeout(patience.acknowledge, acknowledge(&mut socket, &self.gateway)).await {
            Ok(Ok(())) => {}
            Ok(Err(end)) => return end,
            Err(_) => return lost("no acknowledgement in time"),
        }
        // Whatever was wanted of the connection before this one is asked for anew.
        while commands.try_recv().is_ok() {}
        *heard = self.clock.now();
        if self.report(Live::Ready).await.is_err() {
            return End::Over;
        }
        self.watch(&mut socket, commands, heard).await
    }

    async fn watch(
        &mut self,
        socket: &mut Socket,
        commands: &mut mpsc::Receiver<Command>,
        heard: &mut jiff::Timestamp,
    ) -> End {
        let patience = self.gateway.patience;
        let mut follows = Follows::new();
        let mut waiting = Waiting::default();
        let mut taken = 0;
        let mut rest_until: Option<Instant> = None;
        let mut pings = interval_at(Instant::now() + patience.ping_every, patience.ping_every);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut pong_by: Option<Instant> = None;
        loop {
            let pong_deadline = async {
                match pong_by {
                    Some(deadline) => sleep_until(deadline).await,
                    None => std::future::pending().await,
                }
            };
            let rest = async {
                match rest_until {
                    Some(until) => sleep_until(until).await,
                    None => std::future::pending().await,
                }
            };
            let is_full = taken >= TAKEN_MAX && !waiting.is_empty();
            let outgoing = tokio::select! {
                biased;
                command = commands.recv() => match command {
                    None => return End::Over,
                    Some(Command::Subscribe { subscription, follow, after }) => {
                        let id = subscription.0.to_string();
                        let request = follow.request(after.as_deref());
                        let text = protocol::subscribe(&id, &request.body);
                        follows.insert(id, (subscription, request));
                        Some(text)
                    }
                    Some(Command::Unsubscribe { subscription }) => {
                        let id = subscription.0.to_string();
                        follows.remove(&id).map(|_| protocol::complete(&id))
                    }
                    Some(Command::Hurry) => None,
                },
                _ = pings.tick() => {
                    pong_by.get_or_insert(Instant::now() + patience.pong);
                    Some(protocol::ping().to_owned())
                },
                () = rest => {
                    rest_until = None;
                    None
                }
                incoming = socket.next(), if rest_until.is_none() && !is_full => {
                    let text = match incoming {
                        None => return lost("the gateway closed the connection"),
                        Some(Err(error)) => return lost(&error.to_string()),
                        Some(Ok(Message::Close(frame))) => return closed(frame),
                        Some(Ok(Message::Text(text))) => text,
                        Some(Ok(_)) => continue,
                    };
                    *heard = self.clock.now();
                    taken += 1;
                    match self.receive(&text, &mut follows, &mut waiting, &mut pong_by).await {
                        Ok(outgoing) => outgoing,
                        Err(end) => return end,
                    }
                },
                permit = self.messages.reserve(), if rest_until.is_none() && !waiting.is_empty() => match permit {
                    Err(_) => return End::Over,
                    Ok(permit) => {
                        permit.send(Msg::Live(waiting.take()));
                        if waiting.is_empty() {
                            taken = 0;
                            rest_until = Some(Instant::now() + REST);
                        }
                        None
                    }
                },
                // Last: a pong that is here already counts, however late the console comes to read it.
                () = pong_deadline => return lost("the gateway went silent"),
            };
            if let Some(text) = outgoing {
                let sent = timeout(patience.pong, socket.send(Message::text(text))).await;
                match sent {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => return lost(&error.to_string()),
                    Err(_) => return lost("the gateway takes nothing"),
                }
            }
        }
    }

    async fn receive(
        &self,
        text: &str,
        follows: &mut Follows,
        waiting: &mut Waiting,
        pong_by: &mut Option<Instant>,
    ) -> Result<Option<String>, End> {
        let message: FromGateway = match serde_json::from_str(text) {
            Ok(message) => message,
            Err(error) => return Err(lost(&format!("message not understood: {error}"))),
        };
        let id = message.id;
        let refused = match (message.kind, message.payload) {
            (Kind::ConnectionAck, _) => None,
            (Kind::Ping, _) => return Ok(Some(protocol::pong().to_owned())),
            (Kind::Pong, _) => {
                *pong_by = None;
                None
            }
            (Kind::Next, Some(payload)) => {
                let Some((subscription, request)) = follows.get(&*id) else { return Ok(None) };
                match request.read(payload.get().as_bytes()) {
                    Ok(News::Wallet(wallet)) => {
                        waiting.add(wallet);
                        None
                    }
                    Ok(News::Event(event)) => {
                        waiting.add_event(*subscription, event);
                        None
                    }
                    Err(Failure::Errors(errors)) => Some(errors),
                    Err(failure) => {
                        tracing::warn!(%failure, "a live event was not understood");
                        waiting.lagged = true;
                        None
                    }
                }
            }
            (Kind::Error, Some(payload)) => Some(errors_of(payload)),
            (Kind::Next | Kind::Error, None) => return Err(lost("a message without its payload")),
            (Kind::Complete, _) => Some(vec![field_error("the gateway ended the stream")]),
        };
        if let Some(errors) = refused
            && let Some((subscription, _)) = follows.remove(&*id)
        {
            let refused = Live::SubscriptionRefused { subscription, errors };
            self.report(refused).await.map_err(|_| End::Over)?;
        }
        Ok(None)
    }
}

/// Waits for the next attempt or until somebody is in a hurry, dropping commands meant for a
/// connection that is gone. False when the console has ended.
async fn idle(commands: &mut mpsc::Receiver<Command>, wait: Duration) -> bool {
    let over = sleep(wait);
    tokio::pin!(over);
    loop {
        tokio::select! {
            () = &mut over => return true,
            command = commands.recv() => match command {
                None => return false,
                Some(Command::Hurry) => return true,
                Some(Command::Subscribe { .. } | Command::Unsubscribe { .. }) => {}
            },
        }
    }
}

async fn open(gateway: &Gateway) -> Result<Socket, tungstenite::Error> {
    let mut url = gateway.url.clone();
    let scheme = if url.scheme() == "https" { "wss" } else { "ws" };
    // Between these schemes of one kind the change is always allowed.
    let _allowed = url.set_scheme(scheme);
    let mut request = url.as_str().into_client_request()?;
    let subprotocol = HeaderValue::from_static(protocol::SUBPROTOCOL);
    request.headers_mut().insert("Sec-WebSocket-Protocol", subprotocol);
    let limits =
        WebSocketConfig::default().max_message_size(Some(MESSAGE_BYTES_MAX)).max_frame_size(Some(MESSAGE_BYTES_MAX));
    let (socket, _) = connect_async_with_config(request, Some(limits), true).await?;
    Ok(socket)
}

async fn acknowledge(socket: &mut Socket, gateway: &Gateway) -> Result<(), End> {
    let init = Message::text(protocol::connection_init(&gateway.key));
    socket.send(init).await.map_err(|error| lost(&error.to_string()))?;
    loop {
        match socket.next().await {
            None => return Err(lost("the gateway closed the connection")),
            Some(Err(error)) => return Err(lost(&error.to_string())),
            Some(Ok(Message::Close(frame))) => return Err(closed(frame)),
            Some(Ok(Message::Text(text))) => match serde_json::from_str(&text) {
                Ok(FromGateway { kind: Kind::ConnectionAck, .. }) => return Ok(()),
                Ok(FromGateway { kind: Kind::Ping, .. }) => {
                    let pong = Message::text(protocol::pong());
                    socket.send(pong).await.map_err(|error| lost(&error.to_string()))?;
                }
                Ok(_) | Err(_) => return Err(lost("it does not speak the protocol")),
            },
            Some(Ok(_)) => {}
        }
    }
}

fn lost(reason: &str) -> End {
    End::Lost { reason: reason.to_owned() }
}

fn closed(frame: Option<CloseFrame>) -> End {
    let Some(frame) = frame else {
        return lost("the gateway closed the connection");
    };
    let (code, reason) = (u16::from(frame.code), frame.reason.to_string());
    match code {
        protocol::CLOSE_UNAUTHORIZED | protocol::CLOSE_FORBIDDEN => End::Refused { code, reason },
        code => lost(&format!("closed with {code} {reason}")),
    }
}

/// A gateway may refuse the key before the upgrade, with an HTTP status instead of a close code.
fn refusal_or_loss(error: tungstenite::Error) -> End {
    if let tungstenite::Error::Http(response) = &error
        && matches!(response.status().as_u16(), 401 | 403)
    {
        let code = response.status().as_u16();
        return End::Refused { code, reason: "the gateway refused the key".to_owned() };
    }
    lost(&error.to_string())
}

fn errors_of(payload: &RawValue) -> Vec<crate::graphql::FieldError> {
    crate::graphql::request::errors_of(payload).unwrap_or_else(|| vec![field_error("refused")])
}

fn field_error(message: &str) -> crate::graphql::FieldError {
    crate::graphql::FieldError {
        message: message.to_owned(),
        code: None,
        path: Vec::new(),
        request_id: None,
        retry_after_ms: None,
    }
}
