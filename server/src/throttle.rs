//! How much one caller may ask of this gateway: requests a minute of a key family, points of a family and of a root.
//!
//! Each is a bucket that begins full, is drawn from before an operation runs, and fills again evenly. A family's buckets
//! outlive a rotation. An operation that any of its buckets does not cover draws from none.
//!
//! Buckets are in memory: N gateways let a caller have up to N times as much, and a restart fills them. So they protect a
//! gateway from its callers and are no account of use; what must be exact, such as a spend limit, is in the database. Of
//! more than [`BUCKETS_MAX`] the one used longest ago is forgotten, which fills it.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::StatusCode;
use entity::id::{KeyFamilyId, OrganizationId, RealmId};
use entity::timestamp::Timestamp;
use lru::LruCache;

use crate::http::{self, Allowance, TopLevelError};
use crate::kernel::clock::Clock;
use crate::kernel::error::ErrorCode;

/// Buckets remembered, some 100 bytes each.
const BUCKETS_MAX: usize = 100_000;
/// A bucket of points holds what comes back in so many seconds.
const POINTS_BURST_SECONDS: u64 = 10;
const SECOND_MICROS: u64 = 1_000_000;
const MINUTE_MICROS: u64 = 60 * SECOND_MICROS;

/// Points that come back each second; 0 does not count points.
#[derive(Clone, Copy, Debug)]
pub struct PointLimits {
    pub key_per_second: u64,
    pub root_per_second: u64,
    /// The dearest document there is. A bucket holds at least that, or it could never be asked.
    pub document_max: u64,
}

/// How much a bucket holds, and how much of it comes back in how long.
#[derive(Clone, Copy, Debug)]
struct Rate {
    maximum: u64,
    restored: u64,
    per_micros: u64,
}

impl Rate {
    fn points(per_second: u64, document_max: u64) -> Option<Self> {
        let maximum = per_second.saturating_mul(POINTS_BURST_SECONDS).max(document_max);
        (per_second > 0).then_some(Self { maximum, restored: per_second, per_micros: SECOND_MICROS })
    }

    fn requests(per_minute: i64) -> Option<Self> {
        let restored = u64::try_from(per_minute).ok().filter(|limit| *limit > 0)?;
        Some(Self { maximum: restored, restored, per_micros: MINUTE_MICROS })
    }

    fn full(self) -> u128 {
        u128::from(self.maximum) * u128::from(self.per_micros)
    }
}

/// What is in a bucket, in units times the rate's microseconds: nothing is lost to rounding however often it is asked.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    level: u128,
    at: Timestamp,
}

impl Bucket {
    fn at(self, now: Timestamp, rate: Rate) -> Self {
        // A clock that goes back restores nothing.
        let elapsed = u128::try_from(now.as_micros().saturating_sub(self.at.as_micros())).unwrap_or(0);
        let level = self.level.saturating_add(elapsed * u128::from(rate.restored)).min(rate.full());
        Self { level, at: now }
    }

    /// What is left, or the microseconds until there is enough.
    fn without(self, units: u64, rate: Rate) -> Result<Self, u128> {
        let wanted = u128::from(units) * u128::from(rate.per_micros);
        match self.level.checked_sub(wanted) {
            Some(level) => Ok(Self { level, at: self.at }),
            None => Err((wanted - self.level).div_ceil(u128::from(rate.restored))),
        }
    }

    fn with(self, units: u64, rate: Rate) -> Self {
        let level = self.level + u128::from(units) * u128::from(rate.per_micros);
        Self { level: level.min(rate.full()), at: self.at }
    }

