//! `banyan-tui`: reads flags and environment, and runs the shell, one command, or a replay.

use std::error::Error;
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;

use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use crossterm::event::EventStream;
use futures_util::{Stream, StreamExt, future, stream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tui::connection::http::Http;
use tui::connection::{Connection, Gateway, MESSAGES_MAX, Patience};
use tui::graphql::{Environment, Secret};
use tui::model::{Model, Settings};
use tui::msg::Msg;
use tui::once::{self, EXIT_CODES, Exit, Once, Scene};
use tui::profile::{self, Asked, DEMO_KEYS, Profile, Profiles};
use tui::record::{Began, Recorder, Recording};
use tui::replay::Player;
use tui::shell::terminal::{self, TerminalHost};
use tui::shell::{Clock, Ended, Shell, keys};

/// The console of a Banyan gateway.
///
/// Without arguments it connects to the gateway that `cargo run` started in this directory. With a command it prints a
/// list or does one act, for scripts.
///
/// Exit status of the console: 0 when it was left by a key or a signal, 1 when it could not start or lost its terminal,
/// 2 for flags it does not know, 101 for a fault of its own.
#[derive(Parser)]
#[command(name = "banyan-tui", version, after_long_help = EXIT_CODES)]
struct Flags {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Option<Own>,
}

#[derive(Args)]
struct Options {
    /// A profile of the profiles file.
    #[arg(long, env = "BANYAN_PROFILE", global = true)]
    profile: Option<String>,
    /// The profiles file; ~/.config/banyan/profiles.toml when absent.
    #[arg(long, env = "BANYAN_PROFILES", value_name = "FILE", global = true)]
    profiles: Option<PathBuf>,
    /// The gateway's GraphQL address.
    #[arg(long, env = "BANYAN_URL", global = true)]
    url: Option<String>,
    /// An API key or operator key. Prefer the environment: arguments can be read by others.
    #[arg(long, env = "BANYAN_KEY", hide_env_values = true, global = true)]
    key: Option<String>,
    /// Look, and change nothing.
    #[arg(long, global = true)]
    read_only: bool,
    /// Print JSON, a record a line.
    #[arg(long, global = true)]
    json: bool,
    /// Draw with ASCII signs only.
    #[arg(long)]
    ascii: bool,
    /// Take the mouse: a click selects, a second one opens, the wheel scrolls. Without it, the terminal selects text.
    #[arg(long)]
    mouse: bool,
    /// Write a log to this file.
    #[arg(long, value_name = "FILE", global = true)]
    log: Option<PathBuf>,
    /// Record the session into this file, secrets left out; `replay` plays it.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
}

/// The commands that the tables of lists and acts do not know.
#[derive(Subcommand)]
enum Own {
    /// Play a recorded session: step by step in a terminal, or one frame with --print.
    Replay {
        file: PathBuf,
        /// Print the frame as text instead.
        #[arg(long)]
        print: bool,
        /// After this many messages; after all of them when absent.
        #[arg(long, value_name = "N")]
        at: Option<usize>,
        /// The size to print, as COLUMNSxROWS.
        #[arg(long, default_value = "120x40")]
        size: String,
    },
}

type Failed = Box<dyn Error>;

fn main() -> ExitCode {
    let matches = once::commands(Flags::command()).get_matches();
    match run(&matches) {
        Ok(exit) => exit,
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

fn run(matches: &ArgMatches) -> Result<ExitCode, Failed> {
    let options = Options::from_arg_matches(matches)?;
    if let Some(path) = &options.log {
        let file = File::options().create(true).append(true).open(path)?;
        tracing_subscriber::fmt().with_ansi(false).with_writer(Mutex::new(file)).init();
    }
    // Fails only when one was chosen already, and then there is one.
    let _chosen = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    match matches.subcommand() {
        None => {
            in_terminal()?;
            runtime.block_on(console(&options)).map(|()| ExitCode::SUCCESS)
        }
        Some(("replay", _)) => {
            let Some(Own::Replay { file, print, at, size }) = Flags::from_arg_matches(matches)?.command else {
                return Ok(ExitCode::from(2));
            };
            replay(&file, print, at, &size).map(|()| ExitCode::SUCCESS)
        }
        Some((name, matches)) => match once::read(name, matches, fresh_key) {
            Some(Ok(command)) => runtime.block_on(one_shot(&options, &command)),
            Some(Err(words)) => {
                eprintln!("banyan-tui: {words}");
                Ok(ExitCode::from(Exit::Usage as u8))
            }
            None => Ok(ExitCode::from(Exit::Usage as u8)),
        },
    }
}

fn in_terminal() -> Result<(), Failed> {
    match io::stdin().is_terminal() && io::stdout().is_terminal() {
        true => Ok(()),
        false => Err("the console needs a terminal for its keys and its screen; with a command it needs none".into()),
    }
}

#[expect(clippy::disallowed_methods, reason = "a place where the console draws a seed")]
fn fresh_key() -> String {
    format!("console-{}", uuid::Uuid::now_v7().simple())
}

fn env(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn profiles(options: &Options) -> Result<Profiles, Failed> {
    let path = options.profiles.clone().or_else(|| profile::profiles_path(env));
    Ok(path.map_or_else(|| Ok(Profiles::default()), |path| Profiles::read(&path))?)
}

fn decide(options: &Options, profiles: &Profiles) -> Result<Profile, Failed> {
    let key = options.key.as_ref().filter(|key| !key.trim().is_empty()).map(|key| Secret::new(key.trim()));
    let asked = Asked { profile: options.profile.clone(), url: options.url.clone(), key };
    Ok(profile::decide(&asked, profiles, Path::new(DEMO_KEYS), env)?)
}

async fn one_shot(options: &Options, command: &Once) -> Result<ExitCode, Failed> {
    let profile = decide(options, &profiles(options)?)?;
    let key = profile.key.ok_or("there is no key: name a profile, or give BANYAN_KEY")?;
    let read_only = options.read_only || profile.read_only;
    let gateway = Gateway { url: profile.url, key, read_only, patience: Patience::default() };
    let http = Http::new(&gateway)?;
    let environment = once::environment_of(&http).await.unwrap_or(Environment::Live);
    let scene = Scene { json: options.json, read_only, production: profile.production, environment };
    let mut out = BufWriter::new(io::stdout().lock());
    let exit = once::run(command, &scene, &http, &mut out, &mut io::stderr()).await;
    out.flush()?;
    Ok(ExitCode::from(exit as u8))
}

fn replay(file: &Path, print: bool, at: Option<usize>, size: &str) -> Result<(), Failed> {
    let mut player = Player::new(Recording::read(&std::fs::read_to_string(file)?)?);
    if let Some(at) = at {
        player.go_to(at);
    }
    if print {
        let size = size.split_once('x').and_then(|(columns, rows)| Some((columns.parse().ok()?, rows.parse().ok()?)));
        let (columns, rows) = size.ok_or("a size is such as 120x40")?;
        print!("{}", player.print(columns, rows)?);
        println!("{}", player.caption());
        return Ok(());
    }
    in_terminal()?;
    let (taken, mut screen) = terminal::take(false)?;
    let played = player.play(&mut screen);
    drop(taken);
    Ok(played?)
}

/// Runs the console, and again with another profile as often as one is asked for.
async fn console(options: &Options) -> Result<(), Failed> {
    let profiles = profiles(options)?;
    let mut profile = decide(options, &profiles)?;
    // One reader for all of it: two would share the keys between them.
    let mut input = Box::pin(stream::select(keys_and_paste(), signals()?));
    let mut recording = options.record.clone();
    loop {
        match session(options, profile, &profiles, &mut input, recording.take()).await? {
            Ended::Quit => return Ok(()),
            // The terminal is given back: a key command may ask for a password on it.
            Ended::Switch(name) => profile = profiles.named(&name, env)?,
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place where the console reads the time and draws its seed")]
async fn session(
    options: &Options,
    profile: Profile,
    profiles: &Profiles,
    input: impl Stream<Item = io::Result<Msg>>,
    record: Option<PathBuf>,
) -> Result<Ended, Failed> {
    let clock = Clock::starting_at(jiff::Timestamp::now());
    let read_only = options.read_only || profile.read_only;
    let settings = Settings {
        gateway: profile::shown(&profile.url),
        has_key: profile.key.is_some(),
        without_key: profile::without_key(DEMO_KEYS),
        read_only,
        profile: profile.name,
        production: profile.production,
        colour: profile.colour,
        profiles: profiles.names(),
        ascii: options.ascii,
        mouse: options.mouse || profile.mouse,
        mono: std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()),
    };
    let seed = uuid::Uuid::now_v7();
    let began =
        Began { version: env!("CARGO_PKG_VERSION").to_owned(), at: clock.now(), seed, settings: settings.clone() };
    let recorder = match &record {
        Some(path) => Recorder::to(BufWriter::new(File::create(path)?), &began)?,
        None => Recorder::default(),
    };
    let (sender, messages) = mpsc::channel(MESSAGES_MAX);
    let connection = match profile.key {
        None => None,
        Some(key) => {
            let gateway = Gateway { url: profile.url, key, read_only, patience: Patience::default() };
            Some(Connection::new(gateway, sender.clone(), clock.clone())?)
        }
    };
    let mouse = settings.mouse;
    let (taken, screen) = terminal::take(mouse)?;
    let mut shell = Shell {
        model: Model::new(settings, seed, began.at),
        terminal: screen,
        host: TerminalHost { mouse },
        connection,
        clock,
        recorder,
        switch_to: None,
    };
    let ended = shell.run(input, messages).await;
    drop(taken);
    drop(sender);
    Ok(ended?)
}

fn keys_and_paste() -> impl Stream<Item = io::Result<Msg>> {
    EventStream::new().filter_map(|event| future::ready(event.map(keys::message_of).transpose()))
}

/// The signals that ask a process to end or to stop, as messages, so that the terminal is given back.
fn signals() -> io::Result<impl Stream<Item = io::Result<Msg>>> {
    let arrivals = |kind, msg: Msg| {
        signal(kind).map(|signal| {
            stream::unfold((signal, msg), |(mut signal, msg)| async move {
                signal.recv().await.map(|()| (Ok(msg.clone()), (signal, msg)))
            })
            .boxed()
        })
    };
    let stop = SignalKind::from_raw(rustix::process::Signal::TSTP.as_raw());
    Ok(stream::select_all([
        arrivals(SignalKind::terminate(), Msg::Terminate)?,
        arrivals(SignalKind::hangup(), Msg::Terminate)?,
        arrivals(SignalKind::interrupt(), Msg::Terminate)?,
        arrivals(stop, Msg::Suspend)?,
    ]))
}
