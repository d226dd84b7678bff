//! The way from an organization up to its root: what decides visibility, delegation and effective status.

use entity::id::OrganizationId;
use entity::kind::Delegations;

/// The most levels a tree may have.
pub const DEPTH_MAX: usize = 32;

/// One organization of a path, as far as access cares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    pub id: OrganizationId,
    pub parent: Option<OrganizationId>,
    /// What the edge to the parent delegates; meaningless on a root.
    pub delegation: Delegations,
    pub archived: bool,
    /// Whether anybody suspends this very organization.
    pub suspended: bool,
}

/// The organization first, its root last. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path(Vec<Node>);

/// The worst over self and ancestors.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EffectiveStatus {
    Active,
    /// `by` is the nearest organization on the path that is suspended.
    Suspended {
        by: OrganizationId,
    },
    Archived {
        by: OrganizationId,
    },
}

impl Path {
    /// `None` when there is no such organization.
    pub fn new(nodes: Vec<Node>) -> Option<Self> {
        (!nodes.is_empty()).then_some(Self(nodes))
    }

    pub fn nodes(&self) -> &[Node] {
        &self.0
    }

    pub fn id(&self) -> OrganizationId {
        self.0[0].id
    }

    /// The root of its tree.
    pub fn root(&self) -> OrganizationId {
        self.0[self.0.len() - 1].id
    }

    /// The organization and its ancestors, nearest first.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = OrganizationId> + '_ {
        self.0.iter().map(|node| node.id)
    }

    pub fn contains(&self, id: OrganizationId) -> bool {
        self.ids().any(|other| other == id)
    }

    /// How many levels the tree has down to this organization; a root is 1.
    pub fn depth(&self) -> usize {
        self.0.len()
    }

    pub fn effective_status(&self) -> EffectiveStatus {
        let archived = self.0.iter().find(|node| node.archived).map(|node| EffectiveStatus::Archived { by: node.id });
        let suspended =
            || self.0.iter().find(|node| node.suspended).map(|node| EffectiveStatus::Suspended { by: node.id });
        archived.or_else(suspended).unwrap_or(EffectiveStatus::Active)
    }
}
