//! The one write path: authorize, deduplicate, lock, run, audit, emit, commit, retry.

use std::time::Duration;

use entity::audit_event;
use entity::id::{AnyId, RealmId};
use entity::kind::AuditOutcome;
use sea_orm::EntityTrait;

use crate::access::fields::{self, Needs};
use crate::access::principal::{Caller, Principal};
use crate::access::store as access_store;
use crate::kernel::authorize::{authorize, denied, name_an_organization, owner_realm, stands, unauthenticated};
use crate::kernel::command::{Command, Executed, Subject};
use crate::kernel::error::{Error, ErrorCode, Refusal, Result};
use crate::kernel::record::{About, audit_entry, record};
use crate::kernel::tx::Tx;
use crate::kernel::{Kernel, idempotency, realm};

/// How often a command is tried when the database asks for a retry.
const ATTEMPTS_MAX: u32 = 6;
/// The first pause between tries; it doubles, with jitter.
const RETRY_DELAY_MS: u64 = 5;

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
        let home = self.realm_of(caller, &subject).await?;
        let mut tx = self.begin(home, caller).await?;
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
        let sequence = realm::lock(tx).await?;
        tx.target = authorize(tx, subject, C::PERMISSION).await?;
        if let Some(target) = &tx.target {
            let placed = C::PLACE.check(target.reach, &target.path);
            placed.map_err(|denial| denied(C::PERMISSION, &denial))?;
        }
        let key = command.idempotency_key().map(str::to_owned);
        let hash = idempotency::input_hash(C::NAME, command)?;
        if let Some(key) = &key
            && let Some(output) = idempotency::first_answer::<C>(tx, key, &hash).await?
        {
            return Ok(Executed { output, replayed: true, target: tx.target.take() });
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
            idempotency::keep_answer(tx, C::NAME, key, hash, &kept).await?;
        }
        Ok(Executed { output, replayed: false, target: tx.target.take() })
    }

    /// Which realm the command writes in. The operator belongs to none, so the subject decides.
    pub(crate) async fn realm_of(&self, caller: &Caller, subject: &Subject) -> Result<RealmId> {
        if let Principal::ApiKey(key) = &caller.principal {
            return Ok(key.realm);
        }
        let snapshot = self.db.snapshot();
        match subject {
            Subject::Platform => Ok(realm::platform_realm()),
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
            let sequence = realm::lock(&mut tx).await?;
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
            realm::advance(&tx, sequence + 1).await?;
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
