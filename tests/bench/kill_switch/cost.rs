//! What the check costs: the same gateway with it and without any.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_graphql::Request;
use banyan::http::{self, Admitted, Credentials, GraphiqlSettings, TopLevelError};
use futures_util::future::BoxFuture;

use crate::ask::{Connection, MakeBody, Verdict};
use crate::gateway;

/// Requests under way at once.
const CONNECTIONS: usize = 64;

/// Recognises each key once and believes it for ever after. No setting of a gateway does this: it is made of the gateway's
/// parts by this program.
struct Unchecked {
    inner: Arc<dyn http::Admission>,
    known: Mutex<HashMap<String, Attach>>,
}

type Attach = Arc<dyn Fn(Request) -> Request + Send + Sync>;

impl http::Admission for Unchecked {
    fn admit<'a>(&'a self, credentials: Credentials) -> BoxFuture<'a, Result<Admitted, TopLevelError>> {
        Box::pin(async move {
            let key = credentials.authorization.clone().unwrap_or_default();
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
            let attach = match known {
                Some(attach) => attach,
                None => {
                    let attach: Attach = Arc::from(self.inner.admit(credentials).await?.attach);
                    let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
                    Arc::clone(known.entry(key).or_insert(attach))
                }
            };
            Ok(Admitted::new(move |request: Request| attach(request)))
        })
    }

    fn ready<'a>(&'a self) -> BoxFuture<'a, Result<(), String>> {
        self.inner.ready()
    }
}

/// Serves with the check or without.
pub async fn serve(database_url: String, data: PathBuf, checked: bool) -> ExitCode {
    let app = gateway::app(&database_url, &data).await;
    let mut service = app.service(GraphiqlSettings::default(), None).expect("the schema makes a service");
    if !checked {
        service.admission = Arc::new(Unchecked { inner: service.admission, known: Mutex::default() });
    }
    let (listener, stop) = gateway::listen().await;
    let routes = http::router(service).into_make_service_with_connect_info::<SocketAddr>();
    tokio::select! {
        served = async { axum::serve(listener, routes).await } => served.expect("the gateway serves"),
        () = stop => {}
    }
    ExitCode::SUCCESS
}

/// Requests answered in a second.
pub async fn per_second(address: SocketAddr, secrets: &[String], body: MakeBody, time: Duration) -> f64 {
    let begin = Instant::now();
    let end = begin + time;
    let connections: Vec<_> = (0..CONNECTIONS)
        .map(|number| {
            let authorization = format!("Bearer {}", secrets[number % secrets.len()]);
            tokio::spawn(async move {
                let mut connection = Connection::open(address).await;
                let mut answered = 0_u32;
                while Instant::now() < end {
                    assert_eq!(connection.ask(&authorization, body()).await, Verdict::Accepted);
                    answered += 1;
                }
                answered
            })
        })
        .collect();
    let mut answered = 0;
    for connection in connections {
        answered += connection.await.expect("a connection does its work");
    }
    f64::from(answered) / begin.elapsed().as_secs_f64()
}
