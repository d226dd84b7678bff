//! Pages of lists by keyset: stable under inserts and deletes, an index seek at any depth.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use entity::id::RealmId;
use sea_orm::{ConnectionTrait, DatabaseBackend, FromQueryResult, Value};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::kernel::error::{ErrorCode, Refusal, Result};
use crate::kernel::sql::Sql;

/// Rows of a page when neither `first` nor `last` is given.
pub const PAGE_DEFAULT: u32 = 25;
/// The most rows of a page.
pub const PAGE_MAX: u32 = 100;

/// The value a list is sorted by, beside the id.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SortKey {
    /// The id alone decides: age.
    Age,
    Text(String),
    Number(i64),
}

/// Where a page begins or ends: the sort tuple of a row.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Cursor {
    pub key: SortKey,
    pub id: Uuid,
}

/// Cursors of another version are refused, so that a change of form cannot be misread.
const CURSOR_VERSION: u8 = 1;

impl Cursor {
    pub fn encode(&self) -> String {
        let json = serde_json::to_vec(&(CURSOR_VERSION, self)).expect("a cursor is plain data");
        URL_SAFE_NO_PAD.encode(json)
    }

    pub fn decode(text: &str, argument: &str) -> Result<Self, Refusal> {
        let read = URL_SAFE_NO_PAD.decode(text).ok().and_then(|json| serde_json::from_slice::<(u8, Self)>(&json).ok());
        match read {
            Some((CURSOR_VERSION, cursor)) => Ok(cursor),
            _ => Err(Refusal {
                path: vec![argument.to_owned()],
                ..Refusal::new(ErrorCode::BadRequest, "This cursor is not one of ours. Use an edge's cursor as it is.")
            }),
        }
    }
}

/// What a connection was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Page {
    pub limit: u32,
    /// Whether the page is the last one before `before` rather than the first one after `after`.
    pub backward: bool,
    pub after: Option<Cursor>,
    pub before: Option<Cursor>,
}

impl Page {
    /// Reads the Relay arguments.
    pub fn new(
        first: Option<i32>,
        after: Option<&str>,
        last: Option<i32>,
        before: Option<&str>,
    ) -> Result<Self, Refusal> {
        let size = |value: i32, name: &str| {
            u32::try_from(value).ok().filter(|n| *n <= PAGE_MAX).ok_or_else(|| Refusal {
                path: vec![name.to_owned()],
                ..Refusal::new(ErrorCode::BadRequest, format!("{name} is 0 to {PAGE_MAX}."))
            })
        };
        let (limit, backward) = match (first, last) {
            (Some(_), Some(_)) => {
                return Err(Refusal::new(ErrorCode::BadRequest, "Give first or last, not both."));
            }
            (Some(first), None) => (size(first, "first")?, false),
            (None, Some(last)) => (size(last, "last")?, true),
            (None, None) => (PAGE_DEFAULT, false),
        };
        Ok(Self {
            limit,
            backward,
            after: after.map(|text| Cursor::decode(text, "after")).transpose()?,
            before: before.map(|text| Cursor::decode(text, "before")).transpose()?,
        })
    }

    /// The whole list, for internal use.
    pub fn of(limit: u32) -> Self {
        Self { limit, backward: false, after: None, before: None }
    }
}

/// How a list is sorted: a column beside the id, or the id alone; and which way is forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Order {
    pub column: Option<SortColumn>,
    pub descending: bool,
}

/// What a list is sorted by before the id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SortColumn {
    /// As an expression over the table `x` and its joins.
    pub expression: &'static str,
    /// As a column of the answer.
    pub name: &'static str,
}

impl Order {
    /// Newest first: ids sort by age.
    pub const NEWEST: Self = Self { column: None, descending: true };

