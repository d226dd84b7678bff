use axum::http::StatusCode;

use super::toy::{post, query, send, service};
use crate::http::router;

#[tokio::test]
async fn the_text_of_a_fault_stays_inside() {
    for document in ["{ fault }", "{ spokenFault }", "{ panics }", "{ faults { value } }"] {
        let answer = query(document).await;
        assert!(!answer.text.contains("hunter2"), "{document}: {}", answer.text);
        assert_eq!(answer.code(), "INTERNAL", "{document}");
        let request_id = answer.json()["errors"][0]["extensions"]["requestId"].clone();
        assert_eq!(request_id, answer.header("x-request-id"), "{document}");
    }
}

#[tokio::test]
async fn a_fault_of_one_field_leaves_the_others() {
    let answer = query("{ fault hello }").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.json()["data"]["hello"], "world");
}

#[tokio::test]
async fn a_panic_in_a_resolver_is_500() {
    assert_eq!(query("{ panics }").await.status, StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn a_panic_elsewhere_names_the_request_too() {
    let answer = send(router(service()), post("{ hello }", &[("authorization", "Bearer panic")])).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(answer.json()["errors"][0]["extensions"]["requestId"], answer.header("x-request-id"));
}

#[tokio::test]
async fn a_resolvers_own_code_and_text_are_shown() {
    let answer = query("{ refused }").await;
    assert_eq!(answer.code(), "NOT_FOUND");
    assert_eq!(answer.json()["errors"][0]["message"], "no such organization");
}

#[tokio::test]
async fn an_argument_of_the_wrong_type_keeps_its_explanation() {
    let answer = query("{ echo(number: \"x\") }").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.code(), "BAD_REQUEST");
    let message = answer.json()["errors"][0]["message"].to_string();
    assert!(message.contains("number"), "{message}");
}

#[tokio::test]
async fn an_argument_that_its_scalar_refuses_keeps_its_explanation() {
    let answer = query("{ even(number: 3) }").await;
    assert_eq!(answer.code(), "INVALID_INPUT");
    assert!(answer.json()["errors"][0]["message"].to_string().contains("send an even number"));
}

#[tokio::test]
async fn at_most_fifty_errors_are_sent() {
    let answer = query("{ faults { value } }").await;
    assert_eq!(answer.json()["errors"].as_array().map(Vec::len), Some(50));
    assert_eq!(answer.json()["extensions"]["omittedErrors"], 10);
}

#[tokio::test]
async fn a_refused_caller_sees_status_code_and_request_id() {
    let answer = send(router(service()), post("{ hello }", &[("authorization", "Bearer wrong")])).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.code(), "UNAUTHENTICATED");
    assert!(answer.json().get("data").is_none());
    assert_eq!(answer.json()["errors"][0]["extensions"]["requestId"], answer.header("x-request-id"));
}

#[tokio::test]
async fn a_refusal_that_passes_says_when_to_come_back() {
    let answer = send(router(service()), post("{ hello }", &[("authorization", "Bearer busy")])).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.header("retry-after"), "2");
    assert_eq!(answer.json()["errors"][0]["extensions"]["retryAfterMs"], 1_500);
}

#[tokio::test]
async fn a_caller_without_points_is_refused_before_anything_runs() {
    let document = "mutation { bump }";
    let answer = send(router(service()), post(document, &[("authorization", "Bearer poor")])).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED"));
    assert_eq!(answer.json()["extensions"]["cost"]["requestedQueryCost"], 10);
}

#[tokio::test(start_paused = true)]
async fn an_execution_that_takes_too_long_is_given_up() {
    let started = tokio::time::Instant::now();
    let answer = query("mutation { stuck }").await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "RETRY_LATER"));
    assert_eq!(started.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn an_anonymous_execution_is_given_up_sooner() {
    let started = tokio::time::Instant::now();
    send(router(service()), post("{ never }", &[])).await;
    assert_eq!(started.elapsed().as_secs(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_admission_that_takes_too_long_is_given_up() {
    let answer = send(router(service()), post("{ hello }", &[("authorization", "Bearer forgotten")])).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "RETRY_LATER"));
    assert_eq!(answer.json()["errors"][0]["extensions"]["retryAfterMs"], 1_000);
}
