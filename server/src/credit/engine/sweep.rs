//! What an archived organization leaves goes to the nearest live ancestor. LIVE credits only: test
//! credits are nobody's money and stay where they are.

use entity::credits::Credits;
use entity::id::{BucketId, OrganizationId};

use super::book::Bucket;
use super::decision::{Notice, Outcome};
use super::draft::{About, Draft};
use super::payers::{drawable, draws};
use super::refusal::{Problem, Refusal};
use super::request::Note;
use super::terms::{Environment, TransactionKind};
use super::{status, transfer};

/// Moves all that is available to an ancestor. What is held stays for its holds to settle.
pub(super) fn sweep(draft: &mut Draft<'_>, from: OrganizationId, to: OrganizationId) -> Result<Outcome, Refusal> {
    status::known(draft.book, from)?;
    status::known(draft.book, to)?;
    let wallet = status::wallet(draft.book, from, Environment::Live)?;
    let above = draft.book.path(from).skip(1).any(|step| step.id == to);
    if !above || status::archived(draft.book, to).is_some() {
        return Err(Refusal::InvalidInput { field: "to", problem: Problem::NotAnAncestor });
    }
    let amount = drawable(wallet, draft.now, Credits::ZERO);
    let parts = draws(wallet, draft.now, amount).collect();
    if !amount.is_positive() {
        return Ok(Outcome::Swept { transaction: None, amount });
    }
    let transaction = shift(draft, from, to, parts, amount)?;
    // The organization may not be marked as archived yet; it must not refill what is taken away.
    draft.mark_refill_seen(from);
    Ok(Outcome::Swept { transaction: Some(transaction), amount })
}

/// Moves what just returned to a bucket on, if its organization is archived and anybody above
/// it is not.
pub(super) fn returned(
    draft: &mut Draft<'_>,
    organization: OrganizationId,
    environment: Environment,
    bucket: &Bucket,
    part: Credits,
) -> Result<(), Refusal> {
    status::known(draft.book, organization)?;
    if environment != Environment::Live || status::archived(draft.book, organization).is_none() {
        return Ok(());
    }
    let Some(to) = status::nearest_live_ancestor(draft.book, organization) else { return Ok(()) };
    let amount = bucket.unheld().min(part);
    if amount.is_positive() {
        shift(draft, organization, to, vec![(bucket.id, amount)], amount)?;
    }
    Ok(())
}

fn shift(
    draft: &mut Draft<'_>,
    from: OrganizationId,
    to: OrganizationId,
    parts: Vec<(BucketId, Credits)>,
    amount: Credits,
) -> Result<entity::id::TransactionId, Refusal> {
    let about = About {
        kind: TransactionKind::Sweep,
        environment: Environment::Live,
        organization: from,
        hold: None,
        note: Note::default(),
    };
    let transaction = transfer::shift(draft, about, from, to, parts)?;
    draft.tell(Notice::CreditsSwept { transaction, from, to, amount });
    Ok(transaction)
}
