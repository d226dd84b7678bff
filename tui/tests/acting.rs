//! Questions, answers, and what becomes of an act when the connection goes.

use jiff::SignedDuration;
use serde_json::json;
use tui::effect::{Copied, Effect};
use tui::graphql::{Failure, OrganizationId, Secret};
use tui::model::Overlay;
use tui::model::Settings;
use tui::model::dialog::{GUARD, Stage};
use tui::msg::{Key, Live, Msg};

use crate::console::{Console, console, settings};
use crate::gateway::{ACME, BEANHOUSE, Gateway, QUINN, ZOE};

/// Marks the answer that acts, and takes it.
const YES: [Key; 2] = [Key::Tab, Key::Enter];

fn at(console: &mut Console, id: &str) {
    console.model.tree.choose(&tui::model::tree::RowKey::Organization(OrganizationId::new(id)));
    console.tell(Msg::Resized);
    console.rest();
}

/// A console with Quinn's branch open and the cursor on Acme.
fn at_acme() -> Console {
    let mut console = console();
    console.press(&[Key::Enter]);
    at(&mut console, ACME);
    console
}

fn answer_after_guard(console: &mut Console, keys: &[Key]) {
    console.wait(GUARD);
    console.press(keys);
}

/// Opens a transfer of 500 and stops at the question.
fn transfer_question() -> Console {
    let mut console = at_acme();
    console.press(&[Key::Char('t')]);
    console.wait(GUARD);
    console.type_text("500");
    console.press(&[Key::Enter, Key::Enter]);
    console.wait(GUARD);
    console
}

fn stage(console: &Console) -> &Stage {
    match &console.model.overlay {
        Overlay::Dialog(dialog) => &dialog.stage,
        other => panic!("no dialog but {other:?}"),
    }
}

fn notice(console: &Console) -> &str {
    console.model.notice.as_ref().map_or("", |notice| &notice.text)
}

#[test]
fn a_suspension_needs_a_reason_a_question_and_a_yes() {
    let mut console = at_acme();
    console.press(&[Key::Char('s')]);
    answer_after_guard(&mut console, &[Key::Enter]);
    assert!(console.screen().contains("say why"));
    console.wait(GUARD);
    console.type_text("chargeback 77");
    console.press(&[Key::Enter]);
    assert!(console.acts().is_empty(), "it has only been asked");
    answer_after_guard(&mut console, &YES);
    assert!(console.screen().contains("! SUSPENDED"));
    assert_eq!(notice(&console), format!("Suspended Acme Coffee ({ACME})  (Z undoes it)"));
    assert_eq!(console.gateway.find(ACME).unwrap().suspended.as_deref(), Some("chargeback 77"));
}

#[test]
fn a_suspension_shows_on_the_rows_below_at_once() {
    let mut console = at_acme();
    at(&mut console, QUINN);
    console.press(&[Key::Char('s')]);
    console.wait(GUARD);
    console.type_text("fraud");
    console.press(&[Key::Enter]);
    answer_after_guard(&mut console, &YES);
    assert!(console.screen().contains("! Acme Coffee"));
}

#[test]
fn resuming_says_when_somebody_elses_suspension_remains() {
    let mut console = at_acme();
    console.gateway.find_mut(QUINN).suspended = Some("unpaid".to_owned());
    at(&mut console, BEANHOUSE);
    console.press(&[Key::Char('u')]);
    answer_after_guard(&mut console, &YES);
    assert!(notice(&console).contains("still held by somebody else's suspension"));
}

#[test]
fn enter_takes_the_marked_answer_and_that_is_to_cancel() {
    let mut console = transfer_question();
    console.press(&[Key::Enter]);
    assert!(matches!(console.model.overlay, Overlay::None));
    assert!(console.acts().is_empty());
}

#[test]
fn enter_acts_once_the_other_answer_is_marked() {
    let mut console = transfer_question();
    console.press(&[Key::Tab, Key::Enter]);
    assert_eq!(console.gateway.find(ACME).unwrap().balance, 12_950);
}

