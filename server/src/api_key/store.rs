//! The SQL of API keys, their families and the operator's keys.

use std::collections::HashMap;

use entity::id::{ApiKeyId, KeyFamilyId, OrganizationId, RealmId};
use entity::timestamp::Timestamp;
use entity::{api_key, api_key_family, operator_key};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, IntoActiveModel, PaginatorTrait, QueryFilter,
};
use uuid::Uuid;

use crate::api_key::model::{ApiKey, Status};
use crate::kernel::error::{Fault, Refusal, Result};
use crate::kernel::page::{Order, Page, PerOwner, Slice, count_per_owner, counts, distinct, slices};
use crate::kernel::sql::Sql;
use crate::kernel::tx::Tx;

/// Which keys of a list are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Filter {
    pub status: Option<Status>,
    pub environment: Option<entity::kind::Environment>,
}

fn narrow(sql: &mut Sql, filter: &Filter, now: Timestamp) {
    if let Some(environment) = filter.environment {
        sql.push(" AND x.environment = ").bind(environment);
    }
    let live = " AND x.revoked_at IS NULL AND (x.expires_at IS NULL OR x.expires_at > ";
    match filter.status {
        None => {}
        Some(Status::Active) => {
            sql.push(live).bind(now).push(") AND x.superseded_at IS NULL");
        }
        Some(Status::Superseded) => {
            sql.push(live).bind(now).push(") AND x.superseded_at IS NOT NULL");
        }
        Some(Status::Revoked) => {
            sql.push(" AND x.revoked_at IS NOT NULL");
        }
        Some(Status::Expired) => {
            sql.push(" AND x.revoked_at IS NULL AND x.expires_at <= ").bind(now);
        }
    }
}

/// A page of the keys of each organization, newest first. Two statements: the keys, their families.
pub async fn of_organizations(
    connection: &impl ConnectionTrait,
    owners: &[(RealmId, OrganizationId)],
    filter: &Filter,
    now: Timestamp,
    page: &Page,
) -> Result<HashMap<OrganizationId, Slice<ApiKey>>> {
    if owners.is_empty() {
        return Ok(HashMap::new());
    }
    let owners: Vec<(RealmId, Uuid)> = owners.iter().map(|(realm, id)| (*realm, (*id).into())).collect();
    let per_owner =
        PerOwner { table: "api_key", owner_column: "organization_id", joins: "", order: Order::NEWEST, page };
    let sql = per_owner.sql(connection, &owners, "", |sql| narrow(sql, filter, now));
    let rows = api_key::Model::find_by_statement(sql.statement(connection)).all(connection).await?;
    let keys = with_families(connection, rows).await?;
    Ok(slices(keys, |key| key.row.organization_id, page))
}

pub async fn count_of_organizations(
    connection: &impl ConnectionTrait,
    owners: &[(RealmId, OrganizationId)],
    filter: &Filter,
    now: Timestamp,
) -> Result<HashMap<Uuid, i64>> {
    if owners.is_empty() {
        return Ok(HashMap::new());
    }
    let owners: Vec<(RealmId, Uuid)> = owners.iter().map(|(realm, id)| (*realm, (*id).into())).collect();
    let sql = count_per_owner("api_key", "organization_id", &owners, |sql| narrow(sql, filter, now));
    counts(connection, &sql).await
}

async fn with_families(connection: &impl ConnectionTrait, rows: Vec<api_key::Model>) -> Result<Vec<ApiKey>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let families = api_key_family::Entity::find()
        .filter(api_key_family::Column::RealmId.is_in(distinct(rows.iter().map(|row| row.realm_id))))
        .filter(api_key_family::Column::Id.is_in(rows.iter().map(|row| row.family_id)))
        .all(connection)
        .await?;
    let families: HashMap<KeyFamilyId, _> = families.into_iter().map(|family| (family.id, family)).collect();
    rows.into_iter()
        .map(|row| {
            let family = families.get(&row.family_id).cloned();
            let family = family.ok_or_else(|| Fault::new(format!("{} has no family", row.id)))?;
            Ok(ApiKey { row, family })
        })
        .collect()
}

