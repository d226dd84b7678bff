//! The mutations. Each is a value that names its targets by id, so that nothing between the
//! question and the answer can make it act on something else.

use cynic::MutationBuilder;
use serde::{Deserialize, Serialize};

use super::organization::{ApiKey, OrganizationRow, Wallet};
use super::request::Request;
use super::scalar::{Environment, ErrorCode, OrganizationId, Secret};
use super::schema;
use crate::credits::Credits;

/// Something to be done by the gateway.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Act {
    Suspend { organization: OrganizationId, reason: String },
    Resume { organization: OrganizationId },
    Transfer { source: OrganizationId, target: OrganizationId, amount: Credits, description: Option<String> },
    MintKey { organization: OrganizationId, name: String, scopes: Vec<String>, environment: Environment },
}

/// What an act came to. Either way the gateway has decided, and the outcome is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    Done(Receipt),
    Refused(Vec<UserError>),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Receipt {
    /// Suspended or resumed: the organization as it now is.
    Organization(Option<OrganizationRow>),
    Transferred {
        wallets: Vec<Wallet>,
        replayed: bool,
    },
    /// `secret` is absent when the key had been minted before and only its record came back.
    Minted {
        api_key: Option<ApiKey>,
        secret: Option<Secret>,
    },
}

#[derive(cynic::QueryFragment, Serialize, Clone, Debug, PartialEq)]
pub struct UserError {
    pub message: String,
    pub code: ErrorCode,
    pub path: Vec<String>,
}

#[derive(cynic::InputObject, Debug)]
struct OrganizationSuspendInput {
    organization_id: OrganizationId,
    reason: Option<String>,
}

#[derive(cynic::QueryVariables, Debug)]
struct SuspendVariables {
    input: OrganizationSuspendInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "SuspendVariables")]
struct SuspendMutation {
    #[arguments(input: $input)]
    organization_suspend: Option<OrganizationSuspendPayload>,
}

#[derive(cynic::QueryFragment, Debug)]
struct OrganizationSuspendPayload {
    organization: Option<OrganizationRow>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::InputObject, Debug)]
struct OrganizationResumeInput {
    organization_id: OrganizationId,
}

#[derive(cynic::QueryVariables, Debug)]
struct ResumeVariables {
    input: OrganizationResumeInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "ResumeVariables")]
struct ResumeMutation {
    #[arguments(input: $input)]
    organization_resume: Option<OrganizationResumePayload>,
}

#[derive(cynic::QueryFragment, Debug)]
struct OrganizationResumePayload {
    organization: Option<OrganizationRow>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::InputObject, Debug)]
struct CreditTransferInput {
    source_organization_id: Option<OrganizationId>,
    target_organization_id: OrganizationId,
    amount: Credits,
    #[cynic(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    idempotency_key: String,
}

#[derive(cynic::QueryVariables, Debug)]
struct TransferVariables {
    input: CreditTransferInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "TransferVariables")]
struct TransferMutation {
    #[arguments(input: $input)]
    credit_transfer: Option<CreditTransferPayload>,
}

#[derive(cynic::QueryFragment, Debug)]
struct CreditTransferPayload {
    source_wallet: Option<Wallet>,
    target_wallet: Option<Wallet>,
    replayed: bool,
    user_errors: Vec<UserError>,
}

#[derive(cynic::InputObject, Debug)]
struct ApiKeyCreateInput {
    organization_id: Option<OrganizationId>,
    name: String,
    scopes: Vec<String>,
    environment: Environment,
    idempotency_key: Option<String>,
}

#[derive(cynic::QueryVariables, Debug)]
struct MintVariables {
    input: ApiKeyCreateInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "MintVariables")]
struct MintMutation {
    #[arguments(input: $input)]
    api_key_create: Option<ApiKeyCreatePayload>,
}

#[derive(cynic::QueryFragment, Debug)]
struct ApiKeyCreatePayload {
    api_key: Option<ApiKey>,
    secret: Option<Secret>,
    user_errors: Vec<UserError>,
}

impl Act {
    /// The organization acted upon.
    pub fn target(&self) -> &OrganizationId {
        match self {
            Self::Suspend { organization, .. } | Self::Resume { organization } | Self::MintKey { organization, .. } => {
                organization
            }
            Self::Transfer { target, .. } => target,
        }
    }

    /// The request under its idempotency key. Where the input has no field for the key it travels
    /// as the header, never both ways at once.
    pub fn request(&self, key: &str) -> Request<Outcome> {
        match self.clone() {
            Self::Suspend { organization, reason } => {
                let input = OrganizationSuspendInput { organization_id: organization, reason: Some(reason) };
                let operation = SuspendMutation::build(SuspendVariables { input });
                Request::of_payload("Suspend", operation, |data: SuspendMutation| {
                    data.organization_suspend
                        .map(|payload| settled(payload.user_errors, Receipt::Organization(payload.organization)))
                })
                .with_idempotency_header(key)
            }
            Self::Resume { organization } => {
                let input = OrganizationResumeInput { organization_id: organization };
                let operation = ResumeMutation::build(ResumeVariables { input });
                Request::of_payload("Resume", operation, |data: ResumeMutation| {
                    data.organization_resume
                        .map(|payload| settled(payload.user_errors, Receipt::Organization(payload.organization)))
                })
                .with_idempotency_header(key)
            }
            Self::Transfer { source, target, amount, description } => {
                let input = CreditTransferInput {
                    source_organization_id: Some(source),
                    target_organization_id: target,
                    amount,
                    description,
                    idempotency_key: key.to_owned(),
                };
                let operation = TransferMutation::build(TransferVariables { input });
                Request::of_payload("Transfer", operation, |data: TransferMutation| {
                    data.credit_transfer.map(|payload| {
                        let wallets = [payload.source_wallet, payload.target_wallet];
                        let receipt = Receipt::Transferred {
                            wallets: wallets.into_iter().flatten().collect(),
                            replayed: payload.replayed,
                        };
                        settled(payload.user_errors, receipt)
                    })
                })
            }
            Self::MintKey { organization, name, scopes, environment } => {
                let input = ApiKeyCreateInput {
                    organization_id: Some(organization),
                    name,
                    scopes,
                    environment,
                    idempotency_key: Some(key.to_owned()),
                };
                let operation = MintMutation::build(MintVariables { input });
                Request::of_payload("MintKey", operation, |data: MintMutation| {
                    data.api_key_create.map(|payload| {
                        let receipt = Receipt::Minted { api_key: payload.api_key, secret: payload.secret };
                        settled(payload.user_errors, receipt)
                    })
                })
            }
        }
    }
}

fn settled(errors: Vec<UserError>, receipt: Receipt) -> Outcome {
    if errors.is_empty() { Outcome::Done(receipt) } else { Outcome::Refused(errors) }
}
