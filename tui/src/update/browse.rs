//! Moving in the tree, opening branches, and taking in what the gateway says is there.

use super::Effects;
use crate::command::Step;
use crate::effect::RequestId;
use crate::graphql::organization::PageEnds;
use crate::graphql::{Answer, Failure, OrganizationId, OrganizationPage, OrganizationRow, Query, Viewer};
use crate::model::tree::RowKey;
use crate::model::{Model, Purpose, Side};
use crate::resource::Slice;

/// A page is asked for when the cursor comes this near to it: half a page, so that running down a branch seldom meets
/// its end.
const NEAR: usize = 25;

pub fn run(model: &mut Model, command: Step, effects: &mut Effects) {
    let page = match model.side {
        Side::Tree => model.measured.tree_rows,
        Side::Detail => model.measured.detail_rows,
    }
    .saturating_sub(1)
    .max(1);
    match command {
        Step::Up => move_by(model, false, 1, effects),
        Step::Down => move_by(model, true, 1, effects),
        Step::PageUp => move_by(model, false, page, effects),
        Step::PageDown => move_by(model, true, page, effects),
        Step::Top => jump(model, false, effects),
        Step::Bottom => jump(model, true, effects),
        Step::Expand => expand(model, effects),
        Step::Collapse => collapse(model),
        Step::SwitchSide => {
            model.side = match model.side {
                Side::Tree => Side::Detail,
                Side::Detail => Side::Tree,
            };
        }
        Step::CopyId => {
            if let Some(id) = model.tree.chosen().cloned() {
                super::list::copy_id(model, id.as_str().to_owned(), effects);
            }
        }
        _ => {}
    }
}

fn move_by(model: &mut Model, down: bool, distance: usize, effects: &mut Effects) {
    let moved = |from: usize| {
        if down { from.saturating_add(distance) } else { from.saturating_sub(distance) }
    };
    match model.side {
        Side::Tree => {
            let from = model.tree.cursor_position().unwrap_or(0);
            let to = moved(from);
            // A page does not jump over a part of a branch that is not read yet.
            let rows = model.tree.rows();
            let last = rows.len().saturating_sub(1);
            let stop = match down {
                true => (from + 1..=to.min(last)).find(|at| rows[*at].is_unread()),
                false => (to..from).rev().find(|at| rows.get(*at).is_some_and(|row| row.is_unread())),
            };
            model.tree.move_to(stop.unwrap_or(to));
            read_end(model, down, effects);
        }
        Side::Detail => {
            let last = model.measured.detail_lines.saturating_sub(model.measured.detail_rows);
            model.detail.scroll = moved(model.detail.scroll).min(last);
        }
    }
}

/// To the first row or the last.
fn jump(model: &mut Model, down: bool, effects: &mut Effects) {
    if model.side == Side::Detail {
        return move_by(model, down, usize::MAX, effects);
    }
    model.tree.move_to(if down { usize::MAX } else { 0 });
    // The end that is meant lies behind the row that was come to.
    read_end(model, !down, effects);
}

/// Whoever comes down on what lies before a part of a branch, or up on what lies behind it, meets the branch's own first
/// or last: it is read from that end, however much lies in between.
fn read_end(model: &mut Model, down: bool, effects: &mut Effects) {
    match model.tree.cursor().cloned() {
        Some(RowKey::Before(parent)) if down => ask_page(model, parent.as_ref(), Slice::First, effects),
        Some(RowKey::More(parent)) if !down => ask_page(model, parent.as_ref(), Slice::Last, effects),
        _ => {}
    }
}

fn expand(model: &mut Model, effects: &mut Effects) {
    match model.tree.cursor().cloned() {
        // What failed is asked for again once that is forgotten.
        Some(RowKey::Before(parent) | RowKey::More(parent)) => {
            model.tree.branch_mut(parent.as_ref()).failure = None;
        }
        Some(RowKey::Organization(id)) => {
            let branch = model.tree.branch(Some(&id));
            if branch.is_some_and(|branch| branch.open) {
                let position = model.tree.cursor_position().unwrap_or(0);
                let rows = model.tree.rows();
                let below = rows.get(position + 1).zip(rows.get(position));
                if below.is_some_and(|(below, row)| below.depth > row.depth) {
                    model.tree.move_to(position + 1);
                }
                return;
            }
            let has_children =
                model.organizations.get(&id).is_some_and(|organization| organization.summary.child_count > 0);
            if !has_children {
                model.side = Side::Detail;
                return;
            }
            let unread = branch.is_none_or(|branch| !branch.is_read());
            model.tree.set_open(&id, true);
            if unread {
                load(model, Some(&id), effects);
            }
        }
        None => {}
    }
}

