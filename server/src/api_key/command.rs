//! Minting, rotating and revoking keys.

use std::time::Duration;

use entity::codec::Json;
use entity::id::{AnyId, ApiKeyId, KeyFamilyId, OrganizationId};
use entity::kind::Environment;
use entity::{api_key, api_key_family};
use serde::{Deserialize, Serialize};

use crate::access::scope::Scopes;
use crate::api_key::event;
use crate::api_key::model::{ApiKey, GRACE_MAX, Minter, Terms, check_environment};
use crate::api_key::secret::{Named, Peppers, Token};
use crate::api_key::store::{self, Which};
use crate::kernel::command::{Command, Subject};
use crate::kernel::error::{ErrorCode, Refusal, Result};
use crate::kernel::event::Event;
use crate::kernel::tx::Tx;
use crate::organization::model::check_reason;

/// A key just made. The secret is there the first time only.
#[derive(Clone, Serialize, Deserialize)]
pub struct Minted {
    pub key: ApiKey,
    pub secret: Option<String>,
    /// The key this one follows.
    pub superseded: Option<ApiKey>,
}

impl std::fmt::Debug for Minted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Minted").field("key", &self.key.row.id).finish_non_exhaustive()
    }
}

/// Mints a key of a new family.
#[derive(Clone, Debug, Serialize)]
pub struct CreateKey {
    pub organization: Option<OrganizationId>,
    pub terms: Terms,
    #[serde(skip)]
    pub peppers: Peppers,
    #[serde(skip)]
    pub idempotency_key: Option<String>,
}

impl Command for CreateKey {
    const NAME: &'static str = "apiKeyCreate";
    const REFUSALS: &'static [ErrorCode] = &[ErrorCode::InvalidInput, ErrorCode::ForbiddenScope, ErrorCode::Conflict];
    type Output = Minted;

    fn subject(&self) -> Subject {
        Subject::Organization(self.organization)
    }

    fn idempotency_key(&self) -> Option<&str> {
        self.idempotency_key.as_deref()
    }

    async fn run(&self, tx: &mut Tx) -> Result<Minted> {
        let organization = tx.target().id();
        if tx.target().path.nodes()[0].archived {
            return Err(Refusal::conflict(format!("{organization} is archived, which is final.")).into());
        }
        let path = tx.target().path.ids().collect();
        mint(tx, organization, path, &self.terms, &self.peppers).await
    }

    fn forget_secrets(output: &mut Minted) {
        output.secret = None;
    }
}

/// Mints within a transaction; `organizationProvision` does it too. `path` is the organization's.
pub async fn mint(
    tx: &mut Tx,
    organization: OrganizationId,
    path: Vec<OrganizationId>,
    terms: &Terms,
    peppers: &Peppers,
) -> Result<Minted> {
    let held = tx.caller().principal.key().map(|key| key.scopes.clone());
    let minter = held.as_ref().map_or(Minter::Operator, Minter::Key);
    terms.check(tx.now(), &minter)?;
    may_reach(tx, terms.environment).map_err(|refusal| refusal.at("environment"))?;
    let family = api_key_family::Model {
        realm_id: tx.realm(),
        id: tx.id(),
        organization_id: organization,
        spend_limit: terms.spend_limit,
        rate_limit: terms.rate_limit,
        created_at: tx.now(),
    };
    store::insert_family(tx, family.clone()).await?;
    let (row, token) = new_key(tx, organization, family.id, terms, peppers);
    store::insert(tx, row.clone()).await?;
    let data =
        event::Created { api_key_id: row.id, key_family_id: family.id, name: &row.name, environment: row.environment };
    tx.emit(Event::new(event::CREATED, path, &data));
    tx.note("apiKeyId", row.id.to_string());
    tx.note("scopes", terms.scopes.to_string());
    let secret = Some(token.reveal().to_owned());
    Ok(Minted { key: ApiKey { row, family }, secret, superseded: None })
}

fn may_reach(tx: &Tx, environment: Environment) -> Result<(), Refusal> {
    check_environment(tx.caller().principal.key().map(|key| key.environment), environment)
}

fn new_key(
    tx: &Tx,
    organization: OrganizationId,
    family: KeyFamilyId,
    terms: &Terms,
    peppers: &Peppers,
) -> (api_key::Model, Token) {
    let id: ApiKeyId = tx.id();
    let named = Named::ApiKey { realm: tx.realm(), key: id, environment: terms.environment };
    let token = Token::new(named, tx.secret());
    let (pepper_id, secret_hash) = peppers.hash(&token);
    let row = api_key::Model {
        realm_id: tx.realm(),
        id,
        family_id: family,
        organization_id: organization,
        name: terms.name.clone(),
        environment: terms.environment,
        scopes: Json(terms.scopes.clone().into()),
        allowed_ips: Json(terms.allowed_ips.clone()),
        secret_hash,
        pepper_id,
        prefix: token.prefix(),
        created_at: tx.now(),
        expires_at: terms.expires_at,
        superseded_at: None,
        revoked_at: None,
        last_used_at: None,
    };
    (row, token)
}

