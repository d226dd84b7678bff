//! What a key means, which depends only on the table of commands and on what is open.

use tui_input::{Input, InputRequest};

use super::{Effects, act, browse, columns, find, line, link, list};
use crate::act::Value;
use crate::command::{self, Command, Does, Step};
use crate::effect::{Copied, Effect};
use crate::model::finder::QUERY_CHARS_MAX;
use crate::model::place::Place;
use crate::model::{Frozen, Model, Overlay};
use crate::msg::{Key, Pasted};
use crate::resource::Filter;
use crate::text;

pub fn key(model: &mut Model, key: Key, effects: &mut Effects) {
    if !matches!(key, Key::Ctrl('c' | 'z')) && is_guarded(model) {
        return;
    }
    effects.draw();
    let context = model.context();
    if let Some(command) = command::bound(context, key) {
        run(model, command, effects);
    } else if context.takes_text()
        && let Some(request) = edit(key)
    {
        edit_text(model, &[request], effects);
    }
}

pub fn paste(model: &mut Model, pasted: &Pasted, effects: &mut Effects) {
    if is_guarded(model) {
        return;
    }
    effects.draw();
    // What shows that the target was read has to be typed.
    let is_echo = matches!(&model.overlay, Overlay::Dialog(dialog)
        if matches!(dialog.fields.get(dialog.field).map(|field| &field.value), Some(Value::Echo { .. })));
    if is_echo {
        model.notify("Pasted text was ignored: type it, to show that it is meant", false);
    } else if model.context().takes_text() {
        let letters = text::neutral(&pasted.0);
        let letters: Vec<_> = letters.trim().chars().map(InputRequest::InsertChar).collect();
        edit_text(model, &letters, effects);
    } else {
        model.notify("Pasted text was ignored: no text field is open", false);
    }
}

/// True shortly after a question opened: what arrives then was meant for what stood there before.
fn is_guarded(model: &Model) -> bool {
    let until = match &model.overlay {
        Overlay::Dialog(dialog) => dialog.guarded_until,
        Overlay::Secret(secrets) => secrets.guarded_until,
        _ => return false,
    };
    model.now < until
}

pub fn run(model: &mut Model, command: &Command, effects: &mut Effects) {
    if let Some(why) = model.forbids(command) {
        model.notify(format!("{}: {why}", command.purpose), true);
        return;
    }
    match command.does {
        Does::Act(spec) => act::open(model, spec, effects),
        Does::Show(id) => list::show(model, id, Filter::default(), effects),
        Does::Step(step) => run_step(model, step, effects),
    }
}

fn run_step(model: &mut Model, step: Step, effects: &mut Effects) {
    match step {
        Step::Quit | Step::QuitAnywhere => effects.push(Effect::Quit),
        Step::Stop => effects.push(Effect::Suspend),
        Step::Search => find::open_search(model),
        Step::Filter => line::open_filter(model),
        Step::Palette => line::open(model),
        Step::Columns => columns::open(model),
        step if matches!(model.overlay, Overlay::Columns(..)) && step != Step::Close => columns::run(model, step),
        Step::Help => {
            model.help_scroll = 0;
            model.overlay = Overlay::Help;
        }
        step if is_scrolled_text(model) && scrolled(model, step).is_some() => {
            model.help_scroll = scrolled(model, step).unwrap_or(0);
        }
        Step::Refresh if matches!(model.overlay, Overlay::Record(..)) => list::reread(model, effects),
        Step::Refresh => refresh(model, effects),
        Step::Freeze => freeze(model, effects),
        Step::Undo => act::open_undo(model, effects),
        Step::ShowTree if !model.places.is_tree() => model.places.go(Place::Tree),
        Step::ShowTree => {}
        Step::Back => {
            if model.places.go_back() {
                list::come_back(model, effects);
            } else {
                model.notify("This is where it began", false);
            }
        }
        Step::Forward => {
            if model.places.go_forward() {
                list::come_back(model, effects);
            } else {
                model.notify("There is nothing further on", false);
            }
        }
        Step::FinderUp => find::move_cursor(model, false),
        Step::FinderDown => find::move_cursor(model, true),
        Step::Choose => find::choose(model, effects),
        Step::Complete => line::complete(model),
        Step::CopyGraphql => copy_graphql(model, effects),
        Step::CopyId if matches!(model.overlay, Overlay::Record(..)) => {
            if let Overlay::Record(_, record) = &model.overlay {
                let id = record.id.clone();
                list::copy_id(model, id, effects);
            }
        }
        Step::Close if matches!(model.overlay, Overlay::Secret(_)) => act::close_secret(model),
        Step::Close if !matches!(model.overlay, Overlay::Dialog(_)) => model.overlay = Overlay::None,
        Step::Close
        | Step::NextField
        | Step::PreviousField
        | Step::NextChoice
        | Step::Submit
        | Step::SwitchAnswer
        | Step::Answer
        | Step::Edit
        | Step::CheckAgain
        | Step::CopySecret => act::run(model, step, effects),
        step if model.places.is_tree() => browse::run(model, step, effects),
        step => list::run(model, step, effects),
    }
}

