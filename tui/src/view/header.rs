//! The two lines on top: gateway, principal and connection; then where in the tree we are.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::theme::Theme;
use crate::graphql::OrganizationId;
use crate::graphql::scalar::PrincipalKind;
use crate::model::Model;
use crate::model::link::LinkState;
use crate::model::list::List;
use crate::model::place::Place;
use crate::text;

/// Name and gateway keep this much, however much there is to say about the connection.
const GATEWAY_COLUMNS_MIN: usize = 26;

pub fn draw(model: &Model, theme: Theme, frame: &mut Frame, area: Rect) {
    let (state, style) = link(model, theme);
    let columns = usize::from(area.width);
    let state = text::fit(&state, columns.saturating_sub(GATEWAY_COLUMNS_MIN), theme.cut());
    let room = columns.saturating_sub(text::width(&state) + 2);
    let mut left = format!(" {}", text::neutral(&model.settings.gateway));
    let band = model.settings.profile.as_deref().map(|name| band(name, model));
    if let Some(principal) = principal(model) {
        left.push_str("  ");
        left.push_str(&principal);
    }
    if model.settings.read_only {
        left.push_str("  read-only");
    }
    let name = " Banyan";
    let taken = name.len() + band.as_deref().map_or(0, |band| text::width(band) + 1);
    let left = text::column(&left, room.saturating_sub(taken), theme.cut());
    let mut spans = vec![Span::styled(name, theme.heading())];
    if let Some(band) = band {
        spans.push(Span::raw(" "));
        spans.push(Span::styled(band, theme.band(&model.settings)));
    }
    spans.extend([Span::styled(left, theme.plain()), Span::styled(format!(" {state} "), style)]);
    frame.render_widget(Line::from(spans), area);
}

/// The profile's name; production says so in words, for those who see no colour.
fn band(name: &str, model: &Model) -> String {
    let name = text::neutral(name);
    let word = if model.settings.production && !name.to_lowercase().contains("prod") { " PRODUCTION" } else { "" };
    format!(" {name}{word} ")
}

fn principal(model: &Model) -> Option<String> {
    let viewer = model.viewer.as_ref()?;
    let name = viewer.organization.as_ref().map(|own| text::neutral(&own.name));
    Some(match (&viewer.kind, name) {
        (PrincipalKind::Operator, _) => "operator".to_owned(),
        (PrincipalKind::ApiKey, Some(name)) => format!("key of {name}"),
        (_, Some(name)) => name,
        (kind, None) => kind.word().to_lowercase(),
    })
}

fn link(model: &Model, theme: Theme) -> (String, Style) {
    if let Some(frozen) = model.frozen {
        let since = age(model.now.duration_since(frozen.since));
        return (format!("FROZEN {since}, {} changes since, z goes on", frozen.changes), theme.warning());
    }
    let age = model.age().map(age);
    match (&model.link.state, age) {
        (LinkState::WithoutKey, _) => ("no key".to_owned(), theme.warning()),
        (LinkState::Connecting, None) => ("connecting".to_owned(), theme.faint()),
        (LinkState::Connecting, Some(age)) => (format!("STALE {age}, reconnecting"), theme.warning()),
        (LinkState::Live, None) => ("* live".to_owned(), theme.good()),
        (LinkState::Live, Some(age)) => (format!("STALE {age}, catching up"), theme.warning()),
        (LinkState::Lost { reason, attempt, .. }, age) => {
            let age = age.unwrap_or_default();
            (format!("STALE {age}, reconnecting ({attempt}): {reason}"), theme.warning())
        }
        (LinkState::Refused { code, reason }, _) => (format!("REFUSED {code}, r asks again: {reason}"), theme.bad()),
    }
}

fn age(age: jiff::SignedDuration) -> String {
    match age.as_secs() {
        seconds if seconds < 60 => format!("{seconds}s"),
        seconds if seconds < 3600 => format!("{}m", seconds / 60),
        seconds => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
    }
}

/// How the list was come by: the places before it and itself, each after whose it is where that changes.
fn trail(model: &Model, list: &List) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut of: Option<&OrganizationId> = None;
    // What was looked at before the tree was come back to is another story.
    let trail = model.places.trail();
    let since = trail.iter().rposition(|place| matches!(place, Place::Tree)).unwrap_or(0);
    let before = trail[since..].iter().map(|place| match place {
        Place::Tree => None,
        Place::List(list) => Some(&**list),
    });
    for place in before.chain([Some(list)]) {
        let Some(list) = place else {
            names.push("tree".to_owned());
            continue;
        };
        if let Some(named) = list.organization.as_ref().filter(|named| Some(&named.id) != of) {
            of = Some(&named.id);
            names.push(text::neutral(&named.name));
        }
        names.extend(list.holder.as_ref().map(|holder| text::neutral(&holder.name)));
        names.push(list.resource.name.to_owned());
    }
    if let (Some(last), false) = (names.last_mut(), list.filter.is_empty()) {
        last.push_str(&format!(" /{}", text::neutral(&list.filter.text)));
    }
    names
}

pub fn draw_crumbs(model: &Model, theme: Theme, frame: &mut Frame, area: Rect) {
    let mut names = match &model.places.here {
        Place::Tree => {
            let path = model.tree.path();
            let names = path.iter().filter_map(|id| model.organizations.get(*id));
            names.map(|organization| text::neutral(&organization.name)).collect()
        }
        Place::List(list) => trail(model, list),
    };
    let separator = theme.crumb();
    let room = usize::from(area.width).saturating_sub(2);
    let mut cut = false;
    // The near end matters most, so it is the far end that gives way.
    while names.len() > 1 && text::width(&names.join(separator)) + text::width(theme.cut()) + 3 > room {
        names.remove(0);
        cut = true;
    }
    let mut spans = vec![Span::raw(" ")];
    if cut {
        spans.push(Span::styled(format!("{}{separator}", theme.cut()), theme.faint()));
    }
    let last = names.len().saturating_sub(1);
    for (index, name) in names.into_iter().enumerate() {
        if index == last {
            spans.push(Span::styled(text::fit(&name, room, theme.cut()), theme.strong()));
        } else {
            spans.push(Span::styled(format!("{name}{separator}"), theme.faint()));
        }
    }
    frame.render_widget(Line::from(spans), area);
}
