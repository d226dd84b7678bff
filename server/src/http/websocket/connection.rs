use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::Executor;
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use axum::http::StatusCode;
use futures_util::future::BoxFuture;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::task::AbortOnDropHandle;

use super::super::admission::{Admitted, Credentials, EndReason, TopLevelError, code};
use super::super::answer::Answer;
use super::super::operation;
use super::super::pace::{Opening, Resume, Room};
use super::super::settings::WebSocketSettings;
use super::super::{RequestId, Service};
use super::messages;
use super::operations::{Operations, Turn};
use super::protocol::{Action, Claims, Close, Protocol};

/// Replies waiting for the writer; beyond it the client's messages are left unread.
const REPLIES_MAX: usize = 64;
/// For the peer to answer a close frame before the connection is cut.
const CLOSE_DEADLINE: Duration = Duration::from_secs(1);

type Admission = Result<Admitted, TopLevelError>;

/// Why the loop ended.
enum End {
    /// Tell the peer.
    Close(Close),
    /// The peer said goodbye, and waits for the same.
    Farewell,
    /// The peer is gone, or does not read: cut.
    Gone,
}

pub(super) async fn refuse_subprotocol(socket: WebSocket, settings: &WebSocketSettings) {
    let (sink, mut stream) = socket.split();
    let writer = Writer::start(sink, settings.send_deadline);
    writer.close(Close::SUBPROTOCOL, &mut stream).await;
}

pub(super) async fn serve<E: Executor>(service: Arc<Service<E>>, socket: WebSocket, credentials: Credentials) {
    metrics::gauge!("graphql_websockets_open").increment(1);
    let settings = service.settings.websocket.clone();
    let (sink, mut stream) = socket.split();
    let writer = Writer::start(sink, settings.send_deadline);
    let mut connection = Connection {
        protocol: Protocol::new(settings.max_operations),
        operations: Operations::new(Room::new(
            settings.operation_buffer_messages,
            settings.socket_buffer_bytes,
            settings.slow_consumer_patience,
        )),
        replies: VecDeque::new(),
        credentials: Some(credentials),
        admission: std::future::pending().boxed(),
        admitted: None,
        ended: std::future::pending().boxed(),
        is_silent: false,
        service,
    };
    let end = connection.run(&mut stream, &writer.outbox, &settings).await;
    // Operations stop before the farewell, which may take a moment.
    drop(connection);
    match end {
        End::Close(close) => writer.close(close, &mut stream).await,
        End::Farewell => {
            drop(writer);
            finish(&mut stream).await;
        }
        End::Gone => {}
    }
    metrics::gauge!("graphql_websockets_open").decrement(1);
}

struct Connection<E> {
    service: Arc<Service<E>>,
    protocol: Protocol,
    operations: Operations,
    replies: VecDeque<Message>,
    /// Of the upgrade; taken by `connection_init`.
    credentials: Option<Credentials>,
    admission: BoxFuture<'static, Admission>,
    admitted: Option<Admitted>,
    ended: BoxFuture<'static, EndReason>,
    /// Nothing was heard since the last ping.
    is_silent: bool,
}

