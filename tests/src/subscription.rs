//! Live streams as clients see them: server-sent events from the router, and a WebSocket over a real socket.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, BodyDataStream};
use axum::extract::ConnectInfo;
use axum::http::Request;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Message, protocol::CloseFrame};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use tower::ServiceExt;

/// The longest a test waits for what it expects to hear.
const PATIENCE: Duration = Duration::from_secs(20);
const PEER: &str = "192.0.2.10:40001";

/// One subscription over server-sent events, in process. Nothing is read ahead of [`Subscription::next`].
pub struct Subscription {
    body: BodyDataStream,
    unread: String,
}

impl Subscription {
    pub async fn open(router: Router, key: &str, document: &str, variables: &Value) -> Self {
        let body = json!({ "query": document, "variables": variables }).to_string();
        let mut request = Request::post("/graphql")
            .header("content-type", "application/json")
            .header("accept", "text/event-stream")
            .header("authorization", format!("Bearer {key}"))
            .body(Body::from(body))
            .expect("a test writes legal headers");
        let peer: SocketAddr = PEER.parse().expect("a test writes an address");
        request.extensions_mut().insert(ConnectInfo(peer));
        let response = router.oneshot(request).await.expect("a router does not fail");
        assert_eq!(response.headers()["content-type"], "text/event-stream", "{}", response.status());
        Self { body: response.into_body().into_data_stream(), unread: String::new() }
    }

    /// The next answer; `None` when the stream is complete.
    pub async fn next(&mut self) -> Option<Value> {
        let read = async {
            loop {
                if let Some((block, rest)) = self.unread.split_once("\n\n") {
                    let block = block.to_owned();
                    self.unread = rest.to_owned();
                    match read_block(&block) {
                        Block::Next(answer) => return Some(answer),
                        Block::Complete => return None,
                        Block::Comment => continue,
                    }
                }
                let bytes = self.body.next().await?.expect("a stream does not break off");
                self.unread.push_str(std::str::from_utf8(&bytes).expect("events are text"));
            }
        };
        tokio::time::timeout(PATIENCE, read).await.expect("nothing was heard for too long")
    }

    /// The value of the subscription's field in the next answer.
    pub async fn item(&mut self) -> Value {
        let answer = self.next().await.expect("the stream goes on");
        let first = answer["data"].as_object().and_then(|data| data.values().next());
        assert!(answer["errors"].is_null(), "{answer:#}");
        first.unwrap_or_else(|| panic!("no data in {answer:#}")).clone()
    }

    /// The code of the error that the stream ends with.
    pub async fn end(mut self) -> String {
        let mut last = Value::Null;
        while let Some(answer) = self.next().await {
            last = answer;
        }
        last["errors"][0]["extensions"]["code"].as_str().unwrap_or_default().to_owned()
    }
}

enum Block {
    Next(Value),
    Complete,
    Comment,
}

fn read_block(block: &str) -> Block {
    let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    match field("event:") {
        Some("next") => {
            let data = field("data:").unwrap_or_default();
            Block::Next(serde_json::from_str(data).unwrap_or_else(|_| panic!("not JSON: {data}")))
        }
        Some("complete") => Block::Complete,
        _ => Block::Comment,
    }
}

/// A WebSocket that speaks `graphql-transport-ws`, acknowledged.
pub struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// Connects to a gateway that listens here.
    pub async fn open(address: SocketAddr, key: &str) -> Self {
        let mut request = format!("ws://{address}/graphql").into_client_request().expect("a test writes a URL");
        let protocol = "graphql-transport-ws".parse().expect("a legal header");
        request.headers_mut().insert("sec-websocket-protocol", protocol);
        let (socket, _) = connect_async(request).await.expect("the gateway upgrades");
        let mut socket = Self(socket);
        let claims = json!({ "authorization": format!("Bearer {key}") });
        socket.say(json!({ "type": "connection_init", "payload": claims })).await;
        assert_eq!(socket.hear().await["type"], "connection_ack");
        socket
    }

    pub async fn subscribe(&mut self, id: &str, document: &str, variables: Value) {
        let payload = json!({ "query": document, "variables": variables });
        self.say(json!({ "type": "subscribe", "id": id, "payload": payload })).await;
    }

    pub async fn say(&mut self, message: Value) {
        self.0.send(Message::text(message.to_string())).await.expect("the gateway listens");
    }

    /// The next message of the protocol, which has to come soon.
    pub async fn hear(&mut self) -> Value {
        tokio::time::timeout(PATIENCE, self.hear_whenever()).await.expect("nothing was heard for too long")
    }

    /// The next message of the protocol, however long it takes.
    pub async fn hear_whenever(&mut self) -> Value {
        match self.message().await {
            Message::Text(text) => serde_json::from_str(text.as_str()).expect("messages are JSON"),
            other => panic!("not a message of the protocol: {other:?}"),
        }
    }

    /// The frame that the gateway closes with, whatever it says before.
    pub async fn closed(mut self) -> CloseFrame {
        let close = async {
            loop {
                if let Message::Close(frame) = self.message().await {
                    return frame.expect("the gateway says why");
                }
            }
        };
        tokio::time::timeout(PATIENCE, close).await.expect("nothing was heard for too long")
    }

    async fn message(&mut self) -> Message {
        loop {
            let next = self.0.next().await.expect("the socket is open");
            match next.expect("the socket does not break off") {
                Message::Ping(_) | Message::Pong(_) => {}
                message => return message,
            }
        }
    }
}
