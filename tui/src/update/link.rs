//! Losing the gateway, finding it again, and saying truthfully in between how old the data is.
//!
//! Order after a loss: subscribe first, then ask for what is on the screen, and only when that is
//! answered take the badge away. Asking first would miss what changes in between.

use jiff::SignedDuration;

use super::{Effects, browse, detail};
use crate::effect::{Effect, RequestId};
use crate::graphql::{Environment, EventScope, Follow, OrganizationId, Query, Wallet};
use crate::model::detail::REFETCH;
use crate::model::link::LinkState;
use crate::model::tree::RowKey;
use crate::model::{Model, Purpose};
use crate::msg::Live;

/// How long a catch-up that failed waits before the next.
const CATCH_UP_AGAIN: SignedDuration = SignedDuration::from_secs(5);
/// Refused streams that are remembered.
const REFUSED_MAX: usize = 100;

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
        Live::Wallets(wallets) => {
            if take_wallets(model, &wallets) {
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
            model.link.subscription = None;
            model.link.refused.clear();
            subscribe_to_what_is_shown(model, effects);
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
            if let Some((current, follow)) = model.link.subscription.take() {
                if current == subscription {
                    model.link.refused.push((follow, errors));
                    if model.link.refused.len() > REFUSED_MAX {
                        model.link.refused.remove(0);
                    }
                } else {
                    model.link.subscription = Some((current, follow));
                }
            }
        }
        Live::Lost { reason, attempt, heard_at, retry_at } => {
            model.link.state = LinkState::Lost { reason, attempt, retry_at };
            model.link.stale_from(heard_at);
            model.link.subscription = None;
        }
        Live::Refused { code, reason } => {
            model.link.state = LinkState::Refused { code, reason };
            model.link.stale_from(model.now);
            model.link.subscription = None;
        }
    }
    effects.draw();
}

/// Takes wallets in by id; says whether anything on the screen changed.
fn take_wallets(model: &mut Model, wallets: &[Wallet]) -> bool {
    let mut changed = false;
    let payers: Vec<OrganizationId> = model.tree.path().into_iter().cloned().collect();
    for wallet in wallets {
        let id = &wallet.organization.id;
        // The summary in a row counts live credits, whatever the key's own environment is.
        if wallet.environment == Environment::Live
            && let Some(row) = model.organizations.get_mut(id)
            && row.summary.available.is_some_and(|available| available != wallet.available)
        {
            row.summary.available = Some(wallet.available);
            let window = model.tree.window(model.measured.tree_rows);
            changed |= window.iter().any(|row| matches!(&row.key, RowKey::Organization(shown) if shown == id));
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
        let ids = browse::rows_on_screen(model);
        if !ids.is_empty() {
            let purpose = Purpose::Rows { ids: ids.clone() };
            asked.push(effects.ask(model, purpose, Query::Rows { ids }));
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

/// Follows the wallets of the whole tree around the cursor, so that its rows and every possible
/// payer stay live; of the chosen organization alone where the whole tree is refused.
pub fn subscribe_to_what_is_shown(model: &mut Model, effects: &mut Effects) {
    if !model.link.is_live() {
        return;
    }
    let path = model.tree.path();
    let (Some(root), Some(chosen)) = (path.first(), model.tree.chosen()) else { return };
    let environment = model.environment();
    let whole = Follow { organization: (*root).clone(), scope: EventScope::Subtree, environment: environment.clone() };
    let alone = Follow { organization: chosen.clone(), scope: EventScope::Own, environment };
    let allowed = |follow: &Follow| !model.link.refused.iter().any(|(refused, _)| refused == follow);
    let wanted = [whole, alone].into_iter().find(allowed);
    if model.link.subscription.as_ref().map(|(_, follow)| follow) == wanted.as_ref() {
        return;
    }
    if let Some((subscription, _)) = model.link.subscription.take() {
        effects.push(Effect::Unsubscribe { subscription });
    }
    if let Some(follow) = wanted {
        let subscription = model.ids.subscription();
        model.link.subscription = Some((subscription, follow.clone()));
        effects.push(Effect::Subscribe { subscription, follow });
        // What was read before the stream began may have changed since.
        model.detail.plan(model.now, REFETCH);
    }
}
