//! Writing decisions: set-based, one statement per table however many decisions there are.

use std::collections::BTreeMap;

use entity::credits::Credits;
use entity::id::{BucketId, HoldId, OrganizationId, WalletId};
use entity::kind::{Account as AccountKind, CounterSubject, Environment};
use entity::{bucket, hold, hold_leg, ledger_entry, ledger_transaction};
use sea_orm::{ConnectionTrait, EntityTrait, IntoActiveModel};
use uuid::Uuid;

use crate::credit::engine::decision::{Account, Decision, HoldChange, Transaction, WalletChange};
use crate::credit::model::{self, Hold};
use crate::kernel::error::{Fault, Result};
use crate::kernel::sql::Sql;
use crate::kernel::tx::Tx;

/// Rows of one INSERT or UPDATE; times columns this stays below SQLite's 32,766 bound values.
const ROWS_PER_STATEMENT: usize = 1_000;

/// What a batch of decisions comes to.
#[derive(Default)]
struct Writes {
    wallets: BTreeMap<WalletId, WalletChange>,
    buckets: BTreeMap<BucketId, (bool, bucket::Model)>,
    holds: BTreeMap<HoldId, (bool, Hold)>,
    counters: BTreeMap<(Environment, CounterSubject, Uuid, i64), Credits>,
    system: BTreeMap<(Environment, AccountKind), Credits>,
    transactions: Vec<ledger_transaction::Model>,
    entries: Vec<ledger_entry::Model>,
}

/// Writes decisions, in the order they were made and applied.
pub async fn decisions(tx: &Tx, decisions: &[Decision]) -> Result<()> {
    let mut writes = Writes::default();
    for decision in decisions {
        writes.add(tx, decision)?;
    }
    writes.wallets(tx).await?;
    writes.buckets(tx).await?;
    writes.holds(tx).await?;
    writes.counters(tx).await?;
    writes.system(tx).await?;
    for chunk in writes.transactions.chunks(ROWS_PER_STATEMENT) {
        let rows = chunk.iter().cloned().map(IntoActiveModel::into_active_model);
        ledger_transaction::Entity::insert_many(rows).exec_without_returning(tx).await?;
    }
    for chunk in writes.entries.chunks(ROWS_PER_STATEMENT) {
        let rows = chunk.iter().cloned().map(IntoActiveModel::into_active_model);
        ledger_entry::Entity::insert_many(rows).exec_without_returning(tx).await?;
    }
    Ok(())
}

fn sum(a: Credits, b: Credits) -> Result<Credits, Fault> {
    a.checked_add(b).ok_or_else(|| Fault::new("a ledger figure left the range of credits"))
}

impl Writes {
    fn add(&mut self, tx: &Tx, decision: &Decision) -> Result<()> {
        // What each wallet's balance was before this decision, so that entries can say what it was after each of them.
        let mut balances: BTreeMap<WalletId, Credits> = decision
            .wallets
            .iter()
            .map(|change| (change.wallet, change.balance.saturating_sub(change.balance_delta)))
            .collect();
        for transaction in &decision.transactions {
            self.transaction(tx, transaction, &mut balances)?;
        }
        for change in &decision.wallets {
            for changed in &change.buckets {
                let row = model::bucket_row(tx.realm(), change.wallet, &changed.bucket);
                let opened = changed.opened || self.buckets.get(&row.id).is_some_and(|(opened, _)| *opened);
                self.buckets.insert(row.id, (opened, row));
            }
            self.wallets.insert(change.wallet, change.clone());
        }
        for change in &decision.holds {
            let (opened, hold) = match change {
                HoldChange::Opened(hold) => (true, hold),
                HoldChange::Updated(hold) => (self.holds.get(&hold.id).is_some_and(|(opened, _)| *opened), hold),
            };
            self.holds.insert(hold.id, (opened, model::hold_rows(tx.realm(), hold)));
        }
        for change in &decision.counters {
            let (kind, id) = model::subject_of(change.counter.subject);
            let month = i64::from(change.counter.month.number());
            let total = self.counters.entry((change.environment, kind, id, month)).or_default();
            *total = sum(*total, change.delta)?;
        }
        Ok(())
    }

