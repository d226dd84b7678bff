use std::net::SocketAddr;
use std::time::Duration;

use axum::http::HeaderValue;
use axum::serve::Listener;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value as Json, json};
use tokio::io::DuplexStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::toy::{Toy, service};
use crate::http::{Service, router};

/// One connection that is memory, so that the tests' clock need not wait for a network.
struct Memory(Option<DuplexStream>);

impl Listener for Memory {
    type Io = DuplexStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (DuplexStream, SocketAddr) {
        match self.0.take() {
            Some(stream) => (stream, SocketAddr::from(([127, 0, 0, 1], 1))),
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        Ok(SocketAddr::from(([127, 0, 0, 1], 2)))
    }
}

/// Longer than any test's patience; pings keep a socket from being silent, so it bounds one wait, not a test.
const HEAR_DEADLINE: Duration = Duration::from_secs(10_000);

struct Client(WebSocketStream<DuplexStream>);

#[derive(Debug, PartialEq)]
enum Heard {
    Message(Json),
    Closed(u16),
    /// Without a close frame.
    Cut,
}

impl Client {
    async fn connect(service: Service<Toy>, headers: &[(&'static str, &'static str)]) -> Self {
        const PIPE_BYTES: usize = 4 * 1024;
        let (near, far) = tokio::io::duplex(PIPE_BYTES);
        tokio::spawn(async move { axum::serve(Memory(Some(far)), router(service)).await });
        let mut request = "ws://gateway.test/graphql".into_client_request().expect("a request");
        for (name, value) in headers {
            request.headers_mut().insert(*name, HeaderValue::from_static(value));
        }
        let (stream, _) = tokio_tungstenite::client_async(request, near).await.expect("upgraded");
        Self(stream)
    }

    async fn open() -> Self {
        Self::connect(service(), &[("sec-websocket-protocol", "graphql-transport-ws")]).await
    }

    async fn acknowledged(service: Service<Toy>, payload: Json) -> Self {
        let mut client = Self::connect(service, &[("sec-websocket-protocol", "graphql-transport-ws")]).await;
        client.say(json!({"type": "connection_init", "payload": payload})).await;
        assert_eq!(client.hear().await, Heard::Message(json!({"type": "connection_ack"})));
        client
    }

    async fn ready() -> Self {
        Self::acknowledged(service(), json!({})).await
    }

    async fn say(&mut self, message: Json) {
        self.0.send(Message::text(message.to_string())).await.expect("sent");
    }

    async fn subscribe(&mut self, id: &str, query: &str) {
        self.say(json!({"type": "subscribe", "id": id, "payload": {"query": query}})).await;
    }

