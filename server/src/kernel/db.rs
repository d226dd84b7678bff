//! The two databases behind one door.
//!
//! SQLite has one writing connection (`BEGIN IMMEDIATE`, so no transaction ever upgrades from reader to writer and
//! fails for it) and a pool of read-only ones; PostgreSQL has one pool for both. Statements are counted, so that a test
//! can say how many a query costs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sea_orm::prelude::async_trait::async_trait;
use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::{
    AccessMode, ConnectOptions, ConnectionTrait, DatabaseBackend, DatabaseConnection, DatabaseTransaction, DbErr,
    ExecResult, IsolationLevel, QueryResult, SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
};

use crate::kernel::error::Fault;

/// How long a statement may wait for a connection or a lock before it fails and is retried.
const LOCK_WAIT_MS: u64 = 5_000;
/// How long PostgreSQL lets a transaction wait for the gateway's next statement.
const IDLE_IN_TRANSACTION_MS: u64 = 4_000;
/// Read-only connections to SQLite. Readers never block each other or the writer.
const SQLITE_READERS: u32 = 4;
/// The advisory lock of migrations; any number, as long as it is always this one.
const MIGRATION_LOCK: i64 = 0x6261_6e79_616e;
/// Statements whose plans each connection keeps.
const STATEMENT_CACHE: usize = 256;

/// A database, opened.
#[derive(Clone)]
pub struct Database {
    writer: DatabaseConnection,
    reader: DatabaseConnection,
    statements: Arc<AtomicU64>,
}

impl Database {
    /// Opens `sqlite://path` or `postgres://…`. A SQLite file is created when it is missing.
    pub async fn open(url: &str, postgres_connections: u32) -> Result<Self, Fault> {
        let opened = if url.starts_with("sqlite:") {
            Self::open_sqlite(url).await
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            Self::open_postgres(url, postgres_connections).await
        } else {
            return Err(Fault::new("the database URL begins with neither sqlite: nor postgres:"));
        };
        opened.map_err(|source| Fault::caused_by("the database could not be opened", source))
    }

    async fn open_sqlite(url: &str) -> Result<Self, DbErr> {
        let options = |readers: bool| {
            let mut options = ConnectOptions::new(url);
            options
                .max_connections(if readers { SQLITE_READERS } else { 1 })
                .min_connections(1)
                .acquire_timeout(Duration::from_millis(LOCK_WAIT_MS))
                .test_before_acquire(false)
                .sqlx_logging(false)
                .map_sqlx_sqlite_opts(move |sqlite| {
                    let sqlite = sqlite
                        .busy_timeout(Duration::from_millis(LOCK_WAIT_MS))
                        .foreign_keys(true)
                        .statement_cache_capacity(STATEMENT_CACHE);
                    if readers {
                        sqlite.read_only(true)
                    } else {
                        sqlite
                            .create_if_missing(true)
                            .journal_mode(SqliteJournalMode::Wal)
                            .synchronous(SqliteSynchronous::Full)
                    }
                });
            options
        };
        let writer = sea_orm::Database::connect(options(false)).await?;
        let reader = sea_orm::Database::connect(options(true)).await?;
        Ok(Self { writer, reader, statements: Arc::default() })
    }

    async fn open_postgres(url: &str, connections: u32) -> Result<Self, DbErr> {
        let mut options = ConnectOptions::new(url);
        options
            .max_connections(connections)
            .min_connections(1)
            .acquire_timeout(Duration::from_millis(LOCK_WAIT_MS))
            .test_before_acquire(false)
            .sqlx_logging(false)
            .map_sqlx_postgres_opts(|postgres| {
                postgres.statement_cache_capacity(STATEMENT_CACHE).application_name("banyan").options([
                    ("lock_timeout", format!("{LOCK_WAIT_MS}ms")),
                    // A gateway that was paused inside a transaction must not hold its realm, and with it the suspension of
                    // anybody there, for as long as it is.
                    ("idle_in_transaction_session_timeout", format!("{IDLE_IN_TRANSACTION_MS}ms")),
                    // Every statement goes by an index that its text names all columns of: planning it anew for each
                    // set of values, or compiling it, takes longer than running it.
                    ("plan_cache_mode", "force_generic_plan".to_owned()),
                    ("jit", "off".to_owned()),
                ])
            });
        let pool = sea_orm::Database::connect(options).await?;
        Ok(Self { writer: pool.clone(), reader: pool, statements: Arc::default() })
    }

