//! Whether anybody is let in after they were cut off, and what it costs to know.
//!
//! `cargo run --release -p tests --bin kill-switch` starts what it needs: a durable PostgreSQL of its own from the installed
//! binaries, and gateways as processes of their own on loopback. In every round connections to four gateways ask with one
//! key; one gateway is stopped in its tracks (SIGSTOP); another revokes the key, suspends the organization above it, or
//! archives its own; and then the stopped one goes on. A request that was sent after the answer of the cut had arrived must
//! be refused, whichever gateway it was sent to. Some of those to the stopped gateway are sent while it is stopped.
//!
//! Then a gateway whose way to the database is cut must refuse, and the same gateway is measured with the check and without
//! any: in turns, so that a machine that slows down slows both. It ends with 1 when anybody was let in. `--short` shows that
//! it runs; its figures mean nothing.

mod ask;
mod cost;
#[path = "../gateway.rs"]
mod gateway;
mod proxy;
mod race;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Args, Parser, Subcommand};
use serde_json::json;

use crate::ask::{Connection, MakeBody, Operator, Verdict, charge, who_am_i};
use crate::gateway::Gateway;
use crate::proxy::{Proxy, Way};
use crate::race::{CUTS, Round, Tally};

const GATEWAYS: usize = 4;
/// One round in so many moves credits as well; there a stopped gateway may hold its realm, which makes the cut wait.
const ROUNDS_PER_CHARGES: usize = 20;
/// The most of its throughput that the check may cost a gateway.
const COST_BAR: f64 = 0.10;

#[derive(Parser)]
#[command(about = "Proves that whoever is cut off is refused at once by every gateway.")]
struct Cli {
    #[command(subcommand)]
    command: Option<Word>,
    #[command(flatten)]
    run: Run,
}

#[derive(Args)]
struct Run {
    /// Tries everything for a moment; the figures mean nothing.
    #[arg(long)]
    short: bool,
    /// Racing requests in all rounds together, at least.
    #[arg(long, default_value_t = 1_000_000)]
    requests: usize,
    /// Requests of each connection in a round after the cut.
    #[arg(long, default_value_t = 120)]
    after: usize,
    /// How often the cost is measured, each time for four seconds.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// A durable PostgreSQL to use instead of one of its own; an own database is made there and dropped.
    #[arg(long)]
    postgres_url: Option<String>,
}

/// What the program starts itself as: gateways that end when their standard input does.
#[derive(Subcommand)]
enum Word {
    #[command(hide = true)]
    Gateway(Where),
    #[command(hide = true)]
    Checked(Where),
    #[command(hide = true)]
    Unchecked(Where),
}

#[derive(Args)]
struct Where {
    #[arg(long)]
    database_url: String,
    #[arg(long)]
    data: PathBuf,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime starts");
    runtime.block_on(async {
        match cli.command {
            Some(Word::Gateway(at)) => gateway::serve(at.database_url, at.data).await,
            Some(Word::Checked(at)) => cost::serve(at.database_url, at.data, true).await,
            Some(Word::Unchecked(at)) => cost::serve(at.database_url, at.data, false).await,
            None => run(&cli.run).await,
        }
    })
}

