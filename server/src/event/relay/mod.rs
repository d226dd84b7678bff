//! The one reader of the outbox that a gateway has, for however many streams.
//!
//! It looks at the sequence of every realm that has listeners, in one statement, reads what is new, and hands each event
//! to those it is for, in memory. A commit of this process makes it look at once; what other gateways commit is found by
//! looking every [`LOOK_INTERVAL`]. With no listener there is no reader, and no statement.
//!
//! PostgreSQL's NOTIFY is left out: inside of a money transaction it serialises all commits, and after it, it would be a
//! second statement per commit to save half an interval. It is lost on a broken connection, so the looking would stay.
//!
//! **Nothing is lost.** A realm's numbers are given out under its lock, so what is visible up to a number is complete. A
//! listener hears everything after the number that [`Relay::listen`] answers; what is before it, it reads itself
//! ([`super::stream`]).
//!
//! **Nothing piles up.** A listener's queue is bounded. One that is full is dropped, not waited for: its stream finds the
//! queue closed, listens again, and reads what it missed from the database, at its own pace.

mod listeners;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use entity::event;
use entity::id::RealmId;
use futures_util::StreamExt;
use futures_util::stream;
use tokio::sync::{mpsc, watch};

use crate::access::watch::AuthorityWatch;
use crate::event::audience::Audience;
use crate::event::catalogue;
use crate::event::relay::listeners::{EventListener, Listeners, Seat, WalletListener};
pub use crate::event::relay::listeners::{Touched, WalletAudience};
use crate::event::store;
use crate::kernel::Kernel;
use crate::kernel::db::Snapshot;
use crate::kernel::error::{ErrorCode, Fault, Refusal, Result};

/// How often it looks for what other gateways committed.
const LOOK_INTERVAL: Duration = Duration::from_millis(40);
/// The least time between two looks, however often it is woken: commits in between are read together.
const LOOK_PAUSE: Duration = Duration::from_millis(2);
/// How long it waits after a look that failed.
const FAILURE_PAUSE: Duration = Duration::from_millis(500);
/// Events of one realm that one look reads.
const BATCH: u64 = 500;
/// Realms that are read at the same time.
const READS_AT_ONCE: usize = 4;
/// Events that may wait for one stream before it has to read them itself.
const QUEUE_EVENTS: usize = 64;
/// Streams that one root may have open on one gateway.
pub const STREAMS_PER_ROOT_MAX: usize = 1_000;

/// Clones are the same reader.
#[derive(Clone)]
pub struct Relay(Arc<Shared>);

struct Shared {
    kernel: Kernel,
    /// Told when keys may have ended.
    watch: AuthorityWatch,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    realms: HashMap<RealmId, Realm>,
    is_running: bool,
    next_seat: u64,
}

struct Realm {
    /// Every event up to here was handed out.
    position: i64,
    /// Counts what may have changed who may hear what. It moves before the events behind such a change are handed out.
    authority: watch::Sender<u64>,
    listeners: Listeners,
}

/// A place among the listeners; given back when dropped.
struct Registration {
    relay: Relay,
    realm: RealmId,
    seat: Seat,
}

impl Drop for Registration {
    fn drop(&mut self) {
        let mut state = self.relay.state();
        if let Some(realm) = state.realms.get_mut(&self.realm) {
            realm.listeners.remove(&self.seat);
            if realm.listeners.is_empty() {
                state.realms.remove(&self.realm);
            }
        }
    }
}

/// What a stream of events hears.
pub struct EventFeed {
    queue: mpsc::Receiver<Arc<event::Model>>,
    authority: watch::Receiver<u64>,
    /// It hears everything after this number.
    pub from: i64,
    audience: Audience,
    types: Arc<[String]>,
    registration: Registration,
}

/// What happened to a stream's feed.
pub enum Heard {
    Event(Arc<event::Model>),
    /// Who may hear what may have changed; look again before anything else is told.
    Authority,
    /// The queue was full: listen again, and read what was missed.
    Behind,
}

