//! The GraphQL schema: what features offer, put together, and what all of it shares.
//!
//! Types wrap what the features' rules and stores answer with and hold no rules. Lists load by [`level`]; refusals become
//! [`user_error`]s; ids are parsed by [`session`]. A new feature adds its fragment to the three lists below and its node to
//! [`node`].

pub mod connection;
pub mod guard;
pub mod kind;
pub mod level;
pub mod node;
mod nullable;
pub mod payload;
pub mod rate_limit;
pub mod scalar;
pub mod session;
#[cfg(test)]
pub(crate) mod testing;
pub mod user_error;
pub mod viewer;

use async_graphql::{Context, MergedObject, MergedSubscription, Object, SDLExportOptions};

use crate::access::graphql::AccessQuery;
use crate::api_key::graphql::{ApiKeyMutation, ApiKeyQuery};
use crate::audit::graphql::AuditQuery;
use crate::credit::graphql::{CreditBatchMutation, CreditMutation, CreditQuery};
use crate::event::graphql::{EventQuery, EventSubscription};
use crate::http::guard::Limits;
use crate::member::graphql::{MemberMutation, ProvisionMutation};
use crate::organization::graphql::{OrganizationMutation, OrganizationQuery, RestructureMutation, RestructureQuery};
use crate::project::graphql::ProjectMutation;
use crate::schema::node::NodeQuery;
use crate::schema::viewer::Viewer;
use crate::trade::graphql::TradeMutation;
use crate::webhook::graphql::WebhookMutation;

/// Reads. Everything a query answers is limited to what the caller may see.
#[derive(MergedObject, Default)]
pub struct Query(
    ViewerQuery,
    NodeQuery,
    OrganizationQuery,
    RestructureQuery,
    ApiKeyQuery,
    CreditQuery,
    EventQuery,
    AuditQuery,
    AccessQuery,
);

/// Changes. Each has one `input` and answers with what changed, or with `userErrors` and nothing changed.
#[derive(MergedObject, Default)]
pub struct Mutation(
    OrganizationMutation,
    RestructureMutation,
    ProvisionMutation,
    ApiKeyMutation,
    CreditMutation,
    CreditBatchMutation,
    MemberMutation,
    WebhookMutation,
    ProjectMutation,
    TradeMutation,
);

#[derive(Default)]
pub struct ViewerQuery;

#[Object]
impl ViewerQuery {
    /// Who the request comes from and what it may do.
    async fn viewer(&self, _ctx: &Context<'_>) -> Viewer {
        Viewer
    }
}

/// Live streams. A stream ends when the key that opened it does.
#[derive(MergedSubscription, Default)]
pub struct Subscription(EventSubscription);

pub type Schema = async_graphql::Schema<Query, Mutation, Subscription>;

/// The schema. The engine's own limits are a second belt: the transport's guard has refused before what they refuse.
pub fn build() -> Schema {
    let schema = Schema::build(Query::default(), Mutation::default(), Subscription::default())
        .register_output_type::<node::Node>()
        .register_output_type::<user_error::UserError>()
        .extension(nullable::NullOnError);
    Limits::default().second_belt(schema).finish()
}

/// The schema as text, sorted, as it is committed.
pub fn sdl() -> String {
    let options = SDLExportOptions::new().sorted_fields().sorted_arguments().sorted_enum_items().include_specified_by();
    build().sdl_with_options(options)
}
