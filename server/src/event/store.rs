//! The SQL of the outbox. It only reads: the kernel writes.

use entity::event;
use entity::id::RealmId;
use entity::kind::EventScope;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect};

use crate::event::audience::Audience;
use crate::kernel::error::{Fault, Result};
use crate::kernel::sql::{Sql, like_anywhere};

/// The realm's events after a sequence number and up to another, oldest first.
pub async fn between(
    connection: &impl ConnectionTrait,
    realm: RealmId,
    after: i64,
    until: i64,
    limit: u64,
) -> Result<Vec<event::Model>> {
    let rows = event::Entity::find()
        .filter(event::Column::RealmId.eq(realm))
        .filter(event::Column::Sequence.gt(after))
        .filter(event::Column::Sequence.lte(until))
        .order_by_asc(event::Column::Sequence)
        .limit(limit)
        .all(connection)
        .await?;
    Ok(rows)
}

/// An audience's events after a sequence number and up to another, oldest first. The two are to be so close that all of
/// them fit in memory.
pub async fn heard(
    connection: &impl ConnectionTrait,
    audience: &Audience,
    after: i64,
    until: i64,
) -> Result<Vec<event::Model>> {
    let mut sql = Sql::new("SELECT * FROM event WHERE realm_id = ");
    sql.bind(audience.realm).push(" AND sequence > ").bind(after).push(" AND sequence <= ").bind(until);
    if audience.scope == EventScope::Own {
        sql.push(" AND organization_id = ").bind(audience.organization);
    } else {
        let anywhere = like_anywhere(&format!("\"{}\"", audience.organization));
        sql.push(" AND path LIKE ").bind(anywhere).push(" ESCAPE '\\'");
    }
    sql.push(" ORDER BY sequence");
    let mut rows = event::Model::find_by_statement(sql.statement(connection)).all(connection).await?;
    rows.retain(|event| audience.hears(event));
    Ok(rows)
}

/// The last number the realm has given out.
pub async fn head(connection: &impl ConnectionTrait, realm: RealmId) -> Result<i64> {
    let found = heads(connection, &[realm]).await?;
    let (_, head) = found.first().ok_or_else(|| Fault::new(format!("realm {realm} has no row")))?;
    Ok(*head)
}

/// The last numbers that these realms have given out.
pub async fn heads(connection: &impl ConnectionTrait, realms: &[RealmId]) -> Result<Vec<(RealmId, i64)>> {
    let mut sql = Sql::new("SELECT realm_id, sequence FROM realm WHERE realm_id");
    sql.within(realms.iter().copied());
    let rows = connection.query_all_raw(sql.statement(connection)).await?;
    rows.into_iter().map(|row| Ok((row.try_get("", "realm_id")?, row.try_get("", "sequence")?))).collect()
}
