//! Whether an endpoint hears of an event. Pure.
//!
//! Whose events are meant and what of them is told is [`crate::event::audience`]'s to say, as for streams.

use entity::event::Model as Event;

use crate::access::path::Path;
use crate::access::policy::{self, Reach};
use crate::event::audience::{Audience, is_told};
use crate::event::catalogue;
use crate::webhook::model::{self, Endpoint};

/// `now` is the path of the organization it happened to as it is now; it is asked for events that need delegation only.
pub fn hears(endpoint: &Endpoint, event: &Event, now: Option<&Path>) -> bool {
    let listener = endpoint.organization_id;
    let audience = Audience { realm: endpoint.realm_id, organization: listener, scope: endpoint.scope };
    let asked_for = || endpoint.event_types.0.iter().any(|pattern| catalogue::matches(pattern, &event.event_type));
    let reach = || match listener == event.organization_id {
        true => Some(Reach::Own),
        false => now.and_then(|path| policy::reach(listener, path)),
    };
    audience.hears(event)
        && model::was_enabled(endpoint, event.sequence)
        && asked_for()
        && is_told(&event.event_type, reach())
}

#[cfg(test)]
mod tests {
    use entity::codec::Json;
    use entity::id::OrganizationId;
    use entity::kind::{Delegations, EventScope, Relation};
    use entity::timestamp::Timestamp;
    use uuid::Uuid;

    use super::*;
    use crate::access::path::Node;

    fn org(number: usize) -> OrganizationId {
        Uuid::from_u128(u128::try_from(number).unwrap()).into()
    }

    /// From the organization it happened to up; each with what its edge to the next delegates.
    fn path(edges: &[Delegations]) -> Path {
        let node = |(i, delegation): (usize, &Delegations)| Node {
            id: org(i),
            parent: None,
            delegation: *delegation,
            archived: false,
            suspended: false,
        };
        Path::new(edges.iter().enumerate().map(node).collect()).unwrap()
    }

    fn event(event_type: &str, sequence: i64) -> Event {
        Event {
            realm_id: Uuid::nil().into(),
            sequence,
            id: Uuid::nil().into(),
            event_type: event_type.into(),
            organization_id: org(0),
            path: Json(vec![org(0), org(1), org(2)]),
            data: Json(serde_json::Value::Null),
            occurred_at: Timestamp::EPOCH,
        }
    }

    fn endpoint(of: usize, scope: EventScope, event_types: &[&str]) -> Endpoint {
        Endpoint {
            realm_id: Uuid::nil().into(),
            id: Uuid::nil().into(),
            organization_id: org(of),
            url: String::new(),
            event_types: Json(event_types.iter().map(|text| (*text).to_owned()).collect()),
            scope,
            description: None,
            secret_sealed: String::new(),
            created_at: Timestamp::EPOCH,
            disabled_at: None,
            disabled_reason: None,
            paused_at: None,
            previous_secret_sealed: None,
            previous_secret_expires_at: None,
            since_sequence: 10,
            until_sequence: None,
        }
    }

    fn firehose_hears(of: usize, event_type: &str, now: &Path) -> bool {
        hears(&endpoint(of, EventScope::Subtree, &["*"]), &event(event_type, 11), Some(now))
    }

    #[test]
    fn a_scope_ends_where_it_says() {
        let heard =
            |scope| [0, 1, 2, 3].map(|of| hears(&endpoint(of, scope, &["*"]), &event("member.added", 11), None));
        assert_eq!(heard(EventScope::Own), [true, false, false, false]);
        assert_eq!(heard(EventScope::Children), [true, true, false, false]);
        assert_eq!(heard(EventScope::Subtree), [true, true, true, false]);
    }

    #[test]
    fn only_the_types_that_were_asked_for_are_heard() {
        let credits = endpoint(0, EventScope::Own, &["credit.*", "api_key.revoked"]);
        let heard = ["credit.charged", "api_key.revoked", "api_key.created"]
            .map(|name| hears(&credits, &event(name, 11), None));
        assert_eq!(heard, [true, true, false]);
    }

    #[test]
    fn a_linked_descendants_wallet_is_heard_of_and_its_data_is_not() {
        let linked = path(&[Delegations::default_of(Relation::Linked), Delegations::ALL, Delegations::ALL]);
        assert!(firehose_hears(1, "credit.charged", &linked));
        assert!(firehose_hears(1, "organization.updated", &linked));
        assert!(!firehose_hears(1, "project.created", &linked));
        assert!(firehose_hears(0, "project.created", &linked));
    }

    #[test]
    fn one_edge_that_delegates_nothing_leaves_control_alone() {
        let cut = path(&[Delegations::ALL, Delegations::NONE, Delegations::ALL]);
        assert!(firehose_hears(1, "invoice.submitted", &cut));
        assert!(!firehose_hears(2, "invoice.submitted", &cut));
        assert!(!firehose_hears(2, "credit.charged", &cut));
        assert!(firehose_hears(2, "api_key.revoked", &cut));
    }

    #[test]
    fn who_lost_it_hears_of_control_that_happened_before() {
        let elsewhere = path(&[Delegations::ALL]);
        assert!(firehose_hears(2, "organization.updated", &elsewhere));
        assert!(!firehose_hears(2, "credit.charged", &elsewhere));
    }

    #[test]
    fn nothing_is_heard_from_before_it_was_enabled_or_after_an_archive_disabled_it() {
        let mut endpoint = endpoint(0, EventScope::Own, &["*"]);
        endpoint.until_sequence = Some(20);
        let heard = [10, 11, 20, 21].map(|sequence| hears(&endpoint, &event("member.added", sequence), None));
        assert_eq!(heard, [false, true, true, false]);
    }
}
