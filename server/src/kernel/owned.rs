//! Tables whose rows belong to one organization each: how they are listed and found, the same for all of them.

use std::collections::HashMap;

use entity::id::{OrganizationId, RealmId};
use sea_orm::{ConnectionTrait, FromQueryResult};
use uuid::Uuid;

use crate::access::policy::Permission;
use crate::kernel::error::{Refusal, Result};
use crate::kernel::page::{Order, Page, PerOwner, Slice, count_per_owner, counts, slices};
use crate::kernel::sql::Sql;
use crate::kernel::tx::Tx;

/// A row that belongs to one organization.
pub trait OwnedRow: FromQueryResult + Clone + Send + Sync + 'static {
    const TABLE: &'static str;
    /// What seeing it needs.
    const READ: Permission;

    fn uuid(&self) -> Uuid;
    fn organization_id(&self) -> OrganizationId;
}

/// Only the rows whose column, a literal of the program, has this value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Only {
    pub column: &'static str,
    pub value: &'static str,
}

fn narrow(sql: &mut Sql, only: Option<Only>) {
    if let Some(Only { column, value }) = only {
        sql.push(" AND x.").push(column).push(" = ").bind(value);
    }
}

fn uuids(owners: &[(RealmId, OrganizationId)]) -> Vec<(RealmId, Uuid)> {
    owners.iter().map(|(realm, id)| (*realm, (*id).into())).collect()
}

/// A page of the rows of each organization, newest first, in one statement.
pub async fn of_organizations<R: OwnedRow>(
    connection: &impl ConnectionTrait,
    owners: &[(RealmId, OrganizationId)],
    only: Option<Only>,
    page: &Page,
) -> Result<HashMap<OrganizationId, Slice<R>>> {
    if owners.is_empty() {
        return Ok(HashMap::new());
    }
    let per_owner =
        PerOwner { table: R::TABLE, owner_column: "organization_id", joins: "", order: Order::NEWEST, page };
    let sql = per_owner.sql(connection, &uuids(owners), "", |sql| narrow(sql, only));
    let rows = R::find_by_statement(sql.statement(connection)).all(connection).await?;
    Ok(slices(rows, R::organization_id, page))
}

/// How many rows each organization has. Those without are missing from the answer.
pub async fn count<R: OwnedRow>(
    connection: &impl ConnectionTrait,
    owners: &[(RealmId, OrganizationId)],
    only: Option<Only>,
) -> Result<HashMap<Uuid, i64>> {
    if owners.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = count_per_owner(R::TABLE, "organization_id", &uuids(owners), |sql| narrow(sql, only));
    counts(connection, &sql).await
}

/// The rows with these ids, in no order. No realms means any.
pub async fn by_ids<R: OwnedRow>(
    connection: &impl ConnectionTrait,
    realms: &[RealmId],
    ids: &[Uuid],
) -> Result<Vec<R>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = Sql::new("SELECT * FROM ");
    sql.push(R::TABLE).push(" WHERE id").within(ids.iter().copied());
    if !realms.is_empty() {
        sql.push(" AND realm_id").within(realms.iter().copied());
    }
    Ok(R::find_by_statement(sql.statement(connection)).all(connection).await?)
}

/// The row with this id in the transaction's realm; `NOT_FOUND` when there is none.
pub async fn get<R: OwnedRow>(tx: &Tx, id: impl Into<Uuid>) -> Result<R> {
    let found = by_ids(tx, &[tx.realm()], &[id.into()]).await?;
    Ok(found.into_iter().next().ok_or_else(Refusal::not_found)?)
}
