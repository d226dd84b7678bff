//! Hand-written SQL that both databases read.
//!
//! Values are always bound, never written into the text. Placeholders are `$1`, `$2`, … on PostgreSQL, and `?` on SQLite,
//! which looks names up one by one for each that is bound. Lists and rows are one bound array each on PostgreSQL, so that the
//! text, and with it the prepared plan, is the same however many there are; SQLite gets a placeholder for each.

use sea_orm::sea_query::ArrayType;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseBackend, EntityName, EntityTrait, IdenStatic, Iterable,
    Statement, Value,
};

/// A statement under construction.
#[derive(Clone, Debug, Default)]
pub struct Sql {
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Value(Value),
    Within(Vec<Value>),
    Rows(Vec<Row>, Vec<Nulls>),
}

type Row = Vec<Value>;

/// Whether a column may have NULLs, which the driver's arrays cannot hold. Asked of the column rather than of the values, so
/// that batches share a text and its plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Nulls {
    Never,
    Perhaps,
}

impl Sql {
    pub fn new(text: &str) -> Self {
        Self { parts: vec![Part::Text(text.to_owned())] }
    }

    /// Appends text. It must be a literal of the program, never anything that came from outside.
    pub fn push(&mut self, text: &str) -> &mut Self {
        match self.parts.last_mut() {
            Some(Part::Text(last)) => last.push_str(text),
            _ => self.parts.push(Part::Text(text.to_owned())),
        }
        self
    }

    /// Appends a placeholder and binds one value to it.
    pub fn bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.parts.push(Part::Value(value.into()));
        self
    }

    /// Appends a test that what precedes is one of the values: ` IN ($1, $2, …)` or ` = ANY ($1)`. Nothing is in an empty
    /// list.
    pub fn within<V: Into<Value>>(&mut self, values: impl IntoIterator<Item = V>) -> &mut Self {
        self.parts.push(Part::Within(values.into_iter().map(Into::into).collect()));
        self
    }

    /// Appends the rows as a query: `VALUES (…), …` or `SELECT … FROM unnest(…)`. At least one row, all of one length and
    /// each column of one type.
    pub fn rows(&mut self, rows: Vec<Vec<Value>>) -> &mut Self {
        self.columns(rows, Vec::new());
        self
    }

    /// `INSERT INTO … ` every column of the entity, for at least one row.
    pub fn insert<A: ActiveModelTrait>(rows: impl IntoIterator<Item = A>) -> Self {
        let columns: Vec<<A::Entity as EntityTrait>::Column> = <A::Entity as EntityTrait>::Column::iter().collect();
        let names: Vec<&str> = columns.iter().map(IdenStatic::as_str).collect();
        let mut sql = Self::new("INSERT INTO ");
        sql.push(A::Entity::default().table_name()).push(" (").push(&names.join(", ")).push(") ");
        let values = |row: A| -> Vec<Value> {
            let value = |column: &<A::Entity as EntityTrait>::Column| {
                row.get(*column).into_value().unwrap_or_else(|| absent(column.def().get_column_type()))
            };
            columns.iter().map(value).collect()
        };
        let nullable = columns.iter().map(|column| column.def().is_null());
        sql.columns(rows.into_iter().map(values).collect(), nullable.collect());
        sql
    }

    /// Rows of which is known what columns may have NULLs, whether or not these rows do.
    fn columns(&mut self, rows: Vec<Row>, nullable: Vec<bool>) {
        let width = rows.first().map_or(0, Vec::len);
        let nulls = |column: usize| {
            let perhaps = nullable.get(column).is_some_and(|nullable| *nullable);
            if perhaps || column_of(&rows, column).any(is_null) { Nulls::Perhaps } else { Nulls::Never }
        };
        let nulls = (0..width).map(nulls).collect();
        self.parts.push(Part::Rows(rows, nulls));
    }

    /// Appends ` WHERE ` the first time it is called on a statement and ` AND ` afterwards.
    pub fn and(&mut self, started: &mut bool) -> &mut Self {
        self.push(if std::mem::replace(started, true) { " AND " } else { " WHERE " })
    }

    /// Appends another statement under construction.
    pub fn append(&mut self, other: Self) -> &mut Self {
        for part in other.parts {
            match part {
                Part::Text(text) => {
                    self.push(&text);
                }
                part => self.parts.push(part),
            }
        }
        self
    }

    pub fn statement(&self, connection: &impl ConnectionTrait) -> Statement {
        let backend = connection.get_database_backend();
        let Rendered { text, values, .. } = self.rendered(backend);
        Statement::from_sql_and_values(backend, text, values)
    }

    fn rendered(&self, backend: DatabaseBackend) -> Rendered {
        let mut rendered = Rendered { backend, text: String::new(), values: Vec::new() };
        for part in &self.parts {
            rendered.part(part);
        }
        rendered
    }
}

