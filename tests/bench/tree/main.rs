//! What it costs to suspend, plan to archive, move and detach an organization with a great many below it: rows and time.
//!
//! `cargo run --release -p tests --bin tree-bench` starts a PostgreSQL of its own from the installed binaries, durable, makes
//! a tree of 100,000 organizations and asks the router in process, as the operator. Every act is done once in each round;
//! the table has the medians. Rows are counted exactly: those that carry the number of a transaction that began after the
//! act did, in every table there is; nothing else writes meanwhile. Rows that are deleted are not counted, and none of these
//! acts deletes any. `--short` shows that it runs, and says nothing about speed.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use banyan::http::GraphiqlSettings;
use clap::Parser;
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use serde_json::{Value, json};
use tower::ServiceExt;

const BELOW: u32 = 100_000;
const BELOW_SHORT: u32 = 300;
/// The most of an answer's body that is read.
const BODY_MAX_BYTES: usize = 1024 * 1024;

#[derive(Parser)]
#[command(about = "Measures acts on large trees: rows written and time.")]
struct Cli {
    /// Tries everything once on a small tree; the times mean nothing.
    #[arg(long)]
    short: bool,
    /// How often each act is done.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// A durable PostgreSQL to use instead of one of its own; an own database is made there and dropped.
    #[arg(long)]
    postgres_url: Option<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let postgres = match &cli.postgres_url {
        Some(url) => tests::postgres::durable_database_at(url).await,
        None => tests::postgres::durable_database().await,
    };
    let Some(database) = postgres else {
        println!("PostgreSQL is not here: nothing was measured.");
        return ExitCode::SUCCESS;
    };
    run(&database.url, if cli.short { BELOW_SHORT } else { BELOW }, if cli.short { 1 } else { cli.rounds }).await;
    database.drop().await;
    if cli.short {
        println!("A short run: the times mean nothing.");
    }
    ExitCode::SUCCESS
}

async fn run(url: &str, below: u32, rounds: usize) {
    let directory = tempfile::tempdir().expect("a directory is made");
    let app = tests::durable::app(url, directory.path()).await;
    let operator = banyan::seed::operator_key(&app, "benchmark").await.expect("an operator key is made");
    let router = app.router(GraphiqlSettings::default(), None).expect("the schema makes a router");
    let mut bench = Bench {
        router,
        key: operator.reveal().to_owned(),
        database: tests::postgres::connect_to(url).await,
        figures: Vec::new(),
    };
    let tree = banyan::seed::many(&app, below).await.expect("the organizations are made").to_string();
    // Another root of the realm for the tree to hang below, and two places there.
    let top = bench.create("Top", &tree).await;
    bench.mutate("organizationDetach", json!({ "organizationId": top })).await;
    let raised = json!({ "organizationId": top, "expectedVersion": 2, "tier": "ENTERPRISE" });
    bench.mutate("organizationUpdate", raised).await;
    let place = bench.create("Place", &top).await;
    bench.database.execute_unprepared("VACUUM ANALYZE").await.expect("the database is vacuumed");
    bench.mutate("organizationMove", json!({ "organizationId": tree, "parentId": top })).await;
    for round in 0..rounds {
        println!("round {} of {rounds}", round + 1);
        let of = json!({ "organizationId": tree });
        bench.plan("suspend plan", "organizationSuspendPlan", &of).await;
        bench.act("suspend", "organizationSuspend", of.clone()).await;
        bench.act("suspend once more: nothing to do", "organizationSuspend", of.clone()).await;
        bench.act("resume", "organizationResume", of.clone()).await;
        bench
            .plan(
                "archive plan, cascade",
                "organizationArchivePlan",
                &json!({ "organizationId": tree, "cascade": true }),
            )
            .await;
        let deeper = json!({ "organizationId": tree, "parentId": place });
        let hash = bench.plan("move plan", "organizationMovePlan", &deeper).await;
        bench.act("move a level down: its height is looked at", "organizationMove", deeper).await;
        let back = json!({ "organizationId": tree, "parentId": top });
        bench.act("move back up", "organizationMove", back.clone()).await;
        assert!(hash.is_some(), "a plan has a hash");
        let hash = bench.plan("detach plan", "organizationDetachPlan", &of).await;
        bench.act("detach as planned", "organizationDetach", json!({ "organizationId": tree, "planHash": hash })).await;
        bench.act("move a root below another", "organizationMove", back).await;
    }
    bench.print(below, rounds).await;
    bench.check();
}

/// What one act took, each time, and the rows it wrote, table by table.
struct Figure {
    name: &'static str,
    times: Vec<Duration>,
    rows: BTreeMap<String, i64>,
}

struct Bench {
    router: Router,
    key: String,
    database: DatabaseConnection,
    figures: Vec<Figure>,
}

impl Bench {
    async fn ask(&self, document: &str, variables: Value) -> Value {
        let body = json!({ "query": document, "variables": variables }).to_string();
        let mut request = Request::post("/graphql")
            .header("content-type", "application/json")
            .header("accept", "application/graphql-response+json")
            .header("authorization", format!("Bearer {}", self.key))
            .body(Body::from(body))
            .expect("a legal request");
        request.extensions_mut().insert(ConnectInfo(std::net::SocketAddr::from(([127, 0, 0, 1], 40_000))));
        let response = self.router.clone().oneshot(request).await.expect("a router does not fail");
        let bytes = axum::body::to_bytes(response.into_body(), BODY_MAX_BYTES).await.expect("a body is whole");
        let answer: Value = serde_json::from_slice(&bytes).expect("an answer is JSON");
        assert!(answer["errors"].is_null(), "{answer}");
        answer["data"]["answer"].clone()
    }

