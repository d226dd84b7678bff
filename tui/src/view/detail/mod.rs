//! The right side: the chosen organization, section under section.
//!
//! A section is a file with one function from the organization to lines, and a row in `SECTIONS`.

mod keys;
mod ledger;
mod limits;
mod record;
mod status;
mod wallet;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span, Text};

use super::theme::Theme;
use super::{draw_more_below, is_focused, side};
use crate::graphql::OrganizationDetail;
use crate::model::{Model, Side};
use crate::text;

struct Section {
    title: &'static str,
    /// The field of the schema it shows, to find out why it is missing.
    field: &'static str,
    lines: fn(&OrganizationDetail, &Panel) -> Vec<Line<'static>>,
    /// What stands beside the title.
    aside: fn(&OrganizationDetail, &Panel) -> Option<Span<'static>>,
}

const fn section(
    title: &'static str,
    field: &'static str,
    lines: fn(&OrganizationDetail, &Panel) -> Vec<Line<'static>>,
) -> Section {
    Section { title, field, lines, aside: |_, _| None }
}

const SECTIONS: &[Section] = &[
    section("Status", "suspensions", status::lines),
    Section { aside: wallet::aside, ..section("Wallet", "wallet", wallet::lines) },
    section("Limits", "limits", limits::lines),
    section("Record", "organization", record::lines),
    Section { aside: keys::aside, ..section("Keys", "apiKeys", keys::lines) },
    Section { aside: ledger::aside, ..section("Ledger", "ledgerEntries", ledger::lines) },
];

/// What a section needs besides the organization.
struct Panel<'a> {
    model: &'a Model,
    theme: Theme,
    columns: usize,
}

/// From this width on, short entries stand two to a line.
const TWO_TO_A_LINE_COLUMNS: usize = 66;
const LABEL_COLUMNS: usize = 14;

impl Panel<'_> {
    fn per_line(&self) -> usize {
        if self.columns >= TWO_TO_A_LINE_COLUMNS { 2 } else { 1 }
    }

    /// Room for a value among `entries`.
    fn value_columns(&self) -> usize {
        (self.columns / self.per_line()).saturating_sub(LABEL_COLUMNS + 1)
    }

    /// Short labelled values, in the order given.
    fn entries(&self, entries: Vec<(&'static str, String, Style)>) -> Vec<Line<'static>> {
        let (per_line, room) = (self.per_line(), self.value_columns());
        let cell = |(label, value, style): &(&'static str, String, Style)| {
            [
                Span::styled(text::column(label, LABEL_COLUMNS, ""), self.theme.faint()),
                Span::styled(text::column(value, room, self.theme.cut()), *style),
                Span::raw(" "),
            ]
        };
        entries.chunks(per_line).map(|chunk| Line::from_iter(chunk.iter().flat_map(cell))).collect()
    }

    fn wrapped(&self, words: &str, style: Style) -> Vec<Line<'static>> {
        let lines = text::wrap(words, self.columns);
        lines.into_iter().map(|line| Line::styled(line, style)).collect()
    }

    /// The time to the minute, in UTC.
    fn time(&self, moment: jiff::Timestamp) -> String {
        moment.strftime("%Y-%m-%d %H:%M").to_string()
    }
}

pub fn draw(model: &Model, theme: Theme, frame: &mut Frame, area: Rect) -> (usize, usize) {
    let id = model.detail.of.as_ref();
    let row = id.and_then(|id| model.organizations.get(id));
    let title = row.map_or_else(|| "Organization".to_owned(), |row| text::neutral(&row.name));
    let title = text::fit(&title, usize::from(area.width).saturating_sub(6), theme.cut());
    let block = side(&title, is_focused(model, Side::Detail), theme);
    let inside = block.inner(area);
    frame.render_widget(block, area);
    let inside = Rect { x: inside.x + 1, width: inside.width.saturating_sub(2), ..inside };
    let panel = Panel { model, theme, columns: usize::from(inside.width) };
    let lines: Vec<Line> = panel_lines(&panel).into_iter().flat_map(|line| folded(line, panel.columns)).collect();
    let (height, count) = (usize::from(inside.height), lines.len());
    let scroll = model.detail.scroll.min(count.saturating_sub(height));
    let visible: Vec<_> = lines.into_iter().skip(scroll).take(height).collect();
    frame.render_widget(Text::from(visible), inside);
    draw_more_below(count.saturating_sub(scroll + height), theme, frame, area);
    (height, count)
}

/// A line that is too long, on as many lines as it takes and below its label: half a figure is a wrong one.
fn folded(line: Line<'static>, columns: usize) -> Vec<Line<'static>> {
    if line.width() <= columns {
        return vec![line];
    }
    let mut spans = line.spans.into_iter();
    let label = spans.next().unwrap_or_default();
    let indent = label.width().min(LABEL_COLUMNS);
    let rest: Vec<Span> = spans.collect();
    let style = rest.last().map_or(label.style, |span| span.style);
    let words: String = rest.iter().map(|span| span.content.as_ref()).collect();
    let parts = text::wrap(words.trim(), columns.saturating_sub(indent));
    let lines = parts.into_iter().enumerate().map(|(index, part)| {
        let before = if index == 0 { label.clone() } else { Span::raw(" ".repeat(indent)) };
        Line::from(vec![before, Span::styled(part, style)])
    });
    lines.collect()
}

fn panel_lines(panel: &Panel) -> Vec<Line<'static>> {
    let (model, theme) = (panel.model, panel.theme);
    let mut lines = Vec::new();
    if let Some(failure) = &model.detail.failure {
        lines.extend(panel.wrapped(failure, theme.bad()));
    }
    let Some(organization) = model.detail.shown() else {
        if model.detail.of.is_some() && model.detail.failure.is_none() {
            lines.push(Line::styled(format!("loading{}", theme.cut()), theme.faint()));
        }
        return lines;
    };
    for section in SECTIONS {
        if !lines.is_empty() {
            lines.push(Line::raw(""));
        }
        let mut title = vec![Span::styled(section.title, theme.heading())];
        if let Some(aside) = (section.aside)(organization, panel) {
            title.push(Span::raw("  "));
            title.push(aside);
        }
        lines.push(Line::from(title));
        let refusals = model.detail.errors.iter();
        let refusal = refusals.into_iter().find(|e| e.path.iter().any(|name| name == section.field));
        let own = (section.lines)(organization, panel);
        match (own.is_empty(), refusal) {
            (true, Some(error)) => lines.extend(panel.wrapped(&error.to_string(), theme.faint())),
            (true, None) => lines.push(Line::styled("none", theme.faint())),
            (false, _) => lines.extend(own),
        }
    }
    lines
}
