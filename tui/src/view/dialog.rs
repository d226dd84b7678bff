//! The question before an act, what becomes of it, and the secret that is shown once.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span, Text};

use super::theme::Theme;
use super::{finder, popup, rows_for};
use crate::act::{Act, Named, Value};
use crate::command;
use crate::credits::Credits;
use crate::graphql::Plan;
use crate::model::Model;
use crate::model::dialog::{Dialog, Fate, Item, Planned, Refusal, Secrets, Stage};
use crate::text;

const COLUMNS: u16 = 76;
const LABEL_COLUMNS: usize = 14;
/// Targets of one dialog that are shown by name; of the others, how many they are.
const TARGETS_SHOWN: usize = 6;

pub fn draw(model: &Model, dialog: &Dialog, theme: Theme, frame: &mut Frame, area: Rect) {
    let columns = usize::from(COLUMNS.min(area.width)).saturating_sub(4);
    let mut lines = targets(dialog, columns, theme);
    lines.extend(plan(dialog, columns, theme));
    lines.push(Line::raw(""));
    let first_field = lines.len();
    match &dialog.stage {
        Stage::Editing => lines.extend(fields(dialog, columns, theme)),
        Stage::Confirming { acts } => {
            lines.extend(summary(acts, columns, theme));
            lines.push(Line::raw(""));
            lines.push(answers(dialog, theme));
        }
        Stage::Sending { acts, at, attempt, .. } => {
            lines.extend(summary(acts, columns, theme));
            lines.push(Line::raw(""));
            let of = if acts.len() > 1 { format!(" {} of {}", at + 1, acts.len()) } else { String::new() };
            let words = match attempt {
                1 => format!("sending{of}{}", theme.cut()),
                attempt => format!("unknown outcome{of}, checking (attempt {attempt})"),
            };
            lines.push(Line::styled(words, theme.warning()));
        }
        Stage::Unknown { acts, at, attempt, resend_at, reason } => {
            lines.extend(summary(acts, columns, theme));
            lines.push(Line::raw(""));
            let of = match acts.get(*at) {
                Some(act) if acts.len() > 1 => format!(" of {}", text::neutral(&act.target.name)),
                _ => String::new(),
            };
            lines.extend(wrapped(&format!("unknown outcome{of}, checking"), columns, theme.warning()));
            lines.extend(wrapped(reason, columns, theme.faint()));
            let next = match resend_at {
                Some(_) => "The same request goes out again under the same idempotency key, \
                            so it cannot happen twice."
                    .to_owned(),
                None => format!("{attempt} attempts brought no answer. r asks once more."),
            };
            lines.extend(wrapped(&next, columns, theme.plain()));
        }
        Stage::Refused => lines.extend(refused(dialog, columns, theme)),
    }
    lines.push(Line::raw(""));
    if let Some(hint) = scope_hint(model, dialog) {
        lines.extend(wrapped(&hint, columns, theme.faint()));
    }
    let room = usize::from(area.height).saturating_sub(2);
    let shown = if lines.len() > room { lines.into_iter().filter(|line| line.width() > 0).collect() } else { lines };
    let rows = rows_for(shown.len());
    let inside = popup(&title(model, dialog), (COLUMNS, rows), theme, frame, area);
    // In a terminal too low for all of it, what is asked matters more than what it is about.
    let skipped = shown.len().saturating_sub(usize::from(inside.height));
    let dropped = first_field.saturating_sub(first_field.saturating_sub(skipped));
    let visible: Vec<Line> = shown.into_iter().skip(dropped).collect();
    frame.render_widget(Text::from(visible.clone()), inside);
    if matches!(dialog.stage, Stage::Editing) {
        draw_field(dialog, &visible, theme, frame, inside);
    }
}

fn title(model: &Model, dialog: &Dialog) -> String {
    let production = if model.settings.production { " in PRODUCTION" } else { "" };
    format!("{}{production}", dialog.spec.title)
}

fn scope_hint(model: &Model, dialog: &Dialog) -> Option<String> {
    let scope = model.missing_scope(command::of_act(dialog.spec)?)?;
    Some(match scope {
        "operator" => "Only the operator may do this; the gateway will decide.".to_owned(),
        scope => format!("This key seems to lack {scope}; the gateway will decide."),
    })
}

