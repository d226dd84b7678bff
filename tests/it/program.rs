//! The program itself, as its own process on a port: starting, answering, ending, starting again.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// The longest an idle gateway may take to end.
const END_DEADLINE: Duration = Duration::from_secs(5);

/// A running gateway; it is killed when a test panics.
pub struct Gateway {
    process: Child,
    pub url: String,
    client: reqwest::Client,
}

impl Gateway {
    /// Starts it on a free port and waits for the line that says where it is.
    fn start(data: &Path) -> Self {
        Self::start_with(program(data))
    }

    fn start_without_demo(data: &Path) -> Self {
        let mut command = program(data);
        command.args(["--demo", "false"]);
        Self::start_with(command)
    }

    pub fn start_with(command: Command) -> Self {
        Self::start_at("127.0.0.1:0", command)
    }

    pub fn start_at(listen: &str, mut command: Command) -> Self {
        command.args(["--listen", listen, "serve"]);
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the gateway starts");
        let stdout = process.stdout.take().expect("the output is piped");
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).expect("the gateway speaks");
        let url = line.split_whitespace().find(|word| word.starts_with("http://"));
        let url = url.unwrap_or_else(|| panic!("no address in {line:?}")).to_owned();
        Self { process, url, client: reqwest::Client::new() }
    }

    pub async fn ask(&self, key: Option<&str>, document: &str) -> Value {
        self.ask_with(key, document, Value::Null).await
    }

    pub async fn ask_with(&self, key: Option<&str>, document: &str, variables: Value) -> Value {
        let mut request = self.client.post(&self.url).json(&json!({ "query": document, "variables": variables }));
        if let Some(key) = key {
            request = request.bearer_auth(key);
        }
        let answer = request.send().await.expect("the gateway answers");
        answer.json().await.expect("an answer is JSON")
    }

    /// Ends it where it stands, with SIGKILL.
    pub fn kill(mut self) {
        self.process.kill().expect("the gateway is still there to be killed");
        self.process.wait().expect("the process can be waited for");
    }

    /// Asks it to end, as a supervisor does.
    pub fn terminate(mut self) -> (ExitStatus, Duration) {
        let begun = Instant::now();
        let asked = Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status();
        assert!(asked.is_ok_and(|status| status.success()), "the gateway is still there to be asked");
        while begun.elapsed() < END_DEADLINE {
            if let Some(status) = self.process.try_wait().expect("the process can be waited for") {
                return (status, begun.elapsed());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("the gateway did not end within {END_DEADLINE:?}");
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // Ended already when the test went well.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The program with this data directory, and nothing of the developer's own settings.
pub fn program(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_banyan-under-test"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("BANYAN_")) {
        command.env_remove(name);
    }
    command.current_dir(data).stdin(Stdio::null()).arg("--data").arg(data.join("data"));
    command
}

fn operator_key(data: &Path) -> String {
    let output = program(data).arg("operator-key").output().expect("the program runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("a key is text").trim().to_owned()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime starts")
}

#[test]
fn it_starts_in_an_empty_directory_with_the_demo_ends_when_asked_and_starts_again_on_the_same_data() {
    let data = tempfile::tempdir().expect("a temporary directory is made");
    runtime().block_on(async {
        let gateway = Gateway::start(data.path());
        let keys =
            std::fs::read_to_string(data.path().join("data/demo-keys.toml")).expect("the demo's keys are written");
        let key = keys.lines().find_map(|line| line.strip_prefix("operator = ")).expect("the operator has a key");
        let key = key.trim_matches('"').to_owned();
        let count = "{ organizations { totalCount } }";
        let first = gateway.ask(Some(&key), count).await;
        assert!(first["data"]["organizations"]["totalCount"].as_i64() > Some(145), "{first}");
        let (status, _) = gateway.terminate();
        assert_eq!(status.code(), Some(0));
        let again = Gateway::start(data.path());
        assert_eq!(again.ask(Some(&key), count).await["data"], first["data"]);
        assert_eq!(again.terminate().0.code(), Some(0));
    });
    let verified = program(data.path()).args(["ledger", "verify"]).output().expect("the program runs");
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}

#[test]
fn hostile_documents_are_refused_and_the_next_request_is_answered() {
    let data = tempfile::tempdir().expect("a temporary directory is made");
    let key = operator_key(data.path());
    let deep = format!("{{ nodes(ids: {}{}) {{ id }} }}", "[".repeat(2_040), "]".repeat(2_040));
    let mut doubling = String::from("{ ...F0 } ");
    for n in 0..24 {
        doubling.push_str(&format!("fragment F{n} on Query {{ ...F{0} ...F{0} }} ", n + 1));
    }
    doubling.push_str("fragment F24 on Query { viewer { kind } }");
    assert!(deep.len() > 4_000 && doubling.len() < 1_200);
    runtime().block_on(async {
        let gateway = Gateway::start_without_demo(data.path());
        for document in [deep, doubling] {
            let begun = Instant::now();
            for key in [None, Some(key.as_str())] {
                let answer = gateway.ask(key, &document).await;
                assert_eq!(answer["errors"][0]["extensions"]["code"], "DOCUMENT_REJECTED", "{answer}");
            }
            assert!(begun.elapsed() < Duration::from_secs(2), "it took {:?}", begun.elapsed());
            assert_eq!(gateway.ask(Some(&key), "{ viewer { kind } }").await["data"]["viewer"]["kind"], "OPERATOR");
        }
        gateway.terminate();
    });
}

#[test]
fn a_document_as_deep_as_the_guard_allows_is_answered() {
    let data = tempfile::tempdir().expect("a temporary directory is made");
    let key = operator_key(data.path());
    runtime().block_on(async {
        let gateway = Gateway::start_without_demo(data.path());
        let create = "mutation ($input: OrganizationCreateInput!) {
            organizationCreate(input: $input) { organization { id } userErrors { code } } }";
        let made = gateway.ask_with(Some(&key), create, json!({ "input": { "name": "Above" } })).await;
        let above = &made["data"]["organizationCreate"]["organization"]["id"];
        let below = json!({ "input": { "name": "Below", "parentId": above } });
        gateway.ask_with(Some(&key), create, below).await;
        let turns = 4;
        let document = format!(
            "query ($id: ID!) {{ organization(by: {{ id: $id }}) {{ {} root {{ name }} {} }} }}",
            "children(first: 1) { nodes { parent { ".repeat(turns),
            "} } }".repeat(turns)
        );
        let answer = gateway.ask_with(Some(&key), &document, json!({ "id": above })).await;
        let mut deepest = &answer["data"]["organization"];
        for _ in 0..turns {
            deepest = &deepest["children"]["nodes"][0]["parent"];
        }
        assert_eq!(deepest["root"]["name"], "Above", "{answer}");
        gateway.terminate();
    });
}

/// Crane: a new root starts with 500 promotional credits.
#[test]
fn a_new_root_is_given_500_credits() {
    let data = tempfile::tempdir().expect("a temporary directory is made");
    let key = operator_key(data.path());
    runtime().block_on(async {
        let gateway = Gateway::start_without_demo(data.path());
        let document = "mutation { organizationCreate(input: { name: \"Crane\" }) {
          organization { wallet { buckets { balance origin } } } userErrors { code } } }";
        let answer = gateway.ask(Some(&key), document).await;
        let wallet = &answer["data"]["organizationCreate"]["organization"]["wallet"];
        assert_eq!(*wallet, json!({ "buckets": [{ "balance": 500, "origin": "PROMOTIONAL" }] }), "{answer}");
        gateway.terminate();
    });
}

