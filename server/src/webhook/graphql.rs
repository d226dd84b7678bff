//! Webhook endpoints in the schema.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result};

use crate::kernel::error::Refusal;
use crate::organization::graphql::input::change;
use crate::organization::graphql::owned::Owned;
use crate::organization::graphql::{Organization, owner_of};
use crate::schema::Query;
use crate::schema::connection::connection;
use crate::schema::kind::EventScope;
use crate::schema::payload::payload;
use crate::schema::scalar::DateTime;
use crate::schema::session::{Session, id_of, optional_id};
use crate::webhook::command::{CreateEndpoint, DeleteEndpoint, UpdateEndpoint};
use crate::webhook::model::Endpoint;

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

    /// When it was registered.
    async fn created_at(&self) -> DateTime {
        self.0.row().created_at.into()
    }
}

/// An endpoint to register.
#[derive(InputObject, Clone, Debug)]
pub struct WebhookEndpointCreateInput {
    /// The acting organization when absent.
    pub organization_id: Option<ID>,
    /// https://, at most 2048 characters, without user name, password and fragment.
    pub url: String,
    /// Which events: types, `credit.*` for all that begin so, `*` for all. 1 to 50.
    pub event_types: Vec<String>,
    /// Whose events; CHILDREN and SUBTREE need `org:admin`.
    #[graphql(default_with = "EventScope::Own")]
    pub scope: EventScope,
    /// What it is for, at most 500 characters.
    pub description: Option<String>,
    /// Makes a retry safe: the secret is not shown again.
    pub idempotency_key: Option<String>,
}

/// Changes of an endpoint. What is absent stays.
#[derive(InputObject, Clone, Debug)]
pub struct WebhookEndpointUpdateInput {
    /// The endpoint.
    pub webhook_endpoint_id: ID,
    /// https://, at most 2048 characters, without user name, password and fragment.
    pub url: Option<String>,
    /// Which events from now on. They replace all there are.
    pub event_types: Option<Vec<String>>,
    /// Whose events from now on; CHILDREN and SUBTREE need `org:admin`.
    pub scope: Option<EventScope>,
    /// What it is for, at most 500 characters; null clears it.
    pub description: MaybeUndefined<String>,
    /// Whether anything is sent.
    pub enabled: Option<bool>,
}

/// An endpoint to remove.
#[derive(InputObject, Clone, Debug)]
pub struct WebhookEndpointDeleteInput {
    /// The endpoint.
    pub webhook_endpoint_id: ID,
}

payload! {
    /// The answer of `webhookEndpointCreate`.
    WebhookEndpointCreatePayload {
        /// The new endpoint.
        webhook_endpoint: WebhookEndpoint,
        /// The signing secret, `whsec_…`. Store it now: it cannot be shown again. Null in a replay.
        secret: String,
    } replayed
}
payload! {
    /// The answer of `webhookEndpointUpdate`.
    WebhookEndpointUpdatePayload {
        /// The endpoint as it is now.
        webhook_endpoint: WebhookEndpoint,
    }
}
payload! {
    /// The answer of `webhookEndpointDelete`.
    WebhookEndpointDeletePayload {
        /// The id of what was removed.
        deleted_webhook_endpoint_id: ID,
        /// Whose endpoint it was.
        organization: Organization,
    }
}

async fn shown(ctx: &Context<'_>, endpoint: Endpoint) -> Result<Option<WebhookEndpoint>> {
    let owner = owner_of(ctx, endpoint.organization_id).await?;
    Ok(owner.map(|owner| Owned::one(owner, endpoint).into()))
}

#[derive(Default)]
pub struct WebhookMutation;

#[Object]
impl WebhookMutation {
    /// Registers an endpoint that events are sent to. Needs `webhooks:*`.
    async fn webhook_endpoint_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "An endpoint to register.")] input: WebhookEndpointCreateInput,
    ) -> Result<Option<WebhookEndpointCreatePayload>> {
        let session = Session::of(ctx);
        let command = || -> Result<CreateEndpoint, Refusal> {
            Ok(CreateEndpoint {
                organization: optional_id(input.organization_id.as_ref(), "organizationId")?,
                url: input.url.clone(),
                event_types: input.event_types.clone(),
                scope: input.scope.into(),
                description: input.description.clone(),
                allow_http_loopback: session.webhook_http_loopback,
                sealer: session.peppers.sealer(),
                idempotency_key: session.idempotency_key(input.idempotency_key.clone()),
            })
        };
        Ok(Some(match session.execute(ctx, command()).await? {
            Err(refusal) => WebhookEndpointCreatePayload::refused(refusal),
            Ok(executed) => WebhookEndpointCreatePayload {
                webhook_endpoint: shown(ctx, executed.output.endpoint).await?,
                secret: executed.output.secret,
                replayed: executed.replayed,
                user_errors: Vec::new(),
                query: Query::default(),
            },
        }))
    }

    /// Changes an endpoint; its secret stays. One that hears of more than its own organization needs `org:admin`. Needs
    /// `webhooks:*`.
    async fn webhook_endpoint_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Changes of an endpoint. What is absent stays.")] input: WebhookEndpointUpdateInput,
    ) -> Result<Option<WebhookEndpointUpdatePayload>> {
        let session = Session::of(ctx);
        let command = || -> Result<UpdateEndpoint, Refusal> {
            Ok(UpdateEndpoint {
                endpoint: id_of(&input.webhook_endpoint_id, "webhookEndpointId")?,
                url: input.url.clone(),
                event_types: input.event_types.clone(),
                scope: input.scope.map(Into::into),
                description: change(&input.description, Clone::clone),
                enabled: input.enabled,
                allow_http_loopback: session.webhook_http_loopback,
            })
        };
        Ok(Some(match session.execute(ctx, command()).await? {
            Err(refusal) => WebhookEndpointUpdatePayload::refused(refusal),
            Ok(executed) => WebhookEndpointUpdatePayload {
                webhook_endpoint: shown(ctx, executed.output).await?,
                user_errors: Vec::new(),
                query: Query::default(),
            },
        }))
    }

    /// Removes an endpoint; nothing more is sent to it. Needs `webhooks:*`.
    async fn webhook_endpoint_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "An endpoint to remove.")] input: WebhookEndpointDeleteInput,
    ) -> Result<Option<WebhookEndpointDeletePayload>> {
        let session = Session::of(ctx);
        let command = || -> Result<DeleteEndpoint, Refusal> {
            Ok(DeleteEndpoint { endpoint: id_of(&input.webhook_endpoint_id, "webhookEndpointId")? })
        };
        Ok(Some(match session.execute(ctx, command()).await? {
            Err(refusal) => WebhookEndpointDeletePayload::refused(refusal),
            Ok(executed) => WebhookEndpointDeletePayload {
                deleted_webhook_endpoint_id: Some(input.webhook_endpoint_id),
                organization: owner_of(ctx, executed.output).await?,
                user_errors: Vec::new(),
                query: Query::default(),
            },
        }))
    }
}