/// What will be acted upon: names and ids, whole.
fn targets(dialog: &Dialog, columns: usize, theme: Theme) -> Vec<Line<'static>> {
    let mut lines = vec![Line::raw("")];
    if dialog.is_of_many() {
        let count = format!("{} {}", dialog.items.len(), dialog.target().kind.plural());
        lines.push(labelled("On", &count, columns, theme.strong()));
        for item in dialog.items.iter().take(TARGETS_SHOWN) {
            let style = if item.fate == Fate::Done { theme.faint() } else { theme.plain() };
            let words = format!("{}  {}", text::neutral(&item.target.name), text::neutral(&item.target.id));
            let parts = text::wrap(&words, columns.saturating_sub(LABEL_COLUMNS));
            lines.extend(parts.iter().map(|part| labelled("", part, columns, style)));
        }
        if let Some(more) = dialog.items.len().checked_sub(TARGETS_SHOWN).filter(|more| *more > 0) {
            lines.push(labelled("", &format!("and {more} more"), columns, theme.faint()));
        }
    }
    if let Some(source) = &dialog.source {
        lines.extend(organization("From", source, columns, theme));
        if let Some(available) = dialog.source_available {
            lines.push(labelled("", &format!("available {available}"), columns, theme.faint()));
        }
    }
    if !dialog.is_of_many() {
        let target = dialog.target();
        let label = match (target.kind, dialog.source.is_some()) {
            (crate::act::Kind::Organization, true) => "To",
            (crate::act::Kind::Organization, false) => "Organization",
            (crate::act::Kind::ApiKey, _) => "Key",
            (crate::act::Kind::Endpoint, _) => "Endpoint",
            (crate::act::Kind::Delivery, _) => "Delivery of",
        };
        lines.extend(whole(label, &target.name, &target.id, columns, theme));
        if target.id != target.organization.id.as_str() {
            lines.extend(organization("Of", &target.organization, columns, theme));
        }
    }
    lines
}

/// What the gateway says would happen; of several targets, all of it together.
fn plan(dialog: &Dialog, columns: usize, theme: Theme) -> Vec<Line<'static>> {
    if dialog.spec.plan.is_none() || matches!(dialog.stage, Stage::Refused) {
        return Vec::new();
    }
    let mut plans: Vec<&Plan> = Vec::new();
    for item in &dialog.items {
        match &item.plan {
            Planned::Not => {}
            Planned::Asked(_) => {
                let words = format!("asking the gateway{}", theme.cut());
                return vec![Line::raw(""), labelled("Plan", &words, columns, theme.faint())];
            }
            Planned::Failed(failure) => {
                let mut lines = vec![Line::raw("")];
                lines.extend(wrapped(&format!("no plan: {failure}"), columns, theme.bad()));
                return lines;
            }
            Planned::Known(plan) => plans.push(plan),
        }
    }
    if plans.is_empty() {
        return Vec::new();
    }
    let total = |figure: fn(&Plan) -> i64| Credits(plans.iter().map(|plan| figure(plan)).sum());
    // What can be undone takes nothing home.
    let available = if dialog.spec.inverse.is_some() { "credits out of reach" } else { "credits to reclaim" };
    let figures = [
        (total(|plan| plan.descendants.into()), "organizations below"),
        (total(|plan| plan.api_keys.into()), "keys"),
        (total(|plan| plan.webhook_endpoints.into()), "endpoints"),
        (total(|plan| plan.open_holds.into()), "open holds"),
        (total(|plan| plan.held_credits.0), "credits held"),
        (total(|plan| plan.reclaimable_credits.0), available),
    ];
    let concerned: Vec<String> =
        figures.iter().filter(|(count, _)| count.0 != 0).map(|(count, what)| format!("{count} {what}")).collect();
    let words = if concerned.is_empty() { "nothing else is concerned".to_owned() } else { concerned.join(", ") };
    let mut lines = vec![Line::raw("")];
    let parts = text::wrap(&words, columns.saturating_sub(LABEL_COLUMNS));
    for (index, part) in parts.iter().enumerate() {
        let label = if index == 0 { "It concerns" } else { "" };
        lines.push(labelled(label, part, columns, theme.warning()));
    }
    for refusal in plans.iter().flat_map(|plan| &plan.refusals) {
        lines.extend(wrapped(&format!("would be refused: {}", refusal.message), columns, theme.bad()));
    }
    lines
}

fn refused(dialog: &Dialog, columns: usize, theme: Theme) -> Vec<Line<'static>> {
    let refusals = |refusals: &[Refusal]| {
        let mut lines = Vec::new();
        for refusal in refusals {
            if let Some(code) = &refusal.code {
                lines.push(Line::styled(text::fit(code, columns, theme.cut()), theme.strong()));
            }
            lines.extend(wrapped(&refusal.message, columns, theme.plain()));
        }
        lines
    };
    let not_done = |item: &Item| match &item.fate {
        Fate::Refused(why) => why.clone(),
        Fate::Waiting | Fate::Done => Vec::new(),
    };
    if !dialog.is_of_many() {
        let mut lines = vec![Line::styled("Not done", theme.bad())];
        lines.extend(refusals(&not_done(&dialog.items[0])));
        return lines;
    }
    let (done, refused) = dialog.tally();
    let mut lines = vec![Line::styled(format!("{done} done, {refused} not"), theme.bad())];
    for item in dialog.items.iter().filter(|item| item.fate != Fate::Done).take(TARGETS_SHOWN) {
        lines.extend(wrapped(&item.target.name, columns, theme.strong()));
        lines.extend(refusals(&not_done(item)));
    }
    lines
}

