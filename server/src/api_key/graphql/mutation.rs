//! Mutations of API keys.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use entity::id::OrganizationId;

use crate::access::scope::Scopes;
use crate::api_key::command::{CreateKey, RevokeKey, RotateKey};
use crate::api_key::graphql::object::ApiKey;
use crate::api_key::model::{ApiKey as Key, GRACE_DEFAULT, Terms};
use crate::api_key::store;
use crate::api_key::verify::{self, Good, Question};
use crate::credit::api::{Quantity, Spent};
use crate::credit::graphql::input::{quantity, remark};
use crate::credit::graphql::{Hold, shown_charge};
use crate::credit::model::Remark;
use crate::kernel::command::Executed;
use crate::kernel::error::{Error, ErrorCode, Refusal};
use crate::organization::graphql::{Organization, Organizations};
use crate::schema::Query;
use crate::schema::kind::Environment;
use crate::schema::payload::payload;
use crate::schema::scalar::{Credits, DateTime, Json};
use crate::schema::session::{Session, expose, id_of, is_top_level, optional_id};
use crate::schema::user_error::UserError;

/// A key to mint.
#[derive(InputObject, Clone, Debug)]
pub struct ApiKeyCreateInput {
    /// The acting organization when absent.
    pub organization_id: Option<ID>,
    /// 1 to 100 characters.
    pub name: String,
    /// At most what the minting key holds; `org:admin` is given by the operator only.
    pub scopes: Vec<String>,
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
    /// Makes a retry safe: the secret is not shown again.
    pub idempotency_key: Option<String>,
}

/// A key to replace.
#[derive(InputObject, Clone, Debug)]
pub struct ApiKeyRotateInput {
    /// The key; only an ACTIVE one rotates.
    pub api_key_id: ID,
    /// How long the old key works on: 0 to 604800, seven days; 86400, a day, when absent. Never beyond its own expiry.
    pub grace_period_seconds: Option<i32>,
    /// Makes a retry safe: the secret is not shown again.
    pub idempotency_key: Option<String>,
}

/// A key to end.
#[derive(InputObject, Clone, Debug)]
pub struct ApiKeyRevokeInput {
    /// The key.
    pub api_key_id: ID,
    /// Whether to end every key of its family with it.
    #[graphql(default = false)]
    pub family: bool,
    /// For the audit trail, at most 500 characters.
    pub reason: Option<String>,
}

/// A key that a customer presented.
#[derive(InputObject, Clone, Debug)]
pub struct ApiKeyVerifyInput {
    /// The acting organization when absent; the key must be its own or a descendant's.
    pub organization_id: Option<ID>,
    /// The whole key as presented.
    pub secret: String,
    /// What the key must hold.
    pub required_scopes: Option<Vec<String>>,
    /// What to charge its organization in the same step.
    pub charge: Option<ApiKeyVerifyChargeInput>,
    /// Where the customer's request came from, for keys that may be used from some addresses only.
    pub address: Option<String>,
    /// Makes a retry safe. Required with a charge.
    pub idempotency_key: Option<String>,
}

/// What to charge for a verified request: an amount, or a meter and a quantity.
#[derive(InputObject, Clone, Debug)]
pub struct ApiKeyVerifyChargeInput {
    /// More than 0. Instead of a meter.
    pub amount: Option<Credits>,
    /// A meter of the catalogue. Instead of an amount.
    pub meter: Option<String>,
    /// How many units of the meter; 1 when absent.
    pub quantity: Option<i32>,
    /// What for, at most 500 characters.
    pub description: Option<String>,
    /// An object of strings.
    pub metadata: Option<Json>,
}

payload! {
    /// The answer of `apiKeyCreate`.
    ApiKeyCreatePayload {
        /// The new key.
        api_key: ApiKey,
        /// The whole key. Store it now: it cannot be shown again. Null in a replay.
        secret: String,
    } replayed
}
payload! {
    /// The answer of `apiKeyRotate`.
    ApiKeyRotatePayload {
        /// The new key.
        api_key: ApiKey,
        /// The whole new key. Store it now: it cannot be shown again. Null in a replay.
        secret: String,
        /// The old key; it works until its `expiresAt`.
        superseded: ApiKey,
    } replayed
}
payload! {
    /// The answer of `apiKeyRevoke`.
    ApiKeyRevokePayload {
        /// The keys that were meant, revoked.
        api_keys: Vec<ApiKey>,
    }
}

/// The answer of `apiKeyVerify`.
#[derive(SimpleObject)]
pub struct ApiKeyVerifyPayload {
    /// Whether the key is good for what was asked, and the charge taken.
    pub valid: bool,
    /// Why not, when not.
    pub reason: Option<ErrorCode>,
    /// The key.
    pub api_key: Option<ApiKey>,
    /// Whose key it is.
    pub organization: Option<Organization>,
    /// What it holds.
    pub scopes: Option<Vec<String>>,
    /// The charge that was taken.
    pub charge: Option<Hold>,
    /// Whether this is the first answer to the same idempotency key, told again.
    pub replayed: bool,
    /// Why the question itself could not be answered, or why the key is not good, with what there is to know about it.
    pub user_errors: Vec<UserError>,
    /// The query root, to read more in the same round trip.
    pub query: Query,
}

