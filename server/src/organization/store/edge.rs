//! The SQL of edges over time, and of what hangs on one.

use entity::credits::Credits;
use entity::edge_period::{ActiveModel, Column, Entity, Model};
use entity::id::{EdgePeriodId, OrganizationId, RealmId};
use entity::kind::Relation;
use entity::timestamp::Timestamp;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, IntoActiveModel, QueryFilter};
use uuid::Uuid;

use crate::access::fields::handed;
use crate::access::path::DEPTH_MAX;
use crate::access::policy::Permission;
use crate::kernel::error::{Fault, Result};
use crate::kernel::owned::OwnedRow;
use crate::kernel::sql::Sql;
use crate::kernel::tx::Tx;
use crate::organization::model::Organization;

impl OwnedRow for Model {
    const TABLE: &'static str = "edge_period";
    const READ: Permission = handed("EdgePeriod");

    fn uuid(&self) -> Uuid {
        self.id.into()
    }

    fn organization_id(&self) -> OrganizationId {
        self.organization_id
    }
}

/// The period that begins with a new organization; a root has none. It has the organization's own id, as those have that
/// the migration made.
pub fn period(child: &Organization, since: Timestamp) -> Option<Model> {
    Some(Model {
        realm_id: child.realm_id,
        id: EdgePeriodId::from(Uuid::from(child.id)),
        organization_id: child.id,
        parent_id: child.parent_id?,
        relation: child.relation,
        since,
        until: None,
    })
}

pub async fn begin(tx: &Tx, periods: Vec<Model>) -> Result<()> {
    if periods.is_empty() {
        return Ok(());
    }
    let rows = periods.into_iter().map(IntoActiveModel::into_active_model);
    Entity::insert_many::<ActiveModel, _>(rows).exec_without_returning(tx).await?;
    Ok(())
}

/// Ends the period that runs, if one does, and begins the one that the record says: none for a root.
pub async fn change(tx: &Tx, child: &Organization) -> Result<()> {
    let ended = Entity::update_many()
        .col_expr(Column::Until, Expr::value(tx.now()))
        .filter(Column::RealmId.eq(tx.realm()))
        .filter(Column::OrganizationId.eq(child.id))
        .filter(Column::Until.is_null())
        .exec(tx)
        .await?;
    if ended.rows_affected > 1 {
        return Err(Fault::new(format!("{} had {} edges at once", child.id, ended.rows_affected)).into());
    }
    let begun = period(child, tx.now()).map(|period| Model { id: tx.id(), ..period });
    begin(tx, begun.into_iter().collect()).await
}

/// The organizations of a tree and how many levels down each is; the top is 1. It looks no further than one level more
/// than `most`.
fn below(sql: &mut Sql, realm: RealmId, top: OrganizationId, most: usize) {
    sql.push(
        "WITH RECURSIVE below (id, level) AS (SELECT x.id, CAST(1 AS BIGINT) FROM organization x WHERE x.realm_id = ",
    );
    sql.bind(realm).push(" AND x.id = ").bind(top).push(" UNION ALL SELECT x.id, below.level + 1");
    sql.push(" FROM below JOIN organization x ON x.realm_id = ").bind(realm);
    sql.push(" AND x.parent_id = below.id WHERE below.level <= ");
    sql.bind(i64::try_from(most).unwrap_or(i64::MAX)).push(")");
}

/// How many levels the tree of an organization has, itself included, counted up to one more than `most`.
pub async fn height(
    connection: &impl ConnectionTrait,
    realm: RealmId,
    top: OrganizationId,
    most: usize,
) -> Result<usize> {
    let mut sql = Sql::default();
    below(&mut sql, realm, top, most.min(DEPTH_MAX));
    sql.push(" SELECT MAX(level) AS height FROM below");
    let row = connection.query_one_raw(sql.statement(connection)).await?;
    let row = row.ok_or_else(|| Fault::new("a maximum answered no row"))?;
    let height: i64 = row.try_get("", "height")?;
    Ok(usize::try_from(height).unwrap_or(DEPTH_MAX))
}

/// What open holds of others' credits hold: how many, and how much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Borrowed {
    pub holds: i64,
    pub credits: Credits,
}

/// The open holds below an organization, its own included, that wallets of these payers fund.
pub async fn borrowed(
    connection: &impl ConnectionTrait,
    realm: RealmId,
    top: OrganizationId,
    payers: &[OrganizationId],
) -> Result<Borrowed> {
    if payers.is_empty() {
        return Ok(Borrowed::default());
    }
    let mut sql = Sql::default();
    below(&mut sql, realm, top, DEPTH_MAX);
    sql.push(" SELECT COUNT(DISTINCT h.id) AS holds, CAST(COALESCE(SUM(l.amount), 0) AS BIGINT) AS credits FROM below");
    sql.push(" JOIN hold h ON h.realm_id = ").bind(realm);
    // The word stands in the text, so that the index of open holds serves.
    sql.push(" AND h.organization_id = below.id AND h.status = 'OPEN' JOIN hold_leg l ON l.realm_id = ").bind(realm);
    sql.push(" AND l.hold_id = h.id AND l.organization_id").within(payers.iter().copied());
    let row = connection.query_one_raw(sql.statement(connection)).await?;
    let row = row.ok_or_else(|| Fault::new("a sum answered no row"))?;
    Ok(Borrowed { holds: row.try_get("", "holds")?, credits: row.try_get("", "credits")? })
}

/// A time during which every edge between an organization and the top was OWNED.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Consolidated {
    pub organization_id: OrganizationId,
    pub since: Timestamp,
    pub until: Timestamp,
}

/// Which organizations below the top its consolidated books cover between two instants, and for which part of that time:
/// as the edges were then, whatever became of them. An organization that came back has a row for each time.
pub async fn consolidated(
    connection: &impl ConnectionTrait,
    realm: RealmId,
    top: OrganizationId,
    since: Timestamp,
    until: Timestamp,
) -> Result<Vec<Consolidated>> {
    let mut sql = Sql::new("WITH RECURSIVE covered (organization_id, since, until, level) AS (SELECT x.id, CAST(");
    sql.bind(since).push(" AS BIGINT), CAST(").bind(until);
    sql.push(" AS BIGINT), CAST(0 AS BIGINT) FROM organization x WHERE x.realm_id = ").bind(realm);
    sql.push(" AND x.id = ").bind(top).push(
        " UNION ALL SELECT p.organization_id,
           CASE WHEN p.since > c.since THEN p.since ELSE c.since END,
           CASE WHEN p.until < c.until THEN p.until ELSE c.until END, c.level + 1
         FROM covered c JOIN edge_period p ON p.realm_id = ",
    );
    sql.bind(realm).push(" AND p.parent_id = c.organization_id AND p.since < c.until AND p.relation = ");
    sql.bind(Relation::Owned).push(" AND (p.until IS NULL OR p.until > c.since) WHERE c.level < ");
    sql.bind(i64::try_from(DEPTH_MAX).unwrap_or(i64::MAX));
    sql.push(
        ") SELECT organization_id, since, until FROM covered WHERE level > 0 AND since < until
         ORDER BY organization_id, since",
    );
    Ok(Consolidated::find_by_statement(sql.statement(connection)).all(connection).await?)
}
