//! What happens to projects, as the outside hears it.

use entity::id::ProjectId;
use schemars::JsonSchema;
use serde::Serialize;

pub const CREATED: &str = "project.created";

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Created<'a> {
    pub project_id: ProjectId,
    pub name: &'a str,
}
