//! The queue in front of the ledger: movements that arrive together are decided together.
//!
//! Each realm has a queue and at most one batch under way. A movement that finds its realm idle leaves at once; those that
//! arrive meanwhile wait for that batch to commit and go together in the next. So there is no timer, and the busier a
//! realm, the larger its batches: one commit for all, where one commit each would wait in line for the same rows. Realms
//! take turns for the database in the order they asked. Several gateways may do this on one database: the realm's lock
//! orders their batches.

use std::collections::{HashMap, VecDeque};
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use entity::id::RealmId;
use tokio::sync::{Semaphore, oneshot};

use crate::access::principal::{Caller, Principal};
use crate::credit::command::{Ask, Movement};
use crate::credit::rules::LedgerRules;
use crate::kernel::Kernel;
use crate::kernel::batch::{Answer, Item};
use crate::kernel::command::Executed;
use crate::kernel::error::{ErrorCode, Fault, Refusal, Result};
use crate::kernel::execute::{input_hash, unauthenticated};

/// The most movements that one request may ask for.
pub const BATCH_ITEMS_MAX: usize = 1_000;
/// Movements of one transaction.
const BATCH_MAX: usize = 256;
/// Movements waiting in one realm; more are told to come back.
const QUEUE_MAX: usize = 4_096;
/// Movements waiting in all realms together.
const WAITING_MAX: usize = 32_768;
/// Batches under way at once, over all realms. More than the database has processors only makes them wait there.
const BATCHES_AT_ONCE: usize = 8;

/// The door to the ledger.
#[derive(Clone)]
pub struct Ledger {
    kernel: Kernel,
    queues: Arc<Mutex<Queues>>,
    turns: Arc<Semaphore>,
}

#[derive(Default)]
struct Queues {
    by_realm: HashMap<RealmId, VecDeque<Waiting>>,
    waiting: usize,
}

struct Waiting {
    item: Item<Ask>,
    reply: oneshot::Sender<Result<Answer>>,
}

/// A movement that waits for its batch.
struct Queued<M> {
    answer: oneshot::Receiver<Result<Answer>>,
    of: PhantomData<M>,
}

impl<M: Movement> Queued<M> {
    async fn told(self) -> Result<Executed<M::Output>> {
        let answer = self.answer.await.map_err(|_| Fault::new("a batch ended without an answer"))??;
        let output = serde_json::from_value(answer.output)
            .map_err(|e| Fault::caused_by(format!("the answer of {} does not read back", M::NAME), e))?;
        Ok(Executed { output, replayed: answer.replayed })
    }
}

impl Ledger {
    pub fn new(kernel: Kernel) -> Self {
        Self { kernel, queues: Arc::default(), turns: Arc::new(Semaphore::new(BATCHES_AT_ONCE)) }
    }

    /// Has a movement done, and answers when it is committed or refused.
    pub async fn submit<M: Movement>(&self, caller: &Caller, movement: &M) -> Result<Executed<M::Output>> {
        self.queue(caller, movement).await?.told().await
    }

    /// The same for many, in order, each with its own outcome. They are queued before any is waited for, so that they go
    /// together.
    pub async fn submit_all<M: Movement>(
        &self,
        caller: &Caller,
        movements: Vec<Result<M, Refusal>>,
    ) -> Vec<Result<Executed<M::Output>>> {
        let mut queued = Vec::with_capacity(movements.len());
        for movement in movements {
            queued.push(match movement {
                Ok(movement) => self.queue(caller, &movement).await,
                Err(refusal) => Err(refusal.into()),
            });
        }
        let mut outcomes = Vec::with_capacity(queued.len());
        for one in queued {
            outcomes.push(match one {
                Ok(queued) => queued.told().await,
                Err(error) => Err(error),
            });
        }
        outcomes
    }

    async fn queue<M: Movement>(&self, caller: &Caller, movement: &M) -> Result<Queued<M>> {
        if caller.principal == Principal::Anonymous {
            return Err(unauthenticated().into());
        }
        let subject = movement.subject();
        let realm = self.kernel.realm_of(caller, &subject).await?;
        let item = Item {
            caller: caller.clone(),
            name: M::NAME,
            permission: M::PERMISSION,
            subject,
            also: movement.also(),
            presented: movement.presented(),
            idempotency_key: Some(movement.idempotency_key().to_owned()),
            input_hash: input_hash(M::NAME, movement)?,
            request: movement.ask(),
        };
        Ok(Queued { answer: self.enqueue(realm, item)?, of: PhantomData })
    }

    fn queues(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enqueue(&self, realm: RealmId, item: Item<Ask>) -> Result<oneshot::Receiver<Result<Answer>>, Refusal> {
        let (reply, answer) = oneshot::channel();
        let mut queues = self.queues();
        if queues.waiting >= WAITING_MAX {
            return Err(full());
        }
        let waiting = Waiting { item, reply };
        match queues.by_realm.get_mut(&realm) {
            Some(queue) if queue.len() >= QUEUE_MAX => return Err(full()),
            Some(queue) => queue.push_back(waiting),
            None => {
                queues.by_realm.insert(realm, VecDeque::from([waiting]));
                tokio::spawn(self.clone().drain(realm));
            }
        }
        queues.waiting += 1;
        Ok(answer)
    }

    /// Runs batches of a realm until nothing waits, then forgets the realm.
    async fn drain(self, realm: RealmId) {
        loop {
            let turn = self.turns.acquire().await;
            let Some(batch) = self.next_batch(realm) else { return };
            metrics::histogram!("banyan_ledger_batch_size").record(u32::try_from(batch.len()).unwrap_or(u32::MAX));
            let (items, replies): (Vec<_>, Vec<_>) = batch.into_iter().map(|one| (one.item, one.reply)).unzip();
            let verdicts = self.kernel.execute_batch(realm, &LedgerRules, &items).await;
            drop(turn);
            for (reply, verdict) in replies.into_iter().zip(verdicts) {
                // Whoever asked may be gone; what they asked for is done all the same.
                let _ = reply.send(verdict);
            }
        }
    }

    fn next_batch(&self, realm: RealmId) -> Option<Vec<Waiting>> {
        let mut queues = self.queues();
        let queue = queues.by_realm.get_mut(&realm)?;
        let size = queue.len().min(BATCH_MAX);
        if size == 0 {
            queues.by_realm.remove(&realm);
            return None;
        }
        let batch = queue.drain(..size).collect();
        queues.waiting -= size;
        Some(batch)
    }
}

fn full() -> Refusal {
    Refusal::new(ErrorCode::RetryLater, "Too many movements are waiting. Retry with the same idempotency key.")
}
