use axum::body::Body;
use axum::http::{Request, StatusCode};
use tower::ServiceExt;

use super::toy::{Answered, send, service};
use crate::http::{GraphiqlSettings, Tab, router};

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

async fn get(path: &str, headers: &[(&str, &str)]) -> Answered {
    let builder = headers.iter().fold(Request::get(path), |builder, (name, value)| builder.header(*name, *value));
    send(router(service()), builder.body(Body::empty()).expect("a request")).await
}

#[tokio::test]
async fn a_browser_is_shown_graphiql_at_both_addresses() {
    for path in ["/graphql", "/graphql?query=%7Bhello%7D", "/graphiql"] {
        let answer = get(path, &[("accept", BROWSER)]).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
        assert!(answer.text.contains("GraphiQL"), "{path}");
    }
}

#[tokio::test]
async fn the_page_names_no_resource_of_another_host() {
    let page = get("/graphiql", &[]).await.text;
    for tag in ["<script src", "<link rel=\"stylesheet\"", "@import", "url(http"] {
        assert!(!page.contains(tag), "{tag}");
    }
}

#[tokio::test]
async fn the_policy_allows_nothing_of_another_host() {
    let answer = get("/graphiql", &[]).await;
    let policy = answer.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    assert!(!policy.contains("http") && !policy.contains('*'), "{policy}");
}

#[tokio::test]
async fn brotli_is_sent_as_it_is_stored_and_tagged() {
    let request = Request::get("/graphiql").header("accept-encoding", "gzip, br").body(Body::empty());
    let response = router(service()).oneshot(request.expect("a request")).await.expect("a router does not fail");
    assert_eq!(response.headers()["content-encoding"], "br");
    let tag = response.headers()["etag"].to_str().expect("text").to_owned();
    let again = get("/graphiql", &[("accept-encoding", "gzip, br"), ("if-none-match", &tag)]).await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);
    assert_ne!(get("/graphiql", &[]).await.header("etag"), tag);
}

#[tokio::test]
async fn the_settings_are_json_that_only_this_origin_may_read() {
    let mut service = service();
    service.settings.graphiql = GraphiqlSettings {
        tabs: vec![Tab { query: "{ hello } # </script>".to_owned(), ..Tab::default() }],
        headers: Some(r#"{"Authorization":"Bearer demo"}"#.to_owned()),
    };
    let request = Request::get("/graphiql/settings.json").body(Body::empty()).expect("a request");
    let answer = send(router(service), request).await;
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.json()["defaultTabs"][0]["query"], "{ hello } # </script>");
    assert_eq!(answer.json()["endpoint"], "/graphql");
}
