//! Whether an organization may go elsewhere, and what becomes of its edge. Pure.

use entity::id::OrganizationId;
use entity::kind::{Delegations, Environment, FundingMode, Relation, Tier};

use crate::access::path::{DEPTH_MAX, EffectiveStatus, Path};
use crate::kernel::error::{Detail, ErrorCode, Refusal};
use crate::organization::model::{Organization, funding_mode};

/// Everything that the decision depends on, as of one moment.
#[derive(Clone, Debug)]
pub struct Facts {
    pub record: Organization,
    /// From the organization up to its root, as it is.
    pub old: Path,
    /// The parent to be and its path; none makes a root.
    pub new: Option<(Organization, Path)>,
    /// The environment of the key that asks; none for the operator.
    pub environment: Option<Environment>,
    /// An ancestor to be left behind whose suspension the mover could not lift.
    pub bound_by: Option<OrganizationId>,
    /// Whether a live child of the parent to be has its external id.
    pub external_id_taken: bool,
    /// Levels of its tree, itself included; looked at only when it would go further down.
    pub height: Option<usize>,
}

/// What an organization becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    pub parent: Option<OrganizationId>,
    pub relation: Relation,
    pub delegation: Delegations,
    pub tier: Tier,
}

/// Ancestors as they are that are none afterwards, nearest first: they lose every right.
pub fn left(old: &Path, new: Option<&Path>) -> Vec<OrganizationId> {
    old.ids().skip(1).filter(|id| new.is_none_or(|new| !new.contains(*id))).collect()
}

/// What the ancestors that stay may do over the edges that are left behind. Nobody is above a root: nothing.
pub fn carried(old: &Path, new: Option<&Path>) -> Delegations {
    if old.depth() == 1 {
        return Delegations::NONE;
    }
    let behind = old.nodes().iter().take_while(|node| new.is_none_or(|new| !new.contains(node.id)));
    // A root's edge leads nowhere.
    behind.filter(|node| node.parent.is_some()).fold(Delegations::ALL, |so_far, node| so_far.intersect(node.delegation))
}

/// Whether it is there already. A path that leads through the organization itself never counts.
pub fn is_there(facts: &Facts) -> bool {
    facts.record.parent_id == facts.new.as_ref().map(|(parent, _)| parent.id)
}

fn refused(code: ErrorCode, message: String) -> Refusal {
    Refusal::new(code, message).at("parentId")
}

/// Decides. The order of the checks is the order of the refusals: what cannot be mended comes first.
pub fn decide(facts: &Facts) -> Result<Settled, Refusal> {
    let record = &facts.record;
    if record.archived_at.is_some() {
        return Err(Refusal::conflict(format!("{} is archived, which is final.", record.id)));
    }
    if facts.environment == Some(Environment::Test) {
        let message = "This is a TEST key, and where an organization is decides about LIVE credits. Use a LIVE key.";
        return Err(Refusal::new(ErrorCode::ForbiddenScope, message));
    }
    if let Some((parent, path)) = &facts.new {
        below(facts, parent, path)?;
    }
    if let Some(suspended) = facts.bound_by {
        let message = format!(
            "{suspended} above it is suspended by somebody else, and {} would get away from that. Whoever suspended it can resume it first.",
            record.id
        );
        return Err(Refusal::new(ErrorCode::OrganizationSuspended, message)
            .with(Detail::Status { organization: suspended, archived: false }));
    }
    let path = facts.new.as_ref().map(|(_, path)| path);
    let was_root = record.parent_id.is_none();
    Ok(Settled {
        parent: path.map(Path::id),
        relation: if was_root && path.is_some() { Relation::Linked } else { record.relation },
        delegation: if path.is_some() { carried(&facts.old, path) } else { record.delegation },
        tier: if path.is_some() { record.tier } else { Tier::Free },
    })
}

