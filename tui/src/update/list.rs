//! Lists: opening them, moving in them, reading what is near the cursor, and hearing of changes.

use jiff::SignedDuration;

use super::{Effects, find};
use crate::command::Step;
use crate::effect::{Copied, Effect, RequestId};
use crate::graphql::{Answer, Event, Failure, OrganizationId, Query};
use crate::model::detail::REFETCH;
use crate::model::list::List;
use crate::model::place::Place;
use crate::model::{Model, Overlay, Purpose};
use crate::resource::{Filter, Order, Resource, ResourceId, Slice, Within, record_of_event};

/// Between two looks at records that change without news of it.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(2);

/// Opens a list of the organization, or of the record, that the present place is about.
pub fn show(model: &mut Model, id: ResourceId, filter: Filter, effects: &mut Effects) {
    let resource = id.spec();
    let mut holder = None;
    let organization = match resource.within {
        // Everything in sight for the operator; below its own organization for a key.
        Within::Everything => None,
        Within::Organization => match model.focus() {
            None => return model.notify(format!("Choose an organization first, for its {}", resource.name), false),
            focus => focus,
        },
        Within::Record(of) => match holder_in_sight(model, resource.id, of) {
            None => {
                let of = of.spec();
                let kind = of.kind.map_or("record", crate::act::Kind::word);
                let words = format!("Choose an {kind} first, for its {}: they stand in :{}", resource.name, of.name);
                return model.notify(words, false);
            }
            chosen => {
                holder = chosen;
                holder.as_ref().map(|holder| holder.organization.clone())
            }
        },
    };
    // The same list again is another filter of it, not another place.
    let same = model
        .places
        .list()
        .is_some_and(|here| here.resource == resource && here.organization == organization && here.holder == holder);
    let mut list = Box::new(List::new(resource, organization, filter));
    list.holder = holder;
    match same {
        true => model.places.here = Place::List(list),
        false => model.places.go(Place::List(list)),
    }
    ask_count(model, effects);
}

/// What a list of records within a record would be of: the one under the cursor, or the one it is of already.
fn holder_in_sight(model: &Model, within: ResourceId, of: ResourceId) -> Option<crate::act::Pinned> {
    let here = model.places.list()?;
    if here.resource.id == within {
        return here.holder.clone();
    }
    let kind = here.resource.kind.filter(|_| here.resource.id == of)?;
    here.chosen().map(|record| record.pinned(kind, here.organization.as_ref()))
}

/// Asks how many there are, beside the first page and not before it.
fn ask_count(model: &mut Model, effects: &mut Effects) {
    let environment = model.environment();
    let Some(list) = model.places.list() else { return };
    let Some(page) = list.resource.page.filter(|_| list.resource.id != ResourceId::Wallet) else { return };
    let request = page(&list.ask(environment, Slice::Count));
    let counting = effects.ask(model, Purpose::Page { slice: Slice::Count }, Query::Of(request));
    if let Some(list) = model.places.list_mut() {
        list.counting = Some(counting);
    }
}

fn ask(model: &mut Model, slice: Slice, effects: &mut Effects) {
    let (environment, now) = (model.environment(), model.now);
    let Some(list) = model.places.list() else { return };
    let Some(page) = list.resource.page else { return };
    let request = page(&list.ask(environment, slice.clone()));
    let request = effects.ask(model, Purpose::Page { slice: slice.clone() }, Query::Of(request));
    if let Some(list) = model.places.list_mut() {
        list.asked = Some((request, slice));
        list.asked_at = Some(now);
    }
}

/// Asks for whatever is near the cursor and not here yet.
pub fn settle(model: &mut Model, effects: &mut Effects) {
    let rows = model.measured.list_rows;
    let Some(list) = model.places.list_mut() else { return };
    list.scroll(rows);
    if list.asked.is_none()
        && list.failure.is_none()
        && let Some(slice) = list.wanted()
    {
        ask(model, slice, effects);
    }
    look_again(model);
}

/// Plans a look at records on the screen of which no news comes.
fn look_again(model: &mut Model) {
    let (rows, is_live, now) = (model.measured.list_rows, model.link.is_live() && model.frozen.is_none(), model.now);
    let Some(list) = model.places.list_mut() else { return };
    if list.ask_at.is_some() || list.asked.is_some() || list.refreshing.is_some() || !is_live {
        return;
    }
    let rested = list.asked_at.unwrap_or(now).checked_add(LOOK_AGAIN).ok();
    list.ask_at = list.stirs_at(rows).map(|at| rested.map_or(at, |rested| rested.max(at)));
}

