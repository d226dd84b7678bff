//! The type `Organization`.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};
use entity::id::{OrganizationId, RealmId};
use entity::kind::CounterSubject;

use crate::access::policy::Permission;
use crate::api_key::graphql::{ApiKeyConnection, ApiKeyFilter};
use crate::credit::graphql::{HoldConnection, LedgerEntryConnection, Wallet};
use crate::kernel::error::Error;
use crate::kernel::page::Page;
use crate::organization::graphql::edge::OrganizationPast;
use crate::organization::graphql::holdings::OrganizationHoldings;
use crate::organization::graphql::input::{OrganizationFilter, OrganizationOrder};
use crate::organization::graphql::level::{Member, OrganizationLevel, Organizations, status_of};
use crate::organization::graphql::list::{ChildPages, flat, parents_with_status};
use crate::organization::graphql::standing::{Funding, Limits, Suspension};
use crate::organization::graphql::summary::OrganizationSummary;
use crate::organization::model;
use crate::organization::store::{self, Status, Within};
use crate::schema::connection::{Paged, connection};
use crate::schema::guard::ByRow;
use crate::schema::kind::{
    BillingMode, Delegation, EffectiveStatus, Environment, HoldStatus, OrganizationStatus, Relation, Tier,
};
use crate::schema::scalar::{CountryCode, Credits, Currency, Date, DateTime, Json};
use crate::schema::session::{Session, expose, id_of};

/// A node of the tree: a tenant, with its own keys, wallets, members, webhooks, usage and books.
#[derive(Clone)]
pub struct Organization {
    pub siblings: OrganizationLevel,
    pub index: usize,
}

connection! {
    /// A page of organizations.
    OrganizationConnection, OrganizationEdge, Organization, "An organization of a page."
}

impl Organization {
    pub fn member(&self) -> &Member {
        &self.siblings.level.members[self.index]
    }

    pub fn organization_id(&self) -> OrganizationId {
        self.member().id
    }

    /// Every member of a level as an object.
    pub fn all(level: &OrganizationLevel) -> Vec<Self> {
        (0..level.level.members.len()).map(|index| Self { siblings: Arc::clone(level), index }).collect()
    }

    /// The member with this id.
    pub fn find(level: &OrganizationLevel, id: OrganizationId) -> Option<Self> {
        let index = level.level.members.iter().position(|member| member.id == id)?;
        Some(Self { siblings: Arc::clone(level), index })
    }

    fn session(&self) -> &Arc<Session> {
        &self.siblings.session
    }

    async fn record(&self, ctx: &Context<'_>) -> Result<&model::Organization> {
        if let Some(record) = self.member().known() {
            return Ok(record);
        }
        // Boxed: this is part of the future of nearly every field.
        Box::pin(self.siblings.record(self.index)).await.map_err(|error| expose(ctx, error))
    }

    /// Guards fields of a type that stands for this organization, or for a part of it.
    pub fn by_row(&self, of: &'static str) -> ByRow<'_> {
        ByRow { session: self.session(), reach: self.member().reach, of }
    }

    /// Whether the caller may do this in it.
    pub fn may(&self, permission: Permission) -> bool {
        self.session().allows(self.member().reach, permission).is_ok()
    }

    /// Keys of every sibling that the caller may see this of; one statement serves them all.
    pub fn permitted(&self, permission: Permission) -> Vec<(RealmId, OrganizationId)> {
        let members = self.siblings.level.members.iter();
        members
            .filter(|member| self.session().allows(member.reach, permission).is_ok())
            .map(|member| (member.realm, member.id))
            .collect()
    }

    async fn ancestor(&self, id: Option<OrganizationId>) -> Result<Option<Self>, Error> {
        let Some(id) = id else { return Ok(None) };
        if id == self.organization_id() {
            return Ok(Some(self.clone()));
        }
        Ok(Self::find(&*self.siblings.ancestors().await?, id))
    }
}

/// The organization that what a command answered with belongs to.
pub async fn owner_of(ctx: &Context<'_>, id: OrganizationId) -> Result<Option<Organization>> {
    let level = Organizations::of_ids(Session::of(ctx), &[id]).await;
    Ok(Organization::all(&level.map_err(|error| expose(ctx, error))?).pop())
}

/// Reads the arguments every connection takes.
pub fn page(
    ctx: &Context<'_>,
    first: Option<i32>,
    after: Option<&str>,
    last: Option<i32>,
    before: Option<&str>,
) -> Result<Page> {
    Page::new(first, after, last, before).map_err(|refusal| expose(ctx, refusal.into()))
}

/// A node of the tree: a tenant, with its own keys, wallets, members, webhooks, usage and books.
#[Object(guard = "self.by_row(\"Organization\")")]
impl Organization {
    /// The id, `org_…`.
    pub async fn id(&self) -> ID {
        self.organization_id().to_string().into()
    }

