//! The delivery log.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};
use entity::delivery_attempt::Model as Attempt;
use futures_util::future::BoxFuture;

use crate::kernel::error::Error;
use crate::kernel::page::{Cursor, Page, Slice, SortKey, distinct};
use crate::organization::graphql::owned::Owned;
use crate::schema::connection::{Paged, connection};
use crate::schema::kind::DeliveryStatus;
use crate::schema::level::Level;
use crate::schema::scalar::DateTime;
use crate::schema::session::{Session, expose};
use crate::webhook::graphql::WebhookEndpoint;
use crate::webhook::model::{Delivery, Endpoint};
use crate::webhook::store::delivery as store;
use crate::webhook::store::delivery::Filter;

/// One event on its way to one endpoint: a series of attempts, until one succeeds or the last one failed.
#[derive(Clone)]
pub struct WebhookDelivery(Owned<Delivery>);

impl From<Owned<Delivery>> for WebhookDelivery {
    fn from(owned: Owned<Delivery>) -> Self {
        Self(owned)
    }
}

connection! {
    /// A page of deliveries.
    WebhookDeliveryConnection, WebhookDeliveryEdge, WebhookDelivery, "A delivery of a page."
}

/// The deliveries of endpoints that were listed together, as one level, and which of them are whose.
struct Pages {
    level: Arc<Level<Delivery>>,
    by_endpoint: HashMap<entity::id::WebhookEndpointId, Slice<usize>>,
}

impl WebhookDeliveryConnection {
    /// The endpoint's deliveries, newest first; one statement serves all endpoints of the level.
    pub async fn of(endpoint: &Owned<Endpoint>, filter: Filter, page: Page) -> Result<Self, Error> {
        let session = Arc::clone(&endpoint.owner.siblings.session);
        let keys = |level: &Level<Endpoint>| -> Vec<_> {
            level.members.iter().map(|endpoint| (endpoint.realm_id, endpoint.id)).collect()
        };
        let pages = endpoint.level.once(format!("deliveries {filter:?} {page:?}"), || async {
            let found = store::of_endpoints(&session.snapshot(), &keys(&endpoint.level), filter, &page).await?;
            let mut members = Vec::new();
            let mut by_endpoint = HashMap::with_capacity(found.len());
            for (id, slice) in found {
                let rows = (members.len()..members.len() + slice.rows.len()).collect();
                members.extend(slice.rows);
                by_endpoint.insert(id, Slice { rows, has_next: slice.has_next, has_previous: slice.has_previous });
            }
            Ok(Pages { level: Level::new(members), by_endpoint })
        });
        let pages = pages.await?;
        let slice = pages.by_endpoint.get(&endpoint.row().id).map_or_else(Slice::empty, |slice| Slice {
            rows: slice
                .rows
                .iter()
                .map(|index| {
                    let owned = Owned::member(endpoint.owner.clone(), Arc::clone(&pages.level), *index);
                    (Cursor { key: SortKey::Age, id: owned.row().id.into() }, WebhookDelivery(owned))
                })
                .collect(),
            has_next: slice.has_next,
            has_previous: slice.has_previous,
        });
        let endpoint = endpoint.clone();
        let total = Arc::new(move || -> BoxFuture<'static, Result<i64, Error>> {
            let endpoint = endpoint.clone();
            Box::pin(async move {
                let session = &endpoint.owner.siblings.session;
                let counts = endpoint.level.once(format!("deliveries total {filter:?}"), || async {
                    store::count(&session.snapshot(), &keys(&endpoint.level), filter).await
                });
                Ok(counts.await?.get(&endpoint.row().id.into()).copied().unwrap_or(0))
            })
        });
        Ok(Self(Paged { slice, total }))
    }
}

/// One event on its way to one endpoint: a series of attempts, until one succeeds or the last one failed.
#[Object]
impl WebhookDelivery {
    /// The id, `dlv_…`.
    pub async fn id(&self) -> ID {
        self.0.row().id.to_string().into()
    }