impl ApiKeyVerifyPayload {
    fn refused(refusal: Refusal) -> Self {
        Self {
            valid: false,
            reason: Some(refusal.code),
            api_key: None,
            organization: None,
            scopes: None,
            charge: None,
            replayed: false,
            user_errors: vec![refusal.into()],
            query: Query::default(),
        }
    }
}

impl ApiKeyVerifyPayload {
    /// The key and its organization are read when they are asked for.
    async fn good(ctx: &Context<'_>, good: Good, charged: Option<Executed<Spent>>) -> Result<Self, Error> {
        let session = Session::of(ctx);
        let asked = |field| ctx.look_ahead().field(field).exists();
        let (mut organization, mut api_key) = (None, None);
        if asked("organization") || asked("apiKey") {
            organization = Organization::all(&Organizations::of_ids(session, &[good.organization]).await?).pop();
        }
        if let (true, Some(owner)) = (asked("apiKey"), &organization) {
            let keys = store::by_ids(&session.snapshot(), &session.realms(), &[good.key]).await?;
            api_key = ApiKey::all(owner, keys).pop();
        }
        let replayed = charged.as_ref().is_some_and(|charged| charged.replayed);
        let charge = match charged {
            Some(charged) => shown_charge(session, charged.output).await?,
            None => None,
        };
        Ok(Self {
            valid: true,
            reason: None,
            api_key,
            organization,
            scopes: Some(good.scopes.into()),
            charge,
            replayed,
            user_errors: Vec::new(),
            query: Query::default(),
        })
    }
}

/// Keys of an answer with their organization.
async fn shown(ctx: &Context<'_>, owner: OrganizationId, keys: Vec<Key>) -> Result<Vec<ApiKey>> {
    let level = Organizations::of_ids(Session::of(ctx), &[owner]).await.map_err(|error| expose(ctx, error))?;
    Ok(Organization::all(&level).first().map_or_else(Vec::new, |owner| ApiKey::all(owner, keys)))
}

#[derive(Default)]
pub struct ApiKeyMutation;

#[Object]
impl ApiKeyMutation {
    /// Mints a key for the acting organization or a descendant. Needs `keys:*`.
    async fn api_key_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A key to mint.")] input: ApiKeyCreateInput,
    ) -> Result<Option<ApiKeyCreatePayload>> {
        let session = Session::of(ctx);
        let command = || -> Result<CreateKey, Refusal> {
            Ok(CreateKey {
                organization: optional_id(input.organization_id.as_ref(), "organizationId")?,
                terms: Terms {
                    name: input.name.clone(),
                    scopes: Scopes::new(input.scopes.iter().cloned()),
                    environment: input.environment.into(),
                    expires_at: input.expires_at.map(|at| at.0),
                    allowed_ips: input.allowed_ips.clone().unwrap_or_default(),
                    spend_limit: input.spend_limit.map(|credits| credits.0),
                    rate_limit: input.rate_limit.map(i64::from),
                },
                peppers: session.peppers.clone(),
                idempotency_key: session.idempotency_key(input.idempotency_key.clone()),
            })
        };
        Ok(Some(match session.execute(ctx, command()).await? {
            Err(refusal) => ApiKeyCreatePayload::refused(refusal),
            Ok(executed) => {
                let minted = executed.output;
                ApiKeyCreatePayload {
                    api_key: shown(ctx, minted.key.row.organization_id, vec![minted.key]).await?.pop(),
                    secret: minted.secret,
                    replayed: executed.replayed,
                    user_errors: Vec::new(),
                    query: Query::default(),
                }
            }
        }))
    }

    /// Replaces a key by a new one of the same family; the old one works on for the grace period. Needs `keys:*`.
    async fn api_key_rotate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A key to replace.")] input: ApiKeyRotateInput,
    ) -> Result<Option<ApiKeyRotatePayload>> {
        let session = Session::of(ctx);
        let command = || -> Result<RotateKey, Refusal> {
            let seconds = |seconds: i32| {
                u64::try_from(seconds).map(std::time::Duration::from_secs).map_err(|_| {
                    Refusal::invalid("gracePeriodSeconds", "gracePeriodSeconds is 0 to 604800, seven days.")
                })
            };
            Ok(RotateKey {
                key: id_of(&input.api_key_id, "apiKeyId")?,
                grace: input.grace_period_seconds.map_or(Ok(GRACE_DEFAULT), seconds)?,
                peppers: session.peppers.clone(),
                idempotency_key: session.idempotency_key(input.idempotency_key.clone()),
            })
        };
        Ok(Some(match session.execute(ctx, command()).await? {
            Err(refusal) => ApiKeyRotatePayload::refused(refusal),
            Ok(executed) => {
                let minted = executed.output;
                let owner = minted.key.row.organization_id;
                let mut keys = vec![minted.key];
                keys.extend(minted.superseded);
                let mut keys = shown(ctx, owner, keys).await?.into_iter();
                ApiKeyRotatePayload {
                    api_key: keys.next(),
                    superseded: keys.next(),
                    secret: minted.secret,
                    replayed: executed.replayed,
                    user_errors: Vec::new(),
                    query: Query::default(),
                }
            }
        }))
    }

    /// Ends a key, or its whole family, at once and for good. Needs `keys:*`.
    async fn api_key_revoke(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A key to end.")] input: ApiKeyRevokeInput,
    ) -> Result<Option<ApiKeyRevokePayload>> {
        let command = || -> Result<RevokeKey, Refusal> {
            Ok(RevokeKey {
                key: id_of(&input.api_key_id, "apiKeyId")?,
                family: input.family,
                reason: input.reason.clone(),
            })
        };
        Ok(Some(match Session::of(ctx).execute(ctx, command()).await? {
            Err(refusal) => ApiKeyRevokePayload::refused(refusal),
            Ok(executed) => {
                let keys = match executed.output.first().map(|key| key.row.organization_id) {
                    Some(owner) => shown(ctx, owner, executed.output).await?,
                    None => Vec::new(),
                };
                ApiKeyRevokePayload { api_keys: Some(keys), user_errors: Vec::new(), query: Query::default() }
            }
        }))
    }

    /// Tells whether a key that a customer presented is good for something, and takes the charge in the same transaction.
    /// Needs `keys:verify`.
    async fn api_key_verify(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A key that a customer presented.")] input: ApiKeyVerifyInput,
    ) -> Result<Option<ApiKeyVerifyPayload>> {
        Ok(Some(match verified(ctx, &input).await {
            Ok(payload) => payload,
            Err(Error::Refused(refusal)) if !is_top_level(refusal.code) => ApiKeyVerifyPayload::refused(*refusal),
            Err(error) => return Err(expose(ctx, error)),
        }))
    }
}

