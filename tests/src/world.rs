//! Time that stands still and ids that repeat.

use std::sync::{Mutex, PoisonError};

use banyan::kernel::clock::{Ids, version7};
use entity::timestamp::Timestamp;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use uuid::Uuid;

/// When every test begins.
pub const NOON: &str = "2026-06-03T12:00:00Z";

/// Ids and secrets of a seed. Ids of one instant sort by the order they were made in: the clock stands still, and lists
/// are sorted by id.
pub struct SeededIds(Mutex<State>);

struct State {
    random: StdRng,
    made: u32,
}

impl SeededIds {
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(State { random: StdRng::seed_from_u64(seed), made: 0 }))
    }

    /// `BANYAN_TEST_SEED`, or 1.
    pub fn seed() -> u64 {
        std::env::var("BANYAN_TEST_SEED").map_or(1, |text| text.parse().expect("BANYAN_TEST_SEED is a number"))
    }
}

impl Ids for SeededIds {
    fn id(&self, now: Timestamp) -> Uuid {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.made += 1;
        let mut bytes = [0; 10];
        state.random.fill_bytes(&mut bytes);
        // The first two bytes hold the microsecond, the third the variant; then the count, then chance.
        bytes[2] = 0;
        bytes[3..7].copy_from_slice(&state.made.to_be_bytes());
        version7(now, bytes)
    }

    fn secret(&self) -> [u8; 32] {
        let mut secret = [0; 32];
        self.0.lock().unwrap_or_else(PoisonError::into_inner).random.fill_bytes(&mut secret);
        secret
    }
}
