//! The realm's events as a stream.

use std::sync::Arc;
use std::time::Duration;

use entity::event;
use entity::id::{OrganizationId, RealmId};
use entity::kind::EventScope;
use futures_util::{Stream, stream};

use crate::event::store;
use crate::kernel::error::{Error, Result};
use crate::schema::session::Session;

/// How often a stream looks for what other gateways committed.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);
/// Events of one look.
const BATCH: u64 = 500;

/// Whose events a stream is for.
#[derive(Clone, Copy, Debug)]
pub struct Audience {
    pub realm: RealmId,
    pub organization: OrganizationId,
    pub scope: EventScope,
}

impl Audience {
    /// Decided by where the organization was when it happened.
    pub fn hears(&self, event: &event::Model) -> bool {
        let path = &event.path.0;
        match self.scope {
            EventScope::Own => path.first() == Some(&self.organization),
            EventScope::Children => path.iter().take(2).any(|id| *id == self.organization),
            EventScope::Subtree => path.contains(&self.organization),
        }
    }
}

struct Position {
    session: Arc<Session>,
    realm: RealmId,
    sequence: i64,
    commits: tokio::sync::watch::Receiver<u64>,
}

/// Batches of the realm's events after `sequence`, in order, for ever; never an empty one.
pub fn batches(session: Arc<Session>, realm: RealmId, sequence: i64) -> impl Stream<Item = Result<Vec<event::Model>>> {
    let commits = session.kernel.commits();
    let start = Position { session, realm, sequence, commits };
    stream::try_unfold(start, |mut at| async move {
        loop {
            at.commits.mark_unchanged();
            let found = store::after(&at.session.snapshot(), at.realm, at.sequence, BATCH).await?;
            if let Some(last) = found.last() {
                at.sequence = last.sequence;
                return Ok::<_, Error>(Some((found, at)));
            }
            // Either a commit of this process or the next look; an error means the kernel is gone.
            if let Ok(Err(_)) = tokio::time::timeout(LOOK_INTERVAL, at.commits.changed()).await {
                return Ok(None);
            }
        }
    })
}
