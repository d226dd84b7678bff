//! Subscriptions.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result, Subscription};
use entity::event;
use entity::id::OrganizationId;
use futures_util::{Stream, StreamExt, stream};

use crate::access::fields::{handed, needs};
use crate::access::policy::Permission;
use crate::credit::graphql::Wallet;
use crate::event::stream::{Audience, batches};
use crate::event::{catalogue, store};
use crate::kernel::error::{Error, ErrorCode, Refusal};
use crate::organization::graphql::{Organization, Organizations};
use crate::schema::kind::{Environment, EventScope};
use crate::schema::scalar::{DateTime, Json};
use crate::schema::session::{Session, expose, optional_id};

/// The most event types a stream can be narrowed to.
const TYPES_MAX: usize = 50;

/// A fact that happened to an organization.
#[derive(Clone)]
pub struct Event(event::Model);

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

/// The patterns of a stream, each of which must mean a type there is.
fn read_types(types: Option<Vec<String>>) -> Result<Vec<String>, Refusal> {
    let types = types.unwrap_or_default();
    let refused =
        |message: String| Refusal { path: vec!["types".into()], ..Refusal::new(ErrorCode::InvalidInput, message) };
    if types.len() > TYPES_MAX {
        return Err(refused(format!("types has at most {TYPES_MAX} members.")));
    }
    match types.iter().find(|pattern| !catalogue::is_known(pattern)) {
        None => Ok(types),
        Some(unknown) => {
            let shown: String = unknown.chars().take(catalogue::PATTERN_MAX_CHARS).collect();
            let message = format!(
                "There is no event type \"{}\". Did you mean {}?",
                shown.escape_debug(),
                catalogue::nearest(unknown)
            );
            Err(refused(message))
        }
    }
}

fn is_wanted(types: &[String], event_type: &str) -> bool {
    types.is_empty() || types.iter().any(|pattern| catalogue::matches(pattern, event_type))
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
            let from = match &after {
                None => store::head(&session.snapshot(), audience.realm).await?,
                Some(cursor) => cursor.parse().map_err(|_| {
                    Refusal::new(
                        ErrorCode::BadRequest,
                        "This cursor is not one of ours. Use an event's cursor as it is.",
                    )
                })?,
            };
            Ok::<_, Error>((audience, from, types))
        };
        let (audience, from, types) = open.await.map_err(|error| expose(ctx, error))?;
        Ok(batches(session, audience.realm, from)
            .map(move |batch| match batch {
                Ok(events) => events
                    .into_iter()
                    .filter(|event| audience.hears(event) && is_wanted(&types, &event.event_type))
                    .map(|event| Ok(Event(event)))
                    .collect(),
                Err(error) => vec![Err(gone(error))],
            })
            .flat_map(stream::iter))
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
            // The head first, the wallet second: what happens between the two is sent again, never missed.
            let from = store::head(&session.snapshot(), audience.realm).await?;
            let first = wallets(&session, &BTreeSet::from([audience.organization]), &audience, environment).await?;
            Ok::<_, Error>((audience, from, first))
        };
        let (audience, from, first) = open.await.map_err(|error| expose(ctx, error))?;
        let later = batches(Arc::clone(&session), audience.realm, from).then(move |batch| {
            let session = Arc::clone(&session);
            async move {
                let changed = async {
                    let touched: BTreeSet<OrganizationId> = batch?.iter().flat_map(touched_wallets).collect();
                    wallets(&session, &touched, &audience, environment).await
                };
                match changed.await {
                    Ok(wallets) => wallets.into_iter().map(Ok).collect(),
                    Err(error) => vec![Err(gone(error))],
                }
            }
        });
        Ok(stream::iter(first.into_iter().map(Ok)).chain(later.flat_map(stream::iter)))
    }
}

/// The wallets that an event says have other figures now.
fn touched_wallets(event: &event::Model) -> Vec<OrganizationId> {
    let listed = event.data.0.get("wallets").and_then(|wallets| wallets.as_array());
    listed
        .map_or_else(Vec::new, |ids| ids.iter().filter_map(|id| id.as_str()).filter_map(|id| id.parse().ok()).collect())
}

/// The wallets of those organizations that the audience covers and the caller may see.
async fn wallets(
    session: &Arc<Session>,
    of: &BTreeSet<OrganizationId>,
    audience: &Audience,
    environment: Environment,
) -> Result<Vec<Wallet>, Error> {
    if of.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<OrganizationId> = of.iter().copied().collect();
    let level = Organizations::of_ids(session, &ids).await?;
    let paths = level.paths().await?;
    let mut found = Vec::new();
    for organization in Organization::all(&level) {
        let id = organization.organization_id();
        let Some((_, path)) = paths.get(&id) else { continue };
        let mut ids = path.ids();
        let covered = match audience.scope {
            entity::kind::EventScope::Own => id == audience.organization,
            entity::kind::EventScope::Children => ids.take(2).any(|id| id == audience.organization),
            entity::kind::EventScope::Subtree => ids.any(|id| id == audience.organization),
        };
        let reach = organization.member().reach;
        if covered
            && session.allows(reach, const { handed("Wallet") }).is_ok()
            && let Some(wallet) = Wallet::of(&organization, environment.into()).await?
        {
            found.push(wallet);
        }
    }
    Ok(found)
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
