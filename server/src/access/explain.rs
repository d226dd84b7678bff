//! Which rule decides. Pure: it asks the same functions, in the same order, as the kernel and the resolvers do.

use entity::id::OrganizationId;
use entity::kind::Delegation;

use crate::access::fields::{self, Needs};
use crate::access::path::{EffectiveStatus, Path};
use crate::access::policy::{self, Denial, Grant, Need, Permission, Place, Reach, Standing};
use crate::access::scope::Scopes;

/// Who would act.
pub enum Asker<'a> {
    Operator,
    /// A key or a member of the organization of this path.
    Of {
        own: &'a Path,
        scopes: &'a Scopes,
        ended: Option<Ended>,
    },
}

/// Why a key is no longer one.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    Revoked,
    Expired,
}

/// What would be done: a field of the schema, or a bare permission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    pub needs: Needs,
    pub standing: Standing,
    pub place: Place,
}

impl Action {
    /// Reads a mutation, query or subscription by its name, any field as `Type.field`, or a permission by its own.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(permission) = Permission::ALL.iter().find(|permission| permission.as_str() == text) {
            let needs = Needs::Permission(*permission);
            return Some(Self { needs, standing: Standing::Any, place: Place::Anywhere });
        }
        let (of, row) = match text.split_once('.') {
            Some((of, field)) => (of, fields::row(of, field)?),
            None => ["Mutation", "Query", "Subscription"]
                .into_iter()
                .find_map(|root| Some((root, fields::row(root, text)?)))?,
        };
        let needs = match row.needs {
            Needs::Handed => {
                let by = fields::TYPES.iter().find(|known| known.name == of).and_then(|known| known.by);
                by.map_or(Needs::SignedIn, Needs::Permission)
            }
            needs => needs,
        };
        Some(Self { needs, standing: row.standing, place: row.place })
    }

    pub fn permission(&self) -> Option<Permission> {
        match self.needs {
            Needs::Permission(permission) => Some(permission),
            _ => None,
        }
    }
}

