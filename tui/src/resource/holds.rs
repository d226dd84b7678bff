//! Credits reserved for work in flight, and the charges they became.

use cynic::QueryBuilder;
use jiff::Timestamp;

use super::{
    Ask, Cell, FilterKey, Of, Record, Resource, ResourceId, Slice, Tone, Within, cells, connection, heads, left,
    refresh, right,
};
use crate::credits::Credits;
use crate::graphql::organization::OrganizationBy;
use crate::graphql::scalar::HoldStatus;
use crate::graphql::{Answer, Environment, Request, schema};

pub const HOLDS: Resource = Resource {
    id: ResourceId::Holds,
    name: "holds",
    title: "Holds",
    kind: None,
    within: Within::Organization,
    columns: || heads(COLUMNS),
    filters: &[FilterKey::word("status", &["OPEN", "CAPTURED", "VOIDED", "EXPIRED"])],
    words_filter: None,
    orders: &[],
    events: &["credit.*"],
    page: Some(page),
    refresh: Some(refresh),
    whole: None,
    stirs: None,
    scope: "credits:read",
};

const COLUMNS: &[Of<Hold>] = &[
    left("status", 9, 0, |hold| {
        let tone = match hold.status {
            HoldStatus::Open => Tone::Warning,
            HoldStatus::Captured => Tone::Good,
            HoldStatus::Voided | HoldStatus::Expired => Tone::Faint,
            HoldStatus::Unknown(_) => Tone::Plain,
        };
        Cell::Word(hold.status.word().to_owned(), tone)
    }),
    right("amount", 16, 0, |hold| Cell::Credits(hold.amount)),
    right("captured", 16, 1, |hold| Cell::Credits(hold.captured)),
    right("refunded", 16, 4, |hold| Cell::Credits(hold.refunded)),
    left("meter", 16, 3, |hold| Cell::optional(&hold.meter)),
    left("taken", 19, 0, |hold| Cell::Time(hold.created_at)),
    left("expires", 19, 2, |hold| Cell::Time(hold.expires_at)),
    left("description", 0, 3, |hold| Cell::optional(&hold.description)),
    left("id", 31, 6, |hold| Cell::text(hold.id.inner())),
];

#[derive(cynic::QueryFragment, Debug)]
struct Hold {
    id: cynic::Id,
    status: HoldStatus,
    amount: Credits,
    captured: Credits,
    refunded: Credits,
    meter: Option<String>,
    description: Option<String>,
    created_at: Timestamp,
    expires_at: Timestamp,
}

fn record(hold: &Hold) -> Record {
    Record {
        id: hold.id.inner().to_owned(),
        name: hold.description.clone().or_else(|| hold.meter.clone()).unwrap_or_default(),
        organization: None,
        version: None,
        cursor: String::new(),
        cells: cells(COLUMNS, hold),
        parts: Vec::new(),
    }
}

connection!(HoldConnection, HoldEdge, Hold);
refresh!(Hold);

#[derive(cynic::QueryVariables, Debug)]
struct Variables {
    by: OrganizationBy,
    environment: Option<Environment>,
    status: Option<HoldStatus>,
    first: Option<i32>,
    after: Option<String>,
    last: Option<i32>,
    before: Option<String>,
    count: bool,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "Variables")]
struct HoldsQuery {
    #[arguments(by: $by)]
    organization: Option<HoldsOf>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Organization", variables = "Variables")]
struct HoldsOf {
    #[arguments(environment: $environment, status: $status, first: $first, after: $after, last: $last, before: $before)]
    holds: Option<HoldConnection>,
}

fn page(ask: &Ask) -> Request<Answer> {
    let variables = Variables {
        by: OrganizationBy::Id(ask.organization()),
        environment: Some(ask.environment.clone()),
        status: ask.word("status").map(|word| HoldStatus::of_word(&word)),
        first: ask.first(),
        after: ask.after(),
        last: ask.last(),
        before: ask.before(),
        count: ask.slice == Slice::Count,
    };
    Request::new("Holds", HoldsQuery::build(variables), |data: HoldsQuery, errors| {
        let list = data.organization.and_then(|organization| organization.holds);
        Answer::List(list.map(HoldConnection::page), errors)
    })
}
