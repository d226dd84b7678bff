//! Another signing secret, without a moment at which none is valid.

use std::time::Duration;

use entity::id::{AnyId, WebhookEndpointId};
use serde::{Deserialize, Serialize};

use crate::kernel::command::{Command, Subject};
use crate::kernel::error::{ErrorCode, Refusal, Result};
use crate::kernel::seal::Sealer;
use crate::kernel::tx::Tx;
use crate::webhook::command::state::changeable;
use crate::webhook::command::{secret_place, tell};
use crate::webhook::event;
use crate::webhook::model::{Endpoint, OVERLAP_MAX, secret};
use crate::webhook::store::endpoint as store;

/// Replaces the secret; the one before it signs too for the overlap, and then no more.
#[derive(Clone, Debug, Serialize)]
pub struct RotateSecret {
    pub endpoint: WebhookEndpointId,
    pub overlap: Duration,
    #[serde(skip)]
    pub sealer: Sealer,
    #[serde(skip)]
    pub idempotency_key: Option<String>,
}

/// The endpoint and its new secret, which is there the first time only.
#[derive(Clone, Serialize, Deserialize)]
pub struct Rotated {
    pub endpoint: Endpoint,
    pub secret: Option<String>,
}

impl std::fmt::Debug for Rotated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rotated").field("endpoint", &self.endpoint.id).finish_non_exhaustive()
    }
}

impl Command for RotateSecret {
    const NAME: &'static str = "webhookEndpointSecretRotate";
    const REFUSALS: &'static [ErrorCode] = &[ErrorCode::InvalidInput, ErrorCode::ForbiddenScope, ErrorCode::Conflict];
    type Output = Rotated;

    fn subject(&self) -> Subject {
        Subject::OwnerOf(AnyId::WebhookEndpoint(self.endpoint))
    }

    fn idempotency_key(&self) -> Option<&str> {
        self.idempotency_key.as_deref()
    }

    async fn run(&self, tx: &mut Tx) -> Result<Rotated> {
        let mut endpoint = changeable(tx, self.endpoint).await?;
        if self.overlap > OVERLAP_MAX {
            let message = "overlapSeconds is 0 to 604800, seven days.";
            return Err(Refusal::invalid("overlapSeconds", message).into());
        }
        let place = |column| secret_place(endpoint.realm_id, endpoint.id, column);
        let old = self.sealer.open(place("secret_sealed"), &endpoint.secret_sealed)?;
        let new = secret(tx.secret());
        let old_sealed = self.sealer.seal(place("previous_secret_sealed"), &old, tx.secret());
        let new_sealed = self.sealer.seal(place("secret_sealed"), &new, tx.secret());
        let overlaps = !self.overlap.is_zero();
        endpoint.previous_secret_sealed = overlaps.then_some(old_sealed);
        endpoint.previous_secret_expires_at = overlaps.then(|| tx.now().plus(self.overlap));
        endpoint.secret_sealed = new_sealed;
        store::save(tx, &endpoint).await?;
        tell(tx, event::SECRET_ROTATED, &endpoint);
        Ok(Rotated { endpoint, secret: Some(new) })
    }

    fn forget_secrets(output: &mut Rotated) {
        output.secret = None;
    }
}
