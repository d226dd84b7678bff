//! How a hold ends: captured, voided or expired, and a capture refunded.
//!
//! Nobody's status is looked at: open holds still settle while an organization is suspended, and
//! after it was archived. What returns to a bucket goes on at once when the bucket has expired
//! (to the system account) or its organization is archived (to the nearest live ancestor).

use entity::credits::Credits;
use entity::id::HoldId;

use super::book::{Hold, Leg};
use super::decision::{Account, Notice, Outcome};
use super::draft::{About, Draft, positive};
use super::refusal::{Conflict, Problem, Refusal};
use super::request::Note;
use super::terms::{HoldStatus, SystemAccount, TransactionKind};
use super::{expiry, sweep};

fn known<'a>(draft: &Draft<'a>, id: HoldId) -> Result<&'a Hold, Refusal> {
    draft.book.hold(id).ok_or(Refusal::NotFound { id: id.into() })
}

fn require(hold: &Hold, status: HoldStatus) -> Result<(), Refusal> {
    if hold.status == status {
        return Ok(());
    }
    Err(Refusal::Conflict(Conflict::HoldIs { hold: hold.id, status: hold.status }))
}

fn about(hold: &Hold, kind: TransactionKind, note: Note) -> About {
    About { kind, environment: hold.environment, organization: hold.organization, hold: Some(hold.id), note }
}

/// Spends up to all of an open hold; the rest returns. A hold whose time is up can not be captured
/// even when the worker has not come by yet, so that the answer does not depend on the worker.
pub(super) fn capture(
    draft: &mut Draft<'_>,
    id: HoldId,
    amount: Option<Credits>,
    note: &Note,
) -> Result<Outcome, Refusal> {
    amount.map_or(Ok(()), |amount| positive("amount", amount))?;
    let mut hold = known(draft, id)?.clone();
    require(&hold, HoldStatus::Open)?;
    if hold.expires_at <= draft.now {
        return Err(Refusal::Conflict(Conflict::HoldTimeIsUp { hold: id, expires_at: hold.expires_at }));
    }
    let amount = amount.unwrap_or(hold.amount);
    if amount > hold.amount {
        let problem = Problem::MoreThan { most: hold.amount };
        return Err(Refusal::InvalidInput { field: "amount", problem });
    }
    let mut missing = amount;
    let mut lines = Vec::with_capacity(hold.legs.len() + 1);
    for leg in &mut hold.legs {
        leg.captured = leg.amount.min(missing);
        missing = missing.saturating_sub(leg.captured);
        draft.adjust(leg.organization, hold.environment, leg.bucket, leg.captured.neg(), leg.amount.neg())?;
        if leg.captured.is_positive() {
            lines.push((leg.account(), leg.captured.neg()));
        }
    }
    lines.push((Account::System(SystemAccount::Spent), amount));
    let transaction = draft.post(about(&hold, TransactionKind::Capture, note.clone()), lines);
    hold.status = HoldStatus::Captured;
    hold.captured = amount;
    hold.settled_at = Some(draft.now);
    let returned = hold.amount.saturating_sub(amount);
    uncount(draft, &hold, returned)?;
    for leg in hold.legs.iter().rev() {
        pass_on(draft, &hold, leg, leg.amount.saturating_sub(leg.captured))?;
    }
    draft.tell(Notice::HoldCaptured {
        hold: id,
        organization: hold.organization,
        environment: hold.environment,
        amount,
        returned,
    });
    draft.update_hold(hold);
    Ok(Outcome::Captured { hold: id, transaction, amount, returned })
}

/// Returns all of an open hold because somebody asked.
pub(super) fn void(draft: &mut Draft<'_>, id: HoldId) -> Result<Outcome, Refusal> {
    let hold = release(draft, id, HoldStatus::Voided)?;
    draft.tell(Notice::HoldVoided {
        hold: id,
        organization: hold.organization,
        environment: hold.environment,
        returned: hold.amount,
    });
    let returned = hold.amount;
    draft.update_hold(hold);
    Ok(Outcome::Voided { hold: id, returned })
}

