//! Writing decisions: set-based, one statement per table however many decisions there are.

use std::collections::BTreeMap;

use entity::credits::Credits;
use entity::id::{BucketId, HoldId, OrganizationId, WalletId};
use entity::kind::{Account as AccountKind, CounterSubject, Environment};
use entity::{bucket, hold, hold_leg, ledger_entry, ledger_transaction};
use sea_orm::{ActiveModelTrait, IntoActiveModel};
use uuid::Uuid;

use crate::credit::engine::decision::{Account, Decision, HoldChange, Transaction, WalletChange};
use crate::credit::model::{self, Hold};
use crate::kernel::bundle::{Bundle, chunks};
use crate::kernel::error::{Fault, Result};
use crate::kernel::sql::Sql;
use crate::kernel::tx::Tx;

/// What a batch of decisions comes to.
#[derive(Default)]
struct Changes {
    /// With the version each had before the batch.
    wallets: BTreeMap<WalletId, (i64, WalletChange)>,
    buckets: BTreeMap<BucketId, (bool, bucket::Model)>,
    holds: BTreeMap<HoldId, (bool, Hold)>,
    counters: BTreeMap<(Environment, CounterSubject, Uuid, i64), Credits>,
    system: BTreeMap<(Environment, AccountKind), Credits>,
    transactions: Vec<ledger_transaction::Model>,
    entries: Vec<ledger_entry::Model>,
}

/// What to write for decisions, in the order they were made and applied.
pub fn decisions(tx: &Tx, decisions: &[Decision], writes: &mut Bundle) -> Result<()> {
    let mut changes = Changes::default();
    for decision in decisions {
        changes.add(tx, decision)?;
    }
    changes.wallets(tx, writes);
    changes.buckets(tx, writes);
    changes.holds(tx, writes);
    changes.counters(tx, writes);
    changes.system(tx, writes);
    insert(changes.transactions, writes);
    insert(changes.entries, writes);
    Ok(())
}

fn insert<M: IntoActiveModel<A>, A: ActiveModelTrait>(rows: Vec<M>, writes: &mut Bundle) {
    for chunk in chunks(rows) {
        writes.add(Sql::insert(chunk.into_iter().map(IntoActiveModel::into_active_model)));
    }
}

fn sum(a: Credits, b: Credits) -> Result<Credits, Fault> {
    a.checked_add(b).ok_or_else(|| Fault::new("a ledger figure left the range of credits"))
}

impl Changes {
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
            let before = change.version.saturating_sub(1);
            let (_, last) = self.wallets.entry(change.wallet).or_insert_with(|| (before, change.clone()));
            last.clone_from(change);
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

    fn wallets(&mut self, tx: &Tx, writes: &mut Bundle) {
        for chunk in chunks(std::mem::take(&mut self.wallets).into_values().collect()) {
            let touched = chunk.len();
            let row = |(before, change): (i64, WalletChange)| {
                let (state, reason) = model::refill_kind(change.refill);
                vec![
                    change.wallet.into(),
                    change.balance.into(),
                    change.held.into(),
                    state.into(),
                    reason.into(),
                    change.version.into(),
                    before.into(),
                ]
            };
            let mut sql = Sql::new("WITH v (id, balance, held, refill_state, refill_reason, version, before) AS (");
            sql.rows(chunk.into_iter().map(row).collect());
            sql.push(
                ") UPDATE wallet SET balance = v.balance, held = v.held, refill_state = v.refill_state,
                   refill_reason = v.refill_reason, version = v.version, updated_at = ",
            );
            sql.bind(tx.now()).push(" FROM v WHERE wallet.realm_id = ").bind(tx.realm()).push(" AND wallet.id = v.id");
            // The realm's lock has kept it so; were it not, nothing may be written over what somebody else wrote.
            sql.push(" AND wallet.version = v.before");
            writes.expect(sql, touched, "wallets");
        }
    }

