//! The tree as a flat list of visible rows, out of however many organizations there are.
//!
//! Shape: of every branch that was opened one unbroken part of the gateway's list is kept, page by page; what lies
//! before and behind it stands as a row that says so and is read when the cursor comes near. The rows are made anew
//! whenever a branch changes, which costs as much as is kept and no more.
//!
//! Invariants: the cursor is the key of a row, never a place in the list; a row's depth is one more than its parent's;
//! an organization has at most one row; no more than [`KEPT_MAX`] organizations are kept, and what is forgotten lies
//! farthest from the cursor.
//!
//! Not here: what a row says. The names stand in the model's organizations, by id.

mod far;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet, VecDeque};

use serde::{Deserialize, Serialize};

use crate::effect::RequestId;
use crate::graphql::{OrganizationId, OrganizationPage};
use crate::resource::Slice;
pub use far::KEPT_MAX;

/// Deeper than the schema allows a tree to be; the guard against one that closes on itself.
const DEPTH_MAX: usize = 64;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RowKey {
    Organization(OrganizationId),
    /// What of this branch comes before the part that is kept; of the roots when there is no parent.
    Before(Option<OrganizationId>),
    /// What of it comes behind.
    More(Option<OrganizationId>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub key: RowKey,
    pub depth: usize,
    /// The row it hangs from.
    pub above: Option<usize>,
}

impl Row {
    /// True for the row that stands for what has not been read.
    pub fn is_unread(&self) -> bool {
        matches!(self.key, RowKey::Before(_) | RowKey::More(_))
    }
}

/// The known part of one organization's children, in the gateway's order.
#[derive(Clone, Debug, Default)]
pub struct Branch {
    pages: VecDeque<Page>,
    /// Children met by another way (a search) before their page was read; shown after the others.
    strays: Vec<OrganizationId>,
    pub open: bool,
    is_read: bool,
    more_before: bool,
    more_after: bool,
    pub loading: Option<RequestId>,
    pub failure: Option<String>,
}

/// One answer's worth of children, and where it lies.
#[derive(Clone, Debug)]
struct Page {
    children: Vec<OrganizationId>,
    front: String,
    back: String,
}

impl Branch {
    pub fn has(&self, child: &OrganizationId) -> bool {
        self.strays.contains(child) || self.children().any(|known| known == child)
    }

    /// The kept ones in the gateway's order, without strays.
    fn children(&self) -> impl Iterator<Item = &OrganizationId> {
        self.pages.iter().flat_map(|page| &page.children)
    }

    fn everybody(&self) -> impl Iterator<Item = &OrganizationId> {
        self.children().chain(&self.strays)
    }

    /// How many of the gateway's list are kept.
    pub fn len(&self) -> usize {
        self.pages.iter().map(|page| page.children.len()).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.pages.iter().all(|page| page.children.is_empty())
    }

    /// False as long as no page of it is kept.
    pub fn is_read(&self) -> bool {
        self.is_read
    }

    /// True when all of it is kept.
    pub fn is_whole(&self) -> bool {
        self.is_read && !self.more_before && !self.more_after
    }

    pub fn begins(&self) -> bool {
        !self.more_before
    }

    pub fn ends(&self) -> bool {
        self.is_read && !self.more_after
    }

    /// The part behind what is kept.
    pub fn next(&self) -> Option<Slice> {
        match self.pages.back() {
            _ if !self.is_read => Some(Slice::First),
            Some(last) if self.more_after => Some(Slice::After(last.back.clone())),
            _ => None,
        }
    }

    /// The part before it.
    pub fn previous(&self) -> Option<Slice> {
        let first = self.pages.front().filter(|_| self.more_before)?;
        Some(Slice::Before(first.front.clone()))
    }

    fn clear(&mut self) {
        *self = Self { open: self.open, loading: self.loading, failure: self.failure.take(), ..Self::default() };
    }

    /// Takes a page in; gives back who is new, in order.
    fn take(&mut self, slice: &Slice, page: &OrganizationPage, arrived: Vec<OrganizationId>) -> Vec<OrganizationId> {
        self.strays.retain(|id| !arrived.contains(id));
        let info = &page.page_info;
        let (front, back) =
            (info.start_cursor.clone().unwrap_or_default(), info.end_cursor.clone().unwrap_or_default());
        // A page of nothing ends the list, whatever it says: asking again would bring the same.
        let (more_before, more_after) = match arrived.is_empty() {
            true => (false, false),
            false => (info.has_previous_page, info.has_next_page),
        };
        let known: HashSet<OrganizationId> = self.children().cloned().collect();
        let new: Vec<OrganizationId> = arrived.iter().filter(|id| !known.contains(*id)).cloned().collect();
        match slice {
            Slice::After(_) => {
                if !new.is_empty() {
                    self.pages.push_back(Page { children: new.clone(), front, back });
                }
                self.more_after = more_after;
            }
            Slice::Before(_) => {
                if !new.is_empty() {
                    self.pages.push_front(Page { children: new.clone(), front, back });
                }
                self.more_before = more_before;
            }
            Slice::First if self.is_read && !self.more_before && more_after && self.pages.len() > 1 => {
                self.read_first_again(Page { children: arrived, front, back });
                return new;
            }
            Slice::First | Slice::Last | Slice::Count => {
                self.pages = VecDeque::from([Page { children: arrived.clone(), front, back }]);
                self.more_before = more_before && *slice != Slice::First;
                self.more_after = more_after && *slice != Slice::Last;
            }
        }
        self.is_read = true;
        new
    }

    /// The first page as it is now. Who was pushed out of it by somebody new stands at the head of the second.
    fn read_first_again(&mut self, page: Page) {
        for later in self.pages.iter_mut().skip(1) {
            later.children.retain(|id| !page.children.contains(id));
        }
        if let Some(before) = self.pages.pop_front()
            && let Some(second) = self.pages.front_mut()
        {
            let mut pushed: Vec<OrganizationId> =
                before.children.into_iter().filter(|id| !page.children.contains(id)).collect();
            pushed.append(&mut second.children);
            second.children = pushed;
        }
        self.pages.push_front(page);
    }
}

#[derive(Clone, Debug, Default)]
pub struct Tree {
    roots: Branch,
    branches: HashMap<OrganizationId, Branch>,
    rows: Vec<Row>,
    cursor: Option<RowKey>,
    /// Where the cursor's row stands now.
    at: Option<usize>,
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

    pub fn cursor(&self) -> Option<&RowKey> {
        self.cursor.as_ref()
    }

    /// The organization under the cursor.
    pub fn chosen(&self) -> Option<&OrganizationId> {
        match &self.cursor {
            Some(RowKey::Organization(id)) => Some(id),
            Some(RowKey::Before(_) | RowKey::More(_)) | None => None,
        }
    }

    /// An organization and everything kept below it, open or not.
    pub fn subtree(&self, organization: &OrganizationId) -> Vec<OrganizationId> {
        let mut found = vec![organization.clone()];
        let mut level = found.clone();
        for _ in 0..DEPTH_MAX {
            if level.is_empty() {
                break;
            }
            let branches = level.iter().filter_map(|id| self.branches.get(id));
            level = branches.flat_map(Branch::everybody).cloned().collect();
            found.extend_from_slice(&level);
        }
        found
    }

    pub fn position(&self, key: &RowKey) -> Option<usize> {
        self.rows.iter().position(|row| row.key == *key)
    }

    pub fn cursor_position(&self) -> Option<usize> {
        self.at
    }

    /// The row that the row at `position` hangs from.
    pub fn parent_position(&self, position: usize) -> Option<usize> {
        self.rows.get(position)?.above
    }

    /// The organizations from the root down to the cursor, the chosen one included.
    pub fn path(&self) -> Vec<&OrganizationId> {
        let mut path = Vec::new();
        let mut position = self.at;
        while let Some(row) = position.and_then(|at| self.rows.get(at)) {
            if let RowKey::Organization(id) = &row.key {
                path.push(id);
            }
            position = row.above;
        }
        path.reverse();
        path
    }

    pub fn move_to(&mut self, position: usize) {
        let last = self.rows.len().saturating_sub(1);
        self.at = (!self.rows.is_empty()).then_some(position.min(last));
        self.cursor = self.at.map(|at| self.rows[at].key.clone());
    }

    /// Puts the cursor on a row by its key, if there is one.
    pub fn choose(&mut self, key: &RowKey) {
        if let Some(position) = self.position(key) {
            self.move_to(position);
        }
    }

    /// Opens or closes a branch. On closing, a cursor inside it comes out to the branch itself.
    pub fn set_open(&mut self, id: &OrganizationId, open: bool) {
        if !open && self.path().contains(&id) {
            self.cursor = Some(RowKey::Organization(id.clone()));
        }
        self.branch_mut(Some(id)).open = open;
        self.build();
    }

    /// Adds a page to a branch. A cursor that waited on the row for it goes to the nearest of those that came.
    pub fn add_page(&mut self, parent: Option<&OrganizationId>, page: &OrganizationPage, slice: &Slice) {
        let waited_behind = self.cursor == Some(RowKey::More(parent.cloned()));
        let waited_before = self.cursor == Some(RowKey::Before(parent.cloned()));
        let mut seen: HashSet<&OrganizationId> = parent.into_iter().collect();
        let arrived = page.nodes.iter().filter(|row| seen.insert(&row.id)).map(|row| row.id.clone()).collect();
        let branch = self.branch_mut(parent);
        branch.loading = None;
        branch.failure = None;
        let new = branch.take(slice, page, arrived);
        let (first, last) = match slice {
            // Whatever was kept before, the end of the list was asked for.
            Slice::First | Slice::Last => (branch.children().next().cloned(), branch.children().last().cloned()),
            _ => (new.first().cloned(), new.last().cloned()),
        };
        let nearest = match slice {
            Slice::Before(_) | Slice::Last => last,
            Slice::First | Slice::After(_) | Slice::Count => first,
        };
        if (waited_behind || waited_before)
            && let Some(nearest) = nearest
        {
            self.cursor = Some(RowKey::Organization(nearest));
        }
        self.build();
    }

    /// Makes sure that a branch has a row for this child.
    pub fn add_stray(&mut self, parent: Option<&OrganizationId>, child: &OrganizationId) {
        let branch = self.branch_mut(parent);
        if !branch.has(child) {
            branch.strays.push(child.clone());
            self.build();
        }
    }

    /// Takes out organizations that are no longer where they were.
    pub fn remove(&mut self, gone: &[OrganizationId]) {
        if gone.is_empty() {
            return;
        }
        let keep = |id: &OrganizationId| !gone.contains(id);
        for branch in std::iter::once(&mut self.roots).chain(self.branches.values_mut()) {
            branch.strays.retain(keep);
            for page in &mut branch.pages {
                page.children.retain(keep);
            }
        }
        for id in gone {
            self.branches.remove(id);
        }
        self.build();
    }

    /// Makes the rows anew. A cursor whose row is gone takes the row that stands there now.
    fn build(&mut self) {
        let mut rows = Vec::with_capacity(self.rows.len() + 1);
        self.spread(None, (0, None), &mut rows);
        self.rows = rows;
        let before = self.at.unwrap_or(0);
        match self.cursor.as_ref().and_then(|cursor| self.position(cursor)) {
            Some(at) => self.at = Some(at),
            None => self.move_to(before),
        }
    }

    fn spread(&self, parent: Option<&OrganizationId>, (depth, above): (usize, Option<usize>), rows: &mut Vec<Row>) {
        let Some(branch) = self.branch(parent) else { return };
        if depth >= DEPTH_MAX {
            return;
        }
        if branch.more_before {
            rows.push(Row { key: RowKey::Before(parent.cloned()), depth, above });
        }
        for child in branch.everybody() {
            let at = rows.len();
            rows.push(Row { key: RowKey::Organization(child.clone()), depth, above });
            if self.branches.get(child).is_some_and(|branch| branch.open) {
                self.spread(Some(child), (depth + 1, Some(at)), rows);
            }
        }
        if !branch.is_read || branch.more_after {
            rows.push(Row { key: RowKey::More(parent.cloned()), depth, above });
        }
    }

    /// Scrolls as little as possible so that the cursor is among `height` rows.
    pub fn scroll(&mut self, height: usize) {
        let height = height.max(1);
        let at = self.at.unwrap_or(0);
        let last_top = self.rows.len().saturating_sub(height);
        self.top = self.top.clamp((at + 1).saturating_sub(height), at).min(last_top);
    }

    /// Moves the screen, and the cursor only as far as it would leave it.
    pub fn scroll_by(&mut self, down: bool, lines: usize, height: usize) {
        let height = height.max(1);
        let last_top = self.rows.len().saturating_sub(height);
        self.top = if down { self.top + lines } else { self.top.saturating_sub(lines) }.min(last_top);
        let at = self.at.unwrap_or(0);
        self.move_to(at.clamp(self.top, self.top + height - 1));
    }

    /// The rows on a screen of `height`.
    pub fn window(&self, height: usize) -> &[Row] {
        let start = self.top.min(self.rows.len());
        let end = start.saturating_add(height).min(self.rows.len());
        &self.rows[start..end]
    }
}
