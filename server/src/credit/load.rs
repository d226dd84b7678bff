//! Loading a [`Book`]: everything a batch of requests of one realm needs, in a fixed number of statements.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use entity::credits::Credits;
use entity::id::{BucketId, HoldId, KeyFamilyId, OrganizationId, RealmId, WalletId};
use entity::kind::{Account, BillingMode, CounterSubject, Environment, FundingMode};
use entity::timestamp::Timestamp;
use entity::{api_key_family, bucket, hold, hold_leg, meter, spend_counter, wallet};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter};
use uuid::Uuid;

use crate::access::path::DEPTH_MAX;
use crate::credit::engine::book::{self, Book, CreditPoolConfig, KeyFamily, Limits};
use crate::credit::engine::month::{Month, time_zone};
use crate::credit::model::{self, Hold};
use crate::kernel::error::Result;
use crate::kernel::sql::Sql;

/// What a batch names; the rest is found from it.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub organizations: BTreeSet<OrganizationId>,
    pub holds: BTreeSet<HoldId>,
    pub families: BTreeSet<KeyFamilyId>,
    /// Buckets to load though they may be empty.
    pub buckets: BTreeSet<BucketId>,
    /// Whether the realm's issued total is needed, as it is for grants.
    pub issued: bool,
}

#[derive(FromQueryResult)]
struct OrganizationRow {
    id: OrganizationId,
    parent_id: Option<OrganizationId>,
    timezone: String,
    billing_mode: BillingMode,
    funding: Option<FundingMode>,
    primary_covers_secondary: bool,
    fallback_to_primary: bool,
    minimum_reserve: Credits,
    monthly_credit_cap: Option<Credits>,
    subtree_monthly_cap: Option<Credits>,
    refill_threshold: Option<Credits>,
    refill_amount: Option<Credits>,
    refill_monthly_ceiling: Option<Credits>,
    archived: bool,
    suspended: bool,
}

/// The state of the realm as far as `wanted` needs it. Run inside the transaction that will write what is decided on it;
/// outside, the answer is advice.
pub async fn book(connection: &impl ConnectionTrait, realm: RealmId, wanted: &Wanted, now: Timestamp) -> Result<Book> {
    let mut book = Book::default();
    extend(connection, realm, &mut book, wanted, now).await?;
    Ok(book)
}

/// Loads into a book what `wanted` needs beside what is there. What is there must be exact: it is not read again.
pub async fn extend(
    connection: &impl ConnectionTrait,
    realm: RealmId,
    book: &mut Book,
    wanted: &Wanted,
    now: Timestamp,
) -> Result<()> {
    let holds = holds(connection, realm, &wanted.holds).await?;
    let mut starts = wanted.organizations.clone();
    let mut buckets = wanted.buckets.clone();
    for hold in holds.values() {
        starts.insert(hold.row.organization_id);
        for leg in &hold.legs {
            starts.insert(leg.organization_id);
            buckets.insert(leg.bucket_id);
        }
    }
    let unknown_families = wanted.families.iter().copied().filter(|id| book.family(*id).is_none()).collect();
    let families = families(connection, realm, &unknown_families).await?;
    starts.extend(families.iter().map(|family| family.organization_id));
    let unknown = starts.iter().copied().filter(|id| book.organization(*id).is_none()).collect();
    let mut organizations = organizations(connection, realm, &unknown).await?;
    // Ancestors are shared, and may be there already.
    organizations.retain(|row| book.organization(row.id).is_none());
    let ids: Vec<OrganizationId> = organizations.iter().map(|row| row.id).collect();
    for (wallet, loaded) in wallets(connection, realm, &ids, &buckets).await? {
        book.insert_wallet(book::Wallet {
            id: wallet.id,
            organization: wallet.organization_id,
            environment: wallet.environment,
            version: wallet.version,
            balance: wallet.balance,
            held: wallet.held,
            refill: model::refill_state(&wallet),
            buckets: loaded.iter().map(model::bucket_of).collect::<Result<_, _>>()?,
        });
    }
    empty_buckets(connection, realm, book, &starts, &buckets).await?;
    counters(connection, realm, book, &ids, &unknown_families, now).await?;
    for row in organizations {
        book.insert_organization(organization_of(row));
    }
    for row in families {
        book.insert_family(KeyFamily { id: row.id, organization: row.organization_id, monthly_limit: row.spend_limit });
    }
    for hold in holds.values() {
        book.insert_hold(model::hold_of(hold)?);
    }
    if wanted.issued && !book.knows_issued_total() {
        book.insert_issued_total(issued_total(connection, realm).await?);
    }
    Ok(())
}

