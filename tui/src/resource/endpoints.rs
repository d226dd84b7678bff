//! Where events are sent.

use cynic::QueryBuilder;
use jiff::Timestamp;

use super::{
    Ask, Cell, Kind, Of, Record, Resource, ResourceId, Slice, Tone, Within, cells, connection, heads, left, refresh,
};
use crate::graphql::organization::{OrganizationBy, WalletOwner};
use crate::graphql::{Answer, EventScope, Request, schema};

pub const ENDPOINTS: Resource = Resource {
    id: ResourceId::Endpoints,
    name: "endpoints",
    title: "Webhook endpoints",
    kind: Some(Kind::Endpoint),
    within: Within::Organization,
    columns: || heads(COLUMNS),
    filters: &[],
    words_filter: None,
    orders: &[],
    events: &["webhook_endpoint.*"],
    page: Some(page),
    refresh: Some(refresh),
    whole: None,
    stirs: None,
    scope: "webhooks:*",
};

const COLUMNS: &[Of<WebhookEndpoint>] = &[
    left("state", 8, 0, |endpoint| match (endpoint.enabled, endpoint.paused) {
        (true, false) => Cell::Word("sending".to_owned(), Tone::Good),
        (true, true) => Cell::Word("paused".to_owned(), Tone::Warning),
        (false, _) => Cell::Word("disabled".to_owned(), Tone::Bad),
    }),
    left("address", 0, 0, |endpoint| Cell::text(&endpoint.url)),
    left("scope", 8, 2, |endpoint| Cell::plain(endpoint.scope.word())),
    left("events", 28, 1, |endpoint| Cell::text(endpoint.event_types.join(" "))),
    left("why disabled", 24, 3, |endpoint| Cell::optional(&endpoint.disabled_reason)),
    left("description", 24, 4, |endpoint| Cell::optional(&endpoint.description)),
    left("since", 19, 5, |endpoint| Cell::time(endpoint.disabled_at.or(endpoint.paused_at))),
    left("registered", 19, 6, |endpoint| Cell::Time(endpoint.created_at)),
    left("old secret until", 19, 8, |endpoint| Cell::time(endpoint.previous_secret_expires_at)),
    left("id", 30, 7, |endpoint| Cell::text(endpoint.id.inner())),
];

#[derive(cynic::QueryFragment, Debug)]
struct WebhookEndpoint {
    id: cynic::Id,
    organization: WalletOwner,
    url: String,
    description: Option<String>,
    enabled: bool,
    disabled_at: Option<Timestamp>,
    disabled_reason: Option<String>,
    paused: bool,
    paused_at: Option<Timestamp>,
    previous_secret_expires_at: Option<Timestamp>,
    scope: EventScope,
    event_types: Vec<String>,
    created_at: Timestamp,
}

fn record(endpoint: &WebhookEndpoint) -> Record {
    Record {
        id: endpoint.id.inner().to_owned(),
        name: endpoint.url.clone(),
        organization: Some(endpoint.organization.id.clone()),
        version: None,
        cursor: String::new(),
        cells: cells(COLUMNS, endpoint),
        parts: Vec::new(),
    }
}

connection!(WebhookEndpointConnection, WebhookEndpointEdge, WebhookEndpoint);
refresh!(WebhookEndpoint);

#[derive(cynic::QueryVariables, Debug)]
struct Variables {
    by: OrganizationBy,
    first: Option<i32>,
    after: Option<String>,
    last: Option<i32>,
    before: Option<String>,
    count: bool,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "Variables")]
struct EndpointsQuery {
    #[arguments(by: $by)]
    organization: Option<EndpointsOf>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Organization", variables = "Variables")]
struct EndpointsOf {
    #[arguments(first: $first, after: $after, last: $last, before: $before)]
    webhook_endpoints: Option<WebhookEndpointConnection>,
}

fn page(ask: &Ask) -> Request<Answer> {
    let variables = Variables {
        by: OrganizationBy::Id(ask.organization()),
        first: ask.first(),
        after: ask.after(),
        last: ask.last(),
        before: ask.before(),
        count: ask.slice == Slice::Count,
    };
    Request::new("Endpoints", EndpointsQuery::build(variables), |data: EndpointsQuery, errors| {
        let list = data.organization.and_then(|organization| organization.webhook_endpoints);
        Answer::List(list.map(WebhookEndpointConnection::page), errors)
    })
}
