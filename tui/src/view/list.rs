//! A list: its columns as far as they fit, and the records that are on the screen and no others.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span, Text};

use super::theme::Theme;
use super::{draw_more_below, popup, side, trend};
use crate::credits::Credits;
use crate::model::list::List;
use crate::model::{Model, Overlay};
use crate::resource::{Cell, Column, Record, Resource};
use crate::text;

/// The one column that takes what the others leave keeps at least this much.
const FLEXIBLE_MIN: usize = 14;
/// The cursor's mark, and the mark of what is chosen for an act.
const GUTTER: usize = 3;
/// A list too low for it leaves the chart out rather than its records.
const TREND_HEIGHT_MIN: u16 = 12;
const RECORD_COLUMNS: u16 = 110;
const LABEL_COLUMNS: usize = 16;
const LABEL_COLUMNS_MAX: usize = 28;

/// Gives back where the records stand.
pub fn draw(model: &Model, list: &List, theme: Theme, frame: &mut Frame, area: Rect) -> Rect {
    let focused = matches!(model.overlay, Overlay::None);
    let block = side(&title(list, usize::from(area.width), theme), focused, theme);
    let inside = block.inner(area);
    frame.render_widget(block, area);
    let columns = usize::from(inside.width);
    let mut above = summary(list, columns, theme);
    let trend = list.trend.as_ref().filter(|_| inside.height >= TREND_HEIGHT_MIN);
    let trend_y = inside.y + u16::try_from(above.len()).unwrap_or(0);
    if trend.is_some() {
        above.extend(std::iter::repeat_n(Line::raw(""), usize::from(trend::ROWS)));
    }
    let hidden = model.hidden.get(list.resource.name);
    let is_seen = |column: &Column| hidden.is_none_or(|hidden| !hidden.contains(column.title));
    let shown = fitting(&(list.resource.columns)(), is_seen, columns);
    above.push(head(list, &shown, theme));
    let used = u16::try_from(above.len()).unwrap_or(0).min(inside.height);
    frame.render_widget(Text::from(above), Rect { height: used, ..inside });
    if let Some(trend) = trend {
        let room = Rect { y: trend_y, height: trend::ROWS, ..inside }.intersection(inside);
        trend::draw(model, trend, theme, frame, room);
    }
    let body = Rect { y: inside.y + used, height: inside.height - used, ..inside };
    let height = usize::from(body.height);
    if list.is_empty() {
        draw_emptiness(list, theme, frame, body);
    }
    for (record, y) in list.on_screen(height).zip(body.y..) {
        let line = row(list, record, &shown, theme);
        frame.render_widget(line, Rect { y, height: 1, ..body });
    }
    draw_foot(list, theme, frame, area);
    body
}

fn title(list: &List, columns: usize, theme: Theme) -> String {
    let of = list.holder.as_ref().map(|holder| &holder.name).or(list.organization.as_ref().map(|named| &named.name));
    let of = of.map_or_else(String::new, |name| format!(" of {}", text::neutral(name)));
    let filter =
        if list.filter.is_empty() { String::new() } else { format!("  /{}", text::neutral(&list.filter.text)) };
    let following = if list.following { "  following" } else { "" };
    text::fit(&format!("{}{of}{filter}{following}", list.resource.title), columns.saturating_sub(6), theme.cut())
}

/// Figures about the whole, on one line.
fn summary(list: &List, columns: usize, theme: Theme) -> Vec<Line<'static>> {
    if list.summary.is_empty() {
        return Vec::new();
    }
    let mut spans = vec![Span::raw(" ")];
    let mut used = 1;
    for (name, cell) in &list.summary {
        let value = cell.words();
        let needed = text::width(name) + text::width(&value) + 4;
        if used + needed > columns {
            break;
        }
        used += needed;
        spans.push(Span::styled(format!("{name} "), theme.faint()));
        let style = match cell {
            Cell::Credits(Credits(..0)) => theme.bad(),
            _ => theme.strong(),
        };
        spans.push(Span::styled(text::neutral(&value), style));
        spans.push(Span::raw("   "));
    }
    vec![Line::from(spans), Line::raw("")]
}

