//! Mutations of organizations.

use async_graphql::{Context, Object, Result};

use crate::kernel::error::Refusal;
use crate::organization::command::{UpdateFunding, UpdateLimits, UpdateOrganization};
use crate::organization::edge::{UpdateDelegation, UpdateRelation};
use crate::organization::graphql::input::{
    OrganizationArchiveInput, OrganizationCreateInput, OrganizationDelegationUpdateInput,
    OrganizationFundingUpdateInput, OrganizationLimitsUpdateInput, OrganizationRelationUpdateInput,
    OrganizationResumeInput, OrganizationSuspendInput, OrganizationUpdateInput, change,
};
use crate::organization::graphql::level::Organizations;
use crate::organization::graphql::object::Organization;
use crate::organization::lifecycle::{ArchiveOrganization, ResumeOrganization, SuspendOrganization};
use crate::organization::model::Organization as Record;
use crate::schema::Query;
use crate::schema::payload::payload;
use crate::schema::scalar::Credits;
use crate::schema::session::{Session, expose, id_of, optional_id};

payload! {
    /// The answer of `organizationCreate`.
    OrganizationCreatePayload {
        /// The new organization.
        organization: Organization,
    } replayed
}
payload! {
    /// The answer of `organizationUpdate`.
    OrganizationUpdatePayload {
        /// The organization as it is now.
        organization: Organization,
    }
}
payload! {
    /// The answer of `organizationSuspend`.
    OrganizationSuspendPayload {
        /// The organization as it is now.
        organization: Organization,
    }
}
payload! {
    /// The answer of `organizationResume`.
    OrganizationResumePayload {
        /// The organization as it is now; it stays suspended while somebody else's suspension stands.
        organization: Organization,
    }
}
payload! {
    /// The answer of `organizationArchive`.
    OrganizationArchivePayload {
        /// The organization, archived.
        organization: Organization,
        /// Credits that went home to the nearest live ancestor.
        reclaimed_credits: Credits,
        /// Keys that worked until now.
        revoked_api_keys: i32,
        /// Credits that open holds still hold: they go home as the holds settle.
        pending_reclaim: Credits,
    }
}
payload! {
    /// The answer of `organizationRelationUpdate`.
    OrganizationRelationUpdatePayload {
        /// The child as it is now.
        organization: Organization,
    }
}
payload! {
    /// The answer of `organizationDelegationUpdate`.
    OrganizationDelegationUpdatePayload {
        /// The child as it is now.
        organization: Organization,
    }
}
payload! {
    /// The answer of `organizationFundingUpdate`.
    OrganizationFundingUpdatePayload {
        /// The organization as it is now.
        organization: Organization,
    }
}
payload! {
    /// The answer of `organizationLimitsUpdate`.
    OrganizationLimitsUpdatePayload {
        /// The organization as it is now.
        organization: Organization,
    }
}

/// The record of a command's answer as an object.
pub async fn shown(ctx: &Context<'_>, record: Record) -> Result<Option<Organization>> {
    let level = Organizations::of_records(Session::of(ctx), vec![record]).await;
    Ok(Organization::all(&level.map_err(|error| expose(ctx, error))?).pop())
}

#[derive(Default)]
pub struct OrganizationMutation;

