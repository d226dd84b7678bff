//! A gateway killed with SIGKILL at random moments, while clients spend and a webhook receiver listens: what was committed
//! is whole, and everybody hears of it once.
//!
//! A round starts the program, lets clients work for a random while, kills it, and looks at what is in the database.
//! Clients whose answer was lost ask again in the next round under the same idempotency key, as clients do. In the end all
//! of them are answered, every webhook has arrived, and `ledger verify` and `audit verify` find nothing.
//!
//! `BANYAN_CRASH_ROUNDS=200 cargo test -p tests --test it -- crash` is CI's share, 5000 the long one; `BANYAN_CRASH_SEED`
//! repeats the moments of a run.

mod clients;
mod evidence;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use tests::{Receiver, Store, postgres};
use tokio::sync::Notify;

use crate::crash::clients::{Client, Clients};
use crate::crash::evidence::Evidence;
use crate::program::{Gateway, program};

/// Rounds when nothing is said.
const ROUNDS: u64 = 3;
/// How long a gateway lives after its first answer, in milliseconds; every fourth is counted from when it listens, so that
/// some die before anybody was answered.
const LIFE_MS: std::ops::Range<u64> = 0..500;
const EARLY_EVERY: u64 = 4;
/// The longest a gateway may take to answer anybody.
const ANSWER_DEADLINE: Duration = Duration::from_secs(60);
/// Organizations that spend, each with a key of its own.
const CHILDREN: usize = 3;
/// Clients of each key, so that charges come together.
const CLIENTS_PER_KEY: usize = 2;
/// More than any run spends.
const CREDITS: i64 = 1_000_000_000;
/// The longest the last gateway may take to bring out one more of what waits: how much that is grows with the rounds.
const DRAIN_DEADLINE: Duration = Duration::from_secs(120);

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

#[test]
fn nothing_is_lost_or_doubled_when_a_gateway_is_killed_on_sqlite() {
    run(Store::Sqlite);
}

#[test]
fn nothing_is_lost_or_doubled_when_a_gateway_is_killed_on_postgres() {
    run(Store::Postgres);
}

fn run(store: Store) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime starts").block_on(async {
        let data = tempfile::tempdir().expect("a directory is made");
        match store {
            Store::Sqlite => {
                let url = format!("sqlite://{}", data.path().join("banyan.db").display());
                rounds(store, &url, data.path()).await;
            }
            Store::Postgres => match postgres::fresh_database().await {
                None => println!("not run: {}", postgres::NONE_FOUND),
                Some(database) => {
                    rounds(store, &database.url, data.path()).await;
                    database.drop().await;
                }
            },
        }
    });
}

fn banyan(url: &str, data: &Path) -> Command {
    let mut command = program(data);
    command.args(["--database-url", url, "--demo", "false", "--webhook-http-loopback", "true"]);
    command
}

fn start(url: &str, data: &Path) -> Gateway {
    tokio::task::block_in_place(|| Gateway::start_with(banyan(url, data)))
}

