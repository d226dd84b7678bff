//! What people send by hand: a ping, and an event once more. Neither waits for what is in the queue.

use entity::id::{AnyId, DeliveryId, EventId, OrganizationId, WebhookEndpointId};
use entity::kind::DeliveryStatus;
use serde::Serialize;

use crate::kernel::command::{Command, Subject};
use crate::kernel::error::{ErrorCode, Refusal, Result};
use crate::kernel::owned;
use crate::kernel::tx::Tx;
use crate::webhook::command::state::changeable;
use crate::webhook::event;
use crate::webhook::model::{Delivery, Endpoint};
use crate::webhook::store::{delivery as store, queue};

/// Sends an event of its own kind, to see whether the endpoint answers and its signature is understood.
#[derive(Clone, Debug, Serialize)]
pub struct Ping {
    pub endpoint: WebhookEndpointId,
    #[serde(skip)]
    pub idempotency_key: Option<String>,
}

impl Command for Ping {
    const NAME: &'static str = "webhookEndpointPing";
    const REFUSALS: &'static [ErrorCode] = &[ErrorCode::ForbiddenScope, ErrorCode::Conflict];
    type Output = Delivery;

    fn subject(&self) -> Subject {
        Subject::OwnerOf(AnyId::WebhookEndpoint(self.endpoint))
    }

    fn idempotency_key(&self) -> Option<&str> {
        self.idempotency_key.as_deref()
    }

    async fn run(&self, tx: &mut Tx) -> Result<Delivery> {
        let endpoint = enabled(tx, self.endpoint).await?;
        let event =
            Sent { id: tx.id(), event_type: event::PING.to_owned(), sequence: None, of: endpoint.organization_id };
        send(tx, &endpoint, event, None).await
    }
}

/// Sends the event of a delivery once more, under the same event id, whatever became of it.
#[derive(Clone, Debug, Serialize)]
pub struct Redeliver {
    pub delivery: DeliveryId,
    #[serde(skip)]
    pub idempotency_key: Option<String>,
}

impl Command for Redeliver {
    const NAME: &'static str = "webhookDeliveryRedeliver";
    const REFUSALS: &'static [ErrorCode] = &[ErrorCode::ForbiddenScope, ErrorCode::Conflict];
    type Output = Delivery;

    fn subject(&self) -> Subject {
        Subject::OwnerOf(AnyId::Delivery(self.delivery))
    }

    fn idempotency_key(&self) -> Option<&str> {
        self.idempotency_key.as_deref()
    }

    async fn run(&self, tx: &mut Tx) -> Result<Delivery> {
        let delivery: Delivery = owned::get(tx, self.delivery).await?;
        let endpoint = enabled(tx, delivery.webhook_endpoint_id).await?;
        if delivery.status == DeliveryStatus::Pending {
            let message = "This delivery is still being tried. Wait for its next attempt, or until it is settled.";
            return Err(Refusal::conflict(message).into());
        }
        let event = Sent {
            id: delivery.event_id,
            event_type: delivery.event_type,
            sequence: delivery.event_sequence,
            of: delivery.event_organization_id,
        };
        send(tx, &endpoint, event, Some(delivery.id)).await
    }
}

/// The endpoint, for a caller who may have something sent to it.
async fn enabled(tx: &Tx, id: WebhookEndpointId) -> Result<Endpoint> {
    let endpoint = changeable(tx, id).await?;
    if endpoint.disabled_at.is_some() {
        return Err(Refusal::conflict("The endpoint is disabled. Enable it with webhookEndpointUpdate first.").into());
    }
    Ok(endpoint)
}

/// The event that is sent.
struct Sent {
    id: EventId,
    event_type: String,
    sequence: Option<i64>,
    of: OrganizationId,
}

async fn send(tx: &mut Tx, endpoint: &Endpoint, event: Sent, redelivery_of: Option<DeliveryId>) -> Result<Delivery> {
    let delivery = Delivery {
        realm_id: tx.realm(),
        id: tx.id(),
        organization_id: endpoint.organization_id,
        webhook_endpoint_id: endpoint.id,
        event_id: event.id,
        event_type: event.event_type,
        event_sequence: event.sequence,
        event_organization_id: event.of,
        ordered: false,
        redelivery_of,
        status: DeliveryStatus::Pending,
        attempt_count: 0,
        next_attempt_at: Some(tx.now()),
        created_at: tx.now(),
        settled_at: None,
    };
    store::insert(tx, delivery.clone()).await?;
    queue::wake_now(tx, endpoint.id).await?;
    tx.note("webhookEndpointId", endpoint.id.to_string());
    tx.note("webhookDeliveryId", delivery.id.to_string());
    tx.note("eventId", delivery.event_id.to_string());
    Ok(delivery)
}
