//! The SQL of organizations and suspensions.

pub mod edge;

use std::collections::HashMap;

use entity::id::{OrganizationId, RealmId};
use entity::kind::{Relation, Tier};
use entity::{organization, suspension};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, IntoActiveModel,
    QueryFilter, QueryOrder,
};
use uuid::Uuid;

use crate::access::path::DEPTH_MAX;
use crate::kernel::error::{Fault, Refusal, Result};
use crate::kernel::page::{
    Cursor, Order, Page, PerOwner, Slice, SortColumn, SortKey, count_per_owner, counts, distinct, slices,
};
use crate::kernel::sql::{Sql, like_anywhere};
use crate::kernel::tx::Tx;
use crate::organization::model::{Organization, fold};

/// Which organizations of a list are meant. Everything that is absent does not narrow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Filter {
    /// Effective status: over the organization and its ancestors.
    pub status: Option<Status>,
    pub relation: Option<Relation>,
    pub tier: Option<Tier>,
    pub name: Option<String>,
    pub external_id: Option<String>,
    pub metadata_key: Option<String>,
    pub root: Option<bool>,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    Active,
    Suspended,
    Archived,
}

#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum SortBy {
    #[default]
    Name,
    CreatedAt,
    Balance,
}

#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sort {
    pub by: SortBy,
    pub descending: bool,
}

impl Sort {
    fn order(self) -> Order {
        let column = match self.by {
            SortBy::Name => Some(SortColumn { expression: "x.name_folded", name: "name_folded" }),
            SortBy::CreatedAt => None,
            SortBy::Balance => Some(SortColumn { expression: "COALESCE(w.balance, 0)", name: "sort_number" }),
        };
        Order { column, descending: self.descending }
    }

    fn joins(self) -> &'static str {
        match self.by {
            SortBy::Balance => {
                "LEFT JOIN wallet w ON w.realm_id = x.realm_id AND w.organization_id = x.id AND w.environment = 'LIVE' "
            }
            _ => "",
        }
    }

    fn extra(self) -> &'static str {
        match self.by {
            SortBy::Balance => ", COALESCE(w.balance, 0) AS sort_number",
            _ => ", CAST(0 AS BIGINT) AS sort_number",
        }
    }

    pub fn cursor(self, found: &Found) -> Cursor {
        let key = match self.by {
            SortBy::Name => SortKey::Text(found.organization.name_folded.clone()),
            SortBy::CreatedAt => SortKey::Age,
            SortBy::Balance => SortKey::Number(found.sort_number),
        };
        Cursor { key, id: found.organization.id.into() }
    }
}

/// A row of a list.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Found {
    #[sea_orm(nested)]
    pub organization: Organization,
    pub sort_number: i64,
}

/// Conditions on `x` that need nothing but its row; `status` is the list's own affair.
fn narrow(sql: &mut Sql, filter: &Filter) {
    if let Some(relation) = filter.relation {
        sql.push(" AND x.parent_id IS NOT NULL AND x.relation = ").bind(relation);
    }
    if let Some(tier) = filter.tier {
        sql.push(" AND x.tier = ").bind(tier);
    }
    if let Some(name) = &filter.name {
        sql.push(" AND x.name_folded LIKE ").bind(like_anywhere(&fold(name))).push(" ESCAPE '\\'");
    }
    if let Some(external_id) = &filter.external_id {
        sql.push(" AND x.external_id = ").bind(external_id.clone());
    }
    if let Some(key) = &filter.metadata_key {
        // The key as it stands in the JSON text: quoted, escaped, followed by a colon. A value cannot look like it,
        // because a quote inside a value is escaped.
        let quoted = format!("{}:", serde_json::Value::from(key.as_str()));
        let (first, later) = (format!("{{{quoted}"), format!(",{quoted}"));
        sql.push(" AND (x.metadata LIKE ").bind(prefix_pattern(&first)).push(" ESCAPE '\\' OR x.metadata LIKE ");
        sql.bind(like_anywhere(&later)).push(" ESCAPE '\\')");
    }
    if let Some(root) = filter.root {
        sql.push(if root { " AND x.parent_id IS NULL" } else { " AND x.parent_id IS NOT NULL" });
    }
}

fn prefix_pattern(text: &str) -> String {
    like_anywhere(text).trim_start_matches('%').to_owned()
}

const SUSPENDED: &str =
    "EXISTS (SELECT 1 FROM suspension s WHERE s.realm_id = x.realm_id AND s.organization_id = x.id)";

