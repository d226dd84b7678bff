//! The tree as a flat list of visible rows.
//!
//! Invariants: the cursor is the key of a row, never a place in the list; a row's depth is one more
//! than its parent's; an organization has at most one row. Opening and closing a branch splices the
//! rows below it and leaves all others alone.
//!
//! Not here: what a row says. The names stand in the model's organizations, by id.

use std::collections::HashMap;

use crate::effect::RequestId;
use crate::graphql::{OrganizationId, OrganizationPage};

/// Deeper than the schema allows a tree to be; the guard against one that closes on itself.
const DEPTH_MAX: usize = 64;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowKey {
    Organization(OrganizationId),
    /// "More of this branch"; of the roots when there is no parent.
    More(Option<OrganizationId>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub key: RowKey,
    pub depth: usize,
}

impl Row {
    /// True for the row that stands for what has not been read.
    pub fn is_unread(&self) -> bool {
        matches!(self.key, RowKey::More(_))
    }
}

/// The known part of one organization's children, in the gateway's order.
#[derive(Clone, Debug, Default)]
pub struct Branch {
    pub children: Vec<OrganizationId>,
    /// Children met by another way (a search) before their page was read; shown after the others.
    pub strays: Vec<OrganizationId>,
    pub open: bool,
    pub pages: Pages,
    pub loading: Option<RequestId>,
    pub failure: Option<String>,
}

impl Branch {
    pub fn has(&self, child: &OrganizationId) -> bool {
        self.children.contains(child) || self.strays.contains(child)
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Pages {
    #[default]
    Unread,
    /// Where the next page begins.
    Until(String),
    Complete,
}

#[derive(Clone, Debug, Default)]
pub struct Tree {
    roots: Branch,
    branches: HashMap<OrganizationId, Branch>,
    rows: Vec<Row>,
    pub cursor: Option<RowKey>,
    /// The first row on the screen.
    pub top: usize,
}

impl Tree {
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    pub fn branch(&self, parent: Option<&OrganizationId>) -> Option<&Branch> {
        match parent {
            None => Some(&self.roots),
            Some(parent) => self.branches.get(parent),
        }
    }

    pub fn branch_mut(&mut self, parent: Option<&OrganizationId>) -> &mut Branch {
        match parent {
            None => &mut self.roots,
            Some(parent) => self.branches.entry(parent.clone()).or_default(),
        }
    }

    /// The organization under the cursor.
    pub fn chosen(&self) -> Option<&OrganizationId> {
        match &self.cursor {
            Some(RowKey::Organization(id)) => Some(id),
            Some(RowKey::More(_)) | None => None,
        }
    }

    /// An organization and everything known below it, open or not.
    pub fn subtree(&self, organization: &OrganizationId) -> Vec<OrganizationId> {
        let mut found = vec![organization.clone()];
        let mut level = found.clone();
        for _ in 0..DEPTH_MAX {
            if level.is_empty() {
                break;
            }
            let branches = level.iter().filter_map(|id| self.branches.get(id));
            level = branches.flat_map(|branch| branch.children.iter().chain(&branch.strays)).cloned().collect();
            found.extend_from_slice(&level);
        }
        found
    }

    pub fn position(&self, key: &RowKey) -> Option<usize> {
        self.rows.iter().position(|row| row.key == *key)
    }

    pub fn cursor_position(&self) -> Option<usize> {
        self.cursor.as_ref().and_then(|cursor| self.position(cursor))
    }

    /// The row that the row at `position` hangs from.
    pub fn parent_position(&self, position: usize) -> Option<usize> {
        let depth = self.rows.get(position)?.depth;
        let above = depth.checked_sub(1)?;
        self.rows[..position].iter().rposition(|row| row.depth == above)
    }

    /// The organizations from the root down to the cursor, the chosen one included.
    pub fn path(&self) -> Vec<&OrganizationId> {
        let mut path = Vec::new();
        let mut position = self.cursor_position();
        while let Some(at) = position {
            if let RowKey::Organization(id) = &self.rows[at].key {
                path.push(id);
            }
            position = self.parent_position(at);
        }
        path.reverse();
        path
    }

    pub fn move_to(&mut self, position: usize) {
        let last = self.rows.len().saturating_sub(1);
        self.cursor = self.rows.get(position.min(last)).map(|row| row.key.clone());
    }

    /// Opens or closes a branch. On closing, a cursor inside it comes out to the branch itself.
    pub fn set_open(&mut self, id: &OrganizationId, open: bool) {
        self.branch_mut(Some(id)).open = open;
        self.splice(Some(id));
    }

    /// Adds a page to a branch. `from_start` says that it is the first one, read again: what was
    /// known beyond it stays.
    pub fn add_page(&mut self, parent: Option<&OrganizationId>, page: &OrganizationPage, from_start: bool) {
        let waiting = RowKey::More(parent.cloned());
        let cursor_waits = self.cursor.as_ref() == Some(&waiting);
        let branch = self.branch_mut(parent);
        let mut arrived: Vec<OrganizationId> = Vec::with_capacity(page.nodes.len());
        for row in &page.nodes {
            if parent != Some(&row.id) && !arrived.contains(&row.id) {
                arrived.push(row.id.clone());
            }
        }
        branch.strays.retain(|id| !arrived.contains(id));
        let next = match (page.page_info.has_next_page, &page.page_info.end_cursor) {
            (true, Some(cursor)) => Pages::Until(cursor.clone()),
            _ => Pages::Complete,
        };
        let first_new = if from_start {
            let beyond = branch.pages != Pages::Unread && next != Pages::Complete;
            let mut children = arrived.clone();
            if beyond {
                let kept = branch.children.iter().filter(|id| !arrived.contains(id));
                children.extend(kept.cloned());
            } else {
                branch.pages = next;
            }
            branch.children = children;
            arrived.first().cloned()
        } else {
            let new: Vec<_> = arrived.into_iter().filter(|id| !branch.children.contains(id)).collect();
            let first = new.first().cloned();
            branch.children.extend(new);
            branch.pages = next;
            first
        };
        branch.loading = None;
        branch.failure = None;
        let at = self.cursor_position();
        self.splice(parent);
        if cursor_waits && let Some(first) = first_new {
            self.cursor = Some(RowKey::Organization(first));
        }
        self.keep_cursor(at);
        if self.cursor.is_none() {
            self.move_to(0);
        }
    }

    /// Makes sure that a branch has a row for this child.
    pub fn add_stray(&mut self, parent: Option<&OrganizationId>, child: &OrganizationId) {
        let branch = self.branch_mut(parent);
        if !branch.has(child) {
            branch.strays.push(child.clone());
        }
        self.splice(parent);
    }

    /// Takes out organizations that are no longer where they were.
    pub fn remove(&mut self, gone: &[OrganizationId]) {
        if gone.is_empty() {
            return;
        }
        let keep = |id: &OrganizationId| !gone.contains(id);
        for branch in std::iter::once(&mut self.roots).chain(self.branches.values_mut()) {
            branch.children.retain(keep);
            branch.strays.retain(keep);
        }
        for id in gone {
            self.branches.remove(id);
        }
        let at = self.cursor_position();
        self.splice(None);
        self.keep_cursor(at);
    }

    /// Builds the rows below a branch again, and only those.
    pub fn splice(&mut self, parent: Option<&OrganizationId>) {
        let Some(parent) = parent else {
            let mut rows = Vec::with_capacity(self.rows.len());
            self.spread(None, 0, &mut rows);
            self.rows = rows;
            return;
        };
        let Some(at) = self.position(&RowKey::Organization(parent.clone())) else {
            return;
        };
        let depth = self.rows[at].depth;
        let below = self.rows[at + 1..].iter().take_while(|row| row.depth > depth).count();
        let end = at + 1 + below;
        let cursor_inside = self.cursor_position().is_some_and(|cursor| at < cursor && cursor < end);
        let mut rows = Vec::new();
        if self.branches.get(parent).is_some_and(|branch| branch.open) {
            self.spread(Some(parent), depth + 1, &mut rows);
        }
        self.rows.splice(at + 1..end, rows);
        if cursor_inside && self.cursor_position().is_none() {
            let waiting = matches!(&self.cursor, Some(RowKey::More(Some(of))) if of == parent);
            // A "more" row that was used up hands the cursor on in `add_page`.
            if !waiting || !self.branches.get(parent).is_some_and(|branch| branch.open) {
                self.cursor = Some(RowKey::Organization(parent.clone()));
            }
        }
    }

    fn spread(&self, parent: Option<&OrganizationId>, depth: usize, rows: &mut Vec<Row>) {
        let Some(branch) = self.branch(parent) else { return };
        if depth >= DEPTH_MAX {
            return;
        }
        for child in branch.children.iter().chain(&branch.strays) {
            rows.push(Row { key: RowKey::Organization(child.clone()), depth });
            if self.branches.get(child).is_some_and(|branch| branch.open) {
                self.spread(Some(child), depth + 1, rows);
            }
        }
        if branch.pages != Pages::Complete {
            rows.push(Row { key: RowKey::More(parent.cloned()), depth });
        }
    }

    /// After rows went away: a cursor whose row is gone takes the row that stands there now.
    fn keep_cursor(&mut self, at: Option<usize>) {
        if self.cursor.is_some() && self.cursor_position().is_none() {
            self.move_to(at.unwrap_or(0));
        }
    }

    /// Scrolls as little as possible so that the cursor is among `height` rows.
    pub fn scroll(&mut self, height: usize) {
        let height = height.max(1);
        let at = self.cursor_position().unwrap_or(0);
        let last_top = self.rows.len().saturating_sub(height);
        self.top = self.top.clamp((at + 1).saturating_sub(height), at).min(last_top);
    }

    /// The rows on a screen of `height`.
    pub fn window(&self, height: usize) -> &[Row] {
        let start = self.top.min(self.rows.len());
        let end = start.saturating_add(height).min(self.rows.len());
        &self.rows[start..end]
    }
}
