//! `banyan-tui`: reads flags and environment, takes the terminal, runs the shell.

use std::error::Error;
use std::fs::File;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;

use clap::Parser;
use crossterm::event::EventStream;
use futures_util::{Stream, StreamExt, future, stream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tui::connection::{Connection, Gateway, MESSAGES_MAX, Patience};
use tui::graphql::Secret;
use tui::model::{Model, Settings};
use tui::msg::Msg;
use tui::profile::{self, DEMO_KEYS};
use tui::record::Recorder;
use tui::shell::terminal::{self, TerminalHost};
use tui::shell::{Clock, Shell, keys};

/// The console of a Banyan gateway.
///
/// Without arguments it connects to the gateway that `cargo run` started in this directory.
///
/// Exit status: 0 when it was left by a key or a signal, 1 when it could not start or lost its terminal, 2 for flags it
/// does not know, 101 for a fault of its own.
#[derive(Parser)]
#[command(name = "banyan-tui", version)]
struct Flags {
    /// The gateway's GraphQL address.
    #[arg(long, env = "BANYAN_URL")]
    url: Option<String>,
    /// An API key or operator key. Prefer the environment: arguments can be read by others.
    #[arg(long, env = "BANYAN_KEY", hide_env_values = true)]
    key: Option<String>,
    /// Look, and change nothing.
    #[arg(long)]
    read_only: bool,
    /// Draw with ASCII signs only.
    #[arg(long)]
    ascii: bool,
    /// Write a log to this file.
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// On leaving, write the last messages to this file, secrets left out.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
}

fn main() -> ExitCode {
    let flags = Flags::parse();
    match run(flags) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The terminal has been given back by now.
            eprintln!("banyan-tui: {error}");
            let mut cause = error.source();
            while let Some(inner) = cause {
                eprintln!("  because {inner}");
                cause = inner.source();
            }
            ExitCode::FAILURE
        }
    }
}

fn run(flags: Flags) -> Result<(), Box<dyn Error>> {
    if let Some(path) = &flags.log {
        let file = File::options().create(true).append(true).open(path)?;
        tracing_subscriber::fmt().with_ansi(false).with_writer(Mutex::new(file)).init();
    }
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Err("the console needs a terminal for its keys and its screen".into());
    }
    // Fails only when one was chosen already, and then there is one.
    let _chosen = rustls::crypto::aws_lc_rs::default_provider().install_default();
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(console(flags))
}

#[expect(clippy::disallowed_methods, reason = "the one place where the console reads the time and draws its seed")]
async fn console(flags: Flags) -> Result<(), Box<dyn Error>> {
    let key = flags.key.filter(|key| !key.trim().is_empty()).map(|key| Secret::new(key.trim()));
    let profile = profile::choose(flags.url.as_deref(), key, Path::new(DEMO_KEYS))?;
    let clock = Clock::starting_at(jiff::Timestamp::now());
    let settings = Settings {
        gateway: profile::shown(&profile.url),
        has_key: profile.key.is_some(),
        without_key: profile::without_key(DEMO_KEYS),
        read_only: flags.read_only,
        ascii: flags.ascii,
        mono: std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()),
    };
    let (sender, messages) = mpsc::channel(MESSAGES_MAX);
    let connection = match profile.key {
        None => None,
        Some(key) => {
            let gateway = Gateway { url: profile.url, key, read_only: flags.read_only, patience: Patience::default() };
            Some(Connection::new(gateway, sender.clone(), clock.clone())?)
        }
    };
    let input = stream::select(keys_and_paste(), signals()?);
    let (taken, screen) = terminal::take()?;
    let mut shell = Shell {
        model: Model::new(settings, uuid::Uuid::now_v7(), clock.now()),
        terminal: screen,
        host: TerminalHost,
        connection,
        clock,
        recorder: Recorder::default(),
    };
    let ended = shell.run(input, messages).await;
    drop(taken);
    drop(sender);
    if let Some(path) = &flags.record {
        shell.recorder.write(&mut File::create(path)?)?;
    }
    Ok(ended?)
}

fn keys_and_paste() -> impl Stream<Item = io::Result<Msg>> {
    EventStream::new().filter_map(|event| future::ready(event.map(keys::message_of).transpose()))
}

/// The signals that ask a process to end, as messages, so that the terminal is given back.
fn signals() -> io::Result<impl Stream<Item = io::Result<Msg>>> {
    let arrivals = |kind| {
        signal(kind).map(|signal| {
            stream::unfold(
                signal,
                |mut signal| async move { signal.recv().await.map(|()| (Ok(Msg::Terminate), signal)) },
            )
            .boxed()
        })
    };
    Ok(stream::select_all([
        arrivals(SignalKind::terminate())?,
        arrivals(SignalKind::hangup())?,
        arrivals(SignalKind::interrupt())?,
    ]))
}
