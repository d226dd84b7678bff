//! What the organization may spend in its month, and how its wallet is refilled.

use ratatui::text::{Line, Span};

use super::{LABEL_COLUMNS, Panel};
use crate::credits::Credits;
use crate::graphql::OrganizationDetail;
use crate::graphql::scalar::{RefillState, StarvedReason};
use crate::text;

const BAR_COLUMNS: usize = 10;

pub fn lines(organization: &OrganizationDetail, panel: &Panel) -> Vec<Line<'static>> {
    let limits = &organization.limits;
    let mut lines = vec![
        cap("monthly cap", limits.monthly_used, limits.monthly_credit_cap, panel),
        cap("subtree cap", limits.subtree_monthly_used, limits.subtree_monthly_cap, panel),
    ];
    lines.extend(refill(organization, panel));
    let funding = &organization.funding;
    // A root has nobody to inherit from; what it has not set is simply so.
    let inherited = if funding.inherited && organization.relation.is_some() { ", inherited" } else { "" };
    lines.extend(panel.entries(vec![
        ("funding", format!("{}{inherited}", funding.mode.word()), panel.theme.plain()),
        ("reserve", funding.minimum_reserve.to_string(), panel.theme.plain()),
        ("month ends", panel.time(limits.period_ends_at), panel.theme.plain()),
    ]));
    lines
}

fn label(label: &str, panel: &Panel) -> Span<'static> {
    Span::styled(text::column(label, LABEL_COLUMNS, ""), panel.theme.faint())
}

fn cap(name: &str, used: Credits, cap: Option<Credits>, panel: &Panel) -> Line<'static> {
    let theme = panel.theme;
    let Some(cap) = cap else {
        return Line::from(vec![label(name, panel), Span::raw(format!("none, {used} used"))]);
    };
    let words = format!("{used} of {cap}");
    let filled = filled(used, cap);
    let style = match filled {
        BAR_COLUMNS => theme.bad(),
        nearly if nearly * 10 >= BAR_COLUMNS * 8 => theme.warning(),
        _ => theme.good(),
    };
    let bar = theme.filled().repeat(filled) + &theme.unfilled().repeat(BAR_COLUMNS - filled);
    Line::from(vec![label(name, panel), Span::styled(bar, style), Span::raw(format!(" {words}"))])
}

/// How much of the bar is full; full only when the cap is reached.
fn filled(used: Credits, cap: Credits) -> usize {
    if used >= cap {
        return BAR_COLUMNS;
    }
    let tenths = i128::from(used.0.max(0)) * 10 / i128::from(cap.0.max(1));
    usize::try_from(tenths).unwrap_or(0).min(BAR_COLUMNS)
}

fn refill(organization: &OrganizationDetail, panel: &Panel) -> Vec<Line<'static>> {
    let limits = &organization.limits;
    let (Some(threshold), Some(amount)) = (limits.refill_threshold, limits.refill_amount) else {
        return vec![Line::from(vec![label("refill", panel), Span::raw("off")])];
    };
    let theme = panel.theme;
    let mut spans = vec![label("refill", panel)];
    let state = &limits.refill_state;
    let style = match state {
        RefillState::Armed => theme.good(),
        RefillState::Starved => theme.bad(),
        RefillState::Fired | RefillState::Unknown(_) => theme.plain(),
    };
    spans.push(Span::styled(format!("{} ", state.word()), style));
    spans.push(Span::raw(format!("{} below {threshold}", amount.signed())));
    let mut lines = vec![Line::from(spans)];
    let ceiling = limits.refill_monthly_ceiling;
    let ceiling = ceiling.map_or_else(String::new, |ceiling| format!(" of {ceiling}"));
    let refilled = format!("{}{ceiling} this month", limits.refilled_this_month);
    lines.push(Line::from(vec![label("", panel), Span::styled(refilled, theme.faint())]));
    if let Some(reason) = &limits.refill_reason {
        lines.push(Line::from(vec![label("", panel), Span::styled(why(reason), theme.warning())]));
    }
    lines
}

/// A refill that could not be made, in words; one the console does not know in the schema's own.
fn why(reason: &StarvedReason) -> String {
    match reason {
        StarvedReason::CeilingReached => "the month's ceiling is used up",
        StarvedReason::NoParent => "a root has nobody to be refilled from",
        StarvedReason::ParentArchived => "the parent is archived",
        StarvedReason::ParentExhausted => "the parent has too little above its reserve",
        StarvedReason::ParentSuspended => "the parent is suspended",
        StarvedReason::Unknown(word) => return crate::text::neutral(word),
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_full_only_at_the_cap() {
        let bar = |used, cap| filled(Credits(used), Credits(cap));
        assert_eq!(bar(0, 1000), 0);
        assert_eq!(bar(999, 1000), 9);
        assert_eq!(bar(1000, 1000), 10);
        assert_eq!(bar(5, 0), 10);
        assert_eq!(bar(crate::credits::CREDITS_MAX - 1, crate::credits::CREDITS_MAX), 9);
    }
}
