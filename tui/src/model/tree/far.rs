//! Forgetting what is far from the cursor, so that a tree of any size takes the memory of a small one.

use std::collections::{HashMap, HashSet};

use super::{Branch, RowKey, Tree};
use crate::graphql::OrganizationId;

/// Organizations that are kept: forty pages, several screens each way.
pub const KEPT_MAX: usize = 2_000;

/// Something that can be forgotten and read again.
enum Part {
    /// All of a branch.
    Whole,
    FirstPage,
    LastPage,
    Stray(OrganizationId),
}

impl Tree {
    pub fn kept(&self) -> usize {
        let count = |branch: &Branch| branch.everybody().count();
        count(&self.roots) + self.branches.values().map(count).sum::<usize>()
    }

    /// Forgets what lies farthest from the cursor until no more is kept than may be; gives back who was forgotten.
    pub fn forget_far(&mut self) -> Vec<OrganizationId> {
        let mut gone = Vec::new();
        while self.kept() > KEPT_MAX {
            let Some((parent, part)) = self.farthest() else { break };
            let dropped = drop_part(self.branch_mut(parent.as_ref()), part);
            for id in dropped {
                let below = self.subtree(&id);
                for id in &below {
                    self.branches.remove(id);
                }
                gone.extend(below);
            }
            self.build();
        }
        gone
    }

    /// What is farthest from the cursor: branches that are closed, then whatever has most rows in between.
    fn farthest(&self) -> Option<(Option<OrganizationId>, Part)> {
        let path: HashSet<&OrganizationId> = self.path().into_iter().collect();
        let at = self.at.unwrap_or(0);
        let mut places: HashMap<&OrganizationId, usize> = HashMap::with_capacity(self.rows.len());
        for (place, row) in self.rows.iter().enumerate() {
            if let RowKey::Organization(id) = &row.key {
                places.insert(id, place);
            }
        }
        let far = |children: &[OrganizationId]| {
            if children.iter().any(|id| path.contains(id)) {
                return None;
            }
            children.iter().filter_map(|id| places.get(id)).map(|place| place.abs_diff(at)).min()
        };
        let mut farthest: Option<(usize, Option<OrganizationId>, Part)> = None;
        let mut consider = |distance: usize, parent: Option<&OrganizationId>, part: Part| {
            if farthest.as_ref().is_none_or(|(most, ..)| distance > *most) {
                farthest = Some((distance, parent.cloned(), part));
            }
        };
        let branches = self.branches.iter().map(|(id, branch)| (Some(id), branch));
        for (parent, branch) in std::iter::once((None, &self.roots)).chain(branches) {
            let is_shown = parent.is_none_or(|id| branch.open && places.contains_key(id));
            if !is_shown {
                if branch.everybody().next().is_some() {
                    consider(usize::MAX, parent, Part::Whole);
                }
                continue;
            }
            if let Some(distance) = branch.pages.back().and_then(|page| far(&page.children)) {
                consider(distance, parent, Part::LastPage);
            }
            if let Some(distance) =
                branch.pages.front().filter(|_| branch.pages.len() > 1).and_then(|p| far(&p.children))
            {
                consider(distance, parent, Part::FirstPage);
            }
            for stray in &branch.strays {
                if let Some(distance) = far(std::slice::from_ref(stray)) {
                    consider(distance, parent, Part::Stray(stray.clone()));
                }
            }
        }
        farthest.map(|(_, parent, part)| (parent, part))
    }
}

fn drop_part(branch: &mut Branch, part: Part) -> Vec<OrganizationId> {
    let page = match part {
        Part::Whole => {
            let all = branch.everybody().cloned().collect();
            branch.clear();
            return all;
        }
        Part::Stray(stray) => {
            branch.strays.retain(|id| *id != stray);
            return vec![stray];
        }
        Part::FirstPage => {
            branch.more_before = true;
            branch.pages.pop_front()
        }
        Part::LastPage => {
            branch.more_after = true;
            branch.pages.pop_back()
        }
    };
    if branch.pages.is_empty() {
        // Without a page there is no place in the list to go on from.
        (branch.is_read, branch.more_before, branch.more_after) = (false, false, false);
    }
    page.map(|page| page.children).unwrap_or_default()
}
