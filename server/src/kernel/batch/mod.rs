//! Many commands of one realm in one transaction: the write path, set-based.
//!
//! The same steps as [`super::execute`], each once for the whole batch: lock the realm, read keys and paths, look up
//! idempotency keys, load, decide one after the other in memory, write, record, commit. A refusal is one item's own; an
//! unexpected failure of the batch is found out by running its items one at a time.
//!
//! **Memory.** Every write of a realm holds the realm's lock and moves its `sequence`. Where a batch finds the sequence that
//! the last one left, nobody has written since, and what that one knew is exact: keys, paths, status and the rules' own
//! state are not read again. It is no cache that could be stale: whether it holds is asked under the lock, in the
//! transaction that relies on it. Whoever changes rows by hand must move the sequence too.

mod admit;
mod records;
mod replay;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use entity::id::{OrganizationId, RealmId};
use entity::timestamp::Timestamp;
use uuid::Uuid;

use crate::access::policy::Permission;
use crate::access::principal::{Caller, KeyPrincipal};
use crate::kernel::bundle::Bundle;
use crate::kernel::command::Subject;
use crate::kernel::error::{Error, Fault, Result};
use crate::kernel::event::Event;
use crate::kernel::tx::{Target, Tx};
use crate::kernel::{Kernel, execute, idempotency, realm};
use admit::{Access, Admitted};
use records::Records;
use replay::{Kept, RecordKey, first_answers, record_key};

/// How often a batch is tried when the database asks for a retry.
const ATTEMPTS_MAX: u32 = 6;
/// How long a memory is relied on. What rules load may be of a time, as the counters of months are, which are loaded for a
/// day around; this is well below.
const MEMORY_KEPT: Duration = Duration::from_secs(3_600);

/// One command of a batch.
#[derive(Clone, Debug)]
pub struct Item<R> {
    pub caller: Caller,
    /// The mutation field's name.
    pub name: &'static str,
    pub permission: Permission,
    pub subject: Subject,
    /// Other organizations the same permission is needed for, with the input field that named each.
    pub also: Vec<(OrganizationId, &'static str)>,
    /// Somebody else's key that the caller presents: it must be good at the moment the item runs. A replay of what it was
    /// good for is told all the same.
    pub presented: Option<Arc<KeyPrincipal>>,
    pub idempotency_key: Option<String>,
    pub input_hash: String,
    pub request: R,
}

impl<R> Item<R> {
    /// The key whose doing it is: the presented one, else the caller's own.
    pub fn key(&self) -> Option<&KeyPrincipal> {
        self.presented.as_deref().or(self.caller.principal.key())
    }
}

/// What an item comes to, when it is not refused.
pub struct Decided {
    /// Kept for replays, and told now.
    pub output: serde_json::Value,
    pub events: Vec<Event>,
    /// For the audit entry. Never a secret.
    pub change: serde_json::Map<String, serde_json::Value>,
}

/// What was answered.
#[derive(Clone, Debug)]
pub struct Answer {
    pub output: serde_json::Value,
    /// Whether it is the first answer told again.
    pub replayed: bool,
    /// The organization acted on, as the batch found it.
    pub target: Target,
}

/// The rules a batch runs by.
pub trait Rules: Send + Sync {
    type Request: Clone + Send + Sync;
    /// Everything the batch needs, and what was decided on it so far.
    type State: Default + Send;

    /// Loads what the items that may run need and `state` does not have yet, in a fixed number of statements.
    fn load(
        &self,
        tx: &Tx,
        state: &mut Self::State,
        items: &[(&Item<Self::Request>, &Target)],
    ) -> impl Future<Output = Result<()>> + Send;

    /// Decides one item on what the ones before it left. A refusal leaves the state as it was.
    fn decide(&self, tx: &Tx, state: &mut Self::State, item: &Item<Self::Request>, target: &Target) -> Result<Decided>;

    /// What to write for what was decided.
    fn save(&self, tx: &Tx, state: &mut Self::State, writes: &mut Bundle) -> Result<()>;

    /// Lets go of what the next batch has no use for. Answers how many things the state still knows.
    fn settle(&self, state: &mut Self::State) -> usize;
}

/// What a batch knew of its realm when it was committed.
pub struct Memory<S> {
    /// What the realm's sequence must be for it to hold.
    sequence: i64,
    /// When it began from nothing.
    since: Timestamp,
    access: Access,
    state: S,
    size: usize,
}

impl<S: Default> Memory<S> {
    fn blank(now: Timestamp) -> Self {
        Self { sequence: 0, since: now, access: Access::default(), state: S::default(), size: 0 }
    }

