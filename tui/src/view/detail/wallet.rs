//! The organization's credits, moving as they are charged.

use ratatui::text::{Line, Span};

use super::Panel;
use crate::credits::Credits;
use crate::graphql::{Environment, OrganizationDetail};

const AMOUNT_COLUMNS: usize = 12;

pub fn aside(organization: &OrganizationDetail, panel: &Panel) -> Option<Span<'static>> {
    let wallet = organization.wallet.as_ref()?;
    let theme = panel.theme;
    let link = &panel.model.link;
    Some(match (link.follows_wallets(), link.stale_since, link.wallets_refused()) {
        (true, None, _) => {
            let words = match wallet.environment {
                Environment::Test => "test credits, live",
                Environment::Live | Environment::Unknown(_) => "live",
            };
            Span::styled(words, theme.good())
        }
        (false, None, Some(errors)) => {
            let why = errors.first().map_or_else(String::new, ToString::to_string);
            Span::styled(format!("not live: {why}"), theme.warning())
        }
        _ => Span::styled("not live", theme.warning()),
    })
}

pub fn lines(organization: &OrganizationDetail, panel: &Panel) -> Vec<Line<'static>> {
    let Some(wallet) = &organization.wallet else { return Vec::new() };
    let columns = AMOUNT_COLUMNS.min(panel.value_columns());
    let amount = |label, amount: Credits| {
        let style = match amount.0 {
            negative if negative < 0 => panel.theme.bad(),
            _ => panel.theme.strong(),
        };
        (label, format!("{amount:>columns$}"), style)
    };
    let mut lines = panel.entries(vec![
        amount("balance", wallet.balance),
        amount("held", wallet.held),
        amount("available", wallet.available),
        amount("spendable", wallet.spendable),
    ]);
    if let Some(movement) = panel.model.detail.movement {
        lines.push(Line::from(vec![
            Span::styled("last change   ", panel.theme.faint()),
            Span::styled(
                format!("{:>columns$}", movement.signed()),
                match movement.0 {
                    down if down < 0 => panel.theme.warning(),
                    _ => panel.theme.good(),
                },
            ),
        ]));
    }
    lines
}
