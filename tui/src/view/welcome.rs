//! What stands on the screen when there is no key: what to do to get one.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::theme::Theme;
use super::{popup, rows_for};
use crate::model::Model;
use crate::text;

const COLUMNS: u16 = 76;

pub fn draw(model: &Model, theme: Theme, frame: &mut Frame, area: Rect) {
    let columns = usize::from(COLUMNS.min(area.width)).saturating_sub(4);
    let mut lines = vec![Line::raw("")];
    for paragraph in &model.settings.without_key {
        // A line that is indented is something to type and is not to be broken.
        if paragraph.starts_with(' ') {
            lines.push(Line::styled(paragraph.clone(), theme.key()));
        } else {
            lines.extend(text::wrap(paragraph, columns).into_iter().map(Line::raw));
        }
    }
    lines.push(Line::raw(""));
    let inside = popup("No key", (COLUMNS, rows_for(lines.len())), theme, frame, area);
    frame.render_widget(ratatui::text::Text::from(lines), inside);
}