/// The columns that are to be seen and that there is room for, each with where it stands in a record and how wide it is.
fn fitting(columns: &[Column], is_seen: impl Fn(&Column) -> bool, room: usize) -> Vec<(usize, Column)> {
    let room = room.saturating_sub(GUTTER);
    let mut shown: Vec<(usize, Column)> =
        columns.iter().copied().enumerate().filter(|(_, column)| is_seen(column)).collect();
    let width = |column: &Column| if column.width == 0 { FLEXIBLE_MIN } else { column.width };
    while shown.len() > 1 {
        let taken: usize = shown.iter().map(|(_, column)| width(column) + 1).sum();
        if taken <= room {
            break;
        }
        let worst = shown.iter().enumerate().max_by_key(|(_, (_, column))| column.rank).map(|(at, _)| at);
        shown.remove(worst.unwrap_or(shown.len() - 1));
    }
    let fixed: usize = shown.iter().map(|(_, column)| column.width + 1).sum();
    let left = room.saturating_sub(fixed);
    let has_flexible = shown.iter().any(|(_, column)| column.width == 0);
    for (_, column) in &mut shown {
        if column.width == 0 {
            column.width = left.max(1);
        }
    }
    // Without the one that stretches, the last one takes what is left.
    if !has_flexible && let Some((_, last)) = shown.last_mut().filter(|(_, last)| !last.right) {
        last.width += left;
    }
    shown
}

fn head(list: &List, shown: &[(usize, Column)], theme: Theme) -> Line<'static> {
    let mut spans = vec![Span::raw(" ".repeat(GUTTER))];
    for (_, column) in shown {
        let sign = list.order.filter(|order| order.field == column.title).map(|order| match order.descending {
            true => theme.descending(),
            false => theme.ascending(),
        });
        let title = match sign {
            Some(sign) => format!("{} {sign}", column.title),
            None => column.title.to_owned(),
        };
        let style = if sign.is_some() { theme.heading() } else { theme.faint() };
        spans.push(Span::styled(aligned(&title, column, theme), style));
        spans.push(Span::raw(" "));
    }
    Line::from(spans)
}

fn aligned(words: &str, column: &Column, theme: Theme) -> String {
    if column.right {
        let fitted = text::fit(words, column.width, theme.cut());
        let blanks = column.width.saturating_sub(text::width(&fitted));
        format!("{}{fitted}", " ".repeat(blanks))
    } else {
        text::column(words, column.width, theme.cut())
    }
}

fn row(list: &List, record: &Record, shown: &[(usize, Column)], theme: Theme) -> Line<'static> {
    let selected = list.cursor.as_deref() == Some(&*record.id);
    let marked = list.marks.contains_key(&record.id);
    let base = if selected { theme.selected() } else { theme.plain() };
    let mut spans = vec![
        Span::styled(if selected { theme.mark() } else { " " }, theme.key()),
        Span::styled(format!("{} ", if marked { theme.marked() } else { " " }), theme.warning().patch(base)),
    ];
    for (at, column) in shown {
        let cell = record.cells.get(*at).unwrap_or(&Cell::Nothing);
        let words = aligned(&cell.words(), column, theme);
        spans.push(Span::styled(format!("{words} "), style(cell, theme).patch(base)));
    }
    Line::from(spans)
}

fn style(cell: &Cell, theme: Theme) -> Style {
    match cell {
        Cell::Word(_, tone) => theme.tone(*tone),
        Cell::Credits(Credits(..0)) => theme.bad(),
        Cell::Moved(Credits(1..)) => theme.good(),
        Cell::Time(_) => theme.faint(),
        Cell::Nothing | Cell::Text(_) | Cell::Credits(_) | Cell::Moved(_) | Cell::Count(_) => theme.plain(),
    }
}

fn draw_emptiness(list: &List, theme: Theme, frame: &mut Frame, body: Rect) {
    let (words, style) = match &list.failure {
        Some(failure) => (format!("{failure}  (r tries again)"), theme.bad()),
        None if list.resource.page.is_none() => {
            ("listening: what happens from now on stands here".to_owned(), theme.faint())
        }
        None if !list.loaded || list.asked.is_some() => (format!("loading{}", theme.cut()), theme.faint()),
        None if list.has_stopped() => ("nothing so far; down looks further".to_owned(), theme.faint()),
        None if !list.filter.is_empty() => ("nothing fits the filter".to_owned(), theme.faint()),
        None => (format!("no {} here", list.resource.name), theme.faint()),
    };
    let columns = usize::from(body.width).saturating_sub(GUTTER + 1);
    for (line, y) in text::wrap(&words, columns).into_iter().zip(body.y..body.bottom()) {
        let place = Rect { x: body.x + 3, y, width: body.width.saturating_sub(4), height: 1 };
        frame.render_widget(Line::styled(line, style), place);
    }
}

