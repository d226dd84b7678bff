//! Webhook endpoints, what was sent to them, and sending it again.

use jiff::SignedDuration;
use tui::act::Kind;
use tui::model::Overlay;
use tui::msg::Key;

use crate::console::{Console, console};
use crate::gateway_webhooks::TILL;

/// Its second delivery.
const FAILED: &str = "dlv_01h455vb4pex5vsknk084s0002";

fn at_endpoints() -> Console {
    let mut console = console();
    console.press(&[Key::Enter, Key::Down]);
    console.rest();
    console.press(&[Key::Char('P')]);
    console.rest();
    console
}

fn at_deliveries() -> Console {
    let mut console = at_endpoints();
    console.press(&[Key::Char('D')]);
    console.rest();
    console
}

#[test]
fn deliveries_open_from_the_endpoint_under_the_cursor_and_the_crumbs_say_whose_they_are() {
    let mut console = at_deliveries();
    let screen = console.screen();
    for word in ["Deliveries of https://till.acme.example", "organization.suspended", "FAILED", "422", "1 of 3"] {
        assert!(screen.contains(word), "no {word}:\n{screen}");
    }
    assert!(
        screen.contains("tree › Acme Coffee › endpoints › https://till.acme.example/hooks/banyan › deliveries"),
        "{screen}"
    );
    console.press(&[Key::Esc, Key::Down, Key::Char('D')]);
    console.rest();
    assert!(console.screen().contains("Deliveries of https://crm.acme.example"), "{}", console.screen());
}

#[test]
fn without_an_endpoint_the_line_says_where_to_find_one() {
    let mut console = console();
    console.press(&[Key::Char(':')]);
    console.type_text("deliveries");
    console.press(&[Key::Enter]);
    let notice = console.model.notice.as_ref().map(|notice| notice.text.clone()).unwrap_or_default();
    assert!(notice.contains("Choose an endpoint first") && notice.contains(":endpoints"), "{notice}");
}

#[test]
fn the_gateway_narrows_deliveries_by_their_status() {
    let mut console = at_deliveries();
    console.press(&[Key::Char('/')]);
    console.type_text("status:failed");
    console.press(&[Key::Enter]);
    console.rest();
    let screen = console.screen();
    assert!(screen.contains("organization.suspended") && !screen.contains("credit.charged"), "{screen}");
    assert!(screen.contains("1 of 1"), "{screen}");
}

#[test]
fn an_opened_delivery_shows_every_attempt_with_the_body_in_its_lines_and_without_what_deceives() {
    let mut console = at_deliveries();
    console.press(&[Key::Down, Key::Enter]);
    let screen = console.screen();
    for word in ["Attempt 2", "422", "Attempt 1", "No answer within 10 seconds.", "{\"error\":\"no such till\","] {
        assert!(screen.contains(word), "no {word}:\n{screen}");
    }
    assert!(screen.contains("\"hint\":\"ask the[2J owner\"}"), "{screen}");
    let (last, first) = (screen.find("Attempt 2").unwrap(), screen.find("Attempt 1").unwrap());
    assert!(last < first, "the last attempt is the one that is looked for");
}

#[test]
fn an_opened_record_is_read_again_in_place() {
    let mut console = at_deliveries();
    console.press(&[Key::Down, Key::Enter]);
    console.gateway.deliveries[1].status = "DELIVERED";
    console.press(&[Key::Char('r')]);
    let Overlay::Record(_, record) = &console.model.overlay else { panic!("the record") };
    assert_eq!((&*record.id, record.cells[0].words()), (FAILED, "DELIVERED".to_owned()));
}

#[test]
fn a_delivery_under_way_is_looked_at_again_when_its_attempt_is_due_and_not_before() {
    let mut console = at_deliveries();
    console.gateway.log.clear();
    console.wait(SignedDuration::from_secs(25));
    assert!(!console.gateway.log.iter().any(|name| name == "NodesQuery"), "{:?}", console.gateway.log);
    console.gateway.deliveries[0].status = "DELIVERED";
    console.wait(SignedDuration::from_secs(10));
    assert!(!console.screen().contains("PENDING"), "{}", console.screen());
    console.gateway.log.clear();
    console.wait(SignedDuration::from_mins(10));
    assert_eq!(console.gateway.log, [""; 0], "all is settled, so nothing is asked");
}

#[test]
fn a_redelivery_is_asked_about_and_stands_on_top_as_a_new_delivery() {
    let mut console = at_deliveries();
    console.press(&[Key::Down, Key::Char('d')]);
    assert!(console.screen().contains("under the same event id"), "{}", console.screen());
    console.say_yes();
    let [act] = console.acts()[..] else { panic!("one act") };
    assert_eq!((act.target.kind, &*act.target.id), (Kind::Delivery, FAILED));
    assert_eq!(console.gateway.deliveries[0].again_for.as_deref(), Some(FAILED));
    console.rest();
    let screen = console.screen();
    assert!(screen.contains("of 4"), "{screen}");
}

#[test]
fn what_is_still_being_tried_is_not_sent_again_and_the_refusal_says_why() {
    let mut console = at_deliveries();
    console.press(&[Key::Char('d')]);
    console.say_yes();
    let screen = console.screen();
    assert!(screen.contains("CONFLICT") && screen.contains("Wait for it"), "{screen}");
}

#[test]
fn several_deliveries_are_sent_again_as_one_act() {
    let mut console = at_deliveries();
    console.press(&[Key::Down, Key::Char(' '), Key::Char(' '), Key::Char('d')]);
    assert!(console.screen().contains("2 deliveries"), "{}", console.screen());
    console.say_yes();
    assert_eq!(console.acts().len(), 2);
}

#[test]
fn pausing_keeps_what_happens_and_is_undone_by_unpausing() {
    let mut console = at_endpoints();
    console.press(&[Key::Char('p')]);
    assert!(console.screen().contains("it is kept"), "{}", console.screen());
    console.say_yes();
    assert!(console.gateway.endpoints[0].paused && console.gateway.endpoints[0].enabled);
    assert_eq!(console.screen().matches("paused").count(), 2, "{}", console.screen());
    console.press(&[Key::Char('Z')]);
    console.say_yes();
    assert!(!console.gateway.endpoints[0].paused);
}

#[test]
fn a_disabled_endpoint_says_why_and_is_enabled_again() {
    let mut console = at_endpoints();
    let screen = console.screen();
    assert!(screen.contains("disabled") && screen.contains("Answered 410 Gone."), "{screen}");
    console.press(&[Key::End, Key::Char('e')]);
    console.say_yes();
    assert!(console.gateway.endpoints[2].enabled);
}

#[test]
fn a_rotated_secret_is_shown_once_with_the_endpoint_it_is_of() {
    let mut console = at_endpoints();
    console.press(&[Key::Char('n')]);
    console.wait(tui::model::dialog::GUARD);
    console.press(&[Key::Enter]);
    console.say_yes();
    let screen = console.screen();
    assert!(screen.contains("whsec_notARealSecretOnlyForTests") && screen.contains(TILL), "{screen}");
    let [act] = console.acts()[..] else { panic!("one act") };
    assert_eq!(act.request.body["variables"]["input"]["overlapSeconds"], 86_400);
}

#[test]
fn a_ping_says_under_which_id_it_is_on_its_way() {
    let mut console = at_endpoints();
    console.press(&[Key::Char('i')]);
    console.say_yes();
    let notice = console.model.notice.as_ref().map(|notice| notice.text.clone()).unwrap_or_default();
    assert!(notice.contains("on its way as dlv_"), "{notice}");
}
