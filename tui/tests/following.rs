//! The streams: what is followed, and what the news does to the screen.

use jiff::SignedDuration;
use serde_json::json;
use tui::effect::{Effect, SubscriptionId};
use tui::graphql::scalar::ErrorCode;
use tui::graphql::{EventScope, FieldError, Query};
use tui::msg::{Key, Live, Msg};
use tui::update::update;

use crate::console::{Console, console};
use crate::gateway::{ACME, QUINN, TAX, client, organization};

fn error(code: ErrorCode) -> Vec<FieldError> {
    let message = "As the test says.".to_owned();
    vec![FieldError { message, code: Some(code), path: Vec::new(), request_id: None, retry_after_ms: None }]
}

fn end(console: &mut Console, subscription: SubscriptionId, code: ErrorCode) -> Vec<Effect> {
    console.tell(Msg::Live(Live::SubscriptionRefused { subscription, errors: error(code) }))
}

fn lose_and_find_again(console: &mut Console) {
    let (heard_at, retry_at) = (console.now, console.now);
    console.tell(Msg::Live(Live::Lost { reason: "reset".to_owned(), attempt: 1, heard_at, retry_at }));
    console.tell(Msg::Live(Live::Ready));
    console.rest();
}

fn suspend_elsewhere(console: &mut Console, id: &str) {
    console.gateway.find_mut(id).suspended = Some("fraud".to_owned());
    console.happens("organization.suspended", id);
}

#[test]
fn the_whole_tree_around_the_cursor_is_followed_and_no_other() {
    let mut console = console();
    let (wallets, follow, _) = console.stream(true).clone();
    let (events, events_follow, _) = console.stream(false).clone();
    assert_eq!((follow.organization.as_str(), follow.scope), (QUINN, EventScope::Subtree));
    assert_eq!((events_follow.organization.as_str(), events_follow.scope), (QUINN, EventScope::Subtree));
    let within = console.press(&[Key::Enter, Key::Down]);
    assert!(!within.iter().any(|effect| matches!(effect, Effect::Subscribe { .. })));
    let wanted = console.press(&[Key::End, Key::Up]);
    for subscription in [wallets, events] {
        assert!(wanted.contains(&Effect::Unsubscribe { subscription }), "{wanted:?}");
    }
    let followed: Vec<&str> = console.streams.iter().map(|(_, follow, _)| follow.organization.as_str()).collect();
    assert_eq!(followed, [TAX, TAX]);
}

#[test]
fn where_the_whole_tree_is_refused_the_chosen_organization_is_followed_alone() {
    let mut console = console();
    let whole = console.stream(true).0;
    end(&mut console, whole, ErrorCode::ForbiddenScope);
    let (alone, follow, _) = console.stream(true).clone();
    assert_eq!((follow.organization.as_str(), follow.scope), (QUINN, EventScope::Own));
    let wanted = end(&mut console, alone, ErrorCode::ForbiddenScope);
    assert!(!wanted.iter().any(|effect| matches!(effect, Effect::Subscribe { .. })));
    assert!(console.screen().contains("not live: FORBIDDEN_SCOPE"), "{}", console.screen());
}

#[test]
fn a_stream_that_was_read_too_slowly_is_opened_again_and_what_it_missed_is_read() {
    let mut console = console();
    console.gateway.charge(QUINN, 7, "");
    let slow = console.stream(true).0;
    end(&mut console, slow, ErrorCode::SlowConsumer);
    let (again, follow, _) = console.stream(true).clone();
    assert!(again != slow && follow.scope == EventScope::Subtree);
    assert!(console.screen().contains("481,993"), "{}", console.screen());
}

#[test]
fn a_suspension_made_elsewhere_shows_at_once_and_on_all_below() {
    let mut console = console();
    console.press(&[Key::Enter, Key::Down]);
    console.rest();
    suspend_elsewhere(&mut console, QUINN);
    let screen = console.screen();
    for shown in ["! Quinn's", "! Acme Coffee", "! SUSPENDED", "fraud"] {
        assert!(screen.contains(shown), "no {shown}:\n{screen}");
    }
}

#[test]
fn a_key_minted_elsewhere_is_in_the_list_at_once() {
    let mut console = console();
    console.gateway.log.clear();
    console.happens("api_key.created", QUINN);
    assert_eq!(console.gateway.log, ["DetailQuery"]);
}