fn collapse(model: &mut Model) {
    let Some(position) = model.tree.cursor_position() else { return };
    if let Some(id) = model.tree.chosen().cloned()
        && model.tree.branch(Some(&id)).is_some_and(|branch| branch.open)
    {
        model.tree.set_open(&id, false);
    } else if let Some(parent) = model.tree.parent_position(position) {
        model.tree.move_to(parent);
    }
}

/// Asks for the next page of a branch, unless it ends here or a page of it is on its way.
pub fn load(model: &mut Model, parent: Option<&OrganizationId>, effects: &mut Effects) {
    let branch = model.tree.branch_mut(parent);
    if let (None, Some(slice)) = (branch.loading, branch.next()) {
        ask_page(model, parent, slice, effects);
    }
}

/// Reads a branch's first page again. Of a part farther on, the rows are read again by their ids and no other way.
pub fn reload(model: &mut Model, parent: Option<&OrganizationId>, effects: &mut Effects) {
    let branch = model.tree.branch_mut(parent);
    if branch.loading.is_none() && branch.begins() {
        ask_page(model, parent, Slice::First, effects);
    }
}

fn ask_page(model: &mut Model, parent: Option<&OrganizationId>, slice: Slice, effects: &mut Effects) {
    let query = match parent {
        Some(parent) => Query::Children { parent: parent.clone(), slice: slice.clone() },
        // The root of a key is its own organization, which came with the viewer.
        None if model.is_operator() => Query::Roots { slice: slice.clone() },
        None => return,
    };
    let request = effects.ask(model, Purpose::Branch { parent: parent.cloned(), slice }, query);
    model.tree.branch_mut(parent).loading = Some(request);
}

/// Asks for what is not read yet under the cursor, a little before and behind it, and below it on the screen. What
/// failed takes a key.
pub fn load_what_is_near(model: &mut Model, effects: &mut Effects) {
    let Some(at) = model.tree.cursor_position() else { return };
    let rows = model.tree.rows();
    let end = (at + NEAR).max(model.tree.top + model.measured.tree_rows).min(rows.len());
    let behind = rows[at..end].iter().find_map(|row| match &row.key {
        RowKey::More(parent) => Some(parent.clone()),
        RowKey::Before(_) | RowKey::Organization(_) => None,
    });
    // From below, a row for more is met only by standing on it: its page would push it on, and the next one as well.
    let before = rows[at.saturating_sub(NEAR)..=at].iter().rev().find_map(|row| match &row.key {
        RowKey::Before(parent) => Some(parent.clone()),
        RowKey::More(_) | RowKey::Organization(_) => None,
    });
    let wants = |parent: &Option<OrganizationId>| {
        model.tree.branch(parent.as_ref()).is_some_and(|b| b.failure.is_none() && b.loading.is_none())
    };
    let (behind, before) = (behind.filter(wants), before.filter(wants));
    if let Some(parent) = behind {
        load(model, parent.as_ref(), effects);
    }
    if let Some(parent) = before {
        let branch = model.tree.branch_mut(parent.as_ref());
        if let (None, Some(slice)) = (branch.loading, branch.previous()) {
            ask_page(model, parent.as_ref(), slice, effects);
        }
    }
}

pub fn viewer_answered(model: &mut Model, answer: Result<Answer, Failure>, effects: &mut Effects) {
    match answer {
        Ok(Answer::Viewer(viewer)) => {
            model.viewer_failure = None;
            take_viewer(model, viewer, effects);
        }
        Ok(_) => {}
        Err(failure) => {
            model.viewer_failure = Some(failure.to_string());
            if failure.is_of_the_connection() {
                super::link::catch_up_later(model);
            }
        }
    }
}

fn take_viewer(model: &mut Model, viewer: Viewer, effects: &mut Effects) {
    let root = viewer.organization.clone();
    model.viewer = Some(viewer);
    if model.is_operator() {
        load(model, None, effects);
    } else if let Some(root) = root {
        let id = root.id.clone();
        let page = OrganizationPage { nodes: vec![root], page_info: PageEnds::default() };
        take_page(model, None, page, &Slice::First);
        model.tree.move_to(0);
        model.tree.set_open(&id, true);
        load(model, Some(&id), effects);
    } else {
        model.viewer_failure = Some("this key belongs to no organization".to_owned());
    }
}

