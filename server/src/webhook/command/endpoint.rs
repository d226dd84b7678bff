//! Registering, changing and removing webhook endpoints.

use entity::codec::Json;
use entity::id::{AnyId, OrganizationId, WebhookEndpointId};
use entity::kind::EventScope;
use serde::{Deserialize, Serialize};

use crate::kernel::command::{Command, Subject};
use crate::kernel::error::{ErrorCode, Refusal, Result};
use crate::kernel::event::Event;
use crate::kernel::owned;
use crate::kernel::seal::Sealer;
use crate::kernel::tx::Tx;
use crate::organization::api::live_target;
use crate::organization::model::Change;
use crate::webhook::command::{described, secret_place, tell};
use crate::webhook::event;
use crate::webhook::model::{
    DISABLED_ON_REQUEST, ENDPOINTS_MAX, Endpoint, check_description, check_scope, check_url, event_types, secret,
};
use crate::webhook::store::{endpoint as store, queue};

/// An endpoint just registered. The secret is there the first time only.
#[derive(Clone, Serialize, Deserialize)]
pub struct Registered {
    pub endpoint: Endpoint,
    pub secret: Option<String>,
}

impl std::fmt::Debug for Registered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registered").field("endpoint", &self.endpoint.id).finish_non_exhaustive()
    }
}

/// Registers an endpoint.
#[derive(Clone, Debug, Serialize)]
pub struct CreateEndpoint {
    pub organization: Option<OrganizationId>,
    pub url: String,
    pub event_types: Vec<String>,
    pub scope: EventScope,
    pub description: Option<String>,
    /// The deployment's setting, not the caller's.
    #[serde(skip)]
    pub allow_http_loopback: bool,
    #[serde(skip)]
    pub sealer: Sealer,
    #[serde(skip)]
    pub idempotency_key: Option<String>,
}

impl Command for CreateEndpoint {
    const NAME: &'static str = "webhookEndpointCreate";
    const REFUSALS: &'static [ErrorCode] = &[ErrorCode::InvalidInput, ErrorCode::ForbiddenScope, ErrorCode::Conflict];
    type Output = Registered;

    fn subject(&self) -> Subject {
        Subject::Organization(self.organization)
    }

    fn idempotency_key(&self) -> Option<&str> {
        self.idempotency_key.as_deref()
    }

    async fn run(&self, tx: &mut Tx) -> Result<Registered> {
        let organization = live_target(tx)?;
        check_url(&self.url, self.allow_http_loopback)?;
        let types = event_types(&self.event_types)?;
        check_scope(&tx.target().scopes, self.scope)?;
        self.description.as_deref().map_or(Ok(()), check_description)?;
        if store::count(tx, organization).await? >= ENDPOINTS_MAX {
            let message = format!("An organization has at most {ENDPOINTS_MAX} endpoints. Remove one first.");
            return Err(Refusal::conflict(message).into());
        }
        let secret = secret(tx.secret());
        let id = tx.id();
        let endpoint = Endpoint {
            realm_id: tx.realm(),
            id,
            organization_id: organization,
            url: self.url.clone(),
            event_types: Json(types),
            scope: self.scope,
            description: self.description.clone(),
            secret_sealed: self.sealer.seal(secret_place(tx.realm(), id, "secret_sealed"), &secret, tx.secret()),
            created_at: tx.now(),
            disabled_at: None,
            disabled_reason: None,
            paused_at: None,
            previous_secret_sealed: None,
            previous_secret_expires_at: None,
            since_sequence: tx.last_sequence(),
            until_sequence: None,
        };
        store::insert(tx, endpoint.clone()).await?;
        queue::open(tx, id).await?;
        tell(tx, event::CREATED, &endpoint);
        Ok(Registered { endpoint, secret: Some(secret) })
    }

    fn forget_secrets(output: &mut Registered) {
        output.secret = None;
    }
}

/// Changes an endpoint; its secret stays.
#[derive(Clone, Debug, Serialize)]
pub struct UpdateEndpoint {
    pub endpoint: WebhookEndpointId,
    pub url: Option<String>,
    pub event_types: Option<Vec<String>>,
    pub scope: Option<EventScope>,
    pub description: Change<String>,
    pub enabled: Option<bool>,
    #[serde(skip)]
    pub allow_http_loopback: bool,
}

impl Command for UpdateEndpoint {
    const NAME: &'static str = "webhookEndpointUpdate";
    const REFUSALS: &'static [ErrorCode] = &[ErrorCode::InvalidInput, ErrorCode::ForbiddenScope, ErrorCode::Conflict];
    type Output = Endpoint;

    fn subject(&self) -> Subject {
        Subject::OwnerOf(AnyId::WebhookEndpoint(self.endpoint))
    }

    async fn run(&self, tx: &mut Tx) -> Result<Endpoint> {
        live_target(tx)?;
        let mut endpoint: Endpoint = owned::get(tx, self.endpoint).await?;
        let before = described(&endpoint);
        // Whoever may change the address of a wide endpoint may send other organizations' events where they like.
        check_scope(&tx.target().scopes, endpoint.scope)?;
        if let Some(scope) = self.scope {
            check_scope(&tx.target().scopes, scope)?;
            endpoint.scope = scope;
        }
        if let Some(url) = &self.url {
            check_url(url, self.allow_http_loopback)?;
            endpoint.url.clone_from(url);
        }
        if let Some(types) = &self.event_types {
            endpoint.event_types = Json(event_types(types)?);
        }
        if let Change::Set(text) = &self.description {
            check_description(text)?;
        }
        endpoint.description = self.description.apply(endpoint.description.take());
        match self.enabled {
            Some(true) if endpoint.disabled_at.is_some() => {
                (endpoint.disabled_at, endpoint.disabled_reason) = (None, None);
                // What happened meanwhile is not caught up with.
                endpoint.since_sequence = tx.last_sequence();
                queue::forgive(tx, endpoint.id).await?;
            }
            Some(false) if endpoint.disabled_at.is_none() => {
                endpoint.disabled_at = Some(tx.now());
                endpoint.disabled_reason = Some(DISABLED_ON_REQUEST.to_owned());
                queue::wake_now(tx, endpoint.id).await?;
            }
            _ => {}
        }
        store::save(tx, &endpoint).await?;
        tx.note_change(&before, &described(&endpoint));
        tell(tx, event::UPDATED, &endpoint);
        Ok(endpoint)
    }
}

/// Removes an endpoint.
#[derive(Clone, Debug, Serialize)]
pub struct DeleteEndpoint {
    pub endpoint: WebhookEndpointId,
}

impl Command for DeleteEndpoint {
    const NAME: &'static str = "webhookEndpointDelete";
    const REFUSALS: &'static [ErrorCode] = &[ErrorCode::ForbiddenScope];
    type Output = OrganizationId;

    fn subject(&self) -> Subject {
        Subject::OwnerOf(AnyId::WebhookEndpoint(self.endpoint))
    }

    async fn run(&self, tx: &mut Tx) -> Result<OrganizationId> {
        let endpoint: Endpoint = owned::get(tx, self.endpoint).await?;
        check_scope(&tx.target().scopes, endpoint.scope)?;
        store::delete(tx, endpoint.id).await?;
        // Whoever serves it next finds it gone and clears its log.
        queue::wake_now(tx, endpoint.id).await?;
        let path = tx.target().path.ids().collect();
        tx.emit(Event::new(event::DELETED, path, &event::Deleted { webhook_endpoint_id: endpoint.id }));
        tx.note("webhookEndpointId", endpoint.id.to_string());
        Ok(endpoint.organization_id)
    }
}
