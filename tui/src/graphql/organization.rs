//! What the console reads about organizations. The fragments are the model's own entities: there
//! is no second shape to keep in step with the schema.

use jiff::Timestamp;
use serde::Serialize;

use super::scalar::{
    ApiKeyStatus, BillingMode, Delegation, EffectiveStatus, Environment, FundingMode, OrganizationId, RefillState,
    Relation, StarvedReason, Tier, TransactionKind,
};
use super::schema;
use crate::credits::Credits;

#[derive(cynic::QueryFragment, Serialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct PageInfo {
    pub has_next_page: bool,
    pub end_cursor: Option<String>,
}

/// Where a page lies in its list, for one that is gone on from both ways.
#[derive(cynic::QueryFragment, Serialize, Clone, Debug, Default, PartialEq)]
#[cynic(graphql_type = "PageInfo")]
#[serde(rename_all = "camelCase")]
pub struct PageEnds {
    pub has_previous_page: bool,
    pub has_next_page: bool,
    pub start_cursor: Option<String>,
    pub end_cursor: Option<String>,
}

#[derive(cynic::QueryFragment, Serialize, Clone, Debug, PartialEq, Eq)]
#[cynic(graphql_type = "Organization")]
pub struct OrganizationName {
    pub id: OrganizationId,
    pub name: String,
}

/// An organization as a row of the tree and of search results.
#[derive(cynic::QueryFragment, Serialize, Clone, Debug, PartialEq)]
#[cynic(graphql_type = "Organization")]
#[serde(rename_all = "camelCase")]
pub struct OrganizationRow {
    pub id: OrganizationId,
    pub name: String,
    pub effective_status: EffectiveStatus,
    pub relation: Option<Relation>,
    pub depth: i32,
    pub version: i32,
    pub parent: Option<OrganizationName>,
    pub summary: OrganizationSummary,
}

#[derive(cynic::QueryFragment, Serialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct OrganizationSummary {
    pub child_count: i32,
    pub available: Option<Credits>,
}

#[derive(cynic::QueryFragment, Serialize, Clone, Debug, PartialEq)]
#[cynic(graphql_type = "OrganizationConnection")]
#[serde(rename_all = "camelCase")]
pub struct OrganizationPage {
    pub nodes: Vec<OrganizationRow>,
    pub page_info: PageEnds,
}

/// The chosen organization: everything the right-hand side shows.
#[derive(cynic::QueryFragment, Serialize, Clone, Debug, PartialEq)]
#[cynic(graphql_type = "Organization", variables = "DetailVariables")]
#[serde(rename_all = "camelCase")]
pub struct OrganizationDetail {
    pub id: OrganizationId,
    pub name: String,
    pub email: Option<String>,
    pub external_id: Option<String>,
    pub country: Option<CountryCode>,
    pub base_currency: Option<Currency>,
    pub timezone: String,
    pub billing_mode: BillingMode,
    pub tier: Tier,
    pub relation: Option<Relation>,
    pub delegation: Vec<Delegation>,
    pub created_at: Timestamp,
    pub effective_status: EffectiveStatus,
    pub suspensions: Vec<Suspension>,
    pub billing_organization: Option<OrganizationName>,
    #[arguments(environment: $environment)]
    pub wallet: Option<Wallet>,
    pub funding: Funding,
    pub limits: Limits,
    #[arguments(first: $api_keys_first)]
    pub api_keys: Option<ApiKeyPage>,
    #[arguments(first: $ledger_entries_first, environment: $environment)]
    pub ledger_entries: Option<LedgerEntryPage>,
}

#[derive(cynic::QueryVariables, Clone, Debug)]
pub struct DetailVariables {
    pub by: OrganizationBy,
    pub environment: Environment,
    pub api_keys_first: i32,
    pub ledger_entries_first: i32,
}

#[derive(cynic::InputObject, Clone, Debug)]
pub enum OrganizationBy {
    Id(OrganizationId),
}

#[derive(cynic::Scalar, Clone, Debug, PartialEq, Eq)]
pub struct CountryCode(pub String);

#[derive(cynic::Scalar, Clone, Debug, PartialEq, Eq)]
pub struct Currency(pub String);

#[derive(cynic::QueryFragment, Serialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Suspension {
    pub placed_by: String,
    pub placed_by_organization_id: Option<OrganizationId>,
    pub reason: Option<String>,
    pub placed_at: Timestamp,
    /// Where it was placed: the organization itself, or the ancestor it is inherited from.
    pub organization_id: OrganizationId,
}

#[derive(cynic::QueryFragment, Serialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Wallet {
    pub organization: WalletOwner,
    pub environment: Environment,
    pub balance: Credits,
    pub held: Credits,
    pub available: Credits,
    pub spendable: Credits,
    /// Grows with every change; an older one that arrives later is dropped.
    pub version: i32,
}

#[derive(cynic::QueryFragment, Serialize, Clone, Debug, PartialEq)]
#[cynic(graphql_type = "Organization")]
pub struct WalletOwner {
    pub id: OrganizationId,
}

#[derive(cynic::QueryFragment, Serialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Funding {
    pub mode: FundingMode,
    pub inherited: bool,
    pub minimum_reserve: Credits,
}

#[derive(cynic::QueryFragment, Serialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    pub monthly_credit_cap: Option<Credits>,
    pub monthly_used: Credits,
    pub subtree_monthly_cap: Option<Credits>,
    pub subtree_monthly_used: Credits,
    pub refill_threshold: Option<Credits>,
    pub refill_amount: Option<Credits>,
    pub refill_monthly_ceiling: Option<Credits>,
    pub refilled_this_month: Credits,
    pub refill_state: RefillState,
    pub refill_reason: Option<StarvedReason>,
    pub period_ends_at: Timestamp,
}

#[derive(cynic::QueryFragment, Serialize, Clone, Debug, PartialEq)]
#[cynic(graphql_type = "ApiKeyConnection")]
#[serde(rename_all = "camelCase")]
pub struct ApiKeyPage {
    pub nodes: Vec<ApiKey>,
    pub page_info: PageInfo,
}

#[derive(cynic::QueryFragment, Serialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ApiKey {
    pub name: String,
    pub prefix: String,
    pub environment: Environment,
    pub scopes: Vec<String>,
    pub status: ApiKeyStatus,
    pub last_used_at: Option<Timestamp>,
}

#[derive(cynic::QueryFragment, Serialize, Clone, Debug, PartialEq)]
#[cynic(graphql_type = "LedgerEntryConnection")]
#[serde(rename_all = "camelCase")]
pub struct LedgerEntryPage {
    pub nodes: Vec<LedgerEntry>,
    pub page_info: PageInfo,
}

#[derive(cynic::QueryFragment, Serialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct LedgerEntry {
    pub kind: TransactionKind,
    pub amount: Credits,
    pub balance_after: Credits,
    pub description: Option<String>,
    pub created_at: Timestamp,
}
