//! Who listens to a realm, found by what an event names rather than by asking everybody.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use entity::event;
use entity::id::OrganizationId;
use entity::kind::{Environment, EventScope};
use tokio::sync::{Notify, mpsc};

use crate::event::audience::{Audience, reaches};
use crate::event::catalogue;

/// Wallets that may wait for one stream to look at them.
const TOUCHED_MAX: usize = 10_000;

/// Whose wallets a stream is for.
#[derive(Clone, Copy, Debug)]
pub struct WalletAudience {
    pub audience: Audience,
    pub environment: Environment,
}

pub struct EventListener {
    pub scope: EventScope,
    /// Patterns; none means all.
    pub types: Arc<[String]>,
    pub queue: mpsc::Sender<Arc<event::Model>>,
}

impl EventListener {
    fn wants(&self, event_type: &str) -> bool {
        self.types.is_empty() || self.types.iter().any(|pattern| catalogue::matches(pattern, event_type))
    }
}

pub struct WalletListener {
    pub environment: Environment,
    pub touched: Arc<Touched>,
}

/// The wallets that changed since a stream last looked: each once, however often it changed.
#[derive(Default)]
pub struct Touched {
    wallets: Mutex<Waiting>,
    bell: Notify,
}

#[derive(Default)]
struct Waiting {
    ids: BTreeSet<OrganizationId>,
    is_overrun: bool,
}

impl Touched {
    fn add(&self, ids: impl IntoIterator<Item = OrganizationId>) {
        let mut waiting = self.wallets.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.ids.extend(ids);
        if waiting.ids.len() > TOUCHED_MAX {
            waiting.ids.clear();
            waiting.is_overrun = true;
        }
        drop(waiting);
        self.bell.notify_one();
    }

    pub async fn changed(&self) {
        self.bell.notified().await;
    }

    /// At most so many of those that wait; the others ring again. `None` when more waited than may.
    pub fn take(&self, most: usize) -> Option<BTreeSet<OrganizationId>> {
        let mut waiting = self.wallets.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.is_overrun {
            return None;
        }
        let rest = waiting.ids.iter().nth(most).copied().map(|first| waiting.ids.split_off(&first));
        let taken = std::mem::replace(&mut waiting.ids, rest.unwrap_or_default());
        if !waiting.ids.is_empty() {
            self.bell.notify_one();
        }
        Some(taken)
    }
}

/// Where a listener sits.
#[derive(Clone, Copy, Debug)]
pub struct Seat {
    number: u64,
    row: Row,
}

#[derive(Clone, Copy, Debug)]
enum Row {
    Events(OrganizationId),
    OwnWallet(OrganizationId),
    AnyWallet,
}

#[derive(Default)]
pub struct Listeners {
    /// By the organization whose events, or whose subtree's, are meant.
    events: HashMap<OrganizationId, HashMap<u64, EventListener>>,
    /// By the one organization whose wallet is meant.
    own_wallets: HashMap<OrganizationId, HashMap<u64, WalletListener>>,
    /// A wallet's owner need not be on the path of the event that names it, so these hear of every wallet of the realm.
    any_wallets: HashMap<u64, WalletListener>,
    seats: usize,
}

impl Listeners {
    pub fn len(&self) -> usize {
        self.seats
    }

    pub fn is_empty(&self) -> bool {
        self.seats == 0
    }

    pub fn add_event(&mut self, of: OrganizationId, number: u64, listener: EventListener) -> Seat {
        self.seats += 1;
        self.events.entry(of).or_default().insert(number, listener);
        Seat { number, row: Row::Events(of) }
    }

    /// Puts another listener on a seat that was taken before.
    pub fn replace_event(&mut self, seat: &Seat, listener: EventListener) {
        if let Row::Events(of) = seat.row {
            self.events.entry(of).or_default().insert(seat.number, listener);
        }
    }

    pub fn add_wallet(&mut self, audience: &Audience, number: u64, listener: WalletListener) -> Seat {
        self.seats += 1;
        if audience.scope == EventScope::Own {
            self.own_wallets.entry(audience.organization).or_default().insert(number, listener);
            Seat { number, row: Row::OwnWallet(audience.organization) }
        } else {
            self.any_wallets.insert(number, listener);
            Seat { number, row: Row::AnyWallet }
        }
    }

    /// Each seat is removed once. Its listener may have been dropped before, for being slow.
    pub fn remove(&mut self, seat: &Seat) {
        self.seats = self.seats.saturating_sub(1);
        match seat.row {
            Row::Events(of) => remove(&mut self.events, of, seat.number),
            Row::OwnWallet(of) => remove(&mut self.own_wallets, of, seat.number),
            Row::AnyWallet => {
                self.any_wallets.remove(&seat.number);
            }
        }
    }

    pub fn hand_out(&mut self, event: &Arc<event::Model>) {
        for (distance, organization) in event.path.0.iter().enumerate() {
            let Some(row) = self.events.get_mut(organization) else { continue };
            row.retain(|_, listener| {
                let is_for_it = reaches(listener.scope, distance) && listener.wants(&event.event_type);
                !is_for_it || listener.queue.try_send(Arc::clone(event)).is_ok()
            });
        }
        let (wallets, environment) = touched_wallets(event);
        let is_for = |listener: &WalletListener| environment.is_none_or(|of| of == listener.environment);
        for organization in &wallets {
            for listener in self.own_wallets.get(organization).into_iter().flat_map(HashMap::values) {
                if is_for(listener) {
                    listener.touched.add([*organization]);
                }
            }
        }
        if !wallets.is_empty() {
            for listener in self.any_wallets.values().filter(|listener| is_for(listener)) {
                listener.touched.add(wallets.iter().copied());
            }
        }
    }
}

