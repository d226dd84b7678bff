//! Loss and recovery, and the console at rest.

use jiff::SignedDuration;
use tui::effect::Effect;
use tui::graphql::Query;
use tui::msg::{Key, Live, Msg};
use tui::update::update;

use crate::console::{Console, console, settings};
use crate::gateway::{ACME, Gateway, QUINN, TAX};

fn lose(console: &mut Console, attempt: u32) {
    let lost = Live::Lost {
        reason: "reset".to_owned(),
        attempt,
        heard_at: console.now,
        retry_at: console.now + SignedDuration::from_secs(1),
    };
    console.tell(Msg::Live(lost));
}

#[test]
fn at_rest_there_is_nothing_to_wake_up_for() {
    let console = console();
    assert_eq!(console.model.next_deadline(), None);
}

#[test]
fn the_age_of_the_data_counts_from_the_first_sign_of_loss() {
    let mut console = console();
    lose(&mut console, 1);
    console.wait(SignedDuration::from_secs(20));
    lose(&mut console, 2);
    console.wait(SignedDuration::from_secs(10));
    assert!(console.screen().contains("STALE 30s"), "{}", console.screen());
}

#[test]
fn after_a_loss_it_subscribes_before_it_asks_and_is_stale_until_all_is_answered() {
    let mut console = console();
    lose(&mut console, 1);
    let effects = update(&mut console.model, Msg::Live(Live::Ready), console.now);
    let order: Vec<&str> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Subscribe { .. } => Some("subscribe"),
            Effect::Ask { query: Query::Rows { .. }, .. } => Some("rows"),
            Effect::Ask { query: Query::Detail { .. }, .. } => Some("detail"),
            _ => None,
        })
        .collect();
    assert_eq!(order, ["subscribe", "subscribe", "rows", "detail"]);
    assert!(console.screen().contains("catching up"));
    for effect in effects {
        let Effect::Ask { request, query } = effect else { continue };
        assert!(console.model.link.stale_since.is_some(), "until the last answer");
        let asked = query.request();
        let name = asked.body["operationName"].as_str().unwrap();
        let answer = console.gateway.respond(name, &asked.body["variables"]);
        let answer = asked.read(answer.to_string().as_bytes());
        console.tell(Msg::Answered { request, answer });
    }
    assert_eq!(console.model.link.stale_since, None);
}

#[test]
fn what_changed_during_the_loss_is_there_after_it() {
    let mut console = console();
    lose(&mut console, 1);
    console.gateway.charge(QUINN, 7, "");
    console.gateway.find_mut(TAX).suspended = Some("unpaid".to_owned());
    console.tell(Msg::Live(Live::Ready));
    let screen = console.screen();
    assert!(screen.contains("481,993") && screen.contains("! Tax & Accounting"), "{screen}");
}

#[test]
fn an_organization_that_is_gone_leaves_its_row_to_the_next_and_says_so() {
    let mut console = console();
    console.press(&[Key::Enter, Key::Down]);
    console.rest();
    console.gateway.organizations.retain(|organization| organization.id != ACME);
    console.press(&[Key::Char('r')]);
    console.rest();
    let screen = console.screen();
    assert!(!screen.contains("▸ * Acme Coffee"), "{screen}");
    assert!(console.chosen().is_some_and(|chosen| chosen != ACME));
}

#[test]
fn steady_charges_do_not_starve_the_ledger() {
    let mut console = console();
    console.gateway.log.clear();
    for _ in 0..40 {
        console.gateway.charge(QUINN, 1, "");
        let wallet = console.wallet(QUINN);
        console.tell(Msg::Live(Live::Wallets(vec![wallet])));
        console.wait(SignedDuration::from_millis(100));
    }
    let asked = console.gateway.log.len();
    assert!((6..=9).contains(&asked), "about every half second, not per charge: {asked}");
}

#[test]
fn a_stale_answer_is_dropped() {
    let mut console = console();
    let request = tui::effect::RequestId(999_999);
    let answer = Ok(tui::graphql::Answer::Page(None));
    assert_eq!(console.tell(Msg::Answered { request, answer }), []);
}

#[test]
fn a_recording_replays_to_the_same_screen() {
    let mut console = Console::disconnected(settings(), Gateway::new());
    let (file, written) = crate::console::memory();
    let mut recorder = tui::record::Recorder::to(file, &console.began()).unwrap();
    let mut queue = std::collections::VecDeque::from([
        Msg::Start,
        Msg::Live(Live::Ready),
        Msg::Key(Key::Enter),
        Msg::Key(Key::Down),
    ]);
    while let Some(msg) = queue.pop_front() {
        recorder.record(console.now, &msg);
        for effect in update(&mut console.model, msg, console.now) {
            if let Effect::Ask { request, query } = effect {
                let asked = query.request();
                let name = asked.body["operationName"].as_str().unwrap();
                let answer = console.gateway.respond(name, &asked.body["variables"]);
                let answer = asked.read(answer.to_string().as_bytes());
                queue.push_front(Msg::Answered { request, answer });
            }
        }
    }
    let written = String::from_utf8(written.lock().unwrap().clone()).unwrap();
    let recording = tui::record::Recording::read(&written).unwrap();
    let mut replayed = Console::disconnected(settings(), Gateway::new());
    replayed.model = recording.model_after(recording.messages.len());
    assert_eq!(replayed.buffer(120, 40), console.buffer(120, 40));
    let half = recording.model_after(2);
    assert!(half.tree.rows().len() < console.model.tree.rows().len());
    // A session that died in the middle of a line can be played up to there.
    let cut = &written[..written.len() - 20];
    assert_eq!(tui::record::Recording::read(cut).unwrap().messages.len(), recording.messages.len() - 1);
}
