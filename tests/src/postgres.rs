//! PostgreSQL for tests: somebody else's server, or one that is started and ends by itself.
//!
//! A started server is shared by all test processes of a user (cargo-nextest runs a process for each test), finds its
//! binaries in `PATH` or below `/usr/lib/postgresql`, listens on 127.0.0.1 only, keeps nothing safe from a power cut,
//! and ends and removes itself when no test has asked for it for some minutes. PostgreSQL refuses to run as root;
//! started by root it runs as the user `postgres`.
//!
//! Each test's database is a copy of a migrated template. The template belongs to one build of the tests, so a changed
//! migration is never tested against an old shape.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, UNIX_EPOCH};

use banyan::app::App;
use banyan::kernel::clock::World;
use banyan::settings::SettingsInput;
use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection};
use tokio::sync::OnceCell;
use url::Url;

/// What the PostgreSQL half of the tests says when it cannot run.
pub const NONE_FOUND: &str = "no PostgreSQL: BANYAN_TEST_POSTGRES_URL is not set and initdb is not installed";
/// Names the server to use.
const URL_VARIABLE: &str = "BANYAN_TEST_POSTGRES_URL";
/// How long a started server may take to answer.
const START_DEADLINE: Duration = Duration::from_secs(30);
/// A server that no test has used for this long ends. `find` rounds to minutes, on some systems upwards.
const IDLE_MINUTES: u32 = 3;
/// The same for benchmarks, which ask once and run for long.
const IDLE_MINUTES_DURABLE: u32 = 30;

/// A test's own database.
pub struct FreshDatabase {
    pub url: String,
    name: String,
    server: &'static Url,
}

impl FreshDatabase {
    pub async fn drop(self) {
        let admin = connect(self.server).await;
        run(&admin, &format!("DROP DATABASE {} WITH (FORCE)", self.name)).await;
    }
}

/// A copy of the template; `None` when there is no server to be had.
pub async fn fresh_database() -> Option<FreshDatabase> {
    let server = server().await?;
    let template = template(server).await;
    let name = format!("banyan_{}", uuid::Uuid::from_u128(rand::random()).simple());
    let admin = connect(server).await;
    run(&admin, &format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
    Some(FreshDatabase { url: database(server, &name), name, server })
}

/// An empty database of a server that keeps what it committed, for benchmarks; `None` when PostgreSQL is not installed.
pub async fn durable_database() -> Option<FreshDatabase> {
    let binaries = binaries()?;
    let address = tokio::task::block_in_place(|| started(&binaries, Durability::Full));
    durable_database_at(&address.expect("PostgreSQL is installed but does not start")).await
}

/// An empty database of this server.
pub async fn durable_database_at(server: &str) -> Option<FreshDatabase> {
    let server: &'static Url = Box::leak(Box::new(Url::parse(server).expect("the server's address is a URL")));
    let name = format!("banyan_{}", uuid::Uuid::from_u128(rand::random()).simple());
    run(&connect(server).await, &format!("CREATE DATABASE {name}")).await;
    Some(FreshDatabase { url: database(server, &name), name, server })
}

/// A connection to a database of either kind, beside the gateway's.
pub async fn connect_to(url: &str) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    options.max_connections(2).sqlx_logging(false);
    sea_orm::Database::connect(options).await.expect("the database is there")
}

/// One connection to a SQLite file that syncs every commit, as the gateway's does.
pub async fn connect_durably(url: &str) -> DatabaseConnection {
    use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false).map_sqlx_sqlite_opts(|sqlite| {
        sqlite.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full)
    });
    sea_orm::Database::connect(options).await.expect("the file is there")
}

/// Whether a started server syncs what it commits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Durability {
    None,
    Full,
}

/// The server's address, started at need.
pub async fn server() -> Option<&'static Url> {
    static SERVER: OnceCell<Option<Url>> = OnceCell::const_new();
    let found = SERVER.get_or_init(|| async {
        if let Ok(named) = std::env::var(URL_VARIABLE) {
            return Some(Url::parse(&named).unwrap_or_else(|_| panic!("{URL_VARIABLE} is no address")));
        }
        let binaries = binaries()?;
        tokio::task::block_in_place(|| {
            let started = started(&binaries, Durability::None).expect("PostgreSQL is installed but does not start");
            Some(Url::parse(&started).expect("the harness writes an address"))
        })
    });
    let found = found.await.as_ref();
    if found.is_some() && std::env::var(URL_VARIABLE).is_err() {
        touch();
    }
    found
}

