//! The SQL of the outbox. It only reads: the kernel writes.

use entity::event;
use entity::id::RealmId;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::kernel::error::{Fault, Result};
use crate::kernel::sql::Sql;

/// The realm's events after a sequence number, oldest first.
pub async fn after(
    connection: &impl ConnectionTrait,
    realm: RealmId,
    sequence: i64,
    limit: u64,
) -> Result<Vec<event::Model>> {
    let rows = event::Entity::find()
        .filter(event::Column::RealmId.eq(realm))
        .filter(event::Column::Sequence.gt(sequence))
        .order_by_asc(event::Column::Sequence)
        .limit(limit)
        .all(connection)
        .await?;
    Ok(rows)
}

/// The last number the realm has given out.
pub async fn head(connection: &impl ConnectionTrait, realm: RealmId) -> Result<i64> {
    let mut sql = Sql::new("SELECT sequence FROM realm WHERE realm_id = ");
    sql.bind(realm);
    let row = connection.query_one_raw(sql.statement(connection)).await?;
    Ok(row.ok_or_else(|| Fault::new(format!("realm {realm} has no row")))?.try_get("", "sequence")?)
}
