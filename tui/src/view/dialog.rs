//! The question before an act, what becomes of it, and the secret that is shown once.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span, Text};

use super::theme::Theme;
use super::{finder, popup, rows_for};
use crate::graphql::Act;
use crate::model::Model;
use crate::model::dialog::{Dialog, Kind, Named, SecretPanel, Stage, Value};
use crate::text;

const COLUMNS: u16 = 76;
const LABEL_COLUMNS: usize = 14;

pub fn draw(model: &Model, dialog: &Dialog, theme: Theme, frame: &mut Frame, area: Rect) {
    let columns = usize::from(COLUMNS.min(area.width)).saturating_sub(4);
    let mut lines = vec![Line::raw("")];
    if let Some(source) = &dialog.source {
        lines.extend(organization("From", source, columns, theme));
        if let Some(available) = dialog.source_available {
            lines.push(labelled("", &format!("available {available}"), columns, theme.faint()));
        }
        lines.extend(organization("To", &dialog.target, columns, theme));
    } else {
        lines.extend(organization("Organization", &dialog.target, columns, theme));
    }
    lines.push(Line::raw(""));
    let first_field = lines.len();
    match &dialog.stage {
        Stage::Editing => lines.extend(fields(dialog, columns, theme)),
        Stage::Confirming { act } => {
            lines.extend(summary(act, columns, theme));
            lines.push(Line::raw(""));
            lines.push(answers(dialog, theme));
        }
        Stage::Sending { act, attempt, .. } => {
            lines.extend(summary(act, columns, theme));
            lines.push(Line::raw(""));
            let words = match attempt {
                1 => format!("sending{}", theme.cut()),
                attempt => format!("unknown outcome, checking (attempt {attempt})"),
            };
            lines.push(Line::styled(words, theme.warning()));
        }
        Stage::Unknown { act, attempt, resend_at, reason } => {
            lines.extend(summary(act, columns, theme));
            lines.push(Line::raw(""));
            lines.push(Line::styled("unknown outcome, checking", theme.warning()));
            lines.extend(wrapped(reason, columns, theme.faint()));
            let next = match resend_at {
                Some(_) => "The same request goes out again under the same idempotency key, \
                            so it cannot happen twice."
                    .to_owned(),
                None => format!("{attempt} attempts brought no answer. r asks once more."),
            };
            lines.extend(wrapped(&next, columns, theme.plain()));
        }
        Stage::Refused { refusals } => {
            lines.push(Line::styled("Not done", theme.bad()));
            for refusal in refusals {
                if let Some(code) = &refusal.code {
                    lines.push(Line::styled(text::fit(code, columns, theme.cut()), theme.strong()));
                }
                lines.extend(wrapped(&refusal.message, columns, theme.plain()));
            }
        }
    }
    lines.push(Line::raw(""));
    if let Some(hint) = scope_hint(model, dialog) {
        lines.extend(wrapped(&hint, columns, theme.faint()));
    }
    let rows = rows_for(lines.len());
    let inside = popup(dialog.kind.title(), (COLUMNS, rows), theme, frame, area);
    frame.render_widget(Text::from(lines), inside);
    if matches!(dialog.stage, Stage::Editing) {
        draw_field(dialog, first_field, theme, frame, inside);
    }
}

fn scope_hint(model: &Model, dialog: &Dialog) -> Option<String> {
    use crate::command::{COMMANDS, CommandId};
    let id = match dialog.kind {
        Kind::Suspend => CommandId::Suspend,
        Kind::Resume => CommandId::Resume,
        Kind::Transfer => CommandId::Transfer,
        Kind::MintKey => CommandId::MintKey,
    };
    let command = COMMANDS.iter().find(|command| command.id == id)?;
    let scope = model.missing_scope(command)?;
    Some(format!("This key seems to lack {scope}; the gateway will decide."))
}

/// Name and id, both whole: this is what will be acted upon.
fn organization(label: &str, named: &Named, columns: usize, theme: Theme) -> Vec<Line<'static>> {
    let room = columns.saturating_sub(LABEL_COLUMNS);
    let mut lines: Vec<Line> = text::wrap(&named.name, room)
        .into_iter()
        .enumerate()
        .map(|(index, part)| labelled(if index == 0 { label } else { "" }, &part, columns, theme.strong()))
        .collect();
    if let Some(spelled) = text::spelled_out(&named.name) {
        let parts = text::wrap(&spelled, room);
        lines.extend(parts.iter().map(|part| labelled("", part, columns, theme.warning())));
    }
    let parts = text::wrap(named.id.as_str(), room);
    lines.extend(parts.iter().map(|part| labelled("", part, columns, theme.plain())));
    lines
}

fn labelled(label: &str, value: &str, columns: usize, style: Style) -> Line<'static> {
    let room = columns.saturating_sub(LABEL_COLUMNS);
    Line::from(vec![
        Span::styled(text::column(label, LABEL_COLUMNS, ""), Style::new()),
        Span::styled(text::fit(value, room, "~"), style),
    ])
}

