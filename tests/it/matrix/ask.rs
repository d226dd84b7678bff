//! One cell asked through the router, and what came of it.

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http;
use futures_util::StreamExt;
use serde_json::{Map, Value, json};
use tests::{Answer, TestApp};
use tower::ServiceExt;

use super::oracle::{Outcome, Sight};
use super::shape::Shape;
use super::values;
use super::world::{Principal, Target};

/// What was asked and how to find the answer in the data.
pub struct Question {
    pub document: String,
    pub variables: Map<String, Value>,
    pub pointer: String,
}

/// The values of a field's inputs when this is the target. Whoever acts by the header leaves out what the header says.
pub fn arguments(
    shape: &Shape,
    of: &str,
    field: &str,
    target: &Target,
    by_header: bool,
    serial: u64,
) -> Map<String, Value> {
    let fill = |place: &str, name: &str, required: bool| -> Option<Value> {
        let acting = matches!(name, "organizationId" | "parentId" | "sourceOrganizationId");
        match (place, name) {
            _ if by_header && acting && !required => None,
            ("Query.organization", "id") => Some(target.organization.id.clone().into()),
            // A key or a member is explained, not both.
            ("Query.explainAccess", "memberId") => None,
            (_, "secret") => Some(target.organization.key.secret.clone().into()),
            _ => target.id(name).map(Value::from).or_else(|| values::named(place, name, serial)),
        }
    };
    shape.arguments(of, shape.field(of, field), &fill)
}

/// The question that a cell asks for a principal.
pub fn question(shape: &Shape, of: &str, field: &str, who: &Principal, target: &Target, serial: u64) -> Question {
    let by_header = who.header.is_some();
    match of {
        "Query" | "Mutation" | "Subscription" => {
            let given = arguments(shape, of, field, target, by_header, serial);
            root_question(shape, of, field, given)
        }
        "Node" => {
            let document =
                format!("query($id: ID!) {{ node(id: $id) {{ ... on {field} {{ {} }} }} }}", shape.leaves(field));
            let variables = Map::from_iter([("id".to_owned(), target.node(field).into())]);
            Question { document, variables, pointer: "/node".to_owned() }
        }
        _ => {
            let part = if of == "OrganizationSummary" { "summary" } else { "" };
            let given = arguments(shape, of, field, target, false, serial);
            let (mut definitions, call) = shape.call(shape.field(of, field), &given);
            let call = if part.is_empty() { call } else { format!("{part} {{ {call} }}") };
            let mut variables = given;
            let (way, above) = match (who.who.sight, by_header) {
                (_, true) => (format!("viewer {{ actingOrganization {{ {call} }} }}"), "/viewer/actingOrganization"),
                (Sight::Own, _) => (format!("viewer {{ organization {{ {call} }} }}"), "/viewer/organization"),
                _ => {
                    definitions = format!("$target: ID! {definitions}");
                    variables.insert("target".to_owned(), target.organization.id.clone().into());
                    (format!("organization(by: {{ id: $target }}) {{ {call} }}"), "/organization")
                }
            };
            let definitions = if definitions.is_empty() { String::new() } else { format!("({definitions})") };
            let part = if part.is_empty() { String::new() } else { format!("/{part}") };
            Question {
                document: format!("query{definitions} {{ {way} }}"),
                variables,
                pointer: format!("{above}{part}/{field}"),
            }
        }
    }
}

/// A root field with these arguments.
pub fn root_question(shape: &Shape, of: &str, field: &str, given: Map<String, Value>) -> Question {
    let (definitions, call) = shape.call(shape.field(of, field), &given);
    let definitions = if definitions.is_empty() { String::new() } else { format!("({definitions})") };
    let document = format!("{}{definitions} {{ {call} }}", of.to_lowercase());
    Question { document, variables: given, pointer: format!("/{field}") }
}

/// Sends it as the principal does; a subscription's answer is its first event.
pub async fn send(app: &TestApp, key: Option<&str>, header: Option<&str>, question: &Question) -> Answer {
    if question.document.starts_with("subscription") {
        return first_event(app, key, header, question).await;
    }
    let mut request = app.request(&question.document).variables(Value::Object(question.variables.clone()));
    if let Some(key) = key {
        request = request.key(key);
    }
    if let Some(header) = header {
        request = request.header("Banyan-Organization", header);
    }
    request.send().await
}

/// The first event of a stream. Every stream of the matrix has one: a wallet, or the events since the beginning.
async fn first_event(app: &TestApp, key: Option<&str>, header: Option<&str>, question: &Question) -> Answer {
    let body = json!({ "query": question.document, "variables": question.variables }).to_string();
    let mut builder = http::Request::post("/graphql")
        .header("content-type", "application/json")
        .header("accept", "text/event-stream");
    if let Some(key) = key {
        builder = builder.header("authorization", format!("Bearer {key}"));
    }
    if let Some(header) = header {
        builder = builder.header("Banyan-Organization", header);
    }
    let mut request = builder.body(Body::from(body)).expect("a test writes legal headers");
    request.extensions_mut().insert(ConnectInfo(std::net::SocketAddr::from(([192, 0, 2, 10], 40_000))));
    let response = app.router().oneshot(request).await.expect("a router does not fail");
    let (parts, body) = response.into_parts();
    let (mut text, mut frames) = (String::new(), body.into_data_stream());
    while let Some(frame) = frames.next().await {
        text.push_str(&String::from_utf8_lossy(&frame.expect("a stream in process does not break")));
        let data = text.lines().find_map(|line| line.strip_prefix("data:")).map(str::trim);
        // Before the stream it may be refused as any request is: with a body that is no event.
        let whole = data.or_else(|| text.starts_with('{').then_some(text.as_str()));
        if let Some(body) = whole.and_then(|data| serde_json::from_str(data).ok()) {
            return Answer { status: parts.status, headers: parts.headers, body };
        }
    }
    panic!("{}: the stream ended without an event: {text}", parts.status)
}

/// What an answer comes to, and the value it answered with.
pub fn read(answer: &Answer, pointer: &str) -> (Result<Outcome, String>, Value) {
    let value = answer.data().pointer(pointer).cloned().unwrap_or_default();
    // A quote that tells why the charge would be refused is an answer.
    let user_error = value["userErrors"][0]["code"].as_str().or(value["results"][0]["userErrors"][0]["code"].as_str());
    let user_error = user_error.filter(|_| pointer != "/creditQuote");
    let outcome = match (answer.code(), user_error) {
        ("", None) => Ok(Outcome::Answers),
        ("" | "NOT_FOUND", Some("NOT_FOUND")) | ("NOT_FOUND", None) => Ok(Outcome::Nothing),
        ("UNAUTHENTICATED", _) => Ok(Outcome::Unauthenticated),
        ("FORBIDDEN_SCOPE", _) | (_, Some("FORBIDDEN_SCOPE")) => Ok(Outcome::Forbidden),
        ("ORGANIZATION_SUSPENDED", _) | (_, Some("ORGANIZATION_SUSPENDED")) => Ok(Outcome::Suspended),
        (_, Some("ORGANIZATION_ARCHIVED" | "CONFLICT")) => Ok(Outcome::Ended),
        (_, Some("INVALID_INPUT")) | (_, None) => Err(format!("{:#}", answer.body)),
        (_, Some(_)) => Ok(Outcome::Answers),
    };
    (outcome, value)
}
