//! Monthly limits: what counts where, and whether one more amount fits.

use entity::credits::Credits;
use entity::id::{KeyFamilyId, OrganizationId};
use entity::timestamp::Timestamp;
use jiff::tz::TimeZone;

use super::CAP_WARNING_PERCENTS;
use super::book::{Book, Counter, CounterSubject};
use super::decision::Notice;
use super::draft::Draft;
use super::month::Month;
use super::refusal::{Cap, Refusal};
use super::status::known;
use super::terms::Environment;

/// One place where spend counts, with the limit there, if there is one.
struct Meter<'a> {
    counter: Counter,
    cap: Cap,
    limit: Option<Credits>,
    zone: &'a TimeZone,
}

/// Where spend of the organization counts, in the order the limits are looked at: the nearest
/// first, and no limit makes another moot.
fn meters(
    book: &Book,
    organization: OrganizationId,
    environment: Environment,
    family: Option<KeyFamilyId>,
    now: Timestamp,
) -> Result<Vec<Meter<'_>>, Refusal> {
    let own = known(book, organization)?;
    let mut meters = Vec::with_capacity(8);
    meters.push(Meter {
        counter: Counter { subject: CounterSubject::Own(organization), month: Month::of(now, &own.time_zone) },
        cap: Cap::Own(organization),
        limit: own.limits.monthly_credit_cap,
        zone: &own.time_zone,
    });
    if environment == Environment::Live {
        meters.extend(book.path(organization).map(|step| Meter {
            counter: Counter { subject: CounterSubject::Subtree(step.id), month: Month::of(now, &step.time_zone) },
            cap: Cap::Subtree(step.id),
            limit: step.limits.subtree_monthly_cap,
            zone: &step.time_zone,
        }));
    }
    if let Some(id) = family {
        let family = book.family(id).ok_or(Refusal::NotFound { id: id.into() })?;
        let zone = &known(book, family.organization)?.time_zone;
        meters.push(Meter {
            counter: Counter { subject: CounterSubject::Family(id), month: Month::of(now, zone) },
            cap: Cap::Family(id),
            limit: family.monthly_limit,
            zone,
        });
    }
    Ok(meters)
}

/// Where `amount` is to be counted, or the refusal by the first limit that has too little left.
/// Nothing is counted yet.
pub(super) fn require_room(
    draft: &mut Draft<'_>,
    organization: OrganizationId,
    environment: Environment,
    family: Option<KeyFamilyId>,
    amount: Credits,
) -> Result<Vec<Counter>, Refusal> {
    let meters = meters(draft.book, organization, environment, family, draft.now)?;
    for meter in &meters {
        let Some(limit) = meter.limit else { continue };
        let used = draft.used(environment, meter.counter);
        let resets_at = meter.counter.month.end(meter.zone);
        if used.checked_add(amount).is_none_or(|after| after > limit) {
            return Err(Refusal::CapExceeded { cap: meter.cap, limit, used, requested: amount, resets_at });
        }
        let after = used.saturating_add(amount);
        for percent in CAP_WARNING_PERCENTS {
            if !reaches(used, percent, limit) && reaches(after, percent, limit) {
                draft.tell(Notice::CapWarning { cap: meter.cap, percent, limit, used: after, resets_at });
            }
        }
    }
    Ok(meters.into_iter().map(|meter| meter.counter).collect())
}

fn reaches(used: Credits, percent: i64, limit: Credits) -> bool {
    i128::from(used.get()) * 100 >= i128::from(limit.get()) * i128::from(percent)
}

/// The least that the limits of the path leave, without a key's; none where nothing limits.
pub(super) fn left(
    book: &Book,
    organization: OrganizationId,
    environment: Environment,
    now: Timestamp,
) -> Option<Credits> {
    let meters = meters(book, organization, environment, None, now).ok()?;
    let left = |meter: &Meter<'_>| Some(meter.limit?.saturating_sub(book.used(environment, meter.counter)));
    meters.iter().filter_map(left).min().map(Credits::floor_zero)
}
