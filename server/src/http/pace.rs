//! The answers of one operation on their way to a client that may read slower than they come.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::task::AbortOnDropHandle;

use super::RequestId;
use super::admission::{TopLevelError, code};
use super::answer::{Answer, Outcome};

/// Where a stream can be taken up again. It is in the data of every subscription's request: the resolver sets it with each
/// item, and the transport tells a client that it has to let go.
#[derive(Clone, Debug, Default)]
pub struct Resume(Arc<Mutex<Option<String>>>);

impl Resume {
    /// The cursor of the item that is about to be told.
    pub fn set(&self, cursor: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(cursor);
    }

    fn get(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Whether a subscription listens yet. It is in the data of every subscription's request: the resolver sets it when nothing
/// that happens from then on is missed.
#[derive(Clone, Debug)]
pub struct Opening(watch::Sender<bool>);

impl Default for Opening {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Opening {
    pub fn done(&self) {
        self.0.send_replace(true);
    }

    pub(super) async fn wait(&self) {
        // It never closes: this holds the sender.
        let _ = self.0.subscribe().wait_for(|done| *done).await;
    }
}

/// A message, and the room it takes until it has left.
pub(super) struct Outgoing {
    pub(super) text: String,
    pub(super) _room: Option<OwnedSemaphorePermit>,
}

/// How an operation ended.
pub(super) enum End {
    Complete,
    /// Its last word: the request was refused, or the client was too slow.
    Refused(Box<Answer>),
}

/// The room that answers may take while they wait. Clones share the bytes, not the messages.
#[derive(Clone)]
pub(super) struct Room {
    bytes: Arc<Semaphore>,
    bytes_max: u32,
    messages_max: usize,
    patience: Duration,
}

impl Room {
    pub(super) fn new(messages_max: usize, bytes_max: usize, patience: Duration) -> Self {
        let bytes_max = u32::try_from(bytes_max).unwrap_or(u32::MAX).max(1);
        let permits = usize::try_from(bytes_max).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        Self { bytes: Arc::new(Semaphore::new(permits)), bytes_max, messages_max: messages_max.max(1), patience }
    }

    /// Runs the operation in a task of its own, as far ahead of the client as there is room.
    pub(super) fn feed(
        &self,
        answers: BoxStream<'static, Answer>,
        write: impl Fn(&Answer) -> String + Send + 'static,
        resume: Resume,
        request_id: RequestId,
    ) -> (Receiver<Outgoing>, AbortOnDropHandle<End>) {
        let (sender, messages) = mpsc::channel(self.messages_max);
        let task = tokio::spawn(run(answers, self.clone(), sender, write, resume, request_id));
        (messages, AbortOnDropHandle::new(task))
    }

    /// False when there was no room for longer than the patience.
    async fn put(&self, sender: &Sender<Outgoing>, text: String) -> bool {
        let bytes = u32::try_from(text.len()).unwrap_or(u32::MAX).min(self.bytes_max);
        let put = async {
            let room = Arc::clone(&self.bytes).acquire_many_owned(bytes).await.ok();
            sender.send(Outgoing { text, _room: room }).await.is_ok()
        };
        tokio::time::timeout(self.patience, put).await.unwrap_or(false)
    }
}

async fn run(
    mut answers: BoxStream<'static, Answer>,
    room: Room,
    sender: Sender<Outgoing>,
    write: impl Fn(&Answer) -> String + Send + 'static,
    resume: Resume,
    request_id: RequestId,
) -> End {
    let mut cursor = None;
    while let Some(answer) = answers.next().await {
        if answer.outcome != Outcome::Executed {
            return End::Refused(Box::new(answer));
        }
        if !room.put(&sender, write(&answer)).await {
            metrics::counter!("graphql_slow_consumers_total").increment(1);
            return End::Refused(Box::new(Answer::top_level(too_slow(cursor), &request_id)));
        }
        cursor = resume.get();
    }
    End::Complete
}

/// `cursor` is that of the last item that goes out.
fn too_slow(cursor: Option<String>) -> TopLevelError {
    let message = "The client reads slower than answers come. Subscribe again, after the cursor told here.";
    let mut error = TopLevelError::new(StatusCode::OK, code::SLOW_CONSUMER, message);
    error.details.extend(cursor.map(|cursor| ("cursor", cursor.into())));
    error
}
