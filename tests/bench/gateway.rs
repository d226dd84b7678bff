//! A gateway as a process of its own: this program again.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};

use banyan::app::App;
use banyan::http::GraphiqlSettings;
use banyan::kernel::clock::World;
use banyan::settings::SettingsInput;

/// Any 32 bytes: the keys of a benchmark are nobody's.
const PEPPER: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const POSTGRES_CONNECTIONS: u32 = 16;

pub struct Gateway {
    process: Child,
    pub address: SocketAddr,
}

impl Gateway {
    pub async fn start(database_url: &str, data: &Path) -> Self {
        Self::start_as("gateway", database_url, data).await
    }

    /// Starts this program with another of its words.
    pub async fn start_as(word: &str, database_url: &str, data: &Path) -> Self {
        let program = std::env::current_exe().expect("a program knows itself");
        let mut process = Command::new(program)
            .arg(word)
            .args(["--database-url", database_url, "--data"])
            .arg(data)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the gateway starts");
        let mut line = String::new();
        let output = process.stdout.take().expect("its output is piped");
        tokio::task::block_in_place(|| BufReader::new(output).read_line(&mut line)).expect("the gateway speaks");
        let address = line.trim().parse().expect("the gateway tells its address");
        Self { process, address }
    }

    #[allow(dead_code, reason = "not every benchmark stops a gateway in its tracks")]
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// Ends it by closing its input.
    pub async fn stop(mut self) {
        drop(self.process.stdin.take());
        tokio::task::block_in_place(|| self.process.wait()).expect("the gateway ends");
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
    }
}

pub async fn app(database_url: &str, data: &Path) -> App {
    let settings = SettingsInput {
        database_url: Some(database_url.to_owned()),
        data: Some(data.to_owned()),
        demo: Some(false),
        pepper: Some(PEPPER.to_owned()),
        postgres_connections: Some(POSTGRES_CONNECTIONS),
        // What is measured is the gateway and not its limits.
        key_points_per_second: Some(0),
        root_points_per_second: Some(0),
        ..SettingsInput::default()
    };
    let settings = settings.resolve().expect("the settings of the benchmark are valid");
    App::open(settings, World::system()).await.expect("the database opens")
}

pub async fn serve(database_url: String, data: PathBuf) -> ExitCode {
    let app = app(&database_url, &data).await;
    let (listener, stop) = listen().await;
    app.serve(listener, GraphiqlSettings::default(), stop).await.expect("the gateway serves");
    ExitCode::SUCCESS
}

/// A listener on a free port that is told to whoever started this, and what resolves when they close its input.
pub async fn listen() -> (tokio::net::TcpListener, impl Future<Output = ()> + Send + 'static) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    println!("{}", listener.local_addr().expect("a listener has an address"));
    let (closed, stop) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        while std::io::stdin().read_line(&mut line).is_ok_and(|read| read > 0) {}
        let _ = closed.send(());
    });
    let stop = async {
        let _ = stop.await;
    };
    (listener, stop)
}
