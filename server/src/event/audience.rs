//! Whose events are meant, and what of them is told: the one rule of streams and of webhooks. Pure.

use entity::event;
use entity::id::{OrganizationId, RealmId};
use entity::kind::EventScope;

use crate::access::policy::Reach;
use crate::event::catalogue;

/// Whose events a stream is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Audience {
    pub realm: RealmId,
    pub organization: OrganizationId,
    pub scope: EventScope,
}

impl Audience {
    /// Whether something that happened where this path begins is meant. The path is the one at that moment, nearest
    /// first, whatever moved since.
    pub fn covers(&self, path: &[OrganizationId]) -> bool {
        let distance = path.iter().position(|id| *id == self.organization);
        distance.is_some_and(|distance| reaches(self.scope, distance))
    }

    pub fn hears(&self, event: &event::Model) -> bool {
        self.covers(&event.path.0)
    }
}

/// Whether a scope reaches an organization so many edges below the one it is of.
pub const fn reaches(scope: EventScope, distance: usize) -> bool {
    match scope {
        EventScope::Own => distance == 0,
        EventScope::Children => distance <= 1,
        EventScope::Subtree => true,
    }
}

/// Whether this is told to somebody who reaches so far into the organization it happened to as it is now: control always,
/// wallets and data as far as every edge on the way delegates them (SPEC §8). Who reaches nothing any more, because the
/// organization moved away, hears of control that happened before: that it left is control, what it earned is its own.
pub fn is_told(event_type: &str, reach: Option<Reach>) -> bool {
    let Some(wanted) = catalogue::delegation_of(event_type) else { return true };
    match reach {
        Some(Reach::Operator | Reach::Own) => true,
        Some(Reach::Descendant(delegated)) => delegated.contains(wanted),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn organization(n: u128) -> OrganizationId {
        Uuid::from_u128(n).into()
    }

    #[test]
    fn a_scope_ends_where_it_says() {
        let path = [organization(1), organization(2), organization(3)];
        let hears = |scope, n| {
            let audience = Audience { realm: Uuid::nil().into(), organization: organization(n), scope };
            audience.covers(&path)
        };
        assert_eq!([1, 2, 3, 4].map(|n| hears(EventScope::Own, n)), [true, false, false, false]);
        assert_eq!([1, 2, 3, 4].map(|n| hears(EventScope::Children, n)), [true, true, false, false]);
        assert_eq!([1, 2, 3, 4].map(|n| hears(EventScope::Subtree, n)), [true, true, true, false]);
    }
}
