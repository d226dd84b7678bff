//! The mutation `organizationProvision`.

use async_graphql::{Context, InputObject, Object, Result};

use crate::access::scope::Scopes;
use crate::api_key::graphql::ApiKey;
use crate::credit::graphql::LedgerTransaction;
use crate::kernel::error::Refusal;
use crate::member::graphql::object::Member;
use crate::member::model::Person;
use crate::member::provision::{FirstKey, ProvisionOrganization, Provisioned};
use crate::organization::graphql::input::OrganizationCreateInput;
use crate::organization::graphql::{Organization, owner_of};
use crate::schema::Query;
use crate::schema::kind::Environment;
use crate::schema::payload::payload;
use crate::schema::scalar::{Credits, DateTime};
use crate::schema::session::Session;

/// What the first key is called when the request does not say.
const FIRST_KEY_NAME: &str = "First key";

/// A new organization with its owner, its first key and its first funding.
#[derive(InputObject, Clone, Debug)]
pub struct OrganizationProvisionInput {
    /// The organization, as `organizationCreate` takes it.
    #[graphql(flatten)]
    pub organization: OrganizationCreateInput,
    /// The owner's address. Whoever is known by it becomes the owner, with the names on record.
    pub owner_email: String,
    /// 1 to 100 characters.
    pub owner_first_name: String,
    /// 1 to 100 characters.
    pub owner_last_name: String,
    /// E.164, such as +2348012345678.
    pub owner_phone: Option<String>,
    /// The first key; LIVE with all scopes that the caller may give when absent.
    pub api_key: Option<OrganizationProvisionApiKeyInput>,
    /// Credits to move from the parent, more than 0; none when absent. Needs an idempotency key, to be moved once.
    pub funding_amount: Option<Credits>,
}

/// The first key of a new organization.
#[derive(InputObject, Clone, Debug)]
pub struct OrganizationProvisionApiKeyInput {
    /// 1 to 100 characters; `First key` when absent.
    pub name: Option<String>,
    /// At most what the caller's key holds, and all of it but `org:admin` when absent.
    pub scopes: Option<Vec<String>>,
    /// LIVE or TEST.
    #[graphql(default_with = "Environment::Live")]
    pub environment: Environment,
    /// When it stops working; never when absent.
    pub expires_at: Option<DateTime>,
    /// Addresses and CIDR ranges it may be used from; anywhere when absent.
    pub allowed_ips: Option<Vec<String>>,
    /// The most it may spend in a month.
    pub spend_limit: Option<Credits>,
    /// Requests it may make in a minute.
    pub rate_limit: Option<i32>,
}

impl OrganizationProvisionInput {
    fn owner(&self) -> Person {
        Person {
            email: self.owner_email.clone(),
            first_name: self.owner_first_name.clone(),
            last_name: self.owner_last_name.clone(),
            phone_number: self.owner_phone.clone(),
        }
    }

    fn first_key(&self) -> FirstKey {
        let asked = self.api_key.as_ref();
        FirstKey {
            name: asked.and_then(|key| key.name.clone()).unwrap_or_else(|| FIRST_KEY_NAME.to_owned()),
            scopes: asked.and_then(|key| key.scopes.clone()).map(Scopes::new),
            environment: asked.map_or(Environment::Live, |key| key.environment).into(),
            expires_at: asked.and_then(|key| key.expires_at).map(|at| at.0),
            allowed_ips: asked.and_then(|key| key.allowed_ips.clone()).unwrap_or_default(),
            spend_limit: asked.and_then(|key| key.spend_limit).map(|limit| limit.0),
            rate_limit: asked.and_then(|key| key.rate_limit).map(i64::from),
        }
    }
}

payload! {
    /// The answer of `organizationProvision`.
    OrganizationProvisionPayload {
        /// The new organization.
        organization: Organization,
        /// Its owner.
        owner: Member,
        /// Its first key.
        api_key: ApiKey,
        /// The whole key. Store it now: it cannot be shown again. Null in a replay.
        secret: String,
        /// The movement of its first funding; null when there was none.
        funding: LedgerTransaction,
    } replayed
}

#[derive(Default)]
pub struct ProvisionMutation;

#[Object]
impl ProvisionMutation {
    /// Creates an organization, its owner, its first key and its first funding, all or nothing. Needs `org:admin`. The
    /// parent's tier must be ENTERPRISE.
    async fn organization_provision(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A new organization with its owner, its first key and its first funding.")]
        input: OrganizationProvisionInput,
    ) -> Result<Option<OrganizationProvisionPayload>> {
        let session = Session::of(ctx);
        let command = || -> Result<ProvisionOrganization, Refusal> {
            let create = input.organization.command(session)?;
            let idempotency_key = create.idempotency_key.clone();
            if input.funding_amount.is_some() && idempotency_key.is_none() {
                return Err(Refusal::invalid(
                    "idempotencyKey",
                    "A funding needs an idempotency key, to be moved once.",
                ));
            }
            Ok(ProvisionOrganization {
                create,
                owner: input.owner(),
                key: input.first_key(),
                funding: input.funding_amount.map(|amount| amount.0),
                peppers: session.peppers.clone(),
                idempotency_key,
            })
        };
        Ok(Some(match session.execute(ctx, command()).await? {
            Err(refusal) => OrganizationProvisionPayload::refused(refusal),
            Ok(executed) => {
                let Provisioned { organization, owner, minted, funding } = executed.output;
                let shown = owner_of(ctx, organization.id).await?;
                let funding = funding.map(|moved| moved.transaction);
                OrganizationProvisionPayload {
                    owner: shown.clone().map(|of| Member::shown(of, owner)),
                    api_key: shown.as_ref().and_then(|of| ApiKey::all(of, vec![minted.key]).pop()),
                    organization: shown,
                    secret: minted.secret,
                    funding: funding.map(|row| LedgerTransaction { session: session.clone(), row }),
                    replayed: executed.replayed,
                    user_errors: Vec::new(),
                    query: Query::default(),
                }
            }
        }))
    }
}
