//! Facts on their way into the outbox.

use entity::id::OrganizationId;
use serde::Serialize;

/// A fact that happened to one organization.
///
/// `path` is the organization and its ancestors at this moment, nearest first: who may hear of it is decided by where the
/// organization was when it happened, whatever moves later.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub event_type: &'static str,
    pub organization: OrganizationId,
    pub path: Vec<OrganizationId>,
    pub data: serde_json::Value,
}

impl Event {
    /// `data` is a plain struct of the feature's `event.rs`; `organizationId` is added beside its fields.
    pub fn new(event_type: &'static str, path: Vec<OrganizationId>, data: &impl Serialize) -> Self {
        let organization = *path.first().expect("a path begins with the organization itself");
        let mut data = serde_json::to_value(data).expect("event payloads are plain structs");
        if let serde_json::Value::Object(fields) = &mut data {
            fields.insert("organizationId".to_owned(), organization.to_string().into());
        }
        Self { event_type, organization, path, data }
    }
}
