//! Webhooks as a stranger's program sees them: a Node server on a real port that verifies each with the official Standard
//! Webhooks library of JavaScript. Without npm, or a way to its registry, it says so and passes.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};
use tests::{TestApp, both};

/// Beside the captured output, which nobody sees of a test that passes.
fn say(line: &str) {
    let _ = writeln!(io::stderr(), "webhooks: {line}");
}

/// The receiver's folder with the library installed; the reason when it cannot be.
fn install() -> Result<PathBuf, String> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("standard-webhooks");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("standard-webhooks");
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    // Tests of several processes install one after the other.
    let lock = File::create(folder.join("lock")).map_err(|error| error.to_string())?;
    lock.lock().map_err(|error| error.to_string())?;
    for name in ["package.json", "package-lock.json", "receiver.mjs"] {
        fs::copy(sources.join(name), folder.join(name)).map_err(|error| error.to_string())?;
    }
    let npm = Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&folder).output();
    let npm = npm.map_err(|error| format!("npm does not start: {error}"))?;
    if !npm.status.success() {
        return Err(format!("npm ci: {}", String::from_utf8_lossy(&npm.stderr).lines().next().unwrap_or_default()));
    }
    Ok(folder)
}

/// The receiver; it ends with the test.
struct Receiver {
    process: Child,
    orders: ChildStdin,
    lines: BufReader<ChildStdout>,
    url: String,
}

impl Receiver {
    fn start(folder: &Path) -> Self {
        let mut command = Command::new("node");
        command.arg("receiver.mjs").current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("node starts where npm does");
        let orders = process.stdin.take().expect("it is piped");
        let mut lines = BufReader::new(process.stdout.take().expect("it is piped"));
        let mut port = String::new();
        lines.read_line(&mut port).expect("it says where it listens");
        let url = format!("http://127.0.0.1:{}/hook", port.trim());
        Self { process, orders, lines, url }
    }

    /// Gives an order and answers with the requests that came before it.
    fn order(&mut self, order: &Value) -> Vec<Value> {
        writeln!(self.orders, "{order}").expect("it listens");
        let mut came = Vec::new();
        loop {
            let mut line = String::new();
            assert!(self.lines.read_line(&mut line).expect("it speaks") > 0, "the receiver ended");
            match line.trim() {
                "ok" => return came,
                text => came.push(serde_json::from_str(text).expect("a line of JSON")),
            }
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A test's gateway, an endpoint at the receiver, and how often something arrived.
struct Story {
    app: TestApp,
    receiver: Receiver,
    secrets: Vec<String>,
}

impl Story {
    /// Tells the receiver the time and what to answer.
    fn answers(&mut self, answers: Value) {
        let now = self.app.kernel().world.clock.now().as_millis();
        let came = self.receiver.order(&json!({ "now": now, "secrets": self.secrets, "answers": answers }));
        assert!(came.is_empty(), "something arrived that nobody waited for: {came:?}");
    }

    /// Sends what is due, and answers with what arrived; all of it must be genuine.
    async fn sent(&mut self) -> Vec<Value> {
        self.app.webhooks().run_until_idle().await.expect("webhooks are sent");
        let came = self.receiver.order(&json!({}));
        for request in &came {
            let all = |field: &str, wanted: &dyn Fn(&Value) -> bool| {
                let results = request[field].as_array().expect("a list");
                assert!(!results.is_empty() && results.iter().all(wanted), "{field}: {request}");
            };
            all("genuine", &|result| *result == json!(true));
            all("altered", &|result| result.is_string());
            say(&format!(
                "{} {} genuine for {} secret(s), answered {}",
                request["type"].as_str().unwrap_or_default(),
                request["id"].as_str().unwrap_or_default(),
                request["genuine"].as_array().map_or(0, Vec::len),
                request["answer"],
            ));
        }
        came
    }

    fn wait(&self, seconds: i64, why: &str) {
        say(&format!("{seconds} s later ({why})"));
        self.app.advance(seconds);
    }
}

both! {
    async fn the_official_library_verifies_every_attempt_until_the_endpoint_is_gone(app) {
        let folder = match install() {
            Ok(folder) => folder,
            Err(reason) => return say(&format!("NOT verified by the official library: {reason}")),
        };
        let receiver = Receiver::start(&folder);
        let root = app.root("Quinn").create().await;
        let input = json!({ "organizationId": root.id, "url": receiver.url, "eventTypes": ["organization.updated"] });
        let made = app.mutate(&root.key, "webhookEndpointCreate", input, "webhookEndpoint { id } secret").await;
        let endpoint = made.done()["webhookEndpoint"]["id"].clone();
        let secret = made.done()["secret"].as_str().expect("a secret").to_owned();
        let mut story = Story { app: app.clone(), receiver, secrets: vec![secret] };
        let rename = async |name: &str| {
            let version = root.read("version").await["version"].clone();
            let input = json!({ "organizationId": root.id, "expectedVersion": version, "name": name });
            app.mutate(&root.key, "organizationUpdate", input, "organization { id }").await.done();
        };

        rename("one").await;
        story.answers(json!([
            { "status": 500 }, { "silent": true }, { "status": 503, "headers": { "retry-after": "7200" } }, { "status": 200 },
        ]));
        let mut attempts = story.sent().await;
        story.wait(6, "5 s and a fifth");
        story.answers(json!([]));
        attempts.extend(story.sent().await);
        story.wait(360, "5 min and a fifth");
        story.answers(json!([]));
        attempts.extend(story.sent().await);
        story.wait(3_600, "longer than the schedule's 30 min, shorter than Retry-After");
        assert_eq!(story.sent().await, Vec::<Value>::new());
        story.wait(3_600, "Retry-After is over");
        story.answers(json!([]));
        attempts.extend(story.sent().await);
        assert_eq!(attempts.len(), 4);
        assert!(attempts.iter().all(|it| it["id"] == attempts[0]["id"]), "one id for all attempts: {attempts:?}");

        let input = json!({ "webhookEndpointId": endpoint });
        let rotated = app.mutate(&root.key, "webhookEndpointSecretRotate", input, "secret").await;
        story.secrets.push(rotated.done()["secret"].as_str().expect("a secret").to_owned());
        rename("two").await;
        story.answers(json!([]));
        let both = story.sent().await;
        assert_eq!((both.len(), &both[0]["signatures"]), (1, &json!(2)));

        rename("three").await;
        rename("four").await;
        story.answers(json!([{ "status": 410 }]));
        assert_eq!(story.sent().await.len(), 1, "the fourth event is not sent to an endpoint that is gone");
        let document = "query($id: ID!) { node(id: $id) { ... on WebhookEndpoint { enabled disabledReason
          deliveries { nodes { status attempts { responseStatus error } } } } } }";
        let answer = app.gql(&root.key, document, json!({ "id": endpoint })).await.clean();
        let statuses: Vec<&Value> =
            answer.at("/node/deliveries/nodes").as_array().expect("a list").iter().map(|it| &it["status"]).collect();
        assert_eq!(statuses, ["CANCELLED", "FAILED", "DELIVERED", "DELIVERED"]);
        assert_eq!(answer.at("/node/enabled"), false);
        say(answer.at("/node/disabledReason").as_str().unwrap_or_default());
    }
}
