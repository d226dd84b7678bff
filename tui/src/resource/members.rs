//! People, and what they may do.

use cynic::QueryBuilder;
use jiff::Timestamp;

use super::{Ask, Cell, Of, Record, Resource, ResourceId, Slice, Within, cells, connection, heads, left, refresh};
use crate::graphql::organization::OrganizationBy;
use crate::graphql::scalar::MemberRole;
use crate::graphql::{Answer, Request, schema};

pub const MEMBERS: Resource = Resource {
    id: ResourceId::Members,
    name: "members",
    title: "Members",
    kind: None,
    within: Within::Organization,
    columns: || heads(COLUMNS),
    filters: &[],
    words_filter: None,
    orders: &[],
    events: &["member.*"],
    page: Some(page),
    refresh: Some(refresh),
    whole: None,
    stirs: None,
    scope: "members:*",
};

const COLUMNS: &[Of<Member>] = &[
    left("role", 9, 0, |member| Cell::plain(member.role.word())),
    left("name", 28, 0, |member| Cell::text(&member.name)),
    left("e-mail", 0, 1, |member| Cell::text(&member.email)),
    left("since", 19, 2, |member| Cell::Time(member.created_at)),
    left("id", 30, 3, |member| Cell::text(member.id.inner())),
];

#[derive(cynic::QueryFragment, Debug)]
struct Member {
    id: cynic::Id,
    name: String,
    email: String,
    role: MemberRole,
    created_at: Timestamp,
}

fn record(member: &Member) -> Record {
    Record {
        id: member.id.inner().to_owned(),
        name: member.name.clone(),
        organization: None,
        version: None,
        cursor: String::new(),
        cells: cells(COLUMNS, member),
        parts: Vec::new(),
    }
}

connection!(MemberConnection, MemberEdge, Member);
refresh!(Member);

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
struct MembersQuery {
    #[arguments(by: $by)]
    organization: Option<MembersOf>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Organization", variables = "Variables")]
struct MembersOf {
    #[arguments(first: $first, after: $after, last: $last, before: $before)]
    members: Option<MemberConnection>,
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
    Request::new("Members", MembersQuery::build(variables), |data: MembersQuery, errors| {
        let list = data.organization.and_then(|organization| organization.members);
        Answer::List(list.map(MemberConnection::page), errors)
    })
}