#[test]
fn keys_that_were_on_their_way_do_not_answer_a_question() {
    let mut console = at_acme();
    at(&mut console, BEANHOUSE);
    console.press(&[Key::Char('u'), Key::Tab, Key::Enter, Key::Tab, Key::Enter]);
    console.wait(GUARD - SignedDuration::from_millis(1));
    console.press(&YES);
    assert!(console.acts().is_empty());
    console.wait(SignedDuration::from_millis(1));
    console.press(&YES);
    assert_eq!(console.acts().len(), 1);
}

#[test]
fn pasted_text_presses_no_key() {
    let mut console = at_acme();
    console.paste("s\ny\nq");
    assert!(matches!(console.model.overlay, Overlay::None));
    assert!(notice(&console).contains("ignored"));
    at(&mut console, BEANHOUSE);
    console.press(&[Key::Char('u')]);
    console.wait(GUARD);
    console.paste("y");
    assert!(console.acts().is_empty());
}

#[test]
fn pasted_text_goes_into_a_field_without_what_could_deceive() {
    let mut console = at_acme();
    console.press(&[Key::Char('s')]);
    console.wait(GUARD);
    console.paste("un\u{202e}paid\ninvoice\u{1b}[2J\n");
    let Overlay::Dialog(dialog) = &console.model.overlay else { panic!("a dialog") };
    assert_eq!(dialog.fields[0].content(), "unpaid invoice[2J");
}

#[test]
fn a_transfer_goes_from_the_parent_for_the_operator() {
    let mut console = transfer_question();
    console.press(&YES);
    let [act] = console.acts()[..] else { panic!("one act") };
    let input = &act.request.body["variables"]["input"];
    assert_eq!(input["sourceOrganizationId"], QUINN);
    assert_eq!(input["targetOrganizationId"], ACME);
    assert_eq!(input["amount"], 500);
    assert!(console.screen().contains("12,950"));
}

#[test]
fn a_transfer_goes_from_a_keys_own_organization() {
    let gateway = Gateway { operator: false, ..Gateway::new() };
    let mut console = Console::with(settings(), gateway);
    at(&mut console, ACME);
    console.press(&[Key::Char('t')]);
    let screen = console.screen();
    assert!(screen.contains(QUINN) && screen.contains(ACME), "{screen}");
    console.press(&[Key::Esc]);
    answer_after_guard(&mut console, &[Key::Esc]);
    at(&mut console, QUINN);
    console.press(&[Key::Char('t')]);
    assert!(notice(&console).contains("below yours"));
}

#[test]
fn a_refusal_stays_in_the_dialog_with_its_code_and_a_changed_act_has_a_new_key() {
    let mut console = at_acme();
    console.press(&[Key::Char('t')]);
    console.wait(GUARD);
    console.type_text("9000000");
    console.press(&[Key::Enter, Key::Enter]);
    answer_after_guard(&mut console, &YES);
    let screen = console.screen();
    assert!(screen.contains("INSUFFICIENT_CREDITS"), "{screen}");
    assert!(screen.contains("Transfer at most 482000."), "{screen}");
    console.press(&[Key::Char('e')]);
    console.wait(GUARD);
    console.press(&[Key::BackTab, Key::Ctrl('u')]);
    console.type_text("10");
    console.press(&[Key::Enter, Key::Enter]);
    answer_after_guard(&mut console, &YES);
    let [first, second] = console.acts()[..] else { panic!("two acts: {:?}", console.acts()) };
    assert_ne!(first.idempotency_key, second.idempotency_key);
    assert_eq!(console.gateway.find(ACME).unwrap().balance, 12_460);
}

#[test]
fn an_act_that_never_left_is_refused_and_not_unknown() {
    let mut console = transfer_question();
    console.acts_lost.push_back(Failure::Unreachable("connection refused".to_owned()));
    console.press(&YES);
    assert!(matches!(stage(&console), Stage::Refused));
    assert!(console.screen().contains("nothing was sent"));
}

