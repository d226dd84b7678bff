//! The mouse: a click selects what was drawn under it, a second one opens it, the wheel scrolls what is under it.
//!
//! It never acts: no click reaches a dialog, and opening shows something and changes nothing.

use jiff::{SignedDuration, Timestamp};

use super::{Effects, browse, find, list};
use crate::command::Step;
use crate::model::place::Place;
use crate::model::spot::{Part, Pointed};
use crate::model::{Model, Overlay, Side};
use crate::msg::{Mouse, Pointing};

/// Two clicks on the same thing within this time open it.
const DOUBLE: SignedDuration = SignedDuration::from_millis(400);
/// Lines that a notch of the wheel is worth.
const NOTCH: usize = 3;

pub fn mouse(model: &mut Model, mouse: Mouse, effects: &mut Effects) {
    if !model.settings.mouse {
        return;
    }
    match mouse.does {
        Pointing::Pressed => pressed(model, mouse, effects),
        Pointing::WheelUp => wheel(model, mouse, false, effects),
        Pointing::WheelDown => wheel(model, mouse, true, effects),
    }
}

/// The part of the picture under the pointer, as long as nothing else lies over it.
fn part_at(model: &Model, mouse: Mouse) -> Option<Part> {
    let spot = model.measured.spots.iter().find(|spot| spot.has(mouse.column, mouse.row))?;
    let is_open = match (&model.overlay, &model.places.here) {
        (Overlay::None, Place::Tree) => matches!(spot.part, Part::Tree | Part::Detail),
        (Overlay::None, Place::List(_)) => spot.part == Part::List,
        (Overlay::Search(_), _) => spot.part == Part::Search,
        _ => false,
    };
    is_open.then_some(spot.part)
}

fn pressed(model: &mut Model, mouse: Mouse, effects: &mut Effects) {
    let Some(part) = part_at(model, mouse) else { return };
    let spots = model.measured.spots.iter().filter(|spot| spot.part == part);
    let pointed = spots.filter_map(|spot| spot.at(mouse.row)).next().cloned();
    effects.draw();
    match part {
        Part::Tree => model.side = Side::Tree,
        Part::Detail => model.side = Side::Detail,
        Part::List | Part::Search => {}
    }
    let Some(pointed) = pointed else { return };
    let again = is_second(model, &pointed);
    // What is no longer there is not replaced by what stands there now.
    if !select(model, &pointed) {
        return;
    }
    if !again {
        model.clicked = Some((model.now, pointed));
        return;
    }
    model.clicked = None;
    match &pointed {
        Pointed::Row(_) => {
            let is_open = model.tree.chosen().and_then(|id| model.tree.branch(Some(id))).is_some_and(|b| b.open);
            browse::run(model, if is_open { Step::Collapse } else { Step::Expand }, effects);
        }
        Pointed::Record(_) => list::run(model, Step::Open, effects),
        Pointed::Result(_) => find::choose(model, effects),
    }
}

fn is_second(model: &Model, pointed: &Pointed) -> bool {
    let is_soon = |at: &Timestamp| model.now.duration_since(*at) <= DOUBLE;
    model.clicked.as_ref().is_some_and(|(at, before)| before == pointed && is_soon(at))
}

/// Puts the cursor on what was pointed at; false when it is gone.
fn select(model: &mut Model, pointed: &Pointed) -> bool {
    match pointed {
        Pointed::Row(key) => {
            model.tree.choose(key);
            model.tree.cursor() == Some(key)
        }
        Pointed::Record(id) => list::choose(model, id),
        Pointed::Result(id) => match &mut model.overlay {
            Overlay::Search(search) if search.results.iter().any(|row| row.id == *id) => {
                search.cursor = Some(id.clone());
                true
            }
            _ => false,
        },
    }
}

fn wheel(model: &mut Model, mouse: Mouse, down: bool, effects: &mut Effects) {
    let text_hidden = model.measured.help_hidden;
    match &model.overlay {
        Overlay::None => {}
        Overlay::Help | Overlay::Record(..) => {
            let to = if down { model.help_scroll + NOTCH } else { model.help_scroll.saturating_sub(NOTCH) };
            model.help_scroll = to.min(text_hidden);
            return effects.draw();
        }
        Overlay::Search(_) | Overlay::Palette(_) => {
            find::move_cursor(model, down);
            return effects.draw();
        }
        Overlay::Filter(_) | Overlay::Columns(..) | Overlay::Dialog(_) | Overlay::Secret(_) => return,
    }
    let Some(part) = part_at(model, mouse) else { return };
    effects.draw();
    match part {
        Part::Tree => model.tree.scroll_by(down, NOTCH, model.measured.tree_rows),
        Part::List => list::scroll_by(model, down, NOTCH),
        Part::Detail => {
            let last = model.measured.detail_lines.saturating_sub(model.measured.detail_rows);
            let scroll = model.detail.scroll;
            let to = if down { scroll + NOTCH } else { scroll.saturating_sub(NOTCH) };
            model.detail.scroll = to.min(last);
        }
        Part::Search => {}
    }
}
