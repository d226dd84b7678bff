//! The one subscription: wallets as they change.

use cynic::OperationBuilder;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::organization::Wallet;
use super::request::{Failure, Request};
use super::scalar::{Environment, EventScope, OrganizationId};
use super::schema;

/// Whose wallets to follow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Follow {
    pub organization: OrganizationId,
    pub scope: EventScope,
    pub environment: Environment,
}

#[derive(cynic::QueryVariables, Debug)]
struct WalletChangesVariables {
    organization_id: OrganizationId,
    scope: EventScope,
    environment: Environment,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Subscription", variables = "WalletChangesVariables")]
struct WalletChanges {
    #[arguments(
        organizationId: $organization_id, scope: $scope, environment: $environment
    )]
    wallet_changes: Wallet,
}

impl Follow {
    pub fn request(&self) -> Request<Wallet> {
        let variables = WalletChangesVariables {
            organization_id: self.organization.clone(),
            scope: self.scope.clone(),
            environment: self.environment.clone(),
        };
        let operation = OperationBuilder::<WalletChanges, _>::subscription()
            .with_variables(variables)
            .build()
            .expect("a document written to a string fails only for want of memory");
        Request::new("WalletChanges", operation, |data: WalletChanges, _| data.wallet_changes)
    }
}

/// A `next` message's payload.
pub fn wallet_of(payload: &RawValue, follow: &Follow) -> Result<Wallet, Failure> {
    follow.request().read(payload.get().as_bytes())
}
