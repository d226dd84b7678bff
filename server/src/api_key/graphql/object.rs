//! The type `ApiKey`.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object, Result};
use entity::kind::CounterSubject;
use futures_util::future::BoxFuture;

use crate::access::fields::handed;
use crate::api_key::model::{ApiKey as Key, Status};
use crate::api_key::store::{self, Filter};
use crate::kernel::error::Error;
use crate::kernel::page::{Cursor, Page, Slice, SortKey};
use crate::organization::graphql::Organization;
use crate::schema::connection::{Paged, connection};
use crate::schema::kind::Environment;
use crate::schema::level::Level;
use crate::schema::scalar::{Credits, DateTime};
use crate::schema::session::expose;

/// Where a key stands.
#[derive(Enum, Copy, Clone, Debug, PartialEq, Eq)]
#[graphql(remote = "Status")]
pub enum ApiKeyStatus {
    /// It works.
    Active,
    /// It was rotated and works until `expiresAt`.
    Superseded,
    /// It was revoked, for good.
    Revoked,
    /// Its time is up.
    Expired,
}

/// Which keys of a list are meant. Conditions add up.
#[derive(InputObject, Clone, Debug, Default)]
pub struct ApiKeyFilter {
    /// Only those that stand so.
    pub status: Option<ApiKeyStatus>,
    /// Only those of this environment.
    pub environment: Option<Environment>,
}

/// An API key. Its secret is shown once, by the mutation that makes it.
#[derive(Clone)]
pub struct ApiKey {
    owner: Organization,
    level: Arc<Level<Key>>,
    index: usize,
}

connection! {
    /// A page of API keys.
    ApiKeyConnection, ApiKeyEdge, ApiKey, "An API key of a page."
}

impl ApiKeyConnection {
    /// The organization's keys, newest first; two statements serve all siblings.
    pub async fn of(owner: &Organization, filter: Option<ApiKeyFilter>, page: Page) -> Result<Self, Error> {
        let filter = filter.unwrap_or_default();
        let filter = Filter { status: filter.status.map(Into::into), environment: filter.environment.map(Into::into) };
        let siblings = Arc::clone(&owner.siblings);
        let pages = siblings.level.once(format!("apiKeys {filter:?} {page:?}"), || async {
            let (snapshot, now) = (siblings.session.snapshot(), siblings.session.now());
            let pages =
                store::of_organizations(&snapshot, &owner.permitted(const { handed("ApiKey") }), &filter, now, &page)
                    .await?;
            let mut members = Vec::new();
            let mut by_owner = HashMap::with_capacity(pages.len());
            for (id, slice) in pages {
                let indexes: Vec<usize> = (members.len()..members.len() + slice.rows.len()).collect();
                members.extend(slice.rows);
                by_owner.insert(id, (indexes, slice.has_next, slice.has_previous));
            }
            Ok((Level::new(members), by_owner))
        });
        let pages = pages.await?;
        let (level, by_owner) = &*pages;
        let slice =
            by_owner.get(&owner.organization_id()).map_or_else(Slice::empty, |(indexes, next, previous)| Slice {
                rows: indexes
                    .iter()
                    .map(|index| {
                        let key = ApiKey { owner: owner.clone(), level: Arc::clone(level), index: *index };
                        (Cursor { key: SortKey::Age, id: key.key().row.id.into() }, key)
                    })
                    .collect(),
                has_next: *next,
                has_previous: *previous,
            });
        let owner = owner.clone();
        let total = Arc::new(move || -> BoxFuture<'static, Result<i64, Error>> {
            let (owner, filter) = (owner.clone(), filter.clone());
            Box::pin(async move {
                let siblings = &owner.siblings;
                let counts = siblings.level.once(format!("apiKeys total {filter:?}"), || async {
                    let (snapshot, now) = (siblings.session.snapshot(), siblings.session.now());
                    let owners = owner.permitted(const { handed("ApiKey") });
                    store::count_of_organizations(&snapshot, &owners, &filter, now).await
                });
                Ok(counts.await?.get(&owner.organization_id().into()).copied().unwrap_or(0))
            })
        });
        Ok(Self(Paged { slice, total }))
    }
}

