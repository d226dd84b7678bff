//! Organizations as a flat list, ordered and filtered by the server.

use cynic::QueryBuilder;

use super::{
    Ask, Cell, FilterKey, Kind, Of, Record, RecordPage, Resource, ResourceId, Slice, Tone, Within, cells, connection,
    heads, left, refresh, right,
};
use crate::credits::Credits;
use crate::graphql::organization::{OrganizationBy, OrganizationName};
use crate::graphql::scalar::{EffectiveStatus, Relation, Tier};
use crate::graphql::{Answer, OrganizationId, Request, schema};

pub const ORGANIZATIONS: Resource = Resource {
    id: ResourceId::Organizations,
    name: "organizations",
    title: "Organizations",
    kind: Some(Kind::Organization),
    within: Within::Everything,
    columns: || heads(COLUMNS),
    filters: &[
        FilterKey::text("name"),
        FilterKey::word("status", &["ACTIVE", "SUSPENDED", "ARCHIVED"]),
        FilterKey::word("relation", &["OWNED", "LINKED"]),
        FilterKey::word("tier", &["FREE", "STANDARD", "ENTERPRISE"]),
        FilterKey::text("externalId"),
        FilterKey::text("metadataKey"),
        FilterKey::word("root", &["true", "false"]),
    ],
    words_filter: Some("name"),
    orders: &["name", "balance", "created"],
    events: &["organization.*", "credit.*"],
    page: Some(page),
    refresh: Some(refresh),
    whole: None,
    stirs: None,
    scope: "org:read",
};

const COLUMNS: &[Of<Organization>] = &[
    left("status", 9, 1, |organization| {
        let status = &organization.effective_status;
        let tone = match status {
            EffectiveStatus::Active => Tone::Good,
            EffectiveStatus::Suspended => Tone::Warning,
            EffectiveStatus::Archived => Tone::Faint,
            EffectiveStatus::Unknown(_) => Tone::Plain,
        };
        Cell::Word(status.word().to_owned(), tone)
    }),
    left("name", 0, 0, |organization| Cell::text(&organization.name)),
    right("available", 14, 1, |organization| Cell::credits(organization.summary.available)),
    right("balance", 14, 5, |organization| Cell::credits(organization.summary.balance)),
    right("below", 6, 3, |organization| Cell::Count(organization.summary.child_count.into())),
    left("parent", 22, 4, |organization| {
        organization.parent.as_ref().map_or(Cell::Nothing, |parent| Cell::text(&parent.name))
    }),
    left("relation", 8, 6, |organization| {
        organization.relation.as_ref().map_or(Cell::plain("root"), |relation| Cell::plain(relation.word()))
    }),
    left("tier", 10, 7, |organization| Cell::plain(organization.tier.word())),
    left("external id", 14, 8, |organization| Cell::optional(&organization.external_id)),
    left("created", 19, 9, |organization| Cell::Time(organization.created_at)),
    left("id", 30, 10, |organization| Cell::text(organization.id.as_str())),
];

#[derive(cynic::QueryFragment, Clone, Debug)]
struct Organization {
    id: OrganizationId,
    name: String,
    version: i32,
    effective_status: EffectiveStatus,
    relation: Option<Relation>,
    tier: Tier,
    external_id: Option<String>,
    created_at: jiff::Timestamp,
    parent: Option<OrganizationName>,
    summary: OrganizationSummary,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
struct OrganizationSummary {
    child_count: i32,
    available: Option<Credits>,
    balance: Option<Credits>,
}

fn record(organization: &Organization) -> Record {
    Record {
        id: organization.id.as_str().to_owned(),
        name: organization.name.clone(),
        organization: Some(organization.id.clone()),
        version: Some(organization.version),
        cursor: String::new(),
        cells: cells(COLUMNS, organization),
        parts: Vec::new(),
    }
}

connection!(OrganizationConnection, OrganizationEdge, Organization);
refresh!(Organization);

#[derive(cynic::InputObject, Clone, Debug, Default)]
struct OrganizationFilter {
    #[cynic(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    status: Option<EffectiveStatus>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    relation: Option<Relation>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    tier: Option<Tier>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    metadata_key: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    root: Option<bool>,
}

#[derive(cynic::Enum, Clone, Copy, Debug)]
enum OrganizationOrderField {
    Name,
    Balance,
    CreatedAt,
}

#[derive(cynic::Enum, Clone, Copy, Debug)]
enum OrderDirection {
    Asc,
    Desc,
}

#[derive(cynic::InputObject, Clone, Debug)]
struct OrganizationOrder {
    field: OrganizationOrderField,
    direction: OrderDirection,
}

#[derive(cynic::QueryVariables, Clone, Debug)]
struct Variables {
    filter: OrganizationFilter,
    order_by: Option<OrganizationOrder>,
    first: Option<i32>,
    after: Option<String>,
    last: Option<i32>,
    before: Option<String>,
    count: bool,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "Variables")]
