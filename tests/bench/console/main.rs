//! What the console costs, how soon it is right, and whether it is ever wrong: the figures it is built to.
//!
//! `cargo run --release -p tests --bin console-bench` builds the real console and runs it in a pseudo-terminal: on a real
//! gateway (a process of its own, on SQLite) for the tree of a million organizations, for the idle minute and for what
//! another console hears; on the scripted gateway of the console's own tests for the flood of news. Frames are timed in
//! this process, through the shell that the console runs on. The faults and the interleavings are those of `cargo test -p
//! tui`, more of them. The words are the parts to run, all of them without a word; `--short` shows that it runs, and says
//! nothing about figures.
//!
//! Linux only: CPU and memory come from `/proc`.

mod commit;
mod desk;
mod flood;
mod idle;
mod million;
mod table;

// What the console's own tests are made of.
#[allow(dead_code, reason = "its tests use more of it")]
#[path = "../../../tui/tests/console.rs"]
mod console;
#[allow(dead_code, reason = "its tests use more of it")]
#[path = "../../../tui/tests/faults.rs"]
mod faults;
#[allow(dead_code, reason = "its tests use more of it")]
#[path = "../../../tui/tests/frame.rs"]
mod frame;
#[allow(dead_code, reason = "its tests use more of it")]
#[path = "../../../tui/tests/gateway.rs"]
mod gateway;
#[path = "../../../tui/tests/gateway_lists.rs"]
mod gateway_lists;
#[path = "../../../tui/tests/gateway_webhooks.rs"]
mod gateway_webhooks;
#[path = "../../../tui/tests/interleaving.rs"]
mod interleaving;
#[path = "../gateway.rs"]
mod own_gateway;
#[path = "../process.rs"]
mod process;
#[allow(dead_code, reason = "its tests use more of it")]
#[path = "../../../tui/tests/seat.rs"]
mod seat;
#[allow(dead_code, reason = "its tests use more of it")]
#[path = "../../../tui/tests/served.rs"]
mod served;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::interleaving::Tally;
use crate::table::Table;

#[derive(Parser)]
#[command(about = "Measures the console against its figures.")]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: Run,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    Idle,
    Million,
    Flood,
    Commit,
    Faults,
    Interleavings,
}

#[derive(Args)]
struct Run {
    /// Tries everything for a moment; the figures mean nothing.
    #[arg(long)]
    short: bool,
    /// Only this part; may be given again.
    #[arg(long)]
    part: Vec<Part>,
    /// Seconds of the idle console, and of each flood.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Organizations of the great tree.
    #[arg(long, default_value_t = 1_000_000)]
    organizations: u32,
    /// Keeps the great tree in this directory, or finds it there.
    #[arg(long, value_name = "DIRECTORY")]
    keep: Option<PathBuf>,
    /// News a second in the flood.
    #[arg(long, default_value_t = 5_000)]
    news: u32,
    /// Commits that another console hears of.
    #[arg(long, default_value_t = 300)]
    commits: usize,
    #[arg(long, default_value_t = 1_000)]
    faults: u64,
    #[arg(long, default_value_t = 10_000_000)]
    interleavings: u64,
    /// Of the faults and the interleavings; drawn when absent.
    #[arg(long)]
    seed: Option<u64>,
}

#[derive(Subcommand)]
enum Command {
    /// What the benchmark starts itself as: a gateway that ends when its standard input does.
    #[command(hide = true)]
    Gateway {
        #[arg(long)]
        database_url: String,
        #[arg(long)]
        data: PathBuf,
    },
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime starts");
    runtime.block_on(async {
        match cli.command {
            Some(Command::Gateway { database_url, data }) => own_gateway::serve(database_url, data).await,
            None => run(cli.run).await,
        }
    })
}

/// On all cores, each with seeds of its own.
fn interleavings(wanted: u64, seed: u64) -> Tally {
    let cores = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let each = wanted.div_ceil(cores);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores)
            .map(|core| scope.spawn(move || interleaving::run(each, seed.wrapping_add(core.wrapping_mul(each)))))
            .collect();
        let mut all = Tally::default();
        for thread in threads {
            let tally = thread.join().expect("an interleaving that fails says so above");
            all.interleavings += tally.interleavings;
            all.questions += tally.questions;
            all.acts += tally.acts;
        }
        all
    })
}

async fn run(mut run: Run) -> ExitCode {
    if run.short {
        (run.seconds, run.organizations, run.commits, run.faults, run.interleavings) = (2, 2_000, 5, 27, 300);
    }
    let seed = run.seed.unwrap_or_else(rand::random);
    let is_wanted = |part: Part| run.part.is_empty() || run.part.contains(&part);
    let mut table = Table::default();
    desk::build_console();
    if is_wanted(Part::Idle) {
        idle::measure(run.seconds, &mut table).await;
    }
    if is_wanted(Part::Million) {
        million::measure(run.organizations, run.keep.as_deref(), run.short, &mut table).await;
    }
    if is_wanted(Part::Flood) {
        flood::measure(run.news, run.seconds, &mut table);
    }
    if is_wanted(Part::Commit) {
        commit::measure(run.commits, &mut table).await;
    }
    if is_wanted(Part::Faults) {
        println!("{} faults of the connection, seed {seed} …", run.faults);
        let begun = Instant::now();
        let done = faults::run(run.faults, seed).await;
        println!("  {done:?} in {:.0} s", begun.elapsed().as_secs_f64());
        table.add(format!("{} faults: exits, wrong views after recovery", run.faults), "0, 0", "0, 0", true);
    }
    if is_wanted(Part::Interleavings) {
        println!("{} interleavings, seed {seed} …", run.interleavings);
        let begun = Instant::now();
        let tally = interleavings(run.interleavings, seed);
        let per_second = tally.interleavings as f64 / begun.elapsed().as_secs_f64();
        println!("  {} questions, {} acts, {per_second:.0} interleavings a second", tally.questions, tally.acts);
        let what = format!(
            "{} interleavings, {} acts: acts other than their question showed",
            tally.interleavings, tally.acts
        );
        table.add(what, "0", "0", true);
    }
    println!("\n{table}");
    match (run.short, table.holds()) {
        (true, _) => {
            println!("A short run: the figures mean nothing.");
            ExitCode::SUCCESS
        }
        (false, true) => ExitCode::SUCCESS,
        (false, false) => ExitCode::FAILURE,
    }
}
