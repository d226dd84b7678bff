//! The SQL of the chain. It reads what is stored as it is stored: `path` and `change` as their text.

use entity::id::RealmId;
use entity::{audit_chain, audit_link};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, IntoActiveModel, QueryFilter};

use crate::audit::chain::{Entry, Head, Link};
use crate::kernel::bundle::chunks;
use crate::kernel::error::Result;
use crate::kernel::sql::Sql;
use crate::kernel::work::Work;

/// Realms with numbers that were not looked at yet, those furthest behind first.
pub async fn realms_behind(connection: &impl ConnectionTrait, limit: i64) -> Result<Vec<RealmId>> {
    let mut sql = Sql::new(
        "SELECT r.realm_id FROM realm r LEFT JOIN audit_chain c ON c.realm_id = r.realm_id
         WHERE r.sequence > COALESCE(c.sealed_to, 0) ORDER BY r.sequence - COALESCE(c.sealed_to, 0) DESC LIMIT ",
    );
    sql.bind(limit);
    let rows = connection.query_all_raw(sql.statement(connection)).await?;
    rows.iter().map(|row| Ok(row.try_get("", "realm_id")?)).collect()
}

/// The next realm in the order of their ids.
pub async fn realm_after(connection: &impl ConnectionTrait, after: Option<RealmId>) -> Result<Option<RealmId>> {
    let mut sql = Sql::new("SELECT realm_id FROM realm");
    if let Some(after) = after {
        sql.push(" WHERE realm_id > ").bind(after);
    }
    sql.push(" ORDER BY realm_id LIMIT 1");
    let row = connection.query_one_raw(sql.statement(connection)).await?;
    Ok(row.map(|row| row.try_get("", "realm_id")).transpose()?)
}

pub async fn chain(connection: &impl ConnectionTrait, realm: RealmId) -> Result<Option<audit_chain::Model>> {
    Ok(audit_chain::Entity::find().filter(audit_chain::Column::RealmId.eq(realm)).one(connection).await?)
}

/// The last number that has a link.
pub async fn last_link(connection: &impl ConnectionTrait, realm: RealmId) -> Result<Option<i64>> {
    let mut sql = Sql::new("SELECT MAX(sequence) AS last FROM audit_link WHERE realm_id = ");
    sql.bind(realm);
    let row = connection.query_one_raw(sql.statement(connection)).await?;
    Ok(row.map(|row| row.try_get("", "last")).transpose()?.flatten())
}

/// The last number the realm has given out. What has it or a smaller one is there to be read: numbers are given under the
/// realm's lock.
pub async fn head(connection: &impl ConnectionTrait, realm: RealmId) -> Result<Option<i64>> {
    let mut sql = Sql::new("SELECT sequence FROM realm WHERE realm_id = ");
    sql.bind(realm);
    let row = connection.query_one_raw(sql.statement(connection)).await?;
    Ok(row.map(|row| row.try_get("", "sequence")).transpose()?)
}

/// The realm's entries after one number and up to another, in their order.
pub async fn entries(
    connection: &impl ConnectionTrait,
    realm: RealmId,
    after: i64,
    up_to: i64,
    limit: usize,
) -> Result<Vec<Entry>> {
    let sql = range("SELECT * FROM audit_event", realm, after, up_to, limit);
    Ok(Entry::find_by_statement(sql.statement(connection)).all(connection).await?)
}

/// The realm's links after one number and up to another, in their order.
pub async fn links(
    connection: &impl ConnectionTrait,
    realm: RealmId,
    after: i64,
    up_to: i64,
    limit: usize,
) -> Result<Vec<Link>> {
    let sql = range("SELECT sequence, previous_sequence, entry_hash, hash FROM audit_link", realm, after, up_to, limit);
    Ok(Link::find_by_statement(sql.statement(connection)).all(connection).await?)
}

fn range(select: &str, realm: RealmId, after: i64, up_to: i64, limit: usize) -> Sql {
    let mut sql = Sql::new(select);
    sql.push(" WHERE realm_id = ").bind(realm).push(" AND sequence > ").bind(after);
    sql.push(" AND sequence <= ").bind(up_to).push(" ORDER BY sequence LIMIT ");
    sql.bind(i64::try_from(limit).unwrap_or(i64::MAX));
    sql
}

/// Which entry was sealed with this content. It reads the realm's links: only what already went wrong asks.
pub async fn sealed_as(connection: &impl ConnectionTrait, realm: RealmId, entry_hash: &str) -> Result<Option<i64>> {
    let mut sql = Sql::new("SELECT sequence FROM audit_link WHERE realm_id = ");
    sql.bind(realm).push(" AND entry_hash = ").bind(entry_hash).push(" LIMIT 1");
    let row = connection.query_one_raw(sql.statement(connection)).await?;
    Ok(row.map(|row| row.try_get("", "sequence")).transpose()?)
}

/// How many entries wait to be sealed.
pub async fn unsealed(connection: &impl ConnectionTrait, realm: RealmId, after: i64) -> Result<i64> {
    let mut sql = Sql::new("SELECT COUNT(*) AS total FROM audit_event WHERE realm_id = ");
    sql.bind(realm).push(" AND sequence > ").bind(after);
    let row = connection.query_one_raw(sql.statement(connection)).await?;
    Ok(row.map_or(Ok(0), |row| row.try_get("", "total"))?)
}

/// Moves the realm's chain from where it was found. False when another gateway was faster: then nothing was written.
pub async fn advance(
    work: &Work,
    realm: RealmId,
    found: Option<&audit_chain::Model>,
    head: &Head,
    sealed_to: i64,
) -> Result<bool> {
    let sql = match found {
        Some(found) => {
            let mut sql = Sql::new("UPDATE audit_chain SET sealed_to = ");
            sql.bind(sealed_to).push(", sequence = ").bind(head.sequence).push(", hash = ").bind(head.hash.clone());
            sql.push(", entries = ").bind(head.entries).push(" WHERE realm_id = ").bind(realm);
            sql.push(" AND sealed_to = ").bind(found.sealed_to).push(" AND hash = ").bind(found.hash.clone());
            sql
        }
        None => {
            let row = audit_chain::Model {
                realm_id: realm,
                sealed_to,
                sequence: head.sequence,
                hash: head.hash.clone(),
                entries: head.entries,
            };
            let mut sql = Sql::insert([row.into_active_model()]);
            sql.push(" ON CONFLICT DO NOTHING");
            sql
        }
    };
    Ok(work.execute_raw(sql.statement(work)).await?.rows_affected() == 1)
}

pub async fn insert(work: &Work, realm: RealmId, links: Vec<Link>) -> Result<()> {
    for chunk in chunks(links) {
        let rows = chunk.into_iter().map(|link| {
            let Link { sequence, previous_sequence, entry_hash, hash } = link;
            audit_link::Model { realm_id: realm, sequence, previous_sequence, entry_hash, hash }.into_active_model()
        });
        work.execute_raw(Sql::insert(rows).statement(work)).await?;
    }
    Ok(())
}
