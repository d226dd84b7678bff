//! Renders GraphiQL into one page, with npm, in Cargo's output folder.
//!
//! Nothing of it may fail the build: without npm, or without a way to its registry, the page says what is
//! missing. Nothing is written beside the sources.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const SOURCES: [&str; 4] = [".npmrc", "package.json", "package-lock.json", "render.mjs"];
const INSTALL_DEADLINE: Duration = Duration::from_secs(120);
const RENDER_DEADLINE: Duration = Duration::from_secs(60);
const POLL_INTERVAL: Duration = Duration::from_millis(50);

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    for source in SOURCES {
        println!("cargo:rerun-if-changed=graphiql/{source}");
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("Cargo sets OUT_DIR for build scripts"));
    let page = out.join("graphiql.html.br");
    let policy = out.join("graphiql.policy");
    let missing = match render(&out.join("graphiql"), &page, &policy) {
        Ok(()) => String::new(),
        Err(reason) => {
            println!("cargo:warning=GraphiQL is left out: {reason}");
            for empty in [&page, &policy] {
                fs::write(empty, "").expect("Cargo's output folder can be written");
            }
            reason
        }
    };
    fs::write(out.join("graphiql.missing"), missing).expect("Cargo's output folder can be written");
}

fn render(folder: &Path, page: &Path, policy: &Path) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    for source in SOURCES {
        fs::copy(Path::new("graphiql").join(source), folder.join(source)).map_err(|error| error.to_string())?;
    }
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let install = ["ci", "--no-audit", "--no-fund", "--no-update-notifier", "--fetch-retries=1"];
    run(Command::new(npm).args(install).current_dir(folder), "npm ci", INSTALL_DEADLINE)?;
    let render = Path::new("render.mjs");
    run(Command::new("node").arg(render).arg(page).arg(policy).current_dir(folder), "node render.mjs", RENDER_DEADLINE)
}

fn run(command: &mut Command, name: &str, deadline: Duration) -> Result<(), String> {
    let errors = log_file(command, name)?;
    let log = fs::File::create(&errors).map_err(|error| error.to_string())?;
    let started = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
    let mut child = started.map_err(|error| format!("{name} cannot be started ({error})"))?;
    let begin = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(_)) => return Err(format!("{name} failed: {}", cause(&errors))),
            Ok(None) if begin.elapsed() < deadline => thread::sleep(POLL_INTERVAL),
            Ok(None) => {
                // A child that cannot be ended is left to itself; the build goes on.
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("{name} took longer than {} seconds", deadline.as_secs()));
            }
            Err(error) => return Err(format!("{name} cannot be waited for ({error})")),
        }
    }
}

/// Into a file: a pipe that nobody reads would stop the child when it is full.
fn log_file(command: &Command, name: &str) -> Result<PathBuf, String> {
    let folder = command.get_current_dir().ok_or_else(|| format!("{name} has no folder"))?;
    Ok(folder.join(format!("{}.log", name.replace(' ', "-"))))
}

/// The line that names the cause; npm and node go on with advice after it.
fn cause(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let named = text.lines().map(str::trim).find(|line| line.starts_with("npm error") || line.contains("Error: "));
    let last = || text.lines().rev().map(str::trim).find(|line| !line.is_empty());
    named.or_else(last).unwrap_or("it gave no reason").to_owned()
}
