//! A wallet's buckets, with the figures of the whole wallet above them.

use cynic::QueryBuilder;
use jiff::Timestamp;

use super::{Ask, Cell, Ends, Of, Record, RecordPage, Resource, ResourceId, Trend, Within, cells, heads, left, right};
use crate::credits::Credits;
use crate::graphql::organization::OrganizationBy;
use crate::graphql::scalar::{BucketOrigin, TransactionKind};
use crate::graphql::{Answer, Environment, OrganizationId, Request, schema};

pub const WALLET: Resource = Resource {
    id: ResourceId::Wallet,
    name: "wallet",
    title: "Wallet",
    kind: None,
    within: Within::Organization,
    columns: || heads(COLUMNS),
    filters: &[],
    words_filter: None,
    orders: &[],
    events: &["credit.*"],
    page: Some(page),
    refresh: None,
    whole: None,
    stirs: None,
    scope: "credits:read",
};

const COLUMNS: &[Of<Bucket>] = &[
    left("origin", 12, 0, |bucket| Cell::plain(bucket.origin.word())),
    right("priority", 8, 3, |bucket| Cell::Count(bucket.priority.into())),
    right("available", 16, 0, |bucket| Cell::Credits(bucket.available)),
    right("balance", 16, 1, |bucket| Cell::Credits(bucket.balance)),
    right("held", 16, 2, |bucket| Cell::Credits(bucket.held)),
    left("expires", 19, 1, |bucket| bucket.expires_at.map_or(Cell::plain("never"), Cell::Time)),
    left("first filled", 19, 4, |bucket| Cell::Time(bucket.created_at)),
    left("id", 0, 5, |bucket| Cell::text(bucket.id.inner())),
];

#[derive(cynic::QueryFragment, Debug)]
struct Bucket {
    id: cynic::Id,
    origin: BucketOrigin,
    priority: i32,
    balance: Credits,
    held: Credits,
    available: Credits,
    expires_at: Option<Timestamp>,
    created_at: Timestamp,
}

#[derive(cynic::QueryVariables, Debug)]
struct WalletVariables {
    by: OrganizationBy,
    environment: Environment,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "WalletVariables")]
struct WalletQuery {
    #[arguments(by: $by)]
    organization: Option<Owner>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Organization", variables = "WalletVariables")]
struct Owner {
    id: OrganizationId,
    #[arguments(environment: $environment)]
    wallet: Option<Wallet>,
    #[arguments(first: 100, environment: $environment)]
    ledger_entries: Option<LedgerEntryConnection>,
}

#[derive(cynic::QueryFragment, Debug)]
struct LedgerEntryConnection {
    nodes: Vec<LedgerEntry>,
    page_info: Ends,
}

#[derive(cynic::QueryFragment, Debug)]
struct LedgerEntry {
    kind: TransactionKind,
    amount: Credits,
    created_at: Timestamp,
}

impl LedgerEntryConnection {
    /// What was spent a day, as far as these entries reach.
    fn spent(&self) -> Trend {
        let spent = |entry: &LedgerEntry| match entry.kind {
            TransactionKind::Charge | TransactionKind::Capture => Credits(-entry.amount.0),
            _ => Credits(0),
        };
        let amounts = self.nodes.iter().map(|entry| (entry.created_at, spent(entry)));
        Trend::of("charged and captured", amounts, self.page_info.has_next_page)
    }
}

#[derive(cynic::QueryFragment, Debug)]
struct Wallet {
    environment: Environment,
    balance: Credits,
    held: Credits,
    available: Credits,
    spendable: Credits,
    buckets: Vec<Bucket>,
}

fn page(ask: &Ask) -> Request<Answer> {
    let by = OrganizationBy::Id(ask.organization());
    let operation = WalletQuery::build(WalletVariables { by, environment: ask.environment.clone() });
    Request::new("Wallet", operation, |data: WalletQuery, errors| {
        let page = data.organization.and_then(|owner| {
            let organization = Some(owner.id);
            let trend = owner.ledger_entries.as_ref().map(LedgerEntryConnection::spent);
            owner.wallet.map(|wallet| RecordPage { trend, ..wallet_page(organization, &wallet) })
        });
        Answer::List(page, errors)
    })
}

fn wallet_page(organization: Option<OrganizationId>, wallet: &Wallet) -> RecordPage {
    let record = |bucket: &Bucket| Record {
        id: bucket.id.inner().to_owned(),
        name: bucket.origin.word().to_owned(),
        organization: organization.clone(),
        version: None,
        cursor: String::new(),
        cells: cells(COLUMNS, bucket),
        parts: Vec::new(),
    };
    let figure = |name: &str, amount| (name.to_owned(), Cell::Credits(amount));
    RecordPage {
        records: wallet.buckets.iter().map(record).collect(),
        summary: vec![
            figure("balance", wallet.balance),
            figure("held", wallet.held),
            figure("available", wallet.available),
            figure("spendable", wallet.spendable),
            ("environment".to_owned(), Cell::plain(wallet.environment.word())),
        ],
        ..RecordPage::default()
    }
}
