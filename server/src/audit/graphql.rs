//! The audit trail in the schema.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Result};
use entity::audit_event;
use entity::id::{AnyId, ApiKeyId, OperatorKeyId};
use entity::kind::PrincipalKind as Principal;
use futures_util::future::BoxFuture;
use uuid::Uuid;

use crate::access::fields::needs;
use crate::audit::store::{self, Filter};
use crate::kernel::error::{Error, Refusal};
use crate::kernel::page::{Cursor, Slice, SortKey};
use crate::kernel::tx::{AFTER, BEFORE};
use crate::organization::graphql::page;
use crate::schema::connection::{Paged, connection};
use crate::schema::kind::{AuditOutcome, PrincipalKind};
use crate::schema::scalar::{DateTime, Json};
use crate::schema::session::{Session, expose, optional_id};

/// How Banyan's own workers are named as actors.
const SYSTEM: &str = "system";

/// Something that was done, or was tried and refused for lack of rights.
#[derive(Clone)]
pub struct AuditEvent(pub audit_event::Model);

connection! {
    /// A page of the audit trail.
    AuditEventConnection, AuditEventEdge, AuditEvent, "An entry of the audit trail."
}

/// Something that was done, or was tried and refused for lack of rights.
#[Object]
impl AuditEvent {
    /// The id, `aud_…`.
    pub async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// The organization it was done to.
    async fn organization_id(&self) -> Option<ID> {
        self.0.organization_id.map(|id| id.to_string().into())
    }

    /// The organization it was done for.
    async fn acting_organization_id(&self) -> Option<ID> {
        self.0.acting_organization_id.map(|id| id.to_string().into())
    }

    /// Who did it: a key's id, or `system`.
    async fn actor(&self) -> String {
        match (self.0.actor_kind, self.0.actor_id) {
            (Principal::ApiKey, Some(id)) => ApiKeyId::from(id).to_string(),
            (Principal::Operator, Some(id)) => OperatorKeyId::from(id).to_string(),
            _ => SYSTEM.to_owned(),
        }
    }

    /// What kind of principal did it.
    async fn actor_kind(&self) -> PrincipalKind {
        self.0.actor_kind.into()
    }

    /// The mutation.
    async fn action(&self) -> &str {
        &self.0.action
    }

    /// What it was done to.
    async fn target_id(&self) -> Option<ID> {
        self.0.target_id.clone().map(ID)
    }

    /// Whether it was let through.
    async fn outcome(&self) -> AuditOutcome {
        self.0.outcome.into()
    }

    /// What changed, without secrets.
    async fn change(&self) -> Json {
        Json(self.0.change.0.clone())
    }

    /// The fields of the record that changed, as they were. Null when it was no change of a record.
    async fn before(&self) -> Option<Json> {
        self.part(BEFORE)
    }

    /// The same fields as they became.
    async fn after(&self) -> Option<Json> {
        self.part(AFTER)
    }

    /// The request it came with.
    async fn request_id(&self) -> String {
        self.0.request_id.to_string()
    }

    /// The address the request came from.
    async fn address(&self) -> Option<&str> {
        self.0.address.as_deref()
    }

    /// When it was done.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }
}

impl AuditEvent {
    fn part(&self, name: &str) -> Option<Json> {
        self.0.change.0.get(name).cloned().map(Json)
    }
}

/// Which entries of the audit trail are meant. Conditions add up.
#[derive(InputObject, Clone, Debug)]
pub struct AuditEventFilter {
    /// Only what this actor did: a key's id, or `system`.
    pub actor: Option<String>,
    /// Only this mutation.
    pub action: Option<String>,
    /// Only what was done to this: the id of an organization, a key, a hold, an endpoint….
    pub target_id: Option<String>,
    /// Only what was let through, or only what was not.
    pub outcome: Option<AuditOutcome>,
    /// Whether what was done below the organization is meant too.
    #[graphql(default = true)]
    pub descendants: bool,
    /// Not before this instant.
    pub from: Option<DateTime>,
    /// Before this instant.
    pub to: Option<DateTime>,
}

impl AuditEventFilter {
    fn read(self) -> Result<Filter, Refusal> {
        Ok(Filter {
            actor: self.actor.as_deref().map(read_actor).transpose()?,
            action: self.action,
            target: self.target_id,
            outcome: self.outcome.map(Into::into),
            own: !self.descendants,
            from: self.from.map(|at| at.0),
            to: self.to.map(|at| at.0),
        })
    }
}

/// An actor as `AuditEvent.actor` names it.
fn read_actor(text: &str) -> Result<(Principal, Option<Uuid>), Refusal> {
    match text.parse() {
        Ok(AnyId::ApiKey(id)) => Ok((Principal::ApiKey, Some(id.into()))),
        Ok(AnyId::OperatorKey(id)) => Ok((Principal::Operator, Some(id.into()))),
        _ if text == SYSTEM => Ok((Principal::System, None)),
        _ => {
            let message = format!("An actor is a key's id, such as key_…, or \"{SYSTEM}\".");
            Err(Refusal::invalid("filter.actor", message))
        }
    }
}

#[derive(Default)]
pub struct AuditQuery;

#[Object]
impl AuditQuery {
    /// What was done in an organization and below it, newest first: changes, and mutations that were refused for lack of
    /// rights. Reads are not in it. Needs `audit:read`.
    #[expect(clippy::too_many_arguments, reason = "a Relay connection with a filter has these arguments")]
    async fn audit_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The acting organization when absent.")] organization_id: Option<ID>,
        #[graphql(desc = "How many from the start, at most 100; 25 when neither first nor last is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
        #[graphql(desc = "Which of them.")] filter: Option<AuditEventFilter>,
    ) -> Result<Option<AuditEventConnection>> {
        let page = page(ctx, first, after.as_deref(), last, before.as_deref())?;
        let session = Session::of(ctx);
        let filter = filter.map(AuditEventFilter::read).transpose();
        let filter = filter.map_err(|refusal| expose(ctx, refusal.into()))?.unwrap_or_default();
        let read = async {
            let named = optional_id(organization_id.as_ref(), "organizationId")?;
            let (realm, path, _) = session.target(named, const { needs("Query", "auditEvents") }).await?;
            let slice = store::list(&session.snapshot(), realm, path.id(), &filter, &page).await?;
            Ok((realm, path.id(), slice))
        };
        let found: Result<_, Error> = read.await;
        let (realm, top, slice) = found.map_err(|error| expose(ctx, error))?;
        let rows = slice.rows.into_iter().map(|row| (Cursor { key: SortKey::Age, id: row.id.into() }, AuditEvent(row)));
        let slice = Slice { rows: rows.collect(), has_next: slice.has_next, has_previous: slice.has_previous };
        let session = Arc::clone(session);
        let total = Arc::new(move || -> BoxFuture<'static, Result<i64, Error>> {
            let (session, filter) = (Arc::clone(&session), filter.clone());
            Box::pin(async move { store::count(&session.snapshot(), realm, top, &filter).await })
        });
        Ok(Some(AuditEventConnection(Paged { slice, total })))
    }
}
