//! Queries about organizations.

use async_graphql::{Context, Object, Result};
use entity::id::OrganizationId;

use crate::access::fields::needs;
use crate::access::policy::Permission;
use crate::kernel::error::{Error, ErrorCode};
use crate::organization::graphql::input::{OrganizationBy, OrganizationFilter, OrganizationOrder};
use crate::organization::graphql::level::{Organizations, status_of};
use crate::organization::graphql::list::flat;
use crate::organization::graphql::object::{Organization, OrganizationConnection, page};
use crate::organization::graphql::plan::OrganizationPlan;
use crate::organization::plan::Act;
use crate::organization::store::{self, Status, Within};
use crate::schema::session::{Session, expose, id_of};

#[derive(Default)]
pub struct OrganizationQuery;

#[Object]
impl OrganizationQuery {
    /// One organization; null when there is none that the caller sees.
    async fn organization(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "By id or by your own id for it.")] by: OrganizationBy,
    ) -> Result<Option<Organization>> {
        let session = Session::of(ctx);
        let read = async {
            session.signed_in()?;
            let level = match by {
                OrganizationBy::Id(id) => {
                    let id: OrganizationId = id_of(&id, "by")?;
                    Organizations::of_ids(session, &[id]).await?
                }
                OrganizationBy::ExternalId(external_id) => {
                    let found = store::by_external_id(&session.snapshot(), session.realm(), &external_id).await?;
                    Organizations::of_records(session, found).await?
                }
            };
            let live = level.records().await?.iter().position(|record| record.archived_at.is_none());
            let found = Organization::all(&level).into_iter().nth(live.unwrap_or(0));
            if let Some(one) = &found {
                session.allows(one.member().reach, const { needs("Query", "organization") })?;
            }
            Ok(found)
        };
        let found: Result<_, Error> = read.await;
        found.map_err(|error| expose(ctx, error))
    }

    /// Every organization the caller sees: the acting one and all below it; for the operator all there are.
    #[expect(clippy::too_many_arguments, reason = "a Relay connection with filter and order has these arguments")]
    async fn organizations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start, at most 100; 25 when neither first nor last is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
        #[graphql(desc = "Which of them.")] filter: Option<OrganizationFilter>,
        #[graphql(desc = "By name when absent.")] order_by: Option<OrganizationOrder>,
    ) -> Result<Option<OrganizationConnection>> {
        let session = Session::of(ctx);
        let page = page(ctx, first, after.as_deref(), last, before.as_deref())?;
        let found: Result<_, Error> = async {
            session.signed_in()?;
            let Some(top) = session.caller.acting_organization() else { return Ok((Within::All, Status::Active)) };
            let (realm, path, _) = session.target(Some(top), const { needs("Query", "organizations") }).await?;
            Ok((Within::Subtree { realm, top, with_top: true, depth_max: None }, status_of(&path)))
        }
        .await;
        let (within, above) = found.map_err(|error| expose(ctx, error))?;
        flat(ctx, session, within, above, filter, order_by, &page).await.map(Some)
    }

    /// What suspending an organization would cut off. Give its `planHash` to `organizationSuspend`.
    async fn organization_suspend_plan(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The organization.")] organization_id: async_graphql::ID,
    ) -> Result<Option<OrganizationPlan>> {
        const ASKED: Permission = needs("Query", "organizationSuspendPlan");
        plan(ctx, &organization_id, Act::Suspend, ASKED).await
    }

    /// What archiving an organization would end. Give its `planHash` to `organizationArchive`.
    async fn organization_archive_plan(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The organization.")] organization_id: async_graphql::ID,
        #[graphql(desc = "Whether everything below it would be archived too.", default = false)] cascade: bool,
    ) -> Result<Option<OrganizationPlan>> {
        const ASKED: Permission = needs("Query", "organizationArchivePlan");
        plan(ctx, &organization_id, Act::Archive { cascade }, ASKED).await
    }
}

/// The plan of an act; null for an organization out of sight.
async fn plan(
    ctx: &Context<'_>,
    id: &async_graphql::ID,
    act: Act,
    asked: Permission,
) -> Result<Option<OrganizationPlan>> {
    let session = Session::of(ctx);
    let read = async {
        let id: OrganizationId = id_of(id, "organizationId")?;
        let (realm, _, _) = session.target(Some(id), asked).await?;
        let plan = crate::organization::plan::Plan::make(&session.snapshot(), realm, id, act, session.now()).await?;
        let level = Organizations::of_ids(session, &[id]).await?;
        Ok(Organization::all(&level).pop().map(|organization| OrganizationPlan::new(organization, plan)))
    };
    let planned: Result<_, Error> = read.await;
    match planned {
        Err(Error::Refused(refusal)) if refusal.code == ErrorCode::NotFound => Ok(None),
        planned => planned.map_err(|error| expose(ctx, error)),
    }
}
