//! A database for each test.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Arc;

use banyan::app::STACK_BYTES;
use futures_util::FutureExt;
use tempfile::TempDir;

use crate::postgres::FreshDatabase;
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

/// A database of one's own; `None` when there is no such server.
async fn fresh(store: Store) -> Option<(Home, Option<FreshDatabase>)> {
    let directory = Arc::new(tempfile::tempdir().expect("a temporary directory is made"));
    let (url, database) = match store {
        Store::Sqlite => (format!("sqlite://{}", directory.path().join("banyan.db").display()), None),
        Store::Postgres => {
            let database = postgres::fresh_database().await?;
            (database.url.clone(), Some(database))
        }
    };
    Some((Home { url, directory }, database))
}

async fn close(app: TestApp, database: Option<FreshDatabase>) {
    app.close().await;
    if let Some(database) = database {
        database.drop().await;
    }
}

/// A gateway with a database that keeps nothing safe from a power cut, for as long as something needs it; then the ledger
/// must add up. `None` when there is no such server.
pub async fn scratch<T>(store: Store, live: impl AsyncFnOnce(TestApp) -> T) -> Option<T> {
    let (home, database) = fresh(store).await?;
    let app = TestApp::open(&home).await;
    app.forgo_durability().await;
    let lived = live(app.clone()).await;
    app.check_ledger().await;
    close(app, database).await;
    Some(lived)
}

/// Runs a test on a fresh database, checks what it left, and drops the database whatever came of it.
pub fn run<F: Future<Output = ()>>(store: Store, test: impl FnOnce(TestApp) -> F + Send) {
    // A thread with the stack of those that serve: the test's own is as small as the platform likes.
    let ended = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
        thread.spawn_scoped(scope, || run_here(store, test)).expect("a thread starts").join()
    });
    if let Err(panic) = ended {
        resume_unwind(panic);
    }
}

fn run_here<F: Future<Output = ()>>(store: Store, test: impl FnOnce(TestApp) -> F) {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).thread_stack_size(STACK_BYTES).enable_all();
    let runtime = runtime.build().expect("a runtime starts");
    let ended = runtime.block_on(async {
        let Some((home, database)) = fresh(store).await else {
            println!("not run: {}", postgres::NONE_FOUND);
            return Ok(());
        };
        println!("BANYAN_TEST_SEED={}", SeededIds::seed());
        let app = TestApp::open(&home).await;
        let ended = AssertUnwindSafe(check(&app, test)).catch_unwind().await;
        close(app, database).await;
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
