//! The entries of an organization's ledger, newest first.

use cynic::QueryBuilder;
use jiff::Timestamp;

use super::{Ask, Cell, Of, Record, Resource, ResourceId, Slice, Within, cells, connection, heads, left, right};
use crate::credits::Credits;
use crate::graphql::organization::OrganizationBy;
use crate::graphql::scalar::TransactionKind;
use crate::graphql::{Answer, Environment, OrganizationId, Request, schema};

pub const LEDGER: Resource = Resource {
    id: ResourceId::Ledger,
    name: "ledger",
    title: "Ledger",
    kind: None,
    within: Within::Organization,
    columns: || heads(COLUMNS),
    filters: &[],
    words_filter: None,
    orders: &[],
    events: &["credit.*"],
    page: Some(page),
    // Entries are only ever added, so none of them changes.
    refresh: None,
    whole: None,
    stirs: None,
    scope: "credits:read",
};

const COLUMNS: &[Of<LedgerEntry>] = &[
    left("when", 19, 0, |entry| Cell::Time(entry.created_at)),
    left("kind", 9, 0, |entry| Cell::plain(entry.kind.word())),
    right("amount", 16, 0, |entry| Cell::Moved(entry.amount)),
    right("balance after", 16, 1, |entry| Cell::Credits(entry.balance_after)),
    left("description", 0, 2, |entry| Cell::optional(&entry.description)),
    left("counterparty", 30, 4, |entry| {
        entry.counterparty_organization_id.as_ref().map_or(Cell::Nothing, |id| Cell::text(id.as_str()))
    }),
    left("transaction", 30, 5, |entry| Cell::text(entry.transaction_id.inner())),
];

#[derive(cynic::QueryFragment, Debug)]
struct LedgerEntry {
    id: cynic::Id,
    kind: TransactionKind,
    amount: Credits,
    balance_after: Credits,
    description: Option<String>,
    counterparty_organization_id: Option<OrganizationId>,
    transaction_id: cynic::Id,
    created_at: Timestamp,
}

fn record(entry: &LedgerEntry) -> Record {
    Record {
        id: entry.id.inner().to_owned(),
        name: entry.kind.word().to_owned(),
        organization: None,
        version: None,
        cursor: String::new(),
        cells: cells(COLUMNS, entry),
        parts: Vec::new(),
    }
}

connection!(LedgerEntryConnection, LedgerEntryEdge, LedgerEntry);

#[derive(cynic::QueryVariables, Debug)]
struct Variables {
    by: OrganizationBy,
    environment: Option<Environment>,
    first: Option<i32>,
    after: Option<String>,
    last: Option<i32>,
    before: Option<String>,
    count: bool,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "Variables")]
struct LedgerQuery {
    #[arguments(by: $by)]
    organization: Option<LedgerOf>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Organization", variables = "Variables")]
struct LedgerOf {
    #[arguments(environment: $environment, first: $first, after: $after, last: $last, before: $before)]
    ledger_entries: Option<LedgerEntryConnection>,
}

fn page(ask: &Ask) -> Request<Answer> {
    let variables = Variables {
        by: OrganizationBy::Id(ask.organization()),
        environment: Some(ask.environment.clone()),
        first: ask.first(),
        after: ask.after(),
        last: ask.last(),
        before: ask.before(),
        count: ask.slice == Slice::Count,
    };
    Request::new("Ledger", LedgerQuery::build(variables), |data: LedgerQuery, errors| {
        let list = data.organization.and_then(|organization| organization.ledger_entries);
        Answer::List(list.map(LedgerEntryConnection::page), errors)
    })
}
