//! What members may do: each role is a set of scopes (SPEC §3), inherited down the tree within what edges delegate.

use entity::kind::MemberRole;

use crate::access::scope::Scopes;

/// A row for each scope: who holds it.
///
/// OWNER and ADMIN hold all; only an OWNER gives `org:admin` away.
const ROLES: &[(&str, &[MemberRole])] = {
    use MemberRole::{Admin, Billing, Developer, Owner, Viewer};
    &[
        ("org:admin", &[Owner, Admin]),
        ("org:read", &[Owner, Admin, Billing, Developer, Viewer]),
        ("org:write", &[Owner, Admin]),
        ("keys:*", &[Owner, Admin, Developer]),
        ("keys:verify", &[Owner, Admin]),
        ("credits:read", &[Owner, Admin, Billing, Developer, Viewer]),
        ("credits:spend", &[Owner, Admin]),
        ("credits:transfer", &[Owner, Admin, Billing]),
        ("members:*", &[Owner, Admin]),
        ("webhooks:*", &[Owner, Admin, Developer]),
        ("usage:read", &[Owner, Admin, Billing, Developer, Viewer]),
        ("audit:read", &[Owner, Admin, Viewer]),
        ("books:*", &[Owner, Admin, Developer]),
        ("trade:*", &[Owner, Admin, Developer]),
        ("projects:*", &[Owner, Admin, Developer]),
    ]
};

/// Every role, the most powerful first.
pub const ALL: [MemberRole; 5] =
    [MemberRole::Owner, MemberRole::Admin, MemberRole::Billing, MemberRole::Developer, MemberRole::Viewer];

/// What a role may do.
pub fn scopes_of(role: MemberRole) -> Scopes {
    Scopes::new(ROLES.iter().filter(|(_, held_by)| held_by.contains(&role)).map(|(scope, _)| *scope))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::scope::KNOWN;

    #[test]
    fn every_known_scope_has_its_row() {
        let rows: Vec<&str> = ROLES.iter().map(|(scope, _)| *scope).collect();
        let known: Vec<&str> = KNOWN.iter().map(|(scope, _)| *scope).collect();
        assert_eq!(rows, known);
    }

    #[test]
    fn owners_and_admins_hold_everything() {
        assert_eq!(scopes_of(MemberRole::Owner), Scopes::all_known());
        assert_eq!(scopes_of(MemberRole::Admin), Scopes::all_known());
    }
}
