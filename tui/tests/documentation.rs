//! `tui/COMMANDS.md`, written from the table of commands. `UPDATE=1 cargo test -p tui` writes it anew.

use std::fmt::Write;
use std::path::Path;

use tui::command::{COMMANDS, Group};
use tui::msg::Key;
use tui::resource::ResourceId;

fn written() -> String {
    let mut text = String::from(
        "# Commands of the console\n\nMade from the table of commands (`tui/src/command/table.rs`) by a test. An act of this \
         table is a command of `banyan-tui` as well (`banyan-tui suspend org_… --reason fraud --yes`), a list is got with \
         `banyan-tui get keys org_…`; `--help` has their flags.\n",
    );
    for group in Group::ALL {
        writeln!(
            text,
            "\n## {}\n\n| keys | name | what it does | risk | scope |\n|---|---|---|---|---|",
            group.title()
        )
        .unwrap();
        for command in COMMANDS.iter().filter(|command| command.group == group) {
            let keys: Vec<String> = command.keys.iter().map(Key::to_string).map(|key| format!("`{key}`")).collect();
            let risk = command.risk().map_or("", |risk| risk.word());
            let scope = command.scope().map_or_else(String::new, |scope| format!("`{scope}`"));
            writeln!(text, "| {} | {} | {} | {risk} | {scope} |", keys.join(" "), command.name, command.purpose)
                .unwrap();
        }
    }
    text.push_str("\n## Lists\n\n| list | columns | filters | ordered by the gateway by |\n|---|---|---|---|\n");
    for id in ResourceId::ALL {
        let resource = id.spec();
        let columns: Vec<_> = (resource.columns)().iter().map(|column| column.title).collect();
        let filters: Vec<String> = resource.filters.iter().map(|filter| format!("`{}:`", filter.key)).collect();
        writeln!(
            text,
            "| {} | {} | {} | {} |",
            resource.name,
            columns.join(", "),
            filters.join(" "),
            resource.orders.join(", ")
        )
        .unwrap();
    }
    text
}

#[test]
fn the_documentation_is_what_the_table_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("COMMANDS.md");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, written()).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == written(), "COMMANDS.md is out of date: UPDATE=1 cargo test -p tui");
}
