//! Scopes: what a key or a role may do, as strings that a platform can add to.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The scopes Banyan itself asks for. A platform's own, such as `content:read`, are stored and verified, never asked for.
pub const KNOWN: &[(&str, &str)] = &[
    ("org:admin", "control the organization and every descendant; given by an owner or the operator, never by a key"),
    ("org:read", "read the organization and its descendants' records"),
    ("org:write", "change the organization's own record"),
    ("keys:*", "mint, list, rotate and revoke API keys"),
    ("keys:verify", "verify keys that customers present"),
    ("credits:read", "read wallets, holds and the ledger"),
    ("credits:spend", "charge, hold, capture, void and refund"),
    ("credits:transfer", "move credits between wallets"),
    ("members:*", "manage members and invitations"),
    ("webhooks:*", "manage webhook endpoints"),
    ("usage:read", "read usage reports"),
    ("audit:read", "read the audit trail"),
    ("books:*", "keep the books"),
    ("trade:*", "keep sellers, buyers and invoices"),
    ("projects:*", "keep projects"),
];

/// The longest a scope may be, in characters.
pub const SCOPE_MAX_CHARS: usize = 64;
/// The most scopes one key may hold.
pub const SCOPES_MAX: usize = 50;
/// The scope no key can pass on.
pub const ADMIN: &str = "org:admin";

/// A set of scopes. `keys:*` holds every scope that begins with `keys:`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scopes(Vec<String>);

impl Scopes {
    pub fn new(scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let mut scopes: Vec<String> = scopes.into_iter().map(Into::into).collect();
        scopes.sort();
        scopes.dedup();
        Self(scopes)
    }

    /// Everything Banyan itself asks for.
    pub fn all_known() -> Self {
        Self::new(KNOWN.iter().map(|(scope, _)| *scope))
    }

    pub fn allows(&self, wanted: &str) -> bool {
        self.0.iter().any(|held| held == wanted || held.strip_suffix('*').is_some_and(|stem| wanted.starts_with(stem)))
    }

    pub fn is_admin(&self) -> bool {
        self.0.iter().any(|held| held == ADMIN)
    }

    /// The first scope of `wanted` that this set does not hold.
    pub fn first_missing<'a>(&self, wanted: &'a Self) -> Option<&'a str> {
        wanted.0.iter().map(String::as_str).find(|scope| !self.allows(scope))
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Scopes> for Vec<String> {
    fn from(scopes: Scopes) -> Self {
        scopes.0
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

/// `namespace:action` in lower case, where the action may be `*`.
pub fn is_well_formed(scope: &str) -> bool {
    let word = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-' | b'.'))
    };
    scope.len() <= SCOPE_MAX_CHARS
        && scope.split_once(':').is_some_and(|(namespace, action)| word(namespace) && (action == "*" || word(action)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_holds_its_namespace_and_nothing_else() {
        let scopes = Scopes::new(["keys:*"]);
        assert!(scopes.allows("keys:verify"));
        assert!(scopes.allows("keys:*"));
        assert!(!scopes.allows("keysets:read"));
        assert!(!Scopes::new(["keys:verify"]).allows("keys:*"));
    }

    #[test]
    fn admin_is_not_a_wildcard_for_other_scopes() {
        assert!(!Scopes::new(["org:admin"]).allows("credits:spend"));
    }

    #[test]
    fn an_org_wildcard_is_not_admin() {
        assert!(!Scopes::new(["org:*"]).is_admin());
    }

    #[test]
    fn a_scope_is_two_lower_case_words() {
        for good in ["content:read", "keys:*", "a.b:c-d_2"] {
            assert!(is_well_formed(good), "{good}");
        }
        for bad in ["", "content", ":read", "content:", "*:read", "Content:read", "a:b:c", "a: b", "*"] {
            assert!(!is_well_formed(bad), "{bad}");
        }
    }
}
