//! What belongs to organizations, listed: one statement for all siblings, whatever the table.

use std::collections::HashMap;
use std::sync::Arc;

use entity::id::OrganizationId;
use futures_util::future::BoxFuture;

use crate::kernel::error::Error;
use crate::kernel::owned::{self, Only, OwnedRow};
use crate::kernel::page::{Cursor, Page, Slice, SortKey};
use crate::organization::graphql::object::Organization;
use crate::schema::connection::Paged;
use crate::schema::level::Level;

/// A row with its organization, in the level it was listed in.
#[derive(Clone)]
pub struct Owned<R> {
    pub owner: Organization,
    pub level: Arc<Level<R>>,
    index: usize,
}

impl<R> Owned<R> {
    pub fn row(&self) -> &R {
        &self.level.members[self.index]
    }

    /// A row of a level that was listed elsewhere.
    pub fn member(owner: Organization, level: Arc<Level<R>>, index: usize) -> Self {
        Self { owner, level, index }
    }

    /// A row of one organization that was found or made alone.
    pub fn one(owner: Organization, row: R) -> Self {
        Self { owner, level: Level::new(vec![row]), index: 0 }
    }
}

/// The rows of all siblings as one level, and which of them are whose.
struct Pages<R> {
    level: Arc<Level<R>>,
    by_owner: HashMap<OrganizationId, Slice<usize>>,
}

impl<R> Pages<R> {
    fn new(found: HashMap<OrganizationId, Slice<R>>) -> Self {
        let mut members = Vec::new();
        let mut by_owner = HashMap::with_capacity(found.len());
        for (owner, slice) in found {
            let rows = (members.len()..members.len() + slice.rows.len()).collect();
            members.extend(slice.rows);
            by_owner.insert(owner, Slice { rows, has_next: slice.has_next, has_previous: slice.has_previous });
        }
        Self { level: Level::new(members), by_owner }
    }
}

/// The organization's rows as a connection's insides, newest first.
pub async fn paged<R: OwnedRow, N: From<Owned<R>>>(
    owner: &Organization,
    only: Option<Only>,
    page: Page,
) -> Result<Paged<N>, Error> {
    let siblings = &owner.siblings;
    let pages = siblings.level.once(format!("{} {only:?} {page:?}", R::TABLE), || async {
        let owners = owner.permitted(R::READ);
        owned::of_organizations::<R>(&siblings.session.snapshot(), &owners, only, &page).await.map(Pages::new)
    });
    let pages = pages.await?;
    let slice = pages.by_owner.get(&owner.organization_id()).map_or_else(Slice::empty, |slice| Slice {
        rows: slice
            .rows
            .iter()
            .map(|index| {
                let owned = Owned { owner: owner.clone(), level: Arc::clone(&pages.level), index: *index };
                (Cursor { key: SortKey::Age, id: owned.row().uuid() }, N::from(owned))
            })
            .collect(),
        has_next: slice.has_next,
        has_previous: slice.has_previous,
    });
    let owner = owner.clone();
    let total = Arc::new(move || -> BoxFuture<'static, Result<i64, Error>> {
        let owner = owner.clone();
        Box::pin(async move {
            let siblings = &owner.siblings;
            let counts = siblings.level.once(format!("{} total {only:?}", R::TABLE), || async {
                owned::count::<R>(&siblings.session.snapshot(), &owner.permitted(R::READ), only).await
            });
            Ok(counts.await?.get(&owner.organization_id().into()).copied().unwrap_or(0))
        })
    });
    Ok(Paged { slice, total })
}