/// Reads what is on the screen again.
pub fn reload(model: &mut Model, effects: &mut Effects) {
    let Some(list) = model.places.list_mut() else { return };
    list.failure = None;
    list.changes = 0;
    list.ask_at = None;
    list.walk_on();
    if list.asked.is_some() {
        return;
    }
    let slice = if list.following { Slice::First } else { list.around() };
    ask(model, slice, effects);
    ask_count(model, effects);
}

/// A list that was left hears nothing and misses its answers, so it is read again when it is come
/// back to.
pub fn come_back(model: &mut Model, effects: &mut Effects) {
    if let Some(list) = model.places.list_mut() {
        list.asked = None;
        list.refreshing = None;
        list.counting = None;
        if list.resource.page.is_some() {
            reload(model, effects);
        }
    }
}

pub fn answered(model: &mut Model, request: RequestId, slice: &Slice, answer: Result<Answer, Failure>) {
    let Some(list) = model.places.list_mut() else { return };
    if list.counting == Some(request) {
        list.counting = None;
        if let Ok(Answer::List(Some(page), _)) = answer {
            list.total = page.total.and_then(|total| usize::try_from(total).ok());
        }
        return;
    }
    if list.asked.as_ref().is_none_or(|(asked, _)| *asked != request) {
        return;
    }
    list.asked = None;
    match answer {
        Ok(Answer::List(Some(page), errors)) => {
            list.errors = errors;
            list.take(slice, page);
            if list.following {
                list.move_to(0);
            }
        }
        Ok(Answer::List(None, errors)) => {
            list.failure = Some(match errors.is_empty() {
                true => "the gateway shows nothing here".to_owned(),
                false => Failure::Errors(errors).to_string(),
            });
        }
        Ok(_) => {}
        Err(failure) => list.failure = Some(failure.to_string()),
    }
}

/// Reads the records on the screen again, each in its place.
pub fn refresh(model: &mut Model, effects: &mut Effects) {
    let (rows, now) = (model.measured.list_rows, model.now);
    let Some(list) = model.places.list_mut() else { return };
    list.ask_at = None;
    // A wallet has few buckets and nobody orders them: it is read whole.
    let whole = list.following || list.resource.id == ResourceId::Wallet;
    if whole && list.resource.page.is_some() {
        if list.asked.is_none() {
            list.changes = 0;
            ask(model, Slice::First, effects);
        }
        return;
    }
    let Some(refresh) = list.resource.refresh else { return };
    let ids: Vec<String> = list.on_screen(rows).map(|record| record.id.clone()).collect();
    if ids.is_empty() || list.refreshing.is_some() {
        return;
    }
    list.asked_at = Some(now);
    let request = effects.ask(model, Purpose::Records { ids: ids.clone() }, Query::Of(refresh(&ids)));
    if let Some(list) = model.places.list_mut() {
        list.refreshing = Some(request);
    }
}

pub fn records_answered(model: &mut Model, request: RequestId, ids: &[String], answer: Result<Answer, Failure>) {
    let Some(list) = model.places.list_mut() else { return };
    if list.refreshing != Some(request) {
        return;
    }
    list.refreshing = None;
    if let Ok(Answer::Records(records)) = answer {
        list.patch(ids, records);
    }
}

/// Events that touch the open list; says whether the screen changed.
pub fn heard(model: &mut Model, events: &[Event]) -> bool {
    let now = model.now;
    let Some(list) = model.places.list_mut() else { return false };
    if list.resource.page.is_none() {
        let filter = list.filter.clone();
        return list.push_front(events.iter().map(record_of_event).filter(|record| filter.admits(record)));
    }
    if list.resource.id != ResourceId::Wallet {
        list.changes +=
            events.iter().filter(|event| list.resource.refresh.is_none() || is_of_more_or_less(event)).count();
    }
    plan(list, now);
    !events.is_empty()
}

/// Events of a list that is only streamed, while the screen is held still. Of other lists nothing is kept: they are read.
pub fn hold(model: &mut Model, events: &[Event]) {
    let Some(list) = model.places.list_mut().filter(|list| list.resource.page.is_none()) else { return };
    for record in events.iter().map(record_of_event) {
        if list.filter.admits(&record) {
            list.hold(record);
        }
    }
}

/// The screen goes on.
pub fn release(model: &mut Model, effects: &mut Effects) {
    if let Some(list) = model.places.list_mut() {
        list.release();
    }
    reload(model, effects);
}

