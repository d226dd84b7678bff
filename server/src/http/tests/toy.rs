use std::sync::Arc;
use std::time::Duration;

use async_graphql::{
    Context, Enum, ErrorExtensions, InputValueError, InputValueResult, Object, Request, Scalar, ScalarType, Schema,
    SimpleObject, Subscription, Value,
};
use axum::Router;
use axum::body::Body;
use axum::http::{self, HeaderMap, StatusCode};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, Stream, StreamExt, stream};
use serde_json::Value as Json;
use tower::ServiceExt;
use uuid::Uuid;

use crate::http::guard::{Guard, Limits};
use crate::http::{
    Admission, Admitted, Allowance, Credentials, EndReason, HttpSettings, Service, Shutdown, Throttle, TopLevelError,
    router,
};

pub struct Query;
pub struct Mutation;
pub struct Changes;

/// What admission puts into each request.
pub struct Caller(pub String);

#[derive(SimpleObject)]
pub struct Item {
    id: i32,
}

#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum Color {
    Red,
}

pub struct Even(i32);

#[Scalar]
impl ScalarType for Even {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::Number(number) if number.as_i64().is_some_and(|number| number % 2 == 0) => Ok(Self(0)),
            _ => Err(InputValueError::custom("send an even number")),
        }
    }

    fn to_value(&self) -> Value {
        Value::from(self.0)
    }
}

#[Object]
impl Query {
    async fn hello(&self) -> &str {
        "world"
    }

    async fn caller(&self, ctx: &Context<'_>) -> async_graphql::Result<String> {
        Ok(ctx.data::<Caller>()?.0.clone())
    }

    async fn echo(&self, number: i32) -> i32 {
        number
    }

    async fn color(&self, color: Color) -> Color {
        color
    }

    async fn even(&self, number: Even) -> i32 {
        number.0
    }

    async fn items(&self, count: i32) -> Vec<Item> {
        (0..count).map(|id| Item { id }).collect()
    }

    /// `Option<Result>`: with `Result<Option>` the engine nulls the parent, not the field.
    async fn fault(&self) -> Option<async_graphql::Result<i32>> {
        Some(Err(std::io::Error::other("password is hunter2").into()))
    }

    async fn spoken_fault(&self) -> async_graphql::Result<i32> {
        Err(async_graphql::Error::new("password is hunter2"))
    }

    async fn refused(&self) -> async_graphql::Result<Option<i32>> {
        Err(async_graphql::Error::new("no such organization").extend_with(|_, values| values.set("code", "NOT_FOUND")))
    }

    async fn faults(&self) -> Vec<Faulty> {
        (0..60).map(|_| Faulty).collect()
    }

    async fn panics(&self) -> i32 {
        let nothing: Option<i32> = "".parse().ok();
        nothing.expect("password is hunter2")
    }

    async fn never(&self) -> i32 {
        std::future::pending().await
    }
}

pub struct Faulty;

#[Object]
impl Faulty {
    async fn value(&self) -> Option<async_graphql::Result<i32>> {
        Some(Err(async_graphql::Error::new("password is hunter2")))
    }
}

#[Object]
impl Mutation {
    async fn bump(&self) -> i32 {
        1
    }

    async fn stuck(&self) -> i32 {
        std::future::pending().await
    }
}

#[Subscription]
impl Changes {
    async fn count(&self, to: i32) -> impl Stream<Item = i32> {
        stream::iter(1..=to)
    }

    async fn never(&self) -> impl Stream<Item = i32> {
        stream::pending()
    }

    async fn endless(&self) -> impl Stream<Item = i32> {
        stream::iter(0..).then(|number| async move {
            tokio::task::yield_now().await;
            number
        })
    }

    async fn broken(&self) -> async_graphql::Result<stream::Empty<i32>> {
        Err(async_graphql::Error::new("password is hunter2"))
    }
}

pub type Toy = Schema<Query, Mutation, Changes>;

/// Admits everybody but `Bearer wrong`; the authority of `Bearer short` ends after a minute.
pub struct Door;

