//! What was done, by whom, and what was tried without the right to.

use cynic::QueryBuilder;
use jiff::Timestamp;

use super::{
    Ask, Cell, FilterKey, Of, Record, Resource, ResourceId, Slice, Tone, Within, cells, connection, heads, left,
};
use crate::graphql::scalar::AuditOutcome;
use crate::graphql::{Answer, OrganizationId, Request, schema};

pub const AUDIT: Resource = Resource {
    id: ResourceId::Audit,
    name: "audit",
    title: "Audit trail",
    kind: None,
    within: Within::Organization,
    columns: || heads(COLUMNS),
    filters: &[FilterKey::text("action"), FilterKey::word("outcome", &["DONE", "DENIED"])],
    words_filter: None,
    orders: &[],
    events: &["*"],
    page: Some(page),
    // Entries are only ever added, so none of them changes.
    refresh: None,
    whole: None,
    stirs: None,
    scope: "audit:read",
};

const COLUMNS: &[Of<AuditEvent>] = &[
    left("when", 19, 0, |event| Cell::Time(event.created_at)),
    left("outcome", 7, 0, |event| {
        let tone = if event.outcome == AuditOutcome::Denied { Tone::Bad } else { Tone::Good };
        Cell::Word(event.outcome.word().to_owned(), tone)
    }),
    left("action", 26, 0, |event| Cell::text(&event.action)),
    left("actor", 30, 1, |event| Cell::text(&event.actor)),
    left("change", 0, 2, |event| Cell::text(event.change.0.to_string())),
    left("target", 30, 3, |event| event.target_id.as_ref().map_or(Cell::Nothing, |id| Cell::text(id.inner()))),
    left("organization", 30, 4, |event| {
        event.organization_id.as_ref().map_or(Cell::Nothing, |id| Cell::text(id.as_str()))
    }),
    left("address", 16, 6, |event| Cell::optional(&event.address)),
    left("request", 36, 7, |event| Cell::text(&event.request_id)),
    left("id", 30, 8, |event| Cell::text(event.id.inner())),
];

#[derive(cynic::QueryFragment, Debug)]
struct AuditEvent {
    id: cynic::Id,
    action: String,
    actor: String,
    outcome: AuditOutcome,
    organization_id: Option<OrganizationId>,
    target_id: Option<cynic::Id>,
    change: Change,
    request_id: String,
    address: Option<String>,
    created_at: Timestamp,
}

/// What changed, as the gateway wrote it down.
#[derive(Debug, serde::Deserialize)]
#[serde(transparent)]
struct Change(serde_json::Value);

cynic::impl_scalar!(Change, schema::JSON);

fn record(event: &AuditEvent) -> Record {
    Record {
        id: event.id.inner().to_owned(),
        name: event.action.clone(),
        organization: event.organization_id.clone(),
        version: None,
        cursor: String::new(),
        cells: cells(COLUMNS, event),
        parts: Vec::new(),
    }
}

connection!(AuditEventConnection, AuditEventEdge, AuditEvent);

#[derive(cynic::InputObject, Debug)]
struct AuditEventFilter {
    #[cynic(skip_serializing_if = "Option::is_none")]
    action: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    outcome: Option<AuditOutcome>,
}

#[derive(cynic::QueryVariables, Debug)]
struct Variables {
    organization_id: Option<OrganizationId>,
    filter: AuditEventFilter,
    first: Option<i32>,
    after: Option<String>,
    last: Option<i32>,
    before: Option<String>,
    count: bool,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "Variables")]
struct AuditQuery {
    #[arguments(organizationId: $organization_id, filter: $filter, first: $first, after: $after, last: $last, before: $before)]
    audit_events: Option<AuditEventConnection>,
}

fn page(ask: &Ask) -> Request<Answer> {
    let filter = AuditEventFilter {
        action: ask.value("action"),
        outcome: ask.word("outcome").map(|word| AuditOutcome::of_word(&word)),
    };
    let variables = Variables {
        organization_id: ask.organization.clone(),
        filter,
        first: ask.first(),
        after: ask.after(),
        last: ask.last(),
        before: ask.before(),
        count: ask.slice == Slice::Count,
    };
    Request::new("Audit", AuditQuery::build(variables), |data: AuditQuery, errors| {
        Answer::List(data.audit_events.map(AuditEventConnection::page), errors)
    })
}
