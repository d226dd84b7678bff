//! The gateway put together: database, world, schema, transport, workers.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use migration::{Migrator, MigratorTrait};

use crate::access::reader::Reader;
use crate::access::watch::AuthorityWatch;
use crate::admission::Admission;
use crate::api_key::last_used::LastUsed;
use crate::api_key::secret::Peppers;
use crate::credit::ledger::Ledger;
use crate::event::relay::Relay;
use crate::http::guard::{Guard, Limits};
use crate::http::{GraphiqlSettings, HttpSettings, Service, Shutdown};
use crate::kernel::Kernel;
use crate::kernel::clock::World;
use crate::kernel::db::Database;
use crate::kernel::error::{Fault, Result};
use crate::schema;
use crate::settings::{Settings, unhex};
use crate::throttle::{PointLimits, Throttle};
use crate::webhook::send::{ATTEMPT_TIMEOUT, Sender, SystemNames};
use crate::webhook::{self, Loopback};

/// The stack of each thread that serves. Fields within fields are calls within calls: at the guard's depth of 15 a debug
/// build takes some 8 MiB, a release build a fraction. Only what is used is ever backed by memory.
pub const STACK_BYTES: usize = 32 * 1024 * 1024;

/// Everything a gateway is made of, before it listens.
#[derive(Clone)]
pub struct App {
    pub kernel: Kernel,
    pub ledger: Ledger,
    pub relay: Relay,
    pub watch: AuthorityWatch,
    pub peppers: Peppers,
    pub keys: Reader,
    pub throttle: Throttle,
    pub last_used: LastUsed,
    pub settings: Settings,
    pub shutdown: Shutdown,
}

impl App {
    /// Opens and migrates the database and reads the pepper.
    pub async fn open(settings: Settings, world: World) -> Result<Self> {
        std::fs::create_dir_all(&settings.data)
            .map_err(|e| Fault::caused_by(format!("{} cannot be made", settings.data.display()), e))?;
        let peppers = peppers(&settings, &world)?;
        let db = Database::open(&settings.database_url, settings.postgres_connections).await?;
        let kernel = Kernel::new(db, world);
        let ledger = Ledger::new(kernel.clone());
        let watch = AuthorityWatch::new(kernel.clone());
        let relay = Relay::new(kernel.clone(), watch.clone());
        let limits = PointLimits {
            key_per_second: settings.key_points_per_second.into(),
            root_per_second: settings.root_points_per_second.into(),
            document_max: Limits::default().cost_points,
        };
        let throttle = Throttle::new(Arc::clone(&kernel.world.clock), limits);
        let app = Self {
            keys: Reader::new(kernel.db.clone()),
            throttle,
            kernel,
            ledger,
            relay,
            watch,
            peppers,
            last_used: LastUsed::default(),
            settings,
            shutdown: Shutdown::default(),
        };
        app.migrate().await?;
        Ok(app)
    }

    /// Applies what this build knows and the database lacks. Waits for another gateway that is doing the same.
    pub async fn migrate(&self) -> Result<()> {
        let failed = |e| Fault::caused_by("the database could not be migrated", e);
        let lock = self.kernel.db.migration_lock().await.map_err(failed)?;
        Migrator::up(self.kernel.db.connection(), None).await.map_err(failed)?;
        if let Some(lock) = lock {
            lock.commit().await.map_err(failed)?;
        }
        self.kernel.make_platform_realm().await
    }

    /// The routes. `graphiql` is what the page opens with.
    pub fn router(&self, graphiql: GraphiqlSettings, metrics: Option<PrometheusHandle>) -> Result<Router> {
        Ok(crate::http::router(self.service(graphiql, metrics)?))
    }

    /// What the routes serve.
    pub fn service(
        &self,
        graphiql: GraphiqlSettings,
        metrics: Option<PrometheusHandle>,
    ) -> Result<Service<schema::Schema>> {
        let sdl = schema::sdl();
        let guard = Guard::new(&sdl, Limits::default())
            .map_err(|e| Fault::caused_by("the guard does not read the schema", e.to_string()))?;
        let world = self.kernel.world.clone();
        Ok(Service {
            executor: schema::build(),
            admission: Arc::new(Admission {
                kernel: self.kernel.clone(),
                ledger: self.ledger.clone(),
                relay: self.relay.clone(),
                watch: self.watch.clone(),
                peppers: self.peppers.clone(),
                keys: self.keys.clone(),
                throttle: self.throttle.clone(),
                last_used: self.last_used.clone(),
                welcome_credits: self.settings.root_credits,
                webhook_http_loopback: self.settings.webhook_http_loopback,
            }),
            guard: Arc::new(guard),
            sdl: sdl.into(),
            settings: HttpSettings {
                trusted_proxies: self.settings.trusted_proxies.clone(),
                allowed_origins: self.settings.allowed_origins.clone(),
                graphiql,
                ..HttpSettings::default()
            },
            shutdown: self.shutdown.clone(),
            request_ids: Arc::new(move || world.ids.id(world.clock.now())),
            metrics,
        })
    }