fn organization(label: &str, named: &Named, columns: usize, theme: Theme) -> Vec<Line<'static>> {
    whole(label, &named.name, named.id.as_str(), columns, theme)
}

/// Name and id, both whole: this is what will be acted upon.
fn whole(label: &str, name: &str, id: &str, columns: usize, theme: Theme) -> Vec<Line<'static>> {
    let room = columns.saturating_sub(LABEL_COLUMNS);
    let mut lines: Vec<Line> = text::wrap(name, room)
        .into_iter()
        .enumerate()
        .map(|(index, part)| labelled(if index == 0 { label } else { "" }, &part, columns, theme.strong()))
        .collect();
    if let Some(spelled) = text::spelled_out(name) {
        let parts = text::wrap(&spelled, room);
        lines.extend(parts.iter().map(|part| labelled("", part, columns, theme.warning())));
    }
    let parts = text::wrap(id, room);
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
        // The hint of the field that is being filled in; of the others, only what must be typed.
        if marked || matches!(field.value, Value::Echo { .. }) {
            let parts = text::wrap(&field.hint, room);
            lines.extend(parts.iter().map(|part| labelled("", part, columns, theme.faint())));
        }
    }
    if dialog.fields.is_empty() {
        lines.push(Line::styled("enter goes on to the question", theme.faint()));
    }
    if let Some(problem) = &dialog.problem {
        lines.extend(wrapped(problem, columns, theme.bad()));
    }
    lines
}

/// Puts the terminal's cursor into the marked field, which is the line with the mark.
fn draw_field(dialog: &Dialog, lines: &[Line], theme: Theme, frame: &mut Frame, inside: Rect) {
    let Some(field) = dialog.fields.get(dialog.field) else { return };
    let is_marked = |line: &Line| line.spans.first().is_some_and(|span| span.content == theme.mark());
    let Some(row) = lines.iter().position(is_marked).and_then(|row| u16::try_from(row).ok()) else { return };
    if row >= inside.height {
        return;
    }
    let label = u16::try_from(LABEL_COLUMNS).unwrap_or(0);
    let place = Rect { x: inside.x + label, y: inside.y + row, width: inside.width.saturating_sub(label), height: 1 };
    if let Value::Text { input, .. } | Value::Echo { input, .. } = &field.value {
        finder::draw_text(input, theme, frame, place);
    }
}

/// The act itself, in exact words: what is shown here is what is sent.
fn summary(acts: &[Act], columns: usize, theme: Theme) -> Vec<Line<'static>> {
    let room = columns.saturating_sub(LABEL_COLUMNS);
    let mut lines = Vec::new();
    // Of several, each says the same but for its target.
    for (label, value) in acts.first().map(|act| &act.says).into_iter().flatten() {
        for (index, part) in text::wrap(value, room).iter().enumerate() {
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
        Span::styled("   tab, then enter", theme.faint()),
    ])
}

pub fn draw_secret(secrets: &Secrets, theme: Theme, frame: &mut Frame, area: Rect) {
    let columns = usize::from(COLUMNS.min(area.width)).saturating_sub(4);
    let Some(panel) = secrets.panels.first() else { return };
    let mut lines = vec![Line::raw("")];
    lines.extend(organization("Organization", &panel.organization, columns, theme));
    lines.push(labelled("Name", &panel.name, columns, theme.strong()));
    lines.push(labelled("", &panel.prefix, columns, theme.plain()));
    lines.push(Line::raw(""));
    lines.extend(wrapped(panel.secret.expose(), columns, theme.good()));
    lines.push(Line::raw(""));
    lines.push(Line::styled("This secret cannot be shown again.", theme.warning()));
    let note = "y copies it through the terminal, which a recording of the terminal also sees. \
                esc closes this panel and forgets the secret.";
    lines.extend(wrapped(note, columns, theme.plain()));
    if secrets.panels.len() > 1 {
        let more = format!("{} more come after it.", secrets.panels.len() - 1);
        lines.extend(wrapped(&more, columns, theme.warning()));
    }
    lines.push(Line::raw(""));
    let rows = rows_for(lines.len());
    let inside = popup("New, and shown once", (COLUMNS, rows), theme, frame, area);
    frame.render_widget(Text::from(lines), inside);
}