async fn run(run: &Run) -> ExitCode {
    let postgres = match &run.postgres_url {
        Some(url) => tests::postgres::durable_database_at(url).await,
        None => tests::postgres::durable_database().await,
    };
    let Some(database) = postgres else {
        println!("PostgreSQL is not here: several gateways need one.");
        return ExitCode::SUCCESS;
    };
    let directory = tempfile::tempdir().expect("a directory is made");
    let operator = {
        let app = gateway::app(&database.url, directory.path()).await;
        let key = banyan::seed::operator_key(&app, "kill-switch").await.expect("an operator key is made");
        app.kernel.db.close().await.expect("the database closes");
        key.reveal().to_owned()
    };
    let let_in = races(run, &database.url, directory.path(), &operator).await
        + cut_off(run, &database.url, directory.path(), &operator).await;
    costs(run, &database.url, directory.path(), &operator).await;
    database.drop().await;
    if run.short {
        println!("A short run: the figures mean nothing.");
    }
    if let_in == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Answers how many were let in after they were cut off.
async fn races(run: &Run, url: &str, data: &Path, operator: &str) -> usize {
    let mut gateways = Vec::new();
    for _ in 0..GATEWAYS {
        gateways.push(Gateway::start(url, data).await);
    }
    let root = Operator::at(gateways[0].address, operator).await.create(json!({ "name": "Root" })).await;
    let wanted = if run.short { 1 } else { run.requests };
    let rounds_min = if run.short { CUTS.len() } else { 0 };
    let (mut tally, mut charging) = (Tally::default(), Tally::default());
    let mut took: Vec<Vec<Duration>> = vec![Vec::new(); CUTS.len()];
    let mut took_charging = Vec::new();
    let mut number = 0;
    while tally.requests < wanted || number < rounds_min {
        let charges = number % ROUNDS_PER_CHARGES == 1;
        let kind = number % CUTS.len();
        let stopped = number % GATEWAYS;
        let round = Round {
            cut: CUTS[kind],
            charges,
            stopped,
            by: (stopped + 1) % GATEWAYS,
            after: if run.short { 5 } else { run.after },
        };
        let (seen, time) = race::run(&gateways, operator, &root, number, &round).await;
        if seen.accepted_after > 0 {
            println!("round {number}: {:?} on gateway {}: {seen:?}", round.cut, round.by);
        }
        tally.add(&seen);
        if charges {
            charging.add(&seen);
            took_charging.push(time);
        } else {
            took[kind].push(time);
        }
        number += 1;
    }
    println!("| {number} rounds on {GATEWAYS} gateways, one of them stopped while the cut is made | |\n|---|---|");
    println!("| racing requests | {} |", tally.requests);
    println!("| accepted before the cut | {} |", tally.accepted_before);
    println!("| sent after its answer: refused | {} |", tally.refused_after);
    println!("| sent after its answer: told to come back | {} |", tally.unknown_after);
    println!("| failed in the gateway, whenever sent | {} |", tally.failed);
    println!("| of those sent after, to the gateway that was stopped, while it was | {} |", tally.while_stopped);
    println!("| of all, in rounds that move credits | {} |", charging.requests);
    println!("| **sent after its answer: accepted** | **{}** |", tally.accepted_after);
    for (kind, took) in took.iter_mut().enumerate() {
        println!("| {} under this load, {} | {} |", CUTS[kind].field(), took.len(), spread(took));
    }
    let stopped_holding = took_charging.len();
    println!("| any of them while credits move, {stopped_holding} | {} |", spread(&mut took_charging));
    for gateway in gateways {
        gateway.stop().await;
    }
    tally.accepted_after
}

fn spread(took: &mut [Duration]) -> String {
    took.sort_unstable();
    let at = |share: f64| {
        let index = (took.len() as f64 * share).ceil() as usize;
        took.get(index.clamp(1, took.len().max(1)) - 1).copied().unwrap_or_default().as_secs_f64() * 1e3
    };
    format!("p50 {:.1} ms, p99 {:.1} ms, longest {:.1} ms", at(0.5), at(0.99), at(1.0))
}

/// A gateway that cannot reach its database recognises nobody, and everybody again when it can.
async fn cut_off(run: &Run, url: &str, data: &Path, operator: &str) -> usize {
    let proxy = Proxy::before(url).await;
    let near = Gateway::start(url, data).await;
    let far = Gateway::start(&proxy.url, data).await;
    let mut hand = Operator::at(near.address, operator).await;
    let organization = hand.create(json!({ "name": "Cut off" })).await;
    let mut accepted = 0;
    let ways = if run.short { &[Way::Severed][..] } else { &[Way::Severed, Way::Silent][..] };
    for way in ways {
        let (key, secret) = hand.mint(&organization).await;
        let authorization = format!("Bearer {secret}");
        let mut connection = Connection::open(far.address).await;
        assert_eq!(connection.ask(&authorization, who_am_i()).await, Verdict::Accepted);
        proxy.set(*way);
        let begun = Instant::now();
        let mut verdicts = vec![connection.ask(&authorization, who_am_i()).await];
        let refused_after = begun.elapsed();
        hand.run("apiKeyRevoke", json!({ "apiKeyId": key }), "__typename").await;
        verdicts.push(connection.ask(&authorization, who_am_i()).await);
        accepted += verdicts.iter().filter(|verdict| **verdict == Verdict::Accepted).count();
        proxy.set(Way::Open);
        let again = Instant::now();
        let last = until_told(&far, &authorization).await;
        accepted += usize::from(last == Verdict::Accepted);
        println!(
            "| gateway {way:?} from its database | {verdicts:?} after {:.2} s; then {last:?} after {:.2} s |",
            refused_after.as_secs_f64(),
            again.elapsed().as_secs_f64()
        );
    }
    let (_, secret) = hand.mint(&organization).await;
    assert_eq!(until_told(&far, &format!("Bearer {secret}")).await, Verdict::Accepted, "it works again");
    far.stop().await;
    near.stop().await;
    accepted
}

/// Asks until the gateway reaches its database again.
async fn until_told(gateway: &Gateway, authorization: &str) -> Verdict {
    let mut connection = Connection::open(gateway.address).await;
    for _ in 0..100 {
        let verdict = connection.ask(authorization, who_am_i()).await;
        if verdict != Verdict::Unknown {
            return verdict;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Verdict::Unknown
}

async fn costs(run: &Run, url: &str, data: &Path, operator: &str) {
    let time = if run.short { Duration::from_millis(200) } else { Duration::from_secs(4) };
    let checked = Gateway::start_as("checked", url, data).await;
    let unchecked = Gateway::start_as("unchecked", url, data).await;
    let mut hand = Operator::at(checked.address, operator).await;
    let mut secrets = Vec::new();
    for number in 0..8 {
        let organization = hand.create(json!({ "name": format!("Cost {number}") })).await;
        secrets.push(hand.mint(&organization).await.1);
    }
    println!(
        "\n| the check's share of a gateway's throughput, 64 connections, medians | with | without | share | bar |\n|---|---|---|---|---|"
    );
    let kinds: [(&str, MakeBody); 3] =
        [("who am I: nothing but the check", who_am_i), ("a page of a list", page), ("a charge", charge)];
    for (name, body) in kinds {
        let (mut with, mut without) = (Vec::new(), Vec::new());
        for _ in 0..if run.short { 1 } else { run.rounds } {
            for (gateway, figures) in [(&checked, &mut with), (&unchecked, &mut without)] {
                figures.push(cost::per_second(gateway.address, &secrets, body, time).await);
            }
        }
        let (with, without) = (median(&mut with), median(&mut without));
        let share = 1.0 - with / without;
        let verdict = if share <= COST_BAR { "reached" } else { "missed" };
        println!(
            "| {name} | {with:.0}/s | {without:.0}/s | {:.1} % | ≤ {:.0} %: {verdict} |",
            share * 1e2,
            COST_BAR * 1e2
        );
    }
    checked.stop().await;
    unchecked.stop().await;
}

/// What a page of an application asks.
fn page() -> String {
    r#"{"query":"{ viewer { organization { name effectiveStatus children(first: 25) { nodes { id name } } } } }"}"#
        .to_owned()
}

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}
