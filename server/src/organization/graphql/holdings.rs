//! What an organization holds beside credits and keys: fields of `Organization` whose types other features own.

use async_graphql::{Context, Object, Result};

use crate::kernel::owned::Only;
use crate::member::graphql::MemberConnection;
use crate::organization::graphql::object::{Organization, page};
use crate::organization::graphql::owned::paged;
use crate::project::graphql::ProjectConnection;
use crate::schema::kind::InvoiceStatus;
use crate::schema::session::expose;
use crate::trade::graphql::{BuyerConnection, InvoiceConnection, SellerConnection};
use crate::webhook::graphql::WebhookEndpointConnection;

/// A part of `Organization`; its fields stand among that type's own.
pub struct OrganizationHoldings(pub Organization);

#[Object(guard = "self.0.by_row(\"Organization\")")]
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
        let page = page(ctx, first, after.as_deref(), last, before.as_deref())?;
        let paged = paged(&self.0, None, page).await.map_err(|error| expose(ctx, error))?;
        Ok(Some(WebhookEndpointConnection(paged)))
    }

    /// Its members, newest first. Needs `members:*`.
    async fn members(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start, at most 100; 25 when neither first nor last is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Result<Option<MemberConnection>> {
        let page = page(ctx, first, after.as_deref(), last, before.as_deref())?;
        let paged = paged(&self.0, None, page).await.map_err(|error| expose(ctx, error))?;
        Ok(Some(MemberConnection(paged)))
    }

    /// Its projects, newest first. Needs `projects:*`, and `DATA_READ` delegated along the path.
    async fn projects(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start, at most 100; 25 when neither first nor last is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Result<Option<ProjectConnection>> {
        let page = page(ctx, first, after.as_deref(), last, before.as_deref())?;
        let paged = paged(&self.0, None, page).await.map_err(|error| expose(ctx, error))?;
        Ok(Some(ProjectConnection(paged)))
    }

    /// Its sellers, newest first. Needs `trade:*`, and `DATA_READ` delegated along the path.
    async fn sellers(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start, at most 100; 25 when neither first nor last is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Result<Option<SellerConnection>> {
        let page = page(ctx, first, after.as_deref(), last, before.as_deref())?;
        let paged = paged(&self.0, None, page).await.map_err(|error| expose(ctx, error))?;
        Ok(Some(SellerConnection(paged)))
    }

    /// Its buyers, newest first. Needs `trade:*`, and `DATA_READ` delegated along the path.
    async fn buyers(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start, at most 100; 25 when neither first nor last is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
    ) -> Result<Option<BuyerConnection>> {
        let page = page(ctx, first, after.as_deref(), last, before.as_deref())?;
        let paged = paged(&self.0, None, page).await.map_err(|error| expose(ctx, error))?;
        Ok(Some(BuyerConnection(paged)))
    }

    /// Its invoices, newest first. Needs `trade:*`, and `DATA_READ` delegated along the path.
    async fn invoices(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start, at most 100; 25 when neither first nor last is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
        #[graphql(desc = "Only those that stand so.")] status: Option<InvoiceStatus>,
    ) -> Result<Option<InvoiceConnection>> {
        let page = page(ctx, first, after.as_deref(), last, before.as_deref())?;
        let status = status.map(entity::kind::InvoiceStatus::from);
        let only = status.map(|status| Only { column: "status", value: status.as_str() });
        let paged = paged(&self.0, only, page).await.map_err(|error| expose(ctx, error))?;
        Ok(Some(InvoiceConnection(paged)))
    }
}
