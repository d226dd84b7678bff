//! The newest entries of the organization's ledger.

use ratatui::text::{Line, Span};

use super::Panel;
use crate::graphql::OrganizationDetail;
use crate::text;

const KIND_COLUMNS: usize = 9;
const AMOUNT_COLUMNS: usize = 11;

pub fn aside(organization: &OrganizationDetail, panel: &Panel) -> Option<Span<'static>> {
    organization.ledger_entries.as_ref()?;
    Some(Span::styled("newest first, times in UTC", panel.theme.faint()))
}

pub fn lines(organization: &OrganizationDetail, panel: &Panel) -> Vec<Line<'static>> {
    let Some(entries) = &organization.ledger_entries else { return Vec::new() };
    let theme = panel.theme;
    let wide = panel.columns >= 60;
    let mut lines = Vec::new();
    for entry in &entries.nodes {
        let format = if wide { "%Y-%m-%d %H:%M:%S" } else { "%m-%d %H:%M" };
        let time = entry.created_at.strftime(format).to_string();
        let amount_style = if entry.amount.0 < 0 { theme.plain() } else { theme.good() };
        let mut spans = vec![
            Span::styled(format!("{time} "), theme.faint()),
            Span::raw(text::column(entry.kind.word(), KIND_COLUMNS, theme.cut())),
            Span::styled(format!("{:>AMOUNT_COLUMNS$}", entry.amount.signed()), amount_style),
            Span::raw(format!("{:>AMOUNT_COLUMNS$} ", entry.balance_after)),
        ];
        let used: usize = spans.iter().map(Span::width).sum();
        let description = entry.description.as_deref().unwrap_or_default();
        let room = panel.columns.saturating_sub(used);
        spans.push(Span::styled(text::fit(description, room, theme.cut()), theme.faint()));
        lines.push(Line::from(spans));
    }
    lines
}