/// True when a list has one record more, or one less, for an event; the others change one in its place.
fn is_of_more_or_less(event: &Event) -> bool {
    const MORE_OR_LESS: [&str; 8] =
        ["created", "added", "removed", "deleted", "rotated", "held", "charged", "archived"];
    event.kind.rsplit('.').next().is_some_and(|last| MORE_OR_LESS.contains(&last))
}

/// Changes come in bursts; what is on the screen is read again at most every so often.
fn plan(list: &mut List, now: jiff::Timestamp) {
    let rests_until = list.asked_at.and_then(|asked| asked.checked_add(REFETCH).ok());
    let wait = rests_until.map_or(SignedDuration::ZERO, |until| until.duration_since(now)).max(SignedDuration::ZERO);
    let at = now.checked_add(wait).unwrap_or(now);
    list.ask_at = Some(list.ask_at.map_or(at, |planned| planned.min(at)));
}

/// After an act of this console's own, what it changed is looked at.
pub fn after_act(model: &mut Model, effects: &mut Effects) {
    if let Some(list) = model.places.list_mut() {
        list.marks.clear();
        reload(model, effects);
    }
}

pub fn run(model: &mut Model, step: Step, effects: &mut Effects) {
    let page = model.measured.list_rows.saturating_sub(1).max(1);
    match step {
        Step::Up => move_by(model, false, 1),
        Step::Down => move_by(model, true, 1),
        Step::PageUp => move_by(model, false, page),
        Step::PageDown => move_by(model, true, page),
        Step::Top => jump(model, Slice::First, effects),
        Step::Bottom => jump(model, Slice::Last, effects),
        Step::Open => open(model, effects),
        Step::Mark => mark(model),
        Step::MarkAll => mark_all(model),
        Step::Apply => reload(model, effects),
        Step::Follow => {
            let Some(list) = model.places.list_mut() else { return };
            list.following = !list.following;
            if list.following {
                match list.resource.page {
                    Some(_) => jump(model, Slice::First, effects),
                    None => list.move_to(0),
                }
            }
        }
        Step::Order => order(model, false, effects),
        Step::Reverse => order(model, true, effects),
        Step::CopyId => {
            if let Some(id) = model.places.list().and_then(List::chosen).map(|record| record.id.clone()) {
                copy_id(model, id, effects);
            }
        }
        _ => {}
    }
}

pub fn copy_id(model: &mut Model, id: String, effects: &mut Effects) {
    model.notify(format!("Sent {id} to the terminal's clipboard (OSC 52)"), false);
    effects.push(Effect::Copy(Copied::Id(id)));
}

/// What the list asks, or the open record of it, as GraphQL.
pub fn as_graphql(model: &Model) -> Option<String> {
    if let Overlay::Record(Resource { whole: Some(whole), .. }, record) = &model.overlay {
        return Some(whole(&record.id).as_graphql());
    }
    let list = model.places.list()?;
    let page = list.resource.page?;
    Some(page(&list.ask(model.environment(), Slice::First)).as_graphql())
}

fn move_by(model: &mut Model, down: bool, distance: usize) {
    let Some(list) = model.places.list_mut() else { return };
    list.walk_on();
    let from = list.cursor_position().unwrap_or(0);
    let to = if down { from.saturating_add(distance) } else { from.saturating_sub(distance) };
    // Whoever moves away from the newest record wants to look at another one.
    list.following &= to == 0 && list.resource.page.is_none();
    list.move_to(to);
}

/// Puts the cursor on a record by its id; false when it is not there.
pub fn choose(model: &mut Model, id: &str) -> bool {
    let Some(list) = model.places.list_mut() else { return false };
    let Some(at) = list.position(id) else { return false };
    list.walk_on();
    list.following &= at == 0 && list.resource.page.is_none();
    list.move_to(at);
    true
}

pub fn scroll_by(model: &mut Model, down: bool, lines: usize) {
    let rows = model.measured.list_rows;
    let Some(list) = model.places.list_mut() else { return };
    list.walk_on();
    list.scroll_by(down, lines, rows);
    list.following &= list.top == 0 && list.resource.page.is_none();
}

