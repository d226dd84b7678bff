//! What is shown, and how soon it is true again.

use serde_json::json;

use super::{CUSTOMER, Desk, ROOT, go_to};

#[test]
fn it_finds_the_demos_key_and_shows_the_tree() {
    let desk = Desk::set_up();
    let console = desk.console(120, 40);
    let screen = console.sees(&["* live", ROOT, "Finora Partner Bank", "Wallet"]);
    assert!(screen.contains(&desk.listen) && screen.contains("operator"), "{screen}");
}

#[test]
fn a_suspension_made_elsewhere_shows() {
    let desk = Desk::set_up();
    let console = desk.console_on_root();
    go_to(&console, CUSTOMER);
    desk.suspend(CUSTOMER, "Chargeback 2041");
    console.sees(&["! Acme Coffee", "! SUSPENDED", "Chargeback 2041"]);
}

#[test]
fn a_charge_made_elsewhere_moves_the_balance() {
    let desk = Desk::set_up();
    let console = desk.console_on_root();
    go_to(&console, CUSTOMER);
    let document = "mutation($input: CreditChargeInput!) { creditCharge(input: $input) { userErrors { message } } }";
    let input = json!({
        "organizationId": desk.organization(CUSTOMER)["id"], "amount": 7, "idempotencyKey": "a charge",
        "description": "Seven beans",
    });
    assert_eq!(desk.ask(document, json!({ "input": input }))["creditCharge"]["userErrors"], json!([]));
    console.sees(&["4,403", "Seven beans"]);
}

#[test]
fn a_killed_gateway_makes_the_screen_stale_and_a_restarted_one_makes_it_live() {
    let mut desk = Desk::set_up();
    let console = desk.console_on_root();
    go_to(&console, CUSTOMER);
    desk.kill_gateway();
    let screen = console.sees(&["STALE", "reconnecting"]);
    assert!(screen.contains(CUSTOMER), "what was known stays on the screen:\n{screen}");
    desk.start_gateway();
    desk.suspend(CUSTOMER, "While it was away");
    console.sees(&["* live", "! SUSPENDED", "While it was away"]);
    console.sees_no("STALE");
}
