//! Moving and detaching: the question, the gateway's plan, and where the organization is afterwards.

use tui::graphql::OrganizationId;
use tui::model::Overlay;
use tui::model::dialog::{GUARD, Planned};
use tui::msg::Key;

use crate::console::{Console, console};
use crate::gateway::{ACME, BEANHOUSE, NORTHWIND, QUINN, TAX};

/// A console with Quinn's branch open and the cursor on Acme, after this line was typed.
fn at_acme(line: &str) -> Console {
    let mut console = console();
    console.press(&[Key::Enter]);
    console.model.tree.choose(&tui::model::tree::RowKey::Organization(OrganizationId::new(ACME)));
    console.rest();
    console.press(&[Key::Char(':')]);
    console.type_text(line);
    console.press(&[Key::Enter]);
    console.rest();
    console.wait(GUARD);
    console
}

fn plan(console: &Console) -> &Planned {
    match &console.model.overlay {
        Overlay::Dialog(dialog) => &dialog.items[0].plan,
        other => panic!("no dialog but {other:?}"),
    }
}

fn yes(console: &mut Console) {
    console.wait(GUARD);
    console.press(&[Key::Tab, Key::Enter]);
    console.rest();
}

#[test]
fn a_move_asks_for_a_plan_once_the_parent_is_named() {
    let mut console = at_acme("move");
    assert_eq!(plan(&console), &Planned::Not);
    console.type_text(BEANHOUSE);
    assert_eq!(plan(&console), &Planned::Not, "it is still being typed");
    console.press(&[Key::Enter]);
    console.rest();
    assert!(console.screen().contains("1 open holds"), "{}", console.screen());
    console.press(&[Key::BackTab]);
    console.type_text("x");
    console.press(&[Key::Tab]);
    console.rest();
    assert!(console.screen().contains("no plan"), "no such organization:\n{}", console.screen());
}

#[test]
fn a_move_names_parent_and_reason_and_sends_the_plan_it_showed() {
    let mut console = at_acme("move");
    console.type_text(TAX);
    console.press(&[Key::Enter]);
    console.rest();
    console.type_text("sold");
    console.press(&[Key::Enter]);
    assert!(console.screen().contains(TAX), "{}", console.screen());
    yes(&mut console);
    let sent = console.acts().last().expect("it was sent").request.body["variables"]["input"].clone();
    assert_eq!((&sent["organizationId"], &sent["parentId"]), (&ACME.into(), &TAX.into()));
    assert!(sent["planHash"].is_string() && sent["expectedVersion"].is_number(), "{sent}");
    assert_eq!(console.gateway.find(ACME).and_then(|acme| acme.parent.clone()).as_deref(), Some(TAX));
}

#[test]
fn news_of_a_move_takes_the_row_from_where_it_was() {
    let mut console = console();
    console.press(&[Key::Enter]);
    console.gateway.find_mut(ACME).parent = Some(TAX.to_owned());
    console.happens("organization.moved", ACME);
    console.rest();
    let below_quinn = console.model.tree.branch(Some(&OrganizationId::new(QUINN))).expect("it is open");
    assert!(!below_quinn.has(&OrganizationId::new(ACME)));
}

#[test]
fn a_detach_wants_the_name_typed() {
    let mut console = at_acme("detach");
    console.type_text("ended");
    console.press(&[Key::Enter]);
    console.press(&[Key::Enter]);
    assert!(console.acts().is_empty());
    console.wait(GUARD);
    console.type_text("Acme Coffee");
    console.press(&[Key::Enter]);
    let screen = console.screen();
    yes(&mut console);
    assert!(console.gateway.find(ACME).is_none(), "{screen}\n{}", console.screen());
}

#[test]
fn news_of_a_move_gives_the_row_its_place_below_an_open_parent() {
    let mut console = console();
    console.press(&[Key::End, Key::Enter, Key::Home, Key::Enter, Key::Down]);
    console.rest();
    console.gateway.find_mut(BEANHOUSE).parent = Some(NORTHWIND.to_owned());
    console.happens("organization.moved", BEANHOUSE);
    console.rest();
    let below = |console: &Console, parent: &str| {
        let branch = console.model.tree.branch(Some(&OrganizationId::new(parent)));
        branch.is_some_and(|branch| branch.has(&OrganizationId::new(BEANHOUSE)))
    };
    assert!(below(&console, NORTHWIND) && !below(&console, QUINN), "{}", console.screen());
}
