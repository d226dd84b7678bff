//! What was sent to one webhook endpoint, or is to be, newest first.
//!
//! No stream tells how a delivery goes, so one that is under way is looked at again while it is on the screen.

use cynic::QueryBuilder;
use jiff::Timestamp;

use super::{
    Ask, Cell, FilterKey, Kind, Of, Part, Record, Resource, ResourceId, Slice, Tone, Within, cells, connection, heads,
    left, refresh, right,
};
use crate::graphql::organization::WalletOwner;
use crate::graphql::scalar::DeliveryStatus;
use crate::graphql::{Answer, OrganizationId, Request, schema};

pub const DELIVERIES: Resource = Resource {
    id: ResourceId::Deliveries,
    name: "deliveries",
    title: "Deliveries",
    kind: Some(Kind::Delivery),
    within: Within::Record(ResourceId::Endpoints),
    columns: || heads(COLUMNS),
    filters: &[FilterKey::word("status", &["PENDING", "DELIVERED", "FAILED", "CANCELLED"])],
    words_filter: None,
    orders: &[],
    events: &[],
    page: Some(page),
    refresh: Some(refresh),
    whole: Some(whole),
    stirs: Some(stirs),
    scope: "webhooks:*",
};

const COLUMNS: &[Of<WebhookDelivery>] = &[
    left("status", 9, 0, |delivery| {
        let tone = match delivery.status {
            DeliveryStatus::Delivered => Tone::Good,
            DeliveryStatus::Pending => Tone::Warning,
            DeliveryStatus::Failed => Tone::Bad,
            DeliveryStatus::Cancelled => Tone::Faint,
            DeliveryStatus::Unknown(_) => Tone::Plain,
        };
        Cell::Word(delivery.status.word().to_owned(), tone)
    }),
    left("event", 28, 0, |delivery| Cell::text(&delivery.event_type)),
    right("attempts", 8, 1, |delivery| Cell::Count(delivery.attempt_count.into())),
    left("last answer", 0, 2, |delivery| delivery.attempts.last().map_or(Cell::Nothing, Attempt::outcome)),
    right("took ms", 7, 4, |delivery| {
        delivery.attempts.last().map_or(Cell::Nothing, |last| Cell::Count(last.duration_ms.into()))
    }),
    left("next attempt", 19, 3, |delivery| Cell::time(delivery.next_attempt_at)),
    left("queued", 19, 5, |delivery| Cell::Time(delivery.created_at)),
    left("settled", 19, 6, |delivery| Cell::time(delivery.settled_at)),
    left("happened to", 30, 9, |delivery| Cell::text(delivery.event_organization_id.as_str())),
    left("event id", 30, 7, |delivery| Cell::text(delivery.event_id.inner())),
    left("sent again for", 30, 10, |delivery| {
        delivery.redelivery_of_id.as_ref().map_or(Cell::Nothing, |id| Cell::text(id.inner()))
    }),
    left("id", 30, 8, |delivery| Cell::text(delivery.id.inner())),
];

/// Where the next attempt stands among the columns.
const NEXT_ATTEMPT: usize = 5;
/// Between the moment an attempt is due and a look at what came of it.
const ATTEMPT_TAKES: jiff::SignedDuration = jiff::SignedDuration::from_secs(1);

#[derive(cynic::QueryFragment, Debug)]
struct WebhookDelivery {
    id: cynic::Id,
    status: DeliveryStatus,
    event_id: cynic::Id,
    event_type: String,
    event_organization_id: OrganizationId,
    attempt_count: i32,
    attempts: Vec<Attempt>,
    next_attempt_at: Option<Timestamp>,
    created_at: Timestamp,
    settled_at: Option<Timestamp>,
    redelivery_of_id: Option<cynic::Id>,
    webhook_endpoint: Option<Endpoint>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "WebhookEndpoint")]
struct Endpoint {
    organization: WalletOwner,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "WebhookDeliveryAttempt")]
struct Attempt {
    response_status: Option<i32>,
    duration_ms: i32,
    error: Option<String>,
}

impl Attempt {
    /// The status it was answered with, or why there was no answer.
    fn outcome(&self) -> Cell {
        match (self.response_status, &self.error) {
            (Some(status @ 200..300), None) => Cell::Word(status.to_string(), Tone::Good),
            (Some(status), None) => Cell::Word(status.to_string(), Tone::Bad),
            (Some(status), Some(error)) => Cell::Word(format!("{status} {error}"), Tone::Bad),
            (None, Some(error)) => Cell::Word(error.clone(), Tone::Bad),
            (None, None) => Cell::Word("no answer".to_owned(), Tone::Bad),
        }
    }
}

