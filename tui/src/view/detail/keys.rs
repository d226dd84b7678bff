//! The organization's API keys, briefly.

use ratatui::text::{Line, Span};

use super::Panel;
use crate::graphql::OrganizationDetail;
use crate::graphql::scalar::ApiKeyStatus;
use crate::text;

pub fn aside(organization: &OrganizationDetail, panel: &Panel) -> Option<Span<'static>> {
    let keys = organization.api_keys.as_ref()?;
    let more = if keys.page_info.has_next_page { " and more" } else { "" };
    Some(Span::styled(format!("{}{more}", keys.nodes.len()), panel.theme.faint()))
}

pub fn lines(organization: &OrganizationDetail, panel: &Panel) -> Vec<Line<'static>> {
    let Some(keys) = &organization.api_keys else { return Vec::new() };
    let theme = panel.theme;
    let name_columns = (panel.columns / 3).clamp(12, 24);
    let mut lines = Vec::new();
    for key in &keys.nodes {
        let (glyph, style) = match &key.status {
            ApiKeyStatus::Active => ("*", theme.good()),
            ApiKeyStatus::Superseded => ("~", theme.warning()),
            ApiKeyStatus::Revoked | ApiKeyStatus::Expired => ("x", theme.faint()),
            ApiKeyStatus::Unknown(_) => ("?", theme.plain()),
        };
        let room = panel.columns.saturating_sub(name_columns + 3);
        let used = key.last_used_at.map_or_else(|| "never used".to_owned(), |at| format!("used {}", panel.time(at)));
        let about = format!("{}  {used}", key.environment.word());
        lines.push(Line::from(vec![
            Span::styled(format!("{glyph} "), style),
            Span::raw(text::column(&key.name, name_columns, theme.cut())),
            Span::styled(format!(" {}", text::fit(&about, room, theme.cut())), theme.plain()),
        ]));
        // A scope left out could be the one that matters: they stand whole, on as many lines as it
        // takes. What else there is to know of a key stands in its list.
        let indented = text::wrap(&key.scopes.join(" "), panel.columns.saturating_sub(2));
        lines.extend(indented.into_iter().map(|line| Line::styled(format!("  {line}"), theme.faint())));
    }
    lines
}