/// The named buckets that are in no wallet of the organizations because those were loaded without their empty ones.
async fn empty_buckets(
    connection: &impl ConnectionTrait,
    realm: RealmId,
    book: &mut Book,
    organizations: &BTreeSet<OrganizationId>,
    named: &BTreeSet<BucketId>,
) -> Result<()> {
    if named.is_empty() {
        return Ok(());
    }
    let mut missing = named.clone();
    let mut wallets = HashMap::with_capacity(organizations.len());
    for organization in organizations {
        for environment in [Environment::Live, Environment::Test] {
            let Some(wallet) = book.wallet(*organization, environment) else { continue };
            wallets.insert(wallet.id, (*organization, environment));
            for bucket in &wallet.buckets {
                missing.remove(&bucket.id);
            }
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let mut sql = Sql::new("SELECT * FROM bucket WHERE realm_id = ");
    sql.bind(realm).push(" AND id").within(missing);
    for row in bucket::Entity::find().from_raw_sql(sql.statement(connection)).all(connection).await? {
        if let Some((organization, environment)) = wallets.get(&row.wallet_id) {
            book.insert_bucket(*organization, *environment, model::bucket_of(&row)?);
        }
    }
    Ok(())
}

fn organization_of(row: OrganizationRow) -> book::Organization {
    book::Organization {
        id: row.id,
        parent: row.parent_id,
        archived: row.archived,
        suspended: row.suspended,
        billing_mode: row.billing_mode,
        time_zone: time_zone(&row.timezone),
        funding: row.funding,
        pool: CreditPoolConfig {
            primary_covers_secondary: row.primary_covers_secondary,
            fallback_to_primary: row.fallback_to_primary,
        },
        minimum_reserve: row.minimum_reserve,
        limits: Limits {
            monthly_credit_cap: row.monthly_credit_cap,
            subtree_monthly_cap: row.subtree_monthly_cap,
            refill_threshold: row.refill_threshold,
            refill_amount: row.refill_amount,
            refill_monthly_ceiling: row.refill_monthly_ceiling,
        },
    }
}

/// The organizations and all their ancestors, each once.
async fn organizations(
    connection: &impl ConnectionTrait,
    realm: RealmId,
    starts: &BTreeSet<OrganizationId>,
) -> Result<Vec<OrganizationRow>> {
    if starts.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = Sql::new(
        "WITH RECURSIVE up (id, parent_id, distance) AS (
           SELECT o.id, o.parent_id, CAST(0 AS BIGINT) FROM organization o WHERE o.realm_id = ",
    );
    sql.bind(realm).push(" AND o.id").within(starts.iter().copied());
    sql.push(" UNION SELECT p.id, p.parent_id, up.distance + 1 FROM up JOIN organization p ON p.realm_id = ");
    sql.bind(realm).push(" AND p.id = up.parent_id WHERE up.distance < ");
    sql.bind(i64::try_from(DEPTH_MAX).unwrap_or(i64::MAX));
    sql.push(
        ") SELECT o.id, o.parent_id, o.timezone, o.billing_mode, o.funding, o.primary_covers_secondary,
             o.fallback_to_primary, o.minimum_reserve, o.monthly_credit_cap, o.subtree_monthly_cap,
             o.refill_threshold, o.refill_amount, o.refill_monthly_ceiling, o.archived_at IS NOT NULL AS archived,
             EXISTS (SELECT 1 FROM suspension s WHERE s.realm_id = o.realm_id AND s.organization_id = o.id) AS suspended
           FROM organization o WHERE o.realm_id = ",
    );
    sql.bind(realm).push(" AND o.id IN (SELECT id FROM up)");
    Ok(OrganizationRow::find_by_statement(sql.statement(connection)).all(connection).await?)
}

/// The wallets of the organizations in both environments, with every bucket that is not empty and those named.
pub async fn wallets(
    connection: &impl ConnectionTrait,
    realm: RealmId,
    organizations: &[OrganizationId],
    named: &BTreeSet<BucketId>,
) -> Result<Vec<(wallet::Model, Vec<bucket::Model>)>> {
    if organizations.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = Sql::new("SELECT * FROM wallet WHERE realm_id = ");
    sql.bind(realm).push(" AND organization_id").within(organizations.iter().copied());
    let wallets = wallet::Entity::find().from_raw_sql(sql.statement(connection)).all(connection).await?;
    let ids: Vec<WalletId> = wallets.iter().map(|row| row.id).collect();
    let mut filled = filled_buckets(connection, &[realm], &ids, named).await?;
    Ok(wallets.into_iter().map(|row| (row.clone(), filled.remove(&row.id).unwrap_or_default())).collect())
}

/// Every bucket of the wallets that is not empty, and those named, in the order they are spent.
pub async fn filled_buckets(
    connection: &impl ConnectionTrait,
    realms: &[RealmId],
    wallets: &[WalletId],
    named: &BTreeSet<BucketId>,
) -> Result<HashMap<WalletId, Vec<bucket::Model>>> {
    if wallets.is_empty() {
        return Ok(HashMap::new());
    }
    let mut sql = Sql::new("SELECT * FROM bucket WHERE realm_id");
    sql.within(realms.iter().copied()).push(" AND wallet_id").within(wallets.iter().copied());
    sql.push(" AND (balance <> 0 OR held <> 0");
    if !named.is_empty() {
        sql.push(" OR id").within(named.iter().copied());
    }
    sql.push(") ORDER BY priority, expires_at IS NULL, expires_at, created_at, id");
    let rows = bucket::Entity::find().from_raw_sql(sql.statement(connection)).all(connection).await?;
    let mut by_wallet: HashMap<WalletId, Vec<bucket::Model>> = HashMap::new();
    for row in rows {
        by_wallet.entry(row.wallet_id).or_default().push(row);
    }
    Ok(by_wallet)
}

/// The counters of the months that are current in any time zone.
async fn counters(
    connection: &impl ConnectionTrait,
    realm: RealmId,
    book: &mut Book,
    organizations: &[OrganizationId],
    families: &BTreeSet<KeyFamilyId>,
    now: Timestamp,
) -> Result<()> {
    let subjects: Vec<Uuid> =
        organizations.iter().map(|id| (*id).into()).chain(families.iter().map(|id| (*id).into())).collect();
    if subjects.is_empty() {
        return Ok(());
    }
    let kinds = [CounterSubject::Own, CounterSubject::Subtree, CounterSubject::Family, CounterSubject::Refill];
    let mut sql = Sql::new("SELECT * FROM spend_counter WHERE realm_id = ");
    sql.bind(realm).push(" AND subject_kind").within(kinds).push(" AND subject_id").within(subjects);
    sql.push(" AND month").within(current_months(now));
    let rows = spend_counter::Entity::find().from_raw_sql(sql.statement(connection)).all(connection).await?;
    for row in rows {
        let counter = model::counter_of(row.subject_kind, row.subject_id, row.month)?;
        book.insert_counter(row.environment, counter, row.used);
    }
    Ok(())
}

/// The month it is in UTC and the ones it may already or still be elsewhere: offsets go from −12 h to +14 h.
pub fn current_months(now: Timestamp) -> Vec<i64> {
    let day = std::time::Duration::from_secs(24 * 3_600);
    let utc = time_zone("UTC");
    let months: BTreeSet<i64> =
        [now.minus(day), now, now.plus(day)].iter().map(|at| i64::from(Month::of(*at, &utc).number())).collect();
    months.into_iter().collect()
}

async fn families(
    connection: &impl ConnectionTrait,
    realm: RealmId,
    ids: &BTreeSet<KeyFamilyId>,
) -> Result<Vec<api_key_family::Model>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = Sql::new("SELECT * FROM api_key_family WHERE realm_id = ");
    sql.bind(realm).push(" AND id").within(ids.iter().copied());
    Ok(api_key_family::Entity::find().from_raw_sql(sql.statement(connection)).all(connection).await?)
}

async fn issued_total(connection: &impl ConnectionTrait, realm: RealmId) -> Result<Credits> {
    let rows = entity::system_account::Entity::find()
        .filter(entity::system_account::Column::RealmId.eq(realm))
        .filter(entity::system_account::Column::Account.eq(Account::Issued))
        .all(connection)
        .await?;
    Ok(rows.iter().fold(Credits::ZERO, |sum, row| sum.saturating_sub(row.balance)))
}

/// Holds with their legs. Two statements, none for none.
pub async fn holds(
    connection: &impl ConnectionTrait,
    realm: RealmId,
    ids: &BTreeSet<HoldId>,
) -> Result<BTreeMap<HoldId, Hold>> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut sql = Sql::new("SELECT * FROM hold WHERE realm_id = ");
    sql.bind(realm).push(" AND id").within(ids.iter().copied());
    let rows = hold::Entity::find().from_raw_sql(sql.statement(connection)).all(connection).await?;
    let mut legs = legs(connection, &[realm], &rows.iter().map(|row| row.id).collect::<Vec<_>>()).await?;
    Ok(rows.into_iter().map(|row| (row.id, Hold { legs: legs.remove(&row.id).unwrap_or_default(), row })).collect())
}