/// Effective status where the parent's is known to be active.
fn own_status(sql: &mut Sql, status: Option<Status>) {
    match status {
        None => {}
        Some(Status::Archived) => {
            sql.push(" AND x.archived_at IS NOT NULL");
        }
        Some(Status::Suspended) => {
            sql.push(" AND x.archived_at IS NULL AND ").push(SUSPENDED);
        }
        Some(Status::Active) => {
            sql.push(" AND x.archived_at IS NULL AND NOT ").push(SUSPENDED);
        }
    }
}

/// A page of the children of each parent, in one statement. `parents` carries each parent's own effective status.
pub async fn children(
    connection: &impl ConnectionTrait,
    parents: &[(RealmId, OrganizationId, Status)],
    filter: &Filter,
    sort: Sort,
    page: &Page,
) -> Result<HashMap<OrganizationId, Slice<Found>>> {
    let owners = owners_that_match(parents, filter);
    if owners.is_empty() {
        return Ok(HashMap::new());
    }
    let per_owner =
        PerOwner { table: "organization", owner_column: "parent_id", joins: sort.joins(), order: sort.order(), page };
    let sql = per_owner.sql(connection, &owners, sort.extra(), |sql| {
        narrow(sql, filter);
        if filter.status.is_some() {
            own_status(sql, filter.status);
        }
    });
    let rows = Found::find_by_statement(sql.statement(connection)).all(connection).await?;
    let pages = slices(rows, |row| row.organization.parent_id, page);
    Ok(pages.into_iter().filter_map(|(parent, slice)| Some((parent?, slice))).collect())
}

fn owners_that_match(parents: &[(RealmId, OrganizationId, Status)], filter: &Filter) -> Vec<(RealmId, Uuid)> {
    parents
        .iter()
        .filter(|(_, _, parent)| match (filter.status, parent) {
            (None, _) | (_, Status::Active) => true,
            (Some(Status::Active), _) => false,
            (Some(wanted), parent) => wanted == *parent || wanted == Status::Archived,
        })
        .map(|(realm, id, _)| (*realm, (*id).into()))
        .collect()
}

pub async fn count_children(
    connection: &impl ConnectionTrait,
    parents: &[(RealmId, OrganizationId, Status)],
    filter: &Filter,
) -> Result<HashMap<OrganizationId, i64>> {
    let owners = owners_that_match(parents, filter);
    if owners.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = count_per_owner("organization", "parent_id", &owners, |sql| {
        narrow(sql, filter);
        own_status(sql, filter.status);
    });
    counts(connection, &sql).await.map(|counts| counts.into_iter().map(|(id, n)| (id.into(), n)).collect())
}

/// Where a flat list begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Within {
    /// Every organization of the deployment.
    All,
    /// This organization and everything below it, or only what is below.
    Subtree { realm: RealmId, top: OrganizationId, with_top: bool, depth_max: Option<u32> },
}

/// The recursion down from the tops; rank is the effective status: 0 active, 1 suspended, 2 archived. `above` is the
/// rank the top inherits from its own ancestors.
fn below(sql: &mut Sql, within: Within, above: Status) {
    let rank = |sql: &mut Sql, inherited: &str| {
        sql.push("CASE WHEN x.archived_at IS NOT NULL OR ").push(inherited).push(" = 2 THEN 2 WHEN ").push(inherited);
        sql.push(" = 1 OR ").push(SUSPENDED).push(" THEN 1 ELSE 0 END");
    };
    let above = match above {
        Status::Active => "0",
        Status::Suspended => "1",
        Status::Archived => "2",
    };
    sql.push("WITH RECURSIVE below (realm_id, id, level, rank) AS (SELECT x.realm_id, x.id, 0, ");
    rank(sql, above);
    sql.push(" FROM organization x WHERE ");
    let depth_max = match within {
        Within::All => {
            sql.push("x.parent_id IS NULL");
            None
        }
        Within::Subtree { realm, top, depth_max, .. } => {
            sql.push("x.realm_id = ").bind(realm).push(" AND x.id = ").bind(top);
            depth_max
        }
    };
    sql.push(" UNION ALL SELECT x.realm_id, x.id, below.level + 1, ");
    rank(sql, "below.rank");
    sql.push(" FROM below JOIN organization x ON x.realm_id = below.realm_id AND x.parent_id = below.id WHERE below.level < ");
    let levels = depth_max.map_or(i64::try_from(DEPTH_MAX).unwrap_or(i64::MAX), i64::from);
    // Written out, not bound: PostgreSQL would compare an integer with a bigint.
    sql.push(&levels.min(32).to_string()).push(") ");
}