impl<E: Executor> Connection<E> {
    async fn run(
        &mut self,
        stream: &mut SplitStream<WebSocket>,
        outbox: &Sender<Message>,
        settings: &WebSocketSettings,
    ) -> End {
        let shutdown = self.service.shutdown.signal();
        let mut init_deadline = pin!(tokio::time::sleep(settings.init_deadline));
        let mut pings = interval_at(Instant::now() + settings.ping_interval, settings.ping_interval);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut slot: Option<mpsc::Permit<'_, Message>> = None;
        loop {
            // Replies go before answers of operations.
            if slot.is_some()
                && let Some(reply) = self.replies.pop_front()
                && let Some(free) = slot.take()
            {
                free.send(reply);
            }
            let step = tokio::select! {
                () = shutdown.cancelled() => Err(End::Close(Close::SHUTDOWN)),
                () = outbox.closed() => Err(End::Gone),
                reason = &mut self.ended => Err(End::Close(Close::ended(reason))),
                () = &mut init_deadline, if self.protocol.is_awaiting_init() => {
                    self.protocol.init_deadline_passed().map_or(Ok(()), |close| Err(End::Close(close)))
                }
                admission = &mut self.admission => self.decide(admission),
                _ = pings.tick() => self.ping(),
                free = outbox.reserve(), if slot.is_none() => match free {
                    Ok(free) => {
                        slot = Some(free);
                        Ok(())
                    }
                    Err(_) => Err(End::Gone),
                },
                turn = self.operations.turn(), if slot.is_some() => {
                    let message = match turn {
                        Turn::Message(message) => message,
                        Turn::Last(id, message) => {
                            self.protocol.finished(&id);
                            message
                        }
                    };
                    if let Some(free) = slot.take() {
                        free.send(Message::Text(message.text.into()));
                    }
                    Ok(())
                }
                incoming = stream.next(), if self.replies.len() < REPLIES_MAX => match incoming {
                    Some(Ok(message)) => self.hear(message, settings.message_max_bytes),
                    Some(Err(_)) | None => Err(End::Gone),
                },
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    fn hear(&mut self, message: Message, max_bytes: usize) -> Result<(), End> {
        self.is_silent = false;
        let action = match message {
            Message::Text(text) if text.len() > max_bytes => Some(Action::Close(Close::TOO_LONG)),
            Message::Text(text) => self.protocol.received(text.as_str()),
            Message::Binary(_) => Some(self.protocol.received_binary()),
            // The WebSocket library has answered a ping already.
            Message::Ping(_) | Message::Pong(_) => None,
            Message::Close(_) => return Err(End::Farewell),
        };
        match action {
            None => {}
            Some(Action::Send(text)) => self.reply(text),
            Some(Action::Close(close)) => return Err(End::Close(close)),
            Some(Action::Admit(claims)) => self.admit(claims),
            Some(Action::Start { id, parameters }) => self.start(id, *parameters),
            Some(Action::Stop { id }) => self.operations.stop(&id),
            Some(Action::Crowded { id }) => {
                let message = "Too many operations run on this socket. Complete one, or open another socket.";
                let error = TopLevelError::new(StatusCode::TOO_MANY_REQUESTS, code::RATE_LIMITED, message);
                let request_id = self.new_request_id();
                self.reply(messages::error(&id, &Answer::top_level(error, &request_id)));
            }
        }
        Ok(())
    }

    fn reply(&mut self, text: String) {
        self.replies.push_back(Message::Text(text.into()));
    }

    fn new_request_id(&self) -> RequestId {
        RequestId::new((self.service.request_ids)())
    }

    /// The claims of `connection_init` come first; what they leave out is taken from the upgrade's headers.
    fn admit(&mut self, claims: Claims) {
        let Some(mut credentials) = self.credentials.take() else { return };
        credentials.authorization = claims.authorization.or(credentials.authorization);
        credentials.organization = claims.organization.or(credentials.organization);
        let service = Arc::clone(&self.service);
        self.admission = async move { operation::admit(&service, credentials).await }.boxed();
    }

    fn decide(&mut self, admission: Admission) -> Result<(), End> {
        self.admission = std::future::pending().boxed();
        match admission {
            Ok(mut admitted) => {
                self.ended = std::mem::replace(&mut admitted.ended, std::future::pending().boxed());
                self.admitted = Some(admitted);
                if let Action::Send(text) = self.protocol.admitted() {
                    self.reply(text);
                }
                Ok(())
            }
            Err(error) => Err(End::Close(Close::refused(&error))),
        }
    }

    fn start(&mut self, id: String, parameters: super::super::parameters::Parameters) {
        let request_id = self.new_request_id();
        let Some(admitted) = &self.admitted else { return };
        let ready = operation::check(&self.service, parameters, &request_id)
            .and_then(|checked| operation::attach(&self.service, checked, admitted, &request_id));
        match ready {
            Ok(ready) => {
                let resume = Resume::default();
                let answers =
                    operation::stream(&self.service, ready, resume.clone(), Opening::default(), request_id.clone());
                self.operations.start(id, answers, resume, request_id);
            }
            Err(answer) => {
                self.protocol.finished(&id);
                self.reply(messages::error(&id, &answer));
            }
        }
    }

    /// A ping frame, which every WebSocket implementation answers by itself. Who was silent since the last one
    /// is gone.
    fn ping(&mut self) -> Result<(), End> {
        if self.is_silent {
            return Err(End::Gone);
        }
        self.is_silent = true;
        self.replies.push_back(Message::Ping(Vec::new().into()));
        Ok(())
    }
}

/// The task that writes, so that a peer that does not read holds up nothing else.
struct Writer {
    outbox: Sender<Message>,
    task: AbortOnDropHandle<()>,
}

impl Writer {
    fn start(sink: SplitSink<WebSocket, Message>, send_deadline: Duration) -> Self {
        let (outbox, messages) = mpsc::channel(1);
        Self { outbox, task: AbortOnDropHandle::new(tokio::spawn(write(sink, messages, send_deadline))) }
    }

    async fn close(self, close: Close, stream: &mut SplitStream<WebSocket>) {
        let frame = Message::Close(Some(CloseFrame { code: close.code, reason: close.reason.into() }));
        let farewell = async {
            if self.outbox.send(frame).await.is_ok() {
                drop(self.outbox);
                // Errors are the peer's cutting the line first.
                let _ = self.task.await;
            }
        };
        let _ = tokio::time::timeout(CLOSE_DEADLINE, farewell).await;
        finish(stream).await;
    }
}

/// Reads on until the peer has closed, which also sends what the WebSocket library still has to answer. To cut
/// the connection at once could take the close frame back from a peer that has not read it.
async fn finish(stream: &mut SplitStream<WebSocket>) {
    let reading = async { while let Some(Ok(_)) = stream.next().await {} };
    let _ = tokio::time::timeout(CLOSE_DEADLINE, reading).await;
}

async fn write(mut sink: SplitSink<WebSocket, Message>, mut messages: Receiver<Message>, send_deadline: Duration) {
    while let Some(message) = messages.recv().await {
        if !matches!(tokio::time::timeout(send_deadline, sink.send(message)).await, Ok(Ok(()))) {
            return;
        }
    }
}
