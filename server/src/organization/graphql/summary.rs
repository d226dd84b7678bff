//! The type `OrganizationSummary`.

use async_graphql::{Context, Object, Result};

use crate::access::fields::handed;
use crate::access::policy::Permission;
use crate::credit::graphql::Wallet;
use crate::kernel::error::Error;
use crate::kernel::page::{count_per_owner, counts};
use crate::organization::graphql::list::parents_with_status;
use crate::organization::graphql::object::Organization;
use crate::organization::store;
use crate::schema::scalar::Credits;
use crate::schema::session::expose;

/// Counts and figures of an organization.
pub struct OrganizationSummary {
    pub(super) of: Organization,
}

/// Counts and figures of an organization.
#[Object(guard = "self.of.by_row(\"OrganizationSummary\")")]
impl OrganizationSummary {
    /// How many organizations are directly below it.
    async fn child_count(&self, ctx: &Context<'_>) -> Result<i32> {
        let siblings = &self.of.siblings;
        let counts = siblings.level.once("summary children", || async {
            let parents = parents_with_status(siblings, &store::Filter::default()).await?;
            store::count_children(&siblings.session.snapshot(), &parents, &store::Filter::default()).await
        });
        let counts = counts.await.map_err(|error| expose(ctx, error))?;
        Ok(counts.get(&self.of.organization_id()).map_or(0, |count| i32::try_from(*count).unwrap_or(i32::MAX)))
    }

    /// How many projects it has. Needs `DATA_READ` delegated along the path.
    async fn project_count(&self, ctx: &Context<'_>) -> Result<Option<i32>> {
        let count = self.of.count(const { handed("Project") }, "project").await.map_err(|error| expose(ctx, error))?;
        Ok(Some(count))
    }

    /// How many API keys it has ever had. Needs `keys:*`.
    async fn api_key_count(&self, ctx: &Context<'_>) -> Result<Option<i32>> {
        let count = self.of.count(const { handed("ApiKey") }, "api_key").await.map_err(|error| expose(ctx, error))?;
        Ok(Some(count))
    }

    /// The balance of its LIVE wallet.
    async fn balance(&self, ctx: &Context<'_>) -> Result<Option<Credits>> {
        let wallet = Wallet::of(&self.of, entity::kind::Environment::Live).await;
        Ok(wallet.map_err(|error| expose(ctx, error))?.map(|wallet| Credits(wallet.row().balance)))
    }

    /// The balance of its LIVE wallet minus what is held.
    async fn available(&self, ctx: &Context<'_>) -> Result<Option<Credits>> {
        let wallet = Wallet::of(&self.of, entity::kind::Environment::Live).await;
        Ok(wallet.map_err(|error| expose(ctx, error))?.map(|wallet| Credits(wallet.available())))
    }
}

impl Organization {
    /// Rows of a table that belong to it; one statement for all siblings that may be counted.
    async fn count(&self, permission: Permission, table: &'static str) -> Result<i32, Error> {
        let counted = self.siblings.level.once(format!("count {table}"), || async {
            let owners: Vec<_> = self.permitted(permission).into_iter().map(|(realm, id)| (realm, id.into())).collect();
            let sql = count_per_owner(table, "organization_id", &owners, |_| {});
            counts(&self.siblings.session.snapshot(), &sql).await
        });
        let total = counted.await?.get(&self.organization_id().into()).copied().unwrap_or(0);
        Ok(i32::try_from(total).unwrap_or(i32::MAX))
    }
}
