use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use futures_util::StreamExt;
use tower::ServiceExt;

use super::toy::{Answered, Toy, post, send, service};
use crate::http::{Service, router};

fn request(query: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = post(query, headers);
    request.headers_mut().insert("accept", "text/event-stream".parse().expect("a header value"));
    request
}

async fn stream(service: Service<Toy>, query: &str, headers: &[(&str, &str)]) -> Answered {
    send(router(service), request(query, headers)).await
}

/// The `data` of each event, with its name.
fn events(text: &str) -> Vec<(String, String)> {
    let blocks = text.split("\n\n").filter(|block| block.contains("event:"));
    let field = |block: &str, name: &str| {
        let line = block.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_default().trim().to_owned()
    };
    blocks.map(|block| (field(block, "event:"), field(block, "data:"))).collect()
}

#[tokio::test]
async fn a_subscription_is_its_answers_and_complete() {
    let answer = stream(service(), "subscription { count(to: 2) }", &[]).await;
    assert_eq!(answer.header("content-type"), "text/event-stream");
    let events = events(&answer.text);
    let names: Vec<_> = events.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["next", "next", "complete"]);
    assert!(events[1].1.contains(r#""data":{"count":2}"#), "{}", events[1].1);
    assert_eq!(events[2].1, "");
}

#[tokio::test]
async fn a_query_is_one_answer_and_complete() {
    let events = events(&stream(service(), "{ hello }", &[]).await.text);
    assert_eq!(events.len(), 2);
    assert!(events[0].1.contains("world"));
}

#[tokio::test]
async fn an_event_stream_over_get_serves_subscriptions_but_no_mutations() {
    let get = |query: &str| {
        let uri = format!("/graphql?query={query}");
        Request::get(uri).header("accept", "text/event-stream").body(Body::empty()).expect("a request")
    };
    let answer = send(router(service()), get("subscription%7Bcount(to:1)%7D")).await;
    assert_eq!(events(&answer.text).len(), 2);
    let answer = send(router(service()), get("mutation%7Bbump%7D")).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_refused_document_is_a_stream_of_its_errors() {
    for document in ["subscription {", "subscription { nope }"] {
        let answer = stream(service(), document, &[]).await;
        assert_eq!(answer.status, StatusCode::OK);
        let events = events(&answer.text);
        assert!(events[0].1.contains("BAD_REQUEST"), "{document}");
        assert_eq!(events[1].0, "complete");
    }
}

#[tokio::test]
async fn a_refused_caller_is_a_status_and_no_stream() {
    let answer = stream(service(), "subscription { never }", &[("authorization", "Bearer wrong")]).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED"));
}

#[tokio::test]
async fn the_text_of_a_fault_stays_inside_a_stream_too() {
    let answer = stream(service(), "subscription { broken }", &[]).await;
    assert!(!answer.text.contains("hunter2"));
    assert!(answer.text.contains("INTERNAL"));
}

#[tokio::test(start_paused = true)]
async fn a_stream_says_that_its_authority_ended_and_completes() {
    let answer = stream(service(), "subscription { never }", &[("authorization", "Bearer short")]).await;
    let events = events(&answer.text);
    assert!(events[0].1.contains("UNAUTHENTICATED"));
    assert_eq!(events[1].0, "complete");
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_a_shutdown_ends_does_not_complete() {
    let service = service();
    let shutdown = service.shutdown.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(1)).await;
        shutdown.begin();
    });
    let answer = stream(service, "subscription { never }", &[]).await;
    assert_eq!(events(&answer.text), []);
}

#[tokio::test(start_paused = true)]
async fn a_silent_stream_is_kept_alive_by_comments() {
    let request = request("subscription { never }", &[]);
    let response = router(service()).oneshot(request).await.expect("a router does not fail");
    let started = tokio::time::Instant::now();
    let chunk = response.into_body().into_data_stream().next().await.expect("a chunk").expect("no error");
    assert_eq!((chunk.as_ref(), started.elapsed().as_secs()), (&b":\n\n"[..], 12));
}
