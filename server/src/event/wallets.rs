//! Wallets as a stream: the newest figures of each, however often they changed in between.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use entity::id::OrganizationId;
use futures_util::{Stream, stream};
use tokio::time::Instant;

use crate::access::fields::{handed, needs};
use crate::credit::graphql::Wallet;
use crate::event::audience::reaches;
use crate::event::relay::{WalletAudience, WalletFeed};
use crate::kernel::error::{Error, ErrorCode, Refusal, Result};
use crate::organization::graphql::{Organization, Organizations};
use crate::schema::session::Session;

/// Wallets that are read at once.
const BATCH: usize = 100;
/// The least time between two reads of one stream: a wallet that changes all the time is told this often.
const READ_PAUSE: Duration = Duration::from_millis(20);

struct WalletStream {
    session: Arc<Session>,
    wanted: WalletAudience,
    feed: WalletFeed,
    read: VecDeque<Wallet>,
    read_at: Instant,
}

/// Opens the stream; the audience's own wallet comes first.
pub async fn open(session: Arc<Session>, wanted: WalletAudience) -> Result<impl Stream<Item = Result<Wallet>> + use<>> {
    // It listens first and reads second: what happens between the two is told again, never missed.
    let feed = session.relay.listen_to_wallets(wanted).await?;
    let read = wallets(&session, &BTreeSet::from([wanted.audience.organization]), &wanted).await?;
    let start = WalletStream { session, wanted, feed, read, read_at: Instant::now() };
    Ok(stream::try_unfold(start, |mut stream| async move {
        let wallet = stream.next().await?;
        Ok::<_, Error>(Some((wallet, stream)))
    }))
}

impl WalletStream {
    async fn next(&mut self) -> Result<Wallet> {
        loop {
            if let Some(wallet) = self.read.pop_front() {
                return Ok(wallet);
            }
            if self.feed.changed().await {
                let permission = const { needs("Subscription", "walletChanges") };
                self.session.target(Some(self.wanted.audience.organization), permission).await?;
                continue;
            }
            tokio::time::sleep_until(self.read_at + READ_PAUSE).await;
            self.read_at = Instant::now();
            let touched = self.feed.touched.take(BATCH).ok_or_else(|| {
                let message = "More wallets changed than this stream could tell. Read them, and subscribe again.";
                Refusal::new(ErrorCode::SlowConsumer, message)
            })?;
            self.read = wallets(&self.session, &touched, &self.wanted).await?;
        }
    }
}

/// The wallets of those organizations that are meant and that the caller may see now.
async fn wallets(
    session: &Arc<Session>,
    of: &BTreeSet<OrganizationId>,
    wanted: &WalletAudience,
) -> Result<VecDeque<Wallet>> {
    let mut found = VecDeque::new();
    if of.is_empty() {
        return Ok(found);
    }
    let ids: Vec<OrganizationId> = of.iter().copied().collect();
    let level = Organizations::of_ids(session, &ids).await?;
    let paths = level.paths().await?;
    for organization in Organization::all(&level) {
        let Some((_, path)) = paths.get(&organization.organization_id()) else { continue };
        let distance = path.ids().position(|id| id == wanted.audience.organization);
        let is_meant = distance.is_some_and(|distance| reaches(wanted.audience.scope, distance));
        if is_meant
            && session.allows(organization.member().reach, const { handed("Wallet") }).is_ok()
            && let Some(wallet) = Wallet::of(&organization, wanted.environment).await?
        {
            found.push_back(wallet);
        }
    }
    Ok(found)
}
