//! Who pays, and with which buckets.

use entity::credits::Credits;
use entity::id::{BucketId, OrganizationId};
use entity::timestamp::Timestamp;

use super::book::{Book, Leg, Organization, Wallet};
use super::draft::Draft;
use super::refusal::{Payer, Refusal, Shortage};
use super::terms::{Environment, Funding};

/// How an organization is funded: its own edge's setting, else its parent's default for children.
/// A root is isolated: there is nobody above it.
pub fn funding(book: &Book, organization: &Organization) -> Funding {
    let Some(parent) = organization.parent.and_then(|id| book.organization(id)) else {
        return Funding::Isolated;
    };
    organization.funding.unwrap_or(match parent.pool {
        config if config.primary_covers_secondary => Funding::Pooled,
        config if config.fallback_to_primary => Funding::Fallback,
        _ => Funding::Isolated,
    })
}

/// Who pays for LIVE spend of the organization, in the order they are asked. The first is its
/// `billingOrganization`. Empty when it was not loaded.
pub fn payers(book: &Book, organization: OrganizationId) -> Vec<OrganizationId> {
    let mut payers = Vec::with_capacity(2);
    let mut path = book.path(organization);
    while let Some(step) = path.next() {
        match funding(book, step) {
            Funding::Fallback => payers.push(step.id),
            Funding::Isolated => {
                payers.push(step.id);
                break;
            }
            Funding::Pooled => {
                payers.extend(path.find(|above| funding(book, above) != Funding::Pooled).map(|above| above.id));
                break;
            }
        }
    }
    payers
}

/// What a charge could take now, ancestors included: the payers' credits above their reserves, and
/// no more than the limits of the path have left. Zero for whoever may not spend at all. A key's
/// own limit is not part of it.
pub fn spendable(book: &Book, organization: OrganizationId, environment: Environment, now: Timestamp) -> Credits {
    if super::status::require_active(book, organization).is_err() {
        return Credits::ZERO;
    }
    let wallet = |id| book.wallet(id, environment);
    let funds = asked(book, organization, environment)
        .into_iter()
        .map(|id| payer(book, wallet(id), id, organization, now).spendable)
        .fold(Credits::ZERO, Credits::saturating_add);
    super::caps::left(book, organization, environment, now).map_or(funds, |left| funds.min(left))
}

fn asked(book: &Book, organization: OrganizationId, environment: Environment) -> Vec<OrganizationId> {
    match environment {
        Environment::Live => payers(book, organization),
        Environment::Test => vec![organization],
    }
}

fn payer(book: &Book, wallet: Option<&Wallet>, id: OrganizationId, spender: OrganizationId, now: Timestamp) -> Payer {
    let available = wallet.map_or(Credits::ZERO, |wallet| wallet.available(now));
    let reserve = match book.organization(id) {
        Some(payer) if id != spender => payer.minimum_reserve.floor_zero(),
        _ => Credits::ZERO,
    };
    let spendable = wallet.map_or(Credits::ZERO, |wallet| drawable(wallet, now, reserve));
    Payer { organization: id, available, reserve, spendable }
}

/// What can be taken from the wallet while `reserve` stays: an overdraft in one bucket counts
/// against the others.
pub(super) fn drawable(wallet: &Wallet, now: Timestamp, reserve: Credits) -> Credits {
    let in_buckets = draws(wallet, now, Credits::MAX).fold(Credits::ZERO, |sum, (_, part)| sum.saturating_add(part));
    wallet.available(now).saturating_sub(reserve).min(in_buckets).floor_zero()
}

/// Which buckets give how much, in the order of spending, until `amount` is reached or the wallet
/// has no more.
pub(super) fn draws(wallet: &Wallet, now: Timestamp, amount: Credits) -> impl Iterator<Item = (BucketId, Credits)> {
    let usable = wallet.buckets.iter().filter(move |bucket| !bucket.expired(now) && bucket.unheld().is_positive());
    usable.scan(amount, |missing, bucket| {
        let part = bucket.unheld().min(*missing);
        *missing = missing.saturating_sub(part);
        part.is_positive().then_some((bucket.id, part))
    })
}

/// The legs that cover `amount` in full, or the refusal. Nothing is taken yet.
pub(super) fn cover(
    draft: &Draft<'_>,
    organization: OrganizationId,
    environment: Environment,
    amount: Credits,
) -> Result<Vec<Leg>, Refusal> {
    let mut missing = amount;
    let mut legs = Vec::with_capacity(1);
    let asked = asked(draft.book, organization, environment);
    for &id in &asked {
        let Some(wallet) = draft.wallet(id, environment) else { continue };
        let share = payer(draft.book, Some(wallet), id, organization, draft.now).spendable.min(missing);
        missing = missing.saturating_sub(share);
        legs.extend(draws(wallet, draft.now, share).map(|(bucket, part)| Leg {
            organization: id,
            wallet: wallet.id,
            bucket,
            amount: part,
            captured: Credits::ZERO,
            refunded: Credits::ZERO,
        }));
        if missing.is_zero() {
            return Ok(legs);
        }
    }
    Err(short(draft, organization, environment, amount, &asked))
}

/// The refusal for `amount` that `asked` cannot cover. That reserves alone are the cause is said
/// only when the payers would cover all of it without them.
pub(super) fn short(
    draft: &Draft<'_>,
    spender: OrganizationId,
    environment: Environment,
    amount: Credits,
    asked: &[OrganizationId],
) -> Refusal {
    let payers: Vec<Payer> =
        asked.iter().map(|&id| payer(draft.book, draft.wallet(id, environment), id, spender, draft.now)).collect();
    let sum = |figure: fn(&Payer) -> Credits| payers.iter().map(figure).fold(Credits::ZERO, Credits::saturating_add);
    let spendable = sum(|payer| payer.spendable);
    let without_reserves = sum(|payer| payer.available.floor_zero());
    let shortage = Shortage { required: amount, spendable, shortfall: amount.saturating_sub(spendable), payers };
    if without_reserves >= amount {
        Refusal::ReserveProtected(shortage)
    } else {
        Refusal::InsufficientCredits(shortage)
    }
}
