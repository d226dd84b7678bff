//! Acts, from the key to the gateway.

use serde_json::json;
use tests::terminal::Terminal;
use tui::model::dialog::GUARD;

use super::{CUSTOMER, Desk, ENTER, TAB, console, go_to};

/// An operator who reads what appeared before going on: keys that come sooner are taken for a slip.
fn read() {
    std::thread::sleep(GUARD.unsigned_abs());
}

/// Opens the question of a suspension and fills in the reason.
fn ask_to_suspend(console: &Terminal, reason: &str) {
    console.press("s");
    console.sees(&["Suspend", CUSTOMER, "It concerns", "1 keys", "Reason"]);
    read();
    console.press(reason);
    console.sees(&[&format!("Reason       {reason}")]);
    console.press(ENTER);
}

fn say_yes(console: &Terminal) {
    console.sees(&["▌ Cancel", "tab, then enter", "Keys and sessions of it"]);
    read();
    console.press(TAB);
    console.sees(&["▌ Suspend"]);
    console.press(ENTER);
}

#[test]
fn a_suspension_through_the_dialog_reaches_the_gateway_with_its_reason() {
    let desk = Desk::set_up();
    let console = desk.console_on_root();
    go_to(&console, CUSTOMER);
    ask_to_suspend(&console, "Invoice 2041 unpaid");
    say_yes(&console);
    console.sees(&["Suspended", "! SUSPENDED", "Invoice 2041 unpaid"]);
    let suspended = desk.organization(CUSTOMER);
    assert_eq!(suspended["effectiveStatus"], "SUSPENDED", "{suspended}");
    assert_eq!(suspended["suspensions"], json!([{ "reason": "Invoice 2041 unpaid" }]));
}

#[test]
fn enter_alone_suspends_nothing() {
    let desk = Desk::set_up();
    let console = desk.console_on_root();
    go_to(&console, CUSTOMER);
    ask_to_suspend(&console, "Invoice 2041 unpaid");
    console.sees(&["▌ Cancel"]);
    read();
    console.press(ENTER);
    console.sees_no("▌ Cancel");
    assert_eq!(desk.organization(CUSTOMER)["effectiveStatus"], "ACTIVE");
}

#[test]
fn in_production_the_name_has_to_be_typed_as_well() {
    let desk = Desk::set_up();
    let profiles = desk.data.path().join("profiles.toml");
    let url = format!("http://{}/graphql", desk.listen);
    let text = format!("[profile.live]\nurl = \"{url}\"\nkey-env = \"OPERATOR\"\nproduction = true\n");
    std::fs::write(&profiles, text).expect("profiles are written");
    let mut command = console(desk.data.path());
    command.env("OPERATOR", desk.key()).arg("--profiles").arg(&profiles).args(["--profile", "live"]);
    let console = Terminal::open(command, 120, 40);
    console.sees(&["* live", "PRODUCTION", "Wallet"]);
    go_to(&console, CUSTOMER);
    ask_to_suspend(&console, "Invoice 2041 unpaid");
    console.sees(&["type Acme Coffee to show that it is meant"]);
    console.press("Acme");
    console.press(ENTER);
    console.sees(&["type it exactly: Acme Coffee"]);
    assert_eq!(desk.organization(CUSTOMER)["effectiveStatus"], "ACTIVE");
    read();
    console.press(" Coffee");
    console.sees(&["Type it      Acme Coffee"]);
    console.press(ENTER);
    say_yes(&console);
    console.sees(&["! SUSPENDED"]);
    assert_eq!(desk.organization(CUSTOMER)["effectiveStatus"], "SUSPENDED");
}
