//! Where events are sent.

use cynic::QueryBuilder;
use jiff::Timestamp;

use super::{Ask, Cell, Kind, Of, Record, Resource, ResourceId, Slice, Tone, cells, connection, heads, left, refresh};
use crate::graphql::organization::{OrganizationBy, WalletOwner};
use crate::graphql::{Answer, EventScope, Request, schema};

pub const ENDPOINTS: Resource = Resource {
    id: ResourceId::Endpoints,
    name: "endpoints",
    title: "Webhook endpoints",
    kind: Some(Kind::Endpoint),
    of_one: true,
    columns: || heads(COLUMNS),
    filters: &[],
    words_filter: None,
    orders: &[],
    events: &["webhook_endpoint.*"],
    page: Some(page),
    refresh: Some(refresh),
    scope: "webhooks:*",
};

const COLUMNS: &[Of<WebhookEndpoint>] = &[
    left("state", 8, 0, |endpoint| match endpoint.enabled {
        true => Cell::Word("sending".to_owned(), Tone::Good),
        false => Cell::Word("paused".to_owned(), Tone::Warning),
    }),
    left("address", 0, 0, |endpoint| Cell::text(&endpoint.url)),
    left("scope", 8, 2, |endpoint| Cell::plain(endpoint.scope.word())),
    left("events", 28, 1, |endpoint| Cell::text(endpoint.event_types.join(" "))),
    left("why paused", 24, 3, |endpoint| Cell::optional(&endpoint.disabled_reason)),
    left("description", 24, 4, |endpoint| Cell::optional(&endpoint.description)),
    left("since", 19, 5, |endpoint| Cell::Time(endpoint.created_at)),
    left("id", 30, 6, |endpoint| Cell::text(endpoint.id.inner())),
];

#[derive(cynic::QueryFragment, Debug)]
struct WebhookEndpoint {
    id: cynic::Id,
    organization: WalletOwner,
    url: String,
    description: Option<String>,
    enabled: bool,
    disabled_reason: Option<String>,
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
