//! `banyan`: serve, and what an operator needs beside it.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use banyan::app::{App, STACK_BYTES};
use banyan::audit::{file, verify};
use banyan::kernel::clock::World;
use banyan::kernel::error::{Error, Fault, Result};
use banyan::settings::{Settings, SettingsInput};
use banyan::{schema, seed};
use clap::{Parser, Subcommand};
use entity::id::RealmId;

/// A control plane for platforms that run many businesses.
#[derive(Parser)]
#[command(name = "banyan", version)]
struct Cli {
    #[command(flatten)]
    settings: SettingsInput,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Run the gateway; what happens without a command too.
    Serve,
    /// Bring the database to this build's shape.
    Migrate,
    /// Make the demo tree, or many organizations for load work.
    Seed {
        /// How many organizations to make below one new root, instead of the demo tree.
        #[arg(long)]
        organizations: Option<u32>,
    },
    /// Print the GraphQL schema.
    Schema,
    /// Make a key for the operator and print it once.
    OperatorKey {
        /// What to call it.
        #[arg(long, default_value = "operator")]
        name: String,
    },
    /// Look after the ledger.
    Ledger {
        #[command(subcommand)]
        command: LedgerCommand,
    },
    /// Look after the audit trail.
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// Say whether database, migrations and pepper are in order.
    Doctor,
}

#[derive(Subcommand)]
enum LedgerCommand {
    /// Replay every entry and compare all cached figures with it; names the first difference.
    Verify,
}

#[derive(Subcommand)]
enum AuditCommand {
    /// Follow the chain over every entry; names the first that was changed, removed, added or reordered.
    Verify {
        /// An exported file to follow it in, without a database.
        #[arg(long)]
        file: Option<PathBuf>,
    },
    /// Write the trail with its chain to a new file, as lines of JSON.
    Export {
        /// Only this realm, `realm_…`.
        #[arg(long)]
        realm: Option<RealmId>,
        /// Where to; it must not be there yet.
        file: PathBuf,
    },
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let settings = match cli.settings.resolve() {
        Ok(settings) => settings,
        Err(fault) => return fail(&fault.chain()),
    };
    start_log(&settings);
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = match runtime.thread_stack_size(STACK_BYTES).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.to_string()),
    };
    match runtime.block_on(run(cli.command.unwrap_or(Command::Serve), settings)) {
        Ok(code) => code,
        Err(Error::Fault(fault)) => fail(&fault.chain()),
        Err(Error::Refused(refusal)) => fail(&refusal.message),
    }
}

fn fail(why: &str) -> ExitCode {
    say_error(&format!("banyan: {why}"));
    ExitCode::FAILURE
}

async fn run(command: Command, settings: Settings) -> Result<ExitCode> {
    match command {
        Command::Schema => say(&schema::sdl()),
        Command::Serve => return serve(settings).await,
        Command::Migrate => {
            App::open(settings, World::system()).await?;
            say("The database is up to date.\n");
        }
        Command::Seed { organizations } => {
            let app = App::open(settings, World::system()).await?;
            match organizations {
                Some(count) => {
                    let root = seed::many(&app, count).await?;
                    say(&format!("{count} organizations below {root}.\n"));
                }
                None => {
                    seed::demo(&app).await?;
                    say(&format!(
                        "The demo tree is made; its keys are in {}.\n",
                        seed::keys_path(&app.settings).display()
                    ));
                }
            }
        }
        Command::OperatorKey { name } => {
            let app = App::open(settings, World::system()).await?;
            let key = seed::operator_key(&app, &name).await?;
            say(&format!("{}\n", key.reveal()));
        }
        Command::Ledger { command: LedgerCommand::Verify } => {
            let app = App::open(settings, World::system()).await?;
            let report = banyan::credit::verify::run(&app.kernel).await?;
            say(&report.to_string());
            if !report.is_clean() {
                return Ok(ExitCode::FAILURE);
            }
        }
        Command::Audit { command } => return audit(command, settings).await,
        Command::Doctor => {
            let backend = settings.database_url.split(':').next().unwrap_or_default().to_owned();
            let app = App::open(settings, World::system()).await?;
            app.kernel.ping().await?;
            say(&format!("database: {backend}, reachable and migrated\npepper: present\n"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn audit(command: AuditCommand, settings: Settings) -> Result<ExitCode> {
    let report = match command {
        AuditCommand::Verify { file: Some(path) } => match file::verify(&path)? {
            file::Verdict::Whole(report) => report,
            file::Verdict::Flawed(flaw) => {
                say(&format!("{flaw}\n"));
                return Ok(ExitCode::FAILURE);
            }
        },
        AuditCommand::Verify { file: None } => {
            let app = App::open(settings, World::system()).await?;
            verify::run(&app.kernel).await?
        }
        AuditCommand::Export { realm, file: path } => {
            let app = App::open(settings, World::system()).await?;
            file::export(&app.kernel, realm, &path).await?
        }
    };
    say(&report.to_string());
    Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn serve(settings: Settings) -> Result<ExitCode> {
    let app = App::open(settings, World::system()).await?;
    let graphiql = if app.settings.demo { seed::demo_if_empty(&app).await? } else { seed::plain_tabs() };
    let listen = app.settings.listen;
    let listener = tokio::net::TcpListener::bind(listen)
        .await
        .map_err(|source| Fault::caused_by(format!("cannot listen on {listen}"), source))?;
    let address = listener.local_addr().map_err(|source| Fault::caused_by("no local address", source))?;
    say(&format!("Banyan is at http://{address}/graphql (GraphiQL in a browser)\n"));
    if app.settings.demo {
        say(&format!("Demo keys:  {}\n", seed::keys_path(&app.settings).display()));
        say("Console:    cargo run -p tui\n");
    }
    app.serve(listener, graphiql, stopped()).await?;
    Ok(ExitCode::SUCCESS)
}

/// Resolves on SIGINT and SIGTERM.
async fn stopped() {
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    {
        let terminate = async {
            match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
                Ok(mut signal) => {
                    signal.recv().await;
                }
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! { () = interrupt => {}, () = terminate => {} }
    }
    #[cfg(not(unix))]
    interrupt.await;
}

fn start_log(settings: &Settings) {
    let filter = tracing_subscriber::EnvFilter::try_from_env("BANYAN_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn,banyan=info,sqlx=warn"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if settings.log_json { log.json().init() } else { log.init() }
}

/// To standard output; a reader that went away is no error.
fn say(text: &str) {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}

fn say_error(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