    fn allowance(self, rate: Rate) -> Allowance {
        let available = u64::try_from(self.level / u128::from(rate.per_micros)).unwrap_or(rate.maximum);
        Allowance { maximum: rate.maximum, available, restored: rate.restored }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Whose {
    RequestsOfFamily(RealmId, KeyFamilyId),
    PointsOfFamily(RealmId, KeyFamilyId),
    PointsOfRoot(RealmId, OrganizationId),
}

/// All buckets of this gateway. Clones share them.
#[derive(Clone)]
pub struct Throttle {
    clock: Arc<dyn Clock>,
    limits: PointLimits,
    buckets: Arc<Mutex<LruCache<Whose, Bucket>>>,
}

impl Throttle {
    pub fn new(clock: Arc<dyn Clock>, limits: PointLimits) -> Self {
        Self::remembering(clock, limits, BUCKETS_MAX)
    }

    fn remembering(clock: Arc<dyn Clock>, limits: PointLimits, buckets: usize) -> Self {
        let capacity = NonZeroUsize::new(buckets).unwrap_or(NonZeroUsize::MIN);
        Self { clock, limits, buckets: Arc::new(Mutex::new(LruCache::new(capacity))) }
    }

    /// The limits of a key: its family's requests a minute, if it has such a limit, and points of its family and of the
    /// root of its tree.
    pub fn of(
        &self,
        realm: RealmId,
        family: KeyFamilyId,
        root: OrganizationId,
        rate_limit: Option<i64>,
    ) -> KeyThrottle {
        let limits = self.limits;
        KeyThrottle {
            requests: rate_limit.and_then(Rate::requests).map(|rate| (Whose::RequestsOfFamily(realm, family), rate)),
            key: Rate::points(limits.key_per_second, limits.document_max)
                .map(|rate| (Whose::PointsOfFamily(realm, family), rate)),
            root: Rate::points(limits.root_per_second, limits.document_max)
                .map(|rate| (Whose::PointsOfRoot(realm, root), rate)),
            throttle: self.clone(),
        }
    }
}

type Limit = Option<(Whose, Rate)>;

/// The limits of one key.
#[derive(Clone)]
pub struct KeyThrottle {
    throttle: Throttle,
    requests: Limit,
    key: Limit,
    root: Limit,
}

/// What is left of each limit; `None` where there is no limit.
#[derive(Clone, Copy, Debug)]
pub struct Left {
    /// Comes back by the minute.
    pub requests: Option<Allowance>,
    /// Comes back by the second, as the root's.
    pub key_points: Option<Allowance>,
    pub root_points: Option<Allowance>,
}

impl KeyThrottle {
    pub fn left_of_each(&self) -> Left {
        let now = self.throttle.clock.now();
        let buckets = self.throttle.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let left = |limit: Limit| limit.map(|(whose, rate)| current(&buckets, whose, rate, now).allowance(rate));
        Left { requests: left(self.requests), key_points: left(self.key), root_points: left(self.root) }
    }

    fn points(&self) -> impl Iterator<Item = (Whose, Rate)> {
        [self.key, self.root].into_iter().flatten()
    }
}

/// What is never drawn from is full and takes no memory.
fn current(buckets: &LruCache<Whose, Bucket>, whose: Whose, rate: Rate, now: Timestamp) -> Bucket {
    match buckets.peek(&whose) {
        Some(bucket) => bucket.at(now, rate),
        None => Bucket { level: rate.full(), at: now },
    }
}

impl http::Throttle for KeyThrottle {
    fn take(&self, points: u64) -> Result<(), TopLevelError> {
        let now = self.throttle.clock.now();
        let asked = self.requests.map(|limit| (limit, 1)).into_iter().chain(self.points().map(|limit| (limit, points)));
        let mut buckets = self.throttle.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let mut drawn = Vec::with_capacity(3);
        for ((whose, rate), units) in asked {
            match current(&buckets, whose, rate, now).without(units, rate) {
                Ok(bucket) => drawn.push((whose, bucket)),
                Err(micros) => return Err(limited(whose, rate, units, micros)),
            }
        }
        for (whose, bucket) in drawn {
            buckets.put(whose, bucket);
        }
        Ok(())
    }

    fn give_back(&self, points: u64) {
        if points == 0 {
            return;
        }
        let now = self.throttle.clock.now();
        let mut buckets = self.throttle.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        for (whose, rate) in self.points() {
            let bucket = current(&buckets, whose, rate, now).with(points, rate);
            buckets.put(whose, bucket);
        }
    }

    fn left(&self) -> Option<Allowance> {
        let left = self.left_of_each();
        left.key_points.into_iter().chain(left.root_points).min_by_key(|allowance| allowance.available)
    }
}

fn limited(whose: Whose, rate: Rate, units: u64, wait_micros: u128) -> TopLevelError {
    metrics::counter!("banyan_requests_limited_total", "limit" => whose.name()).increment(1);
    let message = match whose {
        Whose::RequestsOfFamily(..) => format!(
            "This key and those it was rotated from may send {} requests a minute. Wait for retryAfterMs.",
            rate.restored
        ),
        Whose::PointsOfFamily(..) => format!(
            "This document costs {units} points, and this key has not so many left. Wait for retryAfterMs, or ask for less."
        ),
        Whose::PointsOfRoot(..) => format!(
            "This document costs {units} points, and the keys of this tree have not so many left together. Wait for retryAfterMs, or ask for less."
        ),
    };
    let mut error = TopLevelError::new(StatusCode::TOO_MANY_REQUESTS, ErrorCode::RateLimited.as_str(), message);
    error.retry_after_ms = Some(u64::try_from(wait_micros.div_ceil(1_000)).unwrap_or(u64::MAX));
    error
}

impl Whose {
    fn name(self) -> &'static str {
        match self {
            Self::RequestsOfFamily(..) => "key_requests",
            Self::PointsOfFamily(..) => "key_points",
            Self::PointsOfRoot(..) => "root_points",
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::http::Throttle as _;
    use crate::kernel::clock::ManualClock;

    fn id<T: From<Uuid>>(number: u128) -> T {
        T::from(Uuid::from_u128(number))
    }

    fn clock() -> Arc<ManualClock> {
        Arc::new(ManualClock::at(Timestamp::from_millis(1_790_000_000_000)))
    }

    fn throttle(clock: &Arc<ManualClock>, key_per_second: u64, root_per_second: u64) -> Throttle {
        let limits = PointLimits { key_per_second, root_per_second, document_max: 100 };
        Throttle::remembering(clock.clone(), limits, 8)
    }

    fn key(throttle: &Throttle, family: u128, rate_limit: Option<i64>) -> KeyThrottle {
        throttle.of(id(1), id(family), id(2), rate_limit)
    }

    #[test]
    fn a_key_has_ten_seconds_of_points_and_waits_for_more() {
        let clock = clock();
        let key = key(&throttle(&clock, 50, 0), 3, None);
        key.take(500).expect("it begins full");
        let refused = key.take(100).expect_err("it is empty");
        assert_eq!((refused.code, refused.retry_after_ms), ("RATE_LIMITED", Some(2_000)));
        clock.advance_seconds(2);
        key.take(100).expect("what was waited for is there");
        assert_eq!(key.left().map(|left| left.available), Some(0));
    }

    #[test]
    fn a_bucket_holds_the_dearest_document() {
        let clock = clock();
        let key = key(&throttle(&clock, 1, 0), 3, None);
        key.take(100).expect("the dearest document can be asked");
    }

    #[test]
    fn what_was_not_used_comes_back_and_never_more_than_it_holds() {
        let clock = clock();
        let key = key(&throttle(&clock, 50, 60), 3, None);
        key.take(400).expect("it begins full");
        key.give_back(390);
        assert_eq!(key.left().map(|left| left.available), Some(490));
        key.give_back(1_000);
        assert_eq!(key.left().map(|left| left.available), Some(500));
    }

    #[test]
    fn keys_of_one_tree_share_the_roots_points() {
        let clock = clock();
        let throttle = throttle(&clock, 50, 60);
        key(&throttle, 3, None).take(500).expect("it begins full");
        let refused = key(&throttle, 4, None).take(200).expect_err("the root has 100 left");
        assert!(refused.message.contains("this tree"), "{}", refused.message);
        // What was refused took nothing of the key's own.
        assert_eq!(key(&throttle, 4, None).left_of_each().key_points.map(|left| left.available), Some(500));
        throttle.of(id(1), id(4), id(9), None).take(200).expect("another root has its own");
    }

    #[test]
    fn a_family_sends_its_requests_a_minute_and_no_more() {
        let clock = clock();
        let throttle = throttle(&clock, 0, 0);
        for _ in 0..3 {
            key(&throttle, 3, Some(3)).take(1).expect("there are three");
        }
        let refused = key(&throttle, 3, Some(3)).take(1).expect_err("it was the fourth");
        assert_eq!(refused.retry_after_ms, Some(20_000));
        key(&throttle, 4, Some(3)).take(1).expect("another family has its own");
        clock.advance_seconds(20);
        key(&throttle, 3, Some(3)).take(1).expect("one came back");
        assert!(key(&throttle, 3, Some(3)).take(1).is_err());
    }

    #[test]
    fn asking_often_loses_nothing_to_rounding() {
        let clock = clock();
        let key = key(&throttle(&clock, 0, 0), 3, Some(1));
        key.take(0).expect("it begins full");
        for _ in 0..59 {
            clock.advance_seconds(1);
            assert!(key.take(0).is_err());
        }
        clock.advance_seconds(1);
        key.take(0).expect("a minute has passed");
    }

    #[test]
    fn more_callers_than_are_remembered_take_no_more_memory() {
        let clock = clock();
        let throttle = throttle(&clock, 50, 0);
        for family in 0..100 {
            key(&throttle, family, None).take(500).expect("it begins full");
        }
        assert_eq!(throttle.buckets.lock().map(|buckets| buckets.len()).ok(), Some(8));
        key(&throttle, 0, None).take(500).expect("the one used longest ago is full again");
        assert!(key(&throttle, 99, None).take(500).is_err());
    }
}
