//! The gateway under test.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use axum::Router;
use banyan::app::App;
use banyan::http::GraphiqlSettings;
use banyan::kernel::Kernel;
use banyan::kernel::clock::{ManualClock, World};
use banyan::settings::SettingsInput;
use banyan::webhook::Loopback;
use banyan::webhook::send::{Names, Sender, SystemNames};
use banyan::webhook::worker::Worker;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};

use crate::organization::New;
use crate::payload;
use crate::record::{self, Record};
use crate::store::Home;
use crate::world::{NOON, SeededIds};
use crate::{Answer, Key, Request, Subscription};

/// Any 32 bytes: a test's keys are nobody's.
const PEPPER: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
/// Enough for two requests at once on one test's database; many tests share the server.
const POSTGRES_CONNECTIONS: u32 = 4;
/// How long a webhook waits for an answer.
const PATIENCE: Duration = Duration::from_millis(400);

/// A gateway with a database of its own. Clones are the same gateway.
#[derive(Clone)]
pub struct TestApp(Arc<Inner>);

struct Inner {
    app: App,
    router: Router,
    home: Home,
    clock: Arc<ManualClock>,
    operator: Key,
    mutations: &'static [String],
    serial: AtomicU64,
    record: Mutex<Record>,
    tampered: AtomicBool,
}

impl TestApp {
    pub(crate) async fn open(home: &Home) -> Self {
        let clock = Arc::new(ManualClock::at(NOON.parse().expect("noon is an instant")));
        let app = gateway(home, clock.clone(), SeededIds::seed(), (0, 0)).await;
        let router = app.router(GraphiqlSettings::default(), None).expect("the schema makes a router");
        let operator = banyan::seed::operator_key(&app, "test").await.expect("an operator key is made");
        let operator = Key { id: String::new(), secret: operator.reveal().to_owned() };
        Self(Arc::new(Inner {
            app,
            router,
            home: Home { url: home.url.clone(), directory: Arc::clone(&home.directory) },
            clock,
            operator,
            mutations: mutation_names(),
            serial: AtomicU64::new(0),
            record: Mutex::default(),
            tampered: AtomicBool::new(false),
        }))
    }

    pub fn app(&self) -> &App {
        &self.0.app
    }

    pub fn kernel(&self) -> &Kernel {
        &self.0.app.kernel
    }

    pub fn router(&self) -> Router {
        self.0.router.clone()
    }

    /// The routes of another gateway on the same database, with the same pepper and the same clock.
    pub async fn another_gateway(&self) -> Router {
        self.limiting_gateway(0, 0).await
    }

    /// The same, where points come back to a key and to a root so fast.
    pub async fn limiting_gateway(&self, key_per_second: u32, root_per_second: u32) -> Router {
        let points = (key_per_second, root_per_second);
        let app = gateway(&self.0.home, Arc::clone(&self.0.clock), SeededIds::seed() + 1, points).await;
        app.router(GraphiqlSettings::default(), None).expect("the schema makes a router")
    }

    /// Opens a subscription as an event stream.
    pub async fn subscribe(&self, key: impl AsRef<str>, document: &str, variables: Value) -> Subscription {
        Subscription::open(self.router(), key.as_ref(), document, &variables).await
    }

    /// The operator's key.
    pub fn operator(&self) -> &Key {
        &self.0.operator
    }

    /// A root, made by the operator.
    pub fn root(&self, name: &str) -> New {
        New::root(self, name)
    }

    pub fn request(&self, document: &str) -> Request {
        Request::new(self.clone(), document)
    }

    /// Runs a document.
    pub async fn gql(&self, key: impl AsRef<str>, document: &str, variables: Value) -> Answer {
        self.request(document).key(key).variables(variables).send().await
    }

    /// Runs one mutation and selects this of its payload, beside `userErrors`. What moves credits gets an idempotency
    /// key of its own unless the input has one.
    pub async fn mutate(&self, key: impl AsRef<str>, field: &str, input: Value, selection: &str) -> Answer {
        let input = record::with_idempotency_key(field, input, self.serial());
        self.gql(key, &record::document(field, selection), json!({ "input": input })).await
    }

    /// The request that [`TestApp::mutate`] would send, for tests that add headers.
    pub fn mutation(&self, field: &str, input: Value, selection: &str) -> Request {
        let input = record::with_idempotency_key(field, input, self.serial());
        self.request(&record::document(field, selection)).variables(json!({ "input": input }))
    }

    fn serial(&self) -> u64 {
        self.0.serial.fetch_add(1, Ordering::Relaxed)
    }

    /// The moment it is.
    pub fn now(&self) -> entity::timestamp::Timestamp {
        self.kernel().world.clock.now()
    }

    pub fn advance(&self, seconds: i64) {
        self.0.clock.advance_seconds(seconds);
    }

    /// Does everything that workers would do by now.
    pub async fn run_workers_until_idle(&self) {
        banyan::credit::worker::run_until_idle(self.kernel()).await.expect("the workers do their work");
    }

