//! The organization's own data.

use ratatui::text::{Line, Span};

use super::{LABEL_COLUMNS, Panel};
use crate::graphql::OrganizationDetail;
use crate::text;

pub fn lines(organization: &OrganizationDetail, panel: &Panel) -> Vec<Line<'static>> {
    let theme = panel.theme;
    let given = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    let relation = organization.relation.as_ref().map_or("root", |relation| relation.word());
    let delegation: Vec<&str> = organization.delegation.iter().map(|d| d.word()).collect();
    let delegation = match delegation.is_empty() {
        true => "-".to_owned(),
        false => delegation.join(" "),
    };
    let country = organization.country.as_ref().map(|country| country.0.clone());
    let currency = organization.base_currency.as_ref().map(|currency| currency.0.clone());
    let payer = organization.billing_organization.as_ref();
    let payer = payer.map_or_else(|| "-".to_owned(), |payer| payer.name.clone());
    // The id is what somebody will copy, and a delegation left out would look refused: never cut,
    // so each has a line of its own.
    let whole = |label, value: &str| {
        let label = Span::styled(text::column(label, LABEL_COLUMNS, ""), theme.faint());
        Line::from(vec![label, Span::styled(text::neutral(value), theme.plain())])
    };
    let mut lines = vec![whole("id", organization.id.as_str()), whole("delegation", &delegation)];
    let entries = vec![
        ("external id", given(&organization.external_id)),
        ("e-mail", given(&organization.email)),
        ("relation", relation.to_owned()),
        ("tier", organization.tier.word().to_owned()),
        ("billing", organization.billing_mode.word().to_owned()),
        ("payer", payer),
        ("country", given(&country)),
        ("currency", given(&currency)),
        ("time zone", organization.timezone.clone()),
        ("created", panel.time(organization.created_at)),
    ];
    let plain = entries.into_iter().map(|(label, value)| (label, value, theme.plain()));
    lines.extend(panel.entries(plain.collect()));
    lines
}