    /// Appends ` AND (column, id) > (…)` for the page's cursors.
    pub fn keyset(self, sql: &mut Sql, page: &Page) {
        let (after, before) = if self.descending { ("<", ">") } else { (">", "<") };
        for (cursor, comparison) in [(&page.after, after), (&page.before, before)] {
            let Some(cursor) = cursor else { continue };
            match (self.column, &cursor.key) {
                (Some(by), SortKey::Text(text)) => tuple(sql, by.expression, comparison, text.clone(), cursor.id),
                (Some(by), SortKey::Number(number)) => tuple(sql, by.expression, comparison, *number, cursor.id),
                _ => {
                    sql.push(" AND x.id ").push(comparison).push(" ").bind(cursor.id);
                }
            }
        }
    }

    fn direction(self, page: &Page) -> &'static str {
        if self.descending == page.backward { " ASC" } else { " DESC" }
    }

    /// Appends ` ORDER BY … LIMIT …`, one row more than the page so that it is known whether there are more.
    pub fn limit(self, sql: &mut Sql, page: &Page) {
        let direction = self.direction(page);
        sql.push(" ORDER BY ");
        if let Some(by) = self.column {
            sql.push(by.expression).push(direction).push(", ");
        }
        sql.push("x.id").push(direction).push(" LIMIT ").bind(i64::from(page.limit) + 1);
    }
}

fn tuple(sql: &mut Sql, column: &str, comparison: &str, key: impl Into<Value>, id: Uuid) {
    sql.push(" AND (").push(column).push(", x.id) ").push(comparison).push(" (");
    sql.bind(key).push(", ").bind(id).push(")");
}

/// The rows of a page in the list's order, and whether there are more on either side.
#[derive(Clone, Debug)]
pub struct Slice<T> {
    pub rows: Vec<T>,
    pub has_next: bool,
    pub has_previous: bool,
}

impl<T> Slice<T> {
    /// `rows` as the database gave them, one more than asked for if there are more.
    pub fn new(mut rows: Vec<T>, page: &Page) -> Self {
        let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        if page.backward {
            rows.reverse();
        }
        let (has_next, has_previous) =
            if page.backward { (page.before.is_some(), more) } else { (more, page.after.is_some()) };
        Self { rows, has_next, has_previous }
    }

    pub fn empty() -> Self {
        Self { rows: Vec::new(), has_next: false, has_previous: false }
    }
}

/// One statement for a page of every owner's rows: each page costs an index seek, whatever else the owner has.
///
/// A window function would read every row of every owner first. The table is `x` throughout.
pub struct PerOwner<'a> {
    /// Table, the column that names the owner, and joins the inner select needs for sorting or filtering.
    pub table: &'static str,
    pub owner_column: &'static str,
    pub joins: &'static str,
    pub order: Order,
    pub page: &'a Page,
}

impl PerOwner<'_> {
    /// `extra` is selected beside `x.*` and must name its columns; `filter` appends conditions on `x`.
    pub fn sql(
        &self,
        connection: &impl ConnectionTrait,
        owners: &[(RealmId, Uuid)],
        extra: &str,
        filter: impl Fn(&mut Sql),
    ) -> Sql {
        let mut sql = Sql::new("WITH owner (realm_id, id) AS (VALUES ");
        for (i, (realm, id)) in owners.iter().enumerate() {
            sql.push(if i == 0 { "(" } else { ", (" }).bind(*realm).push(", ").bind(*id).push(")");
        }
        sql.push(") ");
        if connection.get_database_backend() == DatabaseBackend::Postgres {
            sql.push("SELECT x.* FROM owner CROSS JOIN LATERAL (SELECT x.*").push(extra);
            self.inner(&mut sql, &filter);
            sql.push(") x");
        } else {
            sql.push("SELECT x.*").push(extra).push(" FROM owner JOIN ").push(self.table).push(" x ");
            sql.push("ON x.realm_id = owner.realm_id AND x.id IN (SELECT x.id");
            self.inner(&mut sql, &filter);
            sql.push(") ").push(self.joins);
        }
        // The inner selects are sorted; what joins them promises nothing.
        let direction = self.order.direction(self.page);
        sql.push(" ORDER BY ");
        if let Some(by) = self.order.column {
            sql.push(by.name).push(direction).push(", ");
        }
        sql.push("x.id").push(direction);
        sql
    }

    fn inner(&self, sql: &mut Sql, filter: &impl Fn(&mut Sql)) {
        sql.push(" FROM ").push(self.table).push(" x ").push(self.joins);
        sql.push(" WHERE x.realm_id = owner.realm_id AND x.").push(self.owner_column).push(" = owner.id");
        filter(sql);
        self.order.keyset(sql, self.page);
        self.order.limit(sql, self.page);
    }
}