    fn buckets(&mut self, tx: &Tx, writes: &mut Bundle) {
        let (opened, changed): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.buckets).into_values().partition(|(opened, _)| *opened);
        insert(opened.into_iter().map(|(_, row)| row).collect(), writes);
        for chunk in chunks(changed) {
            let touched = chunk.len();
            let rows = chunk.into_iter().map(|(_, row)| vec![row.id.into(), row.balance.into(), row.held.into()]);
            let mut sql = Sql::new("WITH v (id, balance, held) AS (");
            sql.rows(rows.collect());
            sql.push(") UPDATE bucket SET balance = v.balance, held = v.held FROM v WHERE bucket.realm_id = ");
            sql.bind(tx.realm()).push(" AND bucket.id = v.id");
            writes.expect(sql, touched, "buckets");
        }
    }

    fn holds(&mut self, tx: &Tx, writes: &mut Bundle) {
        let (opened, changed): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.holds).into_values().partition(|(opened, _)| *opened);
        let (holds, legs): (Vec<_>, Vec<_>) = opened.into_iter().map(|(_, hold)| (hold.row, hold.legs)).unzip();
        insert(holds, writes);
        insert(legs.into_iter().flatten().collect(), writes);
        let (holds, legs): (Vec<_>, Vec<_>) = changed.into_iter().map(|(_, hold)| (hold.row, hold.legs)).unzip();
        for chunk in chunks(holds) {
            let touched = chunk.len();
            let row = |row: hold::Model| {
                vec![row.id.into(), row.status.into(), row.captured.into(), row.refunded.into(), row.settled_at.into()]
            };
            let mut sql = Sql::new("WITH v (id, status, captured, refunded, settled_at) AS (");
            sql.rows(chunk.into_iter().map(row).collect());
            sql.push(
                ") UPDATE hold SET status = v.status, captured = v.captured, refunded = v.refunded,
                   settled_at = v.settled_at FROM v WHERE hold.realm_id = ",
            );
            sql.bind(tx.realm()).push(" AND hold.id = v.id");
            writes.expect(sql, touched, "holds");
        }
        for chunk in chunks(legs.into_iter().flatten().collect()) {
            let touched = chunk.len();
            let row = |leg: hold_leg::Model| {
                vec![leg.hold_id.into(), leg.position.into(), leg.captured.into(), leg.refunded.into()]
            };
            let mut sql = Sql::new("WITH v (hold_id, position, captured, refunded) AS (");
            sql.rows(chunk.into_iter().map(row).collect());
            sql.push(
                ") UPDATE hold_leg SET captured = v.captured, refunded = v.refunded FROM v WHERE hold_leg.realm_id = ",
            );
            sql.bind(tx.realm()).push(" AND hold_leg.hold_id = v.hold_id AND hold_leg.position = v.position");
            writes.expect(sql, touched, "legs");
        }
    }

    fn counters(&mut self, tx: &Tx, writes: &mut Bundle) {
        let counters = std::mem::take(&mut self.counters).into_iter().filter(|(_, delta)| !delta.is_zero());
        for chunk in chunks(counters.collect()) {
            let rows = chunk.into_iter().map(|((environment, kind, id, month), delta)| {
                vec![tx.realm().into(), kind.into(), id.into(), environment.into(), month.into(), delta.into()]
            });
            let mut sql =
                Sql::new("INSERT INTO spend_counter (realm_id, subject_kind, subject_id, environment, month, used) ");
            sql.rows(rows.collect()).push(
                " ON CONFLICT (realm_id, subject_kind, subject_id, environment, month)
                  DO UPDATE SET used = spend_counter.used + excluded.used",
            );
            writes.add(sql);
        }
    }

    fn system(&mut self, tx: &Tx, writes: &mut Bundle) {
        if self.system.is_empty() {
            return;
        }
        let rows = self.system.iter().map(|((environment, account), delta)| {
            vec![tx.realm().into(), (*environment).into(), (*account).into(), (*delta).into()]
        });
        let mut sql = Sql::new("INSERT INTO system_account (realm_id, environment, account, balance) ");
        sql.rows(rows.collect()).push(
            " ON CONFLICT (realm_id, environment, account)
              DO UPDATE SET balance = system_account.balance + excluded.balance",
        );
        writes.add(sql);
    }
}