    /// The connection migrations run on.
    pub fn connection(&self) -> &DatabaseConnection {
        &self.writer
    }

    pub fn backend(&self) -> DatabaseBackend {
        self.writer.get_database_backend()
    }

    /// Reads, each statement of its own moment.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot { reader: self.reader.clone(), statements: Arc::clone(&self.statements) }
    }

    /// Reads, all statements of one moment. Keep it short on PostgreSQL: rows that change meanwhile are kept for it.
    pub async fn moment(&self) -> Result<Moment, DbErr> {
        let postgres = self.backend() == DatabaseBackend::Postgres;
        let options = TransactionOptions {
            isolation_level: postgres.then_some(IsolationLevel::RepeatableRead),
            access_mode: postgres.then_some(AccessMode::ReadOnly),
            ..TransactionOptions::default()
        };
        let inner = self.reader.begin_with_options(options).await?;
        Ok(Moment { inner, statements: Arc::clone(&self.statements) })
    }

    /// How many statements have been sent since the start.
    pub fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// Held while the database is migrated, so that of several gateways starting at once one migrates and the others wait.
    /// SQLite needs none: its file belongs to one gateway.
    pub async fn migration_lock(&self) -> Result<Option<DatabaseTransaction>, DbErr> {
        if self.backend() != DatabaseBackend::Postgres {
            return Ok(None);
        }
        let lock = self.writer.begin().await?;
        // A gateway may migrate for longer than a statement may otherwise wait for a lock.
        lock.execute_unprepared("SET LOCAL lock_timeout = '10min'").await?;
        lock.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")).await?;
        Ok(Some(lock))
    }

    /// Only the kernel begins and commits.
    pub(super) async fn begin(&self) -> Result<Transaction, DbErr> {
        let mode = Some(SqliteTransactionMode::Immediate);
        let options = TransactionOptions { sqlite_transaction_mode: mode, ..TransactionOptions::default() };
        let inner = self.writer.begin_with_options(options).await?;
        Ok(Transaction { inner, statements: Arc::clone(&self.statements) })
    }

    pub async fn close(self) -> Result<(), DbErr> {
        self.reader.close().await?;
        self.writer.close().await
    }
}

/// Read access outside of a transaction.
#[derive(Clone)]
pub struct Snapshot {
    reader: DatabaseConnection,
    statements: Arc<AtomicU64>,
}

/// Read access as of one moment; it ends when it is dropped.
pub struct Moment {
    inner: DatabaseTransaction,
    statements: Arc<AtomicU64>,
}

/// The connection of one open transaction.
pub struct Transaction {
    inner: DatabaseTransaction,
    statements: Arc<AtomicU64>,
}

impl Transaction {
    pub(super) async fn commit(self) -> Result<(), DbErr> {
        self.inner.commit().await
    }

    pub(super) async fn rollback(self) -> Result<(), DbErr> {
        self.inner.rollback().await
    }
}

macro_rules! counted_connection {
    ($type:ty, $field:ident) => {
        #[async_trait]
        impl ConnectionTrait for $type {
            fn get_database_backend(&self) -> DatabaseBackend {
                self.$field.get_database_backend()
            }

            async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
                self.statements.fetch_add(1, Ordering::Relaxed);
                self.$field.execute_raw(statement).await
            }

            async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
                self.statements.fetch_add(1, Ordering::Relaxed);
                self.$field.execute_unprepared(sql).await
            }

            async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
                self.statements.fetch_add(1, Ordering::Relaxed);
                self.$field.query_one_raw(statement).await
            }

            async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
                self.statements.fetch_add(1, Ordering::Relaxed);
                self.$field.query_all_raw(statement).await
            }
        }
    };
}

counted_connection!(Snapshot, reader);
counted_connection!(Moment, inner);
counted_connection!(Transaction, inner);
