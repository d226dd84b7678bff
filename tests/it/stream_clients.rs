//! Streams as strangers' programs hear them: the official clients of npm, `graphql-ws` and `graphql-sse`, on a real port.
//! Without npm, or a way to its registry, it says so and passes.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tests::{Organization, TestApp, both};
use tokio::sync::mpsc;

/// The longest a test waits for what it expects to hear.
const PATIENCE: Duration = Duration::from_secs(30);
const EVENTS: &str = "subscription($after: String) {
  events(types: [\"credit.charged\"], after: $after) { cursor data } }";
const WALLET: &str = "subscription { walletChanges { balance } }";

/// Beside the captured output, which nobody sees of a test that passes.
fn say(line: &str) {
    let _ = writeln!(io::stderr(), "stream clients: {line}");
}

/// The clients' folder with the libraries installed; the reason when it cannot be.
fn install() -> Result<PathBuf, String> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("stream-clients");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("stream-clients");
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    // Tests of several processes install one after the other.
    let lock = File::create(folder.join("lock")).map_err(|error| error.to_string())?;
    lock.lock().map_err(|error| error.to_string())?;
    for name in ["package.json", "package-lock.json", "client.mjs"] {
        fs::copy(sources.join(name), folder.join(name)).map_err(|error| error.to_string())?;
    }
    // Another test may be running what is installed already.
    if folder.join("installed").is_file() {
        return Ok(folder);
    }
    let npm = Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&folder).output();
    let npm = npm.map_err(|error| format!("npm does not start: {error}"))?;
    if !npm.status.success() {
        return Err(format!("npm ci: {}", String::from_utf8_lossy(&npm.stderr).lines().next().unwrap_or_default()));
    }
    fs::write(folder.join("installed"), "").map_err(|error| error.to_string())?;
    Ok(folder)
}

/// A client in its own process; it ends with the test.
struct Client {
    process: Child,
    orders: ChildStdin,
    lines: mpsc::UnboundedReceiver<Value>,
}

impl Client {
    /// `None`, and a line that says so, when there is no npm.
    fn start(transport: &str, address: SocketAddr, key: &str) -> Option<Self> {
        let folder = match tokio::task::block_in_place(install) {
            Ok(folder) => folder,
            Err(reason) => {
                say(&format!("NOT verified with the official clients: {reason}"));
                return None;
            }
        };
        let mut command = Command::new("node");
        command.args(["client.mjs", transport, &format!("http://{address}/graphql"), key]).current_dir(folder);
        let mut process =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("node starts where npm does");
        let orders = process.stdin.take().expect("it is piped");
        let output = BufReader::new(process.stdout.take().expect("it is piped"));
        let (sender, lines) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let line = serde_json::from_str(&line).unwrap_or_else(|_| panic!("not JSON: {line}"));
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Some(Self { process, orders, lines })
    }

    fn order(&mut self, order: &Value) {
        writeln!(self.orders, "{order}").expect("it listens");
    }

    fn subscribe(&mut self, id: &str, query: &str, variables: Value) {
        self.order(&json!({ "subscribe": id, "query": query, "variables": variables }));
    }

    async fn line(&mut self) -> Value {
        let line = tokio::time::timeout(PATIENCE, self.lines.recv()).await.expect("nothing was heard for too long");
        line.expect("the client ended")
    }