impl EventFeed {
    pub fn is_authority_in_doubt(&self) -> bool {
        self.authority.has_changed().unwrap_or(true)
    }

    pub fn authority_seen(&mut self) {
        self.authority.mark_unchanged();
    }

    pub async fn next(&mut self) -> Heard {
        tokio::select! {
            biased;
            changed = self.authority.changed() => if changed.is_ok() { Heard::Authority } else { Heard::Behind },
            event = self.queue.recv() => event.map_or(Heard::Behind, Heard::Event),
        }
    }

    /// Listens anew on the same seat. Answers the realm's last number at that moment. One statement.
    pub async fn listen_again(&mut self) -> Result<i64> {
        let relay = &self.registration.relay;
        let head = store::head(&relay.0.kernel.db.snapshot(), self.audience.realm).await?;
        let (queue, listener) = queue(&self.audience, &self.types);
        let mut state = relay.state();
        let realm = state.realms.get_mut(&self.audience.realm);
        let realm = realm.ok_or_else(|| Fault::new("a realm with a listener is not watched"))?;
        realm.listeners.replace_event(&self.registration.seat, listener);
        self.from = realm.position;
        self.queue = queue;
        Ok(head)
    }
}

fn queue(audience: &Audience, types: &Arc<[String]>) -> (mpsc::Receiver<Arc<event::Model>>, EventListener) {
    let (sender, queue) = mpsc::channel(QUEUE_EVENTS);
    (queue, EventListener { scope: audience.scope, types: Arc::clone(types), queue: sender })
}

/// What a stream of wallets hears.
pub struct WalletFeed {
    pub touched: Arc<Touched>,
    authority: watch::Receiver<u64>,
    _registration: Registration,
}

impl WalletFeed {
    /// Resolves when wallets were touched or who may see them may have changed; true for the latter.
    pub async fn changed(&mut self) -> bool {
        tokio::select! {
            biased;
            _ = self.authority.changed() => true,
            () = self.touched.changed() => false,
        }
    }
}

