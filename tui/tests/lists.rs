//! Lists: opening, narrowing, ordering, following, and acting on what is in them.

use jiff::SignedDuration;
use tui::act::Kind;
use tui::effect::Effect;
use tui::model::Overlay;
use tui::model::Settings;
use tui::model::dialog::GUARD;
use tui::msg::Key;

use crate::console::{Console, console, settings};
use crate::gateway::{ACME, ACME_BERLIN, BEANHOUSE, Gateway, QUINN, ZOE};

/// The keys of Acme.
fn at_keys_of_acme() -> Console {
    let mut console = console();
    console.press(&[Key::Enter, Key::Down]);
    console.rest();
    console.press(&[Key::Char('K')]);
    console.rest();
    console
}

fn at_organizations() -> Console {
    let mut console = console();
    console.press(&[Key::Char('O')]);
    console.rest();
    console
}

fn chosen(console: &Console) -> &str {
    console.model.places.list().and_then(|list| list.chosen()).map_or("", |record| &record.id)
}

fn line(console: &mut Console, text: &str) {
    console.press(&[Key::Char(':')]);
    console.type_text(text);
    console.press(&[Key::Enter]);
    console.rest();
}

fn notice(console: &Console) -> String {
    console.model.notice.as_ref().map(|notice| notice.text.clone()).unwrap_or_default()
}

#[test]
fn a_list_opens_about_the_organization_under_the_cursor_and_leads_back() {
    let mut console = at_keys_of_acme();
    let screen = console.screen();
    for word in ["Keys of Acme Coffee", "Till backend", "Loyalty app", "1 of 3", "tree › Acme Coffee › keys"] {
        assert!(screen.contains(word), "no {word}:\n{screen}");
    }
    assert!(!screen.contains("CRM backend"), "that is a key of somebody else");
    console.press(&[Key::Char('L')]);
    console.rest();
    assert!(console.screen().contains("Ledger of Acme Coffee"));
    console.press(&[Key::Esc]);
    assert!(console.screen().contains("Keys of Acme Coffee"));
    console.press(&[Key::Char('[')]);
    assert_eq!(console.chosen(), Some(ACME));
    console.press(&[Key::Char(']'), Key::Char(']')]);
    assert!(console.screen().contains("Ledger of Acme Coffee"));
}

#[test]
fn a_list_that_was_left_before_its_answer_came_is_read_when_it_is_come_back_to() {
    let mut console = at_keys_of_acme();
    // The question goes out, and the list is left before the answer is taken in.
    tui::update::update(&mut console.model, tui::msg::Msg::Key(Key::Char('r')), console.now);
    console.press(&[Key::Char('L')]);
    console.gateway.mint(ACME, "Made meanwhile");
    console.press(&[Key::Char('[')]);
    console.rest();
    assert!(console.screen().contains("Made meanwhile"), "{}", console.screen());
}

#[test]
fn a_line_opens_a_list_with_its_filter_and_what_is_no_filter_is_said() {
    let mut console = console();
    line(&mut console, "organizations coffee status:active");
    let screen = console.screen();
    assert!(screen.contains("Acme Coffee Berlin") && !screen.contains("Beanhouse"), "{screen}");
    console.press(&[Key::Char(':')]);
    console.type_text("keys colour:red");
    console.press(&[Key::Enter]);
    assert!(console.screen().contains("no filter \"colour\": there is status, environment"), "{}", console.screen());
}

#[test]
fn the_line_completes_words_and_remembers_what_was_typed() {
    let mut console = console();
    console.press(&[Key::Char(':')]);
    console.type_text("organizations sta");
    console.press(&[Key::Tab]);
    console.type_text("su");
    console.press(&[Key::Tab, Key::Enter]);
    console.rest();
    assert_eq!(console.model.places.list().unwrap().filter.text, "status:SUSPENDED");
    console.press(&[Key::Char(':'), Key::Up]);
    let Overlay::Palette(palette) = &console.model.overlay else { panic!("the line") };
    assert_eq!(palette.input.value(), "organizations status:SUSPENDED");
}

