//! The tree, the search, and what random events may never do.

use jiff::SignedDuration;
use proptest::prelude::*;
use tui::effect::Effect;
use tui::graphql::{Environment, OrganizationId, Topic};
use tui::model::Overlay;
use tui::model::tree::RowKey;
use tui::msg::{Key, Live, Msg};

use crate::console::{Console, console, settings};
use crate::gateway::{ACME, ACME_BERLIN, CLIENTS, Gateway, NORTHWIND, QUINN, TAX, client};

fn rows(console: &Console) -> usize {
    console.model.tree.rows().len()
}

/// A console with the branch of 120 clients open.
fn at_clients() -> Console {
    let mut console = console();
    console.press(&[Key::Down, Key::Enter, Key::Down]);
    console.rest();
    assert_eq!(console.chosen(), Some(&*client(0)));
    console
}

#[test]
fn a_branch_is_read_page_by_page_as_the_cursor_comes_to_its_end() {
    let mut console = at_clients();
    assert_eq!(rows(&console), 3 + 50 + 1);
    for _ in 0..50 {
        console.press(&[Key::Down]);
    }
    assert_eq!(console.chosen(), Some(&*client(50)), "on the first row of the new page");
    assert_eq!(rows(&console), 3 + 100 + 1);
    console.press(&[Key::End, Key::Up]);
    assert_eq!(console.chosen(), Some(&*client(CLIENTS - 1)), "who comes from below meets the last");
    assert_eq!(rows(&console), 3 + 1 + 50, "the rest lies before it");
    let asked = console.gateway.log.iter().filter(|name| *name == "ChildrenQuery").count();
    assert_eq!(asked, 3);
}

#[test]
fn the_end_of_a_long_branch_is_read_from_its_end_and_what_lies_before_is_counted() {
    let mut gateway = Gateway::new();
    gateway.organizations.retain(|organization| organization.id != NORTHWIND);
    let mut console = Console::with(settings(), gateway);
    console.press(&[Key::Down, Key::Enter]);
    console.rest();
    console.gateway.log.clear();
    console.press(&[Key::End]);
    assert_eq!(console.chosen(), Some(&*client(CLIENTS - 1)));
    assert_eq!(console.gateway.log.iter().filter(|name| *name == "ChildrenQuery").count(), 1);
    console.press(&[Key::Home]);
    assert!(console.screen().contains("70 before"), "{}", console.screen());
    console.press(&[Key::Down, Key::Down]);
    assert_eq!(console.chosen(), Some(&*client(0)), "who comes from above meets the first");
}

#[test]
fn a_page_down_stops_at_what_is_not_read_yet() {
    let mut console = at_clients();
    for _ in 0..4 {
        console.press(&[Key::PageDown]);
        console.buffer(80, 24);
    }
    assert_eq!(rows(&console), 3 + 100 + 1, "the second page was asked for and not jumped over");
}

#[test]
fn closing_a_branch_brings_the_cursor_out_to_it() {
    let mut console = at_clients();
    console.press(&[Key::Left]);
    assert_eq!(console.chosen(), Some(TAX));
    console.press(&[Key::Left]);
    assert_eq!(rows(&console), 3);
}

#[test]
fn a_branch_that_failed_says_so_and_is_tried_again_with_enter() {
    let mut console = console();
    let fault = serde_json::json!({ "errors": [{ "message": "Slow down." }] });
    console.gateway.instead.insert("ChildrenQuery".to_owned(), fault);
    console.press(&[Key::Enter, Key::Down]);
    assert!(console.screen().contains("enter tries again"), "{}", console.screen());
    console.press(&[Key::Enter]);
    assert_eq!(console.chosen(), Some(ACME));
}

#[test]
fn running_down_a_list_asks_only_for_the_organization_it_ends_on() {
    let mut console = at_clients();
    console.gateway.log.clear();
    for _ in 0..20 {
        console.press(&[Key::Down]);
        console.wait(SignedDuration::from_millis(30));
    }
    console.rest();
    assert_eq!(console.gateway.log, ["DetailQuery"]);
}