pub async fn by_ids(connection: &impl ConnectionTrait, realms: &[RealmId], ids: &[ApiKeyId]) -> Result<Vec<ApiKey>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut select = api_key::Entity::find().filter(api_key::Column::Id.is_in(ids.iter().copied()));
    if !realms.is_empty() {
        select = select.filter(api_key::Column::RealmId.is_in(realms.iter().copied()));
    }
    with_families(connection, select.all(connection).await?).await
}

pub async fn get(tx: &Tx, id: ApiKeyId) -> Result<ApiKey> {
    let found = by_ids(tx, &[tx.realm()], &[id]).await?;
    Ok(found.into_iter().next().ok_or_else(Refusal::not_found)?)
}

pub async fn insert_family(tx: &Tx, family: api_key_family::Model) -> Result<()> {
    api_key_family::Entity::insert(family.into_active_model()).exec_without_returning(tx).await?;
    Ok(())
}

pub async fn insert(tx: &Tx, key: api_key::Model) -> Result<()> {
    api_key::Entity::insert(key.into_active_model()).exec_without_returning(tx).await?;
    Ok(())
}

/// Marks a key as rotated and sets when it stops working.
pub async fn supersede(tx: &Tx, id: ApiKeyId, until: Timestamp) -> Result<()> {
    let mut sql = Sql::new("UPDATE api_key SET superseded_at = ");
    sql.bind(tx.now()).push(", expires_at = ").bind(until).push(" WHERE realm_id = ").bind(tx.realm());
    sql.push(" AND id = ").bind(id);
    let touched = sea_orm::ConnectionTrait::execute_raw(tx, sql.statement(tx)).await?.rows_affected();
    if touched != 1 {
        return Err(Fault::new(format!("superseding {id} touched {touched} rows")).into());
    }
    Ok(())
}

/// Which keys to revoke.
pub enum Which<'a> {
    Key(ApiKeyId),
    Family(KeyFamilyId),
    Organizations(&'a [OrganizationId]),
}

/// Revokes what is not revoked yet; answers the ids that were still usable until now.
pub async fn revoke(tx: &Tx, which: Which<'_>) -> Result<Vec<ApiKeyId>> {
    let condition = match which {
        Which::Key(id) => Condition::all().add(api_key::Column::Id.eq(id)),
        Which::Family(id) => Condition::all().add(api_key::Column::FamilyId.eq(id)),
        Which::Organizations(ids) => Condition::all().add(api_key::Column::OrganizationId.is_in(ids.iter().copied())),
    };
    let rows = api_key::Entity::find()
        .filter(api_key::Column::RealmId.eq(tx.realm()))
        .filter(condition)
        .filter(api_key::Column::RevokedAt.is_null())
        .all(tx)
        .await?;
    let ids: Vec<ApiKeyId> = rows.iter().map(|row| row.id).collect();
    for chunk in ids.chunks(500) {
        let mut sql = Sql::new("UPDATE api_key SET revoked_at = ");
        sql.bind(tx.now()).push(" WHERE realm_id = ").bind(tx.realm()).push(" AND id").within(chunk.iter().copied());
        tx.execute_raw(sql.statement(tx)).await?;
    }
    let usable = |row: &&api_key::Model| row.expires_at.is_none_or(|at| at > tx.now());
    Ok(rows.iter().filter(usable).map(|row| row.id).collect())
}

/// How many keys of the organizations work now.
pub async fn count_usable(
    connection: &impl ConnectionTrait,
    realm: RealmId,
    organizations: &[OrganizationId],
    now: Timestamp,
) -> Result<i64> {
    let mut total = 0;
    for chunk in organizations.chunks(500) {
        let count = api_key::Entity::find()
            .filter(api_key::Column::RealmId.eq(realm))
            .filter(api_key::Column::OrganizationId.is_in(chunk.iter().copied()))
            .filter(api_key::Column::RevokedAt.is_null())
            .filter(Condition::any().add(api_key::Column::ExpiresAt.is_null()).add(api_key::Column::ExpiresAt.gt(now)))
            .count(connection)
            .await?;
        total += i64::try_from(count).unwrap_or(i64::MAX);
    }
    Ok(total)
}

pub async fn insert_operator_key(connection: &impl ConnectionTrait, key: operator_key::Model) -> Result<()> {
    operator_key::Entity::insert(key.into_active_model()).exec_without_returning(connection).await?;
    Ok(())
}
