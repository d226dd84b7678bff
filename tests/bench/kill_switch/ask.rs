//! One connection that asks and waits for the answer.

use std::net::SocketAddr;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
}

/// What a gateway said to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Accepted,
    /// The key is no longer good.
    Refused,
    /// The gateway could not tell.
    Unknown,
    /// The gateway failed: its transaction was ended while it was stopped.
    Failed,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("the gateway is there");
        stream.set_nodelay(true).expect("a socket can be set");
        let (sender, driver) = http1::handshake(TokioIo::new(stream)).await.expect("the gateway speaks HTTP");
        tokio::spawn(driver);
        Self { sender }
    }

    pub async fn send(&mut self, authorization: &str, body: String) -> (StatusCode, Bytes) {
        let request = Request::builder()
            .method(Method::POST)
            .uri("/graphql")
            .header("host", "localhost")
            .header("content-type", "application/json")
            .header("accept", "application/graphql-response+json")
            .header("authorization", authorization)
            .body(Full::new(Bytes::from(body)))
            .expect("the request is well-formed");
        self.sender.ready().await.expect("the gateway keeps the connection");
        let response = self.sender.send_request(request).await.expect("the gateway answers");
        let status = response.status();
        (status, response.into_body().collect().await.expect("the answer arrives").to_bytes())
    }

    /// What becomes of a request.
    pub async fn ask(&mut self, authorization: &str, body: String) -> Verdict {
        let (status, body) = self.send(authorization, body).await;
        match status {
            // A charge is refused inside its transaction too.
            StatusCode::OK if contains(&body, b"\"code\":\"ORGANIZATION_") => Verdict::Refused,
            StatusCode::OK if contains(&body, b"\"code\":\"UNAUTHENTICATED\"") => Verdict::Refused,
            StatusCode::OK if contains(&body, b"\"code\":\"RETRY_LATER\"") => Verdict::Unknown,
            StatusCode::OK if contains(&body, b"\"code\":\"INTERNAL\"") => Verdict::Failed,
            StatusCode::OK if contains(&body, b"\"errors\"") => panic!("{}", String::from_utf8_lossy(&body)),
            StatusCode::OK => Verdict::Accepted,
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Verdict::Refused,
            StatusCode::SERVICE_UNAVAILABLE => Verdict::Unknown,
            other => panic!("{other}: {}", String::from_utf8_lossy(&body)),
        }
    }
}

fn contains(body: &[u8], text: &[u8]) -> bool {
    body.windows(text.len()).any(|window| window == text)
}

/// Makes a request's body, another one each time where it has to be.
pub type MakeBody = fn() -> String;

/// A request that costs nothing but recognising who asks.
pub fn who_am_i() -> String {
    r#"{"query":"{ viewer { id } }"}"#.to_owned()
}

/// A request that moves a credit.
pub fn charge() -> String {
    let key = uuid::Uuid::from_u128(rand::random());
    format!(
        r#"{{"query":"mutation($input: CreditChargeInput!) {{ creditCharge(input: $input) {{ charge {{ id }} userErrors {{ code }} }} }}","variables":{{"input":{{"amount":1,"idempotencyKey":"{key}"}}}}}}"#
    )
}

/// The operator, who makes and ends what is asked with.
pub struct Operator {
    connection: Connection,
    authorization: String,
}

impl Operator {
    pub async fn at(address: SocketAddr, secret: &str) -> Self {
        Self { connection: Connection::open(address).await, authorization: format!("Bearer {secret}") }
    }

    /// Runs one mutation, again as long as the gateway asks for it, and answers its payload.
    pub async fn run(&mut self, field: &str, input: Value, selection: &str) -> Value {
        let mut name = field[..1].to_uppercase();
        name.push_str(&field[1..]);
        let query = format!(
            "mutation($input: {name}Input!) {{ answer: {field}(input: $input) {{ {selection} userErrors {{ code message }} }} }}"
        );
        let body = json!({ "query": query, "variables": { "input": input } }).to_string();
        loop {
            let (_, answer) = self.connection.send(&self.authorization, body.clone()).await;
            let mut answer: Value = serde_json::from_slice(&answer).expect("the gateway answers with JSON");
            if answer["errors"][0]["extensions"]["code"] == "RETRY_LATER" {
                continue;
            }
            let payload = answer["data"]["answer"].take();
            assert_eq!(payload["userErrors"], json!([]), "{field}: {answer}");
            return payload;
        }
    }

    pub async fn create(&mut self, input: Value) -> String {
        text(&self.run("organizationCreate", input, "organization { id }").await["organization"]["id"])
    }

    /// A TEST key, which has credits from the start: its id and secret.
    pub async fn mint(&mut self, organization: &str) -> (String, String) {
        let input = json!({
            "organizationId": organization, "name": "racer", "environment": "TEST",
            "scopes": ["org:read", "credits:spend"],
        });
        let payload = self.run("apiKeyCreate", input, "apiKey { id } secret").await;
        (text(&payload["apiKey"]["id"]), text(&payload["secret"]))
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}
