//! What a message does to the model, and what it makes the shell do.
//!
//! Pure: the same model, message and time always give the same model and effects. Nothing here
//! waits, and nothing here knows of a terminal or a socket.
//!
//! Order: a message first does its own work, then whatever is due is started, then the model is
//! settled (the right side follows the cursor, the subscription follows the right side). So no
//! message has to remember what hangs on it.

mod act;
mod browse;
mod columns;
mod detail;
mod find;
mod follow;
mod input;
mod line;
mod link;
mod list;
mod point;

use jiff::Timestamp;

use crate::effect::{Effect, RequestId};
use crate::graphql::{Answer, Failure, OrganizationId, Query};
use crate::model::{Model, Overlay, Purpose};
use crate::msg::{Measured, Msg};
use crate::resource::ResourceId;

/// What one message leads to.
#[derive(Default)]
struct Effects {
    draw: bool,
    list: Vec<Effect>,
}

impl Effects {
    fn push(&mut self, effect: Effect) {
        self.list.push(effect);
    }

    fn draw(&mut self) {
        self.draw = true;
    }

    fn ask(&mut self, model: &mut Model, purpose: Purpose, query: Query) -> RequestId {
        let request = model.ids.request();
        model.pending.insert(request, purpose);
        self.push(Effect::Ask { request, query });
        request
    }
}

pub fn update(model: &mut Model, msg: Msg, now: Timestamp) -> Vec<Effect> {
    // A clock that runs backwards must not make a deadline that has passed lie ahead again.
    model.now = model.now.max(now);
    let mut effects = Effects::default();
    match msg {
        Msg::Start => link::start(model, &mut effects),
        Msg::Key(key) => input::key(model, key, &mut effects),
        Msg::Mouse(mouse) => point::mouse(model, mouse, &mut effects),
        Msg::Paste(pasted) => input::paste(model, &pasted, &mut effects),
        Msg::Resized | Msg::Woke => effects.draw(),
        Msg::Answered { request, answer } => answered(model, request, answer, &mut effects),
        Msg::Settled { request, outcome } => act::settled(model, request, outcome, &mut effects),
        Msg::Live(live) => link::live(model, live, &mut effects),
        Msg::Drawn(measured) => drawn(model, measured, &mut effects),
        Msg::Terminate => effects.push(Effect::Quit),
        Msg::Suspend => effects.push(Effect::Suspend),
    }
    start_what_is_due(model, &mut effects);
    settle(model, &mut effects);
    if effects.draw {
        effects.list.insert(0, Effect::Draw);
    }
    effects.list
}

fn answered(model: &mut Model, request: RequestId, answer: Result<Answer, Failure>, effects: &mut Effects) {
    let Some(purpose) = model.pending.remove(&request) else { return };
    effects.draw();
    let failed = answer.is_err();
    match (purpose, answer) {
        (Purpose::Viewer, answer) => browse::viewer_answered(model, answer, effects),
        (Purpose::Page { slice }, answer) => list::answered(model, request, &slice, answer),
        (Purpose::Records { ids }, answer) => list::records_answered(model, request, &ids, answer),
        (Purpose::Whole { id }, answer) => list::whole_answered(model, &id, answer),
        (Purpose::Plan, answer) => act::plan_answered(model, request, answer),
        (Purpose::Branch { parent, slice }, answer) => {
            browse::page_answered(model, request, parent.as_ref(), &slice, answer);
        }
        (Purpose::Detail, answer) => detail::answered(model, request, answer),
        (Purpose::Rows { ids }, Ok(Answer::Rows(rows))) => browse::take_rows(model, &ids, rows),
        (Purpose::Rows { .. }, _) => {}
        (Purpose::Jump, answer) => find::jump_answered(model, request, answer, effects),
        (Purpose::Search { name }, answer) => {
            find::search_answered(model, request, name, answer);
        }
        (Purpose::Act, _) => {}
    }
    model.doubt.answered(request, failed, model.now);
    if !model.pending.values().any(Purpose::brings_rows) {
        model.doubt.moved.clear();
    }
    link::caught_up(model, request, failed);
}

fn drawn(model: &mut Model, measured: Measured, effects: &mut Effects) {
    let top = |model: &Model| model.places.list().map(|list| list.top);
    let before = (model.tree.top, model.detail.scroll, top(model));
    model.tree.scroll(measured.tree_rows);
    let last = measured.detail_lines.saturating_sub(measured.detail_rows);
    model.measured = measured;
    model.detail.scroll = model.detail.scroll.min(last);
    list::settle(model, effects);
    if before != (model.tree.top, model.detail.scroll, top(model)) {
        effects.draw();
    }
}

/// Starts everything whose time has come, and forgets its deadline, so that none is met twice.
fn start_what_is_due(model: &mut Model, effects: &mut Effects) {
    let now = model.now;
    let due = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
    if due(model.notice.as_ref().map(|notice| notice.until)) {
        model.notice = None;
        effects.draw();
    }
    if due(model.detail.ask_at) {
        detail::ask(model, effects);
    }
    if due(model.link.catch_up_at) {
        link::catch_up(model, effects);
    }
    if let Overlay::Search(search) = &model.overlay
        && due(search.ask_at)
    {
        find::ask(model, effects);
    }
    if due(model.places.list().and_then(|list| list.ask_at)) {
        list::refresh(model, effects);
    }
    act::resend_when_due(model, effects);
}

/// Whose details stand beside the tree, or beside a list of organizations.
fn shown_beside(model: &Model) -> Option<OrganizationId> {
    match model.places.list() {
        None => model.tree.chosen().cloned(),
        Some(list) if list.resource.id == ResourceId::Organizations => {
            list.chosen().map(|record| OrganizationId::new(&record.id))
        }
        // What was shown last, for when the tree comes back.
        Some(_) => model.detail.of.clone(),
    }
}

fn settle(model: &mut Model, effects: &mut Effects) {
    browse::load_what_is_near(model, effects);
    let shown = shown_beside(model);
    if shown != model.detail.of {
        model.detail.turn_to(shown, model.now);
    }
    list::settle(model, effects);
    model.tree.scroll(model.measured.tree_rows);
    follow::what_is_shown(model, effects);
    follow::ask_what_is_in_doubt(model, effects);
}