    async fn hear(&mut self) -> Heard {
        loop {
            let heard = tokio::time::timeout(HEAR_DEADLINE, self.0.next()).await.expect("something is heard");
            match heard {
                Some(Ok(Message::Text(text))) => {
                    return Heard::Message(serde_json::from_str(text.as_str()).expect("JSON"));
                }
                Some(Ok(Message::Close(Some(frame)))) => return Heard::Closed(frame.code.into()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Heard::Cut,
            }
        }
    }

    async fn message(&mut self) -> Json {
        match self.hear().await {
            Heard::Message(message) => message,
            other => panic!("no message: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_query_is_answered_and_completed() {
    let mut client = Client::ready().await;
    client.subscribe("1", "{ hello }").await;
    let next = client.message().await;
    assert_eq!((&next["type"], &next["payload"]["data"]["hello"]), (&"next".into(), &"world".into()));
    assert_eq!(next["payload"]["extensions"]["cost"]["requestedQueryCost"], 0);
    assert_eq!(client.message().await, json!({"type": "complete", "id": "1"}));
}

#[tokio::test]
async fn the_subprotocol_is_selected() {
    let (near, far) = tokio::io::duplex(4096);
    tokio::spawn(async move { axum::serve(Memory(Some(far)), router(service())).await });
    let mut request = "ws://gateway.test/graphql".into_client_request().expect("a request");
    let offered = HeaderValue::from_static("graphql-ws, graphql-transport-ws");
    request.headers_mut().insert("sec-websocket-protocol", offered);
    let (_, response) = tokio_tungstenite::client_async(request, near).await.expect("upgraded");
    assert_eq!(response.headers()["sec-websocket-protocol"], "graphql-transport-ws");
}

#[tokio::test]
async fn another_subprotocol_closes_4406() {
    assert_eq!(Client::connect(service(), &[]).await.hear().await, Heard::Closed(4406));
}

#[tokio::test]
async fn a_subscribe_before_init_closes_4401() {
    let mut client = Client::open().await;
    client.subscribe("1", "{ hello }").await;
    assert_eq!(client.hear().await, Heard::Closed(4401));
}

#[tokio::test(start_paused = true)]
async fn a_client_without_init_is_closed_4408_after_three_seconds() {
    let mut client = Client::open().await;
    let started = tokio::time::Instant::now();
    assert_eq!(client.hear().await, Heard::Closed(4408));
    assert_eq!(started.elapsed().as_secs(), 3);
}

#[tokio::test]
async fn a_wrong_key_closes_4403_and_a_busy_gateway_1013() {
    for (key, code) in [("Bearer wrong", 4403), ("Bearer busy", 1013)] {
        let mut client = Client::open().await;
        client.say(json!({"type": "connection_init", "payload": {"Authorization": key}})).await;
        assert_eq!(client.hear().await, Heard::Closed(code), "{key}");
    }
}

#[tokio::test]
async fn the_claims_of_init_reach_admission_before_the_headers() {
    let headers = [
        ("sec-websocket-protocol", "graphql-transport-ws"),
        ("authorization", "Bearer header"),
        ("banyan-organization", "org_header"),
    ];
    let mut client = Client::connect(service(), &headers).await;
    client.say(json!({"type": "connection_init", "payload": {"Authorization": "Bearer init"}})).await;
    client.message().await;
    client.subscribe("1", "{ caller }").await;
    assert_eq!(client.message().await["payload"]["data"]["caller"], "Bearer init|org_header||0.0.0.0");
}

#[tokio::test(start_paused = true)]
async fn the_end_of_an_authority_closes_4403() {
    let mut client = Client::acknowledged(service(), json!({"Authorization": "Bearer short"})).await;
    client.subscribe("1", "subscription { never }").await;
    let started = tokio::time::Instant::now();
    assert_eq!(client.hear().await, Heard::Closed(4403));
    assert_eq!(started.elapsed().as_secs(), 60);
}

#[tokio::test]
async fn a_shutdown_closes_1012_and_is_then_drained() {
    let service = service();
    let shutdown = service.shutdown.clone();
    let mut client = Client::acknowledged(service, json!({})).await;
    shutdown.begin();
    assert_eq!(client.hear().await, Heard::Closed(1012));
    drop(client);
    assert!(shutdown.drained(Duration::from_secs(5)).await);
}

#[tokio::test]
async fn a_goodbye_is_answered() {
    let mut client = Client::ready().await;
    client.0.close(None).await.expect("sent");
    let mut last = None;
    while let Some(heard) = client.0.next().await {
        last = Some(heard);
    }
    assert!(matches!(last, Some(Ok(Message::Close(_)))), "{last:?}");
}

#[tokio::test]
async fn a_document_that_does_not_fit_the_schema_is_an_error_message_alone() {
    let mut client = Client::ready().await;
    client.subscribe("1", "{ nope }").await;
    let error = client.message().await;
    assert_eq!((&error["type"], &error["id"]), (&"error".into(), &"1".into()));
    assert_eq!(error["payload"][0]["extensions"]["code"], "BAD_REQUEST");
    client.say(json!({"type": "ping"})).await;
    assert_eq!(client.message().await, json!({"type": "pong"}));
}

#[tokio::test]
async fn a_hostile_document_is_an_error_message() {
    let mut client = Client::ready().await;
    client.subscribe("1", &"{".repeat(2_000)).await;
    assert_eq!(client.message().await["payload"][0]["extensions"]["limit"], "nesting");
}

#[tokio::test]
async fn a_caller_without_points_is_an_error_message() {
    let mut client = Client::acknowledged(service(), json!({"Authorization": "Bearer poor"})).await;
    client.subscribe("1", "mutation { bump }").await;
    assert_eq!(client.message().await["payload"][0]["extensions"]["code"], "RATE_LIMITED");
}

#[tokio::test]
async fn a_panic_ends_its_operation_only_and_keeps_its_text() {
    let mut client = Client::ready().await;
    client.subscribe("1", "{ panics }").await;
    let error = client.message().await;
    assert_eq!(error["payload"][0]["extensions"]["code"], "INTERNAL");
    assert!(!error.to_string().contains("hunter2"));
    client.subscribe("2", "{ hello }").await;
    assert_eq!(client.message().await["payload"]["data"]["hello"], "world");
}

#[tokio::test]
async fn the_fifty_first_operation_is_refused_and_the_others_run_on() {
    let mut client = Client::ready().await;
    for number in 0..50 {
        client.subscribe(&number.to_string(), "subscription { never }").await;
    }
    client.subscribe("one too many", "{ hello }").await;
    let error = client.message().await;
    assert_eq!(
        (&error["id"], &error["payload"][0]["extensions"]["code"]),
        (&"one too many".into(), &"RATE_LIMITED".into())
    );
    client.say(json!({"type": "complete", "id": "0"})).await;
    client.subscribe("next", "{ hello }").await;
    assert_eq!(client.message().await["id"], "next");
}

#[tokio::test]
async fn a_busy_stream_leaves_room_for_others() {
    let mut client = Client::ready().await;
    client.subscribe("busy", "subscription { endless }").await;
    client.message().await;
    client.subscribe("calm", "{ hello }").await;
    for _ in 0..2_000 {
        if client.message().await["id"] == "calm" {
            return;
        }
    }
    panic!("starved");
}

#[tokio::test]
async fn a_message_over_the_cap_closes_1009() {
    let mut client = Client::ready().await;
    client.subscribe("1", &" ".repeat(256 * 1024)).await;
    assert_eq!(client.hear().await, Heard::Closed(1009));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_answers_pings_is_kept() {
    let mut client = Client::ready().await;
    let hours = tokio::time::timeout(Duration::from_secs(7_200), client.hear()).await;
    assert!(hours.is_err(), "{hours:?}");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_answer_pings_is_cut() {
    let mut client = Client::ready().await;
    tokio::time::sleep(Duration::from_secs(25)).await;
    let heard = tokio::time::timeout(Duration::from_secs(60), client.hear()).await;
    assert_eq!(heard.ok(), Some(Heard::Cut));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_read_is_cut_after_the_send_deadline() {
    let service = service();
    let shutdown = service.shutdown.clone();
    let mut client = Client::acknowledged(service, json!({})).await;
    client.subscribe("1", "subscription { endless }").await;
    tokio::time::sleep(Duration::from_secs(11)).await;
    shutdown.begin();
    // The socket is gone before the shutdown: its closing would wait for the peer.
    assert!(shutdown.drained(Duration::ZERO).await);
}
