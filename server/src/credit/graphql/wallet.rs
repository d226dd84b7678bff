//! Wallets, buckets, and what organizations show of credits.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};
use entity::credits::Credits as Amount;
use entity::id::OrganizationId;
use entity::kind::{CounterSubject, Environment as EnvironmentKind, RefillState, StarvedReason};
use entity::timestamp::Timestamp;
use entity::{bucket, spend_counter, wallet};
use uuid::Uuid;

use crate::access::fields::handed;
use crate::credit::engine::month::{Month, time_zone};
use crate::credit::engine::{Book, payers, spendable};
use crate::credit::{load, read};
use crate::kernel::error::Error;
use crate::organization::graphql::{Organization, OrganizationLevel, Organizations};
use crate::schema::kind::{BucketOrigin, Environment};
use crate::schema::scalar::{Credits, DateTime};
use crate::schema::session::expose;

/// An organization's credits in one environment.
#[derive(Clone)]
pub struct Wallet {
    owner: Organization,
    row: Arc<wallet::Model>,
}

impl Wallet {
    /// The organization's wallet; one statement serves all siblings.
    pub async fn of(owner: &Organization, environment: EnvironmentKind) -> Result<Option<Self>, Error> {
        let siblings = &owner.siblings;
        let wallets = siblings.level.once("wallets", || async {
            let rows =
                read::wallets(&siblings.session.snapshot(), &owner.permitted(const { handed("Wallet") })).await?;
            Ok(rows
                .into_iter()
                .map(|row| ((row.organization_id, row.environment), Arc::new(row)))
                .collect::<HashMap<_, _>>())
        });
        let found = wallets.await?.get(&(owner.organization_id(), environment)).cloned();
        Ok(found.map(|row| Self { owner: owner.clone(), row }))
    }

    /// A wallet as a command left it.
    pub fn shown(owner: Organization, row: wallet::Model) -> Self {
        Self { owner, row: Arc::new(row) }
    }

    pub fn row(&self) -> &wallet::Model {
        &self.row
    }

    pub fn available(&self) -> Amount {
        self.row.balance.saturating_sub(self.row.held)
    }
}

/// An organization's credits in one environment.
#[Object]
impl Wallet {
    /// The id, `wal_…`.
    pub async fn id(&self) -> ID {
        self.row.id.to_string().into()
    }

    /// Whose it is.
    async fn organization(&self) -> Organization {
        self.owner.clone()
    }

    /// LIVE or TEST.
    async fn environment(&self) -> Environment {
        self.row.environment.into()
    }

    /// What is posted: the sum of its entries.
    async fn balance(&self) -> Credits {
        self.row.balance.into()
    }

    /// What open holds have reserved of it.
    #[graphql(name = "held")]
    async fn held_credits(&self) -> Credits {
        self.row.held.into()
    }

    /// `balance` minus `held`. May be negative, and is shown so.
    #[graphql(name = "available")]
    async fn available_credits(&self) -> Credits {
        self.available().into()
    }

    /// What a charge of the organization could take now: its own and its payers' credits, reserves and caps considered.
    /// Advice: the charge itself decides.
    async fn spendable(&self, ctx: &Context<'_>) -> Result<Credits> {
        let read = async {
            let book = book(&self.owner.siblings).await?;
            let now = self.owner.siblings.session.now();
            let realm_book = book.get(&self.owner.member().realm);
            let amount = realm_book
                .map_or(Amount::ZERO, |book| spendable(book, self.owner.organization_id(), self.row.environment, now));
            Ok(amount.into())
        };
        let amount: Result<Credits, Error> = read.await;
        amount.map_err(|error| expose(ctx, error))
    }

    /// What it is made of, in the order it is spent. Empty buckets are left out.
    async fn buckets(&self, ctx: &Context<'_>) -> Result<Vec<Bucket>> {
        let siblings = &self.owner.siblings;
        let filled = siblings.level.once("buckets", || async {
            let snapshot = siblings.session.snapshot();
            let wallets = read::wallets(&snapshot, &self.owner.permitted(const { handed("Wallet") })).await?;
            let ids: Vec<_> = wallets.iter().map(|row| row.id).collect();
            load::filled_buckets(&snapshot, &siblings.realms(), &ids, &BTreeSet::new()).await
        });
        let filled = filled.await.map_err(|error| expose(ctx, error))?;
        Ok(filled.get(&self.row.id).map_or_else(Vec::new, |rows| rows.iter().cloned().map(Bucket).collect()))
    }

    /// Grows with every change of the wallet: of two answers the one with the higher version is newer.
    async fn version(&self) -> i32 {
        i32::try_from(self.row.version).unwrap_or(i32::MAX)
    }

    /// When it last changed.
    async fn updated_at(&self) -> DateTime {
        self.row.updated_at.into()
    }
}

/// Credits of one origin, priority and expiry.
#[derive(Clone)]
pub struct Bucket(pub bucket::Model);

