//! What the terminal is told: taken over, given back, resized, and pasted into.

use rustix::process::Signal;
use tests::terminal::{Life, Terminal};

use super::{CUSTOMER, Desk, ROOT, go_to};

/// The other screen, marked paste, no cursor: in the order in which they are taken.
const TAKEN: [&str; 3] = ["\x1b[?1049h", "\x1b[?2004h", "\x1b[?25l"];
const GIVEN_BACK: [&str; 3] = ["\x1b[?2004l", "\x1b[?1049l", "\x1b[?25h"];
/// Reports of the mouse's every move, which nothing may ask for: text could not be selected any more.
const MOUSE: [&str; 3] = ["\x1b[?1000h", "\x1b[?1002h", "\x1b[?1003h"];

fn assert_in_order(written: &str, wanted: &[&str]) {
    let mut rest = written;
    for code in wanted {
        let at = rest.find(code).unwrap_or_else(|| panic!("no {code:?} in its place in {written:?}"));
        rest = &rest[at + code.len()..];
    }
}

fn assert_taken(console: &Terminal) {
    let seen = console.seen();
    let screen = seen.screen();
    assert!(screen.alternate_screen() && screen.bracketed_paste() && screen.hide_cursor());
    drop(seen);
    assert!(!console.is_cooked());
}

fn assert_given_back(console: &Terminal) {
    assert_in_order(&console.written(), &GIVEN_BACK);
    let seen = console.seen();
    let screen = seen.screen();
    assert!(!screen.alternate_screen() && !screen.bracketed_paste() && !screen.hide_cursor());
    assert_eq!(screen.contents().trim(), "", "nothing stays on the user's own screen");
    drop(seen);
    assert!(console.is_cooked());
}

#[test]
fn it_takes_the_terminal_over_but_not_the_mouse() {
    let desk = Desk::set_up();
    let console = desk.console_on_root();
    let written = console.written();
    assert_in_order(&written, &TAKEN);
    assert!(!MOUSE.iter().any(|code| written.contains(code)));
    assert_taken(&console);
}

#[test]
fn q_gives_the_terminal_back() {
    let desk = Desk::set_up();
    let console = desk.console_on_root();
    console.forget_written();
    console.press("q");
    assert_eq!(console.ends(), Some(0));
    assert_given_back(&console);
}

#[test]
fn sigterm_gives_the_terminal_back() {
    let desk = Desk::set_up();
    let console = desk.console_on_root();
    console.forget_written();
    console.signal(Signal::TERM);
    assert_eq!(console.ends(), Some(0));
    assert_given_back(&console);
}

#[test]
fn stopped_it_gives_the_terminal_back_and_continued_it_draws_again() {
    let desk = Desk::set_up();
    let console = desk.console_on_root();
    console.forget_written();
    console.signal(Signal::TSTP);
    console.wait_until("stopped", |seen| seen.life == Life::Stopped && !seen.screen().hide_cursor());
    assert_given_back(&console);
    console.forget_written();
    console.signal(Signal::CONT);
    let screen = console.sees(&[ROOT, "Wallet", "* live"]);
    assert_in_order(&console.written(), &TAKEN);
    assert_taken(&console);
    go_to(&console, CUSTOMER);
    assert!(!screen.contains("STALE"), "{screen}");
}

#[test]
fn pasted_text_runs_no_command() {
    let desk = Desk::set_up();
    let console = desk.console_on_root();
    // To suspend, to archive, to leave.
    console.paste("sa\rq");
    console.sees(&["Pasted text was ignored"]);
    assert_eq!(console.seen().life, Life::Running);
    console.press("/");
    console.sees(&["Search organizations by name"]);
    console.paste("Velvet\rq");
    console.sees(&["Search organizations by name", "Velvet q", "nothing has that in its name"]);
}

#[test]
fn it_draws_at_80_by_24_and_again_at_200_by_50() {
    let desk = Desk::set_up();
    let console = desk.console(80, 24);
    let screen = console.sees(&["* live", ROOT, "spendable"]);
    let edges = |screen: &str| {
        let rows: Vec<&str> = screen.lines().collect();
        (rows.iter().map(|row| row.chars().count()).max(), rows.len())
    };
    assert_eq!(edges(&screen), (Some(80), 24), "{screen}");
    console.resize(200, 50);
    console.wait_until("drew at 200x50", |seen| edges(&seen.text()) == (Some(200), 50));
    console.sees(&["* live", ROOT, "spendable"]);
    console.resize(30, 8);
    console.sees(&["needs 40x10"]);
    console.resize(80, 24);
    console.wait_until("drew at 80x24 again", |seen| edges(&seen.text()) == (Some(80), 24));
}
