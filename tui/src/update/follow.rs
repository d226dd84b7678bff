//! Following what is on the screen, and taking in the news.
//!
//! Wallets bring their own figures. An event only says that something is no longer as it was: the
//! rows it touches are put in doubt, and whoever is on the screen is asked for anew.

use super::Effects;
use crate::credits::Credits;
use crate::effect::{Effect, SubscriptionId};
use crate::graphql::scalar::ErrorCode;
use crate::graphql::{Environment, Event, EventScope, FieldError, Follow, OrganizationId, Query, Topic, Wallet};
use crate::model::detail::REFETCH;
use crate::model::list::List;
use crate::model::tree::RowKey;
use crate::model::{Model, Purpose};
use crate::msg::Live;
use crate::resource::ResourceId;

/// Refused streams that are remembered.
const REFUSED_MAX: usize = 100;

/// Follows the wallets and the events of the whole tree around the cursor, so that its rows and
/// every possible payer stay live; of the chosen organization alone where the whole tree is refused.
pub fn what_is_shown(model: &mut Model, effects: &mut Effects) {
    if !model.link.is_live() {
        return;
    }
    let refused = |follow: &Follow| model.link.refused.iter().any(|(refused, _)| refused == follow);
    // The whole tree where that is allowed, and otherwise the organization alone.
    let widest = |whole: &OrganizationId, alone: &OrganizationId, topic: Topic| {
        let whole = Follow { organization: whole.clone(), scope: EventScope::Subtree, topic: topic.clone() };
        let alone = Follow { organization: alone.clone(), scope: EventScope::Own, topic };
        [whole, alone].into_iter().find(|follow| !refused(follow))
    };
    let path = model.tree.path();
    let mut wanted: Vec<Follow> = Vec::new();
    if let (Some(root), Some(chosen)) = (path.first(), model.tree.chosen()) {
        wanted.extend(widest(root, chosen, Topic::Wallets { environment: model.environment() }));
        wanted.extend(widest(root, chosen, Topic::Events));
    }
    if let Some(list) = model.places.list().filter(|list| !list.resource.events.is_empty())
        && let Some(of) = followed_by(model, list)
    {
        let types = list.resource.events.iter().map(|kind| (*kind).to_owned()).collect();
        wanted.extend(widest(&of, &of, Topic::List { types }));
    }
    let (kept, dropped): (Vec<_>, Vec<_>) =
        std::mem::take(&mut model.link.subscriptions).into_iter().partition(|(_, follow)| wanted.contains(follow));
    model.link.subscriptions = kept;
    for (subscription, _) in dropped {
        effects.push(Effect::Unsubscribe { subscription });
    }
    let mut turned = None;
    for follow in wanted {
        if model.link.subscriptions.iter().any(|(_, current)| *current == follow) {
            continue;
        }
        let subscription = model.ids.subscription();
        let after = match follow.topic {
            Topic::Events => model.link.cursors.get(&follow.organization).cloned(),
            // A list is read when its stream begins; one that is nothing but the stream goes on where it ended.
            Topic::List { .. } => model.places.list().and_then(List::heard_up_to),
            Topic::Wallets { .. } => None,
        };
        if !matches!(follow.topic, Topic::List { .. }) {
            turned = Some(follow.organization.clone());
        }
        model.link.subscriptions.push((subscription, follow.clone()));
        effects.push(Effect::Subscribe { subscription, follow, after });
    }
    // What was read before the stream began may have changed since.
    if let Some(organization) = turned {
        doubt_tree(model, &organization);
        model.detail.plan(model.now, REFETCH);
    }
}

/// Whose news an open list hears: its organization's. In a list of organizations, that of the one that
/// the cursor rests on, so that running down a list opens no streams.
fn followed_by(model: &Model, list: &List) -> Option<OrganizationId> {
    match list.resource.id {
        ResourceId::Organizations => model.detail.shown().map(|shown| shown.id.clone()),
        _ => list.organization_id().cloned(),
    }
}

/// Puts an organization and everything known below it in doubt. What is not kept is read when it comes near.
fn doubt_tree(model: &mut Model, organization: &OrganizationId) {
    if model.organizations.contains_key(organization) {
        model.doubt.add(model.tree.subtree(organization));
    }
}

/// Takes wallets in by id; says whether anything on the screen changed.
pub fn take_wallets(model: &mut Model, wallets: &[Wallet]) -> bool {
    let mut changed = false;
    let payers: Vec<OrganizationId> = model.tree.path().into_iter().cloned().collect();
    let rows_are_asked = model.pending.values().any(Purpose::brings_rows);
    for wallet in wallets {
        let id = &wallet.organization.id;
        // The summary in a row counts live credits, whatever the key's own environment is.
        if wallet.environment == Environment::Live {
            if rows_are_asked {
                model.doubt.moved.insert(id.clone(), wallet.available);
            }
            changed |= take_available(model, id, wallet.available);
        }
        let newer = model.detail.patch_wallet(wallet);
        changed |= newer && model.detail.shown().is_some_and(|shown| shown.id == *id);
        // An ancestor may be the one who pays, so its wallet moves what the chosen one can spend.
        if payers.contains(id) {
            model.detail.plan(model.now, REFETCH);
        }
    }
    changed
}

