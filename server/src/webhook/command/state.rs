//! Pausing, resuming and giving up.

use entity::id::{AnyId, WebhookEndpointId};
use serde::Serialize;

use crate::access::policy::Permission;
use crate::kernel::command::{Command, Subject};
use crate::kernel::error::{ErrorCode, Result};
use crate::kernel::event::Event;
use crate::kernel::owned;
use crate::kernel::tx::Tx;
use crate::organization::api::live_target;
use crate::webhook::command::tell;
use crate::webhook::event;
use crate::webhook::model::{Endpoint, check_scope};
use crate::webhook::store::{endpoint as store, queue};

/// Stops sending; what happens is kept for later. A no-op when it is paused already.
#[derive(Clone, Debug, Serialize)]
pub struct PauseEndpoint {
    pub endpoint: WebhookEndpointId,
}

impl Command for PauseEndpoint {
    const NAME: &'static str = "webhookEndpointPause";
    const REFUSALS: &'static [ErrorCode] = &[ErrorCode::ForbiddenScope, ErrorCode::Conflict];
    type Output = Endpoint;

    fn subject(&self) -> Subject {
        Subject::OwnerOf(AnyId::WebhookEndpoint(self.endpoint))
    }

    async fn run(&self, tx: &mut Tx) -> Result<Endpoint> {
        let mut endpoint = changeable(tx, self.endpoint).await?;
        if endpoint.paused_at.is_none() {
            endpoint.paused_at = Some(tx.now());
            store::save(tx, &endpoint).await?;
            tell(tx, event::PAUSED, &endpoint);
        }
        Ok(endpoint)
    }
}

/// Sends what was kept, oldest first, and goes on. A no-op when it is not paused.
#[derive(Clone, Debug, Serialize)]
pub struct ResumeEndpoint {
    pub endpoint: WebhookEndpointId,
}

impl Command for ResumeEndpoint {
    const NAME: &'static str = "webhookEndpointResume";
    const REFUSALS: &'static [ErrorCode] = &[ErrorCode::ForbiddenScope, ErrorCode::Conflict];
    type Output = Endpoint;

    fn subject(&self) -> Subject {
        Subject::OwnerOf(AnyId::WebhookEndpoint(self.endpoint))
    }

    async fn run(&self, tx: &mut Tx) -> Result<Endpoint> {
        let mut endpoint = changeable(tx, self.endpoint).await?;
        if endpoint.paused_at.take().is_some() {
            store::save(tx, &endpoint).await?;
            queue::wake_now(tx, endpoint.id).await?;
            tell(tx, event::RESUMED, &endpoint);
        }
        Ok(endpoint)
    }
}

/// The endpoint, for a caller who may change it.
pub(super) async fn changeable(tx: &Tx, id: WebhookEndpointId) -> Result<Endpoint> {
    live_target(tx)?;
    let endpoint: Endpoint = owned::get(tx, id).await?;
    check_scope(&tx.target().scopes, endpoint.scope)?;
    Ok(endpoint)
}

/// Banyan's own decision to send nothing more to an endpoint. A no-op when it is disabled already.
#[derive(Clone, Debug, Serialize)]
pub struct DisableEndpoint {
    pub endpoint: WebhookEndpointId,
    /// One sentence, for whoever looks after it.
    pub reason: &'static str,
}

impl Command for DisableEndpoint {
    const NAME: &'static str = "webhookEndpointDisable";
    const PERMISSION: Permission = Permission::WebhookWrite;
    const REFUSALS: &'static [ErrorCode] = &[];
    type Output = bool;

    fn subject(&self) -> Subject {
        Subject::OwnerOf(AnyId::WebhookEndpoint(self.endpoint))
    }

    async fn run(&self, tx: &mut Tx) -> Result<bool> {
        let mut endpoint: Endpoint = owned::get(tx, self.endpoint).await?;
        tx.note("webhookEndpointId", endpoint.id.to_string());
        tx.note("reason", self.reason);
        if endpoint.disabled_at.is_some() && endpoint.until_sequence.is_none() {
            tx.note("changed", false);
            return Ok(false);
        }
        endpoint.disabled_at = endpoint.disabled_at.or(Some(tx.now()));
        endpoint.disabled_reason = Some(self.reason.to_owned());
        endpoint.until_sequence = None;
        store::save(tx, &endpoint).await?;
        queue::wake_now(tx, endpoint.id).await?;
        let path = tx.target().path.ids().collect();
        let data = event::Disabled { webhook_endpoint_id: endpoint.id, reason: self.reason };
        tx.emit(Event::new(event::DISABLED, path, &data));
        Ok(true)
    }
}