fn jump(model: &mut Model, slice: Slice, effects: &mut Effects) {
    let Some(list) = model.places.list_mut() else { return };
    list.walk_on();
    let (here, at) = match slice {
        Slice::Last => (list.is_at_end(), list.len().saturating_sub(1)),
        _ => (list.is_at_start(), 0),
    };
    list.following &= at == 0;
    if here {
        return list.move_to(at);
    }
    if list.asked.is_none() {
        // Whatever is kept is far from there.
        list.cursor = None;
        ask(model, slice, effects);
    }
}

fn open(model: &mut Model, effects: &mut Effects) {
    let Some(list) = model.places.list() else { return };
    let Some(record) = list.chosen().cloned() else { return };
    if list.resource.id == ResourceId::Organizations {
        return find::jump(model, OrganizationId::new(&record.id), effects);
    }
    let (resource, id) = (list.resource, record.id.clone());
    model.help_scroll = 0;
    model.overlay = Overlay::Record(resource, Box::new(record));
    ask_whole(model, id, effects);
}

/// Asks for what the list leaves out of the record that is open, where it leaves anything out.
fn ask_whole(model: &mut Model, id: String, effects: &mut Effects) {
    let Overlay::Record(resource, _) = &model.overlay else { return };
    if let Some(whole) = resource.whole {
        effects.ask(model, Purpose::Whole { id: id.clone() }, Query::Of(whole(&id)));
    }
}

/// Reads the open record again.
pub fn reread(model: &mut Model, effects: &mut Effects) {
    let Overlay::Record(resource, record) = &model.overlay else { return };
    let id = record.id.clone();
    match (resource.whole, resource.refresh) {
        (Some(_), _) => ask_whole(model, id, effects),
        (None, Some(refresh)) => {
            let request = refresh(std::slice::from_ref(&id));
            effects.ask(model, Purpose::Whole { id }, Query::Of(request));
        }
        (None, None) => model.notify("It is shown as it was read; close it and r reads the list again", false),
    }
}

pub fn whole_answered(model: &mut Model, id: &str, answer: Result<Answer, Failure>) {
    let Overlay::Record(_, shown) = &mut model.overlay else { return };
    if shown.id != id {
        return;
    }
    match answer {
        Ok(Answer::Records(mut records)) => match records.pop().flatten() {
            Some(record) if record.id == id => **shown = record,
            _ => model.notify("It is no longer there", true),
        },
        Ok(_) => {}
        Err(failure) => model.notify(format!("The rest of it could not be read: {failure}"), true),
    }
}

fn mark(model: &mut Model) {
    let Some(list) = model.places.list_mut() else { return };
    let Some(kind) = list.resource.kind else {
        return model.notify("There is no act on these, so nothing to mark them for", false);
    };
    let Some(record) = list.chosen().cloned() else { return };
    if list.marks.remove(&record.id).is_none() {
        let pinned = record.pinned(kind, list.organization.as_ref());
        list.marks.insert(record.id.clone(), pinned);
    }
    let next = list.cursor_position().map_or(0, |at| at + 1);
    list.move_to(next);
}

fn mark_all(model: &mut Model) {
    let Some(list) = model.places.list_mut() else { return };
    let Some(kind) = list.resource.kind else { return };
    if !list.marks.is_empty() {
        return list.marks.clear();
    }
    let organization = list.organization.clone();
    let pinned: Vec<_> = list.records().iter().map(|record| record.pinned(kind, organization.as_ref())).collect();
    list.marks = pinned.into_iter().map(|pinned| (pinned.id.clone(), pinned)).collect();
}

fn order(model: &mut Model, reverse: bool, effects: &mut Effects) {
    let Some(list) = model.places.list_mut() else { return };
    let Some(order) = list.order else {
        let name = list.resource.name;
        return model.notify(format!("The gateway has one order of {name}"), false);
    };
    let orders = list.resource.orders;
    let at = orders.iter().position(|field| *field == order.field).unwrap_or(0);
    list.order = Some(match reverse {
        true => Order { descending: !order.descending, ..order },
        false => {
            let field = orders[(at + 1) % orders.len()];
            // Of amounts and dates the greatest is looked for, of names the first.
            Order { field, descending: field != "name" }
        }
    });
    list.cursor = None;
    list.asked = None;
    ask(model, Slice::First, effects);
}

/// Narrows the open list. Marks stay: they are of records, not of what is shown.
pub fn narrow(model: &mut Model, filter: Filter, effects: &mut Effects) {
    let Some(list) = model.places.list_mut() else { return };
    list.filter = filter;
    list.asked = None;
    list.cursor = None;
    list.total = None;
    list.walk_on();
    ask(model, Slice::First, effects);
    ask_count(model, effects);
}