    /// Where it is sent; null once the endpoint is removed.
    async fn webhook_endpoint(&self, ctx: &Context<'_>) -> Result<Option<WebhookEndpoint>> {
        let level = &self.0.level;
        let endpoints = level.once("endpoints", || async {
            let realms = distinct(level.members.iter().map(|delivery| delivery.realm_id));
            let ids = level.members.iter().map(|delivery| delivery.webhook_endpoint_id).collect();
            Ok(Level::new(store::endpoints(&Session::of(ctx).snapshot(), realms, ids).await?))
        });
        let endpoints = endpoints.await.map_err(|error| expose(ctx, error))?;
        let wanted = self.0.row().webhook_endpoint_id;
        let index = endpoints.members.iter().position(|endpoint| endpoint.id == wanted);
        Ok(index.map(|index| Owned::member(self.0.owner.clone(), Arc::clone(&endpoints), index).into()))
    }

    /// The event's id, `evt_…`: the header `webhook-id` of every attempt, of redeliveries too.
    async fn event_id(&self) -> ID {
        self.0.row().event_id.to_string().into()
    }

    /// What happened, such as `credit.charged`.
    async fn event_type(&self) -> &str {
        &self.0.row().event_type
    }

    /// Whom it happened to.
    async fn event_organization_id(&self) -> ID {
        self.0.row().event_organization_id.to_string().into()
    }

    /// Where it stands.
    async fn status(&self) -> DeliveryStatus {
        self.0.row().status.into()
    }

    /// How many attempts were made.
    async fn attempt_count(&self) -> i32 {
        i32::try_from(self.0.row().attempt_count).unwrap_or(i32::MAX)
    }

    /// When it is tried next. Null when it is settled, or waits for an earlier event of the same organization.
    async fn next_attempt_at(&self) -> Option<DateTime> {
        self.0.row().next_attempt_at.map(Into::into)
    }

    /// The delivery whose event this one sends once more, `dlv_…`.
    async fn redelivery_of_id(&self) -> Option<ID> {
        self.0.row().redelivery_of.map(|id| id.to_string().into())
    }

    /// When it was put in the queue.
    async fn created_at(&self) -> DateTime {
        self.0.row().created_at.into()
    }

    /// When it was delivered, given up or cancelled.
    async fn settled_at(&self) -> Option<DateTime> {
        self.0.row().settled_at.map(Into::into)
    }

    /// The attempts so far, oldest first; at most 8.
    async fn attempts(&self, ctx: &Context<'_>) -> Result<Vec<WebhookDeliveryAttempt>> {
        let level = &self.0.level;
        let attempts = level.once("attempts", || async {
            let realms = distinct(level.members.iter().map(|delivery| delivery.realm_id));
            let ids = level.members.iter().map(|delivery| delivery.id).collect();
            store::attempts(&Session::of(ctx).snapshot(), realms, ids).await
        });
        let attempts = attempts.await.map_err(|error| expose(ctx, error))?;
        let own = attempts.get(&self.0.row().id).cloned().unwrap_or_default();
        Ok(own.into_iter().map(WebhookDeliveryAttempt).collect())
    }
}

/// One request to an endpoint and what came of it.
pub struct WebhookDeliveryAttempt(Attempt);

/// One request to an endpoint and what came of it.
#[Object]
impl WebhookDeliveryAttempt {
    /// Which one it was, from 1.
    async fn number(&self) -> i32 {
        i32::try_from(self.0.number).unwrap_or(i32::MAX)
    }

    /// When it was sent.
    async fn started_at(&self) -> DateTime {
        self.0.started_at.into()
    }

    /// How long it took, in milliseconds.
    async fn duration_ms(&self) -> i32 {
        i32::try_from(self.0.duration_ms).unwrap_or(i32::MAX)
    }

    /// The HTTP status it was answered with; null when there was no answer.
    async fn response_status(&self) -> Option<i32> {
        self.0.response_status.and_then(|status| i32::try_from(status).ok())
    }

    /// The first 1024 bytes of the answer's body, as text.
    async fn response_body(&self) -> Option<&str> {
        self.0.response_body.as_deref()
    }

    /// Why it failed, when the answer does not say.
    async fn error(&self) -> Option<&str> {
        self.0.error.as_deref()
    }
}