impl Relay {
    pub fn new(kernel: Kernel, watch: AuthorityWatch) -> Self {
        Self(Arc::new(Shared { kernel, watch, state: Mutex::default() }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Streams that are open on this gateway.
    pub fn streams(&self) -> usize {
        self.state().realms.values().map(|realm| realm.listeners.len()).sum()
    }

    /// Hears an audience's events of these types; of all types when there are none. Refused with `RATE_LIMITED` when the
    /// root has as many streams as it may. One statement.
    pub async fn listen(&self, audience: Audience, types: Arc<[String]>) -> Result<(EventFeed, i64)> {
        let head = store::head(&self.0.kernel.db.snapshot(), audience.realm).await?;
        let (queue, listener) = queue(&audience, &types);
        let (registration, from, authority) = self.seat(audience.realm, head, |listeners, number| {
            listeners.add_event(audience.organization, number, listener)
        })?;
        Ok((EventFeed { queue, authority, from, audience, types, registration }, head))
    }

    /// Hears which wallets have other figures.
    pub async fn listen_to_wallets(&self, audience: WalletAudience) -> Result<WalletFeed> {
        let realm = audience.audience.realm;
        let head = store::head(&self.0.kernel.db.snapshot(), realm).await?;
        let touched = Arc::new(Touched::default());
        let listener = WalletListener { environment: audience.environment, touched: Arc::clone(&touched) };
        let (registration, _, authority) =
            self.seat(realm, head, |listeners, number| listeners.add_wallet(&audience.audience, number, listener))?;
        Ok(WalletFeed { touched, authority, _registration: registration })
    }

    /// Takes a place, makes the realm watched and the reader run. Answers after which number the place hears.
    fn seat(
        &self,
        realm_id: RealmId,
        head: i64,
        add: impl FnOnce(&mut Listeners, u64) -> Seat,
    ) -> Result<(Registration, i64, watch::Receiver<u64>), Refusal> {
        let mut state = self.state();
        let number = state.next_seat;
        state.next_seat += 1;
        let realm = state.realms.entry(realm_id).or_insert_with(|| Realm {
            position: head,
            authority: watch::Sender::new(0),
            listeners: Listeners::default(),
        });
        if realm.listeners.len() >= STREAMS_PER_ROOT_MAX {
            let message = format!(
                "This root has {STREAMS_PER_ROOT_MAX} streams open on this gateway. Close one, or watch a subtree with one stream instead of each organization with its own."
            );
            return Err(Refusal::new(ErrorCode::RateLimited, message));
        }
        let seat = add(&mut realm.listeners, number);
        let (from, authority) = (realm.position, realm.authority.subscribe());
        if !std::mem::replace(&mut state.is_running, true) {
            tokio::spawn(self.clone().run());
        }
        Ok((Registration { relay: self.clone(), realm: realm_id, seat }, from, authority))
    }

    /// Reads until nobody listens any more.
    async fn run(self) {
        let mut commits = self.0.kernel.commits();
        let mut is_failing = false;
        loop {
            commits.mark_unchanged();
            let positions: Vec<(RealmId, i64)> = {
                let mut state = self.state();
                if state.realms.is_empty() {
                    state.is_running = false;
                    return;
                }
                state.realms.iter().map(|(id, realm)| (*id, realm.position)).collect()
            };
            match self.look(&positions).await {
                Ok(is_behind) => {
                    is_failing = false;
                    if is_behind {
                        continue;
                    }
                }
                Err(error) => {
                    // Streams wait and lose nothing; one line tells it for the whole outage.
                    if !std::mem::replace(&mut is_failing, true) {
                        tracing::warn!(cause = %error, "the outbox cannot be read; streams wait");
                    }
                    tokio::time::sleep(FAILURE_PAUSE).await;
                }
            }
            tokio::time::sleep(LOOK_PAUSE).await;
            // The bell never closes: this reader holds the kernel.
            let _ = tokio::time::timeout(LOOK_INTERVAL, commits.changed()).await;
        }
    }

    /// Reads and hands out what is new. True when there is more than one look reads.
    async fn look(&self, positions: &[(RealmId, i64)]) -> Result<bool> {
        let snapshot = self.0.kernel.db.snapshot();
        let realms: Vec<RealmId> = positions.iter().map(|(realm, _)| *realm).collect();
        let heads: HashMap<RealmId, i64> = store::heads(&snapshot, &realms).await?.into_iter().collect();
        let mut reads = Vec::new();
        for (realm, position) in positions.iter().copied() {
            let Some(head) = heads.get(&realm).copied().filter(|head| *head > position) else { continue };
            reads.push(self.read(&snapshot, realm, position, head));
        }
        let mut reads = stream::iter(reads).buffer_unordered(READS_AT_ONCE);
        let mut is_behind = false;
        while let Some(read) = reads.next().await {
            is_behind |= read?;
        }
        Ok(is_behind)
    }

    /// Reads and hands out one realm's next events. True when there are more.
    async fn read(&self, snapshot: &Snapshot, realm: RealmId, position: i64, head: i64) -> Result<bool> {
        let events = store::between(snapshot, realm, position, head, BATCH).await?;
        let is_full = events.len() as u64 == BATCH;
        let until = events.last().filter(|_| is_full).map_or(head, |last| last.sequence);
        self.hand_out(realm, position, until, events);
        Ok(is_full)
    }

    fn hand_out(&self, realm: RealmId, after: i64, until: i64, events: Vec<event::Model>) {
        if events.iter().any(|event| catalogue::may_end_keys(&event.event_type)) {
            self.0.watch.doubt(realm);
        }
        let mut state = self.state();
        // Everybody may have left, and others come with a later position, since this was read.
        let Some(realm) = state.realms.get_mut(&realm).filter(|realm| realm.position == after) else { return };
        for event in events {
            if catalogue::changes_authority(&event.event_type) {
                realm.authority.send_modify(|count| *count = count.wrapping_add(1));
            }
            realm.listeners.hand_out(&Arc::new(event));
        }
        realm.position = until;
    }
}
