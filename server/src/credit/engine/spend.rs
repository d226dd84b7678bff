//! Charges and holds: the same decision, settled at once or later.

use std::time::Duration;

use entity::credits::Credits;

use super::book::{Hold, Leg};
use super::decision::{Account, Notice, Outcome};
use super::draft::{About, Draft, positive};
use super::refusal::{Problem, Refusal};
use super::request::{Cost, Spend};
use super::terms::{HoldStatus, SystemAccount, TransactionKind};
use super::{HOLD_DEFAULT, HOLD_MAX, caps, payers, status};

/// The amount a cost comes to. Prices and quantities are whole, so nothing is ever rounded.
fn amount_of(cost: &Cost) -> Result<Credits, Refusal> {
    match cost {
        Cost::Amount(amount) => positive("amount", *amount).map(|()| *amount),
        Cost::Metered(price) => {
            if price.quantity <= 0 {
                return Err(Refusal::InvalidInput { field: "quantity", problem: Problem::NotPositive });
            }
            positive("unitPrice", price.unit_price)?;
            let amount = price.unit_price.checked_mul(price.quantity);
            amount.ok_or(Refusal::InvalidInput { field: "quantity", problem: Problem::TooLarge })
        }
    }
}

/// A hold that is captured as it is taken.
pub(super) fn charge(draft: &mut Draft<'_>, spend: &Spend) -> Result<Outcome, Refusal> {
    let mut hold = plan(draft, spend)?;
    let amount = hold.amount;
    hold.status = HoldStatus::Captured;
    hold.captured = amount;
    hold.settled_at = Some(draft.now);
    let mut lines = Vec::with_capacity(hold.legs.len() + 1);
    for leg in &mut hold.legs {
        leg.captured = leg.amount;
        draft.adjust(leg.organization, hold.environment, leg.bucket, leg.amount.neg(), Credits::ZERO)?;
        lines.push((leg.account(), leg.amount.neg()));
    }
    lines.push((Account::System(SystemAccount::Spent), amount));
    let about = About {
        kind: TransactionKind::Charge,
        environment: hold.environment,
        organization: hold.organization,
        hold: Some(hold.id),
        note: hold.note.clone(),
    };
    let transaction = draft.post(about, lines);
    draft.tell(Notice::ChargeMade {
        hold: hold.id,
        organization: hold.organization,
        environment: hold.environment,
        amount,
        family: hold.family,
    });
    let outcome = Outcome::Charged { hold: hold.id, transaction, amount };
    draft.open_hold(hold);
    Ok(outcome)
}

/// A hold that stays open. No entry is posted: what is held is still there.
pub(super) fn hold(draft: &mut Draft<'_>, spend: &Spend, expires_in: Option<Duration>) -> Result<Outcome, Refusal> {
    let open_for = expires_in.unwrap_or(HOLD_DEFAULT);
    if open_for.is_zero() || open_for > HOLD_MAX {
        let problem = Problem::DurationOutOfRange { most_seconds: HOLD_MAX.as_secs() };
        return Err(Refusal::InvalidInput { field: "expiresInSeconds", problem });
    }
    let mut hold = plan(draft, spend)?;
    let amount = hold.amount;
    hold.expires_at = draft.now.plus(open_for);
    for leg in &hold.legs {
        draft.adjust(leg.organization, hold.environment, leg.bucket, Credits::ZERO, leg.amount)?;
    }
    let (id, expires_at) = (hold.id, hold.expires_at);
    draft.tell(Notice::HoldOpened {
        hold: id,
        organization: hold.organization,
        environment: hold.environment,
        amount,
        expires_at,
    });
    draft.open_hold(hold);
    Ok(Outcome::Held { hold: id, amount, expires_at })
}

/// Everything a spend needs to be allowed, in the order of precedence, and the legs it takes.
/// Nothing is taken from them yet.
pub(super) fn plan(draft: &mut Draft<'_>, spend: &Spend) -> Result<Hold, Refusal> {
    let amount = amount_of(&spend.cost)?;
    status::known(draft.book, spend.organization)?;
    status::wallet(draft.book, spend.organization, spend.environment)?;
    if let Some(id) = spend.family {
        let family = draft.book.family(id).ok_or(Refusal::NotFound { id: id.into() })?;
        status::known(draft.book, family.organization)?;
    }
    status::require_active(draft.book, spend.organization)?;
    let counted = caps::require_room(draft, spend.organization, spend.environment, spend.family, amount)?;
    let legs = payers::cover(draft, spend.organization, spend.environment, amount)?;
    // Not before it is covered: a count may not have room for credits that nobody has.
    for &counter in &counted {
        draft.count(spend.environment, counter, amount)?;
    }
    Ok(Hold {
        id: draft.id(),
        organization: spend.organization,
        environment: spend.environment,
        amount,
        captured: Credits::ZERO,
        refunded: Credits::ZERO,
        status: HoldStatus::Open,
        created_at: draft.now,
        expires_at: draft.now,
        settled_at: None,
        family: spend.family,
        counted,
        legs,
        price: match &spend.cost {
            Cost::Amount(_) => None,
            Cost::Metered(price) => Some(price.clone()),
        },
        note: spend.note.clone(),
    })
}

impl Leg {
    /// The account that pays.
    pub(super) fn account(&self) -> Account {
        Account::Bucket { organization: self.organization, wallet: self.wallet, bucket: self.bucket }
    }
}
