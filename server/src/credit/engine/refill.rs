//! Wallets that fill themselves from their parent when they run low.
//!
//! A state machine, not a loop: every decision looks once at each LIVE wallet it touched, those that
//! gave to a refill included.
//!
//! - available ≥ threshold, or no refill set: `ARMED`
//! - below, and made good: `FIRED`
//! - below, and not: `STARVED` with the first reason that stood in the way. Tried again by the next
//!   decision that touches the wallet; told only when it begins.
//!
//! It moves the smallest multiple of `refillAmount` that reaches the threshold, within the month's
//! ceiling and the parent's reserve; when not all of it fits, the largest multiple that does. The
//! parent refills itself first, by what it will lack after giving. Refills are no spend and touch no
//! cap. A suspended organization's refill pauses in the state it is in; an archived one's is over.

use entity::credits::Credits;
use entity::id::OrganizationId;

use super::ANCESTORS_MAX;
use super::book::{Counter, CounterSubject, Organization};
use super::decision::{Notice, Outcome};
use super::draft::{About, Draft};
use super::month::Month;
use super::payers::{drawable, draws};
use super::refusal::Refusal;
use super::request::Note;
use super::terms::{Environment, RefillState, StarvedReason, TransactionKind};
use super::{status, transfer};

/// Looks at every LIVE wallet the draft touched, those touched by refilling included.
pub(super) fn settle(draft: &mut Draft<'_>) -> Result<(), Refusal> {
    while let Some(organization) = draft.refill_unseen() {
        if let Some(state) = top_up(draft, organization, Credits::ZERO, ANCESTORS_MAX)? {
            enter(draft, organization, state)?;
        }
        draft.mark_refill_seen(organization);
    }
    Ok(())
}

/// Forgets that the wallet starved and looks at it anew.
pub(super) fn rearm(draft: &mut Draft<'_>, organization: OrganizationId) -> Result<Outcome, Refusal> {
    status::known(draft.book, organization)?;
    draft.set_refill(organization, RefillState::Armed)?;
    settle(draft)?;
    let state = draft.wallet(organization, Environment::Live).map(|wallet| wallet.refill).unwrap_or_default();
    Ok(Outcome::RefillRearmed { state })
}

/// Brings a wallet to its threshold, counted as if `lent` were already taken from it. Gives the state
/// that leaves it in; none while it is paused. With something lent that state is only a forecast.
fn top_up(
    draft: &mut Draft<'_>,
    id: OrganizationId,
    lent: Credits,
    steps_left: usize,
) -> Result<Option<RefillState>, Refusal> {
    let organization = status::known(draft.book, id)?;
    let Some(wallet) = draft.wallet(id, Environment::Live) else { return Ok(None) };
    let available = wallet.available(draft.now).saturating_sub(lent);
    let limits = &organization.limits;
    let (threshold, step) = match (limits.refill_threshold, limits.refill_amount) {
        (Some(threshold), Some(step)) if step.is_positive() => (threshold, step),
        _ => return Ok(Some(RefillState::Armed)),
    };
    if available >= threshold {
        return Ok(Some(if draft.refilled(id) { RefillState::Fired } else { RefillState::Armed }));
    }
    if organization.archived || organization.suspended || steps_left == 0 {
        return Ok(None);
    }
    let lacking = threshold.saturating_sub(available).get();
    let steps = lacking.div_euclid(step.get()) + i64::from(lacking.rem_euclid(step.get()) != 0);
    let reason = draw_from_parent(draft, organization, step, steps, steps_left)?;
    Ok(Some(reason.map_or(RefillState::Fired, RefillState::Starved)))
}

/// Moves up to `steps` times `step` from the parent; gives the reason when it was less.
fn draw_from_parent(
    draft: &mut Draft<'_>,
    organization: &Organization,
    step: Credits,
    steps: i64,
    steps_left: usize,
) -> Result<Option<StarvedReason>, Refusal> {
    let book = draft.book;
    let Some(parent) = organization.parent.and_then(|parent| book.organization(parent)) else {
        return Ok(Some(StarvedReason::NoParent));
    };
    if status::archived(book, parent.id).is_some() {
        return Ok(Some(StarvedReason::ParentArchived));
    }
    if status::suspended(book, parent.id).is_some() {
        return Ok(Some(StarvedReason::ParentSuspended));
    }
    let counter = Counter {
        subject: CounterSubject::Refill(organization.id),
        month: Month::of(draft.now, &organization.time_zone),
    };
    let ceiling = organization.limits.refill_monthly_ceiling.unwrap_or(Credits::MAX);
    let room = ceiling.saturating_sub(draft.used(Environment::Live, counter)).floor_zero();
    let allowed = steps.min(whole_steps(room, step));
    if allowed == 0 {
        return Ok(Some(StarvedReason::CeilingReached));
    }
    let wanted = step.checked_mul(allowed).unwrap_or(Credits::MAX);
    top_up(draft, parent.id, wanted, steps_left - 1)?;
    let reserve = parent.minimum_reserve.floor_zero();
    let wallet = draft.wallet(parent.id, Environment::Live);
    let spendable = wallet.map_or(Credits::ZERO, |wallet| drawable(wallet, draft.now, reserve));
    let moved = allowed.min(whole_steps(spendable, step));
    if let (Some(wallet), Some(amount), true) = (wallet, step.checked_mul(moved), moved > 0) {
        let parts = draws(wallet, draft.now, amount).collect();
        let about = About {
            kind: TransactionKind::Refill,
            environment: Environment::Live,
            organization: organization.id,
            hold: None,
            note: Note::default(),
        };
        let transaction = transfer::shift(draft, about, parent.id, organization.id, parts)?;
        draft.count(Environment::Live, counter, amount)?;
        draft.tell(Notice::RefillFired { transaction, organization: organization.id, parent: parent.id, amount });
        draft.mark_refilled(organization.id);
    }
    Ok(match moved {
        moved if moved == steps => None,
        moved if moved == allowed => Some(StarvedReason::CeilingReached),
        _ => Some(StarvedReason::ParentExhausted),
    })
}

fn whole_steps(amount: Credits, step: Credits) -> i64 {
    amount.get() / step.get()
}

fn enter(draft: &mut Draft<'_>, organization: OrganizationId, after: RefillState) -> Result<(), Refusal> {
    let before = draft.wallet(organization, Environment::Live).map(|wallet| wallet.refill).unwrap_or_default();
    if let (RefillState::Armed | RefillState::Fired, RefillState::Starved(reason)) = (before, after) {
        draft.tell(Notice::RefillStarved { organization, reason });
    }
    draft.set_refill(organization, after)
}