/// Credits of one origin, priority and expiry.
#[Object]
impl Bucket {
    /// The id, `bkt_…`.
    pub async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// Where the credits came from.
    async fn origin(&self) -> BucketOrigin {
        self.0.origin.into()
    }

    /// Lower is spent first.
    async fn priority(&self) -> i32 {
        i32::try_from(self.0.priority).unwrap_or(i32::MAX)
    }

    /// What is posted.
    async fn balance(&self) -> Credits {
        self.0.balance.into()
    }

    /// What open holds have reserved of it.
    async fn held(&self) -> Credits {
        self.0.held.into()
    }

    /// `balance` minus `held`.
    async fn available(&self) -> Credits {
        self.0.balance.saturating_sub(self.0.held).into()
    }

    /// When what is not held is lost; null never.
    async fn expires_at(&self) -> Option<DateTime> {
        self.0.expires_at.map(Into::into)
    }

    /// When it was first filled.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }
}

/// The siblings' credits as the engine sees them, by realm: a fixed number of statements for all of them.
async fn book(siblings: &OrganizationLevel) -> Result<Arc<HashMap<entity::id::RealmId, Book>>, Error> {
    siblings
        .level
        .once("book", || async {
            let mut by_realm: HashMap<_, BTreeSet<OrganizationId>> = HashMap::new();
            for (realm, id) in siblings.keys() {
                by_realm.entry(realm).or_default().insert(id);
            }
            let (snapshot, now) = (siblings.session.snapshot(), siblings.session.now());
            let mut books = HashMap::with_capacity(by_realm.len());
            for (realm, organizations) in by_realm {
                let wanted = load::Wanted { organizations, ..load::Wanted::default() };
                books.insert(realm, load::book(&snapshot, realm, &wanted, now).await?);
            }
            Ok(books)
        })
        .await
}

/// Who pays for the organization's spend.
pub async fn payer(siblings: &Organizations, id: OrganizationId) -> Result<Option<OrganizationId>, Error> {
    let books = siblings.level.once("payers", || async {
        let mut by_realm: HashMap<_, BTreeSet<OrganizationId>> = HashMap::new();
        for (realm, id) in siblings.keys() {
            by_realm.entry(realm).or_default().insert(id);
        }
        let (snapshot, now) = (siblings.session.snapshot(), siblings.session.now());
        let mut found = HashMap::new();
        for (realm, organizations) in by_realm {
            let wanted = load::Wanted { organizations: organizations.clone(), ..load::Wanted::default() };
            let book = load::book(&snapshot, realm, &wanted, now).await?;
            for id in organizations {
                if let Some(payer) = payers(&book, id).first() {
                    found.insert(id, *payer);
                }
            }
        }
        Ok(found)
    });
    Ok(books.await?.get(&id).copied())
}

/// What limits have counted for the siblings, and where their refills stand.
pub struct Usage {
    counters: Vec<spend_counter::Model>,
    wallets: Vec<wallet::Model>,
}

impl Usage {
    /// What LIVE spend has used of a limit in a month.
    pub fn used(&self, kind: CounterSubject, id: OrganizationId, month: i64) -> Amount {
        let id = Uuid::from(id);
        let counter = self.counters.iter().find(|row| {
            row.subject_kind == kind
                && row.subject_id == id
                && row.month == month
                && row.environment == EnvironmentKind::Live
        });
        counter.map_or(Amount::ZERO, |row| row.used)
    }

    pub fn refill(&self, id: OrganizationId) -> (RefillState, Option<StarvedReason>) {
        let wallet =
            self.wallets.iter().find(|row| row.organization_id == id && row.environment == EnvironmentKind::Live);
        wallet.map_or((RefillState::Armed, None), |row| (row.refill_state, row.refill_reason))
    }
}

/// Two statements for all siblings.
pub async fn usage(siblings: &Organizations) -> Result<Arc<Usage>, Error> {
    siblings
        .level
        .once("usage", || async {
            let keys = siblings.keys();
            let subjects: Vec<_> = keys.iter().map(|(realm, id)| (*realm, (*id).into())).collect();
            let kinds = [CounterSubject::Own, CounterSubject::Subtree, CounterSubject::Refill];
            let (snapshot, now) = (siblings.session.snapshot(), siblings.session.now());
            let counters = read::counters(&snapshot, &subjects, &kinds, now).await?;
            let wallets = read::wallets(&snapshot, &keys).await?;
            Ok(Usage { counters, wallets })
        })
        .await
}

/// The month it is in a time zone.
pub struct ThisMonth {
    /// Year times 100 plus month.
    pub number: i64,
    pub first_day: jiff::civil::Date,
    pub ends_at: Timestamp,
}

pub fn this_month(timezone: &str, now: Timestamp) -> ThisMonth {
    let zone = time_zone(timezone);
    let month = Month::of(now, &zone);
    ThisMonth { number: i64::from(month.number()), first_day: month.first_day(), ends_at: month.end(&zone) }
}
