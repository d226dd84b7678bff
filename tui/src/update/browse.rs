//! Moving in the tree, opening branches, and taking in what the gateway says is there.

use super::Effects;
use crate::command::Step;
use crate::effect::RequestId;
use crate::graphql::organization::PageInfo;
use crate::graphql::{Answer, Failure, OrganizationId, OrganizationPage, OrganizationRow, Query, Viewer};
use crate::model::tree::{Pages, RowKey};
use crate::model::{Model, Purpose, Side};

pub fn run(model: &mut Model, command: Step, effects: &mut Effects) {
    let page = match model.side {
        Side::Tree => model.measured.tree_rows,
        Side::Detail => model.measured.detail_rows,
    }
    .saturating_sub(1)
    .max(1);
    match command {
        Step::Up => move_by(model, false, 1),
        Step::Down => move_by(model, true, 1),
        Step::PageUp => move_by(model, false, page),
        Step::PageDown => move_by(model, true, page),
        Step::Top => move_by(model, false, usize::MAX),
        Step::Bottom => move_by(model, true, usize::MAX),
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

fn move_by(model: &mut Model, down: bool, distance: usize) {
    let moved = |from: usize| {
        if down { from.saturating_add(distance) } else { from.saturating_sub(distance) }
    };
    match model.side {
        Side::Tree => {
            let from = model.tree.cursor_position().unwrap_or(0);
            let to = moved(from);
            // A page down does not jump over a part of a branch that is not read yet.
            let unread = model.tree.rows().iter().enumerate().skip(from + 1).find(|(_, row)| row.is_unread());
            let stop = unread.map(|(at, _)| at).filter(|at| down && *at < to && distance != usize::MAX);
            model.tree.move_to(stop.unwrap_or(to));
        }
        Side::Detail => {
            let last = model.measured.detail_lines.saturating_sub(model.measured.detail_rows);
            model.detail.scroll = moved(model.detail.scroll).min(last);
        }
    }
}

fn expand(model: &mut Model, effects: &mut Effects) {
    match model.tree.cursor.clone() {
        Some(RowKey::More(parent)) => {
            model.tree.branch_mut(parent.as_ref()).failure = None;
            load(model, parent.as_ref(), effects);
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
                return;
            }
            let unread = branch.is_none_or(|branch| branch.pages == Pages::Unread);
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

/// Asks for the next page of a branch, unless it is complete or already asked for.
pub fn load(model: &mut Model, parent: Option<&OrganizationId>, effects: &mut Effects) {
    let branch = model.tree.branch_mut(parent);
    let after = match &branch.pages {
        Pages::Unread => None,
        Pages::Until(cursor) => Some(cursor.clone()),
        Pages::Complete => return,
    };
    if branch.loading.is_some() {
        return;
    }
    let from_start = after.is_none();
    ask_page(model, parent, after, from_start, effects);
}

/// Reads a branch's first page again.
pub fn reload(model: &mut Model, parent: Option<&OrganizationId>, effects: &mut Effects) {
    if model.tree.branch_mut(parent).loading.is_none() {
        ask_page(model, parent, None, true, effects);
    }
}

fn ask_page(
    model: &mut Model,
    parent: Option<&OrganizationId>,
    after: Option<String>,
    from_start: bool,
    effects: &mut Effects,
) {
    let query = match parent {
        Some(parent) => Query::Children { parent: parent.clone(), after },
        // The root of a key is its own organization, which came with the viewer.
        None if model.is_operator() => Query::Roots { after },
        None => return,
    };
    let purpose = Purpose::Branch { parent: parent.cloned(), from_start };
    let request = effects.ask(model, purpose, query);
    model.tree.branch_mut(parent).loading = Some(request);
}

/// A cursor that stands on "more" has asked for it. After a failure it takes a key.
pub fn load_more_under_cursor(model: &mut Model, effects: &mut Effects) {
    if let Some(RowKey::More(parent)) = model.tree.cursor.clone()
        && model.tree.branch(parent.as_ref()).is_some_and(|branch| branch.failure.is_none())
    {
        load(model, parent.as_ref(), effects);
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
        let page_info = PageInfo { has_next_page: false, end_cursor: None };
        take_page(model, None, OrganizationPage { nodes: vec![root], page_info }, true);
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
    from_start: bool,
    answer: Result<Answer, Failure>,
) {
    let branch = model.tree.branch_mut(parent);
    if branch.loading != Some(request) {
        return;
    }
    branch.loading = None;
    match answer {
        Ok(Answer::Page(Some(page))) => take_page(model, parent, page, from_start),
        Ok(Answer::Page(None)) => branch.failure = Some("the gateway shows nothing here".into()),
        Ok(_) => {}
        Err(failure) => branch.failure = Some(failure.to_string()),
    }
}

fn take_page(model: &mut Model, parent: Option<&OrganizationId>, page: OrganizationPage, from_start: bool) {
    for row in &page.nodes {
        take_row(model, row.clone());
    }
    model.tree.add_page(parent, &page, from_start);
}

/// The present state of rows asked for by id. One that is null, or hangs elsewhere, is taken out.
pub fn take_rows(model: &mut Model, ids: &[OrganizationId], rows: Vec<Option<OrganizationRow>>) {
    let mut gone = Vec::new();
    for (id, row) in ids.iter().zip(rows) {
        match row {
            Some(row) if row.id == *id => {
                let parent = parent_of(&row).cloned();
                match model.organizations.get(id) {
                    Some(known) if parent_of(known) != parent.as_ref() => gone.push(id.clone()),
                    Some(_) => {}
                    // New below a branch that is read already; its place is known at the next reading.
                    None => model.tree.add_stray(parent.as_ref(), id),
                }
                take_row(model, row);
            }
            Some(_) => {}
            None => gone.push(id.clone()),
        }
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
}

/// The rows on the screen and everything above the cursor, as far as one request may name them.
pub fn rows_on_screen(model: &Model) -> Vec<OrganizationId> {
    let window = model.tree.window(model.measured.tree_rows);
    let visible = window.iter().filter_map(|row| match &row.key {
        RowKey::Organization(id) => Some(id),
        RowKey::More(_) => None,
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
