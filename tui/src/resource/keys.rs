//! API keys. A secret is never here: the prefix names a key and opens nothing.

use cynic::QueryBuilder;
use jiff::Timestamp;

use super::{
    Ask, Cell, FilterKey, Kind, Of, Record, Resource, ResourceId, Slice, Tone, Within, cells, connection, heads, left,
    refresh, right,
};
use crate::credits::Credits;
use crate::graphql::organization::{OrganizationBy, WalletOwner};
use crate::graphql::scalar::ApiKeyStatus;
use crate::graphql::{Answer, Environment, Request, schema};

pub const KEYS: Resource = Resource {
    id: ResourceId::Keys,
    name: "keys",
    title: "Keys",
    kind: Some(Kind::ApiKey),
    within: Within::Organization,
    columns: || heads(COLUMNS),
    filters: &[
        FilterKey::word("status", &["ACTIVE", "SUPERSEDED", "REVOKED", "EXPIRED"]),
        FilterKey::word("environment", &["LIVE", "TEST"]),
    ],
    words_filter: None,
    orders: &[],
    events: &["api_key.*"],
    page: Some(page),
    refresh: Some(refresh),
    whole: None,
    stirs: None,
    scope: "keys:*",
};

const COLUMNS: &[Of<ApiKey>] = &[
    left("status", 10, 0, |key| {
        let tone = match key.status {
            ApiKeyStatus::Active => Tone::Good,
            ApiKeyStatus::Superseded => Tone::Warning,
            ApiKeyStatus::Revoked | ApiKeyStatus::Expired => Tone::Faint,
            ApiKeyStatus::Unknown(_) => Tone::Plain,
        };
        Cell::Word(key.status.word().to_owned(), tone)
    }),
    left("name", 24, 0, |key| Cell::text(&key.name)),
    left("env", 4, 1, |key| Cell::plain(key.environment.word())),
    left("last used", 19, 1, |key| key.last_used_at.map_or(Cell::plain("never"), Cell::Time)),
    right("spent", 14, 3, |key| Cell::Credits(key.spent_this_month)),
    right("spend limit", 14, 4, |key| Cell::credits(key.spend_limit)),
    left("expires", 19, 5, |key| Cell::time(key.expires_at)),
    left("scopes", 0, 2, |key| Cell::text(key.scopes.join(" "))),
    left("created", 19, 7, |key| Cell::Time(key.created_at)),
    left("prefix", 54, 8, |key| Cell::text(&key.prefix)),
];

#[derive(cynic::QueryFragment, Debug)]
struct ApiKey {
    id: cynic::Id,
    organization: WalletOwner,
    name: String,
    prefix: String,
    environment: Environment,
    scopes: Vec<String>,
    status: ApiKeyStatus,
    spend_limit: Option<Credits>,
    spent_this_month: Credits,
    last_used_at: Option<Timestamp>,
    expires_at: Option<Timestamp>,
    created_at: Timestamp,
}

fn record(key: &ApiKey) -> Record {
    Record {
        id: key.id.inner().to_owned(),
        name: key.name.clone(),
        organization: Some(key.organization.id.clone()),
        version: None,
        cursor: String::new(),
        cells: cells(COLUMNS, key),
        parts: Vec::new(),
    }
}

connection!(ApiKeyConnection, ApiKeyEdge, ApiKey);
refresh!(ApiKey);

#[derive(cynic::InputObject, Debug)]
struct ApiKeyFilter {
    #[cynic(skip_serializing_if = "Option::is_none")]
    status: Option<ApiKeyStatus>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    environment: Option<Environment>,
}

#[derive(cynic::QueryVariables, Debug)]
struct Variables {
    by: OrganizationBy,
    filter: ApiKeyFilter,
    first: Option<i32>,
    after: Option<String>,
    last: Option<i32>,
    before: Option<String>,
    count: bool,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "Variables")]
struct KeysQuery {
    #[arguments(by: $by)]
    organization: Option<KeysOf>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Organization", variables = "Variables")]
struct KeysOf {
    #[arguments(filter: $filter, first: $first, after: $after, last: $last, before: $before)]
    api_keys: Option<ApiKeyConnection>,
}

fn page(ask: &Ask) -> Request<Answer> {
    let filter = ApiKeyFilter {
        status: ask.word("status").map(|word| ApiKeyStatus::of_word(&word)),
        environment: ask.word("environment").map(|word| Environment::of_word(&word)),
    };
    let variables = Variables {
        by: OrganizationBy::Id(ask.organization()),
        filter,
        first: ask.first(),
        after: ask.after(),
        last: ask.last(),
        before: ask.before(),
        count: ask.slice == Slice::Count,
    };
    Request::new("Keys", KeysQuery::build(variables), |data: KeysQuery, errors| {
        let list = data.organization.and_then(|organization| organization.api_keys);
        Answer::List(list.map(ApiKeyConnection::page), errors)
    })
}