    /// What people call it.
    async fn name(&self, ctx: &Context<'_>) -> Result<&str> {
        Ok(&self.record(ctx).await?.name)
    }

    /// Contact address.
    async fn email(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        Ok(self.record(ctx).await?.email.as_deref())
    }

    /// Where bills go.
    async fn billing_email(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        Ok(self.record(ctx).await?.billing_email.as_deref())
    }

    /// XXXXXXXX-XXXX.
    async fn tax_number(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        Ok(self.record(ctx).await?.tax_number.as_deref())
    }

    /// E.164.
    async fn phone_number(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        Ok(self.record(ctx).await?.phone_number.as_deref())
    }

    /// Its web address.
    async fn website(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        Ok(self.record(ctx).await?.website.as_deref())
    }

    /// Where it is at home.
    async fn country(&self, ctx: &Context<'_>) -> Result<Option<CountryCode>> {
        Ok(self.record(ctx).await?.country.clone().map(CountryCode))
    }

    /// What it does.
    async fn industry(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        Ok(self.record(ctx).await?.industry.as_deref())
    }

    /// The currency of its books: its own or the nearest ancestor's.
    async fn base_currency(&self, ctx: &Context<'_>) -> Result<Option<Currency>> {
        if let Some(own) = &self.record(ctx).await?.base_currency {
            return Ok(Some(Currency(own.clone())));
        }
        let read = async {
            let paths = self.siblings.paths().await?;
            let inherited = self
                .siblings
                .level
                .once("inheritedCurrency", || async {
                    let ids: Vec<OrganizationId> = paths.values().flat_map(|(_, path)| path.ids().skip(1)).collect();
                    let records = store::by_ids(&self.session().snapshot(), &self.siblings.realms(), &ids).await?;
                    Ok(records
                        .into_iter()
                        .filter_map(|record| Some((record.id, record.base_currency?)))
                        .collect::<HashMap<_, _>>())
                })
                .await?;
            let path = paths.get(&self.organization_id());
            Ok(path.and_then(|(_, path)| path.ids().find_map(|id| inherited.get(&id).cloned())))
        };
        let currency: Result<Option<String>, Error> = read.await;
        Ok(currency.map_err(|error| expose(ctx, error))?.map(Currency))
    }

    /// A name of the IANA database; months of its limits begin there.
    async fn timezone(&self, ctx: &Context<'_>) -> Result<&str> {
        Ok(&self.record(ctx).await?.timezone)
    }

    /// Your own id for it.
    async fn external_id(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        Ok(self.record(ctx).await?.external_id.as_deref())
    }

    /// An object of strings.
    async fn metadata(&self, ctx: &Context<'_>) -> Result<Json> {
        Ok(Json::metadata(&self.record(ctx).await?.metadata))
    }

    /// How it buys credits.
    async fn billing_mode(&self, ctx: &Context<'_>) -> Result<BillingMode> {
        Ok(self.record(ctx).await?.billing_mode.into())
    }

    /// What its plan allows.
    async fn tier(&self, ctx: &Context<'_>) -> Result<Tier> {
        Ok(self.record(ctx).await?.tier.into())
    }

    /// Its own status; see `effectiveStatus` for what counts.
    async fn status(&self, ctx: &Context<'_>) -> Result<OrganizationStatus> {
        Ok(if self.record(ctx).await?.archived_at.is_some() {
            OrganizationStatus::Archived
        } else {
            OrganizationStatus::Active
        })
    }

    /// How data flows to the parent; null on a root.
    async fn relation(&self, ctx: &Context<'_>) -> Result<Option<Relation>> {
        let record = self.record(ctx).await?;
        Ok(record.parent_id.map(|_| record.relation.into()))
    }

    /// What the edge to the parent lets ancestors do besides control; empty on a root.
    async fn delegation(&self, ctx: &Context<'_>) -> Result<Vec<Delegation>> {
        let record = self.record(ctx).await?;
        Ok(record.parent_id.map_or_else(Vec::new, |_| record.delegation.iter().map(Into::into).collect()))
    }

