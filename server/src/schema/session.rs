//! What resolvers know of the request they serve.

use std::str::FromStr;
use std::sync::Arc;

use async_graphql::{Context, ErrorExtensions, ID};
use entity::id::{Id, IdError, OrganizationId, RealmId};
use entity::timestamp::Timestamp;

use crate::access::path::Path;
use crate::access::policy::{self, Permission, Reach};
use crate::access::principal::{Caller, Principal};
use crate::access::reader::Reader;
use crate::access::scope::Scopes;
use crate::access::store as access_store;
use crate::api_key::secret::Peppers;
use crate::credit::command::Movement;
use crate::credit::ledger::Ledger;
use crate::event::relay::Relay;
use crate::kernel::Kernel;
use crate::kernel::authorize::{denied, unauthenticated};
use crate::kernel::command::{Command, Executed};
use crate::kernel::db::Snapshot;
use crate::kernel::error::{Error, ErrorCode, Refusal, Result};
use crate::throttle::KeyThrottle;

/// One request: who asks, how far they reach, and the gateway they ask.
pub struct Session {
    pub caller: Caller,
    pub kernel: Kernel,
    pub ledger: Ledger,
    /// Where presented keys are looked up.
    pub keys: Reader,
    /// What limits a key; nobody else is limited.
    pub throttle: Option<KeyThrottle>,
    /// The gateway's reader of the outbox.
    pub relay: Relay,
    pub peppers: Peppers,
    /// What the caller holds; all of it for the operator.
    pub scopes: Scopes,
    /// Credits a new root is given.
    pub welcome_credits: entity::credits::Credits,
    /// Whether webhook endpoints may be plain http on this very machine.
    pub webhook_http_loopback: bool,
}

impl Session {
    pub fn of<'a>(ctx: &Context<'a>) -> &'a Arc<Self> {
        ctx.data_unchecked::<Arc<Self>>()
    }

    pub fn now(&self) -> Timestamp {
        self.kernel.world.clock.now()
    }

    pub fn snapshot(&self) -> Snapshot {
        self.kernel.db.snapshot()
    }

    /// The realm everything this caller sees lies in; the operator sees all realms.
    pub fn realm(&self) -> Option<RealmId> {
        self.caller.principal.key().map(|key| key.realm)
    }

    /// As a list for statements that name realms: empty means any.
    pub fn realms(&self) -> Vec<RealmId> {
        self.realm().into_iter().collect()
    }

    pub fn signed_in(&self) -> Result<(), Refusal> {
        if self.caller.principal == Principal::Anonymous { Err(unauthenticated()) } else { Ok(()) }
    }

    /// How far the caller reaches into the organization of this path; `None` when it is out of sight.
    pub fn reach(&self, path: &Path) -> Option<Reach> {
        match &self.caller.principal {
            Principal::Anonymous => None,
            Principal::Operator(_) | Principal::System => Some(Reach::Operator),
            Principal::ApiKey(key) => policy::reach(key.organization, path),
        }
    }

    pub fn allows(&self, reach: Reach, permission: Permission) -> Result<(), Refusal> {
        match policy::decide(&self.scopes, reach, permission) {
            Ok(_) => Ok(()),
            Err(denial) => Err(denied(permission, &denial)),
        }
    }

    /// The path of an organization and the reach into it; `NOT_FOUND` when out of sight.
    pub async fn find_path(&self, id: OrganizationId) -> Result<(RealmId, Path, Reach)> {
        self.signed_in()?;
        let mut paths = access_store::paths(&self.snapshot(), &self.realms(), &[id]).await?;
        let (realm, path) = paths.remove(&id).ok_or_else(Refusal::not_found)?;
        let reach = self.reach(&path).ok_or_else(Refusal::not_found)?;
        Ok((realm, path, reach))
    }

    /// The organization an optional argument means, with the permission checked.
    pub async fn target(
        &self,
        named: Option<OrganizationId>,
        permission: Permission,
    ) -> Result<(RealmId, Path, Reach)> {
        self.signed_in()?;
        let id = named.or(self.caller.acting_organization()).ok_or_else(|| Refusal {
            path: vec!["organizationId".into()],
            ..Refusal::new(ErrorCode::InvalidInput, "The operator belongs to no organization: name one.")
        })?;
        let (realm, path, reach) = self.find_path(id).await?;
        self.allows(reach, permission)?;
        Ok((realm, path, reach))
    }

    /// Runs a command. The answer is what happened, or a refusal for `userErrors`; what is neither becomes a top-level
    /// error.
    pub async fn execute<C: Command>(
        &self,
        ctx: &Context<'_>,
        command: Result<C, Refusal>,
    ) -> async_graphql::Result<Result<Executed<C::Output>, Refusal>> {
        let executed = match command {
            Ok(command) => self.kernel.execute(&self.caller, &command).await,
            Err(refusal) => self.unread(refusal),
        };
        answered(ctx, executed)
    }

    /// The same for what moves credits.
    pub async fn submit<M: Movement>(
        &self,
        ctx: &Context<'_>,
        movement: Result<M, Refusal>,
    ) -> async_graphql::Result<Result<Executed<M::Output>, Refusal>> {
        let executed = match movement {
            Ok(movement) => self.ledger.submit(&self.caller, &movement).await,
            Err(refusal) => self.unread(refusal),
        };
        answered(ctx, executed)
    }

    /// An input that could not be read. Whoever is not recognised hears only that.
    fn unread<T>(&self, refusal: Refusal) -> Result<Executed<T>> {
        self.signed_in()?;
        Err(refusal.into())
    }

    /// The idempotency key of an input, or of the header when the input has none.
    pub fn idempotency_key(&self, of_input: Option<String>) -> Option<String> {
        of_input.or_else(|| self.caller.idempotency_key.clone())
    }
}

