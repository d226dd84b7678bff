//! The one write path: authorize, deduplicate, lock, run, audit, emit, commit, retry.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use entity::codec::Json;
use entity::id::{AnyId, EventId, Id, OrganizationId, RealmId};
use entity::kind::AuditOutcome;
use entity::{audit_event, event, idempotency_record};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ConnectionTrait, DatabaseBackend, EntityTrait};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::access::fields::{self, Needs};
use crate::access::path::EffectiveStatus;
use crate::access::policy::{self, Permission, Reach, Standing};
use crate::access::principal::{Caller, Principal};
use crate::access::scope::Scopes;
use crate::access::store as access_store;
use crate::kernel::Kernel;
use crate::kernel::command::{Command, Executed, Subject};
use crate::kernel::error::{Detail, Error, ErrorCode, Fault, Refusal, Result};
use crate::kernel::sql::Sql;
use crate::kernel::tx::{Target, Tx};

/// How often a command is tried when the database asks for a retry.
const ATTEMPTS_MAX: u32 = 6;
/// The first pause between tries; it doubles, with jitter.
const RETRY_DELAY_MS: u64 = 5;
/// How long an idempotency record answers for: 30 days.
pub(super) const IDEMPOTENCY_KEPT: Duration = Duration::from_secs(30 * 24 * 3_600);
/// The longest idempotency key, in characters.
pub const IDEMPOTENCY_KEY_MAX_CHARS: usize = 255;

/// The realm of what belongs to no tree: the operator's own acts, such as making a root.
pub fn platform_realm() -> RealmId {
    RealmId::from(uuid::Uuid::nil())
}

impl Kernel {
    /// Runs a command for a caller. The only way anything is ever written.
    pub async fn execute<C: Command>(&self, caller: &Caller, command: &C) -> Result<Executed<C::Output>> {
        let mut attempt = 1;
        loop {
            match self.attempt(caller, command).await {
                Err(Error::Fault(fault)) if fault.transient && attempt < ATTEMPTS_MAX => {
                    metrics::counter!("banyan_transaction_retries_total").increment(1);
                    self.pause_before_retry(attempt).await;
                    attempt += 1;
                }
                Err(Error::Fault(fault)) if fault.transient => {
                    tracing::warn!(command = C::NAME, attempts = attempt, cause = %fault.chain(), "gave up retrying");
                    return Err(busy().into());
                }
                Err(Error::Refused(refusal)) => {
                    debug_assert!(
                        C::REFUSALS.contains(&refusal.code) || KERNEL_REFUSALS.contains(&refusal.code),
                        "{} does not declare {}",
                        C::NAME,
                        refusal.code.as_str()
                    );
                    self.audit_if_denied(caller, C::NAME, command.subject().id(), &refusal).await;
                    return Err(Error::Refused(refusal));
                }
                other => return other,
            }
        }
    }

    /// Twice as long with every attempt, and never the same for two that collided.
    pub(super) async fn pause_before_retry(&self, attempt: u32) {
        let delay_ms = RETRY_DELAY_MS << attempt.min(8);
        let jitter = u64::from(self.world.ids.secret()[0]) * delay_ms / 256;
        tokio::time::sleep(Duration::from_millis(delay_ms + jitter)).await;
    }

    /// A transaction of the realm. Its moment is set when it holds the realm's lock.
    pub(super) async fn begin(&self, realm: RealmId, caller: &Caller) -> Result<Tx> {
        Ok(Tx {
            connection: self.db.begin().await?,
            realm,
            home: None,
            now: self.world.clock.now(),
            sequence: 0,
            world: self.world.clone(),
            caller: caller.clone(),
            target: None,
            events: Vec::new(),
            change: serde_json::Map::new(),
            audited: None,
        })
    }

    /// Tells streams of this process that there may be something new.
    pub(super) fn ring(&self) {
        self.wake.send_modify(|commits| *commits = commits.wrapping_add(1));
    }

