//! The columns of a list, and which of them are to be seen.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::popup;
use super::theme::Theme;
use crate::model::Model;
use crate::resource::Resource;
use crate::text;

const COLUMNS: u16 = 44;

pub fn draw(model: &Model, resource: &Resource, at: usize, theme: Theme, frame: &mut Frame, area: Rect) {
    let columns = (resource.columns)();
    let rows = u16::try_from(columns.len()).unwrap_or(0) + 4;
    let inside = popup(&format!("Columns of {}", resource.name), (COLUMNS, rows), theme, frame, area);
    let height = usize::from(inside.height).saturating_sub(2);
    let top = (at + 1).saturating_sub(height);
    for ((place, column), y) in columns.iter().enumerate().skip(top).take(height).zip(inside.y..) {
        let is_hidden = model.hidden.get(resource.name).is_some_and(|hidden| hidden.contains(column.title));
        let style = if place == at { theme.selected() } else { theme.plain() };
        let word = format!("[{}] {}", if is_hidden { ' ' } else { 'x' }, column.title);
        let line = Line::from(vec![
            Span::styled(if place == at { theme.mark() } else { " " }, theme.key()),
            Span::styled(text::column(&word, usize::from(inside.width).saturating_sub(1), theme.cut()), style),
        ]);
        frame.render_widget(line, Rect { y, height: 1, ..inside });
    }
    let hint = Line::styled("those there is no room for are left out", theme.faint());
    frame.render_widget(hint, Rect { y: inside.bottom().saturating_sub(1), height: 1, ..inside }.intersection(inside));
}