#[test]
fn a_search_result_is_jumped_to_with_everything_above_it_opened() {
    let mut console = console();
    console.press(&[Key::Char('/')]);
    console.type_text("berlin");
    console.rest();
    console.press(&[Key::Enter]);
    console.rest();
    assert_eq!(console.chosen(), Some(ACME_BERLIN));
    let screen = console.screen();
    assert!(screen.contains("Quinn's Coffee CRM › Acme Coffee › Acme Coffee Berlin"), "{screen}");
}

#[test]
fn a_result_beyond_the_pages_read_so_far_is_shown_once_and_stays_when_its_page_comes() {
    let mut console = console();
    console.press(&[Key::Char('/')]);
    console.type_text("client 099");
    console.rest();
    console.press(&[Key::Enter]);
    console.rest();
    let wanted = RowKey::Organization(OrganizationId::new(client(99)));
    assert_eq!(console.model.tree.cursor(), Some(&wanted));
    while console.model.tree.rows().iter().any(|row| matches!(row.key, RowKey::More(_))) {
        let more = console.model.tree.rows().iter().position(|r| matches!(r.key, RowKey::More(_)));
        console.model.tree.move_to(more.unwrap());
        console.tell(Msg::Resized);
    }
    let times = console.model.tree.rows().iter().filter(|row| row.key == wanted).count();
    assert_eq!((times, rows(&console)), (1, 3 + CLIENTS));
}

#[test]
fn results_for_what_was_typed_before_are_not_jumped_to() {
    let mut console = console();
    console.press(&[Key::Char('/')]);
    console.type_text("acme");
    console.rest();
    console.type_text(" coffee berlin");
    console.press(&[Key::Enter]);
    assert!(matches!(console.model.overlay, Overlay::Search(_)), "it asks first");
    console.press(&[Key::Enter]);
    assert_eq!(console.chosen(), Some(ACME_BERLIN));
}

#[test]
fn a_key_sees_its_own_organization_as_the_only_root() {
    let gateway = Gateway { operator: false, ..Gateway::new() };
    let console = Console::with(settings(), gateway);
    assert_eq!(console.chosen(), Some(QUINN));
    assert_eq!(rows(&console), 1 + 4, "its branch is open");
    assert!(!console.gateway.log.iter().any(|name| name == "RootsQuery"));
}

#[test]
fn a_name_that_would_deceive_is_shown_without_what_deceives() {
    let mut gateway = Gateway::new();
    gateway.find_mut(QUINN).name = "Ac\u{202e}me\u{200b}\u{1b}]0;pwned\u{7}\nInc".to_owned();
    let mut console = Console::with(settings(), gateway);
    let screen = console.screen();
    assert!(screen.contains("Acme]0;pwned Inc"), "{screen}");
    assert!(!screen.contains(['\u{202e}', '\u{200b}', '\u{1b}', '\u{7}']));
}

#[test]
fn a_row_that_was_forgotten_while_it_was_asked_for_does_not_come_back_as_a_new_one() {
    let mut console = at_clients();
    let forgotten = OrganizationId::new(client(3));
    let asked = tui::update::update(&mut console.model, Msg::Key(Key::Char('r')), console.now);
    console.model.tree.remove(std::slice::from_ref(&forgotten));
    console.model.organizations.remove(&forgotten);
    let rows = asked.into_iter().find_map(|effect| match effect {
        Effect::Ask { request, query } if query.request().name == "Rows" => Some((request, query)),
        _ => None,
    });
    let (request, query) = rows.expect("rows are asked for");
    let query = query.request();
    let answer = console.gateway.respond("RowsQuery", &query.body["variables"]);
    let answer = query.read(answer.to_string().as_bytes());
    console.tell(Msg::Answered { request, answer });
    assert_eq!(console.model.tree.position(&RowKey::Organization(forgotten)), None);
}

