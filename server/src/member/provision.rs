//! An organization with all it needs to begin, in one transaction.

use entity::credits::Credits;
use entity::kind::{Environment, MemberRole};
use entity::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use crate::access::scope::Scopes;
use crate::api_key::api::{Minted, mint};
use crate::api_key::model::Terms;
use crate::api_key::secret::Peppers;
use crate::credit::api::{Moved, transfer};
use crate::credit::model::Remark;
use crate::kernel::command::{Command, Subject};
use crate::kernel::error::{Error, ErrorCode, Refusal, Result};
use crate::kernel::tx::Tx;
use crate::member::command::add;
use crate::member::model::{Member, Person, PersonFields, default_key_scopes};
use crate::organization::api::{CreateOrganization, Parent, create};
use crate::organization::model::Organization;

/// Makes an organization, its owner, its first key and its first funding.
#[derive(Clone, Debug, Serialize)]
pub struct ProvisionOrganization {
    pub create: CreateOrganization,
    pub owner: Person,
    pub key: FirstKey,
    /// Moved from the parent.
    pub funding: Option<Credits>,
    #[serde(skip)]
    pub peppers: Peppers,
    #[serde(skip)]
    pub idempotency_key: Option<String>,
}

/// What the first key may do.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FirstKey {
    pub name: String,
    /// All that the caller may give when absent.
    pub scopes: Option<Scopes>,
    pub environment: Environment,
    pub expires_at: Option<Timestamp>,
    pub allowed_ips: Vec<String>,
    pub spend_limit: Option<Credits>,
    pub rate_limit: Option<i64>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Provisioned {
    pub organization: Organization,
    pub owner: Member,
    pub minted: Minted,
    pub funding: Option<Moved>,
}

/// How `organizationProvision` calls what it says of the owner (Finora).
const FIELDS: PersonFields = PersonFields {
    email: "ownerEmail",
    first_name: "ownerFirstName",
    last_name: "ownerLastName",
    phone_number: "ownerPhone",
};

/// It needs `org:admin`, which suffices for each of its parts.
impl Command for ProvisionOrganization {
    const NAME: &'static str = "organizationProvision";
    const REFUSALS: &'static [ErrorCode] = &[
        ErrorCode::InvalidInput,
        ErrorCode::ForbiddenScope,
        ErrorCode::Conflict,
        ErrorCode::EnterpriseOnly,
        ErrorCode::DepthExceeded,
        ErrorCode::BillingModeMismatch,
        ErrorCode::InsufficientCredits,
        ErrorCode::ReserveProtected,
    ];
    type Output = Provisioned;

    fn subject(&self) -> Subject {
        self.create.subject()
    }

    fn idempotency_key(&self) -> Option<&str> {
        self.idempotency_key.as_deref()
    }

    async fn run(&self, tx: &mut Tx) -> Result<Provisioned> {
        self.owner.check(FIELDS)?;
        if self.funding.is_some() && self.create.parent == Parent::Root {
            let message = "A root has no parent to be funded from. Leave it out and use creditGrant.";
            return Err(Refusal::invalid("fundingAmount", message).into());
        }
        let organization = create(tx, &self.create).await?;
        let mut path = vec![organization.id];
        if organization.parent_id.is_some() {
            path.extend(tx.target().path.ids());
        }
        let owner = add(tx, organization.id, path.clone(), &self.owner, MemberRole::Owner).await?;
        let terms = self.terms(tx);
        let minted = mint(tx, organization.id, path, &terms, &self.peppers).await.map_err(|e| within(e, "apiKey"))?;
        let funding = match (self.funding, organization.parent_id) {
            (Some(amount), Some(parent)) => {
                let remark = Remark { description: Some("First funding".to_owned()), ..Remark::default() };
                Some(transfer(tx, parent, organization.id, amount, &remark).await.map_err(of_the_funding)?)
            }
            _ => None,
        };
        Ok(Provisioned { organization, owner, minted, funding })
    }

    fn forget_secrets(output: &mut Provisioned) {
        output.minted.secret = None;
    }
}

impl ProvisionOrganization {
    fn terms(&self, tx: &Tx) -> Terms {
        let held = tx.caller().principal.key().map(|key| key.scopes.clone());
        let by_default = || default_key_scopes(&held.unwrap_or_else(Scopes::all_known));
        Terms {
            name: self.key.name.clone(),
            scopes: self.key.scopes.clone().unwrap_or_else(by_default),
            environment: self.key.environment,
            expires_at: self.key.expires_at,
            allowed_ips: self.key.allowed_ips.clone(),
            spend_limit: self.key.spend_limit,
            rate_limit: self.key.rate_limit,
        }
    }
}

/// A field of the part is a field within the input's field for the part.
fn within(error: Error, field: &str) -> Error {
    match error {
        Error::Refused(mut refusal) => {
            if !refusal.path.is_empty() {
                refusal.path.insert(1, field.to_owned());
            }
            Error::Refused(refusal)
        }
        fault @ Error::Fault(_) => fault,
    }
}

fn of_the_funding(error: Error) -> Error {
    match error {
        Error::Refused(refusal) => refusal.at("fundingAmount").into(),
        fault @ Error::Fault(_) => fault,
    }
}