async fn connect(server: &Url) -> DatabaseConnection {
    let mut options = ConnectOptions::new(server.as_str());
    options.max_connections(1).sqlx_logging(false);
    sea_orm::Database::connect(options).await.unwrap_or_else(|error| panic!("no PostgreSQL at {server}: {error}"))
}

async fn run(admin: &DatabaseConnection, statement: &str) {
    admin.execute_unprepared(statement).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
}

fn database(server: &Url, name: &str) -> String {
    let mut url = server.clone();
    url.set_path(name);
    url.into()
}

/// The name of the migrated template of this build, made by whoever comes first.
async fn template(server: &Url) -> &'static str {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    TEMPLATE
        .get_or_init(|| async {
            let name = format!("banyan_template_{}", build());
            let _lock = tokio::task::block_in_place(|| lock("template"));
            let admin = connect(server).await;
            let exists = sea_orm::Statement::from_string(
                admin.get_database_backend(),
                format!("SELECT 1 FROM pg_database WHERE datname = '{name}'"),
            );
            if admin.query_one_raw(exists).await.expect("databases can be listed").is_none() {
                let unfinished = format!("{name}_unfinished");
                run(&admin, &format!("DROP DATABASE IF EXISTS {unfinished} WITH (FORCE)")).await;
                run(&admin, &format!("CREATE DATABASE {unfinished}")).await;
                migrate(&database(server, &unfinished)).await;
                run(&admin, &format!("ALTER DATABASE {unfinished} RENAME TO {name}")).await;
            }
            name
        })
        .await
}

async fn migrate(url: &str) {
    let data = tempfile::tempdir().expect("a temporary directory is made");
    let settings = SettingsInput {
        database_url: Some(url.to_owned()),
        data: Some(data.path().to_owned()),
        ..SettingsInput::default()
    };
    let settings = settings.resolve().expect("the settings of tests are valid");
    let app = App::open(settings, World::system()).await.expect("the template migrates");
    app.kernel.db.close().await.expect("the template closes");
}

/// Tells one build of the tests from another.
fn build() -> String {
    let program = std::env::current_exe().expect("a test knows its program");
    let modified = fs::metadata(&program).and_then(|about| about.modified()).expect("a program has an age");
    let age = modified.duration_since(UNIX_EPOCH).expect("programs are younger than 1970").as_nanos();
    format!("{age:x}")
}

/// Where a started server lives: outside of the target directory, which the user `postgres` may not enter.
fn home() -> PathBuf {
    std::env::temp_dir().join(format!("banyan-tests-{}", effective_user()))
}

fn effective_user() -> u32 {
    // A file that was just made belongs to whoever made it.
    tempfile::tempfile().and_then(|file| file.metadata()).map(|about| about.uid()).expect("a file has an owner")
}

fn lock(name: &str) -> File {
    let home = home();
    fs::create_dir_all(&home).expect("the tests' directory is made");
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(home.join(format!("{name}.lock")));
    let file = file.expect("a lock file opens");
    file.lock().expect("a lock file locks");
    file
}

/// Says that the server is still needed, for what asks once and runs for long.
pub fn touch() {
    // A server that ended in this very moment has taken the file with it; the next connection says so.
    let _ = fs::write(home().join("postgres").join("used"), "");
}

/// The directory with `initdb` and `postgres`.
pub fn binaries() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<PathBuf> = std::env::split_paths(&path).collect();
    for parent in ["/usr/lib/postgresql", "/usr/local/opt", "/opt/homebrew/opt"] {
        let versions = fs::read_dir(parent).into_iter().flatten().flatten();
        let mut versions: Vec<_> = versions.map(|entry| entry.path().join("bin")).collect();
        versions.sort();
        places.extend(versions.into_iter().rev());
    }
    let complete = |place: &PathBuf| place.join("initdb").is_file() && place.join("postgres").is_file();
    places.into_iter().find(complete)
}

