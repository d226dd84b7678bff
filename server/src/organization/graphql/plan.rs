//! Plans in the schema.

use async_graphql::SimpleObject;

use crate::organization::graphql::object::Organization;
use crate::organization::plan::Plan;
use crate::schema::scalar::Credits;
use crate::schema::user_error::UserError;

/// What an act would do if it were done now.
#[derive(SimpleObject)]
pub struct OrganizationPlan {
    /// The organization the act is on.
    pub organization: Organization,
    /// How many organizations below it would be touched.
    pub descendants: i32,
    /// How many API keys would stop working.
    pub api_keys: i32,
    /// How many credits would go home; on a suspension, how many would be out of reach.
    pub reclaimable_credits: Credits,
    /// How many holds are open.
    pub open_holds: i32,
    /// How many credits they hold: these come home as the holds settle.
    pub held_credits: Credits,
    /// How many webhook endpoints would fall silent.
    pub webhook_endpoints: i32,
    /// Why the act would be refused, if it would.
    pub refusals: Vec<UserError>,
    /// Give it to the act: it is refused with `PLAN_STALE` when any of this changed since.
    pub plan_hash: String,
}

impl OrganizationPlan {
    pub fn new(organization: Organization, plan: Plan) -> Self {
        let count = |count: i64| i32::try_from(count).unwrap_or(i32::MAX);
        Self {
            organization,
            descendants: count(plan.descendants),
            api_keys: count(plan.api_keys),
            reclaimable_credits: plan.reclaimable.into(),
            open_holds: count(plan.open_holds),
            held_credits: plan.held.into(),
            webhook_endpoints: count(plan.webhook_endpoints),
            refusals: plan.refusals.into_iter().map(Into::into).collect(),
            plan_hash: plan.hash,
        }
    }
}
