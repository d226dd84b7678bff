//! The same rows by hand: one transaction per charge, a statement for each table, everything by primary key.
//!
//! The texts are as long as those the gateway writes for the same charge; what is in them costs nothing here.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use banyan::kernel::clock::{Clock, Ids, SystemClock, SystemIds};
use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseConnection, Statement, TransactionTrait, Value};

use crate::figure::Sample;
use crate::scene::{Rows, Scene};

/// Characters of the texts that a charge writes: an idempotency record's result, a path.
const RESULT: usize = 1_350;
const PATH: usize = 66;

/// The ids that a charge makes, by what they are for.
const IDS: [&str; 7] = ["hold", "transaction", "debit", "credit", "audit", "request", "event"];

/// Each database's words for the same thing.
struct Words {
    /// A new id that differs by what it is for.
    id: fn(&str) -> String,
    filler: fn(usize) -> String,
    /// The realm's next number, and the wallet's balance after the charge.
    sequence: &'static str,
    balance: &'static str,
    now: &'static str,
}

fn statements(rows: &Rows, words: &Words) -> Vec<String> {
    let Rows { realm, root, child, family, wallet, bucket, counted, month } = rows;
    let Words { id, filler, sequence, balance, now } = words;
    let (hold, transaction) = (id("hold"), id("transaction"));
    let (result, path) = (filler(RESULT), filler(PATH));
    let count = |kind: &str, subject: &str| {
        format!(
            "INSERT INTO spend_counter (realm_id, subject_kind, subject_id, environment, month, used)
             VALUES ({realm}, '{kind}', {subject}, 'LIVE', {month}, 1)
             ON CONFLICT (realm_id, subject_kind, subject_id, environment, month) DO UPDATE SET used = spend_counter.used + 1"
        )
    };
    vec![
        format!(
            "UPDATE bucket SET balance = balance - 1 WHERE realm_id = {realm} AND id = {bucket} AND balance - held >= 1"
        ),
        count("OWN", child),
        count("SUBTREE", child),
        count("SUBTREE", root),
        count("FAMILY", family),
        format!(
            "INSERT INTO hold (realm_id, id, organization_id, environment, status, amount, captured, refunded, metadata,
               family_id, counted, created_at, expires_at, settled_at)
             VALUES ({realm}, {hold}, {child}, 'LIVE', 'CAPTURED', 1, 1, 0, '{{}}', {family}, '{counted}', {now}, {now}, {now})"
        ),
        format!(
            "INSERT INTO hold_leg (realm_id, hold_id, position, organization_id, wallet_id, bucket_id, amount, captured, refunded)
             VALUES ({realm}, {hold}, 0, {root}, {wallet}, {bucket}, 1, 1, 0)"
        ),
        format!(
            "INSERT INTO ledger_transaction (realm_id, id, kind, environment, organization_id, counterparty_id, hold_id,
               amount, metadata, created_at)
             VALUES ({realm}, {transaction}, 'CHARGE', 'LIVE', {child}, {root}, {hold}, 1, '{{}}', {now})"
        ),
        format!(
            "INSERT INTO ledger_entry (realm_id, id, transaction_id, account, environment, organization_id, wallet_id,
               bucket_id, amount, balance_after, created_at)
             VALUES ({realm}, {}, {transaction}, 'BUCKET', 'LIVE', {root}, {wallet}, {bucket}, -1, {balance}, {now}),
                    ({realm}, {}, {transaction}, 'SPENT', 'LIVE', NULL, NULL, NULL, 1, NULL, {now})",
            id("debit"),
            id("credit")
        ),
        format!(
            "INSERT INTO system_account (realm_id, environment, account, balance) VALUES ({realm}, 'LIVE', 'SPENT', 1)
             ON CONFLICT (realm_id, environment, account) DO UPDATE SET balance = system_account.balance + 1"
        ),
        format!(
            "INSERT INTO audit_event (realm_id, sequence, id, organization_id, path, actor_kind, actor_id, action,
               target_id, outcome, change, request_id, created_at)
             VALUES ({realm}, {sequence} - 1, {}, {child}, {path}, 'API_KEY', {family}, 'creditCharge', 'by hand', 'DONE',
               {path}, {}, {now})",
            id("audit"),
            id("request")
        ),
        format!(
            "INSERT INTO event (realm_id, sequence, id, event_type, organization_id, path, data, occurred_at)
             VALUES ({realm}, {sequence}, {}, 'credit.charged', {child}, {path}, {}, {now})",
            id("event"),
            filler(230)
        ),
        format!(
            "INSERT INTO idempotency_record (realm_id, actor_id, operation, idempotency_key, input_hash, result,
               created_at, expires_at)
             VALUES ({realm}, {family}, 'byHand', 'hand ' || {sequence}, {}, {result}, {now}, {now} + 2592000000000)",
            filler(64)
        ),
    ]
}