    async fn attempt<C: Command>(&self, caller: &Caller, command: &C) -> Result<Executed<C::Output>> {
        if caller.principal == Principal::Anonymous {
            return Err(unauthenticated().into());
        }
        debug_assert!(
            fields::row("Mutation", C::NAME).is_none_or(|row| row.needs == Needs::Permission(C::PERMISSION)),
            "{} asks for another permission than its row",
            C::NAME
        );
        let subject = command.subject();
        let realm = self.realm_of(caller, &subject).await?;
        let mut tx = self.begin(realm, caller).await?;
        match self.run_in(&mut tx, command, &subject).await {
            Ok(executed) => {
                tx.connection.commit().await?;
                if !executed.replayed {
                    self.ring();
                }
                Ok(executed)
            }
            Err(error) => {
                // The first error is the one to report; a failed rollback ends with the connection.
                if let Err(rollback) = tx.connection.rollback().await {
                    tracing::debug!(cause = %rollback, "rollback failed");
                }
                Err(error)
            }
        }
    }

    async fn run_in<C: Command>(&self, tx: &mut Tx, command: &C, subject: &Subject) -> Result<Executed<C::Output>> {
        let sequence = lock_realm(tx).await?;
        tx.target = authorize(tx, subject, C::PERMISSION).await?;
        if let Some(target) = &tx.target {
            let placed = C::PLACE.check(target.reach, &target.path);
            placed.map_err(|denial| denied(C::PERMISSION, &denial))?;
        }
        let key = command.idempotency_key().map(str::to_owned);
        let hash = input_hash(C::NAME, command)?;
        if let Some(key) = &key
            && let Some(output) = first_answer::<C>(tx, key, &hash).await?
        {
            return Ok(Executed { output, replayed: true });
        }
        if let Some(target) = &tx.target {
            stands(C::STANDING, target)?;
        }
        let output = command.run(tx).await?;
        // A new realm begins its own count.
        let sequence = if tx.home.is_some() { 0 } else { sequence };
        record(tx, C::NAME, subject, sequence).await?;
        if let Some(key) = key
            && C::is_final(&output)
        {
            // The record stays where the next try will look for it.
            tx.realm = tx.home.take().unwrap_or(tx.realm);
            // A command may hand out a secret once; what is kept for replays has none.
            let mut kept = output.clone();
            C::forget_secrets(&mut kept);
            keep_answer(tx, C::NAME, key, hash, &kept).await?;
        }
        Ok(Executed { output, replayed: false })
    }

    /// Which realm the command writes in. The operator belongs to none, so the subject decides.
    pub(crate) async fn realm_of(&self, caller: &Caller, subject: &Subject) -> Result<RealmId> {
        if let Principal::ApiKey(key) = &caller.principal {
            return Ok(key.realm);
        }
        let snapshot = self.db.snapshot();
        match subject {
            Subject::Platform => Ok(platform_realm()),
            Subject::Organization(named) => {
                let id = named.or(caller.acting).ok_or_else(name_an_organization)?;
                owner_realm(&snapshot, AnyId::Organization(id)).await
            }
            Subject::OwnerOf(id) => owner_realm(&snapshot, *id).await,
        }
    }

    /// An attempt refused for lack of rights leaves its own audit entry, in a transaction of its own, in the realm of
    /// whoever tried. `tried` is what they named, whether or not there is such a thing.
    pub(crate) async fn audit_if_denied(
        &self,
        caller: &Caller,
        action: &'static str,
        tried: Option<AnyId>,
        refusal: &Refusal,
    ) {
        let Principal::ApiKey(key) = &caller.principal else { return };
        if !matches!(refusal.code, ErrorCode::ForbiddenScope | ErrorCode::NotFound) {
            return;
        }
        let written = async {
            let mut tx = self.begin(key.realm, caller).await?;
            let sequence = lock_realm(&mut tx).await?;
            let mut paths = access_store::paths(&tx, &[key.realm], &[key.organization]).await?;
            let path = paths.remove(&key.organization).map(|(_, path)| path.ids().collect());
            let about = About {
                caller,
                action,
                organization: Some(key.organization),
                target: tried,
                path: path.unwrap_or_else(|| vec![key.organization]),
                change: serde_json::Map::from_iter([("code".to_owned(), refusal.code.as_str().into())]),
            };
            let entry = audit_entry(&tx, about, sequence + 1, AuditOutcome::Denied);
            audit_event::Entity::insert(entry).exec_without_returning(&tx).await?;
            advance_realm(&tx, sequence + 1).await?;
            tx.connection.commit().await?;
            Ok::<_, Error>(())
        };
        if let Err(error) = written.await {
            tracing::warn!(action, cause = %error, "a denied attempt could not be audited");
        }
    }
}