    /// Grows with every change of the record; give it to `expectedVersion`.
    async fn version(&self, ctx: &Context<'_>) -> Result<i32> {
        Ok(i32::try_from(self.record(ctx).await?.version).unwrap_or(i32::MAX))
    }

    /// When it was made.
    async fn created_at(&self, ctx: &Context<'_>) -> Result<DateTime> {
        Ok(self.record(ctx).await?.created_at.into())
    }

    /// When the record last changed.
    async fn updated_at(&self, ctx: &Context<'_>) -> Result<DateTime> {
        Ok(self.record(ctx).await?.updated_at.into())
    }

    /// When it was archived.
    async fn archived_at(&self, ctx: &Context<'_>) -> Result<Option<DateTime>> {
        Ok(self.record(ctx).await?.archived_at.map(Into::into))
    }

    /// How many levels down the tree it is; a root is 1.
    async fn depth(&self, ctx: &Context<'_>) -> Result<i32> {
        let paths = self.siblings.paths().await.map_err(|error| expose(ctx, error))?;
        let depth = paths.get(&self.organization_id()).map_or(0, |(_, path)| path.depth());
        Ok(i32::try_from(depth).unwrap_or(i32::MAX))
    }

    /// The worst over it and its ancestors: what its keys and charges meet.
    async fn effective_status(&self, ctx: &Context<'_>) -> Result<EffectiveStatus> {
        let paths = self.siblings.paths().await.map_err(|error| expose(ctx, error))?;
        let status = paths.get(&self.organization_id()).map_or(Status::Archived, |(_, path)| status_of(path));
        Ok(match status {
            Status::Active => EffectiveStatus::Active,
            Status::Suspended => EffectiveStatus::Suspended,
            Status::Archived => EffectiveStatus::Archived,
        })
    }

    /// What suspends it: on itself and on its ancestors, oldest first.
    async fn suspensions(&self, ctx: &Context<'_>) -> Result<Vec<Suspension>> {
        let read = async {
            let paths = self.siblings.paths().await?;
            let rows = self
                .siblings
                .level
                .once("suspensions", || async {
                    let of: Vec<(RealmId, OrganizationId)> =
                        paths.values().flat_map(|(realm, path)| path.ids().map(|id| (*realm, id))).collect();
                    store::suspensions(&self.session().snapshot(), &of).await
                })
                .await?;
            let path = paths.get(&self.organization_id());
            let on_path = |id| path.is_some_and(|(_, path)| path.contains(id));
            Ok(rows.iter().filter(|row| on_path(row.organization_id)).map(Suspension::of).collect())
        };
        let suspensions: Result<Vec<Suspension>, Error> = read.await;
        suspensions.map_err(|error| expose(ctx, error))
    }

    /// The organization above it; null on a root and where the caller does not see it.
    async fn parent(&self, ctx: &Context<'_>) -> Result<Option<Self>> {
        let parent = self.record(ctx).await?.parent_id;
        self.ancestor(parent).await.map_err(|error| expose(ctx, error))
    }

    /// The top of the tree; null where the caller does not see it.
    async fn root(&self, ctx: &Context<'_>) -> Result<Option<Self>> {
        let paths = self.siblings.paths().await.map_err(|error| expose(ctx, error))?;
        let root = paths.get(&self.organization_id()).and_then(|(_, path)| path.ids().next_back());
        self.ancestor(root).await.map_err(|error| expose(ctx, error))
    }

    /// The organizations above it as far as the caller sees them, nearest first.
    async fn ancestors(&self, ctx: &Context<'_>) -> Result<Vec<Self>> {
        let read = async {
            let paths = self.siblings.paths().await?;
            let above = self.siblings.ancestors().await?;
            let path = paths.get(&self.organization_id());
            Ok(path.map_or_else(Vec::new, |(_, path)| {
                path.ids().skip(1).filter_map(|id| Self::find(&above, id)).collect()
            }))
        };
        let ancestors: Result<Vec<Self>, Error> = read.await;
        ancestors.map_err(|error| expose(ctx, error))
    }

