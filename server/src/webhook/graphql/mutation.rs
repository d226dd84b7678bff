//! What people do to endpoints and deliveries.

use std::time::Duration;

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result};

use crate::kernel::error::Refusal;
use crate::organization::graphql::input::change;
use crate::organization::graphql::owned::Owned;
use crate::organization::graphql::{Organization, owner_of};
use crate::schema::Query;
use crate::schema::kind::EventScope;
use crate::schema::payload::payload;
use crate::schema::session::{Session, id_of, optional_id};
use crate::webhook::command::{
    CreateEndpoint, DeleteEndpoint, PauseEndpoint, Ping, Redeliver, ResumeEndpoint, RotateSecret, UpdateEndpoint,
};
use crate::webhook::graphql::{WebhookDelivery, WebhookEndpoint};
use crate::webhook::model::{Delivery, Endpoint, OVERLAP_DEFAULT};

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

/// An endpoint to pause.
#[derive(InputObject, Clone, Debug)]
pub struct WebhookEndpointPauseInput {
    /// The endpoint.
    pub webhook_endpoint_id: ID,
}

/// An endpoint to resume.
#[derive(InputObject, Clone, Debug)]
pub struct WebhookEndpointResumeInput {
    /// The endpoint.
    pub webhook_endpoint_id: ID,
}

/// An endpoint to ping.
#[derive(InputObject, Clone, Debug)]
pub struct WebhookEndpointPingInput {
    /// The endpoint; an enabled one.
    pub webhook_endpoint_id: ID,
    /// Makes a retry safe: nothing is sent a second time.
    pub idempotency_key: Option<String>,
}

/// An endpoint that is to sign with another secret.
#[derive(InputObject, Clone, Debug)]
pub struct WebhookEndpointSecretRotateInput {
    /// The endpoint.
    pub webhook_endpoint_id: ID,
    /// How long the secret until now signs too: 0 to 604800 seconds, seven days; a day when absent. 0 ends it at once.
    pub overlap_seconds: Option<i32>,
    /// Makes a retry safe: the secret is rotated once, and not shown again.
    pub idempotency_key: Option<String>,
}

/// A delivery whose event is to be sent once more.
#[derive(InputObject, Clone, Debug)]
pub struct WebhookDeliveryRedeliverInput {
    /// The delivery; one that is tried no more.
    pub webhook_delivery_id: ID,
    /// Makes a retry safe: nothing is sent a second time.
    pub idempotency_key: Option<String>,
}