fn remove<L>(rows: &mut HashMap<OrganizationId, HashMap<u64, L>>, of: OrganizationId, number: u64) {
    if let Some(row) = rows.get_mut(&of) {
        row.remove(&number);
        if row.is_empty() {
            rows.remove(&of);
        }
    }
}

/// The wallets that an event says have other figures now, and in which environment; none when it may be either.
fn touched_wallets(event: &event::Model) -> (Vec<OrganizationId>, Option<Environment>) {
    let field = |name: &str| event.data.0.get(name);
    let listed = field("wallets").and_then(|wallets| wallets.as_array());
    let ids = listed.into_iter().flatten().filter_map(|id| id.as_str()).filter_map(|id| id.parse().ok());
    let environment = field("environment").and_then(|value| serde_json::from_value(value.clone()).ok());
    (ids.collect(), environment)
}

#[cfg(test)]
mod tests {
    use entity::codec::Json;
    use entity::timestamp::Timestamp;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    fn organization(n: u128) -> OrganizationId {
        Uuid::from_u128(n).into()
    }

    fn event(sequence: i64, path: &[u128], data: serde_json::Value) -> Arc<event::Model> {
        let path: Vec<OrganizationId> = path.iter().copied().map(organization).collect();
        Arc::new(event::Model {
            realm_id: Uuid::nil().into(),
            sequence,
            id: Uuid::from_u128(1).into(),
            event_type: "credit.charged".to_owned(),
            organization_id: path[0],
            path: Json(path),
            data: Json(data),
            occurred_at: Timestamp::EPOCH,
        })
    }

    fn listener(scope: EventScope, room: usize) -> (EventListener, mpsc::Receiver<Arc<event::Model>>) {
        let (queue, heard) = mpsc::channel(room);
        (EventListener { scope, types: Arc::new([]), queue }, heard)
    }

    #[test]
    fn an_event_goes_to_those_it_is_for_and_to_nobody_else() {
        let mut listeners = Listeners::default();
        let (own, mut heard_by_parent_alone) = listener(EventScope::Own, 4);
        let (subtree, mut heard_below_root) = listener(EventScope::Subtree, 4);
        listeners.add_event(organization(2), 1, own);
        listeners.add_event(organization(3), 2, subtree);
        listeners.hand_out(&event(1, &[1, 2, 3], json!({})));
        listeners.hand_out(&event(2, &[2, 3], json!({})));
        assert_eq!(heard_by_parent_alone.try_recv().unwrap().sequence, 2);
        assert_eq!(heard_below_root.try_recv().unwrap().sequence, 1);
        assert_eq!(heard_below_root.try_recv().unwrap().sequence, 2);
        assert!(heard_by_parent_alone.try_recv().is_err());
    }

    #[test]
    fn one_that_does_not_read_is_dropped_and_keeps_its_seat_until_it_leaves() {
        let mut listeners = Listeners::default();
        let (slow, mut heard) = listener(EventScope::Own, 2);
        let seat = listeners.add_event(organization(1), 1, slow);
        for sequence in 1..=3 {
            listeners.hand_out(&event(sequence, &[1], json!({})));
        }
        assert_eq!(heard.try_recv().unwrap().sequence, 1);
        assert_eq!(heard.try_recv().unwrap().sequence, 2);
        assert!(matches!(heard.try_recv(), Err(mpsc::error::TryRecvError::Disconnected)));
        assert_eq!(listeners.len(), 1);
        listeners.remove(&seat);
        assert!(listeners.is_empty() && listeners.events.is_empty());
    }

    #[test]
    fn a_wallet_waits_once_however_often_it_changed() {
        let mut listeners = Listeners::default();
        let touched = Arc::new(Touched::default());
        let audience = Audience { realm: Uuid::nil().into(), organization: organization(7), scope: EventScope::Own };
        let live = WalletListener { environment: Environment::Live, touched: Arc::clone(&touched) };
        listeners.add_wallet(&audience, 1, live);
        let wallets = json!([organization(7).to_string()]);
        listeners.hand_out(&event(1, &[1], json!({ "wallets": wallets, "environment": "TEST" })));
        assert_eq!(touched.take(10), Some(BTreeSet::new()));
        for sequence in 2..5 {
            listeners.hand_out(&event(sequence, &[1], json!({ "wallets": wallets, "environment": "LIVE" })));
        }
        assert_eq!(touched.take(10), Some(BTreeSet::from([organization(7)])));
        assert_eq!(touched.take(10), Some(BTreeSet::new()));
    }

    #[test]
    fn what_waits_is_taken_in_parts_and_never_grows_beyond_its_bound() {
        let touched = Touched::default();
        touched.add((0..5).map(organization));
        assert_eq!(touched.take(3).unwrap().len(), 3);
        assert_eq!(touched.take(3).unwrap().len(), 2);
        touched.add((0..=TOUCHED_MAX as u128).map(organization));
        assert_eq!(touched.take(3), None);
    }
}
