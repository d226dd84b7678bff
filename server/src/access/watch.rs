//! Whether what streams and sockets were opened with still stands: one watcher per gateway, for however many.
//!
//! Everything that was opened with the same key for the same organization is looked at as one, many keys in one look. It
//! looks at a realm's when the reader of the outbox meets something that may end keys there ([`AuthorityWatch::doubt`]),
//! which is some milliseconds after the commit, on whichever gateway it was; at what is new, so that nothing falls between
//! a caller's admission and its first look; and at everything every [`FULL_INTERVAL`], which finds what expired, and
//! realms whose outbox nobody reads here because only idle sockets are open.
//!
//! While the database cannot be read, nothing ends: nothing can be told to a stream then either.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use entity::id::{ApiKeyId, OperatorKeyId, OrganizationId, RealmId};
use entity::timestamp::Timestamp;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use crate::access::path::{EffectiveStatus, Path};
use crate::access::policy;
use crate::access::principal::Principal;
use crate::access::store::{self, KeyRow};
use crate::http::EndReason;
use crate::kernel::Kernel;
use crate::kernel::error::Result;

/// How often everything is looked at, whatever happens.
const FULL_INTERVAL: Duration = Duration::from_secs(1);
/// The least time between two looks, so that what comes together is looked at together.
const LOOK_PAUSE: Duration = Duration::from_millis(2);
/// Keys of one look's statements.
const CHUNK: usize = 500;

/// What a caller was admitted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Authority {
    key: Key,
    /// The organization that the header `Banyan-Organization` named.
    target: Option<OrganizationId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Key {
    Api { realm: RealmId, key: ApiKeyId },
    Operator(OperatorKeyId),
}

impl Authority {
    /// `None` for who has none that could end.
    pub fn new(principal: &Principal, target: Option<OrganizationId>) -> Option<Self> {
        let key = match principal {
            Principal::ApiKey(key) => Key::Api { realm: key.realm, key: key.key },
            Principal::Operator(key) => Key::Operator(*key),
            Principal::Anonymous | Principal::System => return None,
        };
        Some(Self { key, target })
    }

    fn realm(&self) -> Option<RealmId> {
        match self.key {
            Key::Api { realm, .. } => Some(realm),
            Key::Operator(_) => None,
        }
    }
}

/// Clones are the same watcher.
#[derive(Clone)]
pub struct AuthorityWatch(Arc<Shared>);

struct Shared {
    kernel: Kernel,
    state: Mutex<State>,
    bell: Notify,
}

#[derive(Default)]
struct State {
    watched: HashMap<Authority, Watched>,
    doubted: HashSet<RealmId>,
    is_running: bool,
    next_number: u64,
}

struct Watched {
    number: u64,
    seats: usize,
    is_new: bool,
    ended: watch::Sender<Option<EndReason>>,
}

/// A place among those who wait for the end; given back when dropped.
struct Seat {
    watch: AuthorityWatch,
    authority: Authority,
    number: u64,
    ended: watch::Receiver<Option<EndReason>>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut state = self.watch.state();
        if let Some(watched) = state.watched.get_mut(&self.authority).filter(|it| it.number == self.number) {
            watched.seats -= 1;
            if watched.seats == 0 {
                state.watched.remove(&self.authority);
            }
        }
    }
}

