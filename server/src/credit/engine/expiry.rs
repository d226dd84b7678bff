//! Credits whose time is up go to the system account `EXPIRED`.

use entity::credits::Credits;
use entity::id::{BucketId, OrganizationId, TransactionId};

use super::book::Bucket;
use super::decision::{Account, Notice, Outcome};
use super::draft::{About, Draft};
use super::refusal::{Conflict, Refusal};
use super::request::Note;
use super::terms::{Environment, SystemAccount, TransactionKind};

/// Takes what nobody holds of an expired bucket. The held part survives until its holds settle.
pub(super) fn expire_bucket(
    draft: &mut Draft<'_>,
    organization: OrganizationId,
    environment: Environment,
    id: BucketId,
) -> Result<Outcome, Refusal> {
    let bucket = draft.wallet(organization, environment).and_then(|wallet| wallet.bucket(id));
    let &bucket = bucket.ok_or(Refusal::NotFound { id: id.into() })?;
    if !bucket.expired(draft.now) {
        return Err(Refusal::Conflict(Conflict::BucketNotDue { bucket: id }));
    }
    let transaction = expire(draft, organization, environment, &bucket, Credits::MAX)?;
    let amount = transaction.map_or(Credits::ZERO, |_| bucket.unheld());
    Ok(Outcome::BucketExpired { transaction, amount })
}

/// Takes at most `most` of what the bucket has unheld.
pub(super) fn expire(
    draft: &mut Draft<'_>,
    organization: OrganizationId,
    environment: Environment,
    bucket: &Bucket,
    most: Credits,
) -> Result<Option<TransactionId>, Refusal> {
    let amount = bucket.unheld().min(most);
    let Some(wallet) = draft.wallet(organization, environment).map(|wallet| wallet.id) else { return Ok(None) };
    if !amount.is_positive() {
        return Ok(None);
    }
    draft.adjust(organization, environment, bucket.id, amount.neg(), Credits::ZERO)?;
    let about = About { kind: TransactionKind::Expiry, environment, organization, hold: None, note: Note::default() };
    let from = Account::Bucket { organization, wallet, bucket: bucket.id };
    let lines = vec![(from, amount.neg()), (Account::System(SystemAccount::Expired), amount)];
    let transaction = draft.post(about, lines);
    draft.tell(Notice::CreditsExpired { transaction, organization, environment, bucket: bucket.id, amount });
    Ok(Some(transaction))
}
