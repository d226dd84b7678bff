//! The search by name, the palette, and the jump from a result into the tree.

use super::{Effects, browse, line};
use crate::effect::RequestId;
use crate::graphql::{Answer, Failure, OrganizationId, OrganizationPath, Query};
use crate::model::finder::{REST, Search, step};
use crate::model::place::Place;
use crate::model::tree::RowKey;
use crate::model::{Model, Overlay, Purpose};

pub fn open_search(model: &mut Model) {
    model.overlay = Overlay::Search(Search::default());
}

pub fn typed(model: &mut Model) {
    match &mut model.overlay {
        Overlay::Search(search) => {
            search.failure = None;
            if search.input.value().trim().is_empty() {
                *search = Search { input: std::mem::take(&mut search.input), ..Search::default() };
            } else {
                search.ask_at = model.now.checked_add(REST).ok();
            }
        }
        Overlay::Palette(_) => line::typed(model),
        Overlay::Filter(filter) => filter.problem = None,
        _ => {}
    }
}

pub fn move_cursor(model: &mut Model, down: bool) {
    match &mut model.overlay {
        Overlay::Search(search) => {
            let ids: Vec<_> = search.results.iter().map(|row| row.id.clone()).collect();
            search.cursor = step(&ids, search.cursor.as_ref(), down);
        }
        Overlay::Palette(_) => line::move_cursor(model, down),
        _ => {}
    }
}

pub fn choose(model: &mut Model, effects: &mut Effects) {
    match &model.overlay {
        Overlay::Search(search) => {
            let current = search.answered.as_deref() == Some(search.input.value().trim());
            match search.cursor.clone() {
                // Results for what was typed before are not what was meant.
                Some(id) if current => {
                    model.overlay = Overlay::None;
                    jump(model, id, effects);
                }
                _ => ask(model, effects),
            }
        }
        Overlay::Palette(_) => line::choose(model, effects),
        Overlay::Filter(_) => line::narrow(model, effects),
        _ => {}
    }
}

pub fn ask(model: &mut Model, effects: &mut Effects) {
    let Overlay::Search(search) = &mut model.overlay else { return };
    search.ask_at = None;
    let name = search.input.value().trim().to_owned();
    if name.is_empty() {
        return;
    }
    let request = effects.ask(model, Purpose::Search { name: name.clone() }, Query::Search { name });
    if let Overlay::Search(search) = &mut model.overlay {
        search.asked = Some(request);
    }
}

pub fn search_answered(model: &mut Model, request: RequestId, name: String, answer: Result<Answer, Failure>) {
    let Overlay::Search(search) = &mut model.overlay else { return };
    if search.asked != Some(request) {
        return;
    }
    search.asked = None;
    match answer {
        Ok(Answer::Page(Some(page))) => {
            search.answered = Some(name);
            search.more = page.page_info.has_next_page;
            search.results = page.nodes;
            let kept = search.cursor.take().filter(|cursor| search.results.iter().any(|row| row.id == *cursor));
            search.cursor = kept.or_else(|| search.results.first().map(|row| row.id.clone()));
        }
        Ok(_) => search.failure = Some("the gateway shows nothing here".to_owned()),
        Err(failure) => search.failure = Some(failure.to_string()),
    }
}

/// Finds an organization in the tree.
pub fn jump(model: &mut Model, organization: OrganizationId, effects: &mut Effects) {
    let query = Query::Path { organization };
    model.jump = Some(effects.ask(model, Purpose::Jump, query));
}

pub fn jump_answered(model: &mut Model, request: RequestId, answer: Result<Answer, Failure>, effects: &mut Effects) {
    if model.jump != Some(request) {
        return;
    }
    model.jump = None;
    match answer {
        Ok(Answer::Path(Some(path))) => reveal(model, *path, effects),
        Ok(_) => model.notify("That organization is no longer there", true),
        Err(failure) => model.notify(format!("Could not jump: {failure}"), true),
    }
}

/// Opens every branch on the way and puts the cursor on the organization.
fn reveal(model: &mut Model, path: OrganizationPath, effects: &mut Effects) {
    let mut chain = path.ancestors;
    chain.sort_by_key(|row| row.depth);
    chain.retain(|row| row.id != path.row.id);
    chain.push(path.row);
    let rooted =
        |row: &crate::graphql::OrganizationRow| model.tree.branch(None).is_some_and(|roots| roots.has(&row.id));
    match chain.iter().position(rooted) {
        Some(root) => drop(chain.drain(..root)),
        None if model.is_operator() => {}
        None => return model.notify("That organization is not below yours", true),
    }
    let ids: Vec<OrganizationId> = chain.iter().map(|row| row.id.clone()).collect();
    for row in chain {
        browse::take_row(model, row);
    }
    let mut parent: Option<&OrganizationId> = None;
    for id in &ids {
        model.tree.add_stray(parent, id);
        if let Some(parent) = parent {
            model.tree.set_open(parent, true);
            let unread = model.tree.branch(Some(parent)).is_none_or(|branch| !branch.is_read());
            if unread {
                browse::load(model, Some(parent), effects);
            }
        }
        parent = Some(id);
    }
    if let Some(last) = ids.last() {
        model.tree.choose(&RowKey::Organization(last.clone()));
    }
    browse::forget_far(model);
    model.side = crate::model::Side::Tree;
    if !model.places.is_tree() {
        model.places.go(Place::Tree);
    }
}
