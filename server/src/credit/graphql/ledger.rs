//! The ledger: transactions and their entries.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};
use entity::kind::Environment as EnvironmentKind;
use entity::{ledger_entry, ledger_transaction};
use futures_util::future::BoxFuture;

use crate::access::fields::handed;
use crate::credit::read;
use crate::kernel::error::{Error, Fault};
use crate::kernel::page::{Cursor, Page, Slice, SortKey, distinct};
use crate::organization::graphql::Organization;
use crate::schema::connection::{Paged, connection};
use crate::schema::kind::{Environment, TransactionKind};
use crate::schema::level::Level;
use crate::schema::scalar::{Credits, DateTime, Json};
use crate::schema::session::{Session, expose};

/// One organization's side of a movement of credits. Never changed, never deleted.
#[derive(Clone)]
pub struct LedgerEntry {
    session: Arc<Session>,
    level: Arc<Level<ledger_entry::Model>>,
    index: usize,
}

connection! {
    /// A page of ledger entries.
    LedgerEntryConnection, LedgerEntryEdge, LedgerEntry, "A ledger entry of a page."
}

impl LedgerEntryConnection {
    /// The organization's entries, newest first; one statement serves all siblings.
    pub async fn of(owner: &Organization, environment: Option<EnvironmentKind>, page: Page) -> Result<Self, Error> {
        let siblings = Arc::clone(&owner.siblings);
        let pages = siblings.level.once(format!("entries {environment:?} {page:?}"), || async {
            let owners = owner.permitted(const { handed("LedgerEntry") });
            let pages = read::entries(&siblings.session.snapshot(), &owners, environment, &page).await?;
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
                        let session = Arc::clone(&siblings.session);
                        let entry = LedgerEntry { session, level: Arc::clone(level), index: *index };
                        (Cursor { key: SortKey::Age, id: entry.row().id.into() }, entry)
                    })
                    .collect(),
                has_next: *next,
                has_previous: *previous,
            });
        let owner = owner.clone();
        let total = Arc::new(move || -> BoxFuture<'static, Result<i64, Error>> {
            let owner = owner.clone();
            Box::pin(async move {
                let siblings = &owner.siblings;
                let counts = siblings.level.once(format!("entries total {environment:?}"), || async {
                    let owners = owner.permitted(const { handed("LedgerEntry") });
                    read::count_entries(&siblings.session.snapshot(), &owners, environment).await
                });
                Ok(counts.await?.get(&owner.organization_id().into()).copied().unwrap_or(0))
            })
        });
        Ok(Self(Paged { slice, total }))
    }
}

impl LedgerEntry {
    /// Entries of one list.
    pub fn all(session: &Arc<Session>, rows: Vec<ledger_entry::Model>) -> Vec<Self> {
        let level = Level::new(rows);
        (0..level.members.len())
            .map(|index| Self { session: Arc::clone(session), level: Arc::clone(&level), index })
            .collect()
    }

    fn row(&self) -> &ledger_entry::Model {
        &self.level.members[self.index]
    }

    async fn load_transaction(&self) -> Result<ledger_transaction::Model, Error> {
        let loaded = self.level.once("transactions", || async {
            let ids: Vec<_> = self.level.members.iter().map(|row| row.transaction_id).collect();
            let realms = distinct(self.level.members.iter().map(|row| row.realm_id));
            let rows = read::transactions_by_ids(&self.session.snapshot(), &realms, &ids).await?;
            Ok(rows.into_iter().map(|row| (row.id, row)).collect::<HashMap<_, _>>())
        });
        let found = loaded.await?.get(&self.row().transaction_id).cloned();
        Ok(found.ok_or_else(|| Fault::new(format!("{} has no transaction", self.row().id)))?)
    }
}

/// One organization's side of a movement of credits. Never changed, never deleted.
#[Object]
impl LedgerEntry {
    /// The id, `ent_…`.
    pub async fn id(&self) -> ID {
        self.row().id.to_string().into()
    }