    fn transaction(
        &mut self,
        tx: &Tx,
        transaction: &Transaction,
        balances: &mut BTreeMap<WalletId, Credits>,
    ) -> Result<()> {
        let mut amount = Credits::ZERO;
        let mut counterparty: Option<OrganizationId> = None;
        for entry in &transaction.entries {
            if entry.amount.is_positive() {
                amount = sum(amount, entry.amount)?;
            }
            let (account, organization_id, wallet_id, bucket_id) = model::account_columns(entry.account);
            if let Account::System(_) = entry.account {
                let total = self.system.entry((transaction.environment, account)).or_default();
                *total = sum(*total, entry.amount)?;
            }
            if organization_id.is_some_and(|id| id != transaction.organization) {
                counterparty = organization_id;
            }
            let balance_after = match wallet_id {
                None => None,
                Some(wallet) => {
                    let balance = balances.entry(wallet).or_default();
                    *balance = sum(*balance, entry.amount)?;
                    Some(*balance)
                }
            };
            self.entries.push(ledger_entry::Model {
                realm_id: tx.realm(),
                id: entry.id,
                transaction_id: transaction.id,
                account,
                environment: transaction.environment,
                organization_id,
                wallet_id,
                bucket_id,
                amount: entry.amount,
                balance_after,
                created_at: transaction.created_at,
            });
        }
        self.transactions.push(ledger_transaction::Model {
            realm_id: tx.realm(),
            id: transaction.id,
            kind: transaction.kind,
            environment: transaction.environment,
            organization_id: transaction.organization,
            counterparty_id: counterparty,
            hold_id: transaction.hold,
            amount,
            description: transaction.note.description.as_deref().map(str::to_owned),
            metadata: model::metadata_of(&transaction.note),
            created_at: transaction.created_at,
        });
        Ok(())
    }

    async fn wallets(&self, tx: &Tx) -> Result<()> {
        let changes: Vec<&WalletChange> = self.wallets.values().collect();
        for chunk in changes.chunks(ROWS_PER_STATEMENT) {
            let mut sql = Sql::new("WITH v (id, balance, held, refill_state, refill_reason, version) AS (VALUES ");
            for (i, change) in chunk.iter().enumerate() {
                let (state, reason) = model::refill_kind(change.refill);
                sql.push(if i == 0 { "(" } else { ", (" });
                sql.bind(change.wallet).push(", ").bind(change.balance).push(", ").bind(change.held).push(", ");
                sql.bind(state).push(", ").bind(reason).push(", ").bind(change.version).push(")");
            }
            sql.push(
                ") UPDATE wallet SET balance = v.balance, held = v.held, refill_state = v.refill_state,
                   refill_reason = v.refill_reason, version = v.version, updated_at = ",
            );
            sql.bind(tx.now()).push(" FROM v WHERE wallet.realm_id = ").bind(tx.realm()).push(" AND wallet.id = v.id");
            expect_rows(tx, &sql, chunk.len(), "wallets").await?;
        }
        Ok(())
    }

    async fn buckets(&self, tx: &Tx) -> Result<()> {
        let (opened, changed): (Vec<_>, Vec<_>) = self.buckets.values().partition(|(opened, _)| *opened);
        for chunk in opened.chunks(ROWS_PER_STATEMENT) {
            let rows = chunk.iter().map(|(_, row)| row.clone().into_active_model());
            bucket::Entity::insert_many(rows).exec_without_returning(tx).await?;
        }
        for chunk in changed.chunks(ROWS_PER_STATEMENT) {
            let mut sql = Sql::new("WITH v (id, balance, held) AS (VALUES ");
            for (i, (_, row)) in chunk.iter().enumerate() {
                sql.push(if i == 0 { "(" } else { ", (" });
                sql.bind(row.id).push(", ").bind(row.balance).push(", ").bind(row.held).push(")");
            }
            sql.push(") UPDATE bucket SET balance = v.balance, held = v.held FROM v WHERE bucket.realm_id = ");
            sql.bind(tx.realm()).push(" AND bucket.id = v.id");
            expect_rows(tx, &sql, chunk.len(), "buckets").await?;
        }
        Ok(())
    }

