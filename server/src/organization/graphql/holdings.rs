//! What an organization holds beside credits and keys: fields of `Organization` whose types other features own.

use async_graphql::{Context, Object, Result};

use crate::access::policy::Permission;
use crate::organization::graphql::object::{Organization, page};
use crate::organization::graphql::owned::paged;
use crate::schema::session::expose;
use crate::webhook::graphql::WebhookEndpointConnection;

/// A part of `Organization`; its fields stand among that type's own.
pub struct OrganizationHoldings(pub Organization);

#[Object]
impl OrganizationHoldings {
    /// Where its events are sent, newest first. Needs `webhooks:*`.
    async fn webhook_endpoints(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start, at most 100; 25 when neither first nor last is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Result<Option<WebhookEndpointConnection>> {
        self.0.need(ctx, Permission::WebhookRead)?;
        let page = page(ctx, first, after.as_deref(), last, before.as_deref())?;
        let paged = paged(&self.0, None, page).await.map_err(|error| expose(ctx, error))?;
        Ok(Some(WebhookEndpointConnection(paged)))
    }
}