    /// The value of the subscription's field in the next answer.
    async fn item(&mut self) -> Value {
        loop {
            let line = self.line().await;
            // It broke the connection off itself.
            if line["closed"]["code"] == 1006 {
                continue;
            }
            let data = line["next"]["data"].as_object().unwrap_or_else(|| panic!("no answer: {line}"));
            return data.values().next().expect("a field").clone();
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Serves the gateway on a port of its own, for as long as the test runs.
async fn served(app: &TestApp) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("a listener has an address");
    let router = app.router().into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

async fn charge(app: &TestApp, of: &Organization, amount: i64) {
    app.mutate(&of.key, "creditCharge", json!({ "amount": amount }), "charge { id }").await.done();
}

/// 80 charges while the connection is cut every ten of them: each is heard once, in their order.
async fn a_client_that_is_cut_off_loses_and_doubles_nothing(app: TestApp, transport: &str) {
    let root = app.root("Quinn's").with_credits(100_000).create().await;
    let Some(mut client) = Client::start(transport, served(&app).await, &root.key.secret) else { return };
    client.order(&json!({ "subscribe": "events", "query": EVENTS, "variables": { "after": "0" }, "cutEvery": 10 }));
    let spender = {
        let (app, root) = (app.clone(), root.clone());
        tokio::spawn(async move {
            for amount in 1..=80 {
                charge(&app, &root, amount).await;
            }
        })
    };
    let mut heard = Vec::new();
    while heard.last() != Some(&80) {
        heard.push(client.item().await["data"]["amount"].as_i64().expect("a charge has an amount"));
    }
    spender.await.expect("the charges were done");
    assert_eq!(heard, (1..=80).collect::<Vec<_>>());
    say(&format!("{transport}: 80 events over 8 connections, each once and in order"));
}

async fn a_wallet_is_told_and_its_newest_value_comes_last(app: TestApp, transport: &str) {
    let root = app.root("Quinn's").with_credits(1_000).create().await;
    let Some(mut client) = Client::start(transport, served(&app).await, &root.key.secret) else { return };
    client.subscribe("wallet", WALLET, json!({}));
    assert_eq!(client.item().await["balance"], 1_000);
    futures_util::future::join_all((0..40).map(|_| charge(&app, &root, 1))).await;
    let mut told = Vec::new();
    while told.last() != Some(&960) {
        told.push(client.item().await["balance"].as_i64().expect("a balance"));
    }
    assert!(told.is_sorted_by(|earlier, later| earlier >= later), "{told:?}");
    say(&format!("{transport}: 40 charges told as {} wallets, the newest last", told.len()));
}

/// A root and a client that listens with another key of it.
async fn revoked(app: &TestApp, transport: &str) -> Option<Client> {
    let root = app.root("Top").create().await;
    let key = root.mint(&["org:read"]).await;
    let mut client = Client::start(transport, served(app).await, &key.secret)?;
    client.subscribe("events", EVENTS, json!({ "after": "0" }));
    let open = async {
        while app.app().relay.streams() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, open).await.expect("the stream opens");
    app.mutate(&root.key, "apiKeyRevoke", json!({ "apiKeyId": key.id }), "apiKeys { id }").await.done();
    Some(client)
}

both! {
    async fn graphql_ws_loses_and_doubles_nothing(app) {
        a_client_that_is_cut_off_loses_and_doubles_nothing(app, "ws").await;
    }

    async fn graphql_sse_loses_and_doubles_nothing(app) {
        a_client_that_is_cut_off_loses_and_doubles_nothing(app, "sse").await;
    }

    async fn graphql_ws_hears_the_newest_wallet(app) {
        a_wallet_is_told_and_its_newest_value_comes_last(app, "ws").await;
    }

    async fn graphql_sse_hears_the_newest_wallet(app) {
        a_wallet_is_told_and_its_newest_value_comes_last(app, "sse").await;
    }

    async fn a_revoked_key_closes_the_socket_of_graphql_ws(app) {
        let Some(mut client) = revoked(&app, "ws").await else { return };
        let mut closed = client.line().await;
        if closed["closed"].is_null() {
            closed = client.line().await;
        }
        assert_eq!(closed["closed"]["code"], 4403, "{closed}");
        say(&format!("ws: {closed}"));
    }

    async fn a_revoked_key_ends_the_stream_of_graphql_sse(app) {
        let Some(mut client) = revoked(&app, "sse").await else { return };
        let last = client.line().await;
        assert_eq!(last["next"]["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{last}");
        assert_eq!(client.line().await["complete"], true);
        say("sse: UNAUTHENTICATED, then complete");
    }
}
