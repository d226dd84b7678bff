//! Hand-written SQL that both databases read.
//!
//! Placeholders are `$1`, `$2`, …: PostgreSQL's own form, and one SQLite accepts. Values are always bound, never
//! written into the text. Lists and rows are one bound array each on PostgreSQL, so that the text, and with it the prepared
//! plan, is the same however many there are; SQLite gets a placeholder for each.

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
    Rows(Vec<Vec<Value>>),
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

    /// Appends `$n` and binds one value to it.
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
        self.parts.push(Part::Rows(rows));
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
        sql.rows(rows.into_iter().map(values).collect());
        sql
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
        let Rendered { text, values } = self.rendered(backend);
        Statement::from_sql_and_values(backend, text, values)
    }

    fn rendered(&self, backend: DatabaseBackend) -> Rendered {
        let mut rendered = Rendered::default();
        for part in &self.parts {
            rendered.part(part, backend);
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

#[derive(Default)]
struct Rendered {
    text: String,
    values: Vec<Value>,
}

impl Rendered {
    fn part(&mut self, part: &Part, backend: DatabaseBackend) {
        let arrays = backend == DatabaseBackend::Postgres;
        match part {
            Part::Text(text) => self.text.push_str(text),
            Part::Value(value) => self.bind(value.clone()),
            Part::Within(values) if values.is_empty() => self.text.push_str(" IN (NULL)"),
            Part::Within(values) if arrays => {
                // In a query of its own the text is read once, not for every row that is compared.
                self.text.push_str(" = ANY ((SELECT ");
                let element = self.array(values.iter());
                self.text.push_str(")::");
                self.text.push_str(element);
                self.text.push_str("[])");
            }
            Part::Within(values) => {
                self.text.push_str(" IN ");
                self.tuple(values);
            }
            Part::Rows(rows) if arrays => {
                self.text.push_str("SELECT * FROM unnest(");
                for column in 0..rows.first().map_or(0, Vec::len) {
                    self.text.push_str(if column == 0 { "" } else { ", " });
                    self.array(rows.iter().filter_map(|row| row.get(column)));
                }
                self.text.push(')');
            }
            Part::Rows(rows) => {
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

    /// Binds PostgreSQL's own text form of an array: unlike the driver's arrays it can hold NULLs.
    /// Answers the type of its elements.
    fn array<'a>(&mut self, values: impl Iterator<Item = &'a Value> + Clone) -> &'static str {
        let element = values.clone().next().map_or("text", type_of);
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
        element
    }
}

/// The schema's columns are of these four types and no others.
fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Uuid(_) => "uuid",
        Value::BigInt(_) | Value::Int(_) => "bigint",
        Value::Bool(_) => "boolean",
        _ => "text",
    }
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
        let Rendered { text, values } = sql.rendered(backend);
        (text, values)
    }

    #[test]
    fn a_list_is_one_parameter_on_postgres_and_one_each_on_sqlite() {
        let mut sql = Sql::new("SELECT 1 WHERE a = ");
        sql.bind(7_i64).push(" AND b").within(["x", "y\"\\"]);
        let (text, values) = rendered(&sql, DatabaseBackend::Postgres);
        assert_eq!(text, "SELECT 1 WHERE a = $1 AND b = ANY ((SELECT CAST($2 AS TEXT)::text[])::text[])");
        assert_eq!(values.get(1), Some(&Value::from(r#"{"x","y\"\\"}"#)));
        let (text, values) = rendered(&sql, DatabaseBackend::Sqlite);
        assert_eq!(text, "SELECT 1 WHERE a = $1 AND b IN ($2, $3)");
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
        assert_eq!(
            text,
            "WITH v (a, b) AS (SELECT * FROM unnest(CAST($1 AS TEXT)::bigint[], CAST($2 AS TEXT)::uuid[]))"
        );
        assert_eq!(values[1], Value::from("{NULL,00000000-0000-0000-0000-000000000000}"));
        let (text, values) = rendered(&sql, DatabaseBackend::Sqlite);
        assert_eq!(text, "WITH v (a, b) AS (VALUES ($1, $2), ($3, $4))");
        assert_eq!(values.len(), 4);
    }
}
