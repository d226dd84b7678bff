//! Where an organization was in the tree.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};
use entity::edge_period::Model;
use entity::id::OrganizationId;

use crate::organization::graphql::level::{OrganizationLevel, Organizations};
use crate::organization::graphql::object::{Organization, page};
use crate::organization::graphql::owned::{Owned, paged};
use crate::schema::connection::connection;
use crate::schema::kind::Relation;
use crate::schema::scalar::DateTime;
use crate::schema::session::expose;

/// A time during which an organization had one parent in one relation. At a time that none covers it was a root.
#[derive(Clone)]
pub struct EdgePeriod(Owned<Model>);

impl From<Owned<Model>> for EdgePeriod {
    fn from(owned: Owned<Model>) -> Self {
        Self(owned)
    }
}

connection! {
    /// A page of times at which an organization had a parent.
    EdgePeriodConnection, EdgePeriodEdge, EdgePeriod, "A time of a page."
}

/// A time during which an organization had one parent in one relation. At a time that none covers it was a root.
#[Object]
impl EdgePeriod {
    /// The id, `edge_…`.
    pub async fn id(&self) -> ID {
        self.0.row().id.to_string().into()
    }

    /// The parent it had; null where the caller does not see it.
    async fn parent(&self, ctx: &Context<'_>) -> Result<Option<Organization>> {
        let session = &self.0.owner.siblings.session;
        let parents = self.0.level.once("parents", || async {
            let ids: BTreeSet<OrganizationId> = self.0.level.members.iter().map(|period| period.parent_id).collect();
            Organizations::of_ids(session, &ids.into_iter().collect::<Vec<_>>()).await
        });
        let parents: Arc<OrganizationLevel> = parents.await.map_err(|error| expose(ctx, error))?;
        Ok(Organization::find(&parents, self.0.row().parent_id))
    }

    /// How data flowed to that parent: periods that were OWNED stay part of its consolidated books.
    async fn relation(&self) -> Relation {
        self.0.row().relation.into()
    }

    /// When it began.
    async fn from(&self) -> DateTime {
        self.0.row().since.into()
    }

    /// When it ended; null for the one that runs.
    async fn until(&self) -> Option<DateTime> {
        self.0.row().until.map(Into::into)
    }
}

/// A part of `Organization`; its fields stand among that type's own.
pub struct OrganizationPast(pub Organization);

#[Object(guard = "self.0.by_row(\"Organization\")")]
impl OrganizationPast {
    /// The parents it had and in which relation, newest first; the first runs still, unless it is a root.
    async fn edge_history(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start, at most 100; 25 when neither first nor last is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Result<EdgePeriodConnection> {
        let page = page(ctx, first, after.as_deref(), last, before.as_deref())?;
        let paged = paged(&self.0, None, page).await.map_err(|error| expose(ctx, error))?;
        Ok(EdgePeriodConnection(paged))
    }
}
