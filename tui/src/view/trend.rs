//! A small chart over a list: a bar a day, and in words what it shows.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Sparkline, SparklineBar};

use super::theme::Theme;
use crate::credits::Credits;
use crate::model::Model;
use crate::resource::Trend;
use crate::text;

/// Lines it takes: the words, the bars, and a blank one.
pub const ROWS: u16 = 4;
const BAR_ROWS: u16 = 2;
const DAYS: usize = 30;

pub fn draw(model: &Model, trend: &Trend, theme: Theme, frame: &mut Frame, area: Rect) {
    let area = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let days = trend.days(model.now, DAYS.min(usize::from(area.width)));
    let known = || days.iter().filter_map(|(date, sum)| sum.map(|sum| (*date, sum)));
    let all: i64 = known().map(|(_, sum)| sum.0).sum();
    let most = known().max_by_key(|(_, sum)| sum.0).filter(|(_, sum)| sum.0 > 0);
    let reach = match known().next() {
        // The list has more entries than were read for this.
        Some((first, _)) if trend.known_from.is_some() => format!("since {first}"),
        _ => format!("{} days", days.len()),
    };
    let most_words = most.map_or_else(String::new, |(date, sum)| format!("; most {sum} on {date}"));
    let words = format!("{} a day, UTC, {reach}: {}{most_words}", trend.title, Credits(all));
    let line = text::fit(&words, usize::from(area.width), theme.cut());
    frame.render_widget(Line::styled(line, theme.faint()), Rect { height: 1, ..area }.intersection(area));
    let bars = Rect { y: area.y + 1, height: BAR_ROWS, ..area }.intersection(area);
    // However little it was, a day on which something was spent does not look like one without.
    let most = most.map_or(0, |(_, sum)| sum.0);
    let least = most / (8 * i64::from(BAR_ROWS)) + 1;
    let bar = |sum: Option<Credits>| match sum {
        None => None,
        Some(Credits(..=0)) => Some(0),
        Some(sum) => u64::try_from(sum.0.max(least)).ok(),
    };
    let data: Vec<SparklineBar> = days.iter().map(|(_, sum)| SparklineBar::from(bar(*sum))).collect();
    let chart = Sparkline::default()
        .data(data)
        .max(u64::try_from(most.max(1)).unwrap_or(1))
        .bar_set(theme.bars())
        .absent_value_symbol(theme.unfilled())
        .absent_value_style(theme.faint())
        .style(theme.key());
    frame.render_widget(chart, bars);
}