#[test]
fn the_schema_command_prints_what_is_served() {
    let data = tempfile::tempdir().expect("a temporary directory is made");
    let output = program(data.path()).arg("schema").output().expect("the program runs");
    assert_eq!(String::from_utf8_lossy(&output.stdout), banyan::schema::sdl());
}

#[test]
fn ledger_verify_fails_on_a_tampered_ledger() {
    let data = tempfile::tempdir().expect("a temporary directory is made");
    let seeded = program(data.path()).args(["seed", "--organizations", "3"]).output().expect("the program runs");
    assert!(seeded.status.success(), "{}", String::from_utf8_lossy(&seeded.stderr));
    runtime().block_on(async {
        let url = format!("sqlite://{}", data.path().join("data/banyan.db").display());
        let connection = sea_orm::Database::connect(url).await.expect("the database opens");
        let tamper = "UPDATE wallet SET balance = balance + 1 WHERE balance = 500";
        sea_orm::ConnectionTrait::execute_unprepared(&connection, tamper).await.expect("the wallet is there");
        connection.close().await.expect("the database closes");
    });
    let verified = program(data.path()).args(["ledger", "verify"]).output().expect("the program runs");
    assert_eq!(verified.status.code(), Some(1));
    let found = String::from_utf8_lossy(&verified.stdout).into_owned();
    assert!(found.contains("DIFFERENCE in wallet balance: its buckets"), "{found}");
}

#[test]
fn audit_verify_fails_on_a_tampered_trail_and_an_exported_file_needs_no_database() {
    let data = tempfile::tempdir().expect("a temporary directory is made");
    let banyan = |arguments: &[&str]| program(data.path()).args(arguments).output().expect("the program runs");
    assert!(banyan(&["seed", "--organizations", "3"]).status.success());
    let exported = banyan(&["audit", "export", "trail.jsonl"]);
    assert!(exported.status.success(), "{}", String::from_utf8_lossy(&exported.stderr));
    assert!(banyan(&["audit", "verify"]).status.success());
    runtime().block_on(async {
        let url = format!("sqlite://{}", data.path().join("data/banyan.db").display());
        let connection = sea_orm::Database::connect(url).await.expect("the database opens");
        let tamper = "UPDATE audit_event SET outcome = 'DENIED' WHERE action = 'organizationCreate'";
        sea_orm::ConnectionTrait::execute_unprepared(&connection, tamper).await.expect("the entry is there");
        connection.close().await.expect("the database closes");
    });
    let verified = banyan(&["audit", "verify"]);
    assert_eq!(verified.status.code(), Some(1));
    let found = String::from_utf8_lossy(&verified.stdout).into_owned();
    assert!(found.contains("DIFFERENCE in realm_") && found.contains("entry 1 was changed"), "{found}");

    std::fs::remove_dir_all(data.path().join("data")).expect("the database is gone");
    let whole = banyan(&["audit", "verify", "--file", "trail.jsonl"]);
    assert!(whole.status.success(), "{}", String::from_utf8_lossy(&whole.stdout));
    let path = data.path().join("trail.jsonl");
    let trail = std::fs::read_to_string(&path).expect("the trail is text");
    std::fs::write(&path, trail.replacen("DONE", "DENY", 1)).expect("the trail is written");
    let altered = banyan(&["audit", "verify", "--file", "trail.jsonl"]);
    assert_eq!(altered.status.code(), Some(1));
    assert!(!data.path().join("data").exists(), "a database was made");
}
