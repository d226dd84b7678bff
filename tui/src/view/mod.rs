//! A model as a picture.
//!
//! Drawing changes nothing and waits for nothing; the same model gives the same cells. What only
//! drawing can know (how many rows fit) goes back as [`Measured`]. Whatever a tenant wrote passes
//! through `text` on its way to a cell.
//!
//! One file per view; a new section of the right side is a file and a line in `detail`. A list of
//! anything is drawn by `list` from its resource's columns.

mod columns;
mod detail;
mod dialog;
mod finder;
mod footer;
mod header;
mod help;
mod list;
pub mod theme;
mod tree;
mod trend;
mod welcome;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Block, Borders, Clear};

use crate::model::place::Place;
use crate::model::spot::{Part, Pointed, Spot};
use crate::model::{Model, Overlay, Side};
use crate::msg::Measured;
use crate::resource::ResourceId;
use theme::Theme;

/// A smaller terminal gets a request to enlarge it and nothing else.
const COLUMNS_MIN: u16 = 40;
const ROWS_MIN: u16 = 10;
/// In a narrower one, the side that keys go to has all of the width.
pub(crate) const TWO_SIDES_COLUMNS_MIN: u16 = 80;
const TREE_COLUMNS_MIN: u16 = 32;
const TREE_COLUMNS_MAX: u16 = 60;
/// Share of the width that the tree takes, in percent.
const TREE_SHARE: u16 = 38;
/// From this width on, a list of organizations leaves room for the chosen one beside it.
const BESIDE_COLUMNS_MIN: u16 = 150;
/// Share of the width that it takes, in percent.
const BESIDE_SHARE: u16 = 40;

pub fn draw(model: &Model, frame: &mut Frame) -> Measured {
    let theme = Theme::of(&model.settings);
    let area = frame.area();
    if area.width < COLUMNS_MIN || area.height < ROWS_MIN {
        let text = format!("needs {COLUMNS_MIN}x{ROWS_MIN}");
        frame.render_widget(Line::raw(text), area);
        return Measured::default();
    }
    let [top, crumbs, body, bottom] =
        Layout::vertical([Constraint::Length(1), Constraint::Length(1), Constraint::Min(0), Constraint::Length(1)])
            .areas(area);
    header::draw(model, theme, frame, top);
    header::draw_crumbs(model, theme, frame, crumbs);
    footer::draw(model, theme, frame, bottom);
    if !model.settings.has_key {
        welcome::draw(model, theme, frame, body);
        return Measured::default();
    }
    let mut measured = Measured::default();
    match &model.places.here {
        Place::Tree => {
            let tree_columns = match (area.width < TWO_SIDES_COLUMNS_MIN, model.side) {
                (true, Side::Tree) => area.width,
                (true, Side::Detail) => 0,
                (false, _) => (area.width * TREE_SHARE / 100).clamp(TREE_COLUMNS_MIN, TREE_COLUMNS_MAX),
            };
            let [left, right] = Layout::horizontal([Constraint::Length(tree_columns), Constraint::Min(0)]).areas(body);
            // A side that is not drawn has the height it had.
            let before = &model.measured;
            (measured.tree_rows, measured.detail_rows, measured.detail_lines) =
                (before.tree_rows, before.detail_rows, before.detail_lines);
            let mut rows = left;
            if left.width > 0 {
                rows = tree::draw(model, theme, frame, left);
                measured.tree_rows = usize::from(rows.height);
            }
            if right.width > 0 {
                (measured.detail_rows, measured.detail_lines) = detail::draw(model, theme, frame, right);
            }
            // A list that is come back to has the height it had.
            measured.list_rows = model.measured.list_rows;
            if model.settings.mouse {
                let window = model.tree.window(measured.tree_rows);
                let lines = window.iter().map(|row| Pointed::Row(row.key.clone())).collect();
                measured.spots = vec![Spot::new(Part::Tree, rows, lines), Spot::new(Part::Detail, right, Vec::new())];
            }
        }
        Place::List(list) => {
            let beside = list.resource.id == ResourceId::Organizations && area.width >= BESIDE_COLUMNS_MIN;
            let right = if beside { area.width * BESIDE_SHARE / 100 } else { 0 };
            let [left, right] = Layout::horizontal([Constraint::Min(0), Constraint::Length(right)]).areas(body);
            let rows = list::draw(model, list, theme, frame, left);
            measured.list_rows = usize::from(rows.height);
            measured.tree_rows = model.measured.tree_rows;
            if beside {
                (measured.detail_rows, measured.detail_lines) = detail::draw(model, theme, frame, right);
            }
            if model.settings.mouse {
                let lines =
                    list.on_screen(measured.list_rows).map(|record| Pointed::Record(record.id.clone())).collect();
                measured.spots = vec![Spot::new(Part::List, rows, lines)];
            }
        }
    }
    match &model.overlay {
        Overlay::None => {}
        Overlay::Help => measured.help_hidden = help::draw(model, theme, frame, body),
        Overlay::Record(resource, record) => {
            measured.help_hidden = list::draw_record(model, resource, record, theme, frame, body);
        }
        Overlay::Columns(resource, at) => columns::draw(model, resource, *at, theme, frame, body),
        Overlay::Search(search) => {
            let (rows, top) = finder::draw_search(search, theme, frame, body);
            if model.settings.mouse {
                let shown = search.results.iter().skip(top).take(usize::from(rows.height));
                let lines = shown.map(|row| Pointed::Result(row.id.clone())).collect();
                measured.spots.insert(0, Spot::new(Part::Search, rows, lines));
            }
        }
        Overlay::Palette(palette) => finder::draw_palette(model, palette, theme, frame, body),
        Overlay::Filter(filter) => finder::draw_filter(model, filter, theme, frame, body),
        Overlay::Dialog(dialog) => dialog::draw(model, dialog, theme, frame, body),
        Overlay::Secret(secrets) => dialog::draw_secret(secrets, theme, frame, body),
    }
    measured
}

