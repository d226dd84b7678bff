//! Many commands of one realm in one transaction: the write path, set-based.
//!
//! The same steps as [`super::execute`], each once for the whole batch: lock the realm, read keys and paths, look up
//! idempotency keys, load, decide one after the other in memory, write, record, commit. A refusal is one item's own; an
//! unexpected failure of the batch is found out by running its items one at a time.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use entity::codec::Json;
use entity::id::{AnyId, ApiKeyId, EventId, OperatorKeyId, OrganizationId, RealmId};
use entity::kind::AuditOutcome;
use entity::{audit_event, event, idempotency_record};
use sea_orm::ActiveValue::Set;
use sea_orm::FromQueryResult;
use uuid::Uuid;

use crate::access::path::Path;
use crate::access::policy::{self, Permission, Reach};
use crate::access::principal::{Caller, KeyPrincipal, Principal};
use crate::access::scope::Scopes;
use crate::access::store::{self as access_store, KeyAndPaths};
use crate::kernel::Kernel;
use crate::kernel::bundle::{Bundle, chunks};
use crate::kernel::command::Subject;
use crate::kernel::error::{Error, Fault, Refusal, Result};
use crate::kernel::event::Event;
use crate::kernel::execute::{self, IDEMPOTENCY_KEPT, check_key, denied, unauthenticated};
use crate::kernel::sql::Sql;
use crate::kernel::tx::{Target, Tx};

/// How often a batch is tried when the database asks for a retry.
const ATTEMPTS_MAX: u32 = 6;

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

/// What was answered: the output, and whether it is the first answer told again.
#[derive(Clone, Debug)]
pub struct Answer {
    pub output: serde_json::Value,
    pub replayed: bool,
}

/// The rules a batch runs by.
pub trait Rules: Send + Sync {
    type Request: Clone + Send + Sync;
    /// Everything the batch needs, and what was decided on it so far.
    type State: Send;

    /// Loads for all items that may run, in a fixed number of statements.
    fn load(
        &self,
        tx: &Tx,
        items: &[(&Item<Self::Request>, &Target)],
    ) -> impl Future<Output = Result<Self::State>> + Send;

    /// Decides one item on what the ones before it left. A refusal leaves the state as it was.
    fn decide(&self, tx: &Tx, state: &mut Self::State, item: &Item<Self::Request>, target: &Target) -> Result<Decided>;

    /// What to write for what was decided.
    fn save(&self, tx: &Tx, state: Self::State, writes: &mut Bundle) -> Result<()>;
}

type Verdict = Result<Answer>;

