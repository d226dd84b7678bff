//! Hand-written SQL that both databases read.
//!
//! Placeholders are `$1`, `$2`, …: PostgreSQL's own form, and one SQLite accepts. Values are always bound, never
//! written into the text.

use sea_orm::{ConnectionTrait, Statement, Value};

/// A statement under construction.
#[derive(Clone, Debug, Default)]
pub struct Sql {
    text: String,
    values: Vec<Value>,
}

impl Sql {
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned(), values: Vec::new() }
    }

    /// Appends text. It must be a literal of the program, never anything that came from outside.
    pub fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Appends `$n` and binds one value to it.
    pub fn bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.values.push(value.into());
        self.text.push('$');
        self.text.push_str(&self.values.len().to_string());
        self
    }

    /// Appends `($1, $2, …)`. An empty list becomes `(NULL)`, which nothing is in.
    pub fn list<V: Into<Value>>(&mut self, values: impl IntoIterator<Item = V>) -> &mut Self {
        self.text.push('(');
        let mut first = true;
        for value in values {
            if !std::mem::take(&mut first) {
                self.text.push_str(", ");
            }
            self.bind(value);
        }
        if first {
            self.text.push_str("NULL");
        }
        self.text.push(')');
        self
    }

    /// Appends ` WHERE ` the first time it is called on a statement and ` AND ` afterwards.
    pub fn and(&mut self, started: &mut bool) -> &mut Self {
        self.text.push_str(if std::mem::replace(started, true) { " AND " } else { " WHERE " });
        self
    }

    pub fn statement(&self, connection: &impl ConnectionTrait) -> Statement {
        Statement::from_sql_and_values(connection.get_database_backend(), &self.text, self.values.clone())
    }
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