async fn rounds(store: Store, url: &str, data: &Path) {
    let seed = setting("BANYAN_CRASH_SEED", rand::random::<u32>().into());
    let count = setting("BANYAN_CRASH_ROUNDS", ROUNDS);
    println!("BANYAN_CRASH_SEED={seed} BANYAN_CRASH_ROUNDS={count}");
    let mut random = StdRng::seed_from_u64(seed);
    let receiver = Receiver::start().await;
    let mut clients = set_up(url, data, &receiver.url).await;
    let mut evidence = Evidence::begin(url).await;
    let begun = Instant::now();
    for round in 0..count {
        postgres::touch();
        evidence.let_leases_run_out().await;
        let gateway = start(url, data);
        let life = Duration::from_millis(random.random_range(LIFE_MS));
        let address = gateway.url.clone();
        let first = Notify::new();
        let killed = async {
            if round % EARLY_EVERY != EARLY_EVERY - 1 {
                tokio::time::timeout(ANSWER_DEADLINE, first.notified()).await.expect("somebody is answered");
            }
            tokio::time::sleep(life).await;
            tokio::task::block_in_place(|| gateway.kill());
        };
        tokio::join!(clients.work(&address, round, &first), killed);
        evidence.quiet().await;
        evidence.look(clients.answered()).await;
        evidence.arrived(&receiver.take());
    }
    let killed_for = begun.elapsed();

    // The last one lives: everybody gets their answer, and everything arrives.
    evidence.let_leases_run_out().await;
    let gateway = start(url, data);
    clients.settle(&gateway.url).await;
    let waited = evidence.waiting().await;
    let (mut waiting, mut since) = (waited, Instant::now());
    while waiting > 0 {
        assert!(since.elapsed() < DRAIN_DEADLINE, "{waiting} of {waited} webhooks that waited are not brought out");
        tokio::time::sleep(Duration::from_millis(50)).await;
        let left = evidence.waiting().await;
        if left < waiting {
            (waiting, since) = (left, Instant::now());
        }
    }
    tokio::task::block_in_place(|| gateway.terminate());
    evidence.look(clients.answered()).await;
    evidence.arrived(&receiver.take());
    evidence.conclude(clients.asked()).await;
    for check in [["ledger", "verify"], ["audit", "verify"]] {
        let output = banyan(url, data).args(check).output().expect("the program runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
    let each = killed_for.as_secs_f64() / count.max(1) as f64;
    println!("{store:?}: {count} rounds of {each:.2} s: {evidence}; {waited} webhooks waited for the last gateway");
}

/// A root and its children, keys for them, and an endpoint that hears of everything.
async fn set_up(url: &str, data: &Path, hook: &str) -> Clients {
    let key = banyan(url, data).arg("operator-key").output().expect("the program runs");
    assert!(key.status.success(), "{}", String::from_utf8_lossy(&key.stderr));
    let operator = String::from_utf8(key.stdout).expect("a key is text").trim().to_owned();
    let gateway = start(url, data);
    let ask = async |field: &str, input: Value, selection: &str| {
        let mut answer = run_mutation(&gateway, &operator, field, input, selection).await;
        answer["data"]["answer"].take()
    };
    let root = ask("organizationCreate", json!({ "name": "Quinn's" }), "organization { id }").await;
    let root = root["organization"]["id"].clone();
    let mut clients = Vec::new();
    for number in 0..CHILDREN {
        let input = json!({ "name": format!("Child {number}"), "parentId": root });
        let child = ask("organizationCreate", input, "organization { id }").await["organization"]["id"].clone();
        let grant = json!({ "organizationId": child, "amount": CREDITS, "idempotencyKey": format!("grant-{number}") });
        ask("creditGrant", grant, "wallet { balance }").await;
        let input = json!({
            "organizationId": child, "name": "spender", "scopes": ["credits:spend", "credits:read", "projects:*"],
        });
        let secret = ask("apiKeyCreate", input, "secret").await["secret"].as_str().expect("a secret").to_owned();
        for _ in 0..CLIENTS_PER_KEY {
            clients.push(Client::new(clients.len(), secret.clone()));
        }
    }
    let endpoint = json!({ "organizationId": root, "url": hook, "eventTypes": ["*"], "scope": "SUBTREE" });
    ask("webhookEndpointCreate", endpoint, "webhookEndpoint { id }").await;
    tokio::task::block_in_place(|| gateway.terminate());
    Clients::new(clients)
}

async fn run_mutation(gateway: &Gateway, key: &str, field: &str, input: Value, selection: &str) -> Value {
    let mut name = field[..1].to_uppercase();
    name.push_str(&field[1..]);
    let query = format!(
        "mutation($input: {name}Input!) {{ answer: {field}(input: $input) {{ {selection} userErrors {{ code message }} }} }}"
    );
    let answer = gateway.ask_with(Some(key), &query, json!({ "input": input })).await;
    assert_eq!(answer["data"]["answer"]["userErrors"], json!([]), "{field}: {answer}");
    answer
}
