//! Where webhooks arrive: a real HTTP server on this machine that answers what it is told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::sync::watch;

/// A webhook as it arrived.
#[derive(Clone, Debug)]
pub struct Received {
    pub id: String,
    pub timestamp: String,
    pub signatures: Vec<String>,
    pub text: String,
    pub body: Value,
}

impl Received {
    pub fn event_type(&self) -> &str {
        self.body["type"].as_str().unwrap_or_default()
    }

    pub fn organization(&self) -> &str {
        self.body["organizationId"].as_str().unwrap_or_default()
    }
}

/// What the receiver answers.
#[derive(Clone, Debug)]
pub enum Reply {
    Status(u16),
    /// With the header `Retry-After`.
    RetryAfter(u16, &'static str),
    /// With a body.
    Body(u16, String),
    /// To another address.
    Redirect(String),
    /// Nothing, for as long as the connection stands.
    Silence,
}

/// A server that ends with the test. Without orders it answers 204.
#[derive(Clone)]
pub struct Receiver {
    pub url: String,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    received: Mutex<Vec<Received>>,
    replies: Mutex<VecDeque<Reply>>,
    count: watch::Sender<usize>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Receiver {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let url = format!("http://{}/hook", listener.local_addr().expect("a listener has an address"));
        let shared = Arc::new(Shared::default());
        let router = Router::new().fallback(receive).with_state(Arc::clone(&shared));
        // The test's runtime ends it.
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, shared }
    }

    /// Answers the next requests so, one after the other.
    pub fn will_reply(&self, replies: impl IntoIterator<Item = Reply>) {
        locked(&self.shared.replies).extend(replies);
    }

    /// Everything that arrived so far, in order.
    pub fn received(&self) -> Vec<Received> {
        locked(&self.shared.received).clone()
    }

    /// Takes what arrived since the last time.
    pub fn take(&self) -> Vec<Received> {
        std::mem::take(&mut *locked(&self.shared.received))
    }

    /// Waits until so many requests have arrived since the start.
    pub async fn arrived(&self, count: usize) {
        let mut seen = self.shared.count.subscribe();
        seen.wait_for(|seen| *seen >= count).await.expect("the receiver lives as long as the test");
    }
}

async fn receive(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let text = String::from_utf8_lossy(&body).into_owned();
    locked(&shared.received).push(Received {
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp"),
        signatures: header("webhook-signature").split(' ').map(str::to_owned).collect(),
        body: serde_json::from_str(&text).unwrap_or_default(),
        text,
    });
    shared.count.send_modify(|count| *count += 1);
    let reply = locked(&shared.replies).pop_front().unwrap_or(Reply::Status(204));
    let status = |status| StatusCode::from_u16(status).expect("a test names a status");
    match reply {
        Reply::Status(code) => status(code).into_response(),
        Reply::RetryAfter(code, pause) => (status(code), [("retry-after", pause)]).into_response(),
        Reply::Body(code, body) => (status(code), body).into_response(),
        Reply::Redirect(to) => (StatusCode::TEMPORARY_REDIRECT, [("location", to)]).into_response(),
        Reply::Silence => std::future::pending().await,
    }
}