#[test]
fn the_gateway_filters_and_orders_and_the_head_says_by_what() {
    let mut console = at_organizations();
    assert!(console.screen().contains("name ↑"));
    console.press(&[Key::Char('o')]);
    console.rest();
    let screen = console.screen();
    assert!(screen.contains("balance ↓"), "{screen}");
    let first = screen.lines().position(|line| line.contains("Tax & Accounting")).unwrap();
    let second = screen.lines().position(|line| line.contains("Quinn's Coffee")).unwrap();
    assert!(first < second, "the richest first:\n{screen}");
    console.press(&[Key::Char('/')]);
    console.type_text("status:suspended");
    console.press(&[Key::Enter]);
    console.rest();
    assert_eq!(chosen(&console), BEANHOUSE);
    assert!(console.screen().contains("1 of 1"), "{}", console.screen());
}

#[test]
fn words_that_the_gateway_has_no_filter_for_are_looked_for_in_every_column() {
    let mut console = at_keys_of_acme();
    console.press(&[Key::Char('/')]);
    console.type_text("LOYALTY");
    console.press(&[Key::Enter]);
    console.rest();
    let screen = console.screen();
    assert!(screen.contains("Loyalty app") && !screen.contains("Till backend"), "{screen}");
}

#[test]
fn going_to_the_end_reads_the_end_and_not_everything_before_it() {
    let mut console = at_organizations();
    console.gateway.log.clear();
    console.press(&[Key::Char('G')]);
    console.rest();
    let screen = console.screen();
    assert!(screen.contains("131 of 131"), "{screen}");
    let pages = console.gateway.log.iter().filter(|name| *name == "OrganizationsQuery").count();
    assert!(pages <= 2, "{:?}", console.gateway.log);
}

#[test]
fn a_record_shows_whole_and_its_id_is_copied() {
    let mut console = at_keys_of_acme();
    console.press(&[Key::Enter]);
    let screen = console.screen();
    assert!(screen.contains("byn_live_01Jq7bT2vYc4Wm9KxR5nLd01Jq7bVfQ8sZtH3pE0001"), "{screen}");
    console.press(&[Key::Char('c')]);
    assert_eq!(console.copied(), Some("key_01h455vb4pex5vsknk084s0001"));
}

#[test]
fn an_organization_of_the_list_is_shown_in_its_place_in_the_tree() {
    let mut console = at_organizations();
    console.press(&[Key::Down, Key::Enter]);
    console.rest();
    assert_eq!(console.chosen(), Some(ACME_BERLIN));
    console.press(&[Key::Char('[')]);
    assert_eq!(chosen(&console), ACME_BERLIN);
}

#[test]
fn a_key_is_revoked_only_after_its_name_was_typed_and_the_answer_marked() {
    let mut console = at_keys_of_acme();
    console.press(&[Key::Down, Key::Down, Key::Char('x')]);
    console.wait(GUARD);
    assert!(console.screen().contains("type Loyalty app"), "{}", console.screen());
    console.press(&[Key::Enter]);
    console.type_text("leaked");
    console.press(&[Key::Enter]);
    console.type_text("Loyalty");
    console.press(&[Key::Enter]);
    assert!(console.screen().contains("type it exactly"), "{}", console.screen());
    console.wait(GUARD);
    console.paste(" app");
    console.press(&[Key::Enter]);
    assert!(notice(&console).contains("ignored"), "a pasted name shows nothing of having read it");
    console.wait(GUARD);
    console.type_text(" app");
    console.press(&[Key::Enter]);
    assert!(console.acts().is_empty());
    console.say_yes();
    let [act] = console.acts()[..] else { panic!("one act") };
    assert_eq!((act.target.kind, &*act.target.id), (Kind::ApiKey, "key_01h455vb4pex5vsknk084s0003"));
    assert!(console.screen().contains("REVOKED"), "{}", console.screen());
}