#[test]
fn a_lost_answer_is_looked_up_under_the_same_key_and_credits_move_once() {
    let mut console = transfer_question();
    let lost = || Failure::Interrupted("connection reset".to_owned());
    console.acts_lost.extend([lost(), lost()]);
    console.press(&YES);
    assert!(console.screen().contains("unknown outcome, checking"));
    console.wait(SignedDuration::from_secs(5));
    assert!(notice(&console).contains("happened once"), "{}", notice(&console));
    assert_eq!(console.gateway.find(ACME).unwrap().balance, 12_950);
    let keys: std::collections::HashSet<_> =
        console.acts().into_iter().map(|act| act.idempotency_key.clone()).collect();
    assert_eq!((console.acts().len(), keys.len()), (3, 1));
}

#[test]
fn a_connection_that_comes_back_is_asked_at_once() {
    let mut console = transfer_question();
    console.acts_lost.push_back(Failure::Interrupted("connection reset".to_owned()));
    console.press(&YES);
    console.tell(Msg::Live(Live::Ready));
    assert!(notice(&console).contains("happened once"));
}

#[test]
fn a_doubt_is_not_ended_by_a_failure_that_says_nothing_of_the_first_request() {
    let mut console = transfer_question();
    console.acts_lost.extend([
        Failure::Interrupted("connection reset".to_owned()),
        Failure::Unreachable("connection refused".to_owned()),
    ]);
    console.press(&YES);
    console.wait(SignedDuration::from_millis(1_100));
    assert!(matches!(stage(&console), Stage::Unknown { attempt: 2, .. }), "{:?}", stage(&console));
}

#[test]
fn after_enough_attempts_the_console_waits_to_be_told() {
    let mut console = transfer_question();
    let lost = || Failure::Interrupted("connection reset".to_owned());
    console.acts_lost.extend(std::iter::repeat_with(lost).take(20));
    console.press(&YES);
    console.wait(SignedDuration::from_mins(10));
    assert!(matches!(stage(&console), Stage::Unknown { attempt: 8, resend_at: None, .. }));
    console.acts_lost.clear();
    console.press(&[Key::Char('r')]);
    assert!(notice(&console).contains("happened once"));
}

#[test]
fn leaving_a_doubt_leaves_a_warning() {
    let mut console = transfer_question();
    console.acts_lost.push_back(Failure::Interrupted("connection reset".to_owned()));
    console.press(&YES);
    console.press(&[Key::Esc]);
    assert!(notice(&console).contains("outcome for Acme Coffee"), "{}", notice(&console));
}

#[test]
fn a_gateway_that_asks_to_be_left_alone_is() {
    let mut console = transfer_question();
    let busy = json!({ "errors": [{
        "message": "Try again shortly.", "extensions": { "code": "RETRY_LATER", "retryAfterMs": 30_000 },
    }] });
    console.gateway.instead.insert("TransferMutation".to_owned(), busy);
    console.press(&YES);
    console.wait(SignedDuration::from_secs(29));
    assert_eq!(console.acts().len(), 1);
    console.wait(SignedDuration::from_secs(1));
    assert_eq!(console.acts().len(), 2);
    assert_eq!(console.gateway.find(ACME).unwrap().balance, 12_950);
}

#[test]
fn a_fault_of_the_gateway_leaves_the_outcome_unknown() {
    let mut console = transfer_question();
    let fault = json!({ "errors": [{
        "message": "Something broke.",
        "extensions": { "code": "INTERNAL", "requestId": "req_1" },
    }] });
    console.gateway.instead.insert("TransferMutation".to_owned(), fault);
    console.press(&YES);
    assert!(matches!(stage(&console), Stage::Unknown { .. }));
    assert!(console.screen().contains("request req_1"));
}

