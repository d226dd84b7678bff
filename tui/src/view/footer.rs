//! The last line: a notice while there is one, and the keys of the moment otherwise.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::theme::Theme;
use crate::command;
use crate::model::Model;
use crate::text;

pub fn draw(model: &Model, theme: Theme, frame: &mut Frame, area: Rect) {
    let columns = usize::from(area.width);
    if let Some(notice) = &model.notice {
        let style = if notice.grave { theme.bad() } else { theme.good() };
        let line = text::fit(&notice.text, columns.saturating_sub(2), theme.cut());
        frame.render_widget(Line::styled(format!(" {line}"), style), area);
        return;
    }
    let mut spans = vec![Span::raw(" ")];
    let mut used = 1;
    for command in command::of_context(model.context()) {
        let Some(key) = command.keys.first() else { continue };
        if !command.in_footer || model.forbids(command).is_some() {
            continue;
        }
        let key = key.to_string();
        let needed = text::width(&key) + 1 + text::width(command.footer_label()) + 2;
        if used + needed > columns {
            break;
        }
        used += needed;
        spans.push(Span::styled(key, theme.key()));
        spans.push(Span::styled(format!(" {}  ", command.footer_label()), theme.faint()));
    }
    frame.render_widget(Line::from(spans), area);
}