    /// What sends webhooks from this gateway.
    pub fn webhooks(&self) -> Result<webhook::worker::Worker, Fault> {
        let loopback = if self.settings.webhook_http_loopback { Loopback::Allowed } else { Loopback::Refused };
        let sender = Sender::new(loopback, Arc::new(SystemNames), ATTEMPT_TIMEOUT)?;
        let (kernel, shutdown) = (self.kernel.clone(), self.shutdown.clone());
        Ok(webhook::worker::Worker::new(kernel, self.peppers.sealer(), sender, shutdown))
    }

    /// Sends webhooks until the gateway stops; what was sent by then is waited for, but not for ever.
    fn send_webhooks(&self) -> tokio::task::JoinHandle<()> {
        let (worker, shutdown) = (self.webhooks(), self.shutdown.clone());
        let drain = Duration::from_secs(self.settings.drain_seconds);
        tokio::spawn(async move {
            let worker = match worker {
                Ok(worker) => worker,
                // Such as an image without any root certificate: everything else works.
                Err(fault) => return tracing::error!(cause = %fault.chain(), "no webhook is sent from this gateway"),
            };
            let late = async {
                shutdown.begun().await;
                tokio::time::sleep(drain).await;
            };
            tokio::select! {
                () = worker.run() => {}
                () = late => tracing::warn!("some webhooks were not answered in time; another gateway sends them again"),
            }
        })
    }

    /// Serves until `stop` resolves, then lets open streams end and answers what was asked before.
    pub async fn serve(
        &self,
        listener: tokio::net::TcpListener,
        graphiql: GraphiqlSettings,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<()> {
        let metrics = PrometheusBuilder::new().install_recorder().ok();
        let router = self.router(graphiql, metrics)?.into_make_service_with_connect_info::<SocketAddr>();
        let worker = tokio::spawn(crate::credit::worker::run(self.kernel.clone(), self.shutdown.clone()));
        let sealer = tokio::spawn(crate::audit::seal::run(self.kernel.clone(), self.shutdown.clone()));
        let webhooks = self.send_webhooks();
        let last_used = tokio::spawn(self.last_used.clone().run(self.kernel.clone(), self.shutdown.clone()));
        let shutdown = self.shutdown.clone();
        let stopping = shutdown.clone();
        tokio::spawn(async move {
            stop.await;
            stopping.begin();
        });
        let begun = shutdown.clone();
        let served = axum::serve(listener, router).with_graceful_shutdown(async move { begun.begun().await });
        let drain = Duration::from_secs(self.settings.drain_seconds);
        // axum waits for ever on a connection that stays open; the deadline ends that.
        let ended = async {
            shutdown.begun().await;
            shutdown.drained(drain).await;
            tokio::time::sleep(drain).await;
        };
        tokio::select! {
            served = served => served.map_err(|e| Fault::caused_by("the listener failed", e))?,
            () = ended => tracing::warn!("some connections did not end in time"),
        }
        worker.abort();
        sealer.abort();
        // The one writes once more when the shutdown begins, the other waits for what it sent.
        for ending in [last_used, webhooks] {
            if let Err(error) = ending.await {
                tracing::warn!(cause = %error, "a worker ended early");
            }
        }
        Ok(())
    }
}

/// The pepper from the settings, or from a file beside the database that is made on the first start.
fn peppers(settings: &Settings, world: &World) -> Result<Peppers, Fault> {
    let pepper = match &settings.pepper {
        Some(pepper) => pepper.clone(),
        None => pepper_file(&settings.data.join("pepper"), world)?,
    };
    Peppers::new(BTreeMap::from([(1, pepper)])).ok_or_else(|| Fault::new("there is no pepper"))
}

fn pepper_file(path: &Path, world: &World) -> Result<Vec<u8>, Fault> {
    let failed = |e: std::io::Error| Fault::caused_by(format!("{} cannot be used", path.display()), e);
    match std::fs::read_to_string(path) {
        Ok(text) => unhex(&text),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            let pepper = world.ids.secret().to_vec();
            let text: String = pepper.iter().map(|byte| format!("{byte:02x}")).collect();
            write_private(path, &text).map_err(failed)?;
            Ok(pepper)
        }
        Err(e) => Err(failed(e)),
    }
}

/// Writes a file that only its owner can read.
pub(crate) fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}