#[test]
fn a_rotated_key_shows_the_new_secret_once_and_the_old_one_superseded() {
    let mut console = at_keys_of_acme();
    console.press(&[Key::Char('n')]);
    console.wait(GUARD);
    console.press(&[Key::Enter]);
    console.say_yes();
    assert!(console.screen().contains("notARealSecretOnlyForTests"));
    console.wait(GUARD);
    console.press(&[Key::Esc]);
    console.rest();
    let superseded = console.screen().matches("SUPERSEDED").count();
    assert_eq!(superseded, 2, "{}", console.screen());
}

#[test]
fn marks_are_of_records_and_one_dialog_acts_on_all_of_them() {
    let mut console = at_organizations();
    console.press(&[Key::Char('/')]);
    console.type_text("coffee");
    console.press(&[Key::Enter]);
    console.rest();
    console.press(&[Key::Char(' '), Key::Char(' ')]);
    console.press(&[Key::Char('o')]);
    console.rest();
    assert!(console.screen().contains("2 marked"), "{}", console.screen());
    console.press(&[Key::Char('s')]);
    console.wait(GUARD);
    let screen = console.screen();
    assert!(screen.contains("2 organizations") && screen.contains(ACME) && screen.contains(ACME_BERLIN), "{screen}");
    console.type_text("fraud");
    console.press(&[Key::Enter]);
    console.say_yes();
    let targets: Vec<&str> = console.acts().iter().map(|act| &*act.target.id).collect();
    assert_eq!(targets, [ACME, ACME_BERLIN]);
    assert!(notice(&console).contains("Suspended 2 organizations"), "{}", notice(&console));
    console.press(&[Key::Char('Z')]);
    assert!(console.screen().contains("Resume"));
    console.say_yes();
    assert_eq!(console.gateway.find(ACME).unwrap().suspended, None);
}

#[test]
fn one_refusal_among_several_does_not_touch_the_others() {
    let mut console = at_keys_of_acme();
    console.press(&[Key::Char('*'), Key::Char('n')]);
    console.wait(GUARD);
    // Two of the three are active; the superseded one cannot rotate.
    console.press(&[Key::Enter]);
    console.say_yes();
    assert_eq!(console.acts().len(), 3);
    // Each new secret is shown in its turn.
    for _ in 0..2 {
        assert!(console.screen().contains("notARealSecret"), "{}", console.screen());
        console.wait(GUARD);
        console.press(&[Key::Esc]);
    }
    let Overlay::Dialog(dialog) = &console.model.overlay else { panic!("{:?}", console.model.overlay) };
    assert_eq!(dialog.tally(), (2, 1));
    assert!(console.screen().contains("2 done, 1 not"), "{}", console.screen());
}

#[test]
fn a_plan_is_shown_and_what_changed_since_refuses_the_act() {
    let mut console = console();
    console.press(&[Key::Enter, Key::Down]);
    console.rest();
    console.press(&[Key::Char('s')]);
    console.wait(GUARD);
    let screen = console.screen();
    assert!(screen.contains("2 organizations below, 2 keys, 2 endpoints, 1 open holds"), "{screen}");
    console.type_text("fraud");
    console.press(&[Key::Enter]);
    console.gateway.mint(ACME, "New");
    console.say_yes();
    assert!(console.screen().contains("PLAN_STALE"), "{}", console.screen());
    console.press(&[Key::Char('e')]);
    assert!(console.screen().contains("3 keys"), "{}", console.screen());
    console.wait(GUARD);
    console.press(&[Key::Enter]);
    console.say_yes();
    assert_eq!(console.gateway.find(ACME).unwrap().suspended.as_deref(), Some("fraud"));
}

#[test]
fn archiving_asks_for_the_name_and_says_what_came_back() {
    let mut console = console();
    console.press(&[Key::Enter, Key::Down, Key::Down]);
    console.rest();
    console.press(&[Key::Char('a')]);
    console.wait(GUARD);
    console.press(&[Key::Enter]);
    console.type_text("closed");
    console.press(&[Key::Enter]);
    console.type_text("Beanhouse Roasters");
    console.press(&[Key::Enter]);
    console.say_yes();
    assert!(notice(&console).contains("12,250 credits reclaimed, 2 keys revoked"), "{}", notice(&console));
}