pub(super) fn busy() -> Refusal {
    Refusal::new(ErrorCode::RetryLater, "The database is busy. Retry with the same idempotency key.")
}

/// What any command may be refused with before it runs.
const KERNEL_REFUSALS: &[ErrorCode] = &[
    ErrorCode::Unauthenticated,
    ErrorCode::NotFound,
    ErrorCode::ForbiddenScope,
    ErrorCode::InvalidInput,
    ErrorCode::OrganizationSuspended,
    ErrorCode::OrganizationArchived,
    ErrorCode::IdempotencyConflict,
    ErrorCode::RetryLater,
];

pub(crate) fn unauthenticated() -> Refusal {
    Refusal::new(
        ErrorCode::Unauthenticated,
        "This needs a key. Send `Authorization: Bearer <key>` with a key that is neither revoked nor expired.",
    )
}

fn name_an_organization() -> Refusal {
    Refusal::invalid("organizationId", "The operator belongs to no organization: name one.")
}

/// Takes the realm's lock and reads its sequence. Every write of a realm passes here first, so writes of one realm have
/// one order and never deadlock; realms do not wait for each other. On SQLite the open transaction is the lock.
pub(super) async fn lock_realm(tx: &mut Tx) -> Result<i64> {
    let mut sql = Sql::new("SELECT sequence FROM realm WHERE realm_id = ");
    sql.bind(tx.realm);
    if tx.get_database_backend() == DatabaseBackend::Postgres {
        sql.push(" FOR NO KEY UPDATE");
    }
    let row = tx.query_one_raw(sql.statement(&*tx)).await?;
    let row = row.ok_or_else(|| Fault::new(format!("realm {} has no row", tx.realm)))?;
    // Not before: what waited for the lock happens after what held it.
    tx.now = tx.world.clock.now();
    tx.sequence = row.try_get("", "sequence")?;
    Ok(tx.sequence)
}

pub(super) async fn advance_realm(tx: &Tx, sequence: i64) -> Result<()> {
    tx.execute_raw(advanced_realm(tx, sequence).statement(tx)).await?;
    Ok(())
}

pub(super) fn advanced_realm(tx: &Tx, sequence: i64) -> Sql {
    let mut sql = Sql::new("UPDATE realm SET sequence = ");
    sql.bind(sequence).push(" WHERE realm_id = ").bind(tx.realm);
    sql
}

/// The realm of whatever an id names; `NOT_FOUND` when nothing is named.
async fn owner_realm(connection: &impl ConnectionTrait, id: AnyId) -> Result<RealmId> {
    let Some(table) = owner_table(id) else { return Err(Refusal::not_found().into()) };
    let mut sql = Sql::new("SELECT realm_id FROM ");
    sql.push(table).push(" WHERE id = ").bind(id.uuid());
    let row = connection.query_one_raw(sql.statement(connection)).await?.ok_or_else(Refusal::not_found)?;
    Ok(row.try_get("", "realm_id")?)
}

/// The organization that owns what an id names, within the realm.
async fn owner(tx: &Tx, id: AnyId) -> Result<OrganizationId> {
    let owners = owners(tx, &BTreeSet::from([id])).await?;
    Ok(owners.get(&id).copied().ok_or_else(Refusal::not_found)?)
}

