//! From the terminal's events to messages.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

use crate::msg::{Key, Mouse, Msg, Pasted, Pointing};

/// The message an event is, when it is one that the console knows.
pub fn message_of(event: Event) -> Option<Msg> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => key_of(key).map(Msg::Key),
        Event::Paste(text) => Some(Msg::Paste(Pasted(text))),
        Event::Resize(..) => Some(Msg::Resized),
        Event::Mouse(mouse) => mouse_of(mouse).map(Msg::Mouse),
        Event::Key(_) | Event::FocusGained | Event::FocusLost => None,
    }
}

fn mouse_of(mouse: MouseEvent) -> Option<Mouse> {
    let does = match mouse.kind {
        MouseEventKind::Down(MouseButton::Left) => Pointing::Pressed,
        MouseEventKind::ScrollUp => Pointing::WheelUp,
        MouseEventKind::ScrollDown => Pointing::WheelDown,
        _ => return None,
    };
    Some(Mouse { does, column: mouse.column, row: mouse.row })
}

fn key_of(key: KeyEvent) -> Option<Key> {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    // A letter with alt is no letter that somebody meant to type.
    let other = key.modifiers.intersects(KeyModifiers::ALT | KeyModifiers::SUPER);
    Some(match key.code {
        KeyCode::Char(_) if other => return None,
        KeyCode::Char(letter) if control => Key::Ctrl(letter.to_ascii_lowercase()),
        KeyCode::Char(letter) => Key::Char(letter),
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Esc,
        KeyCode::Tab => Key::Tab,
        KeyCode::BackTab => Key::BackTab,
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Delete => Key::Delete,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::Left => Key::Left,
        KeyCode::Right => Key::Right,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        _ => return None,
    })
}