#[test]
fn a_transfer_is_undone_by_the_same_amount_the_other_way() {
    let mut console = console();
    console.press(&[Key::Enter, Key::Down]);
    console.rest();
    console.press(&[Key::Char('t')]);
    console.wait(GUARD);
    console.type_text("500");
    console.press(&[Key::Enter, Key::Enter]);
    console.say_yes();
    assert_eq!(console.gateway.find(ACME).unwrap().balance, 12_950);
    console.press(&[Key::Down, Key::Char('Z')]);
    console.wait(GUARD);
    console.press(&[Key::Enter, Key::Enter]);
    console.say_yes();
    assert_eq!(console.gateway.find(ACME).unwrap().balance, 12_450);
    assert_eq!(console.gateway.find(QUINN).unwrap().balance, 482_000);
}

#[test]
fn limits_say_what_was_and_what_will_be_and_leave_the_rest_alone() {
    let mut console = console();
    console.press(&[Key::Enter, Key::Down]);
    console.rest();
    console.press(&[Key::Char('e')]);
    console.wait(GUARD);
    console.type_text("60000");
    console.press(&[Key::Enter, Key::Enter, Key::Enter, Key::Enter]);
    console.type_text("none");
    console.press(&[Key::Enter]);
    let screen = console.screen();
    assert!(screen.contains("50,000 to 60,000") && screen.contains("60,000 to none"), "{screen}");
    console.say_yes();
    let [act] = console.acts()[..] else { panic!("one act") };
    let input = &act.request.body["variables"]["input"];
    let expected = serde_json::json!({
        "organizationId": ACME, "monthlyCreditCap": 60_000, "refillMonthlyCeiling": null,
    });
    assert_eq!(*input, expected);
}

#[test]
fn in_production_what_customers_feel_asks_for_the_name_as_well() {
    let settings = Settings { production: true, profile: Some("live".to_owned()), ..settings() };
    let mut console = Console::with(settings, Gateway::new());
    assert!(console.screen().contains("live PRODUCTION"), "{}", console.screen());
    console.press(&[Key::Enter, Key::Down]);
    console.rest();
    console.press(&[Key::Char('s')]);
    console.wait(GUARD);
    assert!(console.screen().contains("type Acme Coffee to show"), "{}", console.screen());
}

#[test]
fn a_name_that_cannot_be_typed_for_certain_is_replaced_by_the_end_of_the_id() {
    let settings = Settings { production: true, ..settings() };
    let mut console = Console::with(settings, Gateway::new());
    line(&mut console, "organizations caf");
    console.press(&[Key::Char('s')]);
    console.wait(GUARD);
    let expected = &ZOE[ZOE.len() - 8..];
    assert!(console.screen().contains(&format!("type {expected}")), "{}", console.screen());
}

#[test]
fn the_question_is_copied_as_graphql_and_nothing_is_done() {
    let mut console = console();
    console.press(&[Key::Enter, Key::Down]);
    console.rest();
    console.press(&[Key::Char('t')]);
    console.wait(GUARD);
    console.type_text("500");
    console.press(&[Key::Enter, Key::Enter]);
    console.wait(GUARD);
    console.press(&[Key::Char('y')]);
    let copied = console.copied().unwrap();
    assert!(copied.contains("creditTransfer") && copied.contains(ACME) && copied.contains("500"), "{copied}");
    assert!(console.acts().is_empty());
    console.press(&[Key::Esc, Key::Char('y')]);
    assert!(console.copied().unwrap().contains("ledgerEntries"));
}

#[test]
fn a_key_minted_elsewhere_waits_until_it_is_taken_in_and_the_cursor_stays() {
    let mut console = at_keys_of_acme();
    console.press(&[Key::Down]);
    let before = chosen(&console).to_owned();
    console.gateway.mint(ACME, "Made elsewhere");
    console.happens("api_key.created", ACME);
    console.rest();
    let screen = console.screen();
    assert!(screen.contains("1 changes, . takes them in") && !screen.contains("Made elsewhere"), "{screen}");
    console.press(&[Key::Char('.')]);
    let screen = console.screen();
    assert!(screen.contains("Made elsewhere") && !screen.contains("takes them in"), "{screen}");
    assert_eq!(chosen(&console), before);
}

