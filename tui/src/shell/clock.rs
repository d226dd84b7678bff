//! The wall clock, read once.

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// Time as the model counts it: the moment the console started, and what has passed since by a
/// clock that nobody sets. A correction of the system's time moves no deadline.
#[derive(Clone, Debug)]
pub struct Clock {
    started_at: Timestamp,
    started: Instant,
}

impl Clock {
    pub fn starting_at(started_at: Timestamp) -> Self {
        Self { started_at, started: Instant::now() }
    }

    pub fn now(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.started.elapsed()).unwrap_or_default();
        self.started_at.checked_add(passed).unwrap_or(self.started_at)
    }

    /// When the model's moment comes.
    pub fn instant_of(&self, moment: Timestamp) -> Instant {
        let since = moment.duration_since(self.started_at);
        self.started + std::time::Duration::try_from(since).unwrap_or_default()
    }
}
