//! Moving and detaching in the schema.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use entity::id::OrganizationId;

use crate::access::fields::needs;
use crate::access::path::EffectiveStatus as PathStatus;
use crate::access::policy::Permission;
use crate::kernel::error::{Error, ErrorCode, Refusal};
use crate::organization::graphql::level::Organizations;
use crate::organization::graphql::mutation::shown;
use crate::organization::graphql::object::Organization;
use crate::organization::restructure::plan::Plan;
use crate::organization::restructure::{Destination, DetachOrganization, MoveOrganization, Mover};
use crate::schema::Query;
use crate::schema::kind::{Delegation, EffectiveStatus, Tier};
use crate::schema::payload::payload;
use crate::schema::scalar::Credits;
use crate::schema::session::{Session, expose, id_of};
use crate::schema::user_error::UserError;
use crate::webhook;

/// What moving or detaching an organization would do if it were done now.
#[derive(SimpleObject)]
pub struct OrganizationRestructuringPlan {
    /// The organization the act is on.
    pub organization: Organization,
    /// The parent it would have; null when it would be a root.
    pub parent: Option<Organization>,
    /// How many organizations below it would go along.
    pub descendants: i32,
    /// The ancestors that would lose every right over it, nearest first, as far as the caller sees them.
    pub ancestors_lost: Vec<Organization>,
    /// How many webhook endpoints of those would hear of it no more.
    pub webhook_endpoints: i32,
    /// What its edge to the parent would delegate; empty when it would be a root. Only its own keys widen it.
    pub delegation: Vec<Delegation>,
    /// The tier it would have: a detached organization is on FREE, which gets no more children.
    pub tier: Tier,
    /// Who would pay for its spend; null where the caller does not see it.
    pub payer: Option<Organization>,
    /// The worst over it and the ancestors it would have.
    pub effective_status: EffectiveStatus,
    /// How many open holds would stay funded by wallets of ancestors that it leaves, until they settle.
    pub open_holds: i32,
    /// How many credits those hold.
    pub held_credits: Credits,
    /// Why the act would be refused, if it would.
    pub refusals: Vec<UserError>,
    /// Give it to the act: it is refused with `PLAN_STALE` when any of this changed since.
    pub plan_hash: String,
}

/// A new place for an organization and everything below it.
#[derive(InputObject, Clone, Debug)]
pub struct OrganizationMoveInput {
    /// The organization.
    pub organization_id: ID,
    /// Its parent to be, in the same realm and not below it. Its tier must be ENTERPRISE.
    pub parent_id: ID,
    /// For the audit trail, at most 500 characters.
    pub reason: Option<String>,
    /// The version this change was made for.
    pub expected_version: Option<i32>,
    /// From `organizationMovePlan`: refuses with `PLAN_STALE` when the world changed since.
    pub plan_hash: Option<String>,
}

/// An organization to become a root of its own.
#[derive(InputObject, Clone, Debug)]
pub struct OrganizationDetachInput {
    /// The organization; everything below it goes along.
    pub organization_id: ID,
    /// For the audit trail, at most 500 characters.
    pub reason: Option<String>,
    /// The version this change was made for.
    pub expected_version: Option<i32>,
    /// From `organizationDetachPlan`: refuses with `PLAN_STALE` when the world changed since.
    pub plan_hash: Option<String>,
}

payload! {
    /// The answer of `organizationMove`.
    OrganizationMovePayload {
        /// The organization as it is now.
        organization: Organization,
    }
}
payload! {
    /// The answer of `organizationDetach`.
    OrganizationDetachPayload {
        /// The organization as it is now; null to an ancestor's key, which sees it no more.
        organization: Organization,
        /// The id of what is a root now.
        organization_id: ID,
    }
}

#[derive(Default)]
pub struct RestructureQuery;

#[Object]
impl RestructureQuery {
    /// What moving an organization below another parent would do. Give its `planHash` to `organizationMove`.
    async fn organization_move_plan(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The organization.")] organization_id: ID,
        #[graphql(desc = "Its parent to be.")] parent_id: ID,
    ) -> Result<Option<OrganizationRestructuringPlan>> {
        const ASKED: Permission = needs("Query", "organizationMovePlan");
        let parent = id_of(&parent_id, "parentId").map_err(|refusal| expose(ctx, refusal.into()))?;
        plan(ctx, &organization_id, Destination::Below(parent), ASKED).await
    }

    /// What making an organization a root of its own would do. Give its `planHash` to `organizationDetach`.
    async fn organization_detach_plan(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The organization.")] organization_id: ID,
    ) -> Result<Option<OrganizationRestructuringPlan>> {
        const ASKED: Permission = needs("Query", "organizationDetachPlan");
        plan(ctx, &organization_id, Destination::Root, ASKED).await
    }
}

