//! Charges over HTTP: connections that each wait for an answer before they ask again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use banyan::kernel::clock::{Clock, SystemClock};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use sea_orm::DatabaseConnection;
use tokio::net::TcpStream;
use uuid::Uuid;

use crate::engine::batch_size;
use crate::figure::Sample;
use crate::gateway::Gateway;

const DOCUMENT: &str = "mutation($input: CreditChargeInput!) { creditCharge(input: $input) { charge { id } wallet { available } userErrors { code message } } }";
/// How every answer begins that is no refusal and no error.
const DONE: &[u8] = br#""userErrors":[]"#;

/// Who charges whom, drawn from by number.
#[derive(Clone)]
pub struct Requests {
    /// Key secrets; a connection keeps to one.
    pub keys: Arc<Vec<String>>,
    /// Organizations to charge at random; the key's own when there are none.
    pub organizations: Arc<Vec<String>>,
}

pub async fn run(
    gateway: &Gateway,
    database: &DatabaseConnection,
    requests: &Requests,
    connections: usize,
    time: Duration,
) -> Sample {
    let since = now_micros();
    let begin = Instant::now();
    let end = begin + time;
    let tasks: Vec<_> = (0..connections)
        .map(|number| tokio::spawn(connection(gateway.address, requests.clone(), number, end)))
        .collect();
    let mut took = Vec::new();
    for task in tasks {
        took.extend(task.await.expect("a connection does its work"));
    }
    let elapsed = begin.elapsed();
    took.sort_unstable();
    Sample {
        per_second: took.len() as f64 / elapsed.as_secs_f64(),
        typical: took.get(took.len() / 2).copied().unwrap_or_default(),
        batch: batch_size(database, since).await,
    }
}

async fn connection(address: std::net::SocketAddr, requests: Requests, number: usize, end: Instant) -> Vec<Duration> {
    let stream = TcpStream::connect(address).await.expect("the gateway is there");
    stream.set_nodelay(true).expect("a socket can be set");
    let (mut sender, driver) = http1::handshake(TokioIo::new(stream)).await.expect("the gateway speaks HTTP");
    tokio::spawn(driver);
    let authorization = format!("Bearer {}", requests.keys[number % requests.keys.len()]);
    let mut took = Vec::new();
    while Instant::now() < end {
        let key = Uuid::from_u128(rand::random());
        let organization = match requests.organizations.len() {
            0 => String::new(),
            count => {
                format!(r#","organizationId":"{}""#, requests.organizations[rand::random_range(0..count)])
            }
        };
        let body = format!(
            r#"{{"query":"{DOCUMENT}","variables":{{"input":{{"amount":1,"idempotencyKey":"{key}"{organization}}}}}}}"#
        );
        let request = Request::builder()
            .method(Method::POST)
            .uri("/graphql")
            .header("host", "localhost")
            .header("content-type", "application/json")
            .header("accept", "application/graphql-response+json")
            .header("authorization", &authorization)
            .body(Full::new(Bytes::from(body)))
            .expect("the request is well-formed");
        let begin = Instant::now();
        let response = sender.send_request(request).await.expect("the gateway answers");
        let body = response.into_body().collect().await.expect("the answer arrives").to_bytes();
        took.push(begin.elapsed());
        assert!(body.windows(DONE.len()).any(|window| window == DONE), "{}", String::from_utf8_lossy(&body));
    }
    took
}

/// The clock of the rows that are written, in microseconds.
pub fn now_micros() -> i64 {
    SystemClock.now().as_micros()
}