    async fn mutate(&self, field: &str, input: Value) -> Value {
        let mut name = field[..1].to_uppercase();
        name.push_str(&field[1..]);
        let document = format!(
            "mutation($input: {name}Input!) {{ answer: {field}(input: $input) {{
               organization {{ id }} userErrors {{ code message }} }} }}"
        );
        let payload = self.ask(&document, json!({ "input": input })).await;
        assert_eq!(payload["userErrors"], json!([]), "{field}");
        payload
    }

    async fn create(&self, name: &str, parent: &str) -> String {
        let made = self.mutate("organizationCreate", json!({ "name": name, "parentId": parent })).await;
        made["organization"]["id"].as_str().expect("an id").to_owned()
    }

    async fn act(&mut self, name: &'static str, field: &str, input: Value) {
        let since = self.transaction().await;
        let begun = Instant::now();
        self.mutate(field, input).await;
        self.note(name, begun.elapsed(), since).await;
    }

    /// Asks for a plan; answers its hash.
    async fn plan(&mut self, name: &'static str, field: &str, arguments: &Value) -> Option<String> {
        let given = arguments.as_object().into_iter().flatten();
        let given: Vec<String> = given.map(|(name, value)| format!("{name}: {value}")).collect();
        let document =
            format!("{{ answer: {field}({}) {{ planHash descendants refusals {{ code }} }} }}", given.join(", "));
        let since = self.transaction().await;
        let begun = Instant::now();
        let plan = self.ask(&document, json!({})).await;
        self.note(name, begun.elapsed(), since).await;
        assert_eq!(plan["refusals"], json!([]), "{field}");
        plan["planHash"].as_str().map(str::to_owned)
    }

    async fn note(&mut self, name: &'static str, took: Duration, since: i64) {
        let rows = self.written(since).await;
        match self.figures.iter_mut().find(|figure| figure.name == name) {
            Some(figure) => {
                assert_eq!(figure.rows, rows, "{name} writes the same each time");
                figure.times.push(took);
            }
            None => self.figures.push(Figure { name, times: vec![took], rows }),
        }
    }

    async fn number(&self, sql: String) -> i64 {
        let statement = Statement::from_string(self.database.get_database_backend(), sql);
        let row = self.database.query_one_raw(statement).await.expect("the statement is valid").expect("it has a row");
        row.try_get_by_index(0).expect("a number")
    }

    /// The number of a transaction of this moment.
    async fn transaction(&self) -> i64 {
        self.number("SELECT CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT)".to_owned()).await
    }

    /// Rows of every table that a later transaction wrote.
    async fn written(&self, since: i64) -> BTreeMap<String, i64> {
        let sql = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'";
        let statement = Statement::from_string(self.database.get_database_backend(), sql);
        let tables = self.database.query_all_raw(statement).await.expect("tables are listed");
        let mut written = BTreeMap::new();
        for table in tables {
            let table: String = table.try_get_by_index(0).expect("a name");
            let sql = format!("SELECT COUNT(*) FROM \"{table}\" WHERE CAST(CAST(xmin AS TEXT) AS BIGINT) > {since}");
            let rows = self.number(sql).await;
            if rows > 0 {
                written.insert(table, rows);
            }
        }
        written
    }

    async fn print(&self, below: u32, rounds: usize) {
        let shown = async |name: &str| {
            let statement = Statement::from_string(self.database.get_database_backend(), format!("SHOW {name}"));
            let row = self.database.query_one_raw(statement).await.expect("a setting").expect("a row");
            row.try_get_by_index::<String>(0).expect("a text")
        };
        println!(
            "\nPostgreSQL {}: fsync {}, synchronous_commit {}; {below} organizations below; one at a time; {rounds} rounds\n",
            shown("server_version").await,
            shown("fsync").await,
            shown("synchronous_commit").await
        );
        println!("| act | median | rows written | which |\n|---|---|---|---|");
        for figure in &self.figures {
            let mut times = figure.times.clone();
            times.sort();
            let which: Vec<String> = figure.rows.iter().map(|(table, rows)| format!("{table} {rows}")).collect();
            println!(
                "| {} | {:.1} ms | {} | {} |",
                figure.name,
                times[times.len() / 2].as_secs_f64() * 1e3,
                figure.rows.values().sum::<i64>(),
                which.join(", ")
            );
        }
    }

    /// Whatever hangs below: the same few rows (SPEC §6).
    fn check(&self) {
        for figure in &self.figures {
            let told = figure.rows.iter().filter(|(table, _)| matches!(table.as_str(), "event" | "audit_event"));
            let besides = figure.rows.values().sum::<i64>() - told.map(|(_, rows)| rows).sum::<i64>();
            let most = match figure.name {
                name if name.contains("plan") && !name.contains("planned") => 0,
                name if name.contains("suspend") || name == "resume" => 3,
                // The organization, two periods of its edge, the realm's number.
                _ => 4,
            };
            assert!(besides <= most, "{} writes {besides} rows besides event and audit entry", figure.name);
        }
    }
}
