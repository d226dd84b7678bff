//! Losing the gateway, finding it again, and saying truthfully in between how old the data is.
//!
//! Order after a loss: subscribe first, then ask for what is on the screen, and only when that is
//! answered take the badge away. Asking first would miss what changes in between.

use jiff::SignedDuration;

use super::{Effects, browse, detail, follow};
use crate::effect::{Effect, RequestId};
use crate::graphql::Query;
use crate::model::link::LinkState;
use crate::model::{Model, Purpose};
use crate::msg::Live;

/// How long a catch-up that failed waits before the next.
const CATCH_UP_AGAIN: SignedDuration = SignedDuration::from_secs(5);

pub fn start(model: &mut Model, effects: &mut Effects) {
    effects.draw();
    if !model.settings.has_key {
        return;
    }
    model.link.state = LinkState::Connecting;
    effects.push(Effect::Connect);
    effects.ask(model, Purpose::Viewer, Query::Viewer);
}

pub fn live(model: &mut Model, live: Live, effects: &mut Effects) {
    match live {
        Live::Wallets(_) | Live::Events { .. } if model.frozen.is_some() => {
            return follow::hold_back(model, &live, effects);
        }
        Live::Wallets(wallets) => {
            if follow::take_wallets(model, &wallets) {
                effects.draw();
            }
            return;
        }
        // What an event changes is drawn when the answer about it comes.
        Live::Events { subscription, events } => {
            if follow::take_events(model, subscription, &events) {
                effects.draw();
            }
            return;
        }
        Live::Connecting => {
            if !matches!(model.link.state, LinkState::Lost { .. }) {
                model.link.state = LinkState::Connecting;
            }
        }
        Live::Ready => {
            model.link.state = LinkState::Live;
            model.link.subscriptions.clear();
            model.link.refused.clear();
            follow::what_is_shown(model, effects);
            if model.link.stale_since.is_some() || model.viewer.is_none() {
                catch_up(model, effects);
            }
            super::act::resend_now(model, effects);
        }
        Live::Lagged => {
            model.link.stale_from(model.now);
            catch_up(model, effects);
        }
        Live::SubscriptionRefused { subscription, errors } => {
            follow::ended(model, subscription, errors, effects);
        }
        Live::Lost { reason, attempt, heard_at, retry_at } => {
            model.link.state = LinkState::Lost { reason, attempt, retry_at };
            model.link.stale_from(heard_at);
            model.link.subscriptions.clear();
        }
        Live::Refused { code, reason } => {
            model.link.state = LinkState::Refused { code, reason };
            model.link.stale_from(model.now);
            model.link.subscriptions.clear();
        }
    }
    effects.draw();
}

/// Somebody asks again. A refusal stands until then: the key may have been of a suspended
/// organization that is resumed by now. What was lost would be tried anyway, but not at once.
pub fn knock_again(model: &mut Model, effects: &mut Effects) {
    match model.link.state {
        LinkState::Refused { .. } => {
            model.link.state = LinkState::Connecting;
            effects.push(Effect::Connect);
        }
        LinkState::Lost { .. } => effects.push(Effect::Connect),
        LinkState::WithoutKey | LinkState::Connecting | LinkState::Live => {}
    }
}

/// Asks again for everything on the screen.
pub fn catch_up(model: &mut Model, effects: &mut Effects) {
    model.link.catch_up_at = None;
    model.link.caught_up_to = model.now;
    let mut asked = Vec::new();
    if model.viewer.is_none() {
        if !model.pending.values().any(|purpose| *purpose == Purpose::Viewer) {
            asked.push(effects.ask(model, Purpose::Viewer, Query::Viewer));
        }
    } else {
        if model.tree.rows().is_empty() || model.tree.branch(None).is_some_and(|b| b.failure.is_some()) {
            browse::reload(model, None, effects);
        }
        asked.extend(read_branches_again(model, effects));
        // The rows that are scrolled out of sight are asked for when they come back.
        model.doubt.add(model.organizations.keys().cloned());
        let ids = browse::rows_on_screen(model);
        if !ids.is_empty() {
            let purpose = Purpose::Rows { ids: ids.clone() };
            let request = effects.ask(model, purpose, Query::Rows { ids });
            model.doubt.ask(request, model.now);
            asked.push(request);
        }
        if let Some(list) = model.places.list_mut() {
            list.asked = None;
            list.refreshing = None;
            super::list::reload(model, effects);
            let list = model.places.list();
            asked.extend(list.and_then(|list| list.asked.as_ref()).map(|(request, _)| *request));
        }
        model.detail.asked = None;
        detail::ask(model, effects);
        asked.extend(model.detail.asked);
    }
    model.link.catching_up = asked.into_iter().collect();
    if model.link.catching_up.is_empty() {
        all_caught_up(model);
    }
}

/// The stream of events goes on behind the last one that was heard, and tells what was made meanwhile. When none was heard
/// yet, the branches on the screen are read again instead.
fn read_branches_again(model: &mut Model, effects: &mut Effects) -> Vec<RequestId> {
    let path = model.tree.path();
    if path.first().is_none_or(|root| model.link.cursors.contains_key(*root)) {
        return Vec::new();
    }
    let mut asked = Vec::new();
    for parent in browse::parents_on_screen(model) {
        browse::reload(model, Some(&parent), effects);
        asked.extend(model.tree.branch(Some(&parent)).and_then(|branch| branch.loading));
    }
    asked
}

pub fn catch_up_later(model: &mut Model) {
    model.link.catch_up_at = model.now.checked_add(CATCH_UP_AGAIN).ok();
}

/// Notes that a request of the catch-up came back.
pub fn caught_up(model: &mut Model, request: RequestId, failed: bool) {
    if !model.link.catching_up.remove(&request) {
        return;
    }
    if failed {
        model.link.catching_up.clear();
        catch_up_later(model);
    } else if model.link.catching_up.is_empty() {
        all_caught_up(model);
    }
}

fn all_caught_up(model: &mut Model) {
    // Without the live connection the data is right as of the asking, and ages from there.
    model.link.stale_since = match model.link.is_live() {
        true => None,
        false => model.link.stale_since.map(|_| model.link.caught_up_to),
    };
}