    /// What sends webhooks, with short patience; not part of [`TestApp::run_workers_until_idle`], because most tests'
    /// endpoints lead nowhere.
    pub fn webhooks(&self) -> Worker {
        self.webhooks_with(Loopback::Allowed, Arc::new(SystemNames))
    }

    /// The same, with names that lead where the test wants.
    pub fn webhooks_with(&self, loopback: Loopback, names: Arc<dyn Names>) -> Worker {
        let sender = Sender::new(loopback, names, PATIENCE).expect("a client can be made");
        let app = &self.0.app;
        Worker::new(app.kernel.clone(), app.peppers.sealer(), sender, app.shutdown.clone())
    }

    /// What the database holds. Two of them are equal when nothing changed in between.
    pub async fn contents(&self) -> std::collections::BTreeMap<String, i64> {
        record::contents(self).await
    }

    /// The one number that a statement answers.
    pub async fn number(&self, text: &str) -> i64 {
        let connection = self.kernel().db.connection();
        // A sum of BIGINT is NUMERIC on PostgreSQL.
        let text = format!("SELECT CAST(({text}) AS BIGINT) AS number");
        let statement = Statement::from_string(connection.get_database_backend(), text);
        let row = connection.query_one_raw(statement).await.expect("a test's statement is valid");
        row.expect("a count has a row").try_get("", "number").expect("a number")
    }

    /// Changes the database behind the gateway's back. What the harness checks at the end is then not expected to hold.
    pub async fn tamper(&self, text: &str) {
        self.0.tampered.store(true, Ordering::Relaxed);
        let done = self.kernel().db.connection().execute_unprepared(text).await.expect("a test's statement is valid");
        assert!(done.rows_affected() > 0, "nothing was tampered with: {text}");
    }

    pub(crate) fn note(&self, document: &str, key: Option<&str>, answer: &Answer) {
        let by_operator = key == Some(self.0.operator.secret.as_str());
        self.0.record.lock().unwrap_or_else(PoisonError::into_inner).note(document, by_operator, answer);
    }

    pub(crate) fn is_mutation(&self, action: &str) -> bool {
        self.0.mutations.iter().any(|name| name == action)
    }

    /// Looks at what the test left.
    pub(crate) async fn finish(&self) {
        if self.0.tampered.load(Ordering::Relaxed) {
            return;
        }
        self.check_ledger().await;
        payload::check(self).await;
        let record = std::mem::take(&mut *self.0.record.lock().unwrap_or_else(PoisonError::into_inner));
        record.compare(self).await;
    }

    /// Insists that the ledger adds up.
    pub(crate) async fn check_ledger(&self) {
        let report = banyan::credit::verify::run(self.kernel()).await.expect("the ledger can be read");
        assert!(report.is_clean(), "{report}");
    }

    /// Has SQLite write without waiting for the disk, as the tests' PostgreSQL does: for long runs that no power cut is
    /// part of. The gateway has one writing connection, and this is it.
    pub async fn forgo_durability(&self) {
        let connection = self.kernel().db.connection();
        if connection.get_database_backend() == sea_orm::DatabaseBackend::Sqlite {
            connection.execute_unprepared("PRAGMA synchronous = OFF").await.expect("SQLite takes a pragma");
        }
    }

    pub(crate) async fn close(&self) {
        self.kernel().db.clone().close().await.expect("the database closes");
    }
}

/// A gateway on this data.
async fn gateway(home: &Home, clock: Arc<ManualClock>, seed: u64, points: (u32, u32)) -> App {
    let world = World { clock, ids: Arc::new(SeededIds::new(seed)) };
    let settings = SettingsInput {
        database_url: Some(home.url.clone()),
        data: Some(home.directory.path().to_owned()),
        demo: Some(false),
        pepper: Some(PEPPER.to_owned()),
        postgres_connections: Some(POSTGRES_CONNECTIONS),
        // A root starts empty, so that a test's numbers are its own.
        root_credits: Some(0),
        // The clock stands still, so nothing would come back.
        key_points_per_second: Some(points.0),
        root_points_per_second: Some(points.1),
        // Tests receive webhooks themselves.
        webhook_http_loopback: Some(true),
        ..SettingsInput::default()
    };
    let settings = settings.resolve().expect("the settings of tests are valid");
    App::open(settings, world).await.expect("the database opens")
}

/// The mutations of the schema, which are the actions of the audit trail.
fn mutation_names() -> &'static [String] {
    static NAMES: OnceLock<Vec<String>> = OnceLock::new();
    NAMES.get_or_init(read_mutation_names)
}

fn read_mutation_names() -> Vec<String> {
    use async_graphql::parser::types::{TypeKind, TypeSystemDefinition};
    let document = async_graphql::parser::parse_schema(banyan::schema::sdl()).expect("the schema's text parses");
    let mut names = Vec::new();
    for definition in document.definitions {
        if let TypeSystemDefinition::Type(ty) = definition
            && ty.node.name.node == "Mutation"
            && let TypeKind::Object(object) = ty.node.kind
        {
            names.extend(object.fields.iter().map(|field| field.node.name.node.to_string()));
        }
    }
    names
}