/// What decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The field asks for nothing, or only to be recognised.
    Open,
    Operator,
    /// The scope is held in the own organization.
    Own(&'static str),
    /// The scope is held, and control reaches every descendant.
    Control(&'static str),
    /// The scope is held, and every edge on the way delegates this.
    Delegated(&'static str, Delegation),
    Ended(Ended),
    /// The asker's own organization is suspended or archived, or one above it.
    Cut(EffectiveStatus),
    OutOfSight,
    Denied(Denial),
    /// An edge on the way does not delegate this; the child of the first that does not.
    Edge(Delegation, OrganizationId),
    /// The organization acted on is suspended or archived.
    Target(EffectiveStatus),
}

impl Verdict {
    pub const fn allowed(&self) -> bool {
        matches!(self, Self::Open | Self::Operator | Self::Own(_) | Self::Control(_) | Self::Delegated(..))
    }
}

/// Decides an action of somebody on the organization of a path.
pub fn explain(asker: &Asker<'_>, target: &Path, action: &Action) -> Verdict {
    let (own, scopes) = match asker {
        Asker::Operator => (None, Scopes::all_known()),
        Asker::Of { ended: Some(ended), .. } => return Verdict::Ended(*ended),
        Asker::Of { own, scopes, .. } => match own.effective_status() {
            EffectiveStatus::Active => (Some(own.id()), (*scopes).clone()),
            status => return Verdict::Cut(status),
        },
    };
    let reach = match own {
        None => Reach::Operator,
        Some(own) => match policy::reach(own, target) {
            None => return Verdict::OutOfSight,
            Some(reach) => reach,
        },
    };
    let Some(permission) = action.permission() else { return Verdict::Open };
    let grant = match (policy::decide(&scopes, reach, permission), own) {
        (Ok(grant), _) => grant,
        (Err(Denial::NotDelegated(delegation)), Some(own)) => {
            return match policy::lacking_edge(own, target, delegation) {
                Some(edge) => Verdict::Edge(delegation, edge),
                None => Verdict::Denied(Denial::NotDelegated(delegation)),
            };
        }
        (Err(denial), _) => return Verdict::Denied(denial),
    };
    if let Err(denial) = action.place.check(reach, target) {
        return Verdict::Denied(denial);
    }
    if let Err(status) = action.standing.check(target) {
        return Verdict::Target(status);
    }
    match (grant, reach, permission.need()) {
        (Grant::Operator, _, _) => Verdict::Operator,
        (Grant::Scope(scope), Reach::Descendant(_), Need::Delegated(delegation)) => {
            Verdict::Delegated(scope, delegation)
        }
        (Grant::Scope(scope), Reach::Descendant(_), _) => Verdict::Control(scope),
        (Grant::Scope(scope), _, _) => Verdict::Own(scope),
    }
}

#[cfg(test)]
mod tests {
    use entity::kind::{Delegations, Relation};
    use uuid::Uuid;

    use super::*;
    use crate::access::path::Node;

    fn id(number: u128) -> OrganizationId {
        OrganizationId::from(Uuid::from_u128(number))
    }

    fn node(number: u128, parent: Option<u128>, delegation: Delegations) -> Node {
        Node { id: id(number), parent: parent.map(id), delegation, archived: false, suspended: false }
    }

    /// 1 over an edge that delegates nothing over 2 over an OWNED edge over 3.
    fn path() -> Path {
        let owned = Delegations::default_of(Relation::Owned);
        let nodes = vec![node(3, Some(2), owned), node(2, Some(1), Delegations::NONE), node(1, None, owned)];
        Path::new(nodes).unwrap()
    }

    fn above(number: u128) -> Path {
        let nodes = path().nodes().iter().skip_while(|node| node.id != id(number)).cloned().collect();
        Path::new(nodes).unwrap()
    }

    fn verdict(own: &Path, scopes: &[&str], target: &Path, action: &str) -> Verdict {
        let scopes = Scopes::new(scopes.iter().copied());
        explain(&Asker::Of { own, scopes: &scopes, ended: None }, target, &Action::parse(action).unwrap())
    }

    #[test]
    fn the_edge_that_lacks_the_delegation_is_named() {
        let scopes = ["credits:read", "org:admin"];
        let by = |own: u128| verdict(&above(own), &scopes, &path(), "Organization.wallet");
        assert_eq!(by(1), Verdict::Edge(Delegation::Billing, id(2)));
        assert_eq!(by(2), Verdict::Delegated("credits:read", Delegation::Billing));
        assert_eq!(by(3), Verdict::Own("credits:read"));
        assert_eq!(verdict(&above(1), &scopes, &path(), "apiKeyCreate"), Verdict::Control("org:admin"));
    }

    #[test]
    fn nothing_is_seen_upward() {
        assert_eq!(verdict(&path(), &["org:admin"], &above(1), "organizationUpdate"), Verdict::OutOfSight);
    }

    #[test]
    fn an_organization_does_not_suspend_itself() {
        let misplaced = Verdict::Denied(Denial::Misplaced(Place::Above));
        assert_eq!(verdict(&above(1), &["org:admin"], &above(1), "organizationSuspend"), misplaced);
        assert_eq!(
            verdict(&above(1), &["org:admin"], &above(1), "organizationLimitsUpdate"),
            Verdict::Own("org:admin")
        );
    }

    #[test]
    fn the_askers_own_suspension_comes_before_everything_but_the_end_of_the_key() {
        let mut nodes = path().nodes().to_vec();
        nodes[1].suspended = true;
        let own = Path::new(nodes).unwrap();
        let scopes = Scopes::default();
        let action = Action::parse("creditCharge").unwrap();
        let asker = |ended| Asker::Of { own: &own, scopes: &scopes, ended };
        let cut = Verdict::Cut(EffectiveStatus::Suspended { by: id(2) });
        assert_eq!(explain(&asker(None), &own, &action), cut);
        assert_eq!(explain(&asker(Some(Ended::Revoked)), &own, &action), Verdict::Ended(Ended::Revoked));
        let operator = explain(&Asker::Operator, &own, &action);
        assert_eq!(operator, Verdict::Target(EffectiveStatus::Suspended { by: id(2) }));
    }

    #[test]
    fn an_action_is_a_field_or_a_permission() {
        for known in ["creditCharge", "Mutation.creditCharge", "Wallet.balance", "auditEvents", "events", "credit:read"]
        {
            assert!(Action::parse(known).is_some(), "{known}");
        }
        for unknown in ["", ".", "creditCharg", "Wallet", "Wallet.", "Nothing.at.all"] {
            assert!(Action::parse(unknown).is_none(), "{unknown}");
        }
    }
}
