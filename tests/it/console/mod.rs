//! The real console in a pseudo-terminal, on the real gateway as a process of its own: what an operator does, and what
//! the terminal has been told meanwhile. Every wait is for text on the screen, or for the process.

mod acting;
mod terminal;
mod watching;

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;
use tests::terminal::Terminal;

use crate::program::{Gateway, program};

/// The demo's coffee CRM, and one of its customers.
const ROOT: &str = "Quinn's Coffee CRM";
const CUSTOMER: &str = "Acme Coffee";
const ENTER: &str = "\r";
const TAB: &str = "\t";

/// A gateway with the demo tree, and a desk in front of it.
struct Desk {
    data: TempDir,
    gateway: Option<Gateway>,
    listen: String,
}

impl Desk {
    /// As `cargo run` would start it in an empty directory. The port is chosen before, because the demo's keys are kept with
    /// the address they are for.
    fn set_up() -> Self {
        let data = tempfile::tempdir().expect("a temporary directory is made");
        let listen = free_address();
        let gateway = Some(Gateway::start_at(&listen, program(data.path())));
        Self { data, gateway, listen }
    }

    fn kill_gateway(&mut self) {
        self.gateway.take().expect("the gateway runs").kill();
    }

    fn start_gateway(&mut self) {
        self.gateway = Some(Gateway::start_at(&self.listen, program(self.data.path())));
    }

    fn key(&self) -> String {
        let keys = std::fs::read_to_string(self.data.path().join("data/demo-keys.toml")).expect("the keys are written");
        let key = keys.lines().find_map(|line| line.strip_prefix("operator = ")).expect("the operator has a key");
        key.trim_matches('"').to_owned()
    }

    /// As `cargo run -p tui` would start it in the same directory.
    fn console(&self, columns: u16, rows: u16) -> Terminal {
        Terminal::open(console(self.data.path()), columns, rows)
    }

    /// A console that shows the tree, live, with the coffee CRM chosen.
    fn console_on_root(&self) -> Terminal {
        let console = self.console(120, 40);
        console.sees(&["* live", ROOT, "Wallet"]);
        go_to(&console, ROOT);
        console
    }

    /// Somebody else asks.
    fn ask(&self, document: &str, variables: Value) -> Value {
        let gateway = self.gateway.as_ref().expect("the gateway runs");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
        let answer = runtime.block_on(gateway.ask_with(Some(&self.key()), document, variables));
        assert!(answer["errors"].is_null(), "{answer}");
        answer["data"].clone()
    }

    fn organization(&self, name: &str) -> Value {
        let document = "query($name: String!) { organizations(filter: { name: $name }) { nodes {
          id name effectiveStatus suspensions { reason } } } }";
        let answer = self.ask(document, json!({ "name": name }));
        let nodes = answer["organizations"]["nodes"].as_array().expect("a list").clone();
        nodes.into_iter().find(|node| node["name"] == name).unwrap_or_else(|| panic!("no {name} in {answer}"))
    }

    fn suspend(&self, name: &str, reason: &str) {
        let document = "mutation($input: OrganizationSuspendInput!) {
          organizationSuspend(input: $input) { userErrors { message } } }";
        let input = json!({ "organizationId": self.organization(name)["id"], "reason": reason });
        let answer = self.ask(document, json!({ "input": input }));
        assert_eq!(answer["organizationSuspend"]["userErrors"], json!([]), "{answer}");
    }
}

/// An address that nobody listens on at this moment.
fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("a listener has an address").to_string()
}

/// The console in this directory, with nothing of the developer's own settings.
fn console(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_banyan-tui-under-test"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("BANYAN_")) {
        command.env_remove(name);
    }
    command.current_dir(directory).env("HOME", directory).env_remove("XDG_CONFIG_HOME");
    command
}

/// Puts the cursor of the tree on an organization, by the search.
fn go_to(console: &Terminal, name: &str) {
    console.press("/");
    console.sees(&["Search organizations by name"]);
    console.press(name);
    console.wait_until(&format!("found {name:?}"), |seen| {
        let text = seen.text();
        let is_there = text.lines().any(|line| line.contains(name) && line.contains("org_"));
        is_there && (text.contains(" found") || text.contains("first ")) && !text.contains("searching")
    });
    console.press(ENTER);
    console.wait_until(&format!("went to {name:?}"), |seen| {
        let text = seen.text();
        // The crumbs end with it, and the right side is about it.
        let mut lines = text.lines();
        lines.nth(1).is_some_and(|crumbs| crumbs.trim_end().ends_with(name)) && text.contains(&format!("╮╭ {name} "))
    });
}