fn is_scrolled_text(model: &Model) -> bool {
    matches!(model.overlay, Overlay::Help | Overlay::Record(..))
}

/// Where a step leads in a text.
fn scrolled(model: &Model, step: Step) -> Option<usize> {
    let (at, last) = (model.help_scroll, model.measured.help_hidden);
    let page = model.measured.tree_rows.saturating_sub(2).max(1);
    let to = match step {
        Step::Up => at.saturating_sub(1),
        Step::Down => at + 1,
        Step::PageUp => at.saturating_sub(page),
        Step::PageDown => at + page,
        Step::Top => 0,
        Step::Bottom => last,
        _ => return None,
    };
    Some(to.min(last))
}

fn refresh(model: &mut Model, effects: &mut Effects) {
    if model.places.is_tree() {
        let branch = model.tree.chosen().cloned();
        if let Some(branch) = branch
            && model.tree.branch(Some(&branch)).is_some_and(|branch| branch.open)
        {
            browse::reload(model, Some(&branch), effects);
        }
    } else {
        list::reload(model, effects);
    }
    link::knock_again(model, effects);
    // A key that is held down must not put off the answer to its first press.
    if model.link.catching_up.is_empty() {
        link::catch_up(model, effects);
    }
}

/// Holds the screen still, or takes in what has come since.
fn freeze(model: &mut Model, effects: &mut Effects) {
    model.frozen = match model.frozen {
        None => Some(Frozen { since: model.now, changes: 0 }),
        Some(_) => {
            link::catch_up(model, effects);
            list::release(model, effects);
            None
        }
    };
}

/// What the view asks, or what the dialog would send.
fn copy_graphql(model: &mut Model, effects: &mut Effects) {
    if matches!(model.overlay, Overlay::Dialog(_)) {
        return act::run(model, Step::CopyGraphql, effects);
    }
    let document = if model.places.is_tree() { browse::as_graphql(model) } else { list::as_graphql(model) };
    match document {
        Some(document) => {
            effects.push(Effect::Copy(Copied::Graphql(document)));
            model.notify("Sent the view's GraphQL to the terminal's clipboard (OSC 52)", false);
        }
        None => model.notify("This view asks nothing: it is streamed", false),
    }
}

fn edit(key: Key) -> Option<InputRequest> {
    Some(match key {
        Key::Char(letter) => InputRequest::InsertChar(letter),
        Key::Backspace => InputRequest::DeletePrevChar,
        Key::Delete => InputRequest::DeleteNextChar,
        Key::Left => InputRequest::GoToPrevChar,
        Key::Right => InputRequest::GoToNextChar,
        Key::Home | Key::Ctrl('a') => InputRequest::GoToStart,
        Key::End | Key::Ctrl('e') => InputRequest::GoToEnd,
        Key::Ctrl('w') => InputRequest::DeletePrevWord,
        Key::Ctrl('u') => InputRequest::DeleteLine,
        _ => return None,
    })
}

fn edit_text(model: &mut Model, requests: &[InputRequest], effects: &mut Effects) {
    let (input, chars_max): (&mut Input, usize) = match &mut model.overlay {
        Overlay::Search(search) => (&mut search.input, QUERY_CHARS_MAX),
        Overlay::Palette(palette) => (&mut palette.input, QUERY_CHARS_MAX),
        Overlay::Filter(filter) => (&mut filter.input, QUERY_CHARS_MAX),
        Overlay::Dialog(dialog) => {
            dialog.problem = None;
            match dialog.fields.get_mut(dialog.field).map(|field| &mut field.value) {
                Some(Value::Text { input, chars_max }) => (input, *chars_max),
                Some(Value::Echo { input, .. }) => (input, QUERY_CHARS_MAX),
                Some(Value::Choice { words, chosen }) => {
                    if let [InputRequest::InsertChar(' ') | InputRequest::GoToPrevChar | InputRequest::GoToNextChar] =
                        requests
                    {
                        *chosen = (*chosen + 1) % words.len().max(1);
                        act::changed(model, effects);
                    }
                    return;
                }
                None => return,
            }
        }
        _ => return,
    };
    for request in requests {
        let inserts = matches!(request, InputRequest::InsertChar(_));
        if !inserts || input.value().chars().count() < chars_max {
            input.handle(*request);
        }
    }
    find::typed(model);
}
