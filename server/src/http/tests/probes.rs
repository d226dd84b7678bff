use axum::body::Body;
use axum::http::{Request, StatusCode};

use super::toy::{Answered, send, service};
use crate::http::router;

async fn get(path: &str) -> Answered {
    send(router(service()), Request::get(path).body(Body::empty()).expect("a request")).await
}

#[tokio::test]
async fn the_probes_answer() {
    assert_eq!(get("/livez").await.status, StatusCode::OK);
    assert_eq!(get("/readyz").await.status, StatusCode::OK);
    assert_eq!(get("/metrics").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_gateway_that_shuts_down_is_not_ready() {
    let service = service();
    service.shutdown.begin();
    let request = Request::get("/readyz").body(Body::empty()).expect("a request");
    assert_eq!(send(router(service), request).await.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn the_schema_is_text_with_a_tag_that_saves_the_second_transfer() {
    let first = get("/schema.graphql").await;
    assert!(first.text.contains("type Query"));
    let request = Request::get("/schema.graphql").header("if-none-match", first.header("etag"));
    let second = send(router(service()), request.body(Body::empty()).expect("a request")).await;
    assert_eq!(second.status, StatusCode::NOT_MODIFIED);
    assert_eq!(second.text, "");
}

#[tokio::test]
async fn every_answer_forbids_frames_and_guesses_about_its_type() {
    let answer = get("/livez").await;
    assert_eq!(answer.header("x-frame-options"), "DENY");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("referrer-policy"), "no-referrer");
}
