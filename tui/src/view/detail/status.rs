//! Whether the organization may act, and if not, who says so and why.

use ratatui::text::{Line, Span};

use super::Panel;
use crate::graphql::OrganizationDetail;

pub fn lines(organization: &OrganizationDetail, panel: &Panel) -> Vec<Line<'static>> {
    let status = &organization.effective_status;
    let (glyph, style) = panel.theme.status(status);
    let mut lines = vec![Line::from(vec![Span::styled(format!("{glyph} {}", status.word()), style)])];
    for suspension in &organization.suspensions {
        let placed_on = if suspension.organization_id == organization.id {
            String::new()
        } else {
            let ancestor = panel.model.named(&suspension.organization_id);
            let name = ancestor.map_or_else(String::new, |named| format!("{} ", named.name));
            format!(", on {name}{}", suspension.organization_id)
        };
        let placer = suspension.placed_by_organization_id.as_ref();
        let placer = placer.and_then(|id| panel.model.named(id));
        let by = placer.map_or_else(|| suspension.placed_by.clone(), |named| named.name);
        let at = panel.time(suspension.placed_at);
        let reason = suspension.reason.as_deref().unwrap_or("no reason given");
        lines.extend(panel.wrapped(reason, panel.theme.strong()));
        lines.extend(panel.wrapped(&format!("by {by}, {at}{placed_on}"), panel.theme.plain()));
    }
    lines
}
