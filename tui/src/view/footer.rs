//! The last line: a notice while there is one, and the keys of the moment otherwise.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::theme::Theme;
use crate::command::{self, Command, Step};
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
    let context = model.context();
    let is_narrow = area.width < super::TWO_SIDES_COLUMNS_MIN;
    let shown = |command: &&&'static Command| {
        // Where one side hides the other, the way there is said.
        let is_way = is_narrow && command.does_step(Step::SwitchSide);
        let marks_nothing =
            command.does_step(Step::Mark) && model.places.list().is_some_and(|list| list.resource.kind.is_none());
        (command.in_footer || is_way) && !marks_nothing && model.forbids(command).is_none()
    };
    let all: Vec<&'static Command> = command::of_context(context).collect();
    let hints = all.iter().filter(shown).filter_map(|command| Some((*command, command.keys.first()?.to_string())));
    let width = |(command, key): &(&Command, String)| text::width(key) + 1 + text::width(command.footer_label()) + 2;
    // However narrow it is, there is a way to find the rest.
    let (always, others): (Vec<_>, Vec<_>) =
        hints.partition(|(command, _)| command.does_step(Step::Help) || command.does_step(Step::Close));
    let mut room = columns.saturating_sub(1 + always.iter().map(width).sum::<usize>());
    let fitting = others.into_iter().take_while(|hint| match room.checked_sub(width(hint)) {
        Some(left) => {
            room = left;
            true
        }
        None => false,
    });
    let fitting: Vec<_> = fitting.collect();
    let mut spans = vec![Span::raw(" ")];
    for (command, key) in fitting.into_iter().chain(always) {
        spans.push(Span::styled(key, theme.key()));
        spans.push(Span::styled(format!(" {}  ", command.footer_label()), theme.faint()));
    }
    frame.render_widget(Line::from(spans), area);
}
