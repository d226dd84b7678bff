//! The harness of the integration tests: the real router, a real database, one of its own for every test.
//!
//! A test is written once, in [`both!`], and runs twice: on SQLite and on PostgreSQL. It talks GraphQL to the router in
//! process, without a socket. When it ends well, the harness looks at what it left: the ledger must add up, every
//! mutation that was done or denied must have exactly one audit entry, and every event must carry what the catalogue says.
//!
//! Time stands still until a test moves it ([`TestApp::advance`]). Ids are seeded, so a failure repeats:
//! `BANYAN_TEST_SEED=7 cargo test -p tests`.
//!
//! PostgreSQL is the server that `BANYAN_TEST_POSTGRES_URL` names, else one that the harness starts from installed
//! binaries (see [`postgres`]), else none: then the PostgreSQL half says so and passes.
//!
//! Deliberately not here: sleeping, mocks, anything that reaches below GraphQL to *do* something. Reading and tampering
//! with SQL is for what the API does not show.

mod answer;
mod app;
pub mod durable;
pub mod oracle;
mod organization;
mod payload;
pub mod postgres;
mod receiver;
mod record;
mod request;
mod store;
mod subscription;
pub mod terminal;
mod world;

pub use answer::Answer;
pub use app::TestApp;
pub use organization::{Key, New, Organization};
pub use receiver::{Received, Receiver, Reply};
pub use request::Request;
pub use store::{Store, run, scratch};
pub use subscription::{Socket, Subscription};
pub use world::{NOON, SeededIds};

/// Writes each test once and runs it on both databases, as `name::sqlite` and `name::postgres`.
#[macro_export]
macro_rules! both {
    ($( $(#[$note:meta])* async fn $name:ident($app:ident) $body:block )+) => {$(
        $(#[$note])*
        mod $name {
            #[allow(unused_imports, reason = "a test may need nothing of its module")]
            use super::*;

            async fn check($app: $crate::TestApp) $body

            #[test]
            fn sqlite() {
                $crate::run($crate::Store::Sqlite, check);
            }

            #[test]
            fn postgres() {
                $crate::run($crate::Store::Postgres, check);
            }
        }
    )+};
}