/// On the lower border: what waits, what is marked, and where in the list this is.
fn draw_foot(list: &List, theme: Theme, frame: &mut Frame, area: Rect) {
    let mut words: Vec<(String, Style)> = Vec::new();
    if let Some(failure) = list.failure.as_ref().filter(|_| !list.is_empty()) {
        words.push((failure.clone(), theme.bad()));
    }
    if list.changes > 0 {
        words.push((format!("{} changes, . takes them in", list.changes), theme.warning()));
    }
    if !list.marks.is_empty() {
        words.push((format!("{} marked", list.marks.len()), theme.warning()));
    }
    if let Some(at) = list.cursor_position() {
        let place = list
            .place(at)
            .map_or_else(|| "?".to_owned(), |place| Credits(i64::try_from(place).unwrap_or(0) + 1).to_string());
        let total = list.total.or_else(|| list.is_at_end().then(|| list.place(list.len())).flatten());
        let total =
            total.map_or_else(|| "?".to_owned(), |total| Credits(i64::try_from(total).unwrap_or(0)).to_string());
        words.push((format!("{place} of {total}"), theme.faint()));
    }
    let room = usize::from(area.width).saturating_sub(6);
    let mut spans: Vec<Span> = Vec::new();
    let mut used = 0;
    for (words, style) in words.into_iter().rev() {
        let words = format!(" {} ", text::fit(&words, room, theme.cut()));
        let width = text::width(&words);
        if used + width > room {
            break;
        }
        used += width;
        spans.insert(0, Span::styled(words, style));
    }
    let width = u16::try_from(used).unwrap_or(0);
    if width > 0 && area.height > 1 {
        let place = Rect { x: area.right().saturating_sub(width + 2), y: area.bottom() - 1, width, height: 1 };
        frame.render_widget(Line::from(spans), place);
    }
}

/// A record whole: every column with its title, none of them cut.
pub fn draw_record(
    model: &Model,
    resource: &Resource,
    record: &Record,
    theme: Theme,
    frame: &mut Frame,
    area: Rect,
) -> usize {
    let columns = usize::from(RECORD_COLUMNS.min(area.width)).saturating_sub(4);
    let heads = (resource.columns)();
    let of_parts = record.parts.iter().flat_map(|part| &part.cells).map(|(label, _)| label.as_str());
    let longest = heads.iter().map(|head| head.title).chain(of_parts).map(text::width).max().unwrap_or(0);
    let label_columns = (longest + 1).clamp(LABEL_COLUMNS, LABEL_COLUMNS_MAX.min(columns / 2).max(LABEL_COLUMNS));
    let labelled = |label: &str, cell: &Cell| labelled(label, cell, (label_columns, columns), theme);
    let mut lines = Vec::new();
    for (column, cell) in heads.iter().zip(&record.cells) {
        lines.extend(labelled(column.title, cell));
    }
    for part in &record.parts {
        lines.push(Line::raw(""));
        lines.push(Line::styled(text::fit(&part.title, columns, theme.cut()), theme.heading()));
        for (label, cell) in &part.cells {
            lines.extend(labelled(label, cell));
        }
    }
    let rows = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX);
    let title = text::fit(&record.name, columns.saturating_sub(4), theme.cut());
    let inside = popup(&title, (RECORD_COLUMNS, rows), theme, frame, area);
    let hidden = lines.len().saturating_sub(usize::from(inside.height));
    let scroll = model.help_scroll.min(hidden);
    let visible: Vec<_> = lines.into_iter().skip(scroll).collect();
    frame.render_widget(Text::from(visible), inside);
    draw_more_below(hidden - scroll, theme, frame, Rect { height: inside.height.saturating_add(1), ..inside });
    hidden
}

/// A cell whole, with its own line breaks.
fn labelled(label: &str, cell: &Cell, (label_columns, columns): (usize, usize), theme: Theme) -> Vec<Line<'static>> {
    let room = columns.saturating_sub(label_columns);
    let words = cell.words();
    let words = if words.is_empty() { "-".to_owned() } else { words };
    let parts = words.lines().flat_map(|line| text::wrap(line, room));
    let line = |(index, part)| {
        let label = if index == 0 { label } else { "" };
        Line::from(vec![
            Span::styled(text::column(label, label_columns, theme.cut()), theme.faint()),
            Span::styled(part, style(cell, theme)),
        ])
    };
    parts.enumerate().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::ResourceId;

    #[test]
    fn at_every_width_the_columns_that_are_left_fit_and_the_first_ones_stay() {
        for id in ResourceId::ALL {
            let columns = (id.spec().columns)();
            for room in 30..260 {
                let shown = fitting(&columns, |_| true, room);
                let taken: usize = shown.iter().map(|(_, column)| column.width + 1).sum();
                assert!(shown.len() == 1 || taken + GUTTER <= room, "{id:?} at {room}: {taken}");
                assert!(shown.windows(2).all(|pair| pair[0].0 < pair[1].0), "in their order");
            }
        }
    }
}