/// The plan of an act; null where the organization or the parent to be is out of sight.
async fn plan(
    ctx: &Context<'_>,
    id: &ID,
    to: Destination,
    asked: Permission,
) -> Result<Option<OrganizationRestructuringPlan>> {
    let session = Session::of(ctx);
    let read = async {
        session.signed_in()?;
        let id: OrganizationId = id_of(id, "organizationId")?;
        let (realm, path, _) = session.target(Some(id), asked).await?;
        let mover = Mover::new(&session.caller.principal, &session.scopes);
        let snapshot = session.snapshot();
        let plan = Plan::make(&snapshot, realm, &path, to, &mover, asked).await?;
        let ids: Vec<OrganizationId> =
            [id, plan.payer].into_iter().chain(plan.parent).chain(plan.left.iter().copied()).collect();
        let level = Organizations::of_ids(session, &ids).await?;
        let seen = |id: OrganizationId| Organization::find(&level, id);
        let Some(organization) = seen(id) else { return Ok(None) };
        let ancestors_lost: Vec<Organization> = plan.left.iter().copied().filter_map(seen).collect();
        let listening: Vec<OrganizationId> = ancestors_lost.iter().map(Organization::organization_id).collect();
        let firehoses = webhook::api::count_firehoses(&snapshot, realm, &listening).await?;
        let count = |count: i64| i32::try_from(count).unwrap_or(i32::MAX);
        let goes_below = plan.parent.is_some();
        Ok(Some(OrganizationRestructuringPlan {
            organization,
            parent: plan.parent.and_then(seen),
            descendants: count(plan.descendants),
            ancestors_lost,
            webhook_endpoints: count(firehoses),
            delegation: plan.delegation.iter().filter(|_| goes_below).map(Into::into).collect(),
            tier: plan.tier.into(),
            payer: seen(plan.payer),
            effective_status: match plan.status {
                PathStatus::Active => EffectiveStatus::Active,
                PathStatus::Suspended { .. } => EffectiveStatus::Suspended,
                PathStatus::Archived { .. } => EffectiveStatus::Archived,
            },
            open_holds: count(plan.borrowed.holds),
            held_credits: plan.borrowed.credits.into(),
            refusals: plan.refusals.into_iter().map(Into::into).collect(),
            plan_hash: plan.hash,
        }))
    };
    let planned: Result<_, Error> = read.await;
    match planned {
        Err(Error::Refused(refusal)) if refusal.code == ErrorCode::NotFound => Ok(None),
        planned => planned.map_err(|error| expose(ctx, error)),
    }
}

#[derive(Default)]
pub struct RestructureMutation;

#[Object]
impl RestructureMutation {
    /// Puts an organization, with everything below it, under another parent of its realm. Does nothing when it is there
    /// already. Needs `org:admin` of an ancestor of both. What its edge delegates goes along, narrowed to what the ancestors
    /// of both had; open holds stay with whoever funds them.
    async fn organization_move(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A new place for an organization and everything below it.")] input: OrganizationMoveInput,
    ) -> Result<Option<OrganizationMovePayload>> {
        let command = || -> Result<MoveOrganization, Refusal> {
            Ok(MoveOrganization {
                organization: id_of(&input.organization_id, "organizationId")?,
                parent: id_of(&input.parent_id, "parentId")?,
                reason: input.reason.clone(),
                expected_version: input.expected_version.map(i64::from),
                plan_hash: input.plan_hash.clone(),
            })
        };
        Ok(Some(match Session::of(ctx).execute(ctx, command()).await? {
            Err(refusal) => OrganizationMovePayload::refused(refusal),
            Ok(executed) => OrganizationMovePayload {
                organization: shown(ctx, executed.output).await?,
                user_errors: Vec::new(),
                query: Query::default(),
            },
        }))
    }

    /// Makes an organization, with everything below it, a root of its own in the same realm. Data, members and keys stay;
    /// ancestors lose every right; nobody above pays any more; the tier drops to FREE. Open holds that a wallet above funds
    /// stay that wallet's until they settle. Does nothing on a root. Needs `org:admin` of an ancestor.
    async fn organization_detach(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "An organization to become a root of its own.")] input: OrganizationDetachInput,
    ) -> Result<Option<OrganizationDetachPayload>> {
        let command = || -> Result<DetachOrganization, Refusal> {
            Ok(DetachOrganization {
                organization: id_of(&input.organization_id, "organizationId")?,
                reason: input.reason.clone(),
                expected_version: input.expected_version.map(i64::from),
                plan_hash: input.plan_hash.clone(),
            })
        };
        Ok(Some(match Session::of(ctx).execute(ctx, command()).await? {
            Err(refusal) => OrganizationDetachPayload::refused(refusal),
            Ok(executed) => OrganizationDetachPayload {
                organization_id: Some(executed.output.id.to_string().into()),
                organization: shown(ctx, executed.output).await?,
                user_errors: Vec::new(),
                query: Query::default(),
            },
        }))
    }
}
