//! What happens to API keys, as the outside hears it. Never a secret.

use entity::id::{ApiKeyId, KeyFamilyId};
use entity::kind::Environment;
use entity::timestamp::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

pub const CREATED: &str = "api_key.created";
pub const ROTATED: &str = "api_key.rotated";
pub const REVOKED: &str = "api_key.revoked";

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Created<'a> {
    pub api_key_id: ApiKeyId,
    pub key_family_id: KeyFamilyId,
    pub name: &'a str,
    pub environment: Environment,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Rotated {
    pub api_key_id: ApiKeyId,
    pub superseded_api_key_id: ApiKeyId,
    pub superseded_works_until: Timestamp,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Revoked<'a> {
    pub api_key_ids: &'a [ApiKeyId],
    pub reason: Option<&'a str>,
}
