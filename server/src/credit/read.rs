//! Reads of wallets, holds and the ledger outside of transactions: for showing, never for deciding.

use std::collections::HashMap;

use entity::id::{HoldId, OrganizationId, RealmId, TransactionId, WalletId};
use entity::kind::{CounterSubject, Environment, HoldStatus};
use entity::timestamp::Timestamp;
use entity::{hold, ledger_entry, ledger_transaction, meter, spend_counter, wallet};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder};
use uuid::Uuid;

use crate::credit::load::current_months;
use crate::kernel::error::Result;
use crate::kernel::page::{Order, Page, PerOwner, Slice, count_per_owner, counts, distinct, slices};
use crate::kernel::sql::Sql;

type Owner = (RealmId, OrganizationId);

fn owners(of: &[Owner]) -> Vec<(RealmId, Uuid)> {
    of.iter().map(|(realm, id)| (*realm, (*id).into())).collect()
}

/// Both wallets of every organization, in one statement.
pub async fn wallets(connection: &impl ConnectionTrait, of: &[Owner]) -> Result<Vec<wallet::Model>> {
    if of.is_empty() {
        return Ok(Vec::new());
    }
    let rows = wallet::Entity::find()
        .filter(wallet::Column::RealmId.is_in(distinct(of.iter().map(|(realm, _)| *realm))))
        .filter(wallet::Column::OrganizationId.is_in(of.iter().map(|(_, id)| *id)))
        .all(connection)
        .await?;
    Ok(rows)
}

pub async fn wallets_by_ids(
    connection: &impl ConnectionTrait,
    realms: &[RealmId],
    ids: &[WalletId],
) -> Result<Vec<wallet::Model>> {
    let mut select = wallet::Entity::find().filter(wallet::Column::Id.is_in(ids.iter().copied()));
    if !realms.is_empty() {
        select = select.filter(wallet::Column::RealmId.is_in(realms.iter().copied()));
    }
    Ok(select.all(connection).await?)
}

pub async fn holds_by_ids(
    connection: &impl ConnectionTrait,
    realms: &[RealmId],
    ids: &[HoldId],
) -> Result<Vec<hold::Model>> {
    let mut select = hold::Entity::find().filter(hold::Column::Id.is_in(ids.iter().copied()));
    if !realms.is_empty() {
        select = select.filter(hold::Column::RealmId.is_in(realms.iter().copied()));
    }
    Ok(select.all(connection).await?)
}

pub async fn transactions_by_ids(
    connection: &impl ConnectionTrait,
    realms: &[RealmId],
    ids: &[TransactionId],
) -> Result<Vec<ledger_transaction::Model>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut select =
        ledger_transaction::Entity::find().filter(ledger_transaction::Column::Id.is_in(ids.iter().copied()));
    if !realms.is_empty() {
        select = select.filter(ledger_transaction::Column::RealmId.is_in(realms.iter().copied()));
    }
    Ok(select.all(connection).await?)
}

