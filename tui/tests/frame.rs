//! A frame as text: the letters, then every run of cells that is not plain.

use std::fmt::Write;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

pub fn letters(buffer: &Buffer) -> String {
    let mut text = String::new();
    for row in rows(buffer) {
        let line: String = row.iter().map(|cell| cell.symbol()).collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

pub fn rows(buffer: &Buffer) -> impl Iterator<Item = &[Cell]> {
    buffer.content.chunks(usize::from(buffer.area.width))
}

pub fn letters_and_styles(buffer: &Buffer) -> String {
    let mut text = letters(buffer);
    text.push_str("---\n");
    for (y, row) in rows(buffer).enumerate() {
        let mut runs: Vec<(usize, usize, String)> = Vec::new();
        for (x, cell) in row.iter().enumerate() {
            let style = style(cell);
            match runs.last_mut() {
                Some((_, end, last)) if *last == style && *end == x => *end = x + 1,
                _ => runs.push((x, x + 1, style)),
            }
        }
        let runs: Vec<String> = runs
            .into_iter()
            .filter(|(_, _, style)| !style.is_empty())
            .map(|(start, end, style)| format!("{start}-{end} {style}"))
            .collect();
        if !runs.is_empty() {
            writeln!(text, "{y}: {}", runs.join(", ")).unwrap();
        }
    }
    text
}

fn style(cell: &Cell) -> String {
    let mut words = Vec::new();
    if cell.fg != Color::Reset {
        words.push(cell.fg.to_string().to_lowercase());
    }
    if cell.bg != Color::Reset {
        words.push(format!("on {}", cell.bg.to_string().to_lowercase()));
    }
    let names = [(Modifier::BOLD, "bold"), (Modifier::DIM, "dim"), (Modifier::REVERSED, "reversed")];
    words.extend(names.into_iter().filter(|(m, _)| cell.modifier.contains(*m)).map(|(_, w)| w.to_owned()));
    words.join(" ")
}
