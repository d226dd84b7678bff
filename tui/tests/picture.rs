//! The README's pictures, drawn from frames so that they cannot show what the console does not.
//! `UPDATE=1 cargo test -p tui` draws it anew.

use std::fmt::Write;
use std::path::Path;

use jiff::SignedDuration;
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use tui::msg::{Key, Live, Msg};
use unicode_width::UnicodeWidthStr;

use crate::console::{Console, console};
use crate::frame::rows;
use crate::gateway::{ACME, TAX};

const COLUMNS: u16 = 120;
const ROWS: u16 = 44;
const CELL_WIDTH: f64 = 8.4;
const CELL_HEIGHT: f64 = 18.0;
const MARGIN: f64 = 14.0;
const PAPER: &str = "#12161c";
const UPRIGHT: &str = "│";
const INK: &str = "#d5dbe3";

fn colour(colour: Color) -> &'static str {
    match colour {
        Color::Cyan => "#56c8d8",
        Color::Green => "#7fc96b",
        Color::Yellow => "#e5b454",
        Color::Red => "#ee6a6a",
        _ => INK,
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn svg(title: &str, buffer: &Buffer) -> String {
    let width = f64::from(buffer.area.width) * CELL_WIDTH + 2.0 * MARGIN;
    let height = f64::from(buffer.area.height) * CELL_HEIGHT + 2.0 * MARGIN;
    let mut svg = String::new();
    writeln!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.1} {height:.1}" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14">
<title>The Banyan console: {title}</title>
<rect width="100%" height="100%" rx="10" fill="{PAPER}"/>"#
    )
    .unwrap();
    for (y, row) in rows(buffer).enumerate() {
        for (x, run) in runs(row) {
            draw_run(&mut svg, x, y, run);
        }
        for (x, cell) in row.iter().enumerate().filter(|(_, cell)| cell.symbol() == UPRIGHT) {
            draw_upright(&mut svg, x, y, cell);
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// A line from edge to edge of the cell, where a letter would leave a gap between the rows.
fn draw_upright(svg: &mut String, x: usize, y: usize, cell: &Cell) {
    let left = MARGIN + (cells(x) + 0.5) * CELL_WIDTH;
    let top = MARGIN + cells(y) * CELL_HEIGHT;
    let dim = if cell.modifier.contains(Modifier::DIM) { r#" opacity="0.6""# } else { "" };
    let ink = colour(cell.fg);
    writeln!(svg, r#"<path d="M{left:.1} {top:.1}v{CELL_HEIGHT}" stroke="{ink}"{dim}/>"#).unwrap();
}

fn cells(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}

/// Neighbouring cells of one style, each run with where it begins.
fn runs(row: &[Cell]) -> Vec<(usize, &[Cell])> {
    let mut start = 0;
    let alike = |a: &Cell, b: &Cell| a.fg == b.fg && a.modifier == b.modifier;
    row.chunk_by(alike)
        .map(|run| {
            let at = start;
            start += run.len();
            (at, run)
        })
        .collect()
}

fn draw_run(svg: &mut String, x: usize, y: usize, run: &[Cell]) {
    let text: String = run.iter().map(Cell::symbol).collect();
    let text = text.replace(UPRIGHT, " ");
    let style = &run[0];
    let reversed = style.modifier.contains(Modifier::REVERSED);
    if text.trim().is_empty() && !reversed {
        return;
    }
    let left = MARGIN + cells(x) * CELL_WIDTH;
    let top = MARGIN + cells(y) * CELL_HEIGHT;
    let mut ink = colour(style.fg);
    if reversed {
        let width = cells(run.len()) * CELL_WIDTH;
        writeln!(svg, r#"<rect x="{left:.1}" y="{top:.1}" width="{width:.1}" height="{CELL_HEIGHT}" fill="{ink}"/>"#)
            .unwrap();
        ink = PAPER;
    }
    // Blanks at the ends would be dropped by a reader of XML; the run begins at its first letter.
    let blanks = text.len() - text.trim_start().len();
    let letters = text.trim();
    if letters.is_empty() {
        return;
    }
    let left = left + cells(blanks) * CELL_WIDTH;
    let length = cells(letters.width()) * CELL_WIDTH;
    let baseline = top + 13.0;
    let bold = if style.modifier.contains(Modifier::BOLD) { r#" font-weight="bold""# } else { "" };
    let dim = if style.modifier.contains(Modifier::DIM) { r#" opacity="0.6""# } else { "" };
    writeln!(
        svg,
        r#"<text x="{left:.1}" y="{baseline:.1}" textLength="{length:.1}" lengthAdjust="spacingAndGlyphs" fill="{ink}"{bold}{dim} xml:space="preserve">{}</text>"#,
        escaped(letters)
    )
    .unwrap();
}

#[test]
fn the_picture_in_the_readme_is_what_the_console_draws() {
    let mut console = console();
    console.press(&[Key::Enter, Key::Down, Key::Enter]);
    console.rest();
    // The other trees open too, so that the picture shows what they are for.
    console.press(&[Key::End, Key::Enter, Key::Up]);
    assert_eq!(console.chosen(), Some(TAX));
    console.press(&[Key::Enter, Key::Home, Key::Down]);
    console.rest();
    assert_eq!(console.chosen(), Some(ACME));
    console.gateway.charge(ACME, 35, "invoice.submit x 7");
    let wallet = console.wallet(ACME);
    console.tell(Msg::Live(Live::Wallets(vec![wallet])));
    console.wait(SignedDuration::from_secs(10));
    compare("organizations", &console.buffer(COLUMNS, ROWS));
}

/// A console that looks at Acme.
fn at_acme() -> Console {
    let mut console = console();
    console.press(&[Key::Enter, Key::Down]);
    console.rest();
    assert_eq!(console.chosen(), Some(ACME));
    console
}

#[test]
fn the_picture_of_a_wallet_is_what_the_console_draws() {
    let mut console = at_acme();
    console.press(&[Key::Char('W')]);
    console.rest();
    compare("wallet", &console.buffer(100, 18));
}

#[test]
fn the_picture_of_a_question_is_what_the_console_draws() {
    let mut console = at_acme();
    console.press(&[Key::Char('s')]);
    console.rest();
    console.type_text("chargebacks, case 77");
    console.press(&[Key::Enter]);
    compare("suspend", &console.buffer(100, 26));
}

/// A picture as it is kept beside the code; `UPDATE=1` keeps the new one.
fn compare(name: &str, buffer: &Buffer) {
    let drawn = svg(name, buffer);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("screens/{name}.svg"));
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &drawn).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == drawn, "screens/{name}.svg is out of date: UPDATE=1 cargo test -p tui");
}
