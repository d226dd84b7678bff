//! What happens to organizations, as the outside hears it.

use entity::id::OrganizationId;
use entity::kind::{Delegation, FundingMode, Relation, Tier};
use schemars::JsonSchema;
use serde::Serialize;

pub const CREATED: &str = "organization.created";
pub const UPDATED: &str = "organization.updated";
pub const SUSPENDED: &str = "organization.suspended";
pub const RESUMED: &str = "organization.resumed";
pub const ARCHIVED: &str = "organization.archived";
pub const MOVED: &str = "organization.moved";
pub const CHILD_DEPARTED: &str = "organization.child.departed";
pub const DETACHED: &str = "organization.detached";
pub const RELATION_UPDATED: &str = "organization.relation.updated";
pub const DELEGATION_UPDATED: &str = "organization.delegation.updated";
pub const FUNDING_UPDATED: &str = "organization.funding.updated";
pub const LIMITS_UPDATED: &str = "organization.limits.updated";

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Created<'a> {
    pub name: &'a str,
    pub parent_organization_id: Option<OrganizationId>,
    pub relation: Relation,
    pub external_id: Option<&'a str>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Updated<'a> {
    pub name: &'a str,
    pub version: i64,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StatusChanged<'a> {
    pub reason: Option<&'a str>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Archived<'a> {
    pub reason: Option<&'a str>,
    pub reclaimed_credits: entity::credits::Credits,
    pub revoked_api_keys: u64,
}

/// Whoever is above the new place hears it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Moved<'a> {
    pub parent_organization_id: OrganizationId,
    pub relation: Relation,
    pub delegation: Vec<Delegation>,
    pub reason: Option<&'a str>,
}

/// Happens to the parent that was left: whoever is above the old place hears it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChildDeparted<'a> {
    pub child_organization_id: OrganizationId,
    pub reason: Option<&'a str>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Detached<'a> {
    /// The parent it had.
    pub parent_organization_id: Option<OrganizationId>,
    pub tier: Tier,
    pub reason: Option<&'a str>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EdgeChanged {
    pub relation: Relation,
    pub delegation: Vec<Delegation>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FundingChanged {
    pub funding: Option<FundingMode>,
    pub minimum_reserve: entity::credits::Credits,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LimitsChanged {
    pub version: i64,
}