/// The organizations that own what ids name, within the realm: a statement for each kind of id.
pub(super) async fn owners(tx: &Tx, ids: &BTreeSet<AnyId>) -> Result<HashMap<AnyId, OrganizationId>> {
    let mut owners = HashMap::with_capacity(ids.len());
    let mut by_table: HashMap<&'static str, Vec<AnyId>> = HashMap::new();
    for id in ids {
        match (id, owner_table(*id)) {
            (AnyId::Organization(organization), _) => {
                owners.insert(*id, *organization);
            }
            (_, Some(table)) => by_table.entry(table).or_default().push(*id),
            (_, None) => {}
        }
    }
    for (table, ids) in by_table {
        let mut sql = Sql::new("SELECT id, organization_id FROM ");
        sql.push(table)
            .push(" WHERE realm_id = ")
            .bind(tx.realm)
            .push(" AND id")
            .within(ids.iter().map(|id| id.uuid()));
        for row in tx.query_all_raw(sql.statement(tx)).await? {
            let found: uuid::Uuid = row.try_get("", "id")?;
            if let Some(id) = ids.iter().find(|id| id.uuid() == found) {
                owners.insert(*id, row.try_get("", "organization_id")?);
            }
        }
    }
    Ok(owners)
}

/// The tables whose rows belong to one organization and can be a command's subject.
fn owner_table(id: AnyId) -> Option<&'static str> {
    Some(match id {
        AnyId::Organization(_) => "organization",
        AnyId::ApiKey(_) => "api_key",
        AnyId::Hold(_) => "hold",
        AnyId::WebhookEndpoint(_) => "webhook_endpoint",
        AnyId::Delivery(_) => "delivery",
        AnyId::Project(_) => "project",
        AnyId::Seller(_) => "seller",
        AnyId::Buyer(_) => "buyer",
        AnyId::Invoice(_) => "invoice",
        AnyId::Member(_) => "member",
        _ => return None,
    })
}

/// Reads key, paths and status again, inside the transaction: what was revoked or suspended since the request began is
/// refused here.
async fn authorize(tx: &Tx, subject: &Subject, permission: Permission) -> Result<Option<Target>> {
    let wanted = match subject {
        Subject::Platform => None,
        Subject::Organization(named) => {
            Some(named.or(tx.caller.acting_organization()).ok_or_else(name_an_organization)?)
        }
        Subject::OwnerOf(id) => Some(owner(tx, *id).await?),
    };
    match &tx.caller.principal {
        Principal::Anonymous => Err(unauthenticated().into()),
        Principal::System => Ok(match wanted {
            Some(wanted) => Some(target_of_all(tx, wanted).await?),
            None => None,
        }),
        Principal::Operator(key) => {
            access_store::operator_key(tx, *key).await?.ok_or_else(unauthenticated)?;
            Ok(match wanted {
                Some(wanted) => Some(target_of_all(tx, wanted).await?),
                None => None,
            })
        }
        Principal::ApiKey(key) => {
            let found = access_store::key_and_paths(tx, key.realm, key.key, wanted).await?;
            let found = found.ok_or_else(unauthenticated)?;
            check_key(&found, tx.now)?;
            let Some(wanted) = wanted else {
                return Err(denied(permission, &policy::Denial::OperatorOnly).into());
            };
            let path = if wanted == found.key.organization_id { Some(found.own) } else { found.target };
            let path = path.ok_or_else(Refusal::not_found)?;
            let reach = policy::reach(found.key.organization_id, &path).ok_or_else(Refusal::not_found)?;
            let scopes = Scopes::new(found.key.scopes.0);
            policy::decide(&scopes, reach, permission).map_err(|denial| denied(permission, &denial))?;
            Ok(Some(Target { path, reach, scopes }))
        }
    }
}

async fn target_of_all(tx: &Tx, wanted: OrganizationId) -> Result<Target> {
    let mut paths = access_store::paths(tx, &[tx.realm], &[wanted]).await?;
    let (_, path) = paths.remove(&wanted).ok_or_else(Refusal::not_found)?;
    Ok(Target { path, reach: Reach::Operator, scopes: Scopes::all_known() })
}