/// Replaces a key: new id and secret, same family and terms; the old one works on for the grace.
#[derive(Clone, Debug, Serialize)]
pub struct RotateKey {
    pub key: ApiKeyId,
    pub grace: Duration,
    #[serde(skip)]
    pub peppers: Peppers,
    #[serde(skip)]
    pub idempotency_key: Option<String>,
}

impl Command for RotateKey {
    const NAME: &'static str = "apiKeyRotate";
    const REFUSALS: &'static [ErrorCode] = &[ErrorCode::InvalidInput, ErrorCode::ForbiddenScope, ErrorCode::Conflict];
    type Output = Minted;

    fn subject(&self) -> Subject {
        Subject::OwnerOf(AnyId::ApiKey(self.key))
    }

    fn idempotency_key(&self) -> Option<&str> {
        self.idempotency_key.as_deref()
    }

    async fn run(&self, tx: &mut Tx) -> Result<Minted> {
        if self.grace > GRACE_MAX {
            let message = "gracePeriodSeconds is 0 to 604800, seven days.";
            return Err(Refusal::invalid("gracePeriodSeconds", message).into());
        }
        let mut old = store::get(tx, self.key).await?;
        old.check_rotatable(tx.now())?;
        // Whoever rotates holds the new secret, so it must not reach further than what they could mint.
        let scopes = Scopes::new(old.row.scopes.0.iter().cloned());
        may_hold(tx, &old, &scopes)?;
        may_reach(tx, old.row.environment)?;
        let terms = Terms {
            name: old.row.name.clone(),
            scopes,
            environment: old.row.environment,
            expires_at: old.row.expires_at,
            allowed_ips: old.row.allowed_ips.0.clone(),
            spend_limit: old.family.spend_limit,
            rate_limit: old.family.rate_limit,
        };
        let (row, token) = new_key(tx, old.row.organization_id, old.family.id, &terms, &self.peppers);
        store::insert(tx, row.clone()).await?;
        let until = old.grace_end(tx.now(), self.grace);
        store::supersede(tx, old.row.id, until).await?;
        old.row.superseded_at = Some(tx.now());
        old.row.expires_at = Some(until);
        let path = tx.target().path.ids().collect();
        let data =
            event::Rotated { api_key_id: row.id, superseded_api_key_id: old.row.id, superseded_works_until: until };
        tx.emit(Event::new(event::ROTATED, path, &data));
        tx.note("apiKeyId", row.id.to_string());
        tx.note("supersededApiKeyId", old.row.id.to_string());
        let key = ApiKey { row, family: old.family.clone() };
        Ok(Minted { key, secret: Some(token.reveal().to_owned()), superseded: Some(old) })
    }

    fn forget_secrets(output: &mut Minted) {
        output.secret = None;
    }
}

/// A key may rotate itself and whatever it could have minted; the operator any.
fn may_hold(tx: &Tx, old: &ApiKey, scopes: &Scopes) -> Result<(), Refusal> {
    let Some(key) = tx.caller().principal.key() else { return Ok(()) };
    if key.family == old.row.family_id {
        return Ok(());
    }
    match tx.target().scopes.first_missing(scopes) {
        None if !scopes.is_admin() => Ok(()),
        _ => Err(Refusal::new(
            ErrorCode::ForbiddenScope,
            "This key holds scopes that yours cannot give, so yours cannot hold its new secret.",
        )),
    }
}

/// Ends a key, or its whole family.
#[derive(Clone, Debug, Serialize)]
pub struct RevokeKey {
    pub key: ApiKeyId,
    pub family: bool,
    pub reason: Option<String>,
}

impl Command for RevokeKey {
    const NAME: &'static str = "apiKeyRevoke";
    const REFUSALS: &'static [ErrorCode] = &[ErrorCode::InvalidInput, ErrorCode::ForbiddenScope];
    type Output = Vec<ApiKey>;

    fn subject(&self) -> Subject {
        Subject::OwnerOf(AnyId::ApiKey(self.key))
    }

    async fn run(&self, tx: &mut Tx) -> Result<Vec<ApiKey>> {
        check_reason(self.reason.as_deref())?;
        let key = store::get(tx, self.key).await?;
        let which = if self.family { Which::Family(key.row.family_id) } else { Which::Key(key.row.id) };
        let mut ids = store::revoke(tx, which).await?;
        if !ids.is_empty() {
            let path = tx.target().path.ids().collect();
            let data = event::Revoked { api_key_ids: &ids, reason: self.reason.as_deref() };
            tx.emit(Event::new(event::REVOKED, path, &data));
        }
        tx.note("apiKeyIds", ids.iter().map(ToString::to_string).collect::<Vec<_>>());
        tx.note("reason", self.reason.clone());
        if !ids.contains(&self.key) {
            ids.push(self.key);
        }
        store::by_ids(&*tx, &[tx.realm()], &ids).await
    }
}
