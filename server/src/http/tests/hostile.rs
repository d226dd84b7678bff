use axum::http::StatusCode;

use super::toy::query;

#[tokio::test]
async fn nested_lists_are_refused_with_the_limit_by_name() {
    let document = format!("{{ echo(number: {}{}) }}", "[".repeat(2_000), "]".repeat(2_000));
    let answer = query(&document).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::BAD_REQUEST, "DOCUMENT_REJECTED"));
    let extensions = &answer.json()["errors"][0]["extensions"];
    assert_eq!((&extensions["limit"], &extensions["maximum"]), (&"nesting".into(), &64.into()));
    assert!(answer.json().get("data").is_none());
}

#[tokio::test]
async fn a_document_of_forty_thousand_tokens_is_refused_in_a_few_words() {
    let answer = query(&format!("{{ hello {} }}", "@x ".repeat(20_000))).await;
    assert_eq!(answer.code(), "DOCUMENT_REJECTED");
    assert!(answer.text.len() < 1_000);
}

#[tokio::test]
async fn a_document_of_a_thousand_unknown_fields_is_refused_in_fifty_errors() {
    let fields: String =
        (0..15).map(|number| format!("items(count: 1) {{ {} }}", format!("x{number} ").repeat(60))).collect();
    let answer = query(&format!("{{ {fields} }}")).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.json()["errors"].as_array().map(Vec::len), Some(50), "{}", answer.text);
}

#[tokio::test]
async fn the_introspection_query_of_graphiql_is_answered() {
    let answer = query(include_str!("../guard/introspection.graphql")).await;
    assert_eq!(answer.json()["data"]["__schema"]["queryType"]["name"], "Query", "{}", answer.text);
}
