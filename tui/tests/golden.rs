//! Whole frames, letters and styles.

use tui::model::Settings;
use tui::msg::{Key, Live, Msg};

use crate::console::{Console, console, settings};
use crate::frame::{letters, letters_and_styles};
use crate::gateway::{ACME, Gateway};

fn at_acme(settings: Settings) -> Console {
    let mut console = Console::with(settings, Gateway::new());
    console.press(&[Key::Enter, Key::Down]);
    console.rest();
    assert_eq!(console.chosen(), Some(ACME));
    console.press(&[Key::Enter]);
    console
}

#[test]
fn organizations_at_80_by_24() {
    let mut console = at_acme(settings());
    insta::assert_snapshot!(letters_and_styles(&console.buffer(80, 24)));
}

#[test]
fn organizations_at_120_by_40() {
    let mut console = at_acme(settings());
    insta::assert_snapshot!(letters_and_styles(&console.buffer(120, 40)));
}

#[test]
fn in_a_narrow_terminal_one_side_has_it_all_and_no_figure_is_cut() {
    let mut console = at_acme(settings());
    insta::assert_snapshot!("narrow_tree", letters(&console.buffer(50, 20)));
    console.press(&[Key::Tab]);
    let detail = letters(&console.buffer(50, 60));
    for figure in ["12,450", "41,260 of 50,000", "+10,000 below 5,000", "20,000 of 60,000 this month"] {
        assert!(detail.contains(figure), "no {figure}:\n{detail}");
    }
    let narrowest = letters(&console.buffer(40, 70));
    for figure in ["12,450", "41,260 of", "50,000", "+10,000 below", "60,000 this"] {
        assert!(narrowest.contains(figure), "no {figure}:\n{narrowest}");
    }
    insta::assert_snapshot!("narrow_detail", letters(&console.buffer(50, 20)));
    console.press(&[Key::Esc]);
    assert!(letters(&console.buffer(50, 20)).contains("Acme Roastery"));
}

#[test]
fn help_begins_with_the_keys_of_the_place_it_was_opened_in() {
    let mut console = at_acme(settings());
    console.press(&[Key::Char('P')]);
    console.rest();
    console.press(&[Key::Char('?')]);
    let help = letters(&console.buffer(80, 120));
    let place = |words: &str| help.find(words).unwrap_or_else(|| panic!("no {words}:\n{help}"));
    assert!(place("Send an endpoint a ping") < place("Elsewhere"), "{help}");
    assert!(place(":disable") < place("Elsewhere"), "what has no key is typed");
    assert!(!help[..place("Elsewhere")].contains("Revoke a key"));
    let beginning = letters(&console.buffer(80, 30));
    console.press(&[Key::PageDown]);
    assert_ne!(letters(&console.buffer(80, 30)), beginning);
}

#[test]
fn without_colour_nothing_is_lost_but_colour() {
    let mut coloured = at_acme(settings());
    let mut mono = at_acme(Settings { mono: true, ..settings() });
    let frame = mono.buffer(80, 24);
    assert_eq!(letters(&frame), letters(&coloured.buffer(80, 24)));
    insta::assert_snapshot!(letters_and_styles(&frame));
}

#[test]
fn in_ascii_every_cell_is_ascii() {
    let mut console = at_acme(Settings { ascii: true, ..settings() });
    let frame = letters(&console.buffer(120, 40));
    let foreign: Vec<&str> = frame.lines().filter(|line| !line.is_ascii()).collect();
    assert!(foreign.iter().all(|line| line.contains("Café Zoë")), "{foreign:#?}");
    insta::assert_snapshot!(frame);
}

#[test]
fn a_suspended_organization_says_by_whom_and_why() {
    let mut console = console();
    console.press(&[Key::Enter, Key::Down, Key::Down]);
    console.rest();
    insta::assert_snapshot!(letters_and_styles(&console.buffer(80, 24)));
}

#[test]
fn help_lists_the_live_bindings() {
    let mut console = at_acme(settings());
    console.press(&[Key::Char('?')]);
    insta::assert_snapshot!(letters(&console.buffer(80, 50)));
}

#[test]
fn a_transfer_shows_both_ends_and_the_exact_amount() {
    let mut console = at_acme(settings());
    console.press(&[Key::Char('t')]);
    console.rest();
    console.type_text("12500");
    insta::assert_snapshot!("transfer_being_typed", letters_and_styles(&console.buffer(80, 24)));
    console.press(&[Key::Enter]);
    console.type_text("November");
    console.press(&[Key::Enter]);
    insta::assert_snapshot!("transfer_question", letters_and_styles(&console.buffer(80, 24)));
}

#[test]
fn a_search_shows_where_each_result_is() {
    let mut console = at_acme(settings());
    console.press(&[Key::Char('/')]);
    console.type_text("acme");
    console.rest();
    insta::assert_snapshot!(letters_and_styles(&console.buffer(120, 40)));
}

#[test]
fn the_palette_finds_commands_by_their_purpose() {
    let mut console = at_acme(settings());
    console.press(&[Key::Char(':')]);
    console.type_text("susp");
    insta::assert_snapshot!(letters(&console.buffer(80, 24)));
}

#[test]
fn a_lost_connection_shows_the_age_of_the_data() {
    let mut console = at_acme(settings());
    let heard_at = console.now;
    console.tell(Msg::Live(Live::Lost {
        reason: "gateway closed the connection (1006)".to_owned(),
        attempt: 2,
        heard_at,
        retry_at: heard_at + jiff::SignedDuration::from_secs(4),
    }));
    console.wait(jiff::SignedDuration::from_secs(12));
    insta::assert_snapshot!(letters_and_styles(&console.buffer(80, 24)));
}

