//! Whether events carry what the catalogue says they do. It reads as much of JSON Schema as the catalogue writes.

use std::collections::HashMap;

use banyan::event::catalogue::EVENT_TYPES;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::Value;

use crate::TestApp;

/// Insists on it for every event that a test left.
pub(crate) async fn check(app: &TestApp) {
    let schemas: HashMap<&str, Value> = EVENT_TYPES.iter().map(|known| (known.name, known.schema())).collect();
    let connection = app.kernel().db.connection();
    let statement = Statement::from_string(connection.get_database_backend(), "SELECT event_type, data FROM event");
    for row in connection.query_all_raw(statement).await.expect("events can be read") {
        let name: String = row.try_get("", "event_type").expect("a type");
        let data: String = row.try_get("", "data").expect("data");
        let data: Value = serde_json::from_str(&data).expect("data is JSON");
        let schema = schemas.get(name.as_str()).unwrap_or_else(|| panic!("{name} is not in the catalogue"));
        if let Err(why) = matches(schema, &data) {
            panic!("{name} is not what the catalogue says: {why}: {data}");
        }
    }
}

fn matches(schema: &Value, value: &Value) -> Result<(), String> {
    if let Some(choices) = schema["anyOf"].as_array() {
        return match choices.iter().any(|choice| matches(choice, value).is_ok()) {
            true => Ok(()),
            false => Err(format!("{value} is none of {choices:?}")),
        };
    }
    if let Some(known) = schema["enum"].as_array()
        && !known.contains(value)
    {
        return Err(format!("{value} is none of {known:?}"));
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let types = &schema["type"];
    if !types.is_null() && *types != kind && !types.as_array().is_some_and(|types| types.iter().any(|it| it == kind)) {
        return Err(format!("{value} is not {types}"));
    }
    if let Some(members) = value.as_array() {
        members.iter().try_for_each(|member| matches(&schema["items"], member))?;
    }
    let Some(fields) = value.as_object() else { return Ok(()) };
    let missing = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|name| name.as_str().is_none_or(|name| !fields.contains_key(name)));
    if let Some(missing) = missing {
        return Err(format!("{missing} is missing"));
    }
    fields.iter().try_for_each(|(name, value)| match schema["properties"].get(name) {
        Some(schema) => matches(schema, value).map_err(|why| format!("{name}: {why}")),
        None => Err(format!("{name} is not told of")),
    })
}