    /// The movement's id, the same on every ledger it touches.
    async fn transaction_id(&self) -> ID {
        self.row().transaction_id.to_string().into()
    }

    /// The movement.
    async fn transaction(&self, ctx: &Context<'_>) -> Result<LedgerTransaction> {
        let row = self.load_transaction().await.map_err(|error| expose(ctx, error))?;
        Ok(LedgerTransaction { session: Arc::clone(&self.session), row })
    }

    /// What moved the credits.
    async fn kind(&self, ctx: &Context<'_>) -> Result<TransactionKind> {
        Ok(self.load_transaction().await.map_err(|error| expose(ctx, error))?.kind.into())
    }

    /// LIVE or TEST.
    async fn environment(&self) -> Environment {
        self.row().environment.into()
    }

    /// Positive into the wallet, negative out of it.
    async fn amount(&self) -> Credits {
        self.row().amount.into()
    }

    /// The wallet's balance right after.
    async fn balance_after(&self) -> Credits {
        self.row().balance_after.unwrap_or_default().into()
    }

    /// Which bucket.
    async fn bucket_id(&self) -> Option<ID> {
        self.row().bucket_id.map(|id| id.to_string().into())
    }

    /// The organization on the other side, when there is one.
    async fn counterparty_organization_id(&self, ctx: &Context<'_>) -> Result<Option<ID>> {
        let transaction = self.load_transaction().await.map_err(|error| expose(ctx, error))?;
        let own = self.row().organization_id;
        let other = if Some(transaction.organization_id) == own {
            transaction.counterparty_id
        } else {
            Some(transaction.organization_id)
        };
        Ok(other.map(|id| id.to_string().into()))
    }

    /// What for.
    async fn description(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        Ok(self.load_transaction().await.map_err(|error| expose(ctx, error))?.description)
    }

    /// When it was posted.
    async fn created_at(&self) -> DateTime {
        self.row().created_at.into()
    }
}

/// A movement of credits: entries that sum to zero over wallets and the realm's own accounts.
#[derive(Clone)]
pub struct LedgerTransaction {
    pub session: Arc<Session>,
    pub row: ledger_transaction::Model,
}

/// A movement of credits: entries that sum to zero over wallets and the realm's own accounts.
#[Object]
impl LedgerTransaction {
    /// The id, `txn_…`.
    pub async fn id(&self) -> ID {
        self.row.id.to_string().into()
    }

    /// What moved the credits.
    async fn kind(&self) -> TransactionKind {
        self.row.kind.into()
    }

    /// LIVE or TEST.
    async fn environment(&self) -> Environment {
        self.row.environment.into()
    }

    /// How much moved.
    async fn amount(&self) -> Credits {
        self.row.amount.into()
    }

    /// What for.
    async fn description(&self) -> Option<&str> {
        self.row.description.as_deref()
    }

    /// An object of strings.
    async fn metadata(&self) -> Json {
        Json::metadata(&self.row.metadata)
    }

    /// When it was posted.
    async fn created_at(&self) -> DateTime {
        self.row.created_at.into()
    }

    /// The sides of it that the caller may see.
    async fn entries(&self, ctx: &Context<'_>) -> Result<Vec<LedgerEntry>> {
        let read = async {
            let snapshot = self.session.snapshot();
            let rows = read::entries_of_transactions(&snapshot, self.row.realm_id, &[self.row.id]).await?;
            let ids: Vec<_> = rows.iter().filter_map(|row| row.organization_id).collect();
            let paths = crate::access::store::paths(&snapshot, &[self.row.realm_id], &ids).await?;
            let visible = |row: &ledger_entry::Model| {
                row.organization_id
                    .and_then(|id| paths.get(&id))
                    .and_then(|(_, path)| self.session.reach(path))
                    .is_some_and(|reach| self.session.allows(reach, const { handed("LedgerEntry") }).is_ok())
            };
            Ok(LedgerEntry::all(&self.session, rows.into_iter().filter(visible).collect()))
        };
        let entries: Result<_, Error> = read.await;
        entries.map_err(|error| expose(ctx, error))
    }
}
