//! The mouse: it selects and opens what was drawn, and never acts.

use jiff::SignedDuration;
use tui::effect::Effect;
use tui::model::dialog::GUARD;
use tui::model::{Overlay, Settings, Side};
use tui::msg::{Key, Mouse, Msg, Pointing};

use crate::console::{Console, settings};
use crate::gateway::{ACME, ACME_BERLIN, BEANHOUSE, Gateway, QUINN, TAX, client};

fn with_mouse() -> Console {
    Console::with(Settings { mouse: true, ..settings() }, Gateway::new())
}

impl Console {
    /// The cell where a text begins on the screen, below the breadcrumbs and titles that say the same.
    fn place_of(&mut self, text: &str) -> (u16, u16) {
        let screen = self.screen();
        let found = screen.lines().enumerate().skip(3).find_map(|(row, line)| {
            let before = &line[..line.find(text)?];
            Some((u16::try_from(before.chars().count()).unwrap(), u16::try_from(row).unwrap()))
        });
        found.unwrap_or_else(|| panic!("no {text}:\n{screen}"))
    }

    fn point(&mut self, does: Pointing, (column, row): (u16, u16)) -> Vec<Effect> {
        self.tell(Msg::Mouse(Mouse { does, column, row }))
    }

    fn click(&mut self, text: &str) -> Vec<Effect> {
        let place = self.place_of(text);
        self.point(Pointing::Pressed, place)
    }
}

#[test]
fn a_click_selects_the_row_and_a_second_one_opens_it() {
    let mut console = with_mouse();
    console.click("Tax & Accounting");
    assert_eq!(console.chosen(), Some(TAX));
    assert!(!console.screen().contains("Client A"));
    console.click("Tax & Accounting");
    assert!(console.screen().contains("Client A"), "{}", console.screen());
    console.wait(SignedDuration::from_secs(1));
    console.click("Client A");
    assert_eq!(console.chosen(), Some(&*client(0)));
    console.wait(SignedDuration::from_secs(1));
    console.click("Tax & Accounting");
    console.click("Tax & Accounting");
    assert!(!console.screen().contains("Client A"), "and closes it again");
}

#[test]
fn two_clicks_far_apart_or_on_two_things_open_nothing() {
    let mut console = with_mouse();
    console.click("Tax & Accounting");
    console.wait(SignedDuration::from_secs(1));
    console.click("Tax & Accounting");
    console.click("Quinn's Coffee");
    assert_eq!(console.model.tree.rows().len(), 3);
}

#[test]
fn a_click_means_what_was_drawn_there_although_the_rows_have_moved_since() {
    let mut console = with_mouse();
    console.press(&[Key::Enter, Key::Down]);
    console.rest();
    let place = console.place_of("Beanhouse Roasters");
    // News takes a row above it away, and the click comes before the next frame.
    console.gateway.organizations.retain(|organization| organization.id != ACME && organization.id != ACME_BERLIN);
    console.happens("organization.updated", ACME);
    assert_ne!(console.chosen(), Some(ACME));
    console.point(Pointing::Pressed, place);
    assert_eq!(console.chosen(), Some(BEANHOUSE));
}

#[test]
fn a_click_on_what_is_gone_selects_nothing_else() {
    let mut console = with_mouse();
    console.press(&[Key::Enter]);
    console.rest();
    let place = console.place_of("Acme Coffee");
    console.gateway.organizations.retain(|organization| organization.id != ACME && organization.id != ACME_BERLIN);
    console.happens("organization.updated", ACME);
    console.point(Pointing::Pressed, place);
    assert_eq!(console.chosen(), Some(QUINN));
}

#[test]
fn the_wheel_scrolls_what_is_under_it_and_takes_the_cursor_along_only_at_the_edge() {
    let mut console = with_mouse();
    console.press(&[Key::Down, Key::Enter]);
    console.rest();
    let place = console.place_of("Client E");
    console.point(Pointing::WheelDown, place);
    assert_eq!((console.model.tree.top, console.chosen()), (3, Some(&*client(1))));
    console.point(Pointing::WheelUp, place);
    assert_eq!((console.model.tree.top, console.chosen()), (0, Some(&*client(1))));
    console.rest();
    let detail = console.place_of("Status");
    console.buffer(120, 20);
    console.point(Pointing::WheelDown, detail);
    assert_eq!((console.model.detail.scroll, console.model.tree.top, console.model.side), (3, 0, Side::Tree));
}

#[test]
fn a_record_of_a_list_is_selected_opened_and_scrolled() {
    let mut console = with_mouse();
    console.press(&[Key::Enter, Key::Down]);
    console.rest();
    console.press(&[Key::Char('K')]);
    console.rest();
    console.click("Loyalty app");
    assert_eq!(console.model.places.list().unwrap().chosen().unwrap().name, "Loyalty app");
    console.click("Loyalty app");
    assert!(matches!(console.model.overlay, Overlay::Record(..)));
}

#[test]
fn a_search_result_is_jumped_to_by_the_second_click() {
    let mut console = with_mouse();
    console.press(&[Key::Char('/')]);
    console.type_text("acme");
    console.rest();
    console.click("Acme Coffee Berlin");
    console.click("Acme Coffee Berlin");
    console.rest();
    assert_eq!(console.chosen(), Some(ACME_BERLIN));
}

#[test]
fn in_a_dialog_no_click_marks_takes_or_closes_anything() {
    let mut console = with_mouse();
    console.press(&[Key::Enter, Key::Down]);
    console.rest();
    console.press(&[Key::Char('u')]);
    console.wait(GUARD);
    let before = console.screen();
    for row in 0..40 {
        for column in (0..120).step_by(5) {
            for does in [Pointing::Pressed, Pointing::Pressed, Pointing::WheelDown] {
                assert_eq!(console.point(does, (column, row)), []);
            }
        }
    }
    assert_eq!(console.screen(), before);
}

#[test]
fn unless_it_was_asked_for_the_mouse_does_nothing_and_nothing_is_remembered_for_it() {
    let mut console = Console::with(settings(), Gateway::new());
    let place = console.place_of("Tax & Accounting");
    assert_eq!(console.point(Pointing::Pressed, place), []);
    assert_eq!(console.chosen(), Some(QUINN));
    assert_eq!(console.model.measured.spots, []);
}
