//! Sealing: the worker that adds a realm's new entries to its chain, in the order of their commits.
//!
//! Every gateway runs it. It reads and hashes outside of any transaction; then one short transaction moves the realm's
//! chain from exactly where it was found and writes the links. Of two gateways that seal the same entries one moves the
//! chain and the other finds it moved, and writes nothing. No transaction of the trail itself waits for it or does it.

use std::time::Duration;

use entity::id::RealmId;

use crate::audit::chain::Head;
use crate::audit::store::chain as store;
use crate::http::Shutdown;
use crate::kernel::Kernel;
use crate::kernel::error::{Error, Result};

/// How often it looks when nothing was committed here: what others commit, they seal themselves.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);
/// The least time between two looks, so that a busy gateway seals many entries at once.
const LOOK_PAUSE: Duration = Duration::from_millis(250);
/// The rest between two portions of a long way, which leaves the database to others.
const PORTION_PAUSE: Duration = Duration::from_millis(10);
/// Entries of one transaction.
const BATCH: usize = 1_000;
/// Realms of one look.
const REALMS: i64 = 100;

/// Seals until the gateway stops. A failure is logged and tried again.
pub async fn run(kernel: Kernel, shutdown: Shutdown) {
    let mut commits = kernel.commits();
    loop {
        commits.mark_unchanged();
        let pause = match look(&kernel).await {
            Ok(true) => Some(PORTION_PAUSE),
            Ok(false) => None,
            Err(error) => {
                complain(&error);
                Some(LOOK_INTERVAL)
            }
        };
        let rest = async {
            match pause {
                Some(pause) => tokio::time::sleep(pause).await,
                None => {
                    let _ = tokio::time::timeout(LOOK_INTERVAL, commits.changed()).await;
                    tokio::time::sleep(LOOK_PAUSE).await;
                }
            }
        };
        tokio::select! {
            () = shutdown.begun() => return,
            () = rest => {}
        }
    }
}

fn complain(error: &Error) {
    tracing::warn!(cause = %error, "sealing the audit trail failed; trying again");
}

/// Seals everything that was committed by now.
pub async fn run_until_idle(kernel: &Kernel) -> Result<()> {
    while look(kernel).await? {}
    Ok(())
}

/// Seals a portion of every realm that has something new. Answers whether there may be more.
async fn look(kernel: &Kernel) -> Result<bool> {
    let realms = store::realms_behind(&kernel.db.snapshot(), REALMS).await?;
    let more = realms.len() == usize::try_from(REALMS).unwrap_or(usize::MAX);
    let mut is_behind = more;
    for realm in realms {
        is_behind |= seal(kernel, realm).await?;
    }
    Ok(is_behind)
}

/// Seals a portion of the realm. Answers whether there may be more.
async fn seal(kernel: &Kernel, realm: RealmId) -> Result<bool> {
    let snapshot = kernel.db.snapshot();
    let found = store::chain(&snapshot, realm).await?;
    let Some(end) = store::head(&snapshot, realm).await? else { return Ok(false) };
    let (after, mut head) = match &found {
        None => (0, Head::default()),
        Some(chain) => {
            let head = Head { sequence: chain.sequence, hash: chain.hash.clone(), entries: chain.entries };
            (chain.sealed_to, head)
        }
    };
    if end <= after {
        return Ok(false);
    }
    let entries = store::entries(&snapshot, realm, after, end, BATCH).await?;
    let is_full = entries.len() == BATCH;
    let sealed_to = entries.last().filter(|_| is_full).map_or(end, |last| last.sequence);
    let links = entries.iter().map(|entry| head.seal(realm, entry)).collect();
    let work = kernel.begin_work().await?;
    if !store::advance(&work, realm, found.as_ref(), &head, sealed_to).await? {
        return Ok(true);
    }
    store::insert(&work, realm, links).await?;
    work.commit().await?;
    Ok(is_full)
}
