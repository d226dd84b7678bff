//! What the gateway says would happen: the numbers a person decides by, and the hash that makes the
//! mutation refuse when they have changed since.

use serde::Serialize;

use super::outcome::UserError;
use super::schema;
use crate::credits::Credits;

#[derive(cynic::QueryFragment, Serialize, Clone, Debug, PartialEq)]
#[cynic(graphql_type = "OrganizationPlan")]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    pub plan_hash: String,
    /// Organizations below that it reaches.
    pub descendants: i32,
    pub api_keys: i32,
    pub open_holds: i32,
    pub held_credits: Credits,
    pub reclaimable_credits: Credits,
    pub webhook_endpoints: i32,
    /// Why the gateway would refuse, as things stand.
    pub refusals: Vec<UserError>,
}