fn wrapped(words: &str, columns: usize, style: Style) -> Vec<Line<'static>> {
    text::wrap(words, columns).into_iter().map(|line| Line::styled(line, style)).collect()
}

fn fields(dialog: &Dialog, columns: usize, theme: Theme) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for (index, field) in dialog.fields.iter().enumerate() {
        let marked = index == dialog.field;
        let mark = if marked { theme.mark() } else { " " };
        let label = text::column(field.label, LABEL_COLUMNS - 1, "");
        let room = columns.saturating_sub(LABEL_COLUMNS);
        let value = text::fit(field.content(), room, theme.cut());
        let value_style = if marked { theme.strong() } else { theme.plain() };
        lines.push(Line::from(vec![
            Span::styled(mark, theme.key()),
            Span::styled(label, if marked { theme.heading() } else { theme.plain() }),
            Span::styled(value, value_style),
        ]));
        lines.push(labelled("", field.hint, columns, theme.faint()));
    }
    if let Some(problem) = &dialog.problem {
        lines.extend(wrapped(problem, columns, theme.bad()));
    }
    lines
}

fn draw_field(dialog: &Dialog, first: usize, theme: Theme, frame: &mut Frame, inside: Rect) {
    let Some(field) = dialog.fields.get(dialog.field) else { return };
    let row = u16::try_from(first + dialog.field * 2).unwrap_or(u16::MAX);
    if row >= inside.height {
        return;
    }
    let label = u16::try_from(LABEL_COLUMNS).unwrap_or(0);
    let place = Rect { x: inside.x + label, y: inside.y + row, width: inside.width.saturating_sub(label), height: 1 };
    if let Value::Text { input, .. } = &field.value {
        finder::draw_text(input, theme, frame, place);
    }
}

/// The act itself, in exact words: what is shown here is what is sent.
fn summary(act: &Act, columns: usize, theme: Theme) -> Vec<Line<'static>> {
    let entries: Vec<(&str, String)> = match act {
        Act::Suspend { reason, .. } => vec![
            ("Reason", reason.clone()),
            ("", "Keys and sessions of it and of all below are refused at once.".to_owned()),
        ],
        Act::Resume { .. } => {
            vec![("", "Lifts only the suspensions that your organization placed.".to_owned())]
        }
        Act::Transfer { amount, description, .. } => vec![
            ("Amount", format!("{amount} credits")),
            ("Description", description.clone().unwrap_or_else(|| "none".to_owned())),
        ],
        Act::MintKey { name, scopes, environment, .. } => {
            vec![("Name", name.clone()), ("Scopes", scopes.join(" ")), ("Environment", environment.word().to_owned())]
        }
    };
    let room = columns.saturating_sub(LABEL_COLUMNS);
    let mut lines = Vec::new();
    for (label, value) in entries {
        for (index, part) in text::wrap(&value, room).iter().enumerate() {
            let label = if index == 0 { label } else { "" };
            lines.push(labelled(label, part, columns, theme.plain()));
        }
    }
    lines
}

fn answers(dialog: &Dialog, theme: Theme) -> Line<'static> {
    let marked = |is: bool| if is { theme.selected() } else { theme.plain() };
    let mark = |is: bool| if is { theme.mark() } else { " " };
    let yes = dialog.yes_marked;
    Line::from(vec![
        Span::styled(mark(!yes), theme.key()),
        Span::styled(" Cancel ", marked(!yes)),
        Span::raw("    "),
        Span::styled(mark(yes), theme.key()),
        Span::styled(format!(" {} ", dialog.yes_label()), marked(yes)),
        Span::styled("  press y", theme.key()),
    ])
}

pub fn draw_secret(panel: &SecretPanel, theme: Theme, frame: &mut Frame, area: Rect) {
    let columns = usize::from(COLUMNS.min(area.width)).saturating_sub(4);
    let mut lines = vec![Line::raw("")];
    lines.extend(organization("Organization", &panel.organization, columns, theme));
    lines.push(labelled("Key", &panel.key_name, columns, theme.strong()));
    lines.push(labelled("", &panel.prefix, columns, theme.plain()));
    lines.push(Line::raw(""));
    lines.extend(wrapped(panel.secret.expose(), columns, theme.good()));
    lines.push(Line::raw(""));
    lines.push(Line::styled("This secret cannot be shown again.", theme.warning()));
    let note = "y copies it through the terminal, which a recording of the terminal also sees. \
                esc closes this panel and forgets the secret.";
    lines.extend(wrapped(note, columns, theme.plain()));
    lines.push(Line::raw(""));
    let rows = rows_for(lines.len());
    let inside = popup("New key", (COLUMNS, rows), theme, frame, area);
    frame.render_widget(Text::from(lines), inside);
}
