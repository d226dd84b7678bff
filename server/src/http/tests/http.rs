use axum::body::Body;
use axum::http::{Request, StatusCode};

use super::toy::{MODERN, post, query, send, service};
use crate::http::router;

fn request(method: &str, uri: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Request<Body> {
    let builder = headers
        .iter()
        .fold(Request::builder().method(method).uri(uri), |builder, (name, value)| builder.header(*name, *value));
    builder.body(body.into()).expect("a request")
}

#[tokio::test]
async fn a_query_is_answered_with_its_cost() {
    let answer = query("{ hello }").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), "application/graphql-response+json; charset=utf-8");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.json()["data"]["hello"], "world");
    assert_eq!(
        answer.json()["extensions"]["cost"],
        serde_json::json!({"requestedQueryCost": 0, "actualQueryCost": 0, "maximum": 10_000})
    );
}

#[tokio::test]
async fn an_invalid_document_is_400_without_data_for_current_clients() {
    let answer = query("{ nope }").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.json().get("data").is_none());
    assert_eq!(answer.code(), "BAD_REQUEST");
}

#[tokio::test]
async fn an_invalid_document_is_200_without_data_for_older_clients() {
    let mut request = post("{ nope }", &[]);
    request.headers_mut().remove("accept");
    let answer = send(router(service()), request).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), "application/json; charset=utf-8");
    assert!(answer.json().get("data").is_none());
}

#[tokio::test]
async fn a_mutation_over_get_is_refused_and_names_post() {
    let answer = send(router(service()), request("GET", "/graphql?query=mutation%7Bbump%7D", &[], "")).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.header("allow"), "POST");
}

#[tokio::test]
async fn a_query_over_get_is_answered() {
    let uri = "/graphql?query=query(%24n%3AInt!)%7Becho(number%3A%24n)%7D&variables=%7B%22n%22%3A4%7D";
    let answer = send(router(service()), request("GET", uri, &[("accept", MODERN)], "")).await;
    assert_eq!(answer.json()["data"]["echo"], 4);
}

#[tokio::test]
async fn bodies_a_browser_sends_unasked_are_refused() {
    for content_type in ["text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"] {
        let body = r#"{"query":"mutation{bump}"}"#;
        let answer =
            send(router(service()), request("POST", "/graphql", &[("content-type", content_type)], body)).await;
        assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{content_type}");
        assert_eq!(answer.code(), "BAD_REQUEST");
    }
}

#[tokio::test]
async fn a_body_in_another_character_set_or_compressed_is_refused() {
    let body = r#"{"query":"{hello}"}"#;
    for headers in [
        &[("content-type", "application/json; charset=utf-16")][..],
        &[("content-type", "application/json"), ("content-encoding", "gzip")][..],
    ] {
        let answer = send(router(service()), request("POST", "/graphql", headers, body)).await;
        assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
}

#[tokio::test]
async fn a_medium_nobody_speaks_is_not_acceptable() {
    let answer = send(router(service()), request("GET", "/graphql", &[("accept", "image/png")], "")).await;
    assert_eq!(answer.status, StatusCode::NOT_ACCEPTABLE);
}

#[tokio::test]
async fn an_array_of_operations_is_refused() {
    let body = r#"[{"query":"{hello}"}]"#;
    let answer =
        send(router(service()), request("POST", "/graphql", &[("content-type", "application/json")], body)).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.code(), "BAD_REQUEST");
}

#[tokio::test]
async fn a_body_over_256_kib_is_too_large() {
    let answer = query(&" ".repeat(256 * 1024)).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(answer.code(), "DOCUMENT_REJECTED");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_given_up() {
    let body = Body::from_stream(futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>());
    let answer =
        send(router(service()), request("POST", "/graphql", &[("content-type", "application/json")], body)).await;
    assert_eq!(answer.status, StatusCode::REQUEST_TIMEOUT);
}

#[tokio::test]
async fn another_method_is_refused_and_told_which_are_allowed() {
    let answer = send(router(service()), request("DELETE", "/graphql", &[], "")).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.header("allow"), "GET,HEAD,POST");
    assert_eq!(answer.code(), "BAD_REQUEST");
}

#[tokio::test]
async fn another_path_is_not_found_in_json() {
    let answer = send(router(service()), request("GET", "/nope", &[], "")).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::NOT_FOUND, "NOT_FOUND"));
}

#[tokio::test]
async fn a_subscription_without_a_stream_is_refused_with_advice() {
    let answer = query("subscription { never }").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.text.contains("text/event-stream"));
}

#[tokio::test]
async fn headers_reach_admission() {
    let headers = [("authorization", "Bearer key"), ("banyan-organization", "org_1"), ("idempotency-key", "once")];
    let answer = send(router(service()), post("{ caller }", &headers)).await;
    assert_eq!(answer.json()["data"]["caller"], "Bearer key|org_1|once|0.0.0.0");
}

#[tokio::test]
async fn a_header_given_twice_with_other_values_is_refused() {
    for name in ["authorization", "banyan-organization", "idempotency-key"] {
        let answer = send(router(service()), post("{ hello }", &[(name, "a"), (name, "b")])).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::BAD_REQUEST, "BAD_REQUEST"), "{name}");
    }
}

#[tokio::test]
async fn a_header_given_twice_with_one_value_is_taken_once() {
    let headers = [("banyan-organization", "org_1"), ("banyan-organization", "org_1")];
    let answer = send(router(service()), post("{ caller }", &headers)).await;
    assert_eq!(answer.json()["data"]["caller"], "|org_1||0.0.0.0");
}

#[tokio::test]
async fn an_idempotency_key_over_255_bytes_is_refused() {
    let key = "k".repeat(256);
    let answer = send(router(service()), post("{ hello }", &[("idempotency-key", &key)])).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn an_idempotency_key_serves_one_mutation_field_only() {
    let two = post("mutation { bump again: bump }", &[("idempotency-key", "once")]);
    assert_eq!(send(router(service()), two).await.status, StatusCode::BAD_REQUEST);
    let one = post("mutation { bump }", &[("idempotency-key", "once")]);
    assert_eq!(send(router(service()), one).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_clients_request_id_comes_back() {
    let answer = send(router(service()), post("{ nope }", &[("x-request-id", "order-17")])).await;
    assert_eq!(answer.header("x-request-id"), "order-17");
    assert_eq!(answer.json()["errors"][0]["extensions"]["requestId"], "order-17");
}

/// Why this transport is not async-graphql-axum's. When this fails, look again at what the stock integration does.
#[tokio::test]
async fn the_stock_integration_still_runs_a_mutation_over_get() {
    let stock = async_graphql_axum::GraphQL::new(service().executor);
    let router = axum::Router::new().route("/graphql", axum::routing::get_service(stock));
    let answer = send(router, request("GET", "/graphql?query=mutation%7Bbump%7D", &[], "")).await;
    assert_eq!((answer.status.as_u16(), answer.json()["data"]["bump"].is_null()), (200, false), "{}", answer.text);
}