pub(crate) fn denied(permission: Permission, denial: &policy::Denial) -> Refusal {
    Refusal::new(ErrorCode::ForbiddenScope, denial.message(permission))
}

/// Whether a key may be used at all at this moment: not revoked, not expired, its organization and every ancestor active.
pub(crate) fn check_key(found: &access_store::KeyAndPaths, now: entity::timestamp::Timestamp) -> Result<(), Refusal> {
    let expired = found.key.expires_at.is_some_and(|at| at <= now);
    if found.key.revoked_at.is_some() || expired {
        return Err(unauthenticated());
    }
    status_refusal(found.own.effective_status()).map_or(Ok(()), Err)
}

/// What stands in the way of an organization that is not active.
pub(crate) fn status_refusal(status: EffectiveStatus) -> Option<Refusal> {
    match status {
        EffectiveStatus::Active => None,
        EffectiveStatus::Suspended { by } => Some(
            Refusal::new(
                ErrorCode::OrganizationSuspended,
                format!("{by} is suspended. Whoever suspended it can resume it; retrying does not help."),
            )
            .with(Detail::Status { organization: by, archived: false }),
        ),
        EffectiveStatus::Archived { by } => Some(
            Refusal::new(ErrorCode::OrganizationArchived, format!("{by} is archived, which is final."))
                .with(Detail::Status { organization: by, archived: true }),
        ),
    }
}

/// Refuses an organization whose status does not allow the act. Its own end is a `CONFLICT`: the act came too late.
fn stands(standing: Standing, target: &Target) -> Result<(), Refusal> {
    match (standing, standing.check(&target.path)) {
        (_, Ok(())) => Ok(()),
        (Standing::Live, Err(_)) => Err(Refusal::conflict(format!("{} is archived, which is final.", target.id()))),
        (_, Err(status)) => status_refusal(status).map_or(Ok(()), Err),
    }
}