pub async fn legs(
    connection: &impl ConnectionTrait,
    realms: &[RealmId],
    holds: &[HoldId],
) -> Result<HashMap<HoldId, Vec<hold_leg::Model>>> {
    let mut legs: HashMap<HoldId, Vec<hold_leg::Model>> = HashMap::new();
    if holds.is_empty() {
        return Ok(legs);
    }
    let mut sql = Sql::new("SELECT * FROM hold_leg WHERE realm_id");
    sql.within(realms.iter().copied()).push(" AND hold_id").within(holds.iter().copied()).push(" ORDER BY position");
    let rows = hold_leg::Entity::find().from_raw_sql(sql.statement(connection)).all(connection).await?;
    for leg in rows {
        legs.entry(leg.hold_id).or_default().push(leg);
    }
    Ok(legs)
}

/// Price list entries by the root whose catalogue they are in, and by key.
pub type Meters = HashMap<(OrganizationId, String), meter::Model>;

/// The entries of these keys in the catalogues of these roots.
pub async fn meters(
    connection: &impl ConnectionTrait,
    realm: RealmId,
    roots: &BTreeSet<OrganizationId>,
    keys: &BTreeSet<&str>,
) -> Result<Meters> {
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = meter::Entity::find()
        .filter(meter::Column::RealmId.eq(realm))
        .filter(meter::Column::OrganizationId.is_in(roots.iter().copied()))
        .filter(meter::Column::MeterKey.is_in(keys.iter().copied()))
        .all(connection)
        .await?;
    Ok(rows.into_iter().map(|row| ((row.organization_id, row.meter_key.clone()), row)).collect())
}