    /// The organizations directly below it.
    #[expect(clippy::too_many_arguments, reason = "a Relay connection with filter and order has these arguments")]
    async fn children(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start, at most 100; 25 when neither first nor last is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
        #[graphql(desc = "Which of them.")] filter: Option<OrganizationFilter>,
        #[graphql(desc = "By name when absent.")] order_by: Option<OrganizationOrder>,
    ) -> Result<OrganizationConnection> {
        let page = page(ctx, first, after.as_deref(), last, before.as_deref())?;
        let filter = OrganizationFilter::read(filter);
        let sort = OrganizationOrder::read(order_by);
        let key = format!("children {filter:?} {sort:?} {page:?}");
        let siblings = Arc::clone(&self.siblings);
        let (wanted, sorted) = (filter.clone(), sort);
        let pages = siblings.level.once(key, || async {
            let parents = parents_with_status(&siblings, &wanted).await?;
            let snapshot = siblings.session.snapshot();
            let pages = store::children(&snapshot, &parents, &wanted, sorted, &page).await?;
            Ok(ChildPages::new(&siblings, pages, sorted))
        });
        let pages = pages.await.map_err(|error| expose(ctx, error))?;
        let slice = pages.of(self.organization_id());
        let (siblings, id) = (Arc::clone(&self.siblings), self.organization_id());
        let total = Arc::new(move || -> futures_util::future::BoxFuture<'static, Result<i64, Error>> {
            let (siblings, filter) = (Arc::clone(&siblings), filter.clone());
            Box::pin(async move {
                let counts = siblings.level.once(format!("children total {filter:?}"), || async {
                    let parents = parents_with_status(&siblings, &filter).await?;
                    store::count_children(&siblings.session.snapshot(), &parents, &filter).await
                });
                Ok(counts.await?.get(&id).copied().unwrap_or(0))
            })
        });
        Ok(OrganizationConnection(Paged { slice, total }))
    }

    /// Everything below it, down to `maxDepth` levels.
    #[expect(clippy::too_many_arguments, reason = "a Relay connection with filter and order has these arguments")]
    async fn descendants(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start, at most 100; 25 when neither first nor last is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
        #[graphql(desc = "How many levels below it, 1 to 32; all when absent.")] max_depth: Option<i32>,
        #[graphql(desc = "Which of them.")] filter: Option<OrganizationFilter>,
        #[graphql(desc = "By name when absent.")] order_by: Option<OrganizationOrder>,
    ) -> Result<OrganizationConnection> {
        let page = page(ctx, first, after.as_deref(), last, before.as_deref())?;
        let member = self.member();
        let within = Within::Subtree {
            realm: member.realm,
            top: member.id,
            with_top: false,
            depth_max: max_depth.map(|levels| u32::try_from(levels.clamp(1, 32)).unwrap_or(1)),
        };
        let paths = self.siblings.paths().await.map_err(|error| expose(ctx, error))?;
        let above = paths.get(&member.id).map_or(Status::Archived, |(_, path)| status_of(path));
        flat(ctx, self.session(), within, above, filter, order_by, &page).await
    }

    /// Who pays for its spend: itself, or the ancestor whose pool it draws on; null where the caller does not see it.
    async fn billing_organization(&self, ctx: &Context<'_>) -> Result<Option<Self>> {
        let payer = crate::credit::graphql::payer(&self.siblings, self.organization_id()).await;
        let payer = payer.map_err(|error| expose(ctx, error))?;
        self.ancestor(payer).await.map_err(|error| expose(ctx, error))
    }

    /// Whether data flows freely between it and another organization: both in one tree, every edge between them OWNED.
    async fn can_share_data_with(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The other organization.")] organization_id: ID,
    ) -> Result<bool> {
        let read = async {
            let other: OrganizationId = id_of(&organization_id, "organizationId")?;
            let (_, other, _) = self.session().find_path(other).await?;
            let paths = self.siblings.paths().await?;
            let Some((_, own)) = paths.get(&self.organization_id()) else { return Ok(false) };
            store::owned_between(&self.session().snapshot(), self.member().realm, own, &other).await
        };
        let shared: Result<bool, Error> = read.await;
        shared.map_err(|error| expose(ctx, error))
    }

    /// Its credits in one environment. Needs `BILLING` delegated along the path.
    async fn wallet(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which of its two wallets.", default_with = "Environment::Live")] environment: Environment,
    ) -> Result<Option<Wallet>> {
        Wallet::of(self, environment.into()).await.map_err(|error| expose(ctx, error))
    }