fn from_within(sql: &mut Sql, within: Within, above: Status, filter: &Filter, head: &str, joins: &str) {
    if within == Within::All && filter.status.is_none() {
        sql.push(head).push(" FROM organization x ").push(joins).push(" WHERE 1 = 1");
    } else {
        below(sql, within, above);
        sql.push(head).push(" FROM below JOIN organization x ON x.realm_id = below.realm_id AND x.id = below.id ");
        sql.push(joins).push(" WHERE 1 = 1");
        if let Within::Subtree { with_top: false, .. } = within {
            sql.push(" AND below.level > 0");
        }
        match filter.status {
            None => {}
            Some(Status::Active) => {
                sql.push(" AND below.rank = 0");
            }
            Some(Status::Suspended) => {
                sql.push(" AND below.rank = 1");
            }
            Some(Status::Archived) => {
                sql.push(" AND below.rank = 2");
            }
        }
    }
    narrow(sql, filter);
}

/// A page of a flat list.
pub async fn list(
    connection: &impl ConnectionTrait,
    within: Within,
    above: Status,
    filter: &Filter,
    sort: Sort,
    page: &Page,
) -> Result<Slice<Found>> {
    let mut sql = Sql::default();
    let head = format!("SELECT x.*{}", sort.extra());
    from_within(&mut sql, within, above, filter, &head, sort.joins());
    sort.order().keyset(&mut sql, page);
    sort.order().limit(&mut sql, page);
    let rows = Found::find_by_statement(sql.statement(connection)).all(connection).await?;
    Ok(Slice::new(rows, page))
}

pub async fn count(connection: &impl ConnectionTrait, within: Within, above: Status, filter: &Filter) -> Result<i64> {
    let mut sql = Sql::default();
    from_within(&mut sql, within, above, filter, "SELECT COUNT(*) AS total", "");
    let row = connection.query_one_raw(sql.statement(connection)).await?;
    let row = row.ok_or_else(|| Fault::new("a count answered no row"))?;
    Ok(row.try_get("", "total")?)
}

/// The ids of everything below that is not archived, in no order.
pub async fn live_descendants(
    connection: &impl ConnectionTrait,
    realm: RealmId,
    top: OrganizationId,
) -> Result<Vec<OrganizationId>> {
    let within = Within::Subtree { realm, top, with_top: false, depth_max: None };
    let mut sql = Sql::default();
    from_within(&mut sql, within, Status::Active, &Filter::default(), "SELECT x.id", "");
    sql.push(" AND x.archived_at IS NULL");
    let rows = connection.query_all_raw(sql.statement(connection)).await?;
    rows.iter().map(|row| Ok(row.try_get("", "id")?)).collect()
}

pub async fn by_ids(
    connection: &impl ConnectionTrait,
    realms: &[RealmId],
    ids: &[OrganizationId],
) -> Result<Vec<Organization>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut select = organization::Entity::find().filter(organization::Column::Id.is_in(ids.iter().copied()));
    if !realms.is_empty() {
        select = select.filter(organization::Column::RealmId.is_in(realms.iter().copied()));
    }
    Ok(select.all(connection).await?)
}

/// The organization the transaction acts on.
pub async fn get(tx: &Tx, id: OrganizationId) -> Result<Organization> {
    let found = organization::Entity::find_by_id((tx.realm(), id)).one(tx).await?;
    Ok(found.ok_or_else(Refusal::not_found)?)
}

pub async fn by_external_id(
    connection: &impl ConnectionTrait,
    realm: Option<RealmId>,
    external_id: &str,
) -> Result<Vec<Organization>> {
    let mut select = organization::Entity::find()
        .filter(organization::Column::ExternalId.eq(external_id))
        .order_by_asc(organization::Column::ArchivedAt)
        .order_by_asc(organization::Column::Id);
    if let Some(realm) = realm {
        select = select.filter(organization::Column::RealmId.eq(realm));
    }
    Ok(select.all(connection).await?)
}

/// Whether a live sibling already has this external id.
pub async fn external_id_taken(
    connection: &impl ConnectionTrait,
    realm: RealmId,
    parent: Option<OrganizationId>,
    external_id: &str,
    except: Option<OrganizationId>,
) -> Result<bool> {
    let Some(parent) = parent else { return Ok(false) };
    let mut select = organization::Entity::find()
        .filter(organization::Column::RealmId.eq(realm))
        .filter(organization::Column::ParentId.eq(parent))
        .filter(organization::Column::ExternalId.eq(external_id))
        .filter(organization::Column::ArchivedAt.is_null());
    if let Some(except) = except {
        select = select.filter(organization::Column::Id.ne(except));
    }
    Ok(select.one(connection).await?.is_some())
}

/// New organizations, with the edges to their parents.
pub async fn insert_many(tx: &Tx, organizations: Vec<Organization>) -> Result<()> {
    let edges: Vec<_> = organizations.iter().filter_map(|child| edge::period(child, child.created_at)).collect();
    let rows = organizations.into_iter().map(IntoActiveModel::into_active_model);
    organization::Entity::insert_many(rows).exec_without_returning(tx).await?;
    edge::begin(tx, edges).await
}