/// Returns all of an open hold because its time is up.
pub(super) fn expire(draft: &mut Draft<'_>, id: HoldId) -> Result<Outcome, Refusal> {
    let hold = known(draft, id)?;
    require(hold, HoldStatus::Open)?;
    if hold.expires_at > draft.now {
        return Err(Refusal::Conflict(Conflict::HoldNotDue { hold: id, expires_at: hold.expires_at }));
    }
    let hold = release(draft, id, HoldStatus::Expired)?;
    draft.tell(Notice::HoldExpired {
        hold: id,
        organization: hold.organization,
        environment: hold.environment,
        returned: hold.amount,
    });
    let returned = hold.amount;
    draft.update_hold(hold);
    Ok(Outcome::Expired { hold: id, returned })
}

fn release(draft: &mut Draft<'_>, id: HoldId, status: HoldStatus) -> Result<Hold, Refusal> {
    let mut hold = known(draft, id)?.clone();
    require(&hold, HoldStatus::Open)?;
    hold.status = status;
    hold.settled_at = Some(draft.now);
    uncount(draft, &hold, hold.amount)?;
    for leg in hold.legs.iter().rev() {
        draft.adjust(leg.organization, hold.environment, leg.bucket, Credits::ZERO, leg.amount.neg())?;
        pass_on(draft, &hold, leg, leg.amount)?;
    }
    Ok(hold)
}

/// Gives captured credits back, the last leg that paid first.
pub(super) fn refund(
    draft: &mut Draft<'_>,
    id: HoldId,
    amount: Option<Credits>,
    note: &Note,
) -> Result<Outcome, Refusal> {
    amount.map_or(Ok(()), |amount| positive("amount", amount))?;
    let mut hold = known(draft, id)?.clone();
    require(&hold, HoldStatus::Captured)?;
    let most = hold.refundable();
    if most.is_zero() {
        return Err(Refusal::Conflict(Conflict::NothingToRefund { hold: id }));
    }
    let amount = amount.unwrap_or(most);
    if amount > most {
        return Err(Refusal::InvalidInput { field: "amount", problem: Problem::MoreThan { most } });
    }
    let mut missing = amount;
    let mut lines = Vec::with_capacity(hold.legs.len() + 1);
    let mut given = Vec::with_capacity(hold.legs.len());
    for leg in hold.legs.iter_mut().rev() {
        let part = leg.captured.saturating_sub(leg.refunded).min(missing);
        if !part.is_positive() {
            continue;
        }
        missing = missing.saturating_sub(part);
        leg.refunded = leg.refunded.saturating_add(part);
        draft.adjust(leg.organization, hold.environment, leg.bucket, part, Credits::ZERO)?;
        lines.push((leg.account(), part));
        given.push((*leg, part));
    }
    lines.push((Account::System(SystemAccount::Spent), amount.neg()));
    let transaction = draft.post(about(&hold, TransactionKind::Refund, note.clone()), lines);
    hold.refunded = hold.refunded.saturating_add(amount);
    uncount(draft, &hold, amount)?;
    for (leg, part) in given {
        pass_on(draft, &hold, &leg, part)?;
    }
    draft.tell(Notice::RefundMade { hold: id, organization: hold.organization, environment: hold.environment, amount });
    draft.update_hold(hold);
    Ok(Outcome::Refunded { hold: id, transaction, amount })
}

/// Takes what came back off the months the hold was taken in, whatever month it is now.
fn uncount(draft: &mut Draft<'_>, hold: &Hold, amount: Credits) -> Result<(), Refusal> {
    for &counter in &hold.counted {
        draft.count(hold.environment, counter, amount.neg())?;
    }
    Ok(())
}

/// Where credits go that came back to a leg's bucket: mostly nowhere.
fn pass_on(draft: &mut Draft<'_>, hold: &Hold, leg: &Leg, part: Credits) -> Result<(), Refusal> {
    if !part.is_positive() {
        return Ok(());
    }
    let wallet = draft.wallet(leg.organization, hold.environment);
    let bucket = wallet.and_then(|wallet| wallet.bucket(leg.bucket));
    let &bucket = bucket.ok_or(Refusal::NotFound { id: leg.bucket.into() })?;
    if bucket.expired(draft.now) {
        expiry::expire(draft, leg.organization, hold.environment, &bucket, part).map(drop)
    } else {
        sweep::returned(draft, leg.organization, hold.environment, &bucket, part)
    }
}
