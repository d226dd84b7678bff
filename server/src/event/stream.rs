//! An audience's events as a stream: first what the database has after the cursor, then what the relay hands out.
//!
//! The position is a sequence number, and every step moves it forward, so nothing is told twice; the feed begins to
//! listen before the database is read, so nothing falls between the two.

use std::collections::VecDeque;
use std::sync::Arc;

use entity::event;
use futures_util::{Stream, stream};

use crate::access::fields::needs;
use crate::event::audience::Audience;
use crate::event::catalogue;
use crate::event::relay::{EventFeed, Heard};
use crate::event::sight::Sight;
use crate::event::store;
use crate::kernel::error::{Error, ErrorCode, Refusal, Result};
use crate::schema::session::Session;

/// Numbers of the realm that one read of the past covers, so that no read is long however little it finds.
const WINDOW: i64 = 2_000;

/// What a stream is of.
pub struct Wanted {
    pub audience: Audience,
    /// Patterns; none means all.
    pub types: Arc<[String]>,
    /// The cursor behind which to go on; from now on when there is none.
    pub after: Option<i64>,
}

struct EventStream {
    session: Arc<Session>,
    audience: Audience,
    types: Arc<[String]>,
    sight: Sight,
    /// Everything up to here was told or is not for this stream.
    position: i64,
    /// How far the past has to be read before the feed goes on.
    past: i64,
    read: VecDeque<Arc<event::Model>>,
    feed: EventFeed,
}

/// Opens the stream. A cursor that the realm has not reached is refused: it is another realm's, or of a database that was
/// put back since.
pub async fn open(
    session: Arc<Session>,
    wanted: Wanted,
) -> Result<impl Stream<Item = Result<Arc<event::Model>>> + use<>> {
    let Wanted { audience, types, after } = wanted;
    let (feed, head) = session.relay.listen(audience, Arc::clone(&types)).await?;
    let position = after.unwrap_or(head);
    if position < 0 || position > head {
        let message = "This cursor is not one of this root's. Use an event's cursor as it is, or leave `after` out.";
        return Err(Refusal::new(ErrorCode::BadRequest, message).into());
    }
    let past = head.max(feed.from);
    let sight = Sight::new(Arc::clone(&session));
    let start = EventStream { session, audience, types, sight, position, past, read: VecDeque::new(), feed };
    Ok(stream::try_unfold(start, |mut stream| async move {
        let event = stream.next().await?;
        Ok::<_, Error>(Some((event, stream)))
    }))
}

impl EventStream {
    async fn next(&mut self) -> Result<Arc<event::Model>> {
        loop {
            if let Some(event) = self.read.pop_front() {
                if let Some(event) = self.tell(event).await? {
                    return Ok(event);
                }
            } else if self.position < self.past {
                self.read_past().await?;
            } else {
                match self.feed.next().await {
                    Heard::Event(event) => {
                        if let Some(event) = self.tell(event).await? {
                            return Ok(event);
                        }
                    }
                    Heard::Authority => self.look_again().await?,
                    Heard::Behind => self.listen_again().await?,
                }
            }
        }
    }

    /// Moves on to this event. Answers it if it is to be told.
    async fn tell(&mut self, event: Arc<event::Model>) -> Result<Option<Arc<event::Model>>> {
        if event.sequence <= self.position {
            return Ok(None);
        }
        if self.feed.is_authority_in_doubt() {
            self.look_again().await?;
        }
        let is_wanted = self.types.is_empty() || self.types.iter().any(|p| catalogue::matches(p, &event.event_type));
        let is_told = is_wanted && self.sight.allows(&event).await?;
        self.position = event.sequence;
        Ok(is_told.then_some(event))
    }

    async fn read_past(&mut self) -> Result<()> {
        let until = self.past.min(self.position.saturating_add(WINDOW));
        let snapshot = self.session.snapshot();
        let found = store::heard(&snapshot, &self.audience, self.position, until).await?;
        if found.is_empty() {
            self.position = until;
        }
        self.read = found.into_iter().map(Arc::new).collect();
        Ok(())
    }

    /// Insists that the caller may still listen to this audience.
    async fn look_again(&mut self) -> Result<()> {
        self.feed.authority_seen();
        self.sight.forget();
        let permission = const { needs("Subscription", "events") };
        self.session.target(Some(self.audience.organization), permission).await?;
        Ok(())
    }

    /// What was not taken in time is in the database.
    async fn listen_again(&mut self) -> Result<()> {
        let head = self.feed.listen_again().await?;
        self.past = head.max(self.feed.from);
        self.look_again().await
    }
}
