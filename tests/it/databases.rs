//! Which databases these tests ran on, so that a half that did not run is not taken for one that passed.

use std::io::Write;

/// Beside the captured output, which nobody sees of a test that passes.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "databases: {line}");
}

#[test]
fn say_which_databases_were_tested() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime starts");
    match runtime.block_on(tests::postgres::server()) {
        Some(_) => say("SQLite and PostgreSQL"),
        None if std::env::var_os("BANYAN_TEST_REQUIRE_POSTGRES").is_some() => panic!("{}", tests::postgres::NONE_FOUND),
        None => say(&format!("SQLite only; PostgreSQL was NOT run: {}", tests::postgres::NONE_FOUND)),
    }
}
