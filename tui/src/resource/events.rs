//! Events as they happen. There is no past of them to page through: the list begins when it is opened.

use super::{Cell, Of, Part, Record, Resource, ResourceId, Within, cells, heads, left};
use crate::graphql::Event;

pub const EVENTS: Resource = Resource {
    id: ResourceId::Events,
    name: "events",
    title: "Events",
    kind: None,
    within: Within::Organization,
    columns: || heads(COLUMNS),
    filters: &[],
    words_filter: None,
    orders: &[],
    events: &["*"],
    page: None,
    refresh: None,
    whole: None,
    stirs: None,
    scope: "org:read",
};

const COLUMNS: &[Of<Event>] = &[
    left("when", 19, 0, |event| Cell::Time(event.occurred_at)),
    left("type", 30, 0, |event| Cell::text(&event.kind)),
    left("organization", 30, 2, |event| Cell::text(event.organization_id.as_str())),
    left("data", 0, 1, |event| Cell::text(event.data.to_string())),
    left("id", 30, 3, |event| Cell::text(event.id.inner())),
];

pub fn record(event: &Event) -> Record {
    Record {
        id: event.id.inner().to_owned(),
        name: event.kind.clone(),
        organization: Some(event.organization_id.clone()),
        version: None,
        cursor: event.cursor.clone(),
        cells: cells(COLUMNS, event),
        parts: vec![Part {
            title: "Data".to_owned(),
            cells: event.data.fields().map(|(name, value)| (name.to_owned(), Cell::Text(value))).collect(),
        }],
    }
}
