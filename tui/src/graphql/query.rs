//! The queries, and what their answers become.

use cynic::QueryBuilder;
use serde::{Deserialize, Serialize};

use super::organization::{
    DetailVariables, DetailVariablesFields, OrganizationBy, OrganizationDetail, OrganizationPage, OrganizationRow,
};
use super::plan::Plan;
use super::request::{FieldError, Request};
use super::scalar::{Environment, OrganizationId, PrincipalKind};
use super::schema;
use crate::resource::{Record, RecordPage, Slice};

/// Rows that one page of the tree or of a search asks for.
pub const PAGE_ROWS: i32 = 50;
/// Rows that one refresh may name; the schema's own limit of `nodes`.
pub const REFRESHED_ROWS_MAX: usize = 100;
const API_KEYS_FIRST: i32 = 25;
const LEDGER_ENTRIES_FIRST: i32 = 25;

/// Something to ask the gateway.
#[derive(Clone, Debug, PartialEq)]
pub enum Query {
    /// Who the key belongs to.
    Viewer,
    /// The operator's roots.
    Roots {
        slice: Slice,
    },
    Children {
        parent: OrganizationId,
        slice: Slice,
    },
    Detail {
        organization: OrganizationId,
        environment: Environment,
    },
    /// The present state of rows that are already there.
    Rows {
        ids: Vec<OrganizationId>,
    },
    /// An organization and everything between it and the root.
    Path {
        organization: OrganizationId,
    },
    Search {
        name: String,
    },
    /// What a resource or an act has to ask.
    Of(Request<Answer>),
}

/// What the gateway answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Answer {
    Viewer(Viewer),
    Page(Option<OrganizationPage>),
    Detail(Option<Box<OrganizationDetail>>, Vec<FieldError>),
    Rows(Vec<Option<OrganizationRow>>),
    Path(Option<Box<OrganizationPath>>),
    /// A page of a list, or the reason why there is none.
    List(Option<RecordPage>, Vec<FieldError>),
    /// The present state of records asked for by id.
    Records(Vec<Option<Record>>),
    Plan(Option<Box<Plan>>),
}

#[derive(cynic::QueryFragment, Serialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Viewer {
    pub kind: PrincipalKind,
    pub organization: Option<OrganizationRow>,
    pub scopes: Vec<String>,
    pub environment: Option<Environment>,
}

#[derive(cynic::QueryFragment, Serialize, Clone, Debug, PartialEq)]
#[cynic(graphql_type = "Organization")]
pub struct OrganizationPath {
    #[cynic(spread)]
    #[serde(flatten)]
    pub row: OrganizationRow,
    pub ancestors: Vec<OrganizationRow>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query")]
struct ViewerQuery {
    viewer: Viewer,
}

#[derive(cynic::QueryVariables, Debug)]
struct RootsVariables {
    filter: OrganizationFilter,
    first: Option<i32>,
    after: Option<String>,
    last: Option<i32>,
    before: Option<String>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "RootsVariables")]
struct RootsQuery {
    #[arguments(filter: $filter, first: $first, after: $after, last: $last, before: $before)]
    organizations: Option<OrganizationPage>,
}

#[derive(cynic::QueryVariables, Debug)]
struct ChildrenVariables {
    by: OrganizationBy,
    first: Option<i32>,
    after: Option<String>,
    last: Option<i32>,
    before: Option<String>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "ChildrenVariables")]
struct ChildrenQuery {
    #[arguments(by: $by)]
    organization: Option<OrganizationChildren>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Organization", variables = "ChildrenVariables")]
struct OrganizationChildren {
    #[arguments(first: $first, after: $after, last: $last, before: $before)]
    children: OrganizationPage,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "DetailVariables")]
struct DetailQuery {
    #[arguments(by: $by)]
    organization: Option<OrganizationDetail>,
}

#[derive(cynic::QueryVariables, Debug)]
struct RowsVariables {
    ids: Vec<OrganizationId>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "RowsVariables")]
struct RowsQuery {
    #[arguments(ids: $ids)]
    nodes: Vec<Option<RowNode>>,
}

#[derive(cynic::InlineFragments, Debug)]
#[cynic(graphql_type = "Node")]
enum RowNode {
    Organization(OrganizationRow),
    #[cynic(fallback)]
    Other,
}

#[derive(cynic::QueryVariables, Debug)]
struct PathVariables {
    by: OrganizationBy,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "PathVariables")]
struct PathQuery {
    #[arguments(by: $by)]
    organization: Option<OrganizationPath>,
}

#[derive(cynic::InputObject, Debug)]
struct OrganizationFilter {
    #[cynic(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    root: Option<bool>,
}

#[derive(cynic::QueryVariables, Debug)]
struct SearchVariables {
    first: i32,
    filter: OrganizationFilter,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "SearchVariables")]
struct SearchQuery {
    #[arguments(first: $first, filter: $filter)]
    organizations: Option<OrganizationPage>,
}

impl Query {
    pub fn request(&self) -> Request<Answer> {
        match self {
            Self::Viewer => {
                Request::new("Viewer", ViewerQuery::build(()), |data: ViewerQuery, _| Answer::Viewer(data.viewer))
            }
            Self::Roots { slice } => {
                let filter = OrganizationFilter { name: None, root: Some(true) };
                let (first, after) = (slice.first(PAGE_ROWS), slice.after());
                let (last, before) = (slice.last(PAGE_ROWS), slice.before());
                let variables = RootsVariables { filter, first, after, last, before };
                Request::new("Roots", RootsQuery::build(variables), |data: RootsQuery, _| {
                    Answer::Page(data.organizations)
                })
            }
            Self::Children { parent, slice } => {
                let variables = ChildrenVariables {
                    by: OrganizationBy::Id(parent.clone()),
                    first: slice.first(PAGE_ROWS),
                    after: slice.after(),
                    last: slice.last(PAGE_ROWS),
                    before: slice.before(),
                };
                let operation = ChildrenQuery::build(variables);
                Request::new("Children", operation, |data: ChildrenQuery, _| {
                    Answer::Page(data.organization.map(|parent| parent.children))
                })
            }
            Self::Detail { organization, environment } => {
                let variables = DetailVariables {
                    by: OrganizationBy::Id(organization.clone()),
                    environment: environment.clone(),
                    api_keys_first: API_KEYS_FIRST,
                    ledger_entries_first: LEDGER_ENTRIES_FIRST,
                };
                let operation = DetailQuery::build(variables);
                Request::new("Detail", operation, |data: DetailQuery, errors| {
                    Answer::Detail(data.organization.map(Box::new), errors)
                })
            }
            Self::Rows { ids } => {
                let operation = RowsQuery::build(RowsVariables { ids: ids.clone() });
                Request::new("Rows", operation, |data: RowsQuery, _| {
                    let row = |node| match node {
                        Some(RowNode::Organization(row)) => Some(row),
                        Some(RowNode::Other) | None => None,
                    };
                    Answer::Rows(data.nodes.into_iter().map(row).collect())
                })
            }
            Self::Path { organization } => {
                let by = OrganizationBy::Id(organization.clone());
                let operation = PathQuery::build(PathVariables { by });
                Request::new("Path", operation, |data: PathQuery, _| Answer::Path(data.organization.map(Box::new)))
            }
            Self::Of(request) => request.clone(),
            Self::Search { name } => {
                let filter = OrganizationFilter { name: Some(name.clone()), root: None };
                let variables = SearchVariables { first: PAGE_ROWS, filter };
                let operation = SearchQuery::build(variables);
                Request::new("Search", operation, |data: SearchQuery, _| Answer::Page(data.organizations))
            }
        }
    }
}
