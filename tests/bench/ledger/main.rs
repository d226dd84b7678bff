//! How fast charges are, against one transaction per charge written by hand on the same rows of the same database.
//!
//! `cargo run --release -p tests --bin ledger-bench` starts what it needs: a PostgreSQL of its own from the installed
//! binaries (with `pgbench`), durable; gateways as processes of their own on loopback; a SQLite file. Every figure is taken
//! once in each round, rounds follow each other, and the table has the medians, so that a machine that slows down slows
//! both sides of a ratio. `--short` shows that it runs, and says nothing about speed.

mod engine;
mod figure;
#[path = "../gateway.rs"]
mod gateway;
mod hand;
mod load;
mod scene;

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use sea_orm::{ConnectionTrait, Statement};

use crate::figure::{Series, Table};
use crate::gateway::Gateway;
use crate::scene::Scene;

/// Requests under way at once, and connections they come over.
const CONCURRENCY: usize = 64;
/// Wallets of the cold scene.
const COLD: u32 = 100_000;
const COLD_SHORT: u32 = 200;

#[derive(Parser)]
#[command(about = "Measures charges against hand-written transactions.")]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: Run,
}

#[derive(Args)]
struct Run {
    /// Tries everything for a moment; the figures mean nothing.
    #[arg(long)]
    short: bool,
    /// How often each figure is taken.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds each figure is measured for, each time.
    #[arg(long, default_value_t = 4.0)]
    seconds: f64,
    /// A durable PostgreSQL to use instead of one of its own; an own database is made there and dropped.
    #[arg(long)]
    postgres_url: Option<String>,
}

#[derive(Subcommand)]
enum Command {
    /// What the benchmark starts itself as: a gateway that ends when its standard input does.
    #[command(hide = true)]
    Gateway {
        #[arg(long)]
        database_url: String,
        #[arg(long)]
        data: std::path::PathBuf,
    },
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime starts");
    runtime.block_on(async {
        match cli.command {
            Some(Command::Gateway { database_url, data }) => gateway::serve(database_url, data).await,
            None => run(&cli.run).await,
        }
    })
}

async fn run(run: &Run) -> ExitCode {
    let rounds = if run.short { 1 } else { run.rounds };
    let time = if run.short { Duration::from_millis(300) } else { Duration::from_secs_f64(run.seconds) };
    let mut table = Table::default();
    let postgres = match &run.postgres_url {
        Some(url) => tests::postgres::durable_database_at(url).await,
        None => tests::postgres::durable_database().await,
    };
    match postgres {
        None => println!("PostgreSQL is not here: its figures are left out."),
        Some(database) => {
            on_postgres(&database.url, rounds, time, run.short, &mut table).await;
            database.drop().await;
        }
    }
    on_sqlite(rounds, time, &mut table).await;
    println!("{table}");
    if run.short {
        println!("A short run: the figures mean nothing.");
    }
    ExitCode::SUCCESS
}

async fn on_postgres(url: &str, rounds: usize, time: Duration, short: bool, table: &mut Table) {
    let database = tests::postgres::connect_to(url).await;
    let shown = |name: &'static str| {
        let database = database.clone();
        async move { text(&database, &format!("SHOW {name}")).await }
    };
    let version = shown("server_version").await;
    let fsync = shown("fsync").await;
    let commit = shown("synchronous_commit").await;
    assert!(fsync == "on" && commit == "on", "the figures are of durable commits: fsync {fsync}, commit {commit}");
    let directory = tempfile::tempdir().expect("a directory is made");
    let gateway = Gateway::start(url, directory.path()).await;
    let scene = Scene::make(&gateway, url, directory.path(), CONCURRENCY, if short { COLD_SHORT } else { COLD }).await;
    let rows = scene.rows(&database).await;
    table.setting(format!(
        "PostgreSQL {version}: fsync {fsync}, synchronous_commit {commit}; {CONCURRENCY} in flight; {rounds} rounds of {} s each",
        time.as_secs_f64()
    ));
    table.setting(format!(
        "hot: {CONCURRENCY} children draw on one parent's wallet; cold: {} wallets, uniformly random, no limits set in either",
        scene.cold.len()
    ));

    let mut hand_hot = Series::new("by hand, one transaction per charge, 64 clients (pgbench -M prepared)");
    let mut engine_hot = Series::new("engine, hot pool, 64 in flight");
    let mut path_hot = Series::new("whole path, hot pool, 64 connections");
    let mut path_cold = Series::new("whole path, random wallets, 64 connections");
    let mut hand_one = Series::new("by hand, one client");
    let mut path_one = Series::new("whole path, one connection");
    let engine = engine::Engine::open(url, directory.path(), &scene).await;
    for round in 0..rounds {
        println!("PostgreSQL, round {} of {rounds}", round + 1);
        hand_hot.add(hand::pgbench(url, &rows, CONCURRENCY, time).await);
        engine_hot.add(engine.run(&database, CONCURRENCY, time).await);
        path_hot.add(load::run(&gateway, &database, &scene.hot_requests(), CONCURRENCY, time).await);
        path_cold.add(load::run(&gateway, &database, &scene.cold_requests(), CONCURRENCY, time).await);
        hand_one.add(hand::pgbench(url, &rows, 1, time).await);
        path_one.add(load::run(&gateway, &database, &scene.hot_requests(), 1, time).await);
        // What a checkpoint owes to one figure is not charged to the next.
        database.execute_unprepared("CHECKPOINT").await.expect("a checkpoint is made");
    }
    table.at_least("engine, hot pool : by hand", &engine_hot, &hand_hot, 15.0);
    table.at_least("whole path, hot pool : by hand", &path_hot, &hand_hot, 5.0);
    table.at_least("whole path, hot : random wallets", &path_hot, &path_cold, 0.8);
    table.latency_at_most("p50 at one connection : by hand at one client", &path_one, &hand_one, 2.0);
    gateway.stop().await;
    database.execute_unprepared("ANALYZE").await.expect("statistics are taken");
    engine.verify().await;
}

async fn on_sqlite(rounds: usize, time: Duration, table: &mut Table) {
    let directory = tempfile::tempdir().expect("a directory is made");
    let url = format!("sqlite://{}", directory.path().join("banyan.db").display());
    table.setting("SQLite: journal_mode WAL, synchronous FULL; the same hot pool".to_owned());
    let mut path = Series::new("SQLite: whole path, hot pool, 64 connections");
    let mut hand = Series::new("SQLite: by hand, one transaction per charge");
    let gateway = Gateway::start(&url, directory.path()).await;
    let scene = Scene::make(&gateway, &url, directory.path(), CONCURRENCY, 0).await;
    gateway.stop().await;
    for round in 0..rounds {
        println!("SQLite, round {} of {rounds}", round + 1);
        let gateway = Gateway::start(&url, directory.path()).await;
        let reader = tests::postgres::connect_to(&url).await;
        path.add(load::run(&gateway, &reader, &scene.hot_requests(), CONCURRENCY, time).await);
        reader.close().await.expect("a connection closes");
        gateway.stop().await;
        hand.add(hand::sqlite(&url, &scene, time).await);
    }
    table.at_least("SQLite: whole path, hot pool : by hand", &path, &hand, 8.0);
}

async fn text(database: &impl ConnectionTrait, sql: &str) -> String {
    let statement = Statement::from_string(database.get_database_backend(), sql);
    let row = database.query_one_raw(statement).await.expect("the statement is valid").expect("it has a row");
    row.try_get_by_index(0).expect("it answers a text")
}
