//! What happens to projects, as the outside hears it.

use entity::id::ProjectId;
use serde::Serialize;

pub const CREATED: &str = "project.created";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Created<'a> {
    pub project_id: ProjectId,
    pub name: &'a str,
}
