//! Settings: flags before `BANYAN_*` variables before the TOML file before the defaults. The only reader of any of them.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use entity::credits::Credits;
use ipnet::IpNet;
use serde::Deserialize;

use crate::kernel::error::Fault;

/// Where the gateway listens when nothing is said.
const LISTEN_DEFAULT: &str = "127.0.0.1:4000";
/// Where data is kept when nothing is said.
const DATA_DEFAULT: &str = "data";
/// Connections to PostgreSQL when nothing is said. More make a busy database slower.
const POSTGRES_CONNECTIONS_DEFAULT: u32 = 16;
/// Points that come back to a key family each second when nothing is said: some 5,000 charges with what is asked of
/// each, or twenty of the dearest documents there are.
const KEY_POINTS_PER_SECOND_DEFAULT: u32 = 200_000;
/// The same for all keys of a tree together.
const ROOT_POINTS_PER_SECOND_DEFAULT: u32 = 400_000;
/// How long open streams have to end when the gateway stops.
const DRAIN_SECONDS_DEFAULT: u64 = 10;

/// What can be set. Every flag has a variable, and a key of the same name in the file.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SettingsInput {
    /// A TOML file with any of these settings, by the flags' names.
    #[arg(long, env = "BANYAN_CONFIG", global = true)]
    #[serde(skip)]
    pub config: Option<PathBuf>,
    /// `postgres://…` or `sqlite://…`; SQLite under the data directory when absent.
    #[arg(long, env = "BANYAN_DATABASE_URL", global = true, hide_env_values = true)]
    pub database_url: Option<String>,
    /// Where the embedded database, the pepper and the demo keys are kept [default: data].
    #[arg(long, env = "BANYAN_DATA", global = true)]
    pub data: Option<PathBuf>,
    /// Address and port to listen on [default: 127.0.0.1:4000].
    #[arg(long, env = "BANYAN_LISTEN", global = true)]
    pub listen: Option<SocketAddr>,
    /// Whether to seed an empty database with the demo tree and put its key into GraphiQL [default: true with the embedded database].
    #[arg(long, env = "BANYAN_DEMO", global = true)]
    pub demo: Option<bool>,
    /// Connections to PostgreSQL [default: 16].
    #[arg(long, env = "BANYAN_POSTGRES_CONNECTIONS", global = true)]
    pub postgres_connections: Option<u32>,
    /// The secret that hashes keys, as hex of 32 bytes or more; a file in the data directory when absent.
    #[arg(long, env = "BANYAN_PEPPER", global = true, hide_env_values = true)]
    pub pepper: Option<String>,
    /// Credits that a new root is given [default: 500].
    #[arg(long, env = "BANYAN_ROOT_CREDITS", global = true)]
    pub root_credits: Option<i64>,
    /// Points that a key family is given back each second, of ten seconds' worth at most; 0 does not limit. Each gateway
    /// counts for itself, so a key has up to as many times that as there are gateways [default: 200000].
    #[arg(long, env = "BANYAN_KEY_POINTS_PER_SECOND", global = true)]
    pub key_points_per_second: Option<u32>,
    /// The same for all keys of one tree together [default: 400000].
    #[arg(long, env = "BANYAN_ROOT_POINTS_PER_SECOND", global = true)]
    pub root_points_per_second: Option<u32>,
    /// Whether webhook endpoints may be plain http on this very machine [default: false].
    #[arg(long, env = "BANYAN_WEBHOOK_HTTP_LOOPBACK", global = true)]
    pub webhook_http_loopback: Option<bool>,
    /// Proxies whose X-Forwarded-For is believed, as CIDR ranges.
    #[arg(long, env = "BANYAN_TRUSTED_PROXIES", global = true, value_delimiter = ',')]
    #[serde(default)]
    pub trusted_proxies: Vec<IpNet>,
    /// Origins other than the gateway's own whose pages may open a WebSocket.
    #[arg(long, env = "BANYAN_ALLOWED_ORIGINS", global = true, value_delimiter = ',')]
    #[serde(default)]
    pub allowed_origins: Vec<String>,
    /// Seconds that open streams have to end when the gateway stops [default: 10].
    #[arg(long, env = "BANYAN_DRAIN_SECONDS", global = true)]
    pub drain_seconds: Option<u64>,
    /// Whether log lines are JSON [default: false].
    #[arg(long, env = "BANYAN_LOG_JSON", global = true)]
    pub log_json: Option<bool>,
}