#[test]
fn a_key_revoked_elsewhere_says_so_in_its_place() {
    let mut console = at_keys_of_acme();
    console.gateway.keys[0].status = "REVOKED";
    console.happens("api_key.revoked", ACME);
    console.rest();
    assert!(console.screen().contains("REVOKED"), "{}", console.screen());
}

#[test]
fn events_stand_in_their_list_as_they_happen_and_go_on_while_another_is_looked_at() {
    let mut console = console();
    console.press(&[Key::Enter, Key::Down]);
    console.rest();
    console.press(&[Key::Char('E')]);
    console.rest();
    assert!(console.screen().contains("listening"));
    console.happens("credit.charged", ACME);
    console.happens("organization.updated", ACME);
    let screen = console.screen();
    assert!(screen.contains("credit.charged") && screen.contains("organization.updated"), "{screen}");
    console.press(&[Key::Down]);
    let before = chosen(&console).to_owned();
    console.happens("credit.charged", ACME);
    assert_eq!(chosen(&console), before);
}

#[test]
fn a_screen_that_is_held_still_counts_what_comes_and_shows_it_afterwards() {
    let mut console = console();
    console.press(&[Key::Enter, Key::Down]);
    console.rest();
    console.press(&[Key::Char('z')]);
    console.gateway.charge(ACME, 50, "");
    let wallet = console.wallet(ACME);
    console.tell(tui::msg::Msg::Live(tui::msg::Live::Wallets(vec![wallet])));
    console.wait(SignedDuration::from_secs(5));
    let screen = console.screen();
    assert!(screen.contains("FROZEN 5s, 1 changes since") && screen.contains("12,450"), "{screen}");
    console.press(&[Key::Char('z')]);
    console.rest();
    let screen = console.screen();
    assert!(!screen.contains("FROZEN") && screen.contains("12,400"), "{screen}");
}

#[test]
fn following_keeps_the_newest_entry_in_sight_until_somebody_looks_away() {
    let mut console = console();
    console.press(&[Key::Enter, Key::Down]);
    console.rest();
    console.press(&[Key::Char('L')]);
    console.rest();
    console.press(&[Key::Char('f')]);
    console.gateway.charge(ACME, 77, "espresso");
    console.happens("credit.charged", ACME);
    console.rest();
    assert!(console.screen().contains("espresso"), "{}", console.screen());
    console.press(&[Key::Down]);
    assert!(!console.model.places.list().unwrap().following);
}

#[test]
fn a_wallet_shows_its_figures_and_its_buckets() {
    let mut console = console();
    console.press(&[Key::Enter, Key::Down]);
    console.rest();
    console.press(&[Key::Char('W')]);
    console.rest();
    let screen = console.screen();
    let spent = "charged and captured a day, UTC, 30 days: 2,555; most 1,500 on 2026-11-17";
    for word in ["Wallet of Acme Coffee", "spendable 8,740", "PROMOTIONAL", "2026-12-31", "PREPAID", spent] {
        assert!(screen.contains(word), "no {word}:\n{screen}");
    }
}

#[test]
fn a_list_that_failed_says_so_and_r_tries_again() {
    let mut console = console();
    console.press(&[Key::Enter, Key::Down]);
    console.rest();
    let fault = serde_json::json!({ "errors": [{ "message": "Slow down." }] });
    console.gateway.instead.insert("MembersQuery".to_owned(), fault.clone());
    console.press(&[Key::Char('M')]);
    // The count takes the scripted fault, or the page does; both are asked again.
    console.gateway.instead.insert("MembersQuery".to_owned(), fault);
    console.press(&[Key::Char('r')]);
    console.rest();
    console.press(&[Key::Char('r')]);
    console.rest();
    assert!(console.screen().contains("Quinn Adler"), "{}", console.screen());
}

