//! The bookkeeping of workers: leases, cursors, logs of attempts.
//!
//! It is no change that anybody made, so it takes no lock of a realm, leaves no audit entry and makes no event. What a
//! worker *decides* (a hold expires, an endpoint is disabled) is a command like any other.

use sea_orm::prelude::async_trait::async_trait;
use sea_orm::{ConnectionTrait, DatabaseBackend, DbErr, ExecResult, QueryResult, Statement};

use crate::kernel::Kernel;
use crate::kernel::db::Transaction;
use crate::kernel::error::Result;
use crate::kernel::sql::Sql;

/// An open transaction of bookkeeping. Dropped, it is rolled back.
pub struct Work(Transaction);

impl Kernel {
    pub async fn begin_work(&self) -> Result<Work> {
        Ok(Work(self.db.begin().await?))
    }
}

impl Work {
    pub async fn commit(self) -> Result<()> {
        Ok(self.0.commit().await?)
    }

    /// Ends a SELECT that is to lock its rows until the end of the transaction. On SQLite the open transaction is the lock.
    pub fn lock(&self, sql: &mut Sql) {
        self.on_postgres(sql, " FOR UPDATE");
    }

    /// The same, leaving out rows that somebody else has locked.
    pub fn lock_free(&self, sql: &mut Sql) {
        self.on_postgres(sql, " FOR UPDATE SKIP LOCKED");
    }

    fn on_postgres(&self, sql: &mut Sql, text: &str) {
        if self.get_database_backend() == DatabaseBackend::Postgres {
            sql.push(text);
        }
    }
}

#[async_trait]
impl ConnectionTrait for Work {
    fn get_database_backend(&self) -> DatabaseBackend {
        self.0.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.0.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.0.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.0.query_one_raw(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.0.query_all_raw(statement).await
    }
}
