//! The type `Organization`.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use entity::id::{OrganizationId, RealmId};
use entity::kind::CounterSubject;

use crate::access::fields::handed;
use crate::access::policy::Permission;
use crate::api_key::graphql::{ApiKeyConnection, ApiKeyFilter};
use crate::credit::graphql::{HoldConnection, LedgerEntryConnection, Wallet};
use crate::kernel::error::Error;
use crate::kernel::page::{Page, Slice};
use crate::organization::graphql::edge::OrganizationPast;
use crate::organization::graphql::holdings::OrganizationHoldings;
use crate::organization::graphql::input::{OrganizationFilter, OrganizationOrder};
use crate::organization::graphql::level::{Member, OrganizationLevel, Organizations, status_of};
use crate::organization::model;
use crate::organization::store::{self, Status, Within};
use crate::schema::connection::{Paged, connection};
use crate::schema::guard::ByRow;
use crate::schema::kind::{
    BillingMode, Delegation, EffectiveStatus, Environment, FundingMode, HoldStatus, OrganizationStatus, RefillState,
    Relation, StarvedReason, Tier,
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
        self.member().record.id
    }

    /// Every member of a level as an object.
    pub fn all(level: &OrganizationLevel) -> Vec<Self> {
        (0..level.level.members.len()).map(|index| Self { siblings: Arc::clone(level), index }).collect()
    }

    /// The member with this id.
    pub fn find(level: &OrganizationLevel, id: OrganizationId) -> Option<Self> {
        let index = level.level.members.iter().position(|member| member.record.id == id)?;
        Some(Self { siblings: Arc::clone(level), index })
    }

    fn session(&self) -> &Arc<Session> {
        &self.siblings.session
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
            .map(|member| (member.record.realm_id, member.record.id))
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
    async fn name(&self) -> &str {
        &self.member().record.name
    }

    /// Contact address.
    async fn email(&self) -> Option<&str> {
        self.member().record.email.as_deref()
    }

    /// Where bills go.
    async fn billing_email(&self) -> Option<&str> {
        self.member().record.billing_email.as_deref()
    }

    /// XXXXXXXX-XXXX.
    async fn tax_number(&self) -> Option<&str> {
        self.member().record.tax_number.as_deref()
    }

    /// E.164.
    async fn phone_number(&self) -> Option<&str> {
        self.member().record.phone_number.as_deref()
    }

    /// Its web address.
    async fn website(&self) -> Option<&str> {
        self.member().record.website.as_deref()
    }

    /// Where it is at home.
    async fn country(&self) -> Option<CountryCode> {
        self.member().record.country.clone().map(CountryCode)
    }

    /// What it does.
    async fn industry(&self) -> Option<&str> {
        self.member().record.industry.as_deref()
    }

    /// The currency of its books: its own or the nearest ancestor's.
    async fn base_currency(&self, ctx: &Context<'_>) -> Result<Option<Currency>> {
        if let Some(own) = &self.member().record.base_currency {
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
    async fn timezone(&self) -> &str {
        &self.member().record.timezone
    }

    /// Your own id for it.
    async fn external_id(&self) -> Option<&str> {
        self.member().record.external_id.as_deref()
    }

    /// An object of strings.
    async fn metadata(&self) -> Json {
        Json::metadata(&self.member().record.metadata)
    }

    /// How it buys credits.
    async fn billing_mode(&self) -> BillingMode {
        self.member().record.billing_mode.into()
    }

    /// What its plan allows.
    async fn tier(&self) -> Tier {
        self.member().record.tier.into()
    }

    /// Its own status; see `effectiveStatus` for what counts.
    async fn status(&self) -> OrganizationStatus {
        if self.member().record.archived_at.is_some() {
            OrganizationStatus::Archived
        } else {
            OrganizationStatus::Active
        }
    }

    /// How data flows to the parent; null on a root.
    async fn relation(&self) -> Option<Relation> {
        let record = &self.member().record;
        record.parent_id.map(|_| record.relation.into())
    }

    /// What the edge to the parent lets ancestors do besides control; empty on a root.
    async fn delegation(&self) -> Vec<Delegation> {
        let record = &self.member().record;
        record.parent_id.map_or_else(Vec::new, |_| record.delegation.iter().map(Into::into).collect())
    }

    /// Grows with every change of the record; give it to `expectedVersion`.
    async fn version(&self) -> i32 {
        i32::try_from(self.member().record.version).unwrap_or(i32::MAX)
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        self.member().record.created_at.into()
    }

    /// When the record last changed.
    async fn updated_at(&self) -> DateTime {
        self.member().record.updated_at.into()
    }

    /// When it was archived.
    async fn archived_at(&self) -> Option<DateTime> {
        self.member().record.archived_at.map(Into::into)
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
        self.ancestor(self.member().record.parent_id).await.map_err(|error| expose(ctx, error))
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
        let record = &self.member().record;
        let within = Within::Subtree {
            realm: record.realm_id,
            top: record.id,
            with_top: false,
            depth_max: max_depth.map(|levels| u32::try_from(levels.clamp(1, 32)).unwrap_or(1)),
        };
        let paths = self.siblings.paths().await.map_err(|error| expose(ctx, error))?;
        let above = paths.get(&record.id).map_or(Status::Archived, |(_, path)| status_of(path));
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
            store::owned_between(&self.session().snapshot(), self.member().record.realm_id, own, &other).await
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
                let ids: Vec<OrganizationId> =
                    self.siblings.level.members.iter().filter_map(|member| member.record.parent_id).collect();
                let records = store::by_ids(&self.session().snapshot(), &self.siblings.realms(), &ids).await?;
                Ok(records
                    .into_iter()
                    .map(|record| (record.id, (record.primary_covers_secondary, record.fallback_to_primary)))
                    .collect::<HashMap<_, _>>())
            });
            let record = &self.member().record;
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
        let record = self.member().record.clone();
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

async fn parents_with_status(
    siblings: &Organizations,
    filter: &store::Filter,
) -> Result<Vec<(RealmId, OrganizationId, Status)>, Error> {
    // The parents' status matters only to a list that is narrowed by it.
    if filter.status.is_some() {
        return siblings.with_status().await;
    }
    Ok(siblings.keys().into_iter().map(|(realm, id)| (realm, id, Status::Active)).collect())
}

/// The children of all siblings as one level, and which of them are whose.
struct ChildPages {
    level: OrganizationLevel,
    pages: HashMap<OrganizationId, Slice<(crate::kernel::page::Cursor, usize)>>,
}

impl ChildPages {
    fn new(
        parents: &OrganizationLevel,
        found: HashMap<OrganizationId, Slice<store::Found>>,
        sort: store::Sort,
    ) -> Self {
        let reach_of: HashMap<OrganizationId, _> =
            parents.level.members.iter().map(|member| (member.record.id, member.reach)).collect();
        let mut members = Vec::new();
        let mut pages = HashMap::with_capacity(found.len());
        for (parent, slice) in found {
            let Some(reach) = reach_of.get(&parent) else { continue };
            let mut rows = Vec::with_capacity(slice.rows.len());
            for row in slice.rows {
                rows.push((sort.cursor(&row), members.len()));
                let reach = reach.into_child(row.organization.delegation);
                members.push(Member { record: row.organization, reach });
            }
            pages.insert(parent, Slice { rows, has_next: slice.has_next, has_previous: slice.has_previous });
        }
        Self { level: Organizations::new(&parents.session, members), pages }
    }

    fn of(&self, parent: OrganizationId) -> Slice<(crate::kernel::page::Cursor, Organization)> {
        let Some(slice) = self.pages.get(&parent) else { return Slice::empty() };
        let rows = slice
            .rows
            .iter()
            .map(|(cursor, index)| (cursor.clone(), Organization { siblings: Arc::clone(&self.level), index: *index }));
        Slice { rows: rows.collect(), has_next: slice.has_next, has_previous: slice.has_previous }
    }
}

/// A flat list as a connection.
pub async fn flat(
    ctx: &Context<'_>,
    session: &Arc<Session>,
    within: Within,
    above: Status,
    filter: Option<OrganizationFilter>,
    order_by: Option<OrganizationOrder>,
    page: &Page,
) -> Result<OrganizationConnection> {
    let filter = OrganizationFilter::read(filter);
    let sort = OrganizationOrder::read(order_by);
    let read = async {
        let slice = store::list(&session.snapshot(), within, above, &filter, sort, page).await?;
        let cursors: Vec<_> = slice.rows.iter().map(|found| sort.cursor(found)).collect();
        let records: Vec<_> = slice.rows.into_iter().map(|found| found.organization).collect();
        let level = Organizations::of_records(session, records).await?;
        let rows = cursors.into_iter().zip(Organization::all(&level)).collect();
        Ok(Slice { rows, has_next: slice.has_next, has_previous: slice.has_previous })
    };
    let slice: Result<_, Error> = read.await;
    let slice = slice.map_err(|error| expose(ctx, error))?;
    let session = Arc::clone(session);
    let total = Arc::new(move || -> futures_util::future::BoxFuture<'static, Result<i64, Error>> {
        let (session, filter) = (Arc::clone(&session), filter.clone());
        Box::pin(async move { store::count(&session.snapshot(), within, above, &filter).await })
    });
    Ok(OrganizationConnection(Paged { slice, total }))
}

/// Somebody's suspension of an organization.
#[derive(SimpleObject, Clone, Debug)]
pub struct Suspension {
    /// Who placed it: an organization's id, or `operator`.
    pub placed_by: String,
    /// The organization that placed it and can lift it; null for the operator.
    pub placed_by_organization_id: Option<ID>,
    /// Why, in the words of whoever placed it.
    pub reason: Option<String>,
    /// Since when.
    pub placed_at: DateTime,
    /// Which organization it stands on: this one or an ancestor.
    pub organization_id: ID,
}

impl Suspension {
    fn of(row: &entity::suspension::Model) -> Self {
        let holder = (!row.holder_id.is_nil()).then(|| OrganizationId::from(row.holder_id).to_string());
        Self {
            placed_by: holder.clone().unwrap_or_else(|| "operator".to_owned()),
            placed_by_organization_id: holder.map(ID),
            reason: row.reason.clone(),
            placed_at: row.placed_at.into(),
            organization_id: row.organization_id.to_string().into(),
        }
    }
}

/// Who pays for an organization, and what it offers its children.
#[derive(SimpleObject, Clone, Debug)]
pub struct Funding {
    /// Who pays for its spend.
    pub mode: FundingMode,
    /// Whether the mode is the parent's default and not set on its own edge.
    pub inherited: bool,
    /// As a parent: whether its pool pays for its children's spend.
    pub primary_covers_secondary: bool,
    /// As a parent: whether it covers what its children cannot.
    pub fallback_to_primary: bool,
    /// What it keeps for itself when it pays for others.
    pub minimum_reserve: Credits,
}

/// An organization's caps and automatic refill, with this month's use.
#[derive(SimpleObject, Clone, Debug)]
pub struct Limits {
    /// The most it may spend in a month; null is no limit.
    pub monthly_credit_cap: Option<Credits>,
    /// What it has spent this month.
    pub monthly_used: Credits,
    /// The most it and everything below it may spend in a month; null is no limit.
    pub subtree_monthly_cap: Option<Credits>,
    /// What it and everything below it have spent this month.
    pub subtree_monthly_used: Credits,
    /// Refill when available falls below this.
    pub refill_threshold: Option<Credits>,
    /// Refill in multiples of this.
    pub refill_amount: Option<Credits>,
    /// The most refills may bring in a month; null is no limit.
    pub refill_monthly_ceiling: Option<Credits>,
    /// What refills have brought this month.
    pub refilled_this_month: Credits,
    /// Where the refill stands.
    pub refill_state: RefillState,
    /// Why it is starved, when it is.
    pub refill_reason: Option<StarvedReason>,
    /// Whether threshold and amount are set.
    pub auto_refill_enabled: bool,
    /// The first day of the month, in the organization's time zone.
    pub period_start: Date,
    /// When the month ends.
    pub period_ends_at: DateTime,
}

/// Counts and figures of an organization.
pub struct OrganizationSummary {
    of: Organization,
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
        let counts = self.siblings.level.once(format!("count {table}"), || async {
            let owners: Vec<_> = self.permitted(permission).into_iter().map(|(realm, id)| (realm, id.into())).collect();
            let sql = crate::kernel::page::count_per_owner(table, "organization_id", &owners, |_| {});
            crate::kernel::page::counts(&self.session().snapshot(), &sql).await
        });
        let total = counts.await?.get(&self.organization_id().into()).copied().unwrap_or(0);
        Ok(i32::try_from(total).unwrap_or(i32::MAX))
    }
}