/// Mints a key for Acme and stops at its secret.
fn minted() -> Console {
    let mut console = at_acme();
    console.press(&[Key::Char('m')]);
    console.wait(GUARD);
    console.type_text("Till");
    console.press(&[Key::Enter, Key::Enter, Key::Enter]);
    answer_after_guard(&mut console, &YES);
    console.wait(GUARD);
    console
}

const SECRET: &str = "byn_live_9fT4_notARealSecretOnlyForTests";

#[test]
fn a_minted_secret_is_shown_until_its_panel_closes_and_never_again() {
    let mut console = minted();
    let screen = console.screen();
    assert!(screen.contains(SECRET) && screen.contains("cannot be shown again"), "{screen}");
    console.press(&[Key::Esc]);
    assert!(!console.screen().contains(SECRET));
    assert!(!format!("{:?}", console.model).contains(SECRET));
}

#[test]
fn a_minted_secret_is_copied_only_by_its_key() {
    let mut console = minted();
    assert!(!console.effects.iter().any(|effect| matches!(effect, Effect::Copy(_))));
    let wanted = console.press(&[Key::Char('y')]);
    assert!(wanted.contains(&Effect::Copy(Copied::Secret(Secret::new(SECRET)))));
}

#[test]
fn a_recording_of_a_mint_does_not_hold_the_secret() {
    let mut console = minted();
    let request = tui::effect::RequestId(1);
    let issued = tui::graphql::Issued {
        id: "key_1".to_owned(),
        name: "Till".to_owned(),
        prefix: "byn_live_9fT4".to_owned(),
        secret: Some(Secret::new(SECRET)),
    };
    let receipt = tui::graphql::Receipt { issued: Some(issued), ..tui::graphql::Receipt::default() };
    let outcome = Ok(tui::graphql::Outcome::Done(receipt));
    let (file, written) = crate::console::memory();
    let mut recorder = tui::record::Recorder::to(file, &console.began()).unwrap();
    recorder.record(console.now, &Msg::Settled { request, outcome });
    recorder.record(console.now, &Msg::Paste(tui::msg::Pasted(SECRET.to_owned())));
    let written = String::from_utf8(written.lock().unwrap().clone()).unwrap();
    assert!(!written.contains("notAReal"), "{written}");
    assert_eq!(written.lines().count(), 3);
    console.press(&[Key::Esc]);
}

#[test]
fn a_key_minted_by_a_lost_request_whose_secret_is_gone_says_to_revoke_it() {
    let mut console = at_acme();
    console.press(&[Key::Char('m')]);
    console.wait(GUARD);
    console.type_text("Till");
    console.press(&[Key::Enter, Key::Enter, Key::Enter]);
    console.wait(GUARD);
    let answer = json!({ "data": { "apiKeyCreate": {
        "apiKey": {
            "id": "key_1", "name": "Till", "prefix": "byn_live_9fT4",
        },
        "secret": null, "replayed": true, "userErrors": [],
    } } });
    console.gateway.instead.insert("MintMutation".to_owned(), answer);
    console.press(&YES);
    assert!(notice(&console).contains("revoke it"), "{}", notice(&console));
}

#[test]
fn a_read_only_console_builds_no_mutation() {
    let mut console = Console::with(Settings { read_only: true, ..settings() }, Gateway::new());
    console.press(&[Key::Enter]);
    at(&mut console, ZOE);
    for key in "sutm".chars() {
        console.press(&[Key::Char(key)]);
        console.wait(GUARD);
        console.type_text("x");
        console.press(&[Key::Enter, Key::Tab, Key::Enter, Key::Esc]);
    }
    assert!(console.acts().is_empty());
    assert!(!console.gateway.log.iter().any(|operation| operation.contains("Mutation")));
}

#[test]
fn a_look_alike_name_is_spelled_out_before_it_is_acted_upon() {
    let mut console = at_acme();
    at(&mut console, ZOE);
    console.press(&[Key::Char('u')]);
    assert!(console.screen().contains(r"Caf\u{e9} Zo\u{eb}"));
}
