//! Who am I.

use async_graphql::{Context, ID, Object, Result};

use crate::organization::graphql::{Organization, Organizations};
use crate::schema::kind::{Environment, PrincipalKind};
use crate::schema::rate_limit::RateLimit;
use crate::schema::session::{Session, expose};

/// Whoever sent the request.
pub struct Viewer;

/// Whoever sent the request.
#[Object]
impl Viewer {
    /// What kind of principal.
    async fn kind(&self, ctx: &Context<'_>) -> PrincipalKind {
        Session::of(ctx).caller.principal.kind().into()
    }

    /// The key's id.
    async fn id(&self, ctx: &Context<'_>) -> Option<ID> {
        use crate::access::principal::Principal;
        match &Session::of(ctx).caller.principal {
            Principal::ApiKey(key) => Some(key.key.to_string().into()),
            Principal::Operator(key) => Some(key.to_string().into()),
            Principal::Anonymous | Principal::System => None,
        }
    }

    /// The organization the key belongs to; null for the operator.
    async fn organization(&self, ctx: &Context<'_>) -> Result<Option<Organization>> {
        let session = Session::of(ctx);
        let Some(key) = session.caller.principal.key() else { return Ok(None) };
        let level = Organizations::of_ids(session, &[key.organization]).await;
        Ok(Organization::all(&level.map_err(|error| expose(ctx, error))?).pop())
    }

    /// The organization that inputs mean when they name none: the header `Banyan-Organization`'s, or the key's own.
    async fn acting_organization(&self, ctx: &Context<'_>) -> Result<Option<Organization>> {
        let session = Session::of(ctx);
        let Some(acting) = session.caller.acting_organization() else { return Ok(None) };
        let level = Organizations::of_ids(session, &[acting]).await;
        Ok(Organization::all(&level.map_err(|error| expose(ctx, error))?).pop())
    }

    /// What the principal may do.
    async fn scopes(&self, ctx: &Context<'_>) -> Vec<String> {
        Session::of(ctx).scopes.iter().map(str::to_owned).collect()
    }

    /// How much the key may still ask; null for the operator, who is not limited.
    async fn rate_limit(&self, ctx: &Context<'_>) -> Option<RateLimit> {
        Session::of(ctx).throttle.as_ref().map(|throttle| throttle.left_of_each().into())
    }

    /// The key's environment.
    async fn environment(&self, ctx: &Context<'_>) -> Option<Environment> {
        Session::of(ctx).caller.principal.key().map(|key| key.environment.into())
    }
}