/// A NULL of the column's type, for what an active model leaves out.
fn absent(column: &sea_orm::ColumnType) -> Value {
    use sea_orm::ColumnType::{BigInteger, Boolean, Uuid};
    match column {
        Uuid => Value::Uuid(None),
        BigInteger => Value::BigInt(None),
        Boolean => Value::Bool(None),
        _ => Value::String(None),
    }
}

struct Rendered {
    backend: DatabaseBackend,
    text: String,
    values: Vec<Value>,
}

impl Rendered {
    fn part(&mut self, part: &Part) {
        let arrays = self.backend == DatabaseBackend::Postgres;
        match part {
            Part::Text(text) => self.text.push_str(text),
            Part::Value(value) => self.bind(value.clone()),
            Part::Within(values) if values.is_empty() => self.text.push_str(" IN (NULL)"),
            Part::Within(values) if arrays => {
                self.text.push_str(" = ANY (");
                self.array(values.iter().filter(|value| !is_null(value)));
                self.text.push(')');
            }
            Part::Within(values) => {
                self.text.push_str(" IN ");
                self.tuple(values);
            }
            Part::Rows(rows, nulls) if arrays => {
                self.text.push_str("SELECT * FROM unnest(");
                for (column, nulls) in nulls.iter().enumerate() {
                    self.text.push_str(if column == 0 { "" } else { ", " });
                    match nulls {
                        Nulls::Never => self.array(column_of(rows, column)),
                        Nulls::Perhaps => self.array_with_nulls(column_of(rows, column)),
                    }
                }
                self.text.push(')');
            }
            Part::Rows(rows, _) => {
                self.text.push_str("VALUES ");
                for (i, row) in rows.iter().enumerate() {
                    self.text.push_str(if i == 0 { "" } else { ", " });
                    self.tuple(row);
                }
            }
        }
    }

    fn bind(&mut self, value: Value) {
        self.values.push(value);
        if self.backend == DatabaseBackend::Sqlite {
            self.text.push('?');
            return;
        }
        self.text.push('$');
        self.text.push_str(&self.values.len().to_string());
    }

    fn tuple(&mut self, values: &[Value]) {
        self.text.push('(');
        for (i, value) in values.iter().enumerate() {
            self.text.push_str(if i == 0 { "" } else { ", " });
            self.bind(value.clone());
        }
        self.text.push(')');
    }

    fn array<'a>(&mut self, values: impl Iterator<Item = &'a Value> + Clone) {
        let (element, kind) = values.clone().next().map_or(("text", ArrayType::String), |value| type_of(value));
        let values = values.map(|value| match value {
            Value::Int(number) => Value::BigInt(number.map(i64::from)),
            value => value.clone(),
        });
        self.bind(Value::Array(kind, Some(Box::new(values.collect()))));
        self.text.push_str("::");
        self.text.push_str(element);
        self.text.push_str("[]");
    }

    /// Binds PostgreSQL's own text form of an array.
    fn array_with_nulls<'a>(&mut self, values: impl Iterator<Item = &'a Value> + Clone) {
        let element = values.clone().next().map_or("text", |value| type_of(value).0);
        let mut literal = String::from("{");
        for value in values {
            if literal.len() > 1 {
                literal.push(',');
            }
            push_element(&mut literal, value);
        }
        literal.push('}');
        self.text.push_str("CAST(");
        self.bind(Value::String(Some(literal)));
        self.text.push_str(" AS TEXT)::");
        self.text.push_str(element);
        self.text.push_str("[]");
    }
}