fn record(delivery: &WebhookDelivery) -> Record {
    Record {
        id: delivery.id.inner().to_owned(),
        name: delivery.event_type.clone(),
        organization: delivery.webhook_endpoint.as_ref().map(|endpoint| endpoint.organization.id.clone()),
        version: None,
        cursor: String::new(),
        cells: cells(COLUMNS, delivery),
        parts: Vec::new(),
    }
}

fn stirs(record: &Record) -> Option<Timestamp> {
    let pending = DeliveryStatus::Pending;
    let is_pending = record.cells.first().is_some_and(|status| status.words() == pending.word());
    is_pending.then(|| match record.cells.get(NEXT_ATTEMPT) {
        Some(Cell::Time(at)) => at.checked_add(ATTEMPT_TAKES).unwrap_or(*at),
        // It waits for those before it, which may be gone any moment.
        _ => Timestamp::UNIX_EPOCH,
    })
}

connection!(WebhookDeliveryConnection, WebhookDeliveryEdge, WebhookDelivery);
refresh!(WebhookDelivery);

#[derive(cynic::QueryVariables, Debug)]
struct Variables {
    id: cynic::Id,
    status: Option<DeliveryStatus>,
    first: Option<i32>,
    after: Option<String>,
    last: Option<i32>,
    before: Option<String>,
    count: bool,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "Variables")]
struct DeliveriesQuery {
    #[arguments(id: $id)]
    node: Option<DeliveriesNode>,
}

#[derive(cynic::InlineFragments, Debug)]
#[cynic(graphql_type = "Node", variables = "Variables")]
enum DeliveriesNode {
    WebhookEndpoint(DeliveriesOf),
    #[cynic(fallback)]
    Other,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "WebhookEndpoint", variables = "Variables")]
struct DeliveriesOf {
    #[arguments(status: $status, first: $first, after: $after, last: $last, before: $before)]
    deliveries: Option<WebhookDeliveryConnection>,
}

fn page(ask: &Ask) -> Request<Answer> {
    let variables = Variables {
        id: cynic::Id::new(ask.within.as_deref().unwrap_or_default()),
        status: ask.word("status").map(|word| DeliveryStatus::of_word(&word)),
        first: ask.first(),
        after: ask.after(),
        last: ask.last(),
        before: ask.before(),
        count: ask.slice == Slice::Count,
    };
    Request::new("Deliveries", DeliveriesQuery::build(variables), |data: DeliveriesQuery, errors| {
        let list = match data.node {
            Some(DeliveriesNode::WebhookEndpoint(of)) => of.deliveries,
            Some(DeliveriesNode::Other) | None => None,
        };
        Answer::List(list.map(WebhookDeliveryConnection::page), errors)
    })
}

#[derive(cynic::QueryVariables, Debug)]
struct WholeVariables {
    id: cynic::Id,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "WholeVariables")]
struct WholeQuery {
    #[arguments(id: $id)]
    node: Option<WholeNode>,
}

#[derive(cynic::InlineFragments, Debug)]
#[cynic(graphql_type = "Node")]
#[expect(clippy::large_enum_variant, reason = "there is one, and it is read at once")]
enum WholeNode {
    WebhookDelivery(WholeDelivery),
    #[cynic(fallback)]
    Other,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "WebhookDelivery")]
struct WholeDelivery {
    #[cynic(spread)]
    delivery: WebhookDelivery,
    #[cynic(rename = "attempts", alias)]
    answered: Vec<WholeAttempt>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "WebhookDeliveryAttempt")]
struct WholeAttempt {
    #[cynic(spread)]
    attempt: Attempt,
    number: i32,
    started_at: Timestamp,
    response_body: Option<String>,
}

/// The delivery with the answers to all of its attempts, the last one first: it is the one that is looked for.
fn whole(id: &str) -> Request<Answer> {
    let operation = WholeQuery::build(WholeVariables { id: cynic::Id::new(id) });
    Request::new("Delivery", operation, |data: WholeQuery, _| {
        let whole = match data.node {
            Some(WholeNode::WebhookDelivery(whole)) => {
                let parts = whole.answered.iter().rev().map(part).collect();
                Some(Record { parts, ..record(&whole.delivery) })
            }
            Some(WholeNode::Other) | None => None,
        };
        Answer::Records(vec![whole])
    })
}

fn part(whole: &WholeAttempt) -> Part {
    let body = match &whole.response_body {
        Some(body) if !body.is_empty() => Cell::text(body),
        Some(_) => Cell::Word("empty".to_owned(), Tone::Faint),
        None => Cell::Nothing,
    };
    let cells = [
        ("sent", Cell::Time(whole.started_at)),
        ("took ms", Cell::Count(whole.attempt.duration_ms.into())),
        ("answer", whole.attempt.outcome()),
        ("body", body),
    ];
    Part {
        title: format!("Attempt {}", whole.number),
        cells: cells.map(|(label, cell)| (label.to_owned(), cell)).to_vec(),
    }
}
