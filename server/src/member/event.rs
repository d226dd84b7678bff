//! What happens to members, as the outside hears it. No names and no addresses of people.

use entity::id::{MemberId, UserId};
use entity::kind::MemberRole;
use schemars::JsonSchema;
use serde::Serialize;

pub const ADDED: &str = "member.added";
pub const REMOVED: &str = "member.removed";

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Changed {
    pub member_id: MemberId,
    pub user_id: UserId,
    pub role: MemberRole,
}