    /// Who pays for its spend, and what it offers its children.
    async fn funding(&self, ctx: &Context<'_>) -> Result<Funding> {
        let read = async {
            let parents = self.siblings.level.once("fundingParents", || async {
                let records = self.siblings.records().await?;
                let ids: Vec<OrganizationId> = records.iter().filter_map(|record| record.parent_id).collect();
                let records = store::by_ids(&self.session().snapshot(), &self.siblings.realms(), &ids).await?;
                Ok(records
                    .into_iter()
                    .map(|record| (record.id, (record.primary_covers_secondary, record.fallback_to_primary)))
                    .collect::<HashMap<_, _>>())
            });
            let record = self.siblings.record(self.index).await?;
            let parents = parents.await?;
            let parent = record.parent_id.and_then(|id| parents.get(&id).copied());
            Ok(Funding {
                mode: model::funding_mode(record.funding, parent).into(),
                inherited: record.parent_id.is_some() && record.funding.is_none(),
                primary_covers_secondary: record.primary_covers_secondary,
                fallback_to_primary: record.fallback_to_primary,
                minimum_reserve: record.minimum_reserve.into(),
            })
        };
        let funding: Result<Funding, Error> = read.await;
        funding.map_err(|error| expose(ctx, error))
    }

    /// Its caps and automatic refill, and what this month has used of them.
    async fn limits(&self, ctx: &Context<'_>) -> Result<Limits> {
        let record = self.record(ctx).await?;
        let usage = crate::credit::graphql::usage(&self.siblings).await.map_err(|error| expose(ctx, error))?;
        let month = crate::credit::graphql::this_month(&record.timezone, self.session().now());
        let used = |kind: CounterSubject| Credits(usage.used(kind, record.id, month.number));
        let (state, reason) = usage.refill(record.id);
        Ok(Limits {
            monthly_credit_cap: record.monthly_credit_cap.map(Into::into),
            monthly_used: used(CounterSubject::Own),
            subtree_monthly_cap: record.subtree_monthly_cap.map(Into::into),
            subtree_monthly_used: used(CounterSubject::Subtree),
            refill_threshold: record.refill_threshold.map(Into::into),
            refill_amount: record.refill_amount.map(Into::into),
            refill_monthly_ceiling: record.refill_monthly_ceiling.map(Into::into),
            refilled_this_month: used(CounterSubject::Refill),
            refill_state: state.into(),
            refill_reason: reason.map(Into::into),
            auto_refill_enabled: record.refill_threshold.is_some(),
            period_start: Date(month.first_day),
            period_ends_at: month.ends_at.into(),
        })
    }

    /// Counts and figures for a card.
    async fn summary(&self) -> OrganizationSummary {
        OrganizationSummary { of: self.clone() }
    }

    /// Its API keys, newest first. Needs `keys:*`.
    async fn api_keys(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start, at most 100; 25 when neither first nor last is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
        #[graphql(desc = "Which of them.")] filter: Option<ApiKeyFilter>,
    ) -> Result<Option<ApiKeyConnection>> {
        let page = page(ctx, first, after.as_deref(), last, before.as_deref())?;
        ApiKeyConnection::of(self, filter, page).await.map(Some).map_err(|error| expose(ctx, error))
    }

    /// Its holds and charges, newest first. Needs `BILLING` delegated along the path.
    #[expect(clippy::too_many_arguments, reason = "a Relay connection with a filter has these arguments")]
    async fn holds(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start, at most 100; 25 when neither first nor last is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
        #[graphql(desc = "Only those of this environment.")] environment: Option<Environment>,
        #[graphql(desc = "Only those that stand so.")] status: Option<HoldStatus>,
    ) -> Result<Option<HoldConnection>> {
        let page = page(ctx, first, after.as_deref(), last, before.as_deref())?;
        let connection = HoldConnection::of(self, environment.map(Into::into), status.map(Into::into), page);
        connection.await.map(Some).map_err(|error| expose(ctx, error))
    }

    /// Its side of every movement of credits, newest first. Needs `BILLING` delegated along the path.
    async fn ledger_entries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start, at most 100; 25 when neither first nor last is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only what follows this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what precedes this cursor.")] before: Option<String>,
        #[graphql(desc = "Only those of this environment.")] environment: Option<Environment>,
    ) -> Result<Option<LedgerEntryConnection>> {
        let page = page(ctx, first, after.as_deref(), last, before.as_deref())?;
        let connection = LedgerEntryConnection::of(self, environment.map(Into::into), page);
        connection.await.map(Some).map_err(|error| expose(ctx, error))
    }

    #[graphql(flatten)]
    async fn past(&self) -> OrganizationPast {
        OrganizationPast(self.clone())
    }

    #[graphql(flatten)]
    async fn holdings(&self) -> OrganizationHoldings {
        OrganizationHoldings(self.clone())
    }
}