/// Whether it may hang below this parent.
fn below(facts: &Facts, parent: &Organization, path: &Path) -> Result<(), Refusal> {
    let record = &facts.record;
    if path.contains(record.id) {
        let message = format!("{} is {} itself or below it. Name a parent outside of its tree.", parent.id, record.id);
        return Err(refused(ErrorCode::Cycle, message));
    }
    if is_there(facts) {
        return Ok(());
    }
    if let EffectiveStatus::Archived { by } = path.effective_status() {
        return Err(refused(ErrorCode::Conflict, format!("{by} is archived, which is final. Name a live parent.")));
    }
    if parent.tier != Tier::Enterprise {
        let message = format!(
            "{} is on the {} tier, which has no children. Raise its tier to ENTERPRISE.",
            parent.name, parent.tier
        );
        return Err(refused(ErrorCode::EnterpriseOnly, message));
    }
    if facts.external_id_taken {
        let external_id = record.external_id.as_deref().unwrap_or_default();
        let message = format!(
            "A live child of the parent already has the external id \"{external_id}\". Change one of them first."
        );
        return Err(refused(ErrorCode::Conflict, message));
    }
    match facts.height {
        Some(height) if path.depth() + height > DEPTH_MAX => {
            let message = format!(
                "The tree may be {DEPTH_MAX} levels deep. The parent is at level {}, and what would hang below it has {height} levels or more.",
                path.depth()
            );
            Err(refused(ErrorCode::DepthExceeded, message))
        }
        _ => Ok(()),
    }
}

/// Who would pay: the organization itself or the first above it that is not pooled. `above` is from the parent up.
pub fn payer(record: &Organization, above: &[Organization]) -> OrganizationId {
    let mut child = record;
    for (at, parent) in above.iter().enumerate() {
        let mode = funding_mode(child.funding, Some((parent.primary_covers_secondary, parent.fallback_to_primary)));
        if mode != FundingMode::Pooled {
            return if at == 0 { record.id } else { child.id };
        }
        child = parent;
    }
    child.id
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::access::path::Node;

    const BILLING: Delegations = Delegations::default_of(Relation::Linked);

    fn id(number: u128) -> OrganizationId {
        Uuid::from_u128(number).into()
    }

    /// From the organization up to the root, each with what its edge delegates.
    fn path(nodes: &[(u128, Delegations)]) -> Path {
        let parents = nodes.iter().skip(1).map(|(number, _)| Some(id(*number))).chain([None]);
        let nodes = nodes.iter().zip(parents).map(|((number, delegation), parent)| Node {
            id: id(*number),
            parent,
            delegation: *delegation,
            archived: false,
            suspended: false,
        });
        Path::new(nodes.collect()).unwrap()
    }

    #[test]
    fn those_above_both_places_lose_nothing() {
        let old = path(&[(9, Delegations::ALL), (3, Delegations::ALL), (2, Delegations::ALL), (1, Delegations::ALL)]);
        let new = path(&[(4, Delegations::ALL), (2, Delegations::ALL), (1, Delegations::ALL)]);
        assert_eq!(left(&old, Some(&new)), [id(3)]);
        assert_eq!(left(&old, None), [id(3), id(2), id(1)]);
    }

    #[test]
    fn the_edges_left_behind_narrow_what_is_carried_and_those_that_stay_do_not() {
        let old = path(&[(9, Delegations::ALL), (3, BILLING), (2, Delegations::NONE), (1, Delegations::ALL)]);
        let to_the_grandparent = path(&[(2, Delegations::NONE), (1, Delegations::ALL)]);
        assert_eq!(carried(&old, Some(&to_the_grandparent)), BILLING);
        let to_the_root = path(&[(1, Delegations::ALL)]);
        assert_eq!(carried(&old, Some(&to_the_root)), Delegations::NONE);
        let below_its_parent = path(&[(5, Delegations::NONE), (3, BILLING), (2, Delegations::NONE)]);
        assert_eq!(carried(&old, Some(&below_its_parent)), Delegations::ALL);
    }

    #[test]
    fn nobody_had_a_right_over_a_root() {
        assert_eq!(carried(&path(&[(9, Delegations::ALL)]), Some(&path(&[(1, Delegations::ALL)]))), Delegations::NONE);
    }
}