    async fn holds(&self, tx: &Tx) -> Result<()> {
        let (opened, changed): (Vec<_>, Vec<_>) = self.holds.values().partition(|(opened, _)| *opened);
        for chunk in opened.chunks(ROWS_PER_STATEMENT) {
            let rows = chunk.iter().map(|(_, hold)| hold.row.clone().into_active_model());
            hold::Entity::insert_many(rows).exec_without_returning(tx).await?;
        }
        let legs: Vec<_> = opened.iter().flat_map(|(_, hold)| hold.legs.iter()).collect();
        for chunk in legs.chunks(ROWS_PER_STATEMENT) {
            let rows = chunk.iter().map(|leg| (*leg).clone().into_active_model());
            hold_leg::Entity::insert_many(rows).exec_without_returning(tx).await?;
        }
        for chunk in changed.chunks(ROWS_PER_STATEMENT) {
            let mut sql = Sql::new("WITH v (id, status, captured, refunded, settled_at) AS (VALUES ");
            for (i, (_, hold)) in chunk.iter().enumerate() {
                let row = &hold.row;
                sql.push(if i == 0 { "(" } else { ", (" });
                sql.bind(row.id).push(", ").bind(row.status).push(", ").bind(row.captured).push(", ");
                sql.bind(row.refunded).push(", ").bind(row.settled_at).push(")");
            }
            sql.push(
                ") UPDATE hold SET status = v.status, captured = v.captured, refunded = v.refunded,
                   settled_at = v.settled_at FROM v WHERE hold.realm_id = ",
            );
            sql.bind(tx.realm()).push(" AND hold.id = v.id");
            expect_rows(tx, &sql, chunk.len(), "holds").await?;
        }
        let legs: Vec<_> = changed.iter().flat_map(|(_, hold)| hold.legs.iter()).collect();
        for chunk in legs.chunks(ROWS_PER_STATEMENT) {
            let mut sql = Sql::new("WITH v (hold_id, position, captured, refunded) AS (VALUES ");
            for (i, leg) in chunk.iter().enumerate() {
                sql.push(if i == 0 { "(" } else { ", (" });
                sql.bind(leg.hold_id).push(", ").bind(leg.position).push(", ").bind(leg.captured).push(", ");
                sql.bind(leg.refunded).push(")");
            }
            sql.push(
                ") UPDATE hold_leg SET captured = v.captured, refunded = v.refunded FROM v WHERE hold_leg.realm_id = ",
            );
            sql.bind(tx.realm()).push(" AND hold_leg.hold_id = v.hold_id AND hold_leg.position = v.position");
            expect_rows(tx, &sql, chunk.len(), "legs").await?;
        }
        Ok(())
    }

    async fn counters(&self, tx: &Tx) -> Result<()> {
        let counters: Vec<_> = self.counters.iter().filter(|(_, delta)| !delta.is_zero()).collect();
        for chunk in counters.chunks(ROWS_PER_STATEMENT) {
            let mut sql = Sql::new(
                "INSERT INTO spend_counter (realm_id, subject_kind, subject_id, environment, month, used) VALUES ",
            );
            for (i, ((environment, kind, id, month), delta)) in chunk.iter().enumerate() {
                sql.push(if i == 0 { "(" } else { ", (" });
                sql.bind(tx.realm()).push(", ").bind(*kind).push(", ").bind(*id).push(", ").bind(*environment);
                sql.push(", ").bind(*month).push(", ").bind(**delta).push(")");
            }
            sql.push(
                " ON CONFLICT (realm_id, subject_kind, subject_id, environment, month)
                  DO UPDATE SET used = spend_counter.used + excluded.used",
            );
            tx.execute_raw(sql.statement(tx)).await?;
        }
        Ok(())
    }

    async fn system(&self, tx: &Tx) -> Result<()> {
        if self.system.is_empty() {
            return Ok(());
        }
        let mut sql = Sql::new("INSERT INTO system_account (realm_id, environment, account, balance) VALUES ");
        for (i, ((environment, account), delta)) in self.system.iter().enumerate() {
            sql.push(if i == 0 { "(" } else { ", (" });
            sql.bind(tx.realm()).push(", ").bind(*environment).push(", ").bind(*account).push(", ").bind(*delta);
            sql.push(")");
        }
        sql.push(
            " ON CONFLICT (realm_id, environment, account)
              DO UPDATE SET balance = system_account.balance + excluded.balance",
        );
        tx.execute_raw(sql.statement(tx)).await?;
        Ok(())
    }
}

async fn expect_rows(tx: &Tx, sql: &Sql, expected: usize, what: &str) -> Result<()> {
    let touched = tx.execute_raw(sql.statement(tx)).await?.rows_affected();
    if usize::try_from(touched).ok() != Some(expected) {
        return Err(Fault::new(format!("expected to update {expected} {what}, touched {touched}")).into());
    }
    Ok(())
}