/// The address of the server that runs already, or of a new one.
fn started(binaries: &Path, durability: Durability) -> io::Result<String> {
    let (name, durable, idle_minutes) = match durability {
        Durability::None => ("postgres", "off", IDLE_MINUTES),
        Durability::Full => ("postgres-durable", "on", IDLE_MINUTES_DURABLE),
    };
    let _lock = lock(name);
    let home = home().join(name);
    if let Ok(port) = fs::read_to_string(home.join("port"))
        && let Ok(port) = port.trim().parse::<u16>()
        && TcpStream::connect(("127.0.0.1", port)).is_ok()
    {
        return Ok(address(port));
    }
    if home.exists() {
        fs::remove_dir_all(&home)?;
    }
    fs::create_dir_all(&home)?;
    fs::set_permissions(&home, fs::Permissions::from_mode(0o755))?;
    let owner = owner()?;
    if let Some((user, group)) = owner {
        chown(&home, Some(user), Some(group))?;
    }
    let data = home.join("data");
    let log = File::create(home.join("log"))?;
    let mut initdb = Command::new(binaries.join("initdb"));
    initdb.arg("-D").arg(&data).args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]);
    let made = as_owner(&mut initdb, owner, &home, &log)?.status()?;
    if !made.success() {
        return Err(io::Error::other(fs::read_to_string(home.join("log"))?));
    }
    let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
    fs::write(home.join("used"), "")?;
    let mut keeper = Command::new("sh");
    keeper.arg("-c").arg(KEEPER).arg("banyan-test-postgres");
    keeper.arg(binaries.join("postgres")).arg(&home).arg(port.to_string()).arg(idle_minutes.to_string());
    keeper.arg(durable);
    as_owner(&mut keeper, owner, &home, &log)?.process_group(0).spawn()?;
    let deadline = Instant::now() + START_DEADLINE;
    while !accepts(binaries, port) {
        if Instant::now() > deadline {
            return Err(io::Error::other(fs::read_to_string(home.join("log"))?));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    fs::write(home.join("port"), port.to_string())?;
    Ok(address(port))
}

fn address(port: u16) -> String {
    format!("postgres://postgres@127.0.0.1:{port}/postgres")
}

/// A server listens a little before it lets anybody in.
fn accepts(binaries: &Path, port: u16) -> bool {
    let ready = binaries.join("pg_isready");
    if !ready.is_file() {
        return TcpStream::connect(("127.0.0.1", port)).is_ok();
    }
    let mut ready = Command::new(ready);
    ready.args(["-q", "-h", "127.0.0.1", "-p", &port.to_string()]);
    ready.status().is_ok_and(|status| status.success())
}

/// Runs the server until nobody has touched `used` for a while, then ends it and removes what it kept. It reads nothing
/// and writes to the log only, so no test runner waits for it.
const KEEPER: &str = r#"
"$1" -D "$2/data" -p "$3" -k "$2" -c listen_addresses=127.0.0.1 -c max_connections=200 \
  -c fsync="$5" -c synchronous_commit="$5" -c full_page_writes="$5" &
server=$!
trap 'kill -INT $server' TERM INT
while kill -0 $server 2>/dev/null && [ -n "$(find "$2/used" -mmin "-$4" 2>/dev/null)" ]; do sleep 2; done
kill -INT $server 2>/dev/null
wait $server
rm -rf "$2/data" "$2/port"
"#;

/// The user a server runs as when root starts it.
fn owner() -> io::Result<Option<(u32, u32)>> {
    if effective_user() != 0 {
        return Ok(None);
    }
    let id = |option: &str| -> io::Result<u32> {
        let output = Command::new("id").args([option, "postgres"]).output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        text.trim().parse().map_err(|_| io::Error::other("started by root, PostgreSQL needs the user postgres"))
    };
    Ok(Some((id("-u")?, id("-g")?)))
}

fn as_owner<'a>(
    command: &'a mut Command,
    owner: Option<(u32, u32)>,
    directory: &Path,
    log: &File,
) -> io::Result<&'a mut Command> {
    if let Some((user, group)) = owner {
        command.uid(user).gid(group);
    }
    command.current_dir(directory).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log.try_clone()?);
    Ok(command)
}
