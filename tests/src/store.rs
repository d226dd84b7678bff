//! A database for each test.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Arc;

use futures_util::FutureExt;
use tempfile::TempDir;

use crate::{SeededIds, TestApp, postgres};

/// Which database a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    Sqlite,
    Postgres,
}

/// Where one test's data is.
pub(crate) struct Home {
    pub(crate) url: String,
    /// The SQLite file, and whatever the gateway writes beside it.
    pub(crate) directory: Arc<TempDir>,
}

/// Runs a test on a fresh database, checks what it left, and drops the database whatever came of it.
pub fn run<F: Future<Output = ()>>(store: Store, test: impl FnOnce(TestApp) -> F) {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).enable_all().build().expect("a runtime starts");
    let ended = runtime.block_on(async {
        let directory = Arc::new(tempfile::tempdir().expect("a temporary directory is made"));
        let (url, database) = match store {
            Store::Sqlite => (format!("sqlite://{}", directory.path().join("banyan.db").display()), None),
            Store::Postgres => match postgres::fresh_database().await {
                Some(database) => (database.url.clone(), Some(database)),
                None => {
                    println!("not run: {}", postgres::NONE_FOUND);
                    return Ok(());
                }
            },
        };
        println!("BANYAN_TEST_SEED={}", SeededIds::seed());
        let home = Home { url, directory };
        let app = TestApp::open(&home).await;
        let ended = AssertUnwindSafe(check(&app, test)).catch_unwind().await;
        app.close().await;
        if let Some(database) = database {
            database.drop().await;
        }
        ended
    });
    if let Err(panic) = ended {
        resume_unwind(panic as Box<dyn Any + Send>);
    }
}

async fn check<F: Future<Output = ()>>(app: &TestApp, test: impl FnOnce(TestApp) -> F) {
    test(app.clone()).await;
    app.finish().await;
}