    fn holds(&self, sequence: i64, now: Timestamp) -> bool {
        self.sequence == sequence && self.since <= now && now < self.since.plus(MEMORY_KEPT)
    }
}

impl<S> Memory<S> {
    /// How many things it remembers: keys, organizations and what the rules count.
    pub fn size(&self) -> usize {
        self.size
    }
}

type Verdict = Result<Answer>;

impl Kernel {
    /// Runs the items in order, in one transaction; answers each. `memory` is what the last batch of the realm left, and is
    /// what this one leaves; after a failure there is none.
    pub async fn execute_batch<R: Rules>(
        &self,
        realm: RealmId,
        rules: &R,
        items: &[Item<R::Request>],
        memory: &mut Option<Memory<R::State>>,
    ) -> Vec<Verdict> {
        let mut attempt = 1;
        loop {
            match self.try_batch(realm, rules, items, memory).await {
                Ok(verdicts) => {
                    self.audit_denials(items, &verdicts).await;
                    return verdicts;
                }
                Err(Error::Fault(fault)) if fault.transient && attempt < ATTEMPTS_MAX => {
                    metrics::counter!("banyan_transaction_retries_total").increment(1);
                    self.pause_before_retry(attempt).await;
                    attempt += 1;
                }
                Err(_) if items.len() > 1 => {
                    // One of them is poison; alone it fails alone.
                    let mut verdicts = Vec::with_capacity(items.len());
                    for item in items {
                        let single =
                            Box::pin(self.execute_batch(realm, rules, std::slice::from_ref(item), memory)).await;
                        verdicts.extend(single);
                    }
                    return verdicts;
                }
                Err(Error::Fault(fault)) if fault.transient => return vec![Err(execute::busy().into())],
                Err(error) => return vec![Err(error)],
            }
        }
    }

    async fn try_batch<R: Rules>(
        &self,
        realm: RealmId,
        rules: &R,
        items: &[Item<R::Request>],
        memory: &mut Option<Memory<R::State>>,
    ) -> Result<Vec<Verdict>> {
        let remembered = memory.take();
        let mut tx = self.begin(realm, &Caller::system(Uuid::nil())).await?;
        match self.run_batch(&mut tx, rules, items, remembered).await {
            Ok((verdicts, left)) => {
                tx.connection.commit().await?;
                self.ring();
                *memory = Some(left);
                Ok(verdicts)
            }
            Err(error) => {
                if let Err(rollback) = tx.connection.rollback().await {
                    tracing::debug!(cause = %rollback, "rollback failed");
                }
                Err(error)
            }
        }
    }

    async fn run_batch<R: Rules>(
        &self,
        tx: &mut Tx,
        rules: &R,
        items: &[Item<R::Request>],
        remembered: Option<Memory<R::State>>,
    ) -> Result<(Vec<Verdict>, Memory<R::State>)> {
        let sequence = realm::lock(tx).await?;
        let holds = remembered.filter(|memory| memory.holds(sequence, tx.now()));
        metrics::counter!("banyan_batches_total", "remembered" => if holds.is_some() { "yes" } else { "no" })
            .increment(1);
        let mut memory = holds.unwrap_or_else(|| Memory::blank(tx.now()));
        let targets = admit::authorize(tx, items, &mut memory.access).await?;
        let mut known = first_answers(tx, items).await?;
        let runnable: Vec<(&Item<R::Request>, &Target)> = items
            .iter()
            .zip(&targets)
            .filter(|(item, _)| !known.contains_key(&record_key(item)))
            .filter_map(|(item, admitted)| Some((item, &admitted.as_ref().ok()?.target)))
            .collect();
        rules.load(tx, &mut memory.state, &runnable).await?;
        let mut records = Records::after(sequence);
        let mut verdicts = Vec::with_capacity(items.len());
        for (item, target) in items.iter().zip(targets) {
            verdicts.push(match target {
                Err(refusal) => Err(refusal.into()),
                Ok(admitted) => decide(tx, rules, &mut memory.state, item, admitted, &mut known, &mut records),
            });
        }
        // A fault in the middle of a decision ends the batch: the state behind it cannot be trusted.
        if let Some(at) = verdicts.iter().position(|verdict| matches!(verdict, Err(Error::Fault(_)))) {
            return Err(verdicts.swap_remove(at).err().unwrap_or_else(|| Fault::new("a fault was lost").into()));
        }
        memory.sequence = records.last;
        if !records.is_empty() {
            let mut writes = Bundle::default();
            rules.save(tx, &mut memory.state, &mut writes)?;
            records.save(tx, &mut writes);
            writes.run(tx).await?;
        }
        memory.size = memory.access.size() + rules.settle(&mut memory.state);
        Ok((verdicts, memory))
    }

    async fn audit_denials<R>(&self, items: &[Item<R>], verdicts: &[Verdict]) {
        for (item, verdict) in items.iter().zip(verdicts) {
            if let Err(Error::Refused(refusal)) = verdict {
                self.audit_if_denied(&item.caller, item.name, item.subject.id(), refusal).await;
            }
        }
    }
}

fn decide<R: Rules>(
    tx: &Tx,
    rules: &R,
    state: &mut R::State,
    item: &Item<R::Request>,
    admitted: Admitted,
    known: &mut HashMap<RecordKey, Kept>,
    records: &mut Records,
) -> Verdict {
    if let Some(key) = &item.idempotency_key {
        idempotency::check(key)?;
        if let Some(kept) = known.get(&record_key(item)) {
            if kept.input_hash != item.input_hash {
                return Err(idempotency::conflict(item.name).into());
            }
            return Ok(Answer { output: kept.output.clone(), replayed: true, target: admitted.target });
        }
    }
    if let Some(refusal) = admitted.presented {
        return Err(refusal.into());
    }
    let decided = rules.decide(tx, state, item, &admitted.target)?;
    records.add(tx, item, &admitted.target, &decided)?;
    if item.idempotency_key.is_some() {
        let kept = Kept { input_hash: item.input_hash.clone(), output: decided.output.clone() };
        known.insert(record_key(item), kept);
    }
    Ok(Answer { output: decided.output, replayed: false, target: admitted.target })
}
