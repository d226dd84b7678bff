//! From credentials to a session: the one place that recognises anybody.
//!
//! A request costs at most one indexed statement, which it shares with those that arrive while another runs: the key, the
//! path of its organization, and the path of the organization it wants to act for. Nothing is kept between requests, so a
//! key that was revoked, or whose organization was suspended, is refused by every gateway for every request that starts
//! after the mutation has answered, and everybody is when the database does not answer.

use std::sync::Arc;

use async_graphql::Request;
use axum::http::StatusCode;
use entity::credits::Credits;
use entity::id::OrganizationId;
use futures_util::future::BoxFuture;

use crate::access::path::Path;
use crate::access::policy::{self, Reach};
use crate::access::principal::{Caller, KeyPrincipal, Principal};
use crate::access::reader::{Presented, Reader};
use crate::access::scope::Scopes;
use crate::access::store as access_store;
use crate::access::watch::{Authority, AuthorityWatch};
use crate::api_key::last_used::LastUsed;
use crate::api_key::model::address_allowed;
use crate::api_key::secret::{Named, Peppers, Token};
use crate::credit::ledger::Ledger;
use crate::event::relay::Relay;
use crate::http::{self, Admitted, Credentials, TopLevelError};
use crate::kernel::Kernel;
use crate::kernel::authorize::{check_key, unauthenticated};
use crate::kernel::error::{Error, ErrorCode, Refusal};
use crate::schema::session::Session;
use crate::throttle::{KeyThrottle, Throttle};

/// What a client is told to wait when its key could not be checked.
const RETRY_AFTER_MS: u64 = 1_000;

/// Recognises callers against the database.
#[derive(Clone)]
pub struct Admission {
    pub kernel: Kernel,
    pub ledger: Ledger,
    pub relay: Relay,
    pub watch: AuthorityWatch,
    pub peppers: Peppers,
    pub keys: Reader,
    pub throttle: Throttle,
    pub last_used: LastUsed,
    pub welcome_credits: Credits,
    pub webhook_http_loopback: bool,
}

/// Who somebody was found to be.
#[derive(Clone)]
struct Found {
    principal: Principal,
    scopes: Scopes,
    acting: Option<(Path, Reach)>,
    throttle: Option<KeyThrottle>,
}

impl http::Admission for Admission {
    fn admit<'a>(&'a self, credentials: Credentials) -> BoxFuture<'a, Result<Admitted, TopLevelError>> {
        Box::pin(async move {
            let found = self.recognise(&credentials).await?;
            if let Some(key) = found.principal.key() {
                self.last_used.note(key.realm, key.key, self.kernel.world.clock.now());
            }
            let header = credentials.organization.is_some();
            let named = found.acting.as_ref().filter(|_| header).map(|(path, _)| path.id());
            let caller = Caller {
                principal: found.principal.clone(),
                acting: named,
                request_id: credentials.request_id.uuid(),
                address: Some(credentials.address),
                idempotency_key: credentials.idempotency_key.clone(),
            };
            let anonymous = found.principal == Principal::Anonymous;
            let session = Arc::new(Session {
                caller,
                kernel: self.kernel.clone(),
                ledger: self.ledger.clone(),
                keys: self.keys.clone(),
                throttle: found.throttle.clone(),
                relay: self.relay.clone(),
                peppers: self.peppers.clone(),
                scopes: found.scopes,
                welcome_credits: self.welcome_credits,
                webhook_http_loopback: self.webhook_http_loopback,
            });
            let mut admitted = Admitted::new(move |request: Request| request.data(Arc::clone(&session)));
            admitted.anonymous = anonymous;
            if let Some(throttle) = found.throttle {
                admitted.throttle = Arc::new(throttle);
            }
            if let Some(authority) = Authority::new(&found.principal, named) {
                admitted.ended = Box::pin(self.watch.clone().ended(authority));
            }
            Ok(admitted)
        })
    }

    fn ready<'a>(&'a self) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            self.kernel.ping().await.map_err(|error| match error {
                Error::Fault(fault) => fault.chain(),
                Error::Refused(refusal) => refusal.message,
            })
        })
    }
}