/// A new partition for a new root.
pub async fn insert_realm(tx: &Tx, realm: RealmId) -> Result<()> {
    let row = entity::realm::Model { realm_id: realm, sequence: 0, created_at: tx.now() };
    entity::realm::Entity::insert(row.into_active_model()).exec_without_returning(tx).await?;
    Ok(())
}

/// Writes the whole record, with the next version, at this transaction's moment.
pub async fn save(tx: &Tx, organization: &mut Organization) -> Result<()> {
    organization.version += 1;
    organization.updated_at = tx.now();
    let active = organization.clone().into_active_model().reset_all();
    let updated = organization::Entity::update_many()
        .set(active)
        .filter(organization::Column::RealmId.eq(tx.realm()))
        .filter(organization::Column::Id.eq(organization.id))
        .exec(tx)
        .await?;
    if updated.rows_affected != 1 {
        return Err(Fault::new(format!("saving {} touched {} rows", organization.id, updated.rows_affected)).into());
    }
    Ok(())
}

pub async fn archive_all(tx: &Tx, ids: &[OrganizationId]) -> Result<()> {
    for chunk in ids.chunks(500) {
        let mut sql = Sql::new("UPDATE organization SET archived_at = ");
        sql.bind(tx.now()).push(", updated_at = ").bind(tx.now()).push(", version = version + 1 WHERE realm_id = ");
        sql.bind(tx.realm()).push(" AND archived_at IS NULL AND id").within(chunk.iter().copied());
        tx.execute_raw(sql.statement(tx)).await?;
    }
    Ok(())
}

/// The suspensions of the given organizations themselves, oldest first.
pub async fn suspensions(
    connection: &impl ConnectionTrait,
    of: &[(RealmId, OrganizationId)],
) -> Result<Vec<suspension::Model>> {
    if of.is_empty() {
        return Ok(Vec::new());
    }
    let rows = suspension::Entity::find()
        .filter(suspension::Column::RealmId.is_in(distinct(of.iter().map(|(realm, _)| *realm))))
        .filter(suspension::Column::OrganizationId.is_in(of.iter().map(|(_, id)| *id)))
        .order_by_asc(suspension::Column::PlacedAt)
        .all(connection)
        .await?;
    Ok(rows)
}

/// Places the holder's suspension; `false` when it stood already.
pub async fn suspend(tx: &Tx, id: OrganizationId, holder: Uuid, reason: Option<String>) -> Result<bool> {
    let standing = suspension::Entity::find()
        .filter(suspension::Column::RealmId.eq(tx.realm()))
        .filter(suspension::Column::OrganizationId.eq(id))
        .filter(suspension::Column::HolderId.eq(holder))
        .one(tx)
        .await?;
    if standing.is_some() {
        return Ok(false);
    }
    let row = suspension::Model {
        realm_id: tx.realm(),
        id: tx.id(),
        organization_id: id,
        holder_id: holder,
        reason,
        placed_at: tx.now(),
    };
    suspension::Entity::insert(row.into_active_model()).exec_without_returning(tx).await?;
    Ok(true)
}

/// Lifts the holder's suspension, and those of holders that are not among `others`, who keep theirs; `false` when there was
/// none.
pub async fn resume(tx: &Tx, id: OrganizationId, holder: Uuid, others: &[Uuid]) -> Result<bool> {
    let is_lifted = Condition::any()
        .add(suspension::Column::HolderId.eq(holder))
        .add(suspension::Column::HolderId.is_not_in(others.iter().copied()));
    let lifted = suspension::Entity::delete_many()
        .filter(suspension::Column::RealmId.eq(tx.realm()))
        .filter(suspension::Column::OrganizationId.eq(id))
        .filter(is_lifted)
        .exec(tx)
        .await?;
    Ok(lifted.rows_affected > 0)
}

/// Whether every edge between two organizations is OWNED: up from each to their nearest common ancestor.
pub async fn owned_between(
    connection: &impl ConnectionTrait,
    realm: RealmId,
    one: &crate::access::path::Path,
    other: &crate::access::path::Path,
) -> Result<bool> {
    let Some(common) = one.ids().find(|id| other.contains(*id)) else { return Ok(false) };
    let children: Vec<OrganizationId> =
        one.ids().take_while(|id| *id != common).chain(other.ids().take_while(|id| *id != common)).collect();
    let records = by_ids(connection, &[realm], &children).await?;
    Ok(records.iter().all(|record| record.relation == Relation::Owned))
}