/// Text that hides, reorders and commands, in every place where somebody else's text is shown.
#[test]
fn in_no_list_record_dialog_or_search_is_a_letter_that_deceives() {
    const HOSTILE: &str = "a\u{202e}b\u{200b}c\u{1b}[2Jd\u{2066}e\u{7}f";
    let mut gateway = Gateway::new();
    for organization in &mut gateway.organizations {
        organization.name.push_str(HOSTILE);
        organization.suspended = organization.suspended.take().map(|reason| reason + HOSTILE);
    }
    for key in &mut gateway.keys {
        key.name.push_str(HOSTILE);
        key.scopes.push(HOSTILE.to_owned());
    }
    for entry in &mut gateway.ledger {
        entry.3.push_str(HOSTILE);
    }
    let refusal = serde_json::json!({ "errors": [{ "message": HOSTILE }] });
    let mut console = Console::with(settings(), gateway);
    console.press(&[Key::Enter, Key::Down]);
    console.rest();
    let letters = |text: &str| text.chars().map(Key::Char).collect::<Vec<_>>();
    let steps: Vec<Vec<Key>> = vec![
        vec![],
        letters("s"),
        letters("x"),
        vec![Key::Enter],
        vec![Key::Esc, Key::Char('a')],
        vec![Key::Esc, Key::Char('t')],
        vec![Key::Esc, Key::Char('O')],
        letters(" *s"),
        vec![Key::Esc, Key::Char('K')],
        vec![Key::Enter],
        vec![Key::Esc, Key::Char('x')],
        vec![Key::Esc, Key::Char('L')],
        vec![Key::Enter],
        vec![Key::Esc, Key::Char('P'), Key::Char('D'), Key::Down, Key::Enter],
        vec![Key::Esc, Key::Char('W')],
        vec![Key::Char('T'), Key::Char('/'), Key::Char('a')],
        vec![Key::Esc, Key::Down],
    ];
    for (number, keys) in steps.iter().enumerate() {
        if number == 12 {
            console.gateway.instead.insert("DetailQuery".to_owned(), refusal.clone());
        }
        console.press(keys);
        console.rest();
        for (columns, rows) in [(80, 24), (120, 40), (50, 16)] {
            let frame = crate::frame::letters(&console.buffer(columns, rows));
            let found = frame.chars().find(|letter| {
                (letter.is_control() && *letter != '\n') || "\u{202e}\u{200b}\u{2066}".contains(*letter)
            });
            assert_eq!(found, None, "after step {number}:\n{frame}");
        }
    }
}

#[test]
fn a_change_of_something_that_is_not_on_the_screen_draws_nothing() {
    let mut console = console();
    let elsewhere = console.wallet(ACME);
    assert_eq!(console.tell(Msg::Live(Live::Wallets(vec![elsewhere]))), []);
}

#[test]
fn an_older_wallet_does_not_undo_a_newer_one() {
    let mut console = console();
    let older = console.wallet(QUINN);
    console.gateway.charge(QUINN, 2_000, "");
    let newer = console.wallet(QUINN);
    console.tell(Msg::Live(Live::Wallets(vec![newer])));
    console.tell(Msg::Live(Live::Wallets(vec![older])));
    let shown = console.model.detail.shown().unwrap().wallet.clone().unwrap();
    assert_eq!(shown.balance.0, 480_000);
}

#[test]
fn a_key_of_the_test_environment_sees_test_credits() {
    let mut console = console();
    let viewer = console.model.viewer.as_mut().unwrap();
    viewer.environment = Some(Environment::Test);
    let wanted = console.tell(Msg::Live(Live::Ready));
    let test = |effect: &Effect| {
        matches!(effect, Effect::Subscribe { follow, .. }
            if follow.topic == Topic::Wallets { environment: Environment::Test })
    };
    assert!(wanted.iter().any(test), "{wanted:?}");
}

/// What may happen while somebody works.
#[derive(Clone, Debug)]
enum Step {
    Press(Key),
    Charge(usize, i64),
    Lost,
    Ready,
    Wait(i64),
    Renamed(usize),
    Suspended(usize),
    Heard(usize),
    Refreshed,
}

const LIVE: [&str; 4] = [QUINN, ACME, ACME_BERLIN, TAX];