/// Settings as they are used.
#[derive(Clone)]
pub struct Settings {
    pub database_url: String,
    pub data: PathBuf,
    pub listen: SocketAddr,
    pub demo: bool,
    pub postgres_connections: u32,
    pub pepper: Option<Vec<u8>>,
    pub root_credits: Credits,
    pub key_points_per_second: u32,
    pub root_points_per_second: u32,
    pub webhook_http_loopback: bool,
    pub trusted_proxies: Vec<IpNet>,
    pub allowed_origins: Vec<String>,
    pub drain_seconds: u64,
    pub log_json: bool,
}

impl SettingsInput {
    /// Reads the file, if one is named, and fills in what is still open.
    pub fn resolve(self) -> Result<Settings, Fault> {
        let file = match &self.config {
            Some(path) => read(path)?,
            None => Self::default(),
        };
        let data = self.data.or(file.data).unwrap_or_else(|| PathBuf::from(DATA_DEFAULT));
        let database_url = self.database_url.or(file.database_url);
        let embedded = database_url.is_none();
        let listen = self.listen.or(file.listen);
        let root_credits = self.root_credits.or(file.root_credits);
        let root_credits = match root_credits {
            None => crate::organization::command::ROOT_CREDITS,
            Some(credits) => Credits::new(credits)
                .filter(|credits| !credits.is_negative())
                .ok_or_else(|| Fault::new("root-credits is 0 to 9007199254740991"))?,
        };
        let first = |own: Vec<_>, file: Vec<_>| if own.is_empty() { file } else { own };
        Ok(Settings {
            database_url: database_url.unwrap_or_else(|| format!("sqlite://{}", data.join("banyan.db").display())),
            listen: listen.unwrap_or_else(|| LISTEN_DEFAULT.parse().expect("the default address is one")),
            demo: self.demo.or(file.demo).unwrap_or(embedded),
            postgres_connections: self
                .postgres_connections
                .or(file.postgres_connections)
                .unwrap_or(POSTGRES_CONNECTIONS_DEFAULT)
                .max(2),
            pepper: self.pepper.or(file.pepper).map(|text| unhex(&text)).transpose()?,
            root_credits,
            key_points_per_second: self
                .key_points_per_second
                .or(file.key_points_per_second)
                .unwrap_or(KEY_POINTS_PER_SECOND_DEFAULT),
            root_points_per_second: self
                .root_points_per_second
                .or(file.root_points_per_second)
                .unwrap_or(ROOT_POINTS_PER_SECOND_DEFAULT),
            webhook_http_loopback: self.webhook_http_loopback.or(file.webhook_http_loopback).unwrap_or(false),
            trusted_proxies: if self.trusted_proxies.is_empty() { file.trusted_proxies } else { self.trusted_proxies },
            allowed_origins: first(self.allowed_origins, file.allowed_origins),
            drain_seconds: self.drain_seconds.or(file.drain_seconds).unwrap_or(DRAIN_SECONDS_DEFAULT),
            log_json: self.log_json.or(file.log_json).unwrap_or(false),
            data,
        })
    }
}

fn read(path: &Path) -> Result<SettingsInput, Fault> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| Fault::caused_by(format!("{} cannot be read", path.display()), source))?;
    toml::from_str(&text)
        .map_err(|source| Fault::caused_by(format!("{} is no valid settings file", path.display()), source))
}

/// The fewest bytes of a pepper.
const PEPPER_MIN_BYTES: usize = 32;

pub(crate) fn unhex(text: &str) -> Result<Vec<u8>, Fault> {
    let text = text.trim();
    let pairs = text.as_bytes().chunks(2);
    let bytes: Option<Vec<u8>> = pairs
        .map(|pair| std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2))
        .map(|pair| pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()))
        .collect();
    bytes
        .filter(|bytes| bytes.len() >= PEPPER_MIN_BYTES)
        .ok_or_else(|| Fault::new("a pepper is hex of 32 bytes or more"))
}
