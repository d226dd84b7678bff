use std::time::Duration;

use tokio_util::sync::{CancellationToken, WaitForCancellationFuture};
use tokio_util::task::{TaskTracker, task_tracker::TaskTrackerToken};

/// One signal to end, and the streams still open.
///
/// An HTTP server that drains waits for ever on a WebSocket or an event stream; these close themselves
/// when the signal comes.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    signal: CancellationToken,
    streams: TaskTracker,
}

impl Shutdown {
    /// `/readyz` fails from now on, sockets close with 1012, event streams end.
    pub fn begin(&self) {
        self.signal.cancel();
        self.streams.close();
    }

    pub fn has_begun(&self) -> bool {
        self.signal.is_cancelled()
    }

    /// Resolves when [`Self::begin`] is called; for `axum::serve(..).with_graceful_shutdown(..)`.
    pub fn begun(&self) -> WaitForCancellationFuture<'_> {
        self.signal.cancelled()
    }

    /// Waits for the streams to close. False when some were still open at the deadline.
    pub async fn drained(&self, deadline: Duration) -> bool {
        tokio::time::timeout(deadline, self.streams.wait()).await.is_ok()
    }

    pub(super) fn signal(&self) -> CancellationToken {
        self.signal.clone()
    }

    /// Held by a stream for as long as it is open.
    pub(super) fn stream(&self) -> TaskTrackerToken {
        self.streams.token()
    }
}