struct OrganizationsQuery {
    #[arguments(filter: $filter, orderBy: $order_by, first: $first, after: $after, last: $last, before: $before)]
    organizations: Option<OrganizationConnection>,
}

#[derive(cynic::QueryVariables, Clone, Debug)]
struct BelowVariables {
    by: OrganizationBy,
    filter: OrganizationFilter,
    order_by: Option<OrganizationOrder>,
    first: Option<i32>,
    after: Option<String>,
    last: Option<i32>,
    before: Option<String>,
    count: bool,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "BelowVariables")]
struct BelowQuery {
    #[arguments(by: $by)]
    organization: Option<Below>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Organization", variables = "BelowVariables")]
struct Below {
    #[arguments(filter: $filter, orderBy: $order_by, first: $first, after: $after, last: $last, before: $before)]
    descendants: BelowConnection,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "OrganizationConnection", variables = "BelowVariables")]
struct BelowConnection {
    edges: Vec<OrganizationEdge>,
    page_info: super::Ends,
    #[directives(include(if: $count))]
    total_count: Option<i32>,
}

impl BelowConnection {
    fn page(self) -> RecordPage {
        OrganizationConnection { edges: self.edges, page_info: self.page_info, total_count: self.total_count }.page()
    }
}

fn page(ask: &Ask) -> Request<Answer> {
    let filter = OrganizationFilter {
        name: ask.value("name"),
        status: ask.word("status").map(|word| EffectiveStatus::of_word(&word)),
        relation: ask.word("relation").map(|word| Relation::of_word(&word)),
        tier: ask.word("tier").map(|word| Tier::of_word(&word)),
        external_id: ask.value("externalId"),
        metadata_key: ask.value("metadataKey"),
        root: ask.value("root").map(|value| value.eq_ignore_ascii_case("true")),
    };
    let order_by = ask.order.map(|order| OrganizationOrder {
        field: match order.field {
            "balance" => OrganizationOrderField::Balance,
            "created" => OrganizationOrderField::CreatedAt,
            _ => OrganizationOrderField::Name,
        },
        direction: if order.descending { OrderDirection::Desc } else { OrderDirection::Asc },
    });
    let count = ask.slice == Slice::Count;
    let (first, after, last, before) = (ask.first(), ask.after(), ask.last(), ask.before());
    match &ask.organization {
        None => {
            let variables = Variables { filter, order_by, first, after, last, before, count };
            let operation = OrganizationsQuery::build(variables);
            Request::new("Organizations", operation, |data: OrganizationsQuery, errors| {
                Answer::List(data.organizations.map(OrganizationConnection::page), errors)
            })
        }
        Some(organization) => {
            let by = OrganizationBy::Id(organization.clone());
            let operation =
                BelowQuery::build(BelowVariables { by, filter, order_by, first, after, last, before, count });
            Request::new("Below", operation, |data: BelowQuery, errors| {
                Answer::List(data.organization.map(|organization| organization.descendants.page()), errors)
            })
        }
    }
}