/// `SELECT owner, count` of every owner's rows in one statement.
pub fn count_per_owner(
    table: &'static str,
    owner_column: &'static str,
    owners: &[(RealmId, Uuid)],
    filter: impl Fn(&mut Sql),
) -> Sql {
    let mut sql = Sql::new("SELECT x.");
    sql.push(owner_column).push(" AS owner_id, COUNT(*) AS total FROM ").push(table).push(" x WHERE x.realm_id");
    sql.within(distinct(owners.iter().map(|(realm, _)| *realm)));
    sql.push(" AND x.").push(owner_column).within(owners.iter().map(|(_, id)| *id));
    filter(&mut sql);
    sql.push(" GROUP BY x.").push(owner_column);
    sql
}

#[derive(FromQueryResult)]
struct CountRow {
    owner_id: Uuid,
    total: i64,
}

/// Reads the answer of [`count_per_owner`]. Owners without rows are missing from it.
pub async fn counts(connection: &impl ConnectionTrait, sql: &Sql) -> Result<HashMap<Uuid, i64>> {
    let rows = CountRow::find_by_statement(sql.statement(connection)).all(connection).await?;
    Ok(rows.into_iter().map(|row| (row.owner_id, row.total)).collect())
}

/// Rows by owner, as pages.
pub fn slices<K: std::hash::Hash + Eq, T>(rows: Vec<T>, owner: impl Fn(&T) -> K, page: &Page) -> HashMap<K, Slice<T>> {
    let mut by_owner: HashMap<K, Vec<T>> = HashMap::new();
    for row in rows {
        by_owner.entry(owner(&row)).or_default().push(row);
    }
    by_owner.into_iter().map(|(owner, rows)| (owner, Slice::new(rows, page))).collect()
}

/// Each realm once.
pub fn distinct(realms: impl IntoIterator<Item = RealmId>) -> Vec<RealmId> {
    let mut realms: Vec<_> = realms.into_iter().collect();
    realms.sort_unstable();
    realms.dedup();
    realms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_garbage_does_not() {
        let cursor = Cursor { key: SortKey::Text("acme".into()), id: Uuid::from_u128(7) };
        assert_eq!(Cursor::decode(&cursor.encode(), "after"), Ok(cursor));
        for bad in ["", "x", "WzIsbnVsbF0", "%%%"] {
            assert_eq!(Cursor::decode(bad, "after").unwrap_err().code, ErrorCode::BadRequest, "{bad}");
        }
    }

    #[test]
    fn a_page_is_at_most_a_hundred_and_goes_one_way() {
        assert!(Page::new(Some(100), None, None, None).is_ok());
        assert!(Page::new(Some(101), None, None, None).is_err());
        assert!(Page::new(Some(-1), None, None, None).is_err());
        assert!(Page::new(Some(1), None, Some(1), None).is_err());
        assert_eq!(Page::new(None, None, None, None).unwrap().limit, PAGE_DEFAULT);
    }

    #[test]
    fn the_extra_row_tells_that_there_are_more() {
        let page = Page::of(2);
        let slice = Slice::new(vec![1, 2, 3], &page);
        assert_eq!((slice.rows, slice.has_next, slice.has_previous), (vec![1, 2], true, false));
        let backward = Page { backward: true, ..Page::of(2) };
        let slice = Slice::new(vec![9, 8, 7], &backward);
        assert_eq!((slice.rows, slice.has_next, slice.has_previous), (vec![8, 9], false, true));
    }
}