impl AuthorityWatch {
    pub fn new(kernel: Kernel) -> Self {
        Self(Arc::new(Shared { kernel, state: Mutex::default(), bell: Notify::new() }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something was committed in the realm after which a key may no longer be good.
    pub fn doubt(&self, realm: RealmId) {
        let mut state = self.state();
        if state.is_running && state.doubted.insert(realm) {
            self.0.bell.notify_one();
        }
    }

    /// Resolves when whoever was admitted with this would no longer be. It costs nothing before it is first polled.
    pub async fn ended(self, authority: Authority) -> EndReason {
        let mut seat = self.seat(authority);
        let reason = seat.ended.wait_for(Option::is_some).await.ok().and_then(|reason| *reason);
        match reason {
            Some(reason) => reason,
            None => std::future::pending().await,
        }
    }

    fn seat(&self, authority: Authority) -> Seat {
        let mut state = self.state();
        let State { watched, next_number, is_running, .. } = &mut *state;
        let entry = watched.entry(authority).or_insert_with(|| {
            *next_number += 1;
            self.0.bell.notify_one();
            Watched { number: *next_number, seats: 0, is_new: true, ended: watch::Sender::new(None) }
        });
        entry.seats += 1;
        let (number, ended) = (entry.number, entry.ended.subscribe());
        if !std::mem::replace(is_running, true) {
            tokio::spawn(self.clone().run());
        }
        Seat { watch: self.clone(), authority, number, ended }
    }

    /// Looks until nobody waits any more.
    async fn run(self) {
        let mut full_at = Instant::now() + FULL_INTERVAL;
        let mut is_failing = false;
        loop {
            let is_full = Instant::now() >= full_at;
            if is_full {
                full_at = Instant::now() + FULL_INTERVAL;
            }
            let Some(due) = self.due(is_full) else { return };
            for chunk in due.chunks(CHUNK) {
                match self.look(chunk).await {
                    Ok(ended) => {
                        is_failing = false;
                        ended.into_iter().for_each(|(authority, reason)| self.end(&authority, reason));
                    }
                    Err(error) => {
                        // The next full look finds what this one did not; one line tells it for the whole outage.
                        if !std::mem::replace(&mut is_failing, true) {
                            tracing::warn!(cause = %error, "the authority of streams cannot be looked at; trying again");
                        }
                        break;
                    }
                }
            }
            tokio::time::sleep(LOOK_PAUSE).await;
            tokio::select! {
                () = self.0.bell.notified() => {}
                () = tokio::time::sleep_until(full_at) => {}
            }
        }
    }

    /// What is to be looked at now; `None` when nobody waits any more.
    fn due(&self, is_full: bool) -> Option<Vec<Authority>> {
        let mut state = self.state();
        let doubted = std::mem::take(&mut state.doubted);
        if state.watched.is_empty() {
            state.is_running = false;
            return None;
        }
        let mut due = Vec::new();
        for (authority, watched) in &mut state.watched {
            let is_new = std::mem::take(&mut watched.is_new);
            if is_full || is_new || authority.realm().is_some_and(|realm| doubted.contains(&realm)) {
                due.push(*authority);
            }
        }
        // Those of one realm beside each other, so that a chunk is of few.
        due.sort_unstable();
        Some(due)
    }

    /// Whoever comes with the same key from now on is a new one: it may be good again.
    fn end(&self, authority: &Authority, reason: EndReason) {
        if let Some(watched) = self.state().watched.remove(authority) {
            watched.ended.send_replace(Some(reason));
        }
    }

    /// Those of them that have ended. Three statements at most.
    async fn look(&self, due: &[Authority]) -> Result<Vec<(Authority, EndReason)>> {
        let snapshot = self.0.kernel.db.snapshot();
        let mut realms = BTreeSet::new();
        let mut keys = BTreeSet::new();
        let mut operators = BTreeSet::new();
        for authority in due {
            match authority.key {
                Key::Api { realm, key } => {
                    realms.insert(realm);
                    keys.insert(key);
                }
                Key::Operator(key) => {
                    operators.insert(key);
                }
            }
        }
        // The operator's organizations may be in any realm.
        let realms: Vec<RealmId> = if operators.is_empty() { realms.into_iter().collect() } else { Vec::new() };
        let rows = store::keys_of(&snapshot, &realms, &keys).await?;
        let standing = store::operator_keys(&snapshot, &operators).await?;
        let mut organizations: BTreeSet<OrganizationId> = rows.values().map(|row| row.organization_id).collect();
        organizations.extend(due.iter().filter_map(|authority| authority.target));
        let organizations: Vec<OrganizationId> = organizations.into_iter().collect();
        let paths = store::paths(&snapshot, &realms, &organizations).await?;
        let now = self.0.kernel.world.clock.now();
        let path_of = |id: OrganizationId, realm: Option<RealmId>| {
            paths.get(&id).filter(|(found, _)| realm.is_none_or(|realm| realm == *found)).map(|(_, path)| path)
        };
        let end_of = |authority: &Authority| match authority.key {
            Key::Operator(key) => {
                let sees = authority.target.is_none_or(|id| path_of(id, None).is_some());
                (!standing.contains(&key) || !sees).then_some(EndReason::Revoked)
            }
            Key::Api { realm, key } => {
                let row = rows.get(&key).filter(|row| row.realm_id == realm);
                let own = row.and_then(|row| path_of(row.organization_id, Some(realm)));
                let target = authority.target.map(|id| path_of(id, Some(realm)));
                end_of_key(row, own, target, now)
            }
        };
        Ok(due.iter().filter_map(|authority| Some((*authority, end_of(authority)?))).collect())
    }
}

/// Why a key is no longer good for what it was admitted for, if it is not. A `target` that is named and not found is
/// `Some(None)`.
fn end_of_key(
    row: Option<&KeyRow>,
    own: Option<&Path>,
    target: Option<Option<&Path>>,
    now: Timestamp,
) -> Option<EndReason> {
    let (Some(row), Some(own)) = (row, own) else { return Some(EndReason::Revoked) };
    if row.revoked_at.is_some() {
        return Some(EndReason::Revoked);
    }
    if row.expires_at.is_some_and(|at| at <= now) {
        return Some(EndReason::Expired);
    }
    match own.effective_status() {
        EffectiveStatus::Active => {}
        EffectiveStatus::Suspended { .. } => return Some(EndReason::Suspended),
        EffectiveStatus::Archived { .. } => return Some(EndReason::Archived),
    }
    let sees = |path: Option<&Path>| path.is_some_and(|path| policy::reach(row.organization_id, path).is_some());
    target.is_some_and(|path| !sees(path)).then_some(EndReason::Revoked)
}

#[cfg(test)]
mod tests {
    use entity::codec::Json;
    use entity::kind::{Delegations, Environment};
    use uuid::Uuid;

    use super::*;
    use crate::access::path::Node;

    fn org(n: u128) -> OrganizationId {
        Uuid::from_u128(n).into()
    }

    fn path(ids: &[u128], suspended: bool, archived: bool) -> Path {
        let node = |id: &u128| Node { id: org(*id), parent: None, delegation: Delegations::ALL, archived, suspended };
        Path::new(ids.iter().map(node).collect()).unwrap()
    }

    fn key() -> KeyRow {
        KeyRow {
            realm_id: Uuid::nil().into(),
            id: Uuid::nil().into(),
            family_id: Uuid::nil().into(),
            organization_id: org(1),
            environment: Environment::Live,
            scopes: Json(Vec::new()),
            allowed_ips: Json(Vec::new()),
            secret_hash: String::new(),
            pepper_id: 1,
            expires_at: Some(Timestamp::from_millis(10)),
            revoked_at: None,
        }
    }

    #[test]
    fn a_key_ends_with_its_row_its_time_its_organization_and_the_organization_it_acts_for() {
        let own = path(&[1, 9], false, false);
        let below = path(&[2, 1, 9], false, false);
        let elsewhere = path(&[2, 9], false, false);
        let at = |row: Option<&KeyRow>, own, target| end_of_key(row, Some(own), target, Timestamp::from_millis(5));
        assert_eq!(at(Some(&key()), &own, None), None);
        assert_eq!(at(Some(&key()), &own, Some(Some(&below))), None);
        assert_eq!(at(Some(&key()), &own, Some(Some(&elsewhere))), Some(EndReason::Revoked));
        assert_eq!(at(Some(&key()), &own, Some(None)), Some(EndReason::Revoked));
        assert_eq!(at(None, &own, None), Some(EndReason::Revoked));
        let revoked = KeyRow { revoked_at: Some(Timestamp::EPOCH), ..key() };
        assert_eq!(at(Some(&revoked), &own, None), Some(EndReason::Revoked));
        let late = end_of_key(Some(&key()), Some(&own), None, Timestamp::from_millis(10));
        assert_eq!(late, Some(EndReason::Expired));
        let (suspended, archived) = (path(&[1], true, false), path(&[1], false, true));
        assert_eq!(at(Some(&key()), &suspended, None), Some(EndReason::Suspended));
        assert_eq!(at(Some(&key()), &archived, None), Some(EndReason::Archived));
    }
}
