//! The left side: the rows of the tree that fit on the screen, and no others.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::theme::Theme;
use super::{is_focused, side};
use crate::credits::Credits;
use crate::graphql::{OrganizationId, OrganizationRow};
use crate::model::link::LinkState;
use crate::model::tree::{Row, RowKey};
use crate::model::{Model, Side};
use crate::text;

/// A column to the right of the name.
struct Column {
    columns: usize,
    /// The tree must be this wide for the column to be worth its room.
    from_columns: usize,
    cell: fn(&OrganizationRow, Theme) -> (String, Style),
}

const COLUMNS: &[Column] = &[
    Column { columns: 7, from_columns: 52, cell: relation },
    Column { columns: 12, from_columns: 38, cell: available },
];

fn available(row: &OrganizationRow, theme: Theme) -> (String, Style) {
    match row.summary.available {
        Some(available) if available.0 < 0 => (format!("{available:>12}"), theme.bad()),
        Some(available) => (format!("{available:>12}"), theme.plain()),
        None => (String::new(), theme.plain()),
    }
}

fn relation(row: &OrganizationRow, theme: Theme) -> (String, Style) {
    let word = row.relation.as_ref().map(|relation| relation.word().to_lowercase());
    (word.unwrap_or_default(), theme.faint())
}

/// Gives back where the rows stand.
pub fn draw(model: &Model, theme: Theme, frame: &mut Frame, area: Rect) -> Rect {
    let block = side("Organizations", is_focused(model, Side::Tree), theme);
    let inside = block.inner(area);
    frame.render_widget(block, area);
    let height = usize::from(inside.height);
    let columns = usize::from(inside.width);
    if model.tree.rows().is_empty() {
        let (words, style) = match (&model.viewer_failure, model.tree.branch(None)) {
            (Some(failure), _) => (failure.clone(), theme.bad()),
            (None, Some(roots)) if roots.failure.is_some() => (roots.failure.clone().unwrap_or_default(), theme.bad()),
            (None, _) if model.viewer.is_some() && model.pending.is_empty() => {
                ("no organizations yet".to_owned(), theme.faint())
            }
            (None, _) => (format!("loading{}", theme.cut()), theme.faint()),
        };
        let lines = |words: &str, style| {
            let parts = text::wrap(words, columns.saturating_sub(2));
            parts.into_iter().map(move |part| Line::styled(part, style)).collect::<Vec<_>>()
        };
        let mut said = lines(&words, style);
        if let Some(next) = what_next(model) {
            said.push(Line::raw(""));
            said.extend(lines(next, theme.plain()));
        }
        for (line, y) in said.into_iter().zip(inside.y..inside.bottom()) {
            frame.render_widget(line, Rect { x: inside.x + 1, y, width: inside.width - 1, height: 1 });
        }
        return inside;
    }
    for (row, y) in model.tree.window(height).iter().zip(inside.y..) {
        let selected = model.tree.cursor() == Some(&row.key);
        let line = line(model, row, selected, columns, theme);
        frame.render_widget(line, Rect { y, height: 1, ..inside });
    }
    inside
}

/// What to do about a gateway that shows nothing.
fn what_next(model: &Model) -> Option<&'static str> {
    model.viewer_failure.as_ref()?;
    Some(match model.link.state {
        LinkState::Refused { .. } => {
            "Leave (q) and come again with another key (BANYAN_KEY, or --profile), or go to another gateway with :@profile. \
             r asks again with this one."
        }
        _ => "It is tried again by itself, and r tries now. Another address is given with --url or --profile.",
    })
}

fn line(model: &Model, row: &Row, selected: bool, columns: usize, theme: Theme) -> Line<'static> {
    let gutter = if selected { theme.mark() } else { " " };
    // However deep it is, a name keeps most of the room.
    let indent = " ".repeat((row.depth * 2).min(columns / 3));
    let style = if selected { theme.selected() } else { theme.plain() };
    let mut spans = vec![Span::styled(gutter, theme.key()), Span::styled(indent.clone(), style)];
    let room = columns.saturating_sub(1 + indent.len());
    match &row.key {
        RowKey::Organization(id) => {
            let Some(organization) = model.organizations.get(id) else {
                return Line::from(spans);
            };
            let (glyph, glyph_style) = theme.status(&organization.effective_status);
            spans.push(Span::styled(format!("{} ", branch_mark(model, id, theme)), style));
            spans.push(Span::styled(glyph, glyph_style.patch(style)));
            let shown: Vec<_> = COLUMNS.iter().filter(|column| columns >= column.from_columns).collect();
            // Each has a blank before it, and the last one a blank after it.
            let taken: usize = shown.iter().map(|column| column.columns + 1).sum();
            let taken = if taken > 0 { taken + 1 } else { 0 };
            let name = text::column(&organization.name, room.saturating_sub(4 + taken), theme.cut());
            spans.push(Span::styled(format!(" {name}"), style));
            for column in shown {
                let (cell, cell_style) = (column.cell)(organization, theme);
                let cell = text::column(&cell, column.columns, theme.cut());
                spans.push(Span::styled(format!(" {cell}"), cell_style.patch(style)));
            }
            if taken > 0 {
                spans.push(Span::styled(" ", style));
            }
        }
        RowKey::Before(parent) | RowKey::More(parent) => {
            let is_before = matches!(row.key, RowKey::Before(_));
            let (words, words_style) = unread(model, parent.as_ref(), is_before, theme);
            let words = text::column(&words, room, theme.cut());
            spans.push(Span::styled(words, words_style.patch(style)));
        }
    }
    Line::from(spans)
}

fn branch_mark(model: &Model, id: &OrganizationId, theme: Theme) -> &'static str {
    let open = model.tree.branch(Some(id)).is_some_and(|branch| branch.open);
    let children = model.organizations.get(id).map_or(0, |row| row.summary.child_count);
    match (open, children) {
        (true, _) => theme.open(),
        (false, 0) => " ",
        (false, _) => theme.closed(),
    }
}

/// What a row says that stands for a part of a branch. How many there are is said where that is known.
fn unread(model: &Model, parent: Option<&OrganizationId>, is_before: bool, theme: Theme) -> (String, Style) {
    let branch = model.tree.branch(parent);
    if let Some(failure) = branch.and_then(|branch| branch.failure.as_ref()) {
        return (format!("  enter tries again: {failure}"), theme.bad());
    }
    if branch.is_some_and(|branch| branch.loading.is_some()) {
        return (format!("  loading{}", theme.cut()), theme.faint());
    }
    let known = parent.and_then(|parent| model.organizations.get(parent));
    let left = branch
        .filter(|branch| if is_before { branch.ends() } else { branch.begins() })
        .zip(known.map(|row| i64::from(row.summary.child_count)))
        .and_then(|(branch, all)| Some(all - i64::try_from(branch.len()).ok()?))
        .filter(|left| *left > 0);
    let what = if is_before { "before" } else { "more" };
    match left {
        Some(left) => (format!("  {} {what}{}", Credits(left), theme.cut()), theme.faint()),
        None => (format!("  {what}{}", theme.cut()), theme.faint()),
    }
}
