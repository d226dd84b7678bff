//! Columns that hold JSON. Stored as text, read whole; a row that does not decode is a database error with the
//! column's name, never a panic.

use std::collections::BTreeMap;

use sea_orm::sea_query::{ArrayType, ColumnType, Nullable, ValueType, ValueTypeErr};
use sea_orm::{ColIdx, DbErr, QueryResult, TryGetError, TryGetable, Value};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::kind::CounterSubject;

/// A value kept as JSON text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Json<T>(pub T);

/// String to string, at most 50 keys (SPEC §2).
pub type Metadata = Json<BTreeMap<String, String>>;

/// One counter a hold was counted under when it was taken; what is returned is taken off the same one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    pub subject_kind: CounterSubject,
    pub subject_id: Uuid,
    /// Year times 100 plus month, e.g. 202611.
    pub month: i64,
}

impl<T: Serialize> From<Json<T>> for Value {
    fn from(json: Json<T>) -> Self {
        let text = serde_json::to_string(&json.0).expect("maps with string keys and plain structs always serialize");
        Value::String(Some(text))
    }
}

impl<T: DeserializeOwned> TryGetable for Json<T> {
    fn try_get_by<I: ColIdx>(row: &QueryResult, index: I) -> Result<Self, TryGetError> {
        let column = format!("{index:?}");
        let text = String::try_get_by(row, index)?;
        serde_json::from_str(&text)
            .map(Json)
            .map_err(|source| TryGetError::DbErr(DbErr::Type(format!("column {column} holds no valid JSON: {source}"))))
    }
}

impl<T: DeserializeOwned> ValueType for Json<T> {
    fn try_from(value: Value) -> Result<Self, ValueTypeErr> {
        match value {
            Value::String(Some(text)) => serde_json::from_str(&text).map(Json).map_err(|_| ValueTypeErr),
            _ => Err(ValueTypeErr),
        }
    }

    fn type_name() -> String {
        "Json".to_owned()
    }

    fn array_type() -> ArrayType {
        ArrayType::String
    }

    fn column_type() -> ColumnType {
        ColumnType::Text
    }
}

impl<T> Nullable for Json<T> {
    fn null() -> Value {
        Value::String(None)
    }
}
