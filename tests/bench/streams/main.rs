//! How soon 10,000 live streams hear of 200 charges a second, and what that costs the gateway.
//!
//! `cargo run --release -p tests --bin streams-bench` starts what it needs: a durable PostgreSQL of its own from the
//! installed binaries (a SQLite file where there are none), and one gateway as a process of its own on loopback.
//!
//! Ten roots of 990 organizations; each organization has a stream of its own events, and each root ten streams of its whole
//! subtree, so that a charge is told eleven times. Fifty streams share a WebSocket, each socket has a key of its own. Every
//! stream begins at cursor 0, so that each of the charges must arrive on each of its streams: the program counts them.
//!
//! What is measured is from the moment the charge's transaction has its lock (`occurredAt`) until this program has read the
//! message from its socket: a little more than from the commit. The clients run on the same machine and take their share of
//! it; the gateway's CPU is its process's own. `--short` shows that it runs, and says nothing about speed.

mod client;
#[path = "../gateway.rs"]
mod gateway;
#[path = "../process.rs"]
mod process;
mod scene;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::client::{Heard, Spender};
use crate::gateway::Gateway;
use crate::process::Usage;
use crate::scene::Scene;

/// Streams of a root's whole subtree.
pub const FIREHOSES: usize = 10;
/// Streams of one socket; the gateway allows no more.
pub const STREAMS_PER_SOCKET: usize = 50;
/// The longest it waits for what is under way when the load ends.
const DRAIN_DEADLINE: Duration = Duration::from_secs(60);

#[derive(Parser)]
#[command(about = "Measures live streams while charges commit.")]
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
    /// Roots, each with as many organizations as `organizations` says.
    #[arg(long, default_value_t = 10)]
    roots: usize,
    /// Organizations of a root; with its ten firehoses a root may have a thousand streams.
    #[arg(long, default_value_t = 990)]
    organizations: u32,
    /// Charges per second.
    #[arg(long, default_value_t = 200)]
    charges: u32,
    /// Seconds it is measured for.
    #[arg(long, default_value_t = 20.0)]
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
            None => run(cli.run).await,
        }
    })
}

async fn run(mut run: Run) -> ExitCode {
    if run.short {
        (run.roots, run.organizations, run.seconds) = (2, 90, 1.0);
    }
    let directory = tempfile::tempdir().expect("a directory is made");
    let postgres = match &run.postgres_url {
        Some(url) => tests::postgres::durable_database_at(url).await,
        None => tests::postgres::durable_database().await,
    };
    let is_whole = match postgres {
        Some(database) => {
            let is_whole = measure(&run, "PostgreSQL, fsync on", &database.url, directory.path()).await;
            database.drop().await;
            is_whole
        }
        None => {
            let url = format!("sqlite://{}", directory.path().join("banyan.db").display());
            measure(&run, "SQLite, synchronous FULL", &url, directory.path()).await
        }
    };
    if run.short {
        println!("A short run: the figures mean nothing.");
    }
    if is_whole { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// False when something was lost or told twice.
async fn measure(run: &Run, database: &str, url: &str, data: &std::path::Path) -> bool {
    let gateway = Gateway::start(url, data).await;
    println!("Making {} roots of {} organizations …", run.roots, run.organizations);
    let scene = Scene::make(&gateway, url, data, run.roots, run.organizations).await;
    let process = gateway.process_id();
    let before = Usage::of(process);

    println!("Opening {} streams over {} sockets …", scene.streams(), scene.sockets());
    let heard = Arc::new(Heard::default());
    let listeners = client::listen(gateway.address, &scene, &heard).await;
    tokio::time::sleep(Duration::from_secs(if run.short { 1 } else { 5 })).await;
    let open = Usage::of(process);
    tokio::time::sleep(Duration::from_secs(if run.short { 1 } else { 5 })).await;
    let idle = Usage::of(process);

    println!("{} charges a second for {} s …", run.charges, run.seconds);
    let spender = Spender::new(gateway.address, &scene);
    let begun = Usage::of(process);
    let charged = spender.spend(run.charges, Duration::from_secs_f64(run.seconds)).await;
    let loaded = Usage::of(process);
    let expected = charged.done * (1 + FIREHOSES as u64);
    let drained = async {
        while heard.count() < expected {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let _ = tokio::time::timeout(DRAIN_DEADLINE, drained).await;
    // What comes twice comes now.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let after = Usage::of(process);
    listeners.abort_all();
    gateway.stop().await;

    let told = heard.count();
    let delays = heard.delays();
    let at = |share: f64| delays.get(((delays.len() as f64 - 1.0) * share) as usize).copied().unwrap_or_default();
    let ms = |micros: i64| format!("{:.1} ms", micros as f64 / 1e3);
    println!("\n{database}; {} streams over {} sockets and keys\n", scene.streams(), scene.sockets());
    println!("| figure | measured |\n|---|---|");
    println!("| charges done, refused, per second | {}, {}, {:.0} |", charged.done, charged.failed, charged.per_second);
    println!("| messages expected, told | {expected}, {told} |");
    println!(
        "| lock of the charge to client: p50 / p99 / most | {} / {} / {} |",
        ms(at(0.5)),
        ms(at(0.99)),
        ms(at(1.0))
    );
    println!("| gateway CPU, streams idle | {:.1} % of a core |", idle.cpu_share_since(&open));
    println!("| gateway CPU under load | {:.1} % of a core |", loaded.cpu_share_since(&begun));
    println!(
        "| gateway memory before, with streams, after | {} / {} / {} MB |",
        before.memory_mb, open.memory_mb, after.memory_mb
    );
    told == expected
}
