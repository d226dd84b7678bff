//! One request in the making.

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{Answer, TestApp};

/// Where requests of tests come from.
const PEER: &str = "192.0.2.10:40000";
/// The most of an answer's body that is read.
const BODY_MAX_BYTES: usize = 16 * 1024 * 1024;

/// A request, sent by [`Request::send`].
#[must_use]
pub struct Request {
    app: TestApp,
    document: String,
    variables: Value,
    body: Option<String>,
    key: Option<String>,
    peer: String,
    gateway: Option<Router>,
    headers: Vec<(String, String)>,
}

impl Request {
    pub(crate) fn new(app: TestApp, document: &str) -> Self {
        Self {
            app,
            document: document.to_owned(),
            variables: json!({}),
            body: None,
            key: None,
            peer: PEER.to_owned(),
            gateway: None,
            headers: Vec::new(),
        }
    }

    pub fn variables(mut self, variables: Value) -> Self {
        self.variables = variables;
        self
    }

    /// Sends this text instead of a well-formed body.
    pub fn raw(mut self, body: &str) -> Self {
        self.body = Some(body.to_owned());
        self
    }

    pub fn key(mut self, key: impl AsRef<str>) -> Self {
        self.key = Some(key.as_ref().to_owned());
        self
    }

    /// Goes to another gateway on the same database.
    pub fn to(mut self, gateway: &Router) -> Self {
        self.gateway = Some(gateway.clone());
        self
    }

    /// Comes from this address.
    pub fn from(mut self, address: &str) -> Self {
        self.peer = format!("{address}:40000");
        self
    }

    /// Adds a header; the same name twice is sent twice.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub async fn send(self) -> Answer {
        let (app, document, key) = (self.app.clone(), self.document.clone(), self.key.clone());
        let answer = self.send_unrecorded().await;
        app.note(&document, key.as_deref(), &answer);
        answer
    }

    /// The same, where the audit trail is not compared with what was sent.
    pub(crate) async fn send_unrecorded(self) -> Answer {
        let body =
            self.body.unwrap_or_else(|| json!({ "query": self.document, "variables": self.variables }).to_string());
        let mut builder = http::Request::post("/graphql")
            .header("content-type", "application/json")
            .header("accept", "application/graphql-response+json");
        if let Some(key) = &self.key {
            builder = builder.header("authorization", format!("Bearer {key}"));
        }
        for (name, value) in &self.headers {
            builder = builder.header(name, value);
        }
        let mut request = builder.body(Body::from(body)).expect("a test writes legal headers");
        let peer: SocketAddr = self.peer.parse().expect("a test writes an address");
        request.extensions_mut().insert(ConnectInfo(peer));
        let gateway = self.gateway.unwrap_or_else(|| self.app.router());
        let response = gateway.oneshot(request).await.expect("a router does not fail");
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, BODY_MAX_BYTES).await.expect("an answer's body is whole");
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| panic!("{}: not JSON: {}", parts.status, String::from_utf8_lossy(&bytes)));
        Answer { status: parts.status, headers: parts.headers, body }
    }
}