payload! {
    /// The answer of `webhookEndpointPause`.
    WebhookEndpointPausePayload {
        /// The endpoint as it is now.
        webhook_endpoint: WebhookEndpoint,
    }
}
payload! {
    /// The answer of `webhookEndpointResume`.
    WebhookEndpointResumePayload {
        /// The endpoint as it is now.
        webhook_endpoint: WebhookEndpoint,
    }
}
payload! {
    /// The answer of `webhookEndpointPing`.
    WebhookEndpointPingPayload {
        /// The ping on its way. Read it again to see how it went.
        webhook_delivery: WebhookDelivery,
    } replayed
}
payload! {
    /// The answer of `webhookEndpointSecretRotate`.
    WebhookEndpointSecretRotatePayload {
        /// The endpoint as it is now.
        webhook_endpoint: WebhookEndpoint,
        /// The new signing secret, `whsec_…`. Store it now: it cannot be shown again. Null in a replay.
        secret: String,
    } replayed
}
payload! {
    /// The answer of `webhookDeliveryRedeliver`.
    WebhookDeliveryRedeliverPayload {
        /// The new delivery of the same event, on its way. Read it again to see how it went.
        webhook_delivery: WebhookDelivery,
    } replayed
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

async fn on_its_way(ctx: &Context<'_>, delivery: Delivery) -> Result<Option<WebhookDelivery>> {
    let owner = owner_of(ctx, delivery.organization_id).await?;
    Ok(owner.map(|owner| Owned::one(owner, delivery).into()))
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

    /// Stops sending to an endpoint; what happens is kept for it. One that hears of more than its own organization needs
    /// `org:admin`. Needs `webhooks:*`.
    async fn webhook_endpoint_pause(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "An endpoint to pause.")] input: WebhookEndpointPauseInput,
    ) -> Result<Option<WebhookEndpointPausePayload>> {
        let command = || -> Result<PauseEndpoint, Refusal> {
            Ok(PauseEndpoint { endpoint: id_of(&input.webhook_endpoint_id, "webhookEndpointId")? })
        };
        Ok(Some(match Session::of(ctx).execute(ctx, command()).await? {
            Err(refusal) => WebhookEndpointPausePayload::refused(refusal),
            Ok(executed) => WebhookEndpointPausePayload {
                webhook_endpoint: shown(ctx, executed.output).await?,
                user_errors: Vec::new(),
                query: Query::default(),
            },
        }))
    }

    /// Sends a paused endpoint what was kept for it, oldest first, and goes on. One that hears of more than its own
    /// organization needs `org:admin`. Needs `webhooks:*`.
    async fn webhook_endpoint_resume(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "An endpoint to resume.")] input: WebhookEndpointResumeInput,
    ) -> Result<Option<WebhookEndpointResumePayload>> {
        let command = || -> Result<ResumeEndpoint, Refusal> {
            Ok(ResumeEndpoint { endpoint: id_of(&input.webhook_endpoint_id, "webhookEndpointId")? })
        };
        Ok(Some(match Session::of(ctx).execute(ctx, command()).await? {
            Err(refusal) => WebhookEndpointResumePayload::refused(refusal),
            Ok(executed) => WebhookEndpointResumePayload {
                webhook_endpoint: shown(ctx, executed.output).await?,
                user_errors: Vec::new(),
                query: Query::default(),
            },
        }))
    }

    /// Sends an endpoint an event `webhook_endpoint.ping`, past whatever waits for it. One that hears of more than its own
    /// organization needs `org:admin`. Needs `webhooks:*`.
    async fn webhook_endpoint_ping(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "An endpoint to ping.")] input: WebhookEndpointPingInput,
    ) -> Result<Option<WebhookEndpointPingPayload>> {
        let session = Session::of(ctx);
        let command = || -> Result<Ping, Refusal> {
            Ok(Ping {
                endpoint: id_of(&input.webhook_endpoint_id, "webhookEndpointId")?,
                idempotency_key: session.idempotency_key(input.idempotency_key.clone()),
            })
        };
        Ok(Some(match session.execute(ctx, command()).await? {
            Err(refusal) => WebhookEndpointPingPayload::refused(refusal),
            Ok(executed) => WebhookEndpointPingPayload {
                webhook_delivery: on_its_way(ctx, executed.output).await?,
                replayed: executed.replayed,
                user_errors: Vec::new(),
                query: Query::default(),
            },
        }))
    }

    /// Gives an endpoint another signing secret; for the overlap every request carries a signature of each. One that hears
    /// of more than its own organization needs `org:admin`. Needs `webhooks:*`.
    async fn webhook_endpoint_secret_rotate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "An endpoint that is to sign with another secret.")] input: WebhookEndpointSecretRotateInput,
    ) -> Result<Option<WebhookEndpointSecretRotatePayload>> {
        let session = Session::of(ctx);
        let command = || -> Result<RotateSecret, Refusal> {
            let seconds = |seconds: i32| {
                u64::try_from(seconds)
                    .map(Duration::from_secs)
                    .map_err(|_| Refusal::invalid("overlapSeconds", "overlapSeconds is 0 to 604800, seven days."))
            };
            Ok(RotateSecret {
                endpoint: id_of(&input.webhook_endpoint_id, "webhookEndpointId")?,
                overlap: input.overlap_seconds.map_or(Ok(OVERLAP_DEFAULT), seconds)?,
                sealer: session.peppers.sealer(),
                idempotency_key: session.idempotency_key(input.idempotency_key.clone()),
            })
        };
        Ok(Some(match session.execute(ctx, command()).await? {
            Err(refusal) => WebhookEndpointSecretRotatePayload::refused(refusal),
            Ok(executed) => WebhookEndpointSecretRotatePayload {
                webhook_endpoint: shown(ctx, executed.output.endpoint).await?,
                secret: executed.output.secret,
                replayed: executed.replayed,
                user_errors: Vec::new(),
                query: Query::default(),
            },
        }))
    }

    /// Sends the event of a delivery once more, under the same event id, past whatever waits. An endpoint that hears of more
    /// than its own organization needs `org:admin`. Needs `webhooks:*`.
    async fn webhook_delivery_redeliver(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A delivery whose event is to be sent once more.")] input: WebhookDeliveryRedeliverInput,
    ) -> Result<Option<WebhookDeliveryRedeliverPayload>> {
        let session = Session::of(ctx);
        let command = || -> Result<Redeliver, Refusal> {
            Ok(Redeliver {
                delivery: id_of(&input.webhook_delivery_id, "webhookDeliveryId")?,
                idempotency_key: session.idempotency_key(input.idempotency_key.clone()),
            })
        };
        Ok(Some(match session.execute(ctx, command()).await? {
            Err(refusal) => WebhookDeliveryRedeliverPayload::refused(refusal),
            Ok(executed) => WebhookDeliveryRedeliverPayload {
                webhook_delivery: on_its_way(ctx, executed.output).await?,
                replayed: executed.replayed,
                user_errors: Vec::new(),
                query: Query::default(),
            },
        }))
    }
}
