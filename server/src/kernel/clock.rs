//! Time and randomness, the two things a test must be able to decide.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use entity::timestamp::Timestamp;
use rand::Rng;
use uuid::Uuid;

/// Where the present comes from.
pub trait Clock: Send + Sync + 'static {
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks the machine")]
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(jiff::Timestamp::now().as_microsecond())
    }
}

/// A clock that stands still until it is moved.
pub struct ManualClock(AtomicI64);

impl ManualClock {
    pub fn at(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.as_micros()))
    }

    pub fn advance_seconds(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// Where ids and secrets come from. Ids are UUIDv7: they sort by the time they were made.
pub trait Ids: Send + Sync + 'static {
    fn id(&self, now: Timestamp) -> Uuid;
    /// 256 unguessable bits.
    fn secret(&self) -> [u8; 32];
}

/// Ids from the operating system's randomness.
pub struct SystemIds;

impl Ids for SystemIds {
    fn id(&self, now: Timestamp) -> Uuid {
        let mut random = [0; 10];
        rand::rng().fill_bytes(&mut random);
        version7(now, random)
    }

    fn secret(&self) -> [u8; 32] {
        let mut secret = [0; 32];
        rand::rng().fill_bytes(&mut secret);
        secret
    }
}

/// A UUIDv7 of the given moment. Twelve of its random bits hold the microsecond within the millisecond
/// (RFC 9562 §6.2, method 3), so that ids made in one millisecond still sort by when they were made.
pub fn version7(now: Timestamp, mut random: [u8; 10]) -> Uuid {
    let micros = u64::try_from(now.as_micros()).unwrap_or(0);
    let fraction = (micros % 1_000) * 4_096 / 1_000;
    let [high, low] = u16::try_from(fraction).unwrap_or(0).to_be_bytes();
    random[0] = high;
    random[1] = low;
    uuid::Builder::from_unix_timestamp_millis(micros / 1_000, &random).into_uuid()
}

/// The outside world as the kernel sees it.
#[derive(Clone)]
pub struct World {
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<dyn Ids>,
}

impl World {
    pub fn system() -> Self {
        Self { clock: Arc::new(SystemClock), ids: Arc::new(SystemIds) }
    }
}