/// SHA-256 over the operation and its input without the idempotency key, in a fixed order of fields.
pub(crate) fn input_hash<C: Serialize>(name: &str, command: &C) -> Result<String> {
    let mut input = serde_json::to_value(command).map_err(|e| Fault::caused_by("a command does not serialize", e))?;
    if let serde_json::Value::Object(fields) = &mut input {
        fields.remove("idempotency_key");
    }
    let mut hasher = Sha256::new();
    hasher.update(name.as_bytes());
    hasher.update([0]);
    hasher.update(input.to_string().as_bytes());
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

async fn first_answer<C: Command>(tx: &Tx, key: &str, hash: &str) -> Result<Option<C::Output>> {
    check_idempotency_key(key)?;
    let id = (tx.realm, tx.caller.principal.actor_id(), C::NAME.to_owned(), key.to_owned());
    let Some(found) = idempotency_record::Entity::find_by_id(id).one(tx).await? else { return Ok(None) };
    if found.expires_at <= tx.now {
        return Ok(None);
    }
    if found.input_hash != hash {
        return Err(idempotency_conflict(C::NAME).into());
    }
    let output = serde_json::from_str(&found.result)
        .map_err(|e| Fault::caused_by(format!("the kept answer of {} does not read back", C::NAME), e))?;
    Ok(Some(output))
}

pub(super) fn check_idempotency_key(key: &str) -> Result<(), Refusal> {
    if key.is_empty() || key.chars().count() > IDEMPOTENCY_KEY_MAX_CHARS {
        let message = format!("An idempotency key has 1 to {IDEMPOTENCY_KEY_MAX_CHARS} characters.");
        return Err(Refusal::invalid("idempotencyKey", message));
    }
    Ok(())
}

pub(super) fn idempotency_conflict(name: &str) -> Refusal {
    let message = format!("This idempotency key was first used for another {name}. Use a new key.");
    Refusal::new(ErrorCode::IdempotencyConflict, message).at("idempotencyKey")
}

/// A record is looked up before it is written, so what stands in its place has expired.
pub(super) fn replace_expired() -> OnConflict {
    use idempotency_record::Column;
    OnConflict::columns([Column::RealmId, Column::ActorId, Column::Operation, Column::IdempotencyKey])
        .update_columns([Column::InputHash, Column::Result, Column::CreatedAt, Column::ExpiresAt])
        .to_owned()
}

async fn keep_answer<T: serde::Serialize>(tx: &Tx, name: &str, key: String, hash: String, answer: &T) -> Result<()> {
    let result = serde_json::to_string(answer).map_err(|e| Fault::caused_by("an answer does not serialize", e))?;
    idempotency_record::Entity::insert(idempotency_record::ActiveModel {
        realm_id: Set(tx.realm),
        actor_id: Set(tx.caller.principal.actor_id()),
        operation: Set(name.to_owned()),
        idempotency_key: Set(key),
        input_hash: Set(hash),
        result: Set(result),
        created_at: Set(tx.now),
        expires_at: Set(tx.now.plus(IDEMPOTENCY_KEPT)),
    })
    .on_conflict(replace_expired())
    .exec_without_returning(tx)
    .await?;
    Ok(())
}

/// Writes audit entry and events under consecutive sequence numbers of the realm.
async fn record(tx: &mut Tx, name: &'static str, subject: &Subject, sequence: i64) -> Result<()> {
    let mut next = sequence + 1;
    let (organization, path) = match (tx.audited.take(), &tx.target) {
        (Some((organization, path)), _) => (Some(organization), path),
        (None, Some(target)) => (Some(target.id()), target.path.ids().collect()),
        (None, None) => (None, Vec::new()),
    };
    let change = std::mem::take(&mut tx.change);
    let about = About { caller: &tx.caller, action: name, organization, target: subject.part(), path, change };
    let entry = audit_entry(tx, about, next, AuditOutcome::Done);
    audit_event::Entity::insert(entry).exec_without_returning(&*tx).await?;
    let events = std::mem::take(&mut tx.events);
    if !events.is_empty() {
        let mut rows = Vec::with_capacity(events.len());
        for event in events {
            next += 1;
            rows.push(event::ActiveModel {
                realm_id: Set(tx.realm),
                sequence: Set(next),
                id: Set(tx.id::<EventId>()),
                event_type: Set(event.event_type.to_owned()),
                organization_id: Set(event.organization),
                path: Set(Json(event.path)),
                data: Set(Json(event.data)),
                occurred_at: Set(tx.now),
            });
        }
        event::Entity::insert_many(rows).exec_without_returning(&*tx).await?;
    }
    advance_realm(tx, next).await
}

/// What an audit entry is about.
pub(super) struct About<'a> {
    pub caller: &'a Caller,
    pub action: &'static str,
    pub organization: Option<OrganizationId>,
    /// What it was done to; the organization when there is nothing more exact.
    pub target: Option<AnyId>,
    /// The organization's path at this moment, itself first.
    pub path: Vec<OrganizationId>,
    pub change: serde_json::Map<String, serde_json::Value>,
}

pub(super) fn audit_entry(tx: &Tx, about: About<'_>, sequence: i64, outcome: AuditOutcome) -> audit_event::ActiveModel {
    let principal = &about.caller.principal;
    let actor: Option<uuid::Uuid> = match principal {
        Principal::ApiKey(key) => Some(key.key.uuid()),
        Principal::Operator(key) => Some(key.uuid()),
        Principal::Anonymous | Principal::System => None,
    };
    audit_event::ActiveModel {
        realm_id: Set(tx.realm),
        sequence: Set(sequence),
        id: Set(tx.id()),
        organization_id: Set(about.organization),
        path: Set(Json(about.path)),
        acting_organization_id: Set(about.caller.acting_organization()),
        actor_kind: Set(principal.kind()),
        actor_id: Set(actor),
        action: Set(about.action.to_owned()),
        target_id: Set(about.target.or(about.organization.map(AnyId::from)).map(|id| id.to_string())),
        outcome: Set(outcome),
        change: Set(Json(serde_json::Value::Object(about.change))),
        request_id: Set(about.caller.request_id),
        address: Set(about.caller.address.map(|address| address.to_string())),
        created_at: Set(tx.now),
    }
}