/// The frame around one side of the screen.
fn side(title: &str, focused: bool, theme: Theme) -> Block<'static> {
    let title_style = if focused { theme.heading() } else { theme.strong() };
    Block::new()
        .borders(Borders::ALL)
        .border_set(theme.border_set())
        .border_style(theme.border(focused))
        .title(Line::styled(format!(" {title} "), title_style))
}

fn is_focused(model: &Model, side: Side) -> bool {
    model.side == side && model.places.is_tree() && matches!(model.overlay, Overlay::None)
}

/// An empty box in the middle of `area`, as large as `columns` and `rows` and the area allow; gives
/// back its inside.
fn popup(title: &str, (columns, rows): (u16, u16), theme: Theme, frame: &mut Frame, area: Rect) -> Rect {
    let width = columns.min(area.width);
    let height = rows.min(area.height);
    let place = Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 3, width, height };
    let block = side(title, true, theme);
    let inside = block.inner(place);
    frame.render_widget(Clear, place);
    frame.render_widget(block, place);
    Rect { x: inside.x + 1, width: inside.width.saturating_sub(2), ..inside }
}

/// On the lower border of `area`: how many lines scrolling would bring.
fn draw_more_below(lines: usize, theme: Theme, frame: &mut Frame, area: Rect) {
    if lines > 0 && area.width > 24 {
        let words = format!(" {lines} more below ");
        let width = u16::try_from(words.len()).unwrap_or(0);
        let place = Rect { x: area.right().saturating_sub(width + 2), y: area.bottom() - 1, width, height: 1 };
        frame.render_widget(Line::styled(words, theme.faint()), place);
    }
}

/// Rows that `lines` take in a box with a border.
fn rows_for(lines: usize) -> u16 {
    u16::try_from(lines.saturating_add(2)).unwrap_or(u16::MAX)
}
