//! What a key means, which depends only on the table of commands and on what is open.

use tui_input::{Input, InputRequest};

use super::{Effects, act, browse, find, link};
use crate::command::{self, Command, CommandId, Context};
use crate::effect::Effect;
use crate::model::dialog::Value;
use crate::model::finder::QUERY_CHARS_MAX;
use crate::model::{Model, Overlay};
use crate::msg::{Key, Pasted};
use crate::text;

pub fn key(model: &mut Model, key: Key, effects: &mut Effects) {
    if key != Key::Ctrl('c') && is_guarded(model) {
        return;
    }
    effects.draw();
    let context = model.context();
    if let Some(command) = command::bound(context, key) {
        run(model, command, effects);
    } else if context.takes_text()
        && let Some(request) = edit(key)
    {
        edit_text(model, &[request]);
    }
}

pub fn paste(model: &mut Model, pasted: &Pasted, effects: &mut Effects) {
    if is_guarded(model) {
        return;
    }
    effects.draw();
    if model.context().takes_text() {
        let letters = text::neutral(&pasted.0);
        let letters: Vec<_> = letters.trim().chars().map(InputRequest::InsertChar).collect();
        edit_text(model, &letters);
    } else {
        model.notify("Pasted text was ignored: no text field is open", false);
    }
}

/// True shortly after a question opened: what arrives then was meant for what stood there before.
fn is_guarded(model: &Model) -> bool {
    let until = match &model.overlay {
        Overlay::Dialog(dialog) => dialog.guarded_until,
        Overlay::Secret(panel) => panel.guarded_until,
        _ => return false,
    };
    model.now < until
}

pub fn run(model: &mut Model, command: &Command, effects: &mut Effects) {
    if let Some(why) = model.forbids(command) {
        model.notify(format!("{}: {why}", command.purpose), true);
        return;
    }
    match command.id {
        CommandId::Quit | CommandId::QuitAnywhere => effects.push(Effect::Quit),
        CommandId::Search => find::open_search(model),
        CommandId::Palette => find::open_palette(model),
        CommandId::Help => {
            model.help_scroll = 0;
            model.overlay = Overlay::Help;
        }
        CommandId::Up if model.context() == Context::Help => {
            model.help_scroll = model.help_scroll.saturating_sub(1);
        }
        CommandId::Down if model.context() == Context::Help => {
            model.help_scroll = (model.help_scroll + 1).min(model.measured.help_hidden);
        }
        CommandId::Refresh => {
            let branch = model.tree.chosen().cloned();
            if let Some(branch) = branch
                && model.tree.branch(Some(&branch)).is_some_and(|branch| branch.open)
            {
                browse::reload(model, Some(&branch), effects);
            }
            link::knock_again(model, effects);
            // A key that is held down must not put off the answer to its first press.
            if model.link.catching_up.is_empty() {
                link::catch_up(model, effects);
            }
        }
        CommandId::FinderUp => find::move_cursor(model, false),
        CommandId::FinderDown => find::move_cursor(model, true),
        CommandId::Choose => find::choose(model, effects),
        CommandId::Close if !matches!(model.overlay, Overlay::Dialog(_)) => {
            // A secret leaves the model with its panel.
            model.overlay = Overlay::None;
        }
        CommandId::Suspend
        | CommandId::Resume
        | CommandId::Transfer
        | CommandId::MintKey
        | CommandId::Close
        | CommandId::NextField
        | CommandId::PreviousField
        | CommandId::NextChoice
        | CommandId::Submit
        | CommandId::SwitchAnswer
        | CommandId::Answer
        | CommandId::Confirm
        | CommandId::Edit
        | CommandId::CheckAgain
        | CommandId::CopySecret => act::run(model, command.id, effects),
        CommandId::Up
        | CommandId::Down
        | CommandId::PageUp
        | CommandId::PageDown
        | CommandId::Top
        | CommandId::Bottom
        | CommandId::Expand
        | CommandId::Collapse
        | CommandId::SwitchSide
        | CommandId::CopyId => browse::run(model, command.id, effects),
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

fn edit_text(model: &mut Model, requests: &[InputRequest]) {
    let (input, chars_max): (&mut Input, usize) = match &mut model.overlay {
        Overlay::Search(search) => (&mut search.input, QUERY_CHARS_MAX),
        Overlay::Palette(palette) => (&mut palette.input, QUERY_CHARS_MAX),
        Overlay::Dialog(dialog) => {
            dialog.problem = None;
            match dialog.fields.get_mut(dialog.field).map(|field| &mut field.value) {
                Some(Value::Text { input, chars_max }) => (input, *chars_max),
                Some(Value::Choice { words, chosen }) => {
                    if let [InputRequest::InsertChar(' ') | InputRequest::GoToPrevChar | InputRequest::GoToNextChar] =
                        requests
                    {
                        *chosen = (*chosen + 1) % words.len().max(1);
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
