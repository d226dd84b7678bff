//! Endpoints.

use async_graphql::{Context, ID, Object, Result};

use crate::organization::graphql::Organization;
use crate::organization::graphql::owned::Owned;
use crate::organization::graphql::page;
use crate::schema::connection::connection;
use crate::schema::kind::{DeliveryStatus, EventScope};
use crate::schema::scalar::DateTime;
use crate::schema::session::{Session, expose};
use crate::webhook::graphql::WebhookDeliveryConnection;
use crate::webhook::model::Endpoint;
use crate::webhook::store::delivery::Filter;

/// Where an organization wants events sent. Its signing secret is shown once, by the mutation that makes it.
#[derive(Clone)]
pub struct WebhookEndpoint(Owned<Endpoint>);

impl From<Owned<Endpoint>> for WebhookEndpoint {
    fn from(owned: Owned<Endpoint>) -> Self {
        Self(owned)
    }
}

connection! {
    /// A page of webhook endpoints.
    WebhookEndpointConnection, WebhookEndpointEdge, WebhookEndpoint, "A webhook endpoint of a page."
}

/// Where an organization wants events sent. Its signing secret is shown once, by the mutation that makes it.
#[Object]
impl WebhookEndpoint {
    /// The id, `whe_…`.
    pub async fn id(&self) -> ID {
        self.0.row().id.to_string().into()
    }

    /// Whose endpoint it is.
    async fn organization(&self) -> Organization {
        self.0.owner.clone()
    }

    /// Where events are sent.
    async fn url(&self) -> &str {
        &self.0.row().url
    }

    /// Which events are sent: types, `credit.*` for all that begin so, `*` for all.
    async fn event_types(&self) -> &[String] {
        &self.0.row().event_types.0
    }

    /// Whose events are sent.
    async fn scope(&self) -> EventScope {
        self.0.row().scope.into()
    }

    /// What it is for.
    async fn description(&self) -> Option<&str> {
        self.0.row().description.as_deref()
    }

    /// Whether anything is sent.
    async fn enabled(&self) -> bool {
        self.0.row().disabled_at.is_none()
    }

    /// Since when nothing is sent.
    async fn disabled_at(&self) -> Option<DateTime> {
        self.0.row().disabled_at.map(Into::into)
    }

    /// Why nothing is sent.
    async fn disabled_reason(&self) -> Option<&str> {
        self.0.row().disabled_reason.as_deref()
    }

    /// Whether what happens is kept for later instead of being sent.
    async fn paused(&self) -> bool {
        self.0.row().paused_at.is_some()
    }

    /// Since when it is paused.
    async fn paused_at(&self) -> Option<DateTime> {
        self.0.row().paused_at.map(Into::into)
    }

    /// Until when the secret before the last rotation signs too; null when only one secret signs.
    async fn previous_secret_expires_at(&self, ctx: &Context<'_>) -> Option<DateTime> {
        let until = self.0.row().previous_secret_expires_at;
        until.filter(|until| *until > Session::of(ctx).now()).map(Into::into)
    }

    /// What was sent to it, or is to be, newest first; kept for 30 days after its last attempt.
    async fn deliveries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start, at most 100; 25 when neither first nor last is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
        #[graphql(desc = "Only those that stand so.")] status: Option<DeliveryStatus>,
    ) -> Result<Option<WebhookDeliveryConnection>> {
        let page = page(ctx, first, after.as_deref(), last, before.as_deref())?;
        let filter = Filter { status: status.map(Into::into) };
        let paged = WebhookDeliveryConnection::of(&self.0, filter, page).await;
        Ok(Some(paged.map_err(|error| expose(ctx, error))?))
    }

    /// When it was registered.
    async fn created_at(&self) -> DateTime {
        self.0.row().created_at.into()
    }
}