impl Kernel {
    /// Runs the items in order, in one transaction; answers each.
    pub async fn execute_batch<R: Rules>(&self, realm: RealmId, rules: &R, items: &[Item<R::Request>]) -> Vec<Verdict> {
        let mut attempt = 1;
        loop {
            match self.try_batch(realm, rules, items).await {
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
                        let single = Box::pin(self.execute_batch(realm, rules, std::slice::from_ref(item))).await;
                        verdicts.extend(single);
                    }
                    return verdicts;
                }
                Err(Error::Fault(fault)) if fault.transient => return vec![Err(execute::busy().into())],
                Err(error) => return vec![Err(error)],
            }
        }
    }

    async fn try_batch<R: Rules>(&self, realm: RealmId, rules: &R, items: &[Item<R::Request>]) -> Result<Vec<Verdict>> {
        let mut tx = self.begin(realm, &Caller::system(Uuid::nil())).await?;
        match self.run_batch(&mut tx, rules, items).await {
            Ok(verdicts) => {
                tx.connection.commit().await?;
                self.ring();
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

    async fn run_batch<R: Rules>(&self, tx: &mut Tx, rules: &R, items: &[Item<R::Request>]) -> Result<Vec<Verdict>> {
        let sequence = execute::lock_realm(tx).await?;
        let targets = authorize(tx, items).await?;
        let mut known = first_answers(tx, items).await?;
        let runnable: Vec<(&Item<R::Request>, &Target)> = items
            .iter()
            .zip(&targets)
            .filter(|(item, _)| !known.contains_key(&record_key(item)))
            .filter_map(|(item, admitted)| Some((item, &admitted.as_ref().ok()?.target)))
            .collect();
        let mut state = rules.load(tx, &runnable).await?;
        let mut records = Records { next: sequence, ..Records::default() };
        let mut verdicts = Vec::with_capacity(items.len());
        for (item, target) in items.iter().zip(targets) {
            verdicts.push(match target {
                Err(refusal) => Err(refusal.into()),
                Ok(admitted) => decide(tx, rules, &mut state, item, &admitted, &mut known, &mut records),
            });
        }
        // A fault in the middle of a decision ends the batch: the state behind it cannot be trusted.
        if let Some(at) = verdicts.iter().position(|verdict| matches!(verdict, Err(Error::Fault(_)))) {
            return Err(verdicts.swap_remove(at).err().unwrap_or_else(|| Fault::new("a fault was lost").into()));
        }
        if records.audit.is_empty() {
            return Ok(verdicts);
        }
        let mut writes = Bundle::default();
        rules.save(tx, state, &mut writes)?;
        records.save(tx, &mut writes);
        writes.run(tx).await?;
        Ok(verdicts)
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
    admitted: &Admitted,
    known: &mut HashMap<RecordKey, Kept>,
    records: &mut Records,
) -> Verdict {
    if let Some(key) = &item.idempotency_key {
        execute::check_idempotency_key(key)?;
        if let Some(kept) = known.get(&record_key(item)) {
            if kept.input_hash != item.input_hash {
                return Err(execute::idempotency_conflict(item.name).into());
            }
            return Ok(Answer { output: kept.output.clone(), replayed: true });
        }
    }
    if let Some(refusal) = &admitted.presented {
        return Err(refusal.clone().into());
    }
    let decided = rules.decide(tx, state, item, &admitted.target)?;
    records.add(tx, item, &admitted.target, &decided)?;
    if item.idempotency_key.is_some() {
        let kept = Kept { input_hash: item.input_hash.clone(), output: decided.output.clone() };
        known.insert(record_key(item), kept);
    }
    Ok(Answer { output: decided.output, replayed: false })
}

/// Actor, operation and key.
type RecordKey = (Uuid, &'static str, String);

fn record_key<R>(item: &Item<R>) -> RecordKey {
    (item.caller.principal.actor_id(), item.name, item.idempotency_key.clone().unwrap_or_default())
}

struct Kept {
    input_hash: String,
    output: serde_json::Value,
}

#[derive(FromQueryResult)]
struct KeptRow {
    actor_id: Uuid,
    operation: String,
    idempotency_key: String,
    /// Expiry, hash of the input and answer, with colons between.
    kept: Option<String>,
}

/// The first answers there are to the batch's idempotency keys, in one statement.
async fn first_answers<R>(tx: &Tx, items: &[Item<R>]) -> Result<HashMap<RecordKey, Kept>> {
    let keyed: Vec<_> = items.iter().filter(|item| item.idempotency_key.is_some()).collect();
    if keyed.is_empty() {
        return Ok(HashMap::new());
    }
    let keys = keyed.iter().map(|item| {
        let (actor, operation, key) = record_key(item);
        vec![actor.into(), operation.into(), key.into()]
    });
    // A subquery for each key, by nothing but the primary key: PostgreSQL reads the whole realm for a join that finds
    // nothing, as this one nearly always does, and prefers the index of expiries where it sees one.
    let mut sql = Sql::new("WITH asked (actor_id, operation, idempotency_key) AS (");
    sql.rows(keys.collect()).push(
        ") SELECT asked.actor_id, asked.operation, asked.idempotency_key, (
             SELECT CAST(r.expires_at AS TEXT) || ':' || r.input_hash || ':' || r.result FROM idempotency_record r WHERE r.realm_id = ",
    );
    sql.bind(tx.realm()).push(" AND r.actor_id = asked.actor_id AND r.operation = asked.operation");
    sql.push(" AND r.idempotency_key = asked.idempotency_key) AS kept FROM asked");
    let rows = KeptRow::find_by_statement(sql.statement(tx)).all(tx).await?;
    let names: HashMap<&str, &'static str> = items.iter().map(|item| (item.name, item.name)).collect();
    let mut known = HashMap::with_capacity(rows.len());
    for row in rows {
        let Some(name) = names.get(row.operation.as_str()) else { continue };
        let Some((expires_at, kept)) = row.kept.as_deref().and_then(|kept| kept.split_once(':')) else { continue };
        let Some((input_hash, result)) = kept.split_once(':') else { continue };
        if expires_at.parse().is_ok_and(|at: i64| at <= tx.now().as_micros()) {
            continue;
        }
        let output = serde_json::from_str(result)
            .map_err(|e| Fault::caused_by(format!("the kept answer of {name} does not read back"), e))?;
        let kept = Kept { input_hash: input_hash.to_owned(), output };
        known.insert((row.actor_id, *name, row.idempotency_key), kept);
    }
    Ok(known)
}

/// An item that its caller may run.
struct Admitted {
    target: Target,
    /// What is wrong with the key it presents.
    presented: Option<Refusal>,
}

/// Every item's target, or why it has none: keys, paths and owners in one statement each.
async fn authorize<R>(tx: &Tx, items: &[Item<R>]) -> Result<Vec<Result<Admitted, Refusal>>> {
    let mut keys: BTreeSet<ApiKeyId> = BTreeSet::new();
    let mut operators: BTreeSet<OperatorKeyId> = BTreeSet::new();
    let mut owned: BTreeSet<AnyId> = BTreeSet::new();
    for item in items {
        match &item.caller.principal {
            Principal::ApiKey(key) => {
                keys.insert(key.key);
            }
            Principal::Operator(key) => {
                operators.insert(*key);
            }
            Principal::Anonymous | Principal::System => {}
        }
        keys.extend(item.presented.iter().map(|presented| presented.key));
        if let Subject::OwnerOf(id) = &item.subject {
            owned.insert(*id);
        }
    }
    let owners = execute::owners(tx, &owned).await?;
    let key_rows = access_store::keys(tx, tx.realm(), &keys).await?;
    let operator_rows = access_store::operator_keys(tx, &operators).await?;
    let wanted = |item: &Item<R>| match &item.subject {
        Subject::Platform => None,
        Subject::Organization(named) => named.or(item.caller.acting_organization()),
        Subject::OwnerOf(id) => owners.get(id).copied(),
    };
    let mut ids: BTreeSet<OrganizationId> = key_rows.values().map(|row| row.organization_id).collect();
    ids.extend(items.iter().filter_map(wanted));
    ids.extend(items.iter().flat_map(|item| item.also.iter().map(|(id, _)| *id)));
    let ids: Vec<OrganizationId> = ids.into_iter().collect();
    let paths = access_store::paths(tx, &[tx.realm()], &ids).await?;
    let path_of = |id: OrganizationId| paths.get(&id).map(|(_, path)| path.clone());
    let good_key = |key: ApiKeyId| -> Result<KeyAndPaths, Refusal> {
        let row = key_rows.get(&key).ok_or_else(unauthenticated)?;
        let own = path_of(row.organization_id).ok_or_else(unauthenticated)?;
        let found = KeyAndPaths { key: row.clone(), own, target: None };
        check_key(&found, tx.now())?;
        Ok(found)
    };
    let admitted = |item: &Item<R>| -> Result<Admitted, Refusal> {
        let (own, scopes) = match &item.caller.principal {
            Principal::Anonymous => return Err(unauthenticated()),
            Principal::System => (None, Scopes::all_known()),
            Principal::Operator(key) if operator_rows.contains(key) => (None, Scopes::all_known()),
            Principal::Operator(_) => return Err(unauthenticated()),
            Principal::ApiKey(key) => {
                let found = good_key(key.key)?;
                (Some(found.key.organization_id), Scopes::new(found.key.scopes.0))
            }
        };
        let reach_into = |path: &Path| match own {
            None => Some(Reach::Operator),
            Some(own) => policy::reach(own, path),
        };
        let allowed = |path: &Path| -> Result<Reach, Refusal> {
            let reach = reach_into(path).ok_or_else(Refusal::not_found)?;
            policy::decide(&scopes, reach, item.permission).map_err(|denial| denied(item.permission, &denial))?;
            Ok(reach)
        };
        let path = wanted(item).and_then(path_of).ok_or_else(Refusal::not_found)?;
        let reach = allowed(&path)?;
        for (other, field) in &item.also {
            let named = |refusal: Refusal| if refusal.path.is_empty() { refusal.at(field) } else { refusal };
            let other = path_of(*other).ok_or_else(|| named(Refusal::not_found()))?;
            allowed(&other).map_err(named)?;
        }
        let presented = item.presented.as_ref().and_then(|presented| good_key(presented.key).err());
        Ok(Admitted { target: Target { path, reach, scopes }, presented })
    };
    Ok(items.iter().map(admitted).collect())
}

/// Audit entries, events and idempotency records of a batch, numbered in the order they were decided.
#[derive(Default)]
struct Records {
    next: i64,
    audit: Vec<audit_event::ActiveModel>,
    events: Vec<event::ActiveModel>,
    idempotency: Vec<idempotency_record::ActiveModel>,
}

impl Records {
    fn add<R>(&mut self, tx: &Tx, item: &Item<R>, target: &Target, decided: &Decided) -> Result<(), Fault> {
        self.next += 1;
        let about = execute::About {
            caller: &item.caller,
            action: item.name,
            organization: Some(target.id()),
            target: item.subject.part(),
            path: target.path.ids().collect(),
            change: decided.change.clone(),
        };
        self.audit.push(execute::audit_entry(tx, about, self.next, AuditOutcome::Done));
        for event in &decided.events {
            self.next += 1;
            self.events.push(event::ActiveModel {
                realm_id: Set(tx.realm()),
                sequence: Set(self.next),
                id: Set(tx.id::<EventId>()),
                event_type: Set(event.event_type.to_owned()),
                organization_id: Set(event.organization),
                path: Set(Json(event.path.clone())),
                data: Set(Json(event.data.clone())),
                occurred_at: Set(tx.now()),
            });
        }
        if let Some(key) = &item.idempotency_key {
            self.idempotency.push(idempotency_record::ActiveModel {
                realm_id: Set(tx.realm()),
                actor_id: Set(item.caller.principal.actor_id()),
                operation: Set(item.name.to_owned()),
                idempotency_key: Set(key.clone()),
                input_hash: Set(item.input_hash.clone()),
                result: Set(decided.output.to_string()),
                created_at: Set(tx.now()),
                expires_at: Set(tx.now().plus(IDEMPOTENCY_KEPT)),
            });
        }
        Ok(())
    }

    fn save(self, tx: &Tx, writes: &mut Bundle) {
        for chunk in chunks(self.audit) {
            writes.add(Sql::insert(chunk));
        }
        for chunk in chunks(self.events) {
            writes.add(Sql::insert(chunk));
        }
        for chunk in chunks(self.idempotency) {
            // A record whose time is up may still stand under the key.
            let mut sql = Sql::insert(chunk);
            sql.push(
                " ON CONFLICT (realm_id, actor_id, operation, idempotency_key) DO UPDATE SET
                   input_hash = excluded.input_hash, result = excluded.result, created_at = excluded.created_at,
                   expires_at = excluded.expires_at",
            );
            writes.add(sql);
        }
        writes.add(execute::advanced_realm(tx, self.next));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::testing::Gateway;

    /// Answers what it is asked, and falls over at 13.
    struct Echo;

    impl Rules for Echo {
        type Request = u8;
        type State = ();

        async fn load(&self, _: &Tx, _: &[(&Item<u8>, &Target)]) -> Result<()> {
            Ok(())
        }

        fn decide(&self, _: &Tx, (): &mut (), item: &Item<u8>, _: &Target) -> Result<Decided> {
            match item.request {
                13 => Err(Fault::new("thirteen").into()),
                other => Ok(Decided { output: other.into(), events: Vec::new(), change: serde_json::Map::default() }),
            }
        }

        fn save(&self, _: &Tx, (): (), _: &mut Bundle) -> Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_poisoned_item_fails_alone() {
        let gateway = Gateway::start().await;
        let create = "mutation { organizationCreate(input: { name: \"Root\" }) { organization { id } } }";
        let made = gateway.operator(create, json!({})).await;
        let id: OrganizationId = made["organizationCreate"]["organization"]["id"].as_str().unwrap().parse().unwrap();
        let found = access_store::paths(&gateway.kernel().db.snapshot(), &[], &[id]).await.unwrap();
        let realm = found[&id].0;
        let items: Vec<Item<u8>> = [1, 13, 2]
            .into_iter()
            .map(|request| Item {
                caller: Caller::system(Uuid::nil()),
                name: "echo",
                permission: Permission::CreditSpend,
                subject: Subject::Organization(Some(id)),
                also: Vec::new(),
                presented: None,
                idempotency_key: Some(request.to_string()),
                input_hash: String::new(),
                request,
            })
            .collect();
        let verdicts = gateway.kernel().execute_batch(realm, &Echo, &items).await;
        let outputs: Vec<_> =
            verdicts.into_iter().map(|verdict| verdict.map(|answer| answer.output).map_err(drop)).collect();
        assert_eq!(outputs, [Ok(json!(1)), Err(()), Ok(json!(2))]);
    }
}