impl ApiKey {
    /// Keys of one organization that were found or made together.
    pub fn all(owner: &Organization, keys: Vec<Key>) -> Vec<Self> {
        let level = Level::new(keys);
        (0..level.members.len()).map(|index| Self { owner: owner.clone(), level: Arc::clone(&level), index }).collect()
    }

    fn key(&self) -> &Key {
        &self.level.members[self.index]
    }
}

/// An API key. Its secret is shown once, by the mutation that makes it.
#[Object]
impl ApiKey {
    /// The id, `key_…`.
    pub async fn id(&self) -> ID {
        self.key().row.id.to_string().into()
    }

    /// Whose key it is.
    async fn organization(&self) -> Organization {
        self.owner.clone()
    }

    /// What people call it.
    async fn name(&self) -> &str {
        &self.key().row.name
    }

    /// The key without its secret, to recognise it by.
    async fn prefix(&self) -> &str {
        &self.key().row.prefix
    }

    /// LIVE or TEST; the other one's credits are out of its reach.
    async fn environment(&self) -> Environment {
        self.key().row.environment.into()
    }

    /// What it may do.
    async fn scopes(&self) -> Vec<String> {
        self.key().row.scopes.0.clone()
    }

    /// Where it stands.
    async fn status(&self) -> ApiKeyStatus {
        self.key().status(self.owner.siblings.session.now()).into()
    }

    /// What all keys that rotations made from one share: limits and usage belong to it.
    async fn family_id(&self) -> ID {
        self.key().family.id.to_string().into()
    }

    /// Addresses and CIDR ranges it may be used from; anywhere when empty.
    async fn allowed_ips(&self) -> Vec<String> {
        self.key().row.allowed_ips.0.clone()
    }

    /// The most its family may spend in a month; null is no limit.
    async fn spend_limit(&self) -> Option<Credits> {
        self.key().family.spend_limit.map(Into::into)
    }

    /// What its family has spent this month, in the organization's time zone and the key's environment.
    async fn spent_this_month(&self, ctx: &Context<'_>) -> Result<Credits> {
        let session = &self.owner.siblings.session;
        let spent = self.level.once("spent", || async {
            let subjects: Vec<_> =
                self.level.members.iter().map(|key| (key.family.realm_id, key.family.id.into())).collect();
            crate::credit::api::counters(&session.snapshot(), &subjects, &[CounterSubject::Family], session.now()).await
        });
        let spent = spent.await.map_err(|error| expose(ctx, error))?;
        let owner = self.owner.siblings.record(self.owner.index).await.map_err(|error| expose(ctx, error))?;
        let month = crate::credit::graphql::this_month(&owner.timezone, session.now());
        let own = spent.iter().find(|row| {
            row.subject_id == uuid::Uuid::from(self.key().family.id)
                && row.month == month.number
                && row.environment == self.key().row.environment
        });
        Ok(own.map_or(entity::credits::Credits::ZERO, |row| row.used).into())
    }

    /// Requests its family may make in a minute; null is no limit of its own.
    async fn rate_limit(&self) -> Option<i32> {
        self.key().family.rate_limit.and_then(|limit| i32::try_from(limit).ok())
    }

    /// When it stops working; null never.
    async fn expires_at(&self) -> Option<DateTime> {
        self.key().row.expires_at.map(Into::into)
    }

    /// When it was revoked.
    async fn revoked_at(&self) -> Option<DateTime> {
        self.key().row.revoked_at.map(Into::into)
    }

    /// When it was rotated.
    async fn superseded_at(&self) -> Option<DateTime> {
        self.key().row.superseded_at.map(Into::into)
    }

    /// When it was last used, to the minute.
    async fn last_used_at(&self) -> Option<DateTime> {
        self.key().row.last_used_at.map(Into::into)
    }

    /// When it was minted.
    async fn created_at(&self) -> DateTime {
        self.key().row.created_at.into()
    }
}