/// The entries of transactions that touch the given organizations, in the order they were posted.
pub async fn entries_of_transactions(
    connection: &impl ConnectionTrait,
    realm: RealmId,
    ids: &[TransactionId],
) -> Result<Vec<ledger_entry::Model>> {
    let rows = ledger_entry::Entity::find()
        .filter(ledger_entry::Column::RealmId.eq(realm))
        .filter(ledger_entry::Column::TransactionId.is_in(ids.iter().copied()))
        .filter(ledger_entry::Column::OrganizationId.is_not_null())
        .order_by_asc(ledger_entry::Column::Id)
        .all(connection)
        .await?;
    Ok(rows)
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HoldFilter {
    pub environment: Option<Environment>,
    pub status: Option<HoldStatus>,
}

impl HoldFilter {
    fn narrow(&self, sql: &mut Sql) {
        if let Some(environment) = self.environment {
            sql.push(" AND x.environment = ").bind(environment);
        }
        if let Some(status) = self.status {
            sql.push(" AND x.status = ").bind(status);
        }
    }
}

/// A page of the holds of each organization, newest first, in one statement.
pub async fn holds(
    connection: &impl ConnectionTrait,
    of: &[Owner],
    filter: &HoldFilter,
    page: &Page,
) -> Result<HashMap<OrganizationId, Slice<hold::Model>>> {
    if of.is_empty() {
        return Ok(HashMap::new());
    }
    let per_owner = PerOwner { table: "hold", owner_column: "organization_id", joins: "", order: Order::NEWEST, page };
    let sql = per_owner.sql(connection, &owners(of), "", |sql| filter.narrow(sql));
    let rows = hold::Model::find_by_statement(sql.statement(connection)).all(connection).await?;
    Ok(slices(rows, |row| row.organization_id, page))
}

pub async fn count_holds(
    connection: &impl ConnectionTrait,
    of: &[Owner],
    filter: &HoldFilter,
) -> Result<HashMap<Uuid, i64>> {
    if of.is_empty() {
        return Ok(HashMap::new());
    }
    counts(connection, &count_per_owner("hold", "organization_id", &owners(of), |sql| filter.narrow(sql))).await
}

fn narrow_entries(sql: &mut Sql, environment: Option<Environment>) {
    // Said again in the words of the partial index.
    sql.push(" AND x.organization_id IS NOT NULL");
    if let Some(environment) = environment {
        sql.push(" AND x.environment = ").bind(environment);
    }
}

/// A page of the ledger entries of each organization, newest first, in one statement.
pub async fn entries(
    connection: &impl ConnectionTrait,
    of: &[Owner],
    environment: Option<Environment>,
    page: &Page,
) -> Result<HashMap<OrganizationId, Slice<ledger_entry::Model>>> {
    if of.is_empty() {
        return Ok(HashMap::new());
    }
    let per_owner =
        PerOwner { table: "ledger_entry", owner_column: "organization_id", joins: "", order: Order::NEWEST, page };
    let sql = per_owner.sql(connection, &owners(of), "", |sql| narrow_entries(sql, environment));
    let rows = ledger_entry::Model::find_by_statement(sql.statement(connection)).all(connection).await?;
    let pages = slices(rows, |row| row.organization_id, page);
    Ok(pages.into_iter().filter_map(|(id, slice)| Some((id?, slice))).collect())
}

pub async fn count_entries(
    connection: &impl ConnectionTrait,
    of: &[Owner],
    environment: Option<Environment>,
) -> Result<HashMap<Uuid, i64>> {
    if of.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = count_per_owner("ledger_entry", "organization_id", &owners(of), |sql| narrow_entries(sql, environment));
    counts(connection, &sql).await
}

/// What monthly limits have counted in LIVE for organizations, in the months current anywhere.
pub async fn counters(
    connection: &impl ConnectionTrait,
    of: &[(RealmId, Uuid)],
    kinds: &[CounterSubject],
    now: Timestamp,
) -> Result<Vec<spend_counter::Model>> {
    if of.is_empty() {
        return Ok(Vec::new());
    }
    let rows = spend_counter::Entity::find()
        .filter(spend_counter::Column::RealmId.is_in(distinct(of.iter().map(|(realm, _)| *realm))))
        .filter(spend_counter::Column::SubjectKind.is_in(kinds.iter().copied()))
        .filter(spend_counter::Column::SubjectId.is_in(of.iter().map(|(_, id)| *id)))
        .filter(spend_counter::Column::Month.is_in(current_months(now)))
        .all(connection)
        .await?;
    Ok(rows)
}

/// The root's catalogue, by key.
pub async fn meters(
    connection: &impl ConnectionTrait,
    realm: RealmId,
    root: OrganizationId,
) -> Result<Vec<meter::Model>> {
    let rows = meter::Entity::find()
        .filter(meter::Column::RealmId.eq(realm))
        .filter(meter::Column::OrganizationId.eq(root))
        .order_by_asc(meter::Column::MeterKey)
        .all(connection)
        .await?;
    Ok(rows)
}