impl Admission {
    async fn recognise(&self, credentials: &Credentials) -> Result<Found, TopLevelError> {
        let Some(header) = &credentials.authorization else {
            if credentials.organization.is_some() {
                return Err(refused(&unauthenticated()));
            }
            return Ok(Found {
                principal: Principal::Anonymous,
                scopes: Scopes::default(),
                acting: None,
                throttle: None,
            });
        };
        let bearer = header.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let token =
            bearer.and_then(|(_, text)| Token::parse(text.trim())).ok_or_else(|| refused(&unauthenticated()))?;
        let target = match &credentials.organization {
            None => None,
            Some(text) => Some(text.parse::<OrganizationId>().map_err(|error| {
                let message = format!("The header Banyan-Organization is wrong: {error}.");
                refused(&Refusal::new(ErrorCode::BadRequest, message))
            })?),
        };
        match token.named {
            Named::Operator { key } => self.operator(&token, key, target).await,
            Named::ApiKey { realm, key, .. } => {
                let presented = self.keys.find(realm, key, target).await.map_err(failed)?;
                let Presented { found, rate_limit } = presented.ok_or_else(|| refused(&unauthenticated()))?;
                if !self.peppers.matches(&token, found.key.pepper_id, &found.key.secret_hash) {
                    return Err(refused(&unauthenticated()));
                }
                check_key(&found, self.kernel.world.clock.now()).map_err(|refusal| refused(&refusal))?;
                if !address_allowed(&found.key.allowed_ips.0, Some(credentials.address)) {
                    return Err(refused(&unauthenticated()));
                }
                self.api_key(found, rate_limit, target)
            }
        }
    }

    fn api_key(
        &self,
        found: access_store::KeyAndPaths,
        rate_limit: Option<i64>,
        target: Option<OrganizationId>,
    ) -> Result<Found, TopLevelError> {
        let scopes = Scopes::new(found.key.scopes.0);
        let own = found.key.organization_id;
        let root = found.own.root();
        let throttle = Some(self.throttle.of(found.key.realm_id, found.key.family_id, root, rate_limit));
        let acting = match target {
            None => Some((found.own, Reach::Own)),
            Some(_) if !scopes.is_admin() => {
                let message = "The header Banyan-Organization needs a key that holds org:admin.";
                return Err(refused(&Refusal::new(ErrorCode::ForbiddenScope, message)));
            }
            Some(wanted) => {
                let path = if wanted == own { Some(found.own) } else { found.target };
                let seen = path.and_then(|path| policy::reach(own, &path).map(|reach| (path, reach)));
                Some(seen.ok_or_else(|| refused(&Refusal::not_found()))?)
            }
        };
        let key = KeyPrincipal {
            realm: found.key.realm_id,
            key: found.key.id,
            family: found.key.family_id,
            organization: own,
            environment: found.key.environment,
            scopes: scopes.clone(),
        };
        Ok(Found { principal: Principal::ApiKey(Arc::new(key)), scopes, acting, throttle })
    }

    async fn operator(
        &self,
        token: &Token,
        key: entity::id::OperatorKeyId,
        target: Option<OrganizationId>,
    ) -> Result<Found, TopLevelError> {
        let snapshot = self.kernel.db.snapshot();
        let row = access_store::operator_key(&snapshot, key).await.map_err(failed)?;
        let row = row.ok_or_else(|| refused(&unauthenticated()))?;
        if !self.peppers.matches(token, row.pepper_id, &row.secret_hash) {
            return Err(refused(&unauthenticated()));
        }
        let acting = match target {
            None => None,
            Some(target) => {
                let mut paths = access_store::paths(&snapshot, &[], &[target]).await.map_err(failed)?;
                let (_, path) = paths.remove(&target).ok_or_else(|| refused(&Refusal::not_found()))?;
                Some((path, Reach::Operator))
            }
        };
        Ok(Found { principal: Principal::Operator(key), scopes: Scopes::all_known(), acting, throttle: None })
    }
}

fn refused(refusal: &Refusal) -> TopLevelError {
    let status = match refusal.code {
        ErrorCode::Unauthenticated => StatusCode::UNAUTHORIZED,
        ErrorCode::NotFound => StatusCode::NOT_FOUND,
        ErrorCode::BadRequest => StatusCode::BAD_REQUEST,
        ErrorCode::RetryLater => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::FORBIDDEN,
    };
    let mut error = TopLevelError::new(status, refusal.code.as_str(), refusal.message.clone());
    error.retry_after_ms = refusal.code.retryable().then_some(RETRY_AFTER_MS);
    error
}

fn failed(error: Error) -> TopLevelError {
    match error {
        Error::Refused(refusal) => refused(&refusal),
        Error::Fault(fault) => {
            tracing::error!(cause = %fault.chain(), "admission failed");
            TopLevelError::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                ErrorCode::Internal.as_str(),
                "Something failed in the gateway. Try again, and report the requestId if it persists.",
            )
        }
    }
}