#[test]
fn without_a_key_the_screen_says_how_to_get_one() {
    let settings = Settings {
        gateway: "127.0.0.1:4000".to_owned(),
        without_key: tui::profile::without_key("./data/demo-keys.toml"),
        ..Settings::default()
    };
    let mut console = Console::disconnected(settings, Gateway::new());
    assert_eq!(console.tell(Msg::Start).len(), 1, "nothing but the frame");
    insta::assert_snapshot!(letters(&console.buffer(80, 24)));
}

/// The places of the console that are not the tree, each as somebody comes to it.
fn places() -> [(&'static str, Console); 9] {
    let at = |keys: &[Key]| {
        let mut console = at_acme(settings());
        console.press(keys);
        console.rest();
        console
    };
    let mut archive = at(&[Key::Char('a')]);
    archive.press(&[Key::Enter]);
    archive.type_text("closed for good");
    archive.press(&[Key::Enter]);
    archive.type_text("Acme");
    let mut marked = at(&[Key::Char('O')]);
    marked.press(&[Key::Char(' '), Key::Char(' '), Key::Char('s')]);
    marked.rest();
    [
        ("list_of_organizations", at(&[Key::Char('O'), Key::Down])),
        ("list_of_keys", at(&[Key::Char('K'), Key::Down, Key::Char(' ')])),
        ("wallet", at(&[Key::Char('W')])),
        ("record", at(&[Key::Char('K'), Key::Enter])),
        ("archive_being_typed", archive),
        ("suspend_of_several", marked),
        ("endpoints", at(&[Key::Char('P')])),
        ("deliveries", at(&[Key::Char('P'), Key::Char('D'), Key::Down])),
        ("delivery", at(&[Key::Char('P'), Key::Char('D'), Key::Down, Key::Enter])),
    ]
}

#[test]
fn lists_and_dialogs_at_80_by_24() {
    for (name, mut console) in places() {
        insta::assert_snapshot!(name, letters_and_styles(&console.buffer(80, 24)));
    }
}

#[test]
fn lists_at_200_by_50() {
    let wide = ["list_of_organizations", "list_of_keys", "deliveries"];
    for (name, mut console) in places().into_iter().filter(|(name, _)| wide.contains(name)) {
        insta::assert_snapshot!(format!("{name}_wide"), letters(&console.buffer(200, 50)));
    }
}

#[test]
fn in_ascii_and_without_colour_a_list_still_shows_cursor_and_marks() {
    let plain = Settings { ascii: true, mono: true, ..settings() };
    let mut console = at_acme(plain);
    console.press(&[Key::Char('K')]);
    console.rest();
    console.press(&[Key::Char(' ')]);
    let frame = letters(&console.buffer(80, 24));
    assert!(frame.is_ascii(), "{frame}");
    let line = |word: &str| frame.lines().find(|line| line.contains(word)).unwrap().to_owned();
    assert!(line("Till backend  ").starts_with("| *"), "marked: {frame}");
    assert!(line("Till backend (old)").starts_with("|>"), "under the cursor: {frame}");
}

#[test]
fn in_ascii_and_without_colour_new_views_say_the_same() {
    let plain = Settings { ascii: true, mono: true, ..settings() };
    let views: [(&str, &[Key]); 3] = [
        ("deliveries_plain", &[Key::Char('P'), Key::Char('D'), Key::Down, Key::Char(' ')]),
        ("wallet_plain", &[Key::Char('W')]),
        ("columns_plain", &[Key::Char('K'), Key::Char('C'), Key::Down, Key::Char(' ')]),
    ];
    for (name, keys) in views {
        let mut console = at_acme(plain.clone());
        console.press(keys);
        console.rest();
        let frame = console.buffer(80, 24);
        assert!(letters(&frame).is_ascii(), "{}", letters(&frame));
        insta::assert_snapshot!(name, letters_and_styles(&frame));
    }
}

#[test]
fn no_size_of_terminal_panics() {
    let mut console = at_acme(settings());
    for keys in [
        &[][..],
        &[Key::Char('?')],
        &[Key::Esc, Key::Char('t')],
        &[Key::Esc, Key::Char('a')],
        &[Key::Esc, Key::Char('/')],
        &[Key::Esc, Key::Char('K')],
        &[Key::Enter],
        &[Key::Esc, Key::Char('/')],
        &[Key::Esc, Key::Char('O')],
        &[Key::Char('W')],
        &[Key::Char('P'), Key::Char('D')],
        &[Key::Down, Key::Enter],
        &[Key::Esc, Key::Char('C')],
    ] {
        console.rest();
        console.press(keys);
        for (columns, rows) in [(1, 1), (20, 5), (40, 10), (41, 11), (80, 12), (200, 50), (300, 90)] {
            console.buffer(columns, rows);
        }
    }
}

#[test]
fn help_that_does_not_fit_scrolls_to_its_last_line_and_no_further() {
    let mut console = at_acme(settings());
    console.press(&[Key::Char('?')]);
    assert!(letters(&console.buffer(80, 24)).contains("more below"));
    for _ in 0..200 {
        console.press(&[Key::Down]);
    }
    let bottom = letters(&console.buffer(80, 24));
    assert!(bottom.contains("OSC 52") && !bottom.contains("more below ─╯"), "{bottom}");
    console.press(&[Key::Up]);
    assert_ne!(letters(&console.buffer(80, 24)), bottom);
}
