//! What every gateway does for webhooks, beside answering requests: handing out events, serving endpoints, clearing the log.

use std::time::Duration;

use entity::timestamp::Timestamp;
use tokio::task::JoinSet;

use crate::access::principal::Caller;
use crate::http::Shutdown;
use crate::kernel::Kernel;
use crate::kernel::error::{Error, Result};
use crate::kernel::seal::Sealer;
use crate::webhook::fan_out;
use crate::webhook::send::Sender;
use crate::webhook::store::queue as store;
use crate::webhook::store::queue::Claim;
use crate::webhook::turn::LEASE;

/// How often it looks for what other gateways committed, and for what became due.
const LOOK_INTERVAL: Duration = Duration::from_millis(250);
/// The least time between two looks, so that a busy gateway hands out many events at once rather than one by one.
const LOOK_PAUSE: Duration = Duration::from_millis(20);
/// How often the log is cleared.
const CLEAR_INTERVAL: Duration = Duration::from_mins(1);
/// How long a settled delivery stays in the log.
pub const LOG_KEPT: Duration = Duration::from_hours(30 * 24);
/// Endpoints served at once.
const TURNS_MAX: usize = 64;
/// Endpoints served at once that failed last time or were slow: they take no place of those that did well.
const TROUBLED_TURNS_MAX: usize = 32;
/// Realms of one look.
const REALMS: i64 = 64;
/// Deliveries removed from the log in one transaction.
const PORTION: u64 = 500;

/// Sends webhooks. Clones share everything.
#[derive(Clone)]
pub struct Worker {
    pub(super) kernel: Kernel,
    pub(super) sealer: Sealer,
    pub(super) sender: Sender,
    shutdown: Shutdown,
}

/// Endpoints being served, by whether they did well before.
#[derive(Default)]
struct Turns {
    well: JoinSet<()>,
    troubled: JoinSet<()>,
}

impl Worker {
    pub fn new(kernel: Kernel, sealer: Sealer, sender: Sender, shutdown: Shutdown) -> Self {
        Self { kernel, sealer, sender, shutdown }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.kernel.world.clock.now()
    }

    pub(super) fn stopping(&self) -> bool {
        self.shutdown.has_begun()
    }

    pub(super) fn caller(&self) -> Caller {
        Caller::system(self.kernel.world.ids.id(self.now()))
    }

    /// Works until the gateway stops, and then until what was sent is answered.
    pub async fn run(self) {
        tokio::join!(self.hand_out(), self.serve_all(), self.clear());
    }

    async fn hand_out(&self) {
        let mut commits = self.kernel.commits();
        while !self.stopping() {
            commits.mark_unchanged();
            match fan_out::look(&self.kernel).await {
                Ok(true) => tokio::time::sleep(LOOK_PAUSE).await,
                Ok(false) => {
                    tokio::select! {
                        () = self.shutdown.begun() => {}
                        () = tokio::time::sleep(LOOK_INTERVAL) => {}
                        _ = commits.changed() => tokio::time::sleep(LOOK_PAUSE).await,
                    }
                }
                Err(error) => {
                    complain("handing events out to webhook endpoints", &error);
                    self.rest(LOOK_INTERVAL).await;
                }
            }
        }
    }

    async fn serve_all(&self) {
        let mut turns = Turns::default();
        while !self.stopping() {
            while turns.well.try_join_next().is_some() || turns.troubled.try_join_next().is_some() {}
            for (troubled, set, most) in
                [(false, &mut turns.well, TURNS_MAX), (true, &mut turns.troubled, TROUBLED_TURNS_MAX)]
            {
                match self.claim(troubled, most - set.len()).await {
                    Ok(claims) => claims.into_iter().for_each(|claim| self.spawn(set, claim)),
                    Err(error) => complain("looking for webhooks to send", &error),
                }
            }
            self.rest(LOOK_INTERVAL).await;
        }
        while turns.well.join_next().await.is_some() || turns.troubled.join_next().await.is_some() {}
    }

    fn spawn(&self, set: &mut JoinSet<()>, claim: Claim) {
        let worker = self.clone();
        set.spawn(async move {
            if let Err(error) = worker.serve(claim).await {
                complain("sending webhooks", &error);
            }
        });
    }

    async fn clear(&self) {
        while !self.stopping() {
            if let Err(error) = self.clear_log().await {
                complain("clearing the log of webhooks", &error);
            }
            self.rest(CLEAR_INTERVAL).await;
        }
    }

    async fn rest(&self, time: Duration) {
        tokio::select! {
            () = self.shutdown.begun() => {}
            () = tokio::time::sleep(time) => {}
        }
    }

    /// Takes endpoints that are to be served, from realms in the order they wait.
    async fn claim(&self, troubled: bool, most: usize) -> Result<Vec<Claim>> {
        let mut claims = Vec::new();
        if most == 0 {
            return Ok(claims);
        }
        let now = self.now();
        let realms = store::due_realms(&self.kernel.db.snapshot(), now, troubled, REALMS).await?;
        // Each realm its share, so that one with many endpoints does not take every place.
        let share = most.div_ceil(realms.len().max(1));
        for realm in realms {
            let limit = share.min(most - claims.len());
            if limit == 0 {
                break;
            }
            let work = self.kernel.begin_work().await?;
            let lease = self.kernel.world.ids.id(now);
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            claims.extend(store::claim(&work, realm, (now, now.plus(LEASE)), troubled, limit, lease).await?);
            work.commit().await?;
        }
        Ok(claims)
    }

    /// Does everything there is to do at this moment, for tests: hands out, sends, until nothing is due.
    pub async fn run_until_idle(&self) -> Result<()> {
        loop {
            while fan_out::look(&self.kernel).await? {}
            let mut claims = self.claim(false, TURNS_MAX).await?;
            claims.extend(self.claim(true, TROUBLED_TURNS_MAX).await?);
            if claims.is_empty() {
                break;
            }
            futures_util::future::try_join_all(claims.into_iter().map(|claim| self.serve(claim))).await?;
        }
        self.clear_log().await
    }

    /// Removes what was settled long ago.
    async fn clear_log(&self) -> Result<()> {
        let before = self.now().minus(LOG_KEPT);
        for realm in store::realms_with_old(&self.kernel.db.snapshot(), before, REALMS.unsigned_abs()).await? {
            loop {
                let work = self.kernel.begin_work().await?;
                let removed = store::remove_old(&work, realm, before, PORTION).await?;
                work.commit().await?;
                if removed == 0 || self.stopping() {
                    break;
                }
            }
        }
        Ok(())
    }
}

fn complain(doing: &'static str, error: &Error) {
    match error {
        Error::Fault(fault) => tracing::warn!(cause = %fault.chain(), "{doing} failed; trying again"),
        Error::Refused(refusal) => tracing::warn!(cause = %refusal.message, "{doing} was refused; trying again"),
    }
}
