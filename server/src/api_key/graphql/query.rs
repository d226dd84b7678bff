//! Queries about API keys.

use async_graphql::{Context, ID, Object, Result};

use crate::access::fields::needs;
use crate::api_key::graphql::object::{ApiKeyConnection, ApiKeyFilter};
use crate::kernel::error::{Error, Refusal};
use crate::organization::graphql::{Organization, Organizations, page};
use crate::schema::session::{Session, expose, optional_id};

#[derive(Default)]
pub struct ApiKeyQuery;

#[Object]
impl ApiKeyQuery {
    /// The API keys of an organization, newest first. Needs `keys:*`.
    #[expect(clippy::too_many_arguments, reason = "a Relay connection with a filter has these arguments")]
    async fn api_keys(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The acting organization when absent.")] organization_id: Option<ID>,
        #[graphql(desc = "How many from the start, at most 100; 25 when neither first nor last is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
        #[graphql(desc = "Which of them.")] filter: Option<ApiKeyFilter>,
    ) -> Result<Option<ApiKeyConnection>> {
        let page = page(ctx, first, after.as_deref(), last, before.as_deref())?;
        let session = Session::of(ctx);
        let read = async {
            let named = optional_id(organization_id.as_ref(), "organizationId")?;
            let (_, path, _) = session.target(named, const { needs("Query", "apiKeys") }).await?;
            let level = Organizations::of_ids(session, &[path.id()]).await?;
            let owner = Organization::all(&level).pop().ok_or_else(Refusal::not_found)?;
            ApiKeyConnection::of(&owner, filter, page).await
        };
        let found: Result<_, Error> = read.await;
        found.map(Some).map_err(|error| expose(ctx, error))
    }
}
