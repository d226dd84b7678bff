//! The SQL of lists. It only reads: the kernel writes.

use entity::audit_event;
use entity::id::{AuditEventId, OrganizationId, RealmId};
use entity::kind::{AuditOutcome, PrincipalKind};
use entity::timestamp::Timestamp;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter};
use uuid::Uuid;

use crate::kernel::clock::version7;
use crate::kernel::error::{Fault, Result};
use crate::kernel::page::{Order, Page, Slice};
use crate::kernel::sql::{Sql, like_anywhere};

/// Which entries of a list are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Filter {
    pub actor: Option<(PrincipalKind, Option<Uuid>)>,
    pub action: Option<String>,
    pub target: Option<String>,
    pub outcome: Option<AuditOutcome>,
    /// Without what was done below the organization.
    pub own: bool,
    /// Not before this instant.
    pub from: Option<Timestamp>,
    /// Before this instant.
    pub to: Option<Timestamp>,
}

/// The entries of an organization and of everything that was below it when they were written.
fn within(sql: &mut Sql, realm: RealmId, top: OrganizationId, filter: &Filter) {
    sql.push(" FROM audit_event x WHERE x.realm_id = ").bind(realm);
    sql.push(" AND x.path LIKE ").bind(like_anywhere(&format!("\"{top}\""))).push(" ESCAPE '\\'");
    if let Some((kind, id)) = filter.actor {
        sql.push(" AND x.actor_kind = ").bind(kind);
        if let Some(id) = id {
            sql.push(" AND x.actor_id = ").bind(id);
        }
    }
    if let Some(action) = &filter.action {
        sql.push(" AND x.action = ").bind(action.clone());
    }
    if let Some(target) = &filter.target {
        sql.push(" AND x.target_id = ").bind(target.clone());
    }
    if let Some(outcome) = filter.outcome {
        sql.push(" AND x.outcome = ").bind(outcome);
    }
    if filter.own {
        sql.push(" AND x.organization_id = ").bind(top);
    }
    // An entry's id begins with its moment in milliseconds, and ids have an index.
    if let Some(from) = filter.from {
        sql.push(" AND x.created_at >= ").bind(from).push(" AND x.id >= ").bind(first_id(from));
    }
    if let Some(to) = filter.to {
        let next = to.plus(std::time::Duration::from_millis(1));
        sql.push(" AND x.created_at < ").bind(to).push(" AND x.id < ").bind(first_id(next));
    }
}

/// Not above any id of this moment's millisecond or a later one.
fn first_id(at: Timestamp) -> Uuid {
    version7(Timestamp::from_millis(at.as_millis()), [0; 10])
}

/// A page, newest first.
pub async fn list(
    connection: &impl ConnectionTrait,
    realm: RealmId,
    top: OrganizationId,
    filter: &Filter,
    page: &Page,
) -> Result<Slice<audit_event::Model>> {
    let mut sql = Sql::new("SELECT x.*");
    within(&mut sql, realm, top, filter);
    Order::NEWEST.keyset(&mut sql, page);
    Order::NEWEST.limit(&mut sql, page);
    let rows = audit_event::Model::find_by_statement(sql.statement(connection)).all(connection).await?;
    Ok(Slice::new(rows, page))
}

pub async fn count(
    connection: &impl ConnectionTrait,
    realm: RealmId,
    top: OrganizationId,
    filter: &Filter,
) -> Result<i64> {
    let mut sql = Sql::new("SELECT COUNT(*) AS total");
    within(&mut sql, realm, top, filter);
    let row = connection.query_one_raw(sql.statement(connection)).await?;
    Ok(row.ok_or_else(|| Fault::new("a count answered no row"))?.try_get("", "total")?)
}

pub async fn by_ids(
    connection: &impl ConnectionTrait,
    realms: &[RealmId],
    ids: &[AuditEventId],
) -> Result<Vec<audit_event::Model>> {
    let mut select = audit_event::Entity::find().filter(audit_event::Column::Id.is_in(ids.iter().copied()));
    if !realms.is_empty() {
        select = select.filter(audit_event::Column::RealmId.is_in(realms.iter().copied()));
    }
    Ok(select.all(connection).await?)
}
