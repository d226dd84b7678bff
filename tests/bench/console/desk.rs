//! The real console in a terminal, and a gateway with organizations in it.

use std::path::{Path, PathBuf};
use std::process::Command;

use banyan::app::App;
use tempfile::TempDir;
use tests::terminal::Terminal;

use crate::own_gateway::{self, Gateway};

const CONSOLE: &str = "banyan-tui-under-test";

/// Builds the console that is measured, as this program was built.
pub fn build_console() {
    // Set by `cargo run`; whoever starts the program by hand has built both.
    let Ok(cargo) = std::env::var("CARGO") else { return };
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "-p", "tests", "--bin", CONSOLE]);
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    let built = command.status().expect("cargo runs");
    assert!(built.success(), "the console does not build");
}

/// A console that talks to this address with this key.
pub fn console(url: &str, key: &str, columns: u16, rows: u16) -> Terminal {
    let program = std::env::current_exe().expect("a program knows itself").with_file_name(CONSOLE);
    let mut command = Command::new(program);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("BANYAN_")) {
        command.env_remove(name);
    }
    command.env("BANYAN_URL", url).env("BANYAN_KEY", key).env("HOME", "/nonexistent").env_remove("XDG_CONFIG_HOME");
    Terminal::open(command, columns, rows)
}

/// A gateway on a SQLite file with a tree in it, and the operator's key.
pub struct Desk {
    pub gateway: Gateway,
    pub key: String,
    _directory: Option<TempDir>,
}

impl Desk {
    /// The tree is made unless `kept` has it.
    pub async fn set_up(organizations: u32, kept: Option<&Path>) -> Self {
        let directory = kept.is_none().then(|| tempfile::tempdir().expect("a directory is made"));
        let data: PathBuf = match (kept, &directory) {
            (Some(kept), _) => kept.to_owned(),
            (None, directory) => directory.as_ref().expect("one of them is there").path().to_owned(),
        };
        std::fs::create_dir_all(&data).expect("a directory can be made");
        let file = data.join("banyan.db");
        let is_new = !file.exists();
        let url = format!("sqlite://{}", file.display());
        let app = own_gateway::app(&url, &data).await;
        if is_new {
            banyan::seed::many(&app, organizations).await.expect("the organizations are made");
        }
        let key = operator_key(&app).await;
        app.kernel.db.clone().close().await.expect("the database closes");
        let gateway = Gateway::start(&url, &data).await;
        Self { gateway, key, _directory: directory }
    }

    pub fn url(&self) -> String {
        format!("http://{}/graphql", self.gateway.address)
    }

    pub fn console(&self, columns: u16, rows: u16) -> Terminal {
        console(&self.url(), &self.key, columns, rows)
    }
}

async fn operator_key(app: &App) -> String {
    let key = banyan::seed::operator_key(app, "benchmark").await.expect("an operator key is made");
    key.reveal().to_owned()
}
