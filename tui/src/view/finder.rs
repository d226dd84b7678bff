//! The search and the palette: a line of text over a list.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use tui_input::Input;

use super::theme::Theme;
use super::{help, popup};
use crate::command;
use crate::model::Model;
use crate::model::finder::{Choice, FilterLine, Palette, Search};
use crate::text;

const COLUMNS: u16 = 96;
const ROWS: u16 = 22;

/// Gives back where the results stand, and the first of them.
pub fn draw_search(search: &Search, theme: Theme, frame: &mut Frame, area: Rect) -> (Rect, usize) {
    let inside = popup("Search organizations by name", (COLUMNS, ROWS), theme, frame, area);
    let list = draw_input(&search.input, theme, frame, inside);
    let columns = usize::from(list.width);
    let height = usize::from(list.height).saturating_sub(1);
    let at = search.results.iter().position(|row| Some(&row.id) == search.cursor.as_ref());
    let top = at.map_or(0, |at| (at + 1).saturating_sub(height));
    for (row, y) in search.results.iter().skip(top).take(height).zip(list.y..) {
        let selected = Some(&row.id) == search.cursor.as_ref();
        let style = if selected { theme.selected() } else { theme.plain() };
        let (glyph, glyph_style) = theme.status(&row.effective_status);
        // An id is shown whole or not at all: half of one identifies nothing.
        let id = row.id.to_string();
        let id_columns = if columns >= 70 { text::width(&id) + 1 } else { 0 };
        let room = columns.saturating_sub(3 + id_columns);
        let parent = row.parent.as_ref().map(|parent| parent.name.as_str());
        let words = match parent {
            Some(parent) => format!("{}  in {}", text::neutral(&row.name), text::neutral(parent)),
            None => text::neutral(&row.name),
        };
        let mut spans = vec![
            Span::styled(if selected { theme.mark() } else { " " }, theme.key()),
            Span::styled(glyph, glyph_style.patch(style)),
            Span::styled(format!(" {}", text::column(&words, room, theme.cut())), style),
        ];
        if id_columns > 0 {
            spans.push(Span::styled(format!(" {id}"), theme.faint().patch(style)));
        }
        frame.render_widget(Line::from(spans), Rect { y, height: 1, ..list });
    }
    let last = Rect { y: list.bottom().saturating_sub(1), height: 1, ..list };
    frame.render_widget(search_state(search, theme), last);
    (Rect { height: list.height.saturating_sub(1), ..list }, top)
}

fn search_state(search: &Search, theme: Theme) -> Line<'static> {
    if let Some(failure) = &search.failure {
        return Line::styled(failure.clone(), theme.bad());
    }
    let found = search.results.len();
    let words = match (&search.answered, search.asked.is_some() || search.ask_at.is_some()) {
        (_, true) => format!("searching{}", theme.cut()),
        (None, false) => "type a part of the name".to_owned(),
        (Some(_), false) if found == 0 => "nothing has that in its name".to_owned(),
        (Some(_), false) if search.more => format!("first {found}; type more to narrow it down"),
        (Some(_), false) => format!("{found} found"),
    };
    Line::styled(words, theme.faint())
}

pub fn draw_palette(model: &Model, palette: &Palette, theme: Theme, frame: &mut Frame, area: Rect) {
    let inside = popup("Commands", (COLUMNS, ROWS), theme, frame, area);
    let list = draw_input(&palette.input, theme, frame, inside);
    let height = usize::from(list.height);
    let at = palette.matches.iter().position(|choice| Some(choice) == palette.cursor.as_ref());
    let top = at.map_or(0, |at| (at + 1).saturating_sub(height));
    if let Some(problem) = &palette.problem {
        let words = text::fit(problem, usize::from(list.width), theme.cut());
        frame.render_widget(Line::styled(words, theme.bad()), Rect { height: 1, ..list }.intersection(list));
        return;
    }
    for (choice, y) in palette.matches.iter().skip(top).take(height).zip(list.y..) {
        let selected = Some(choice) == palette.cursor.as_ref();
        let mark = Span::styled(if selected { theme.mark() } else { " " }, theme.key());
        let mut line = match choice {
            Choice::Command(name) => match command::named(name) {
                Some(command) => help::named_line(model, command, theme),
                None => continue,
            },
            Choice::Line(words) => {
                let words = text::fit(words, usize::from(list.width).saturating_sub(8), theme.cut());
                Line::from(vec![Span::raw(words), Span::styled("  opens", theme.faint())])
            }
        };
        if selected {
            for span in &mut line.spans {
                span.style = span.style.patch(theme.selected());
            }
        }
        line.spans.insert(0, mark);
        frame.render_widget(line, Rect { y, height: 1, ..list });
    }
}

/// The filter of the open list, with what it may be.
pub fn draw_filter(model: &Model, filter: &FilterLine, theme: Theme, frame: &mut Frame, area: Rect) {
    let Some(list) = model.places.list() else { return };
    let resource = list.resource;
    let title = format!("Filter {}", resource.name);
    let rows = u16::try_from(resource.filters.len()).unwrap_or(0) + 6;
    let inside = popup(&title, (COLUMNS, rows), theme, frame, area);
    let room = draw_input(&filter.input, theme, frame, inside);
    let columns = usize::from(room.width);
    let mut lines = Vec::new();
    match &filter.problem {
        Some(problem) => lines.push(Line::styled(text::fit(problem, columns, theme.cut()), theme.bad())),
        None => {
            let words = match resource.words_filter {
                Some(key) => format!("words are looked for by the gateway in the {key}"),
                None => "words are looked for in every column of what is loaded".to_owned(),
            };
            lines.push(Line::styled(text::fit(&words, columns, theme.cut()), theme.faint()));
        }
    }
    for key in resource.filters {
        let words = if key.words.is_empty() { "text".to_owned() } else { key.words.join(" ") };
        let name = text::column(&format!("{}:", key.key), 14, theme.cut());
        let words = text::fit(&words, columns.saturating_sub(14), theme.cut());
        lines.push(Line::from(vec![Span::styled(name, theme.key()), Span::styled(words, theme.faint())]));
    }
    frame.render_widget(ratatui::text::Text::from(lines), room);
}

/// The line of text with its cursor, and a rule below; gives back the room for the list.
fn draw_input(input: &Input, theme: Theme, frame: &mut Frame, inside: Rect) -> Rect {
    draw_text(input, theme, frame, Rect { height: 1, ..inside });
    let rule = theme.rule().repeat(usize::from(inside.width));
    let below = Rect { y: inside.y + 1, height: 1, ..inside };
    frame.render_widget(Line::styled(rule, theme.faint()), below.intersection(inside));
    let used = 2.min(inside.height);
    Rect { y: inside.y + used, height: inside.height - used, ..inside }
}

/// A text that is being typed, scrolled so that the terminal's cursor is in it.
pub fn draw_text(input: &Input, theme: Theme, frame: &mut Frame, place: Rect) {
    let columns = usize::from(place.width).saturating_sub(1);
    let scroll = input.visual_scroll(columns);
    let mut skipped = 0;
    let visible = input.value().chars().skip_while(|letter| {
        let before = skipped;
        skipped += text::width(letter.encode_utf8(&mut [0; 4]));
        before < scroll
    });
    let visible = text::column(&visible.collect::<String>(), columns, "");
    frame.render_widget(Line::styled(visible, theme.strong()), place);
    let at = u16::try_from(input.visual_cursor().saturating_sub(scroll)).unwrap_or(0);
    frame.set_cursor_position(Position { x: place.x + at.min(place.width), y: place.y });
}
