//! Choosing the columns of a list. The choice is the console's own and lasts as long as it runs.

use crate::command::Step;
use crate::model::Model;
use crate::model::Overlay;

pub fn open(model: &mut Model) {
    if let Some(list) = model.places.list() {
        model.overlay = Overlay::Columns(list.resource, 0);
    }
}

pub fn run(model: &mut Model, step: Step) {
    let Overlay::Columns(resource, at) = &mut model.overlay else { return };
    let columns = (resource.columns)();
    let hidden = model.hidden.entry(resource.name).or_default();
    match step {
        Step::Up => *at = at.saturating_sub(1),
        Step::Down => *at = (*at + 1).min(columns.len().saturating_sub(1)),
        Step::MarkAll => hidden.clear(),
        Step::Mark => {
            let Some(column) = columns.get(*at) else { return };
            let is_last = columns.iter().filter(|column| !hidden.contains(column.title)).count() == 1;
            if !hidden.remove(column.title) && !is_last {
                hidden.insert(column.title);
            }
        }
        _ => {}
    }
}