impl Admission for Door {
    fn admit<'a>(&'a self, credentials: Credentials) -> BoxFuture<'a, Result<Admitted, TopLevelError>> {
        async move {
            let authorization = credentials.authorization.unwrap_or_default();
            match authorization.as_str() {
                "Bearer wrong" => {
                    return Err(TopLevelError::new(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", "The key is unknown."));
                }
                "Bearer busy" => {
                    let mut error = TopLevelError::new(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED", "Slow down.");
                    error.retry_after_ms = Some(1_500);
                    return Err(error);
                }
                "Bearer forgotten" => std::future::pending().await,
                "Bearer panic" => panic!("the door broke"),
                _ => {}
            }
            let name = format!(
                "{authorization}|{}|{}|{}",
                credentials.organization.unwrap_or_default(),
                credentials.idempotency_key.unwrap_or_default(),
                credentials.address
            );
            let ends = authorization == "Bearer short";
            let mut admitted = Admitted::new(move |request: Request| request.data(Caller(name.clone())));
            admitted.anonymous = authorization.is_empty();
            if ends {
                admitted.ended = async {
                    tokio::time::sleep(Duration::from_secs(60)).await;
                    EndReason::Revoked
                }
                .boxed();
            }
            if authorization == "Bearer poor" {
                admitted.throttle = Arc::new(Poor);
            }
            Ok(admitted)
        }
        .boxed()
    }

    fn ready<'a>(&'a self) -> BoxFuture<'a, Result<(), String>> {
        async { Ok(()) }.boxed()
    }
}

/// Has no points.
struct Poor;

impl Throttle for Poor {
    fn take(&self, points: u64) -> Result<(), TopLevelError> {
        match points {
            0 => Ok(()),
            _ => Err(TopLevelError::new(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED", "No points left.")),
        }
    }

    fn give_back(&self, _: u64) {}

    fn left(&self) -> Option<Allowance> {
        Some(Allowance { maximum: 10, available: 0, restored: 1 })
    }
}

pub fn service() -> Service<Toy> {
    let limits = Limits::default();
    let schema = limits.second_belt(Schema::build(Query, Mutation, Changes)).finish();
    let sdl = schema.sdl();
    Service {
        executor: schema,
        admission: Arc::new(Door),
        guard: Arc::new(Guard::new(&sdl, limits).expect("the engine's SDL parses")),
        sdl: sdl.into(),
        settings: HttpSettings::default(),
        shutdown: Shutdown::default(),
        request_ids: Arc::new(|| Uuid::from_u128(0x0191_0000_0000_7000_8000_0000_0000_0001)),
        metrics: None,
    }
}

pub struct Answered {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answered {
    pub fn json(&self) -> Json {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }

    pub fn code(&self) -> String {
        self.json()["errors"][0]["extensions"]["code"].as_str().unwrap_or_default().to_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

pub async fn send(router: Router, request: http::Request<Body>) -> Answered {
    let response = router.oneshot(request).await.expect("a router does not fail");
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.expect("the body is whole");
    Answered {
        status: parts.status,
        headers: parts.headers,
        text: String::from_utf8(bytes.to_vec()).expect("the body is text"),
    }
}

pub const MODERN: &str = "application/graphql-response+json";

/// A POST as a current client sends it, with more headers.
pub fn post(query: &str, headers: &[(&str, &str)]) -> http::Request<Body> {
    let body = serde_json::json!({ "query": query }).to_string();
    let mut builder =
        http::Request::post("/graphql").header("content-type", "application/json").header("accept", MODERN);
    if let Some(all) = builder.headers_mut() {
        for (name, value) in headers {
            let name: http::HeaderName = name.parse().expect("a header name");
            all.append(name, value.parse().expect("a header value"));
        }
    }
    builder.body(Body::from(body)).expect("a request")
}

pub async fn query(query: &str) -> Answered {
    send(router(service()), post(query, &[("authorization", "Bearer key")])).await
}
