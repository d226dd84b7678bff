//! Every key that does something, from the table that makes it do so.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span, Text};

use super::theme::Theme;
use super::{draw_more_below, popup};
use crate::command::{COMMANDS, Command, Context};
use crate::model::Model;
use crate::text;

const COLUMNS: u16 = 78;
const KEY_COLUMNS: usize = 16;

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

fn lines(model: &Model, theme: Theme) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let mut before: Option<Context> = None;
    for command in COMMANDS {
        // A command of every place is listed with those of the tree, where it is met first.
        let everywhere = command.contexts.contains(&Context::Tree);
        let first = if everywhere { Some(&Context::Tree) } else { command.contexts.first() };
        let Some(context) = first else { continue };
        if before != Some(*context) {
            if before.is_some() {
                lines.push(Line::raw(""));
            }
            lines.push(Line::styled(context.title(), theme.heading()));
            before = Some(*context);
        }
        lines.push(line(model, command, theme));
    }
    lines
}

pub fn line(model: &Model, command: &Command, theme: Theme) -> Line<'static> {
    let keys: Vec<String> = command.keys.iter().map(ToString::to_string).collect();
    let keys = text::column(&keys.join(" "), KEY_COLUMNS, theme.cut());
    let (style, why) = match (model.forbids(command), model.missing_scope(command)) {
        (Some(_), _) => (theme.faint(), "  (read-only)".to_owned()),
        (None, Some(scope)) => (theme.faint(), format!("  (this key seems to lack {scope})")),
        (None, None) => (theme.plain(), String::new()),
    };
    Line::from(vec![
        Span::styled(format!("{keys} "), theme.key().patch(style)),
        Span::styled(command.purpose, style),
        Span::styled(why, theme.faint()),
    ])
}