#[Object]
impl OrganizationMutation {
    /// Creates a child of the acting organization or of `parentId`; the operator creates a root with neither. Needs
    /// `org:admin`. The parent's tier must be ENTERPRISE.
    async fn organization_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A new organization.")] input: OrganizationCreateInput,
    ) -> Result<Option<OrganizationCreatePayload>> {
        let session = Session::of(ctx);
        Ok(Some(match session.execute(ctx, input.command(session)).await? {
            Err(refusal) => OrganizationCreatePayload::refused(refusal),
            Ok(executed) => OrganizationCreatePayload {
                organization: shown(ctx, executed.output).await?,
                replayed: executed.replayed,
                user_errors: Vec::new(),
                query: Query::default(),
            },
        }))
    }

    /// Changes the record. What is absent stays, what is null is cleared. Needs `org:write`.
    async fn organization_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Changes of the record. What is absent stays; what is null is cleared.")]
        input: OrganizationUpdateInput,
    ) -> Result<Option<OrganizationUpdatePayload>> {
        let command = || -> Result<UpdateOrganization, Refusal> {
            Ok(UpdateOrganization {
                organization: optional_id(input.organization_id.as_ref(), "organizationId")?,
                expected_version: i64::from(input.expected_version),
                profile: input.profile()?,
            })
        };
        Ok(Some(match Session::of(ctx).execute(ctx, command()).await? {
            Err(refusal) => OrganizationUpdatePayload::refused(refusal),
            Ok(executed) => OrganizationUpdatePayload {
                organization: shown(ctx, executed.output).await?,
                user_errors: Vec::new(),
                query: Query::default(),
            },
        }))
    }

    /// Cuts off an organization and everything below it: keys are refused, nothing is spent. Does nothing when the
    /// caller's suspension stands already. Needs `org:admin` of an ancestor.
    async fn organization_suspend(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "An organization to cut off.")] input: OrganizationSuspendInput,
    ) -> Result<Option<OrganizationSuspendPayload>> {
        let command = || -> Result<SuspendOrganization, Refusal> {
            Ok(SuspendOrganization {
                organization: id_of(&input.organization_id, "organizationId")?,
                reason: input.reason.clone(),
                plan_hash: input.plan_hash.clone(),
            })
        };
        Ok(Some(match Session::of(ctx).execute(ctx, command()).await? {
            Err(refusal) => OrganizationSuspendPayload::refused(refusal),
            Ok(executed) => OrganizationSuspendPayload {
                organization: shown(ctx, executed.output).await?,
                user_errors: Vec::new(),
                query: Query::default(),
            },
        }))
    }

    /// Lifts the suspension that the caller's organization placed, and those whose holder is above it no more since a move or a
    /// detach; no other. Does nothing when there is none.
    async fn organization_resume(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "An organization to let back in.")] input: OrganizationResumeInput,
    ) -> Result<Option<OrganizationResumePayload>> {
        let command = || -> Result<ResumeOrganization, Refusal> {
            Ok(ResumeOrganization {
                organization: id_of(&input.organization_id, "organizationId")?,
                reason: input.reason.clone(),
            })
        };
        Ok(Some(match Session::of(ctx).execute(ctx, command()).await? {
            Err(refusal) => OrganizationResumePayload::refused(refusal),
            Ok(executed) => OrganizationResumePayload {
                organization: shown(ctx, executed.output).await?,
                user_errors: Vec::new(),
                query: Query::default(),
            },
        }))
    }

    /// Ends an organization for good: revokes its keys, sends its credits home, silences its endpoints. Needs `org:admin`
    /// of an ancestor.
    async fn organization_archive(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "An organization to end.")] input: OrganizationArchiveInput,
    ) -> Result<Option<OrganizationArchivePayload>> {
        let command = || -> Result<ArchiveOrganization, Refusal> {
            Ok(ArchiveOrganization {
                organization: id_of(&input.organization_id, "organizationId")?,
                cascade: input.cascade,
                reason: input.reason.clone(),
                plan_hash: input.plan_hash.clone(),
            })
        };
        Ok(Some(match Session::of(ctx).execute(ctx, command()).await? {
            Err(refusal) => OrganizationArchivePayload::refused(refusal),
            Ok(executed) => OrganizationArchivePayload {
                reclaimed_credits: Some(executed.output.reclaimed_credits.into()),
                revoked_api_keys: Some(i32::try_from(executed.output.revoked_api_keys).unwrap_or(i32::MAX)),
                pending_reclaim: Some(executed.output.pending_reclaim.into()),
                organization: shown(ctx, executed.output.organization).await?,
                user_errors: Vec::new(),
                query: Query::default(),
            },
        }))
    }

    /// Changes how data flows over the edge to the parent. Needs `org:admin`.
    async fn organization_relation_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A new relation to the parent.")] input: OrganizationRelationUpdateInput,
    ) -> Result<Option<OrganizationRelationUpdatePayload>> {
        let command = || -> Result<UpdateRelation, Refusal> {
            Ok(UpdateRelation {
                organization: id_of(&input.organization_id, "organizationId")?,
                relation: input.relation.into(),
                expected_version: input.expected_version.map(i64::from),
            })
        };
        Ok(Some(match Session::of(ctx).execute(ctx, command()).await? {
            Err(refusal) => OrganizationRelationUpdatePayload::refused(refusal),
            Ok(executed) => OrganizationRelationUpdatePayload {
                organization: shown(ctx, executed.output).await?,
                user_errors: Vec::new(),
                query: Query::default(),
            },
        }))
    }

    /// Sets what an edge lets ancestors do. Either side may narrow it; only the child's own keys may widen it.
    async fn organization_delegation_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What an edge lets ancestors do.")] input: OrganizationDelegationUpdateInput,
    ) -> Result<Option<OrganizationDelegationUpdatePayload>> {
        let command = || -> Result<UpdateDelegation, Refusal> {
            Ok(UpdateDelegation {
                organization: id_of(&input.organization_id, "organizationId")?,
                delegation: input.delegation.iter().copied().map(Into::into).collect(),
                expected_version: input.expected_version.map(i64::from),
            })
        };
        Ok(Some(match Session::of(ctx).execute(ctx, command()).await? {
            Err(refusal) => OrganizationDelegationUpdatePayload::refused(refusal),
            Ok(executed) => OrganizationDelegationUpdatePayload {
                organization: shown(ctx, executed.output).await?,
                user_errors: Vec::new(),
                query: Query::default(),
            },
        }))
    }

    /// Sets who pays for an organization, and what it offers its children. Needs `org:admin`; an organization's own mode is
    /// set by an ancestor.
    async fn organization_funding_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who pays.")] input: OrganizationFundingUpdateInput,
    ) -> Result<Option<OrganizationFundingUpdatePayload>> {
        let command = || -> Result<UpdateFunding, Refusal> {
            Ok(UpdateFunding {
                organization: optional_id(input.organization_id.as_ref(), "organizationId")?,
                mode: change(&input.mode, |mode| (*mode).into()),
                primary_covers_secondary: input.primary_covers_secondary,
                fallback_to_primary: input.fallback_to_primary,
                minimum_reserve: input.minimum_reserve.map(|credits| credits.0),
            })
        };
        Ok(Some(match Session::of(ctx).execute(ctx, command()).await? {
            Err(refusal) => OrganizationFundingUpdatePayload::refused(refusal),
            Ok(executed) => OrganizationFundingUpdatePayload {
                organization: shown(ctx, executed.output).await?,
                user_errors: Vec::new(),
                query: Query::default(),
            },
        }))
    }

    /// Sets caps and automatic refill. A cap below what this month has used blocks new spend only. Needs `org:admin`.
    async fn organization_limits_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Caps and automatic refill. What is absent stays; null is no limit.")]
        input: OrganizationLimitsUpdateInput,
    ) -> Result<Option<OrganizationLimitsUpdatePayload>> {
        let command = || -> Result<UpdateLimits, Refusal> {
            Ok(UpdateLimits {
                organization: optional_id(input.organization_id.as_ref(), "organizationId")?,
                monthly_credit_cap: change(&input.monthly_credit_cap, |credits| credits.0),
                subtree_monthly_cap: change(&input.subtree_monthly_cap, |credits| credits.0),
                refill_threshold: change(&input.refill_threshold, |credits| credits.0),
                refill_amount: change(&input.refill_amount, |credits| credits.0),
                refill_monthly_ceiling: change(&input.refill_monthly_ceiling, |credits| credits.0),
            })
        };
        Ok(Some(match Session::of(ctx).execute(ctx, command()).await? {
            Err(refusal) => OrganizationLimitsUpdatePayload::refused(refusal),
            Ok(executed) => OrganizationLimitsUpdatePayload {
                organization: shown(ctx, executed.output).await?,
                user_errors: Vec::new(),
                query: Query::default(),
            },
        }))
    }
}