/// What happened, or a refusal for `userErrors`; the rest is a top-level error.
fn answered<T>(
    ctx: &Context<'_>,
    executed: Result<Executed<T>>,
) -> async_graphql::Result<Result<Executed<T>, Refusal>> {
    match executed {
        Ok(executed) => Ok(Ok(executed)),
        Err(Error::Refused(refusal)) if !is_top_level(refusal.code) => Ok(Err(*refusal)),
        Err(error) => Err(expose(ctx, error)),
    }
}

/// Who is not recognised and what is not our fault to explain goes beside `data`, everything else into it.
pub fn is_top_level(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::Unauthenticated | ErrorCode::RateLimited | ErrorCode::RetryLater | ErrorCode::Internal)
}

/// A refusal or fault as a top-level error. Faults keep their chain for the log and show none of it.
pub fn expose(ctx: &Context<'_>, error: Error) -> async_graphql::Error {
    match error {
        Error::Refused(refusal) => async_graphql::Error::new(refusal.message).extend_with(|_, extensions| {
            extensions.set("code", refusal.code.as_str());
            if !refusal.path.is_empty() {
                extensions.set("argument", refusal.path.join("."));
            }
            if refusal.code.retryable() {
                extensions.set("retryAfterMs", RETRY_AFTER_MS);
            }
        }),
        Error::Fault(fault) => {
            let _ = ctx;
            async_graphql::Error::new_with_source(crate::http::Fault::new(*fault))
        }
    }
}

/// What a client is told to wait before it tries a retryable refusal again.
const RETRY_AFTER_MS: i32 = 1_000;

/// Reads an id of an input.
pub fn id_of<I>(id: &ID, field: &str) -> Result<I, Refusal>
where
    I: Id + FromStr<Err = IdError>,
{
    id.parse().map_err(|error: IdError| Refusal::invalid(field, format!("{error}.")))
}

pub fn optional_id<I>(id: Option<&ID>, field: &str) -> Result<Option<I>, Refusal>
where
    I: Id + FromStr<Err = IdError>,
{
    id.map(|id| id_of(id, field)).transpose()
}
