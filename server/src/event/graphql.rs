//! Subscriptions.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result, Subscription};
use entity::event;
use futures_util::{Stream, StreamExt};

use crate::access::fields::needs;
use crate::access::policy::Permission;
use crate::credit::graphql::Wallet;
use crate::event::audience::Audience;
use crate::event::relay::WalletAudience;
use crate::event::stream::{self, Wanted};
use crate::event::{catalogue, wallets};
use crate::http::{Opening, Resume};
use crate::kernel::error::{Error, ErrorCode, Refusal};
use crate::schema::kind::{Delegation, Environment, EventScope};
use crate::schema::scalar::{DateTime, Json};
use crate::schema::session::{Session, expose, optional_id};

/// The most event types a stream can be narrowed to.
const TYPES_MAX: usize = 50;

/// A fact that happened to an organization.
#[derive(Clone)]
pub struct Event(Arc<event::Model>);

/// A fact that happened to an organization.
#[Object]
impl Event {
    /// The id, `evt_…`; the same wherever the event is sent.
    async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// Where it stands in the stream: give it to `after` to go on behind it.
    async fn cursor(&self) -> String {
        self.0.sequence.to_string()
    }

    /// What happened, such as `credit.charged`.
    #[graphql(name = "type")]
    async fn event_type(&self) -> &str {
        &self.0.event_type
    }

    /// Whom it happened to.
    async fn organization_id(&self) -> ID {
        self.0.organization_id.to_string().into()
    }

    /// When it happened.
    async fn occurred_at(&self) -> DateTime {
        self.0.occurred_at.into()
    }

    /// What there is to know about it.
    async fn data(&self) -> Json {
        Json(self.0.data.0.clone())
    }
}

/// A type of event.
pub struct EventType(&'static catalogue::EventType);

/// A type of event.
#[Object]
impl EventType {
    /// Its name, such as `credit.charged`: what streams and webhook endpoints are narrowed to.
    async fn name(&self) -> &str {
        self.0.name
    }

    /// When it happens.
    async fn description(&self) -> &str {
        self.0.description
    }

    /// What every edge between the organization it happens to and an ancestor has to delegate for the ancestor to hear of
    /// it. Null for what belongs to control, which always reaches.
    async fn delegation(&self) -> Option<Delegation> {
        catalogue::delegation_of(self.0.name).map(Into::into)
    }

    /// The JSON Schema (2020-12) of the event's `data`. Fields may be added to it; none changes its meaning or goes.
    async fn schema(&self) -> Json {
        Json(self.0.schema())
    }
}

#[derive(Default)]
pub struct EventQuery;

#[Object]
impl EventQuery {
    /// Every type of event there is, with what it carries.
    async fn event_types(&self) -> Vec<EventType> {
        catalogue::EVENT_TYPES.iter().map(EventType).collect()
    }
}

/// The patterns of a stream, each of which must mean a type there is.
fn read_types(types: Option<Vec<String>>) -> Result<Vec<String>, Refusal> {
    let types = types.unwrap_or_default();
    let refused =
        |message: String| Refusal { path: vec!["types".into()], ..Refusal::new(ErrorCode::InvalidInput, message) };
    if types.len() > TYPES_MAX {
        return Err(refused(format!("types has at most {TYPES_MAX} members.")));
    }
    match catalogue::unknown(&types) {
        None => Ok(types),
        Some(message) => Err(refused(message)),
    }
}

async fn audience(
    session: &Arc<Session>,
    organization: Option<&ID>,
    scope: EventScope,
    permission: Permission,
) -> Result<Audience, Error> {
    let named = optional_id(organization, "organizationId")?;
    let (realm, path, _) = session.target(named, permission).await?;
    if scope != EventScope::Own && !session.scopes.is_admin() {
        let message = "Other organizations' events need a key that holds org:admin.";
        return Err(Refusal::new(ErrorCode::ForbiddenScope, message).into());
    }
    Ok(Audience { realm, organization: path.id(), scope: scope.into() })
}

fn no_cursor() -> Refusal {
    Refusal::new(ErrorCode::BadRequest, "This cursor is not one of ours. Use an event's cursor as it is.")
}

#[derive(Default)]
pub struct EventSubscription;

/// Live streams. A stream ends when the key that opened it does.
#[Subscription]
impl EventSubscription {
    /// Facts as they happen, in the order they happened. Needs `webhooks:*` or `org:read`; other scopes than OWN need
    /// `org:admin`.
    async fn events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The acting organization when absent.")] organization_id: Option<ID>,
        #[graphql(desc = "Whose events.", default_with = "EventScope::Own")] scope: EventScope,
        #[graphql(desc = "Only these types: exact, `credit.*`, or `*`.")] types: Option<Vec<String>>,
        #[graphql(desc = "Go on behind this event's cursor; from now on when absent.")] after: Option<String>,
    ) -> Result<impl Stream<Item = Result<Event>>> {
        let session = Arc::clone(Session::of(ctx));
        let open = async {
            let types = read_types(types)?;
            let audience =
                audience(&session, organization_id.as_ref(), scope, const { needs("Subscription", "events") }).await?;
            let after = after.map(|cursor| cursor.parse().map_err(|_| no_cursor())).transpose()?;
            stream::open(session, Wanted { audience, types: types.into(), after }).await
        };
        let opened = open.await.map_err(|error| expose(ctx, error))?;
        listens(ctx);
        let resume = ctx.data_opt::<Resume>().cloned().unwrap_or_default();
        Ok(opened.map(move |event| match event {
            Ok(event) => {
                resume.set(event.sequence.to_string());
                Ok(Event(event))
            }
            Err(error) => Err(gone(error)),
        }))
    }

    /// The wallet as it is now and after every change. Several changes may come as one: it is always the newest. Needs
    /// `credits:read`, and `BILLING` delegated along the path; other scopes than OWN need `org:admin`.
    async fn wallet_changes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The acting organization when absent.")] organization_id: Option<ID>,
        #[graphql(desc = "Whose wallets.", default_with = "EventScope::Own")] scope: EventScope,
        #[graphql(desc = "LIVE or TEST wallets.", default_with = "Environment::Live")] environment: Environment,
    ) -> Result<impl Stream<Item = Result<Wallet>>> {
        let session = Arc::clone(Session::of(ctx));
        let open = async {
            let audience =
                audience(&session, organization_id.as_ref(), scope, const { needs("Subscription", "walletChanges") })
                    .await?;
            wallets::open(session, WalletAudience { audience, environment: environment.into() }).await
        };
        let opened = open.await.map_err(|error| expose(ctx, error))?;
        listens(ctx);
        Ok(opened.map(|wallet| wallet.map_err(gone)))
    }
}

/// From now on nothing is missed.
fn listens(ctx: &Context<'_>) {
    if let Some(opening) = ctx.data_opt::<Opening>() {
        opening.done();
    }
}

/// An error in the middle of a stream.
fn gone(error: Error) -> async_graphql::Error {
    match error {
        Error::Refused(refusal) => {
            use async_graphql::ErrorExtensions;
            async_graphql::Error::new(refusal.message.clone())
                .extend_with(|_, extensions| extensions.set("code", refusal.code.as_str()))
        }
        Error::Fault(fault) => async_graphql::Error::new_with_source(crate::http::Fault::new(*fault)),
    }
}
