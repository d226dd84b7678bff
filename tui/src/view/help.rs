//! Every key that does something, from the table that makes it do so.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span, Text};

use super::theme::Theme;
use super::{draw_more_below, popup};
use crate::command::{COMMANDS, Command, Group};
use crate::model::Model;
use crate::text;

const COLUMNS: u16 = 78;
const KEY_COLUMNS: usize = 16;
const NAME_COLUMNS: usize = 15;

pub fn draw(model: &Model, theme: Theme, frame: &mut Frame, area: Rect) -> usize {
    let lines = lines(model, theme);
    let rows = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX);
    let inside = popup("Keys", (COLUMNS, rows), theme, frame, area);
    let hidden = lines.len().saturating_sub(usize::from(inside.height));
    let scroll = model.help_scroll.min(hidden);
    let shown: Vec<_> = lines.into_iter().skip(scroll).collect();
    frame.render_widget(Text::from(shown), inside);
    let framed = Rect { height: inside.height.saturating_add(1), ..inside };
    draw_more_below(hidden - scroll, theme, frame, framed);
    hidden
}

/// The keys of the place that help was opened in, and then all the others.
fn lines(model: &Model, theme: Theme) -> Vec<Line<'static>> {
    let here = model.place_context();
    let is_here = |command: &'static Command| command.contexts.contains(&here);
    let mut lines = groups(model, theme, &is_here);
    lines.push(Line::raw(""));
    lines.push(Line::styled("Elsewhere", theme.strong()));
    lines.push(Line::raw(""));
    lines.extend(groups(model, theme, &|command| !is_here(command)));
    lines
}

fn groups(model: &Model, theme: Theme, is_meant: &dyn Fn(&'static Command) -> bool) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for group in Group::ALL {
        let mut own = COMMANDS.iter().filter(|command| command.group == group && is_meant(command)).peekable();
        if own.peek().is_none() {
            continue;
        }
        if !lines.is_empty() {
            lines.push(Line::raw(""));
        }
        lines.push(Line::styled(group.title(), theme.heading()));
        lines.extend(own.map(|command| line(model, command, theme)));
    }
    lines
}

pub fn line(model: &Model, command: &Command, theme: Theme) -> Line<'static> {
    with(model, command, "", theme)
}

/// The same with the command's name, for the command line.
pub fn named_line(model: &Model, command: &Command, theme: Theme) -> Line<'static> {
    with(model, command, command.name, theme)
}

fn with(model: &Model, command: &Command, name: &str, theme: Theme) -> Line<'static> {
    let keys: Vec<String> = command.keys.iter().map(ToString::to_string).collect();
    // What has no key is typed on the command line.
    let keys = if keys.is_empty() && name.is_empty() { format!(":{}", command.name) } else { keys.join(" ") };
    let keys = text::column(&keys, KEY_COLUMNS, theme.cut());
    let (style, why) = match (model.forbids(command), model.missing_scope(command)) {
        (Some(_), _) => (theme.faint(), "  (read-only)".to_owned()),
        (None, Some(scope)) => (theme.faint(), format!("  (this key seems to lack {scope})")),
        (None, None) => (theme.plain(), String::new()),
    };
    let mut spans = vec![Span::styled(format!("{keys} "), theme.key().patch(style))];
    if !name.is_empty() {
        spans.push(Span::styled(text::column(name, NAME_COLUMNS, theme.cut()), theme.strong().patch(style)));
    }
    spans.extend([Span::styled(command.purpose, style), Span::styled(why, theme.faint())]);
    Line::from(spans)
}