fn keys() -> impl Strategy<Value = Key> {
    prop_oneof![
        8 => prop::sample::select(vec![Key::Up, Key::Down, Key::Enter, Key::Left, Key::Right]),
        2 => prop::sample::select(vec![Key::Esc, Key::Tab, Key::Home, Key::End, Key::PageDown]),
        4 => prop::sample::select("sutmy/:?r1a".chars().map(Key::Char).collect::<Vec<_>>()),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => keys().prop_map(Step::Press),
        3 => (0..LIVE.len(), 1..500_i64).prop_map(|(at, amount)| Step::Charge(at, amount)),
        1 => Just(Step::Lost),
        1 => Just(Step::Ready),
        2 => (1..3_000_i64).prop_map(Step::Wait),
        1 => (0..LIVE.len()).prop_map(Step::Renamed),
        1 => (0..LIVE.len()).prop_map(Step::Suspended),
        1 => (0..LIVE.len()).prop_map(Step::Heard),
        1 => Just(Step::Refreshed),
    ];
    prop::collection::vec(step, 1..60)
}

impl Console {
    fn take(&mut self, step: &Step) {
        match step {
            Step::Press(key) => drop(self.press(&[*key])),
            Step::Charge(at, amount) => {
                self.gateway.charge(LIVE[*at], *amount, "invoice.submit");
                if !self.streams.is_empty() {
                    let wallet = self.wallet(LIVE[*at]);
                    self.tell(Msg::Live(Live::Wallets(vec![wallet])));
                }
            }
            Step::Lost => {
                let lost =
                    Live::Lost { reason: "reset".to_owned(), attempt: 1, heard_at: self.now, retry_at: self.now };
                self.tell(Msg::Live(lost));
            }
            Step::Ready => drop(self.tell(Msg::Live(Live::Ready))),
            Step::Wait(millis) => self.wait(SignedDuration::from_millis(*millis)),
            Step::Renamed(at) => self.gateway.find_mut(LIVE[*at]).name.push('!'),
            Step::Suspended(at) => {
                self.gateway.find_mut(LIVE[*at]).suspended = Some("elsewhere".to_owned());
            }
            Step::Heard(at) => drop(self.happens("organization.created", LIVE[*at])),
            Step::Refreshed => drop(self.tell(Msg::Live(Live::Lagged))),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..Default::default() })]

    #[test]
    fn whatever_happens_a_dialog_keeps_its_target_and_its_key(steps in steps()) {
        let mut console = console();
        let mut held = None;
        for step in &steps {
            console.take(step);
            let now = match &console.model.overlay {
                Overlay::Dialog(dialog) => {
                    Some((dialog.target().clone(), dialog.source.clone(), dialog.spec))
                }
                _ => None,
            };
            if let (Some(before), Some(now)) = (&held, &now) {
                prop_assert_eq!(before, now);
            }
            held = now;
        }
        for act in console.acts() {
            prop_assert!(act.request.body["variables"].to_string().contains(&act.target.id));
        }
    }

    #[test]
    fn whatever_the_gateway_says_the_cursor_stays_where_it_was_put(steps in steps()) {
        let mut console = console();
        for step in &steps {
            let before = console.model.tree.cursor().cloned();
            console.take(step);
            let still_there = before.as_ref().and_then(|key| console.model.tree.position(key));
            let pressed = matches!(step, Step::Press(_));
            if !pressed && still_there.is_some() {
                prop_assert_eq!(before.as_ref(), console.model.tree.cursor());
            }
            if let Some(cursor) = console.model.tree.cursor() {
                prop_assert!(console.model.tree.position(cursor).is_some(), "a cursor on no row");
            }
            console.buffer(80, 24);
        }
    }

    #[test]
    fn an_organization_has_one_row_and_a_depth_one_below_its_parents(steps in steps()) {
        let mut console = console();
        for step in &steps {
            console.take(step);
        }
        let tree = &console.model.tree;
        let mut seen = std::collections::HashSet::new();
        for (at, row) in tree.rows().iter().enumerate() {
            prop_assert!(seen.insert(format!("{:?}", row.key)), "{:?} twice", row.key);
            let parent = tree.parent_position(at).map(|parent| tree.rows()[parent].depth + 1);
            prop_assert_eq!(row.depth, parent.unwrap_or(0));
        }
    }
}
