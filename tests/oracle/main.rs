//! Random commands against the naive rules of `tests::oracle`, for as long as one likes.
//!
//! `cargo run --release -p tests --bin oracle -- --commands 5000000` shares the commands between SQLite and PostgreSQL,
//! in databases of their own that keep nothing safe from a power cut. Each database sees some worlds from their beginning
//! to their end, is verified as `banyan ledger verify` does, and is thrown away. The first difference ends it, with the
//! line that shows it again.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use clap::Parser;
use tests::oracle::Plan;
use tests::{Store, scratch};

#[derive(Clone, Parser)]
#[command(about = "Compares random commands with a naive second implementation of the rules of credits.")]
struct Cli {
    /// How many commands, over all databases together.
    #[arg(long, default_value_t = 5_000_000)]
    commands: usize,
    /// Where chance begins; chosen and printed when absent.
    #[arg(long)]
    seed: Option<u64>,
    /// Worlds that live at once in one database.
    #[arg(long, default_value_t = 48)]
    worlds: usize,
    /// Commands of one world.
    #[arg(long, default_value_t = 600)]
    commands_per_world: usize,
    /// Only this database: sqlite or postgres.
    #[arg(long)]
    only: Option<String>,
    /// Databases in use at once, of each kind.
    #[arg(long, default_value_t = 1)]
    databases: usize,
}

/// What all databases share.
struct Shared {
    cli: Cli,
    seed: AtomicU64,
    compared: AtomicUsize,
    differs: AtomicBool,
    begun: Instant,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let seed = cli.seed.unwrap_or_else(|| u64::from(rand::random::<u32>()));
    println!("seed {seed}");
    let shared = Arc::new(Shared {
        cli: cli.clone(),
        seed: AtomicU64::new(seed),
        compared: AtomicUsize::new(0),
        differs: AtomicBool::new(false),
        begun: Instant::now(),
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime starts");
    runtime.block_on(async {
        let mut databases = tokio::task::JoinSet::new();
        for (name, store) in [("sqlite", Store::Sqlite), ("postgres", Store::Postgres)] {
            if cli.only.as_ref().is_none_or(|only| only == name) {
                for _ in 0..cli.databases {
                    databases.spawn(live(Arc::clone(&shared), name, store));
                }
            }
        }
        databases.join_all().await;
    });
    let compared = shared.compared.load(Ordering::Relaxed);
    let differs = shared.differs.load(Ordering::Relaxed);
    let seconds = shared.begun.elapsed().as_secs_f64();
    println!(
        "{compared} commands compared in {seconds:.0} s; {}",
        if differs { "DIFFERENCES" } else { "no difference" }
    );
    if differs || compared < cli.commands { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// One database after the other, until enough was compared or something differed.
async fn live(shared: Arc<Shared>, name: &'static str, store: Store) {
    while shared.compared.load(Ordering::Relaxed) < shared.cli.commands && !shared.differs.load(Ordering::Relaxed) {
        let seed = shared.seed.fetch_add(1, Ordering::Relaxed);
        let (worlds, commands) = (shared.cli.worlds, shared.cli.commands_per_world);
        let plan = Plan { seed, worlds, commands, only: None, audited: false };
        let begun = Instant::now();
        // Told at once: what comes after may not go well either.
        let live = async |app| plan.run(&app).await.inspect_err(|difference| println!("{name}: {difference}"));
        let Some(lived) = scratch(store, live).await else {
            println!("{name}: not run, there is no such server");
            return;
        };
        match lived {
            Err(_) => shared.differs.store(true, Ordering::Relaxed),
            Ok(commands) => {
                let all = shared.compared.fetch_add(commands, Ordering::Relaxed) + commands;
                let rate =
                    |commands: usize, seconds: f64| f64::from(u32::try_from(commands).unwrap_or(u32::MAX)) / seconds;
                println!(
                    "{name}: seed {seed}, {commands} commands at {:.0}/s, verified; {all} in all at {:.0}/s",
                    rate(commands, begun.elapsed().as_secs_f64()),
                    rate(all, shared.begun.elapsed().as_secs_f64())
                );
            }
        }
    }
}