#[test]
fn a_read_only_console_opens_no_dialog_in_a_list_either() {
    let mut console = Console::with(Settings { read_only: true, ..settings() }, Gateway::new());
    console.press(&[Key::Char('K')]);
    console.rest();
    for key in "xnmZ".chars() {
        console.press(&[Key::Char(key)]);
        assert!(matches!(console.model.overlay, Overlay::None), "{key}");
    }
    line(&mut console, "revoke");
    assert!(matches!(console.model.overlay, Overlay::None));
    assert!(!console.effects.iter().any(|effect| matches!(effect, Effect::Act { .. })));
}

/// The stream of the open list.
fn stream_of_the_list(console: &Console) -> Option<String> {
    let of_list = |follow: &tui::graphql::Follow| matches!(follow.topic, tui::graphql::Topic::List { .. });
    console.streams.iter().rfind(|(_, follow, _)| of_list(follow)).and_then(|(_, _, after)| after.clone())
}

#[test]
fn events_go_on_after_a_gap_where_they_ended() {
    let mut console = console();
    console.press(&[Key::Enter, Key::Down]);
    console.rest();
    console.press(&[Key::Char('E')]);
    console.rest();
    assert_eq!(stream_of_the_list(&console), None, "it begins now");
    console.happens("credit.charged", ACME);
    let heard = console.model.places.list().unwrap().records()[0].cursor.clone();
    console.tell(tui::msg::Msg::Live(tui::msg::Live::Ready));
    assert_eq!(stream_of_the_list(&console), Some(heard.clone()), "after a new connection");
    console.press(&[Key::Char('K')]);
    console.rest();
    console.press(&[Key::Char('[')]);
    console.rest();
    assert_eq!(stream_of_the_list(&console), Some(heard), "and after another place");
}

#[test]
fn events_that_come_while_the_screen_is_held_still_stand_there_afterwards() {
    let mut console = console();
    console.press(&[Key::Enter, Key::Down]);
    console.rest();
    console.press(&[Key::Char('E')]);
    console.rest();
    console.happens("credit.charged", ACME);
    console.press(&[Key::Char('z')]);
    console.happens("organization.updated", ACME);
    let screen = console.screen();
    assert!(screen.contains("FROZEN") && !screen.contains("organization.updated"), "{screen}");
    console.press(&[Key::Char('z')]);
    console.rest();
    let screen = console.screen();
    let (new, old) = (screen.find("organization.updated").unwrap(), screen.find("credit.charged").unwrap());
    assert!(new < old, "{screen}");
}

#[test]
fn an_event_opened_whole_shows_each_field_of_its_data() {
    let mut console = console();
    console.press(&[Key::Enter, Key::Down]);
    console.rest();
    console.press(&[Key::Char('E')]);
    console.rest();
    console.happens("organization.updated", ACME);
    console.press(&[Key::Enter]);
    let screen = console.screen();
    assert!(screen.contains("parentOrganiza") && screen.contains(QUINN), "{screen}");
}

#[test]
fn columns_are_chosen_and_what_is_left_takes_their_room() {
    let mut console = at_organizations();
    assert!(console.screen().contains("available"));
    console.press(&[Key::Char('C'), Key::Down, Key::Down, Key::Char(' '), Key::Esc]);
    let screen = console.screen();
    assert!(!screen.contains("available") && screen.contains("external id"), "{screen}");
    console.press(&[Key::Char('C'), Key::Char('*'), Key::Esc]);
    assert!(console.screen().contains("available"));
}

#[test]
fn the_last_column_cannot_be_hidden() {
    let mut console = at_organizations();
    console.press(&[Key::Char('C')]);
    for _ in 0..20 {
        console.press(&[Key::Char(' '), Key::Down]);
    }
    console.press(&[Key::Char(' '), Key::Esc]);
    let columns = (console.model.places.list().unwrap().resource.columns)().len();
    assert_eq!(console.model.hidden["organizations"].len(), columns - 1);
}
