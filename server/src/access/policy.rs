//! Who may do what: the permissions, and the functions that decide, pure.
//!
//! Authority is the principal's scopes ∩ what the path allows (SPEC §3). In the own organization the scopes decide. In a
//! descendant, control always reaches; wallets and data only as far as every edge on the way delegates them. Anywhere
//! else the thing does not exist.
//!
//! Which field asks for which permission is `fields`' table; which role holds which scopes is `role`'s. A decision goes
//! [`reach`] → [`decide`] → [`Place::check`] → [`Standing::check`]; the kernel, the resolvers and `explainAccess` call the
//! same four.

use entity::id::OrganizationId;
use entity::kind::{Delegation, Delegations};

use crate::access::path::{EffectiveStatus, Path};
use crate::access::scope::{ADMIN, Scopes};

/// What an action needs of the edges between the acting organization and a descendant.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// Control reaches every descendant.
    Control,
    /// Every edge on the way must delegate this.
    Delegated(Delegation),
    /// Nobody but the operator.
    Operator,
}

macro_rules! permissions {
    ($( $(#[$doc:meta])* $name:ident = $text:literal, [$($scope:expr),*], $need:expr; )+) => {
        /// Everything a field or a mutation can ask for. One row each: name, the scopes of which one suffices, the need.
        #[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
        pub enum Permission { $( $(#[$doc])* $name, )+ }

        impl Permission {
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// Any one of these scopes suffices.
            pub const fn scopes(self) -> &'static [&'static str] {
                match self { $(Self::$name => &[$($scope),*],)+ }
            }

            pub const fn need(self) -> Need {
                match self { $(Self::$name => $need,)+ }
            }
        }
    };
}

use Delegation::{Billing, DataRead, DataWrite};
use Need::{Control, Delegated, Operator};

permissions! {
    /// The record, lifecycle and settings, read.
    OrganizationRead = "organization:read", ["org:read", "org:write", ADMIN], Control;
    /// The record, changed.
    OrganizationWrite = "organization:write", ["org:write", ADMIN], Control;
    /// Children, lifecycle, relation, delegation, funding and limits.
    OrganizationControl = "organization:control", [ADMIN], Control;
    KeyRead = "api_key:read", ["keys:*", ADMIN], Control;
    KeyWrite = "api_key:write", ["keys:*", ADMIN], Control;
    KeyVerify = "api_key:verify", ["keys:verify"], Control;
    CreditRead = "credit:read", ["credits:read", ADMIN], Delegated(Billing);
    CreditSpend = "credit:spend", ["credits:spend"], Delegated(Billing);
    CreditTransfer = "credit:transfer", ["credits:transfer", ADMIN], Control;
    /// The wallets at the ends of a movement, as it left them.
    CreditMoved = "credit:moved", ["credits:transfer", "credits:read", ADMIN], Delegated(Billing);
    CreditIssue = "credit:issue", [], Operator;
    MemberRead = "member:read", ["members:*", ADMIN], Control;
    MemberWrite = "member:write", ["members:*", ADMIN], Control;
    WebhookRead = "webhook:read", ["webhooks:*", ADMIN], Control;
    WebhookWrite = "webhook:write", ["webhooks:*", ADMIN], Control;
    EventRead = "event:read", ["webhooks:*", "org:read", ADMIN], Control;
    AuditRead = "audit:read", ["audit:read", ADMIN], Control;
    UsageRead = "usage:read", ["usage:read", ADMIN], Delegated(Billing);
    ProjectRead = "project:read", ["projects:*"], Delegated(DataRead);
    ProjectWrite = "project:write", ["projects:*"], Delegated(DataWrite);
    TradeRead = "trade:read", ["trade:*"], Delegated(DataRead);
    TradeWrite = "trade:write", ["trade:*"], Delegated(DataWrite);
    /// A new root, the operator's own keys: what belongs to no organization.
    Platform = "platform", [], Operator;
}

/// How far the principal's authority reaches into one organization.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The operator sees all.
    Operator,
    /// The principal's own organization.
    Own,
    /// A descendant, and what every edge on the way delegates.
    Descendant(Delegations),
}

impl Reach {
    /// The reach into a child, given what the child's edge delegates.
    #[must_use]
    pub fn into_child(self, edge: Delegations) -> Self {
        match self {
            Self::Operator => Self::Operator,
            Self::Own => Self::Descendant(edge),
            Self::Descendant(so_far) => Self::Descendant(so_far.intersect(edge)),
        }
    }
}

/// The reach of a principal of `own` into the organization whose path this is; `None` when it is out of sight.
pub fn reach(own: OrganizationId, path: &Path) -> Option<Reach> {
    let mut delegated = Delegations::ALL;
    for (distance, node) in path.nodes().iter().enumerate() {
        if node.id == own {
            return Some(if distance == 0 { Reach::Own } else { Reach::Descendant(delegated) });
        }
        delegated = delegated.intersect(node.delegation);
    }
    None
}

/// The child of the first edge below `own`, on the way down to the organization of this path, that does not delegate
/// this; `None` when every edge does.
pub fn lacking_edge(own: OrganizationId, path: &Path, delegation: Delegation) -> Option<OrganizationId> {
    let below = path.nodes().iter().take_while(|node| node.id != own);
    below.filter(|node| !node.delegation.contains(delegation)).last().map(|node| node.id)
}

/// Where an act must come from, as the tree sees it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Place {
    Anywhere,
    /// Not from the organization itself.
    Above,
    /// Not from the organization itself, unless it is a root.
    AboveOrRoot,
    /// Only on a root.
    Root,
}

impl Place {
    pub fn check(self, reach: Reach, path: &Path) -> Result<(), Denial> {
        let is_root = path.depth() == 1;
        let allowed = match self {
            Self::Anywhere => true,
            Self::Above => reach != Reach::Own,
            Self::AboveOrRoot => reach != Reach::Own || is_root,
            Self::Root => is_root,
        };
        if allowed { Ok(()) } else { Err(Denial::Misplaced(self)) }
    }
}

/// What the organization acted on must be. Checked after a known idempotency key was answered: what was done once is told
/// again whatever became of the organization since.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Whatever it is.
    Any,
    /// Not archived itself.
    Live,
    /// Neither it nor an ancestor archived.
    Unarchived,
    /// Neither it nor an ancestor suspended or archived.
    Active,
}

impl Standing {
    /// The status that is in the way, when one is.
    pub fn check(self, path: &Path) -> Result<(), EffectiveStatus> {
        let status = path.effective_status();
        let allowed = match self {
            Self::Any => true,
            Self::Live => !path.nodes()[0].archived,
            Self::Unarchived => !matches!(status, EffectiveStatus::Archived { .. }),
            Self::Active => status == EffectiveStatus::Active,
        };
        if allowed { Ok(()) } else { Err(status) }
    }
}

/// What allowed an action.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    /// The operator may do anything.
    Operator,
    /// This scope is held, and the path lets it through.
    Scope(&'static str),
}

/// Why an action is refused to somebody who can see the organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denial {
    /// None of these scopes is held.
    MissingScope(&'static [&'static str]),
    /// An edge on the way does not delegate this.
    NotDelegated(Delegation),
    /// It has to come from another place in the tree.
    Misplaced(Place),
    OperatorOnly,
}