#[test]
fn what_happens_to_an_organization_that_is_not_on_the_screen_asks_for_nothing() {
    let mut console = console();
    console.gateway.log.clear();
    suspend_elsewhere(&mut console, ACME);
    assert_eq!(console.gateway.log, Vec::<String>::new());
}

#[test]
fn a_row_that_changed_out_of_sight_is_asked_for_when_it_comes_back() {
    let mut console = console();
    console.press(&[Key::Down, Key::Enter, Key::End]);
    console.rest();
    assert!(!console.screen().contains("Client A Corp"));
    suspend_elsewhere(&mut console, &client(0));
    console.press(&[Key::Home]);
    console.rest();
    let screen = console.screen();
    assert!(screen.contains("! Client A Corp"), "{screen}");
}

#[test]
fn an_organization_created_elsewhere_gets_a_row_below_its_open_parent() {
    let mut console = console();
    console.press(&[Key::Enter]);
    console.gateway.organizations.push(organization("org_new", "Grounded", Some(QUINN), 5));
    console.happens("organization.created", "org_new");
    assert!(console.screen().contains("* Grounded"), "{}", console.screen());
}

#[test]
fn an_organization_created_below_a_closed_branch_only_makes_its_parent_one_that_opens() {
    let mut console = console();
    console.press(&[Key::Enter]);
    console.gateway.organizations.push(organization("org_new", "Grounded", Some(ACME), 5));
    console.happens("organization.created", "org_new");
    assert!(!console.screen().contains("Grounded"));
}

#[test]
fn events_go_on_behind_the_last_one_heard() {
    let mut console = console();
    assert_eq!(console.stream(false).2, None, "from now on");
    console.happens("organization.updated", ACME);
    console.happens("organization.updated", ACME);
    lose_and_find_again(&mut console);
    assert_eq!(console.stream(false).2.as_deref(), Some("2"));
    console.press(&[Key::Down]);
    assert_eq!(console.stream(false).2, None, "another tree's events have cursors of their own");
    console.press(&[Key::Up]);
    assert_eq!(console.stream(false).2.as_deref(), Some("2"));
}

#[test]
fn a_burst_of_events_does_not_become_a_burst_of_questions() {
    let mut console = console();
    console.gateway.log.clear();
    for _ in 0..40 {
        console.happens("organization.limits.updated", QUINN);
        console.wait(SignedDuration::from_millis(100));
    }
    for query in ["RowsQuery", "DetailQuery"] {
        let asked = console.gateway.log.iter().filter(|name| *name == query).count();
        assert!((6..=9).contains(&asked), "{query}: about every half second, not per event: {asked}");
    }
}

#[test]
fn after_a_question_that_failed_the_rows_are_asked_for_again() {
    let mut console = console();
    let fault = json!({ "errors": [{ "message": "Slow down." }] });
    console.gateway.instead.insert("RowsQuery".to_owned(), fault);
    console.gateway.log.clear();
    suspend_elsewhere(&mut console, QUINN);
    console.wait(SignedDuration::from_secs(6));
    let asked = console.gateway.log.iter().filter(|name| *name == "RowsQuery").count();
    assert_eq!(asked, 2);
}

#[test]
fn an_answer_that_was_on_its_way_does_not_undo_credits_that_came_live() {
    let mut console = console();
    let effects = update(&mut console.model, Msg::Key(Key::Char('r')), console.now);
    let asked = effects.into_iter().find_map(|effect| match effect {
        Effect::Ask { request, query: query @ Query::Rows { .. } } => Some((request, query.request())),
        _ => None,
    });
    let (request, asked) = asked.expect("rows are asked for");
    let older = console.gateway.respond("RowsQuery", &asked.body["variables"]).to_string();
    console.gateway.charge(QUINN, 1_000, "");
    let wallet = console.wallet(QUINN);
    console.tell(Msg::Live(Live::Wallets(vec![wallet])));
    console.tell(Msg::Answered { request, answer: asked.read(older.as_bytes()) });
    let row = &console.model.organizations[console.model.tree.chosen().unwrap()];
    assert_eq!(row.summary.available.map(|available| available.0), Some(481_000));
}