fn take_available(model: &mut Model, id: &OrganizationId, available: Credits) -> bool {
    let Some(row) = model.organizations.get_mut(id) else { return false };
    if row.summary.available.is_none_or(|shown| shown == available) {
        return false;
    }
    row.summary.available = Some(available);
    let window = model.tree.window(model.measured.tree_rows);
    window.iter().any(|row| matches!(&row.key, RowKey::Organization(shown) if shown == id))
}

/// Takes events in; says whether the screen changed at once. What an event changes in the tree is
/// drawn when the answer about it comes.
pub fn take_events(model: &mut Model, subscription: SubscriptionId, events: &[Event]) -> bool {
    let Some(follow) = model.link.followed(subscription).cloned() else { return false };
    if let Some(last) = events.last() {
        hear_up_to(model, &follow, last);
    }
    if matches!(follow.topic, Topic::List { .. }) {
        return super::list::heard(model, events);
    }
    for event in events {
        let id = &event.organization_id;
        if !event.is_about_a_key() {
            doubt_tree(model, id);
        }
        if event.is_about_a_move() {
            model.tree.remove(std::slice::from_ref(id));
        }
        if event.is_about_an_arrival()
            && let Some(parent) = &event.data.parent_organization_id()
        {
            arrived(model, id, parent);
        }
        if model.tree.path().contains(&id) {
            model.detail.plan_soon(model.now);
        }
    }
    false
}

fn hear_up_to(model: &mut Model, follow: &Follow, last: &Event) {
    if follow.topic == Topic::Events {
        model.link.cursors.insert(follow.organization.clone(), last.cursor.clone());
    }
}

/// While the screen is held still, news is only counted: it is read again afterwards.
pub fn hold_back(model: &mut Model, live: &Live, effects: &mut Effects) {
    let count = match live {
        Live::Wallets(wallets) => wallets.len(),
        Live::Events { subscription, events } => {
            if let (Some(follow), Some(last)) = (model.link.followed(*subscription).cloned(), events.last()) {
                hear_up_to(model, &follow, last);
                if matches!(follow.topic, Topic::List { .. }) {
                    super::list::hold(model, events);
                }
            }
            events.len()
        }
        _ => 0,
    };
    if let Some(frozen) = &mut model.frozen {
        frozen.changes += count;
        effects.draw();
    }
}

/// A new organization gets a row where all of its siblings have theirs; elsewhere it is found when its
/// part of the branch is read.
fn arrived(model: &mut Model, id: &OrganizationId, parent: &OrganizationId) {
    if model.organizations.contains_key(parent) {
        model.doubt.add([parent.clone()]);
    }
    let branch = model.tree.branch(Some(parent));
    let is_shown = branch.is_some_and(|branch| branch.is_whole() && !branch.has(id));
    if is_shown && !model.doubt.arrived.contains(id) {
        model.doubt.arrived.push(id.clone());
    }
}

/// Asks for the rows on the screen that are in doubt: at once, and then every so often.
pub fn ask_what_is_in_doubt(model: &mut Model, effects: &mut Effects) {
    model.doubt.ask_at = None;
    if model.doubt.is_empty() || model.doubt.asked.is_some() || !model.link.is_live() {
        return;
    }
    let mut ids = super::browse::rows_on_screen(model);
    ids.retain(|id| model.doubt.holds(id));
    let room = crate::graphql::query::REFRESHED_ROWS_MAX.saturating_sub(ids.len());
    ids.extend(model.doubt.arrived.iter().take(room).cloned());
    if ids.is_empty() {
        return;
    }
    match model.doubt.rests_until() {
        Some(until) if until > model.now => model.doubt.ask_at = Some(until),
        _ => {
            let purpose = Purpose::Rows { ids: ids.clone() };
            let request = effects.ask(model, purpose, Query::Rows { ids });
            model.doubt.ask(request, model.now);
        }
    }
}

/// The gateway ended a stream. One that was read too slowly may be opened again; one that is
/// refused is remembered, so as not to ask for it again and again.
pub fn ended(model: &mut Model, subscription: SubscriptionId, errors: Vec<FieldError>, effects: &mut Effects) {
    let Some(at) = model.link.subscriptions.iter().position(|(id, _)| *id == subscription) else { return };
    let (_, follow) = model.link.subscriptions.remove(at);
    if errors.iter().any(|error| error.code == Some(ErrorCode::SlowConsumer)) {
        model.link.stale_from(model.now);
        what_is_shown(model, effects);
        super::link::catch_up(model, effects);
        return;
    }
    model.link.refused.push((follow, errors));
    if model.link.refused.len() > REFUSED_MAX {
        model.link.refused.remove(0);
    }
}
