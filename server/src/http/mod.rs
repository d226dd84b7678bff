//! The transport: GraphQL over HTTP, WebSocket and event streams, at `/graphql`.
//!
//! [`router`] serves any async-graphql [`Executor`]; what it needs of the rest of the gateway is the trait
//! [`Admission`]. A request passes, in this order: id, content negotiation, size, form of its parameters,
//! [`guard`], admission, throttle, engine. Nobody is asked for a key before the document is known to be
//! harmless, and nothing runs before somebody is admitted.
//!
//! Invariants:
//! - Every error has `extensions { code, requestId }`; the text of a fault is logged once and never sent.
//! - Mutations only by POST, POST only as `application/json`: another site's page can send neither without a
//!   preflight, which is refused.
//! - Everything waits with a deadline and queues with a bound, all in [`HttpSettings`].
//! - All 61 audits of npm `graphql-http` pass (`tests/graphql-http`).
//!
//! Nothing of async-graphql-axum is used: its request extractors read bodies without limit, batches and forms
//! included, its response always claims `application/graphql-response+json` with `data`, and its WebSocket
//! closes with codes after which clients do not come back.
//!
//! Deliberately not here: who may do what (the kernel's), rate limits (behind [`Admitted::throttle`]), array
//! batches, uploads, the legacy `graphql-ws` subprotocol, TLS.

mod address;
mod admission;
mod answer;
mod fault;
mod graphiql;
mod graphql;
pub mod guard;
mod layers;
mod negotiation;
mod operation;
mod pace;
mod parameters;
mod probes;
mod request_id;
mod settings;
mod shutdown;
mod sse;
mod throttle;
mod websocket;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_graphql::Executor;
use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;

pub use admission::{Admission, Admitted, Credentials, EndReason, TopLevelError};
pub use fault::Fault;
pub use guard::Guard;
pub use pace::{Opening, Resume};
pub use request_id::{RequestId, RequestIds};
pub use settings::{GraphiqlSettings, HttpSettings, Tab, WebSocketSettings};
pub use shutdown::Shutdown;
pub use throttle::{Allowance, Throttle};

/// Everything the routes need.
pub struct Service<E> {
    pub executor: E,
    pub admission: Arc<dyn Admission>,
    pub guard: Arc<Guard>,
    /// Served at `/schema.graphql`.
    pub sdl: Arc<str>,
    pub settings: HttpSettings,
    pub shutdown: Shutdown,
    pub request_ids: RequestIds,
    /// Served at `/metrics`, if there is one.
    pub metrics: Option<PrometheusHandle>,
}

/// Serve it with `into_make_service_with_connect_info::<SocketAddr>()`: the peer's address is the caller's.
pub fn router<E: Executor>(service: Service<E>) -> Router {
    let request_ids = Arc::clone(&service.request_ids);
    Router::new()
        .route("/graphql", get(graphql::get::<E>).post(graphql::post::<E>))
        .route("/graphiql", get(graphiql::page))
        .route("/graphiql/settings.json", get(graphiql::settings::<E>))
        .route("/schema.graphql", get(probes::schema::<E>))
        .route("/livez", get(probes::live))
        .route("/readyz", get(probes::ready::<E>))
        .route("/metrics", get(probes::metrics::<E>))
        .fallback(layers::not_found)
        .method_not_allowed_fallback(layers::method_not_allowed)
        .with_state(Arc::new(service))
        .layer(from_fn(layers::catch_panic))
        .layer(from_fn(layers::security_headers))
        .layer(from_fn_with_state(request_ids, request_id::layer))
}