async fn verified(ctx: &Context<'_>, input: &ApiKeyVerifyInput) -> Result<ApiKeyVerifyPayload, Error> {
    let session = Session::of(ctx);
    session.signed_in()?;
    let named = optional_id(input.organization_id.as_ref(), "organizationId")?;
    let (_, within, _) = match session.target(named, verify::PERMISSION).await {
        Err(Error::Refused(refusal)) => {
            session.kernel.audit_if_denied(&session.caller, verify::NAME, None, &refusal).await;
            return Err(Error::Refused(refusal));
        }
        other => other?,
    };
    let address = input.address.as_ref().map(|text| {
        text.parse().map_err(|_| Refusal::invalid("address", "This is no IP address, such as 203.0.113.9."))
    });
    let question = Question {
        secret: input.secret.clone(),
        required_scopes: Scopes::new(input.required_scopes.clone().unwrap_or_default()),
        address: address.transpose()?,
    };
    let charge = input.charge.as_ref().map(|charge| charge.read(session, input.idempotency_key.clone())).transpose()?;
    let genuine = match question.find(&session.keys, &session.peppers, within.id()).await? {
        Ok(genuine) => genuine,
        Err(reason) => return Ok(ApiKeyVerifyPayload::refused(reason)),
    };
    let (good, charged) = match charge {
        None => match genuine.check(&question, session.now()) {
            Ok(good) => (good, None),
            Err(reason) => return Ok(ApiKeyVerifyPayload::refused(reason)),
        },
        Some((cost, remark, idempotency_key)) => {
            let asker = session.caller.principal.key().map(|key| key.environment);
            let (good, charge) = match genuine.charge(asker, &question, cost, remark, idempotency_key) {
                Ok(charge) => charge,
                Err(reason) => return Ok(ApiKeyVerifyPayload::refused(reason)),
            };
            match session.ledger.submit(&session.caller, &charge).await {
                Ok(executed) => (good, Some(executed)),
                // Who asks was recognised above: this is about the presented key.
                Err(Error::Refused(reason)) if reason.code == ErrorCode::Unauthenticated => {
                    return Ok(ApiKeyVerifyPayload::refused(*reason));
                }
                Err(error) => return Err(error),
            }
        }
    };
    ApiKeyVerifyPayload::good(ctx, good, charged).await
}

impl ApiKeyVerifyChargeInput {
    fn read(&self, session: &Session, key: Option<String>) -> Result<(Quantity, Remark, String), Refusal> {
        let idempotency_key = session
            .idempotency_key(key)
            .ok_or_else(|| Refusal::invalid("idempotencyKey", "A charge needs an idempotency key, to be made once."))?;
        Ok((
            quantity(self.amount, self.meter.as_deref(), self.quantity)?,
            remark(self.description.as_ref(), self.metadata.as_ref())?,
            idempotency_key,
        ))
    }
}