/// The schema's columns are of these four types and no others.
fn type_of(value: &Value) -> (&'static str, ArrayType) {
    match value {
        Value::Uuid(_) => ("uuid", ArrayType::Uuid),
        Value::BigInt(_) | Value::Int(_) => ("bigint", ArrayType::BigInt),
        Value::Bool(_) => ("boolean", ArrayType::Bool),
        _ => ("text", ArrayType::String),
    }
}

fn is_null(value: &Value) -> bool {
    matches!(
        value,
        Value::Uuid(None) | Value::BigInt(None) | Value::Int(None) | Value::Bool(None) | Value::String(None)
    )
}

fn column_of(rows: &[Row], column: usize) -> impl Iterator<Item = &Value> + Clone {
    rows.iter().filter_map(move |row| row.get(column))
}

fn push_element(literal: &mut String, value: &Value) {
    use std::fmt::Write as _;
    let written = match value {
        Value::Uuid(Some(id)) => write!(literal, "{id}"),
        Value::BigInt(Some(number)) => write!(literal, "{number}"),
        Value::Int(Some(number)) => write!(literal, "{number}"),
        Value::Bool(Some(truth)) => write!(literal, "{truth}"),
        Value::String(Some(text)) => {
            literal.push('"');
            for character in text.chars() {
                if matches!(character, '"' | '\\') {
                    literal.push('\\');
                }
                literal.push(character);
            }
            literal.push('"');
            Ok(())
        }
        _ => write!(literal, "NULL"),
    };
    debug_assert!(written.is_ok(), "writing to a string does not fail");
}

/// Escapes what `LIKE … ESCAPE '\'` would read as a wildcard, and wraps it to match anywhere.
pub fn like_anywhere(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(sql: &Sql, backend: DatabaseBackend) -> (String, Vec<Value>) {
        let Rendered { text, values, .. } = sql.rendered(backend);
        (text, values)
    }

    #[test]
    fn a_list_is_one_parameter_on_postgres_and_one_each_on_sqlite() {
        let mut sql = Sql::new("SELECT 1 WHERE a = ");
        sql.bind(7_i64).push(" AND b").within(["x", "y\"\\"]);
        let (text, values) = rendered(&sql, DatabaseBackend::Postgres);
        assert_eq!(text, "SELECT 1 WHERE a = $1 AND b = ANY ($2::text[])");
        assert_eq!(values.get(1), Some(&Value::from(vec!["x".to_owned(), "y\"\\".to_owned()])));
        let (text, values) = rendered(&sql, DatabaseBackend::Sqlite);
        assert_eq!(text, "SELECT 1 WHERE a = ? AND b IN (?, ?)");
        assert_eq!(values.len(), 3);
    }

    #[test]
    fn nothing_is_in_an_empty_list() {
        let mut sql = Sql::new("a");
        sql.within(Vec::<i64>::new());
        assert_eq!(rendered(&sql, DatabaseBackend::Postgres).0, "a IN (NULL)");
    }

    #[test]
    fn rows_are_an_array_for_each_column_on_postgres() {
        let mut sql = Sql::new("WITH v (a, b) AS (");
        sql.rows(vec![vec![1_i64.into(), Value::Uuid(None)], vec![2_i64.into(), uuid::Uuid::nil().into()]]).push(")");
        let (text, values) = rendered(&sql, DatabaseBackend::Postgres);
        assert_eq!(text, "WITH v (a, b) AS (SELECT * FROM unnest($1::bigint[], CAST($2 AS TEXT)::uuid[]))");
        assert_eq!(values[0], Value::from(vec![1_i64, 2]));
        assert_eq!(values[1], Value::from("{NULL,00000000-0000-0000-0000-000000000000}"));
        let (text, values) = rendered(&sql, DatabaseBackend::Sqlite);
        assert_eq!(text, "WITH v (a, b) AS (VALUES (?, ?), (?, ?))");
        assert_eq!(values.len(), 4);
    }
}