impl Denial {
    /// What to tell the client.
    pub fn message(&self, permission: Permission) -> String {
        match self {
            Self::MissingScope(scopes) => {
                format!("{} needs the scope {}. Use a key that holds it.", permission.as_str(), scopes.join(" or "))
            }
            Self::NotDelegated(delegation) => format!(
                "{} needs {delegation} delegated by every edge down to this organization. Its own principals can widen the edge.",
                permission.as_str()
            ),
            Self::Misplaced(Place::Root) => {
                "This belongs to the root. Use a key of the root, and name the root.".to_owned()
            }
            Self::Misplaced(_) => {
                "An organization does not do this to itself. An ancestor or the operator can.".to_owned()
            }
            Self::OperatorOnly => format!("{} is reserved for the operator.", permission.as_str()),
        }
    }
}

/// The decision. Everything that guards anything calls this.
pub fn decide(scopes: &Scopes, reach: Reach, permission: Permission) -> Result<Grant, Denial> {
    if reach == Reach::Operator {
        return Ok(Grant::Operator);
    }
    if permission.need() == Operator {
        return Err(Denial::OperatorOnly);
    }
    let held = |scope: &&&str| if **scope == ADMIN { scopes.is_admin() } else { scopes.allows(scope) };
    let scope = permission.scopes().iter().find(held).ok_or(Denial::MissingScope(permission.scopes()))?;
    match (permission.need(), reach) {
        (Delegated(wanted), Reach::Descendant(delegated)) if !delegated.contains(wanted) => {
            Err(Denial::NotDelegated(wanted))
        }
        _ => Ok(Grant::Scope(scope)),
    }
}

#[cfg(test)]
mod tests {
    use entity::kind::Relation;

    use super::*;

    #[test]
    fn control_reaches_a_descendant_over_an_edge_that_delegates_nothing() {
        let admin = Scopes::new([ADMIN]);
        assert_eq!(
            decide(&admin, Reach::Descendant(Delegations::NONE), Permission::OrganizationControl),
            Ok(Grant::Scope(ADMIN))
        );
        assert_eq!(
            decide(&admin, Reach::Descendant(Delegations::NONE), Permission::CreditRead),
            Err(Denial::NotDelegated(Billing))
        );
    }

    #[test]
    fn delegation_narrows_along_the_path_and_never_widens() {
        let linked = Delegations::default_of(Relation::Linked);
        let reach = Reach::Own.into_child(linked).into_child(Delegations::ALL);
        let scopes = Scopes::new(["projects:*", "credits:read"]);
        assert_eq!(decide(&scopes, reach, Permission::CreditRead), Ok(Grant::Scope("credits:read")));
        assert_eq!(decide(&scopes, reach, Permission::ProjectRead), Err(Denial::NotDelegated(DataRead)));
    }

    #[test]
    fn a_scope_is_needed_even_at_home() {
        assert!(matches!(
            decide(&Scopes::default(), Reach::Own, Permission::OrganizationRead),
            Err(Denial::MissingScope(_))
        ));
    }

    #[test]
    fn issuing_credits_is_the_operators_alone() {
        assert_eq!(decide(&Scopes::all_known(), Reach::Own, Permission::CreditIssue), Err(Denial::OperatorOnly));
        assert_eq!(decide(&Scopes::default(), Reach::Operator, Permission::CreditIssue), Ok(Grant::Operator));
    }
}
