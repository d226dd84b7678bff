//! Things of one realm that arrive together and are worked on together.
//!
//! Each realm has a line and at most one batch under way. What finds its realm idle leaves at once; what arrives meanwhile
//! waits for that batch to end and goes together in the next. So there is no timer, and the busier a realm, the larger its
//! batches. Realms take turns in the order they asked.

use std::collections::{HashMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use entity::id::RealmId;
use futures_util::FutureExt as _;
use tokio::sync::Semaphore;

/// How much waits, and how much goes together.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Things of one batch.
    pub batch: usize,
    /// Things waiting in one realm.
    pub realm: usize,
    /// Things waiting in all realms together: whoever makes realms up makes no more than these.
    pub all_realms: usize,
    /// Batches under way at once, over all realms.
    pub batches_at_once: usize,
}

/// Nothing more may wait: tell whoever asked to come back later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// A line for each realm; clones share it.
pub struct RealmQueue<T> {
    inner: Arc<Inner<T>>,
}

struct Inner<T> {
    lines: Mutex<Lines<T>>,
    turns: Semaphore,
    limits: Limits,
}

struct Lines<T> {
    /// A realm is here while something of it waits or is under way.
    by_realm: HashMap<RealmId, VecDeque<T>>,
    waiting: usize,
}

impl<T> Clone for RealmQueue<T> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone() }
    }
}

impl<T: Send + 'static> RealmQueue<T> {
    pub fn new(limits: Limits) -> Self {
        let lines = Mutex::new(Lines { by_realm: HashMap::new(), waiting: 0 });
        Self { inner: Arc::new(Inner { lines, turns: Semaphore::new(limits.batches_at_once), limits }) }
    }

    /// Puts a thing in its realm's line. `work` is what a batch comes to; where the realm is busy already, what it is busy
    /// with does the work. A batch that panics is dropped, and so is whatever its things hold to answer with.
    pub fn push<W, F>(&self, realm: RealmId, thing: T, work: W) -> Result<(), Full>
    where
        W: Fn(Vec<T>) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let limits = &self.inner.limits;
        let mut lines = self.lines();
        if lines.waiting >= limits.all_realms {
            return Err(Full);
        }
        match lines.by_realm.get_mut(&realm) {
            Some(line) if line.len() >= limits.realm => return Err(Full),
            Some(line) => line.push_back(thing),
            None => {
                lines.by_realm.insert(realm, VecDeque::from([thing]));
                tokio::spawn(self.clone().drain(realm, work));
            }
        }
        lines.waiting += 1;
        Ok(())
    }

    /// Works on a realm until nothing waits, then forgets the realm.
    async fn drain<W, F>(self, realm: RealmId, work: W)
    where
        W: Fn(Vec<T>) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        loop {
            // The semaphore is never closed.
            let turn = self.inner.turns.acquire().await;
            let Some(batch) = self.next_batch(realm) else { return };
            // A panic is a fault of these things and not the end of the realm's line; the panic hook has told of it.
            let _ = AssertUnwindSafe(work(batch)).catch_unwind().await;
            drop(turn);
            // Whoever was just answered and asks again at once goes with the next batch. Alone it costs nothing.
            tokio::task::yield_now().await;
        }
    }

    fn next_batch(&self, realm: RealmId) -> Option<Vec<T>> {
        let mut lines = self.lines();
        let line = lines.by_realm.get_mut(&realm)?;
        let size = line.len().min(self.inner.limits.batch);
        if size == 0 {
            lines.by_realm.remove(&realm);
            return None;
        }
        let batch = line.drain(..size).collect();
        lines.waiting -= size;
        Some(batch)
    }

    fn lines(&self) -> MutexGuard<'_, Lines<T>> {
        self.inner.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
impl<T: Send + 'static> RealmQueue<T> {
    /// Runs tasks until so many realms are known and so many things wait in them.
    pub async fn until(&self, realms: usize, waiting: usize) {
        let settled = async {
            loop {
                let reached = {
                    let lines = self.lines();
                    lines.by_realm.len() == realms && lines.waiting == waiting
                };
                if reached {
                    return;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(30), settled).await.expect("the queue settles");
    }

    /// Takes every turn: nothing begins until they are given back.
    pub async fn pause(&self) -> tokio::sync::SemaphorePermit<'_> {
        let all = u32::try_from(self.inner.limits.batches_at_once).expect("a small number");
        self.inner.turns.acquire_many(all).await.expect("it is never closed")
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::{mpsc, oneshot};
    use uuid::Uuid;

    use super::*;

    const LIMITS: Limits = Limits { batch: 8, realm: 8, all_realms: 16, batches_at_once: 1 };

    fn realm(number: u128) -> RealmId {
        RealmId::from(Uuid::from_u128(number))
    }

    #[tokio::test]
    async fn what_waits_for_a_batch_goes_together_in_the_next() {
        let queue = RealmQueue::new(LIMITS);
        let (told, mut batches) = mpsc::unbounded_channel();
        let paused = queue.pause().await;
        for number in 0..5 {
            let told = told.clone();
            let push = queue.push(realm(1), number, move |batch: Vec<i32>| {
                let told = told.clone();
                async move { told.send(batch).expect("the test listens") }
            });
            assert_eq!(push, Ok(()));
        }
        drop(paused);
        assert_eq!(batches.recv().await, Some(vec![0, 1, 2, 3, 4]));
        queue.until(0, 0).await;
    }

    #[tokio::test]
    async fn a_panic_is_the_end_of_its_batch_and_not_of_the_line() {
        let queue = RealmQueue::new(Limits { batch: 1, ..LIMITS });
        let paused = queue.pause().await;
        let ask = |poisoned: bool| {
            let (reply, answer) = oneshot::channel();
            let work = |batch: Vec<(bool, oneshot::Sender<()>)>| async move {
                for (poisoned, reply) in batch {
                    assert!(!poisoned, "this one is poison");
                    reply.send(()).expect("the test waits");
                }
            };
            queue.push(realm(1), (poisoned, reply), work).expect("there is room");
            answer
        };
        let (first, second) = (ask(true), ask(false));
        drop(paused);
        assert!(first.await.is_err());
        assert!(second.await.is_ok());
    }

    #[tokio::test]
    async fn a_full_line_takes_nothing_more() {
        let queue = RealmQueue::new(Limits { realm: 2, all_realms: 3, ..LIMITS });
        let paused = queue.pause().await;
        let push = |number| queue.push(realm(number), (), |_| async {});
        assert_eq!([push(1), push(1), push(1)], [Ok(()), Ok(()), Err(Full)], "the realm is full");
        assert_eq!([push(2), push(3)], [Ok(()), Err(Full)], "all of them are");
        drop(paused);
        queue.until(0, 0).await;
    }
}