/// Runs the transaction with pgbench, prepared, and reads what it says.
pub async fn pgbench(url: &str, rows: &Rows, clients: usize, time: Duration) -> Sample {
    let words = Words {
        id: |what| format!("md5('{what}' || CAST(:sequence AS BIGINT))::uuid"),
        filler: |length| format!("repeat('x', {length})"),
        sequence: "CAST(:sequence AS BIGINT)",
        balance: "CAST(:balance AS BIGINT)",
        now: "CAST(extract(epoch FROM now()) * 1000000 AS BIGINT)",
    };
    let Rows { realm, wallet, .. } = rows;
    let mut script = format!(
        "BEGIN;\n\
         UPDATE wallet SET balance = balance - 1, version = version + 1 WHERE realm_id = {realm} AND id = {wallet} AND balance - held >= 1 RETURNING balance \\gset\n\
         UPDATE realm SET sequence = sequence + 2 WHERE realm_id = {realm} RETURNING sequence \\gset\n"
    );
    for statement in statements(rows, &words) {
        script.push_str(&statement.split_whitespace().collect::<Vec<_>>().join(" "));
        script.push_str(";\n");
    }
    script.push_str("COMMIT;\n");
    let directory = tempfile::tempdir().expect("a directory is made");
    let file = directory.path().join("charge.sql");
    std::fs::write(&file, script).expect("the script is written");
    let seconds = time.as_secs().max(1).to_string();
    let clients_text = clients.to_string();
    let output = tokio::task::block_in_place(|| {
        Command::new(program())
            .args([
                "-n",
                "-M",
                "prepared",
                "-c",
                &clients_text,
                "-j",
                if clients > 1 { "2" } else { "1" },
                "-T",
                &seconds,
                "-f",
            ])
            .arg(&file)
            .arg(url)
            .output()
    });
    let output = output.expect("pgbench runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    let figure = |label: &str| -> f64 {
        let line = said.lines().find_map(|line| line.strip_prefix(label)).unwrap_or_else(|| panic!("pgbench: {said}"));
        line.trim()
            .split(' ')
            .next()
            .and_then(|number| number.parse().ok())
            .unwrap_or_else(|| panic!("pgbench: {said}"))
    };
    Sample {
        per_second: figure("tps = "),
        typical: Duration::from_secs_f64(figure("latency average = ") / 1e3),
        batch: 1.0,
    }
}

/// pgbench lies beside the server's other programs.
fn program() -> PathBuf {
    tests::postgres::binaries()
        .map(|place| place.join("pgbench"))
        .filter(|program| program.is_file())
        .unwrap_or_else(|| PathBuf::from("pgbench"))
}

/// One writer after the other, as SQLite has them: one connection, prepared statements, a commit for each charge.
pub async fn sqlite(url: &str, scene: &Scene, time: Duration) -> Sample {
    let database = tests::postgres::connect_durably(url).await;
    let rows = scene.rows(&database).await;
    let words = Words {
        id: |what| {
            let place = IDS.iter().position(|id| *id == what).expect("the id is one of a charge's");
            format!("${}", place + 1)
        },
        filler: |length| format!("hex(zeroblob({}))", length / 2),
        sequence: "(SELECT sequence FROM realm WHERE realm_id = REALM)",
        balance: "(SELECT balance FROM wallet WHERE realm_id = REALM AND id = WALLET)",
        now: "CAST(unixepoch('subsec') * 1000000 AS INTEGER)",
    };
    let Rows { realm, wallet, .. } = &rows;
    let mut script = vec![
        format!(
            "UPDATE wallet SET balance = balance - 1, version = version + 1 WHERE realm_id = {realm} AND id = {wallet} AND balance - held >= 1"
        ),
        format!("UPDATE realm SET sequence = sequence + 2 WHERE realm_id = {realm}"),
    ];
    for statement in statements(&rows, &words) {
        script.push(statement.replace("REALM", realm).replace("WALLET", wallet));
    }
    let begin = Instant::now();
    let mut took = Vec::new();
    while begin.elapsed() < time {
        let began = Instant::now();
        charge(&database, &script).await;
        took.push(began.elapsed());
    }
    let elapsed = begin.elapsed();
    took.sort_unstable();
    Sample {
        per_second: took.len() as f64 / elapsed.as_secs_f64(),
        typical: took.get(took.len() / 2).copied().unwrap_or_default(),
        batch: 1.0,
    }
}

async fn charge(database: &DatabaseConnection, script: &[String]) {
    let ids: Vec<Value> = IDS.iter().map(|_| SystemIds.id(SystemClock.now()).into()).collect();
    let transaction = database.begin().await.expect("a transaction begins");
    for statement in script {
        let statement = Statement::from_sql_and_values(DatabaseBackend::Sqlite, statement, ids.clone());
        transaction.execute_raw(statement).await.expect("the statement is valid");
    }
    transaction.commit().await.expect("the transaction commits");
}
