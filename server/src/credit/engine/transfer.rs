//! Credits moved between wallets, and credits issued.
//!
//! A moved credit keeps its origin, priority and expiry, so that moving never gives it life.

use entity::credits::Credits;
use entity::id::{BucketId, OrganizationId, TransactionId};

use super::book::{Book, Organization};
use super::decision::{Account, Notice, Outcome};
use super::draft::{About, BucketKind, Draft, positive};
use super::payers::{drawable, draws, short};
use super::refusal::{Conflict, Problem, Refusal};
use super::request::{Grant, Transfer};
use super::status;
use super::terms::{BillingMode, SystemAccount, TransactionKind};

/// Moves credits by request. Suspension does not matter: control over a suspended organization,
/// its credits included, stays with whoever is above it. Nor do reserves: those guard against
/// others' spend, and this is the source's own.
pub(super) fn transfer(draft: &mut Draft<'_>, request: &Transfer) -> Result<Outcome, Refusal> {
    let &Transfer { source, target, environment, amount, ref note } = request;
    positive("amount", amount)?;
    if source == target {
        return Err(Refusal::InvalidInput { field: "targetOrganizationId", problem: Problem::SameOrganization });
    }
    let from = status::known(draft.book, source)?;
    let to = status::known(draft.book, target)?;
    for end in [source, target] {
        status::wallet(draft.book, end, environment)?;
    }
    for end in [to, from] {
        require_not_archived(draft.book, end)?;
    }
    let mixes = |mode| mode != BillingMode::Prepaid;
    if mixes(from.billing_mode) != mixes(to.billing_mode) {
        return Err(Refusal::BillingModeMismatch { source: from.billing_mode, target: to.billing_mode });
    }
    let wallet = status::wallet(draft.book, source, environment)?;
    if drawable(wallet, draft.now, Credits::ZERO) < amount {
        return Err(short(draft, source, environment, amount, &[source]));
    }
    let parts = draws(wallet, draft.now, amount).collect();
    let about =
        About { kind: TransactionKind::Transfer, environment, organization: source, hold: None, note: note.clone() };
    let transaction = shift(draft, about, source, target, parts)?;
    draft.tell(Notice::TransferMade { transaction, source, target, environment, amount });
    Ok(Outcome::Transferred { transaction, amount })
}

fn require_not_archived(book: &Book, end: &Organization) -> Result<(), Refusal> {
    match status::archived(book, end.id) {
        Some(_) => Err(Refusal::Conflict(Conflict::Archived { organization: end.id })),
        None => Ok(()),
    }
}

/// Moves `parts`, which `source` must have, to buckets of the same kinds in `target`.
pub(super) fn shift(
    draft: &mut Draft<'_>,
    about: About,
    source: OrganizationId,
    target: OrganizationId,
    parts: Vec<(BucketId, Credits)>,
) -> Result<TransactionId, Refusal> {
    let environment = about.environment;
    let mut lines = Vec::with_capacity(parts.len() * 2);
    for (id, part) in parts {
        let wallet = draft.wallet(source, environment).ok_or(Refusal::NotFound { id: source.into() })?;
        let bucket = wallet.bucket(id).ok_or(Refusal::NotFound { id: id.into() })?;
        let (kind, wallet) = (BucketKind::from(bucket), wallet.id);
        draft.adjust(source, environment, id, part.neg(), Credits::ZERO)?;
        lines.push((Account::Bucket { organization: source, wallet, bucket: id }, part.neg()));
        let (_, into) = draft.deposit(target, environment, kind, part)?;
        lines.push((into, part));
    }
    Ok(draft.post(about, lines))
}

/// Issues credits.
pub(super) fn grant(draft: &mut Draft<'_>, request: &Grant) -> Result<Outcome, Refusal> {
    let &Grant { organization, environment, amount, origin, priority, expires_at, ref note } = request;
    positive("amount", amount)?;
    if expires_at.is_some_and(|at| at <= draft.now) {
        return Err(Refusal::InvalidInput { field: "expiresAt", problem: Problem::NotInTheFuture });
    }
    draft.issue(amount)?;
    require_not_archived(draft.book, status::known(draft.book, organization)?)?;
    let (bucket, into) =
        draft.deposit(organization, environment, BucketKind { origin, priority, expires_at }, amount)?;
    let about = About { kind: TransactionKind::Grant, environment, organization, hold: None, note: note.clone() };
    let lines = vec![(Account::System(SystemAccount::Issued), amount.neg()), (into, amount)];
    let transaction = draft.post(about, lines);
    draft.tell(Notice::GrantMade { transaction, organization, environment, amount });
    Ok(Outcome::Granted { transaction, bucket, amount })
}
