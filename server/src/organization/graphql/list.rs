//! Lists of organizations: the children of a level, and flat ones.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, Result};
use entity::id::{OrganizationId, RealmId};
use futures_util::future::BoxFuture;

use crate::kernel::error::Error;
use crate::kernel::page::{Cursor, Page, Slice};
use crate::organization::graphql::input::{OrganizationFilter, OrganizationOrder};
use crate::organization::graphql::level::{Member, OrganizationLevel, Organizations};
use crate::organization::graphql::object::{Organization, OrganizationConnection};
use crate::organization::store::{self, Status, Within};
use crate::schema::connection::Paged;
use crate::schema::session::{Session, expose};

pub async fn parents_with_status(
    siblings: &Organizations,
    filter: &store::Filter,
) -> Result<Vec<(RealmId, OrganizationId, Status)>, Error> {
    // The parents' status matters only to a list that is narrowed by it.
    if filter.status.is_some() {
        return siblings.with_status().await;
    }
    Ok(siblings.keys().into_iter().map(|(realm, id)| (realm, id, Status::Active)).collect())
}

/// The children of all siblings as one level, and which of them are whose.
pub struct ChildPages {
    level: OrganizationLevel,
    pages: HashMap<OrganizationId, Slice<(Cursor, usize)>>,
}

impl ChildPages {
    pub fn new(
        parents: &OrganizationLevel,
        found: HashMap<OrganizationId, Slice<store::Found>>,
        sort: store::Sort,
    ) -> Self {
        let reach_of: HashMap<OrganizationId, _> =
            parents.level.members.iter().map(|member| (member.id, member.reach)).collect();
        let mut members = Vec::new();
        let mut pages = HashMap::with_capacity(found.len());
        for (parent, slice) in found {
            let Some(reach) = reach_of.get(&parent) else { continue };
            let mut rows = Vec::with_capacity(slice.rows.len());
            for row in slice.rows {
                rows.push((sort.cursor(&row), members.len()));
                let reach = reach.into_child(row.organization.delegation);
                members.push(Member::listed(row.organization, reach));
            }
            pages.insert(parent, Slice { rows, has_next: slice.has_next, has_previous: slice.has_previous });
        }
        Self { level: Organizations::new(&parents.session, members), pages }
    }

    pub fn of(&self, parent: OrganizationId) -> Slice<(Cursor, Organization)> {
        let Some(slice) = self.pages.get(&parent) else { return Slice::empty() };
        let rows = slice
            .rows
            .iter()
            .map(|(cursor, index)| (cursor.clone(), Organization { siblings: Arc::clone(&self.level), index: *index }));
        Slice { rows: rows.collect(), has_next: slice.has_next, has_previous: slice.has_previous }
    }
}

/// A flat list as a connection.
pub async fn flat(
    ctx: &Context<'_>,
    session: &Arc<Session>,
    within: Within,
    above: Status,
    filter: Option<OrganizationFilter>,
    order_by: Option<OrganizationOrder>,
    page: &Page,
) -> Result<OrganizationConnection> {
    let filter = OrganizationFilter::read(filter);
    let sort = OrganizationOrder::read(order_by);
    let read = async {
        let slice = store::list(&session.snapshot(), within, above, &filter, sort, page).await?;
        let cursors: Vec<_> = slice.rows.iter().map(|found| sort.cursor(found)).collect();
        let records: Vec<_> = slice.rows.into_iter().map(|found| found.organization).collect();
        let level = Organizations::of_records(session, records).await?;
        let rows = cursors.into_iter().zip(Organization::all(&level)).collect();
        Ok(Slice { rows, has_next: slice.has_next, has_previous: slice.has_previous })
    };
    let slice: Result<_, Error> = read.await;
    let slice = slice.map_err(|error| expose(ctx, error))?;
    let session = Arc::clone(session);
    let total = Arc::new(move || -> BoxFuture<'static, Result<i64, Error>> {
        let (session, filter) = (Arc::clone(&session), filter.clone());
        Box::pin(async move { store::count(&session.snapshot(), within, above, &filter).await })
    });
    Ok(OrganizationConnection(Paged { slice, total }))
}