pub fn page_answered(
    model: &mut Model,
    request: RequestId,
    parent: Option<&OrganizationId>,
    slice: &Slice,
    answer: Result<Answer, Failure>,
) {
    let branch = model.tree.branch_mut(parent);
    if branch.loading != Some(request) {
        return;
    }
    branch.loading = None;
    match answer {
        Ok(Answer::Page(Some(page))) => take_page(model, parent, page, slice),
        Ok(Answer::Page(None)) => branch.failure = Some("the gateway shows nothing here".into()),
        Ok(_) => {}
        Err(failure) => branch.failure = Some(failure.to_string()),
    }
}

fn take_page(model: &mut Model, parent: Option<&OrganizationId>, page: OrganizationPage, slice: &Slice) {
    for row in &page.nodes {
        take_row(model, row.clone());
    }
    model.tree.add_page(parent, &page, slice);
    forget_far(model);
}

/// What is far from the cursor is read again when it comes near.
pub fn forget_far(model: &mut Model) {
    let gone = model.tree.forget_far();
    for id in &gone {
        model.organizations.remove(id);
    }
    model.doubt.remove(&gone);
}

/// The present state of rows asked for by id. One that is null, or hangs elsewhere, is taken out.
pub fn take_rows(model: &mut Model, ids: &[OrganizationId], rows: Vec<Option<OrganizationRow>>) {
    let mut gone = Vec::new();
    for (id, row) in ids.iter().zip(rows) {
        let Some(row) = row else {
            gone.push(id.clone());
            continue;
        };
        let parent = parent_of(&row).cloned();
        match model.organizations.get(id) {
            _ if row.id != *id => continue,
            // New below a branch that is read already; its place is known at the next reading.
            _ if model.doubt.arrived.contains(id) => model.tree.add_stray(parent.as_ref(), id),
            Some(known) if parent_of(known) != parent.as_ref() => gone.push(id.clone()),
            Some(_) => {}
            // Forgotten, as far from the cursor, while the answer was on its way.
            None => continue,
        }
        take_row(model, row);
    }
    model.doubt.remove(ids);
    forget(model, &gone);
}

/// Takes a row in, but no figure that is older than the one that came live while it was asked for.
pub fn take_row(model: &mut Model, mut row: OrganizationRow) {
    if let (Some(available), Some(moved)) = (&mut row.summary.available, model.doubt.moved.get(&row.id)) {
        *available = *moved;
    }
    model.organizations.insert(row.id.clone(), row);
}

fn parent_of(row: &OrganizationRow) -> Option<&OrganizationId> {
    row.parent.as_ref().map(|parent| &parent.id)
}

pub fn forget(model: &mut Model, gone: &[OrganizationId]) {
    let chosen_went = model.tree.chosen().is_some_and(|chosen| gone.contains(chosen));
    if chosen_went && let Some(named) = model.tree.chosen().and_then(|id| model.named(id)) {
        let name = crate::text::neutral(&named.name);
        model.notify(format!("{name} ({}) is no longer here", named.id), true);
    }
    model.tree.remove(gone);
    for id in gone {
        model.organizations.remove(id);
    }
}

/// The rows on the screen and everything above the cursor, as far as one request may name them.
pub fn rows_on_screen(model: &Model) -> Vec<OrganizationId> {
    let window = model.tree.window(model.measured.tree_rows);
    let visible = window.iter().filter_map(|row| match &row.key {
        RowKey::Organization(id) => Some(id),
        RowKey::Before(_) | RowKey::More(_) => None,
    });
    let mut ids: Vec<OrganizationId> = Vec::new();
    for id in model.tree.path().into_iter().chain(visible) {
        if !ids.contains(id) && ids.len() < crate::graphql::query::REFRESHED_ROWS_MAX {
            ids.push(id.clone());
        }
    }
    ids
}

/// The open branches that have rows on the screen.
pub fn parents_on_screen(model: &Model) -> Vec<OrganizationId> {
    let mut parents = Vec::new();
    for id in rows_on_screen(model) {
        let parent = model.organizations.get(&id).and_then(parent_of);
        let is_open = |parent: &&OrganizationId| model.tree.branch(Some(*parent)).is_some_and(|branch| branch.open);
        if let Some(parent) = parent.filter(is_open)
            && !parents.contains(parent)
        {
            parents.push(parent.clone());
        }
    }
    parents
}

/// What the chosen organization's side asks, as GraphQL.
pub fn as_graphql(model: &Model) -> Option<String> {
    let organization = model.tree.chosen()?.clone();
    let query = Query::Detail { organization, environment: model.environment() };
    Some(query.request().as_graphql())
}
