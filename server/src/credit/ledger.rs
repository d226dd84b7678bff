//! The queue in front of the ledger: movements that arrive together are decided together.
//!
//! A [`RealmQueue`] makes batches of a realm's movements: one commit for all, where one commit each would wait in line for
//! the same rows. Several gateways may do this on one database: the realm's lock orders their batches, and
//! [`memory`](super::memory) spares the next batch of a realm what the last one has read.

use std::marker::PhantomData;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use entity::id::RealmId;
use tokio::sync::oneshot;

use crate::access::principal::{Caller, Principal};
use crate::credit::command::{Ask, Movement};
use crate::credit::memory::Memories;
use crate::credit::rules::LedgerRules;
use crate::kernel::Kernel;
use crate::kernel::authorize::unauthenticated;
use crate::kernel::batch::{Answer, Item};
use crate::kernel::command::Executed;
use crate::kernel::error::{ErrorCode, Fault, Refusal, Result};
use crate::kernel::idempotency::input_hash;
use crate::kernel::queue::{Full, Limits, RealmQueue};

/// The most movements that one request may ask for.
pub const BATCH_ITEMS_MAX: usize = 1_000;

/// More batches at once than the database has processors only wait there.
const LIMITS: Limits = Limits { batch: 256, realm: 4_096, all_realms: 32_768, batches_at_once: 8 };

/// The door to the ledger.
#[derive(Clone)]
pub struct Ledger {
    kernel: Kernel,
    queue: RealmQueue<Waiting>,
    memories: Arc<Mutex<Memories>>,
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
        Ok(Executed { output, replayed: answer.replayed, target: Some(answer.target) })
    }
}

impl Ledger {
    pub fn new(kernel: Kernel) -> Self {
        Self::with_limits(kernel, LIMITS)
    }

    fn with_limits(kernel: Kernel, limits: Limits) -> Self {
        Self { kernel, queue: RealmQueue::new(limits), memories: Arc::default() }
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
        let (reply, answer) = oneshot::channel();
        let ledger = self.clone();
        let work = move |batch| ledger.clone().execute(realm, batch);
        self.queue.push(realm, Waiting { item, reply }, work).map_err(|Full| full())?;
        Ok(Queued { answer, of: PhantomData })
    }

    fn memories(&self) -> MutexGuard<'_, Memories> {
        self.memories.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn execute(self, realm: RealmId, batch: Vec<Waiting>) {
        metrics::histogram!("banyan_ledger_batch_size").record(u32::try_from(batch.len()).unwrap_or(u32::MAX));
        let (items, replies): (Vec<_>, Vec<_>) = batch.into_iter().map(|one| (one.item, one.reply)).unzip();
        // A panic takes the memory that it may have spoiled with it.
        let mut memory = self.memories().take(realm);
        let verdicts = self.kernel.execute_batch(realm, &LedgerRules, &items, &mut memory).await;
        if let Some(memory) = memory {
            self.memories().put(realm, memory);
        }
        for (reply, verdict) in replies.into_iter().zip(verdicts) {
            // Whoever asked may be gone; what they asked for is done all the same.
            let _ = reply.send(verdict);
        }
    }
}

fn full() -> Refusal {
    Refusal::new(ErrorCode::RetryLater, "Too many movements are waiting. Retry with the same idempotency key.")
}

#[cfg(test)]
mod tests {
    use entity::credits::Credits;
    use entity::id::{ApiKeyId, KeyFamilyId, OrganizationId};
    use entity::kind::Environment;
    use sea_orm::TransactionTrait;
    use tokio::sync::mpsc;
    use uuid::Uuid;

    use super::*;
    use crate::access::principal::KeyPrincipal;
    use crate::access::scope::Scopes;
    use crate::credit::command::{Charge, Quantity, SpendInput};
    use crate::credit::model::Remark;
    use crate::kernel::error::Error;
    use crate::schema::testing::Gateway;

    /// A key that nobody minted: the queue takes what it asks, and the batch refuses it.
    fn caller(realm: RealmId) -> Caller {
        let key = KeyPrincipal {
            realm,
            key: ApiKeyId::from(Uuid::from_u128(1)),
            family: KeyFamilyId::from(Uuid::from_u128(2)),
            organization: OrganizationId::from(Uuid::from_u128(3)),
            environment: Environment::Live,
            scopes: Scopes::default(),
        };
        Caller { principal: Principal::ApiKey(Arc::new(key)), ..Caller::system(Uuid::from_u128(4)) }
    }

    fn charge(number: usize) -> Charge {
        let cost = Quantity::Amount(Credits::new(1).expect("one is a number of credits"));
        Charge {
            spend: SpendInput { organization: None, cost, environment: None, remark: Remark::default() },
            idempotency_key: number.to_string(),
        }
    }

    fn code(outcome: &Result<Executed<crate::credit::command::Spent>>) -> Option<ErrorCode> {
        match outcome {
            Err(Error::Refused(refusal)) => Some(refusal.code),
            _ => None,
        }
    }

    #[tokio::test]
    async fn a_full_queue_sends_away_and_loses_nothing() {
        let gateway = Gateway::start().await;
        let limits = Limits { realm: 2, ..LIMITS };
        let ledger = Ledger::with_limits(gateway.kernel().clone(), limits);
        let caller = caller(crate::kernel::realm::platform_realm());
        // SQLite's one writer is taken: whatever is under way waits for it.
        let writer = gateway.kernel().db.connection().begin().await.expect("the writer is free");
        let submit = |number| {
            let (ledger, caller) = (ledger.clone(), caller.clone());
            tokio::spawn(async move { ledger.submit(&caller, &charge(number)).await })
        };
        let mut taken = vec![submit(0)];
        ledger.queue.until(1, 0).await;
        taken.push(submit(1));
        taken.push(submit(2));
        ledger.queue.until(1, 2).await;
        assert_eq!(code(&submit(3).await.expect("it ends")), Some(ErrorCode::RetryLater));
        writer.rollback().await.expect("a transaction ends");
        for one in taken {
            assert_eq!(code(&one.await.expect("it ends")), Some(ErrorCode::Unauthenticated));
        }
    }

    #[tokio::test]
    async fn a_busy_realm_does_not_hold_up_another() {
        let gateway = Gateway::start().await;
        let limits = Limits { batch: 1, batches_at_once: 1, ..LIMITS };
        let ledger = Ledger::with_limits(gateway.kernel().clone(), limits);
        let quiet = gateway.new_realm().await;
        let busy = crate::kernel::realm::platform_realm();
        let writer = gateway.kernel().db.connection().begin().await.expect("the writer is free");
        let (told, mut ended) = mpsc::unbounded_channel();
        let submit = |realm: RealmId, number: usize| {
            let (ledger, told) = (ledger.clone(), told.clone());
            tokio::spawn(async move {
                let _ = ledger.submit(&caller(realm), &charge(number)).await;
                let _ = told.send(realm);
            })
        };
        submit(busy, 0);
        ledger.queue.until(1, 0).await;
        for number in 1..5 {
            submit(busy, number);
        }
        ledger.queue.until(1, 4).await;
        submit(quiet, 5);
        ledger.queue.until(2, 5).await;
        writer.rollback().await.expect("a transaction ends");
        let mut order = Vec::new();
        for _ in 0..6 {
            order.push(ended.recv().await.expect("all of them end"));
        }
        let turn = order.iter().position(|realm| *realm == quiet).expect("the quiet realm had its turn");
        assert!(turn <= 2, "it waited for {turn} batches of the busy one");
    }
}
