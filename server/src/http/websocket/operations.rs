use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::stream::BoxStream;
use futures_util::{FutureExt, StreamExt};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::AbortOnDropHandle;

use super::super::RequestId;
use super::super::admission::{TopLevelError, code};
use super::super::answer::{Answer, Outcome};
use super::messages;

/// A message of an operation, and the room it takes until it has left.
pub(super) struct Outgoing {
    pub(super) text: String,
    _room: Option<OwnedSemaphorePermit>,
}

pub(super) enum Turn {
    Message(Outgoing),
    /// The operation's last message, and its id.
    Last(String, Outgoing),
}

struct Running {
    id: String,
    messages: Receiver<Outgoing>,
    /// Its value is the operation's last message.
    task: AbortOnDropHandle<String>,
}

/// The running operations of one socket. Who was served goes to the end of the line, so that a busy stream
/// cannot starve its siblings.
pub(super) struct Operations {
    line: VecDeque<Running>,
    room: Arc<Semaphore>,
    room_bytes: u32,
    buffer_messages: usize,
    patience: Duration,
}

impl Operations {
    pub(super) fn new(buffer_messages: usize, room_bytes: usize, patience: Duration) -> Self {
        let room_bytes = u32::try_from(room_bytes).unwrap_or(u32::MAX).max(1);
        let permits = usize::try_from(room_bytes).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        Self {
            line: VecDeque::new(),
            room: Arc::new(Semaphore::new(permits)),
            room_bytes,
            buffer_messages: buffer_messages.max(1),
            patience,
        }
    }

    pub(super) fn start(&mut self, id: String, answers: BoxStream<'static, Answer>, request_id: RequestId) {
        let (sender, messages) = mpsc::channel(self.buffer_messages);
        let buffer =
            Buffer { sender, room: Arc::clone(&self.room), room_bytes: self.room_bytes, patience: self.patience };
        let task = AbortOnDropHandle::new(tokio::spawn(run(id.clone(), answers, buffer, request_id)));
        self.line.push_back(Running { id, messages, task });
    }

    /// Nothing of the operation is sent any more, not even what is buffered.
    pub(super) fn stop(&mut self, id: &str) {
        self.line.retain(|running| running.id != id);
    }

    /// The next message of whoever waited longest; pending while nobody has one.
    pub(super) async fn turn(&mut self) -> Turn {
        poll_fn(|context| self.poll_turn(context)).await
    }

    fn poll_turn(&mut self, context: &mut Context<'_>) -> Poll<Turn> {
        for index in 0..self.line.len() {
            let running = &mut self.line[index];
            match running.messages.poll_recv(context) {
                Poll::Pending => {}
                Poll::Ready(Some(message)) => {
                    if let Some(served) = self.line.remove(index) {
                        self.line.push_back(served);
                    }
                    return Poll::Ready(Turn::Message(message));
                }
                Poll::Ready(None) => {
                    if let Poll::Ready(last) = running.task.poll_unpin(context) {
                        let id = std::mem::take(&mut running.id);
                        self.line.remove(index);
                        let text = last.unwrap_or_else(|_| messages::complete(&id));
                        return Poll::Ready(Turn::Last(id, Outgoing { text, _room: None }));
                    }
                }
            }
        }
        Poll::Pending
    }
}

struct Buffer {
    sender: Sender<Outgoing>,
    room: Arc<Semaphore>,
    room_bytes: u32,
    patience: Duration,
}

impl Buffer {
    /// False when there was no room for longer than the patience.
    async fn put(&self, text: String) -> bool {
        let bytes = u32::try_from(text.len()).unwrap_or(u32::MAX).min(self.room_bytes);
        let put = async {
            let room = Arc::clone(&self.room).acquire_many_owned(bytes).await.ok();
            self.sender.send(Outgoing { text, _room: room }).await.is_ok()
        };
        tokio::time::timeout(self.patience, put).await.unwrap_or(false)
    }
}

/// Feeds the buffer until the operation ends, and returns its last message.
async fn run(id: String, mut answers: BoxStream<'static, Answer>, buffer: Buffer, request_id: RequestId) -> String {
    while let Some(answer) = answers.next().await {
        if answer.outcome != Outcome::Executed {
            return messages::error(&id, &answer);
        }
        if !buffer.put(messages::next(&id, &answer)).await {
            metrics::counter!("graphql_slow_consumers_total").increment(1);
            let message = "The client reads slower than answers come. Subscribe again, after the last cursor received.";
            let error = TopLevelError::new(axum::http::StatusCode::OK, code::SLOW_CONSUMER, message);
            return messages::error(&id, &Answer::top_level(error, &request_id));
        }
    }
    messages::complete(&id)
}

#[cfg(test)]
mod tests {
    use async_graphql::{Response, Value};
    use futures_util::stream;
    use uuid::Uuid;

    use super::*;

    fn request_id() -> RequestId {
        RequestId::new(Uuid::from_u128(1))
    }

    fn answer() -> Answer {
        Answer::engine(Response::new(Value::from(1)), &request_id())
    }

    fn operations(buffer_messages: usize) -> Operations {
        Operations::new(buffer_messages, 1_000_000, Duration::from_secs(5))
    }

    fn text(turn: Turn) -> String {
        match turn {
            Turn::Message(message) | Turn::Last(_, message) => message.text,
        }
    }

    fn start(operations: &mut Operations, id: &str, answers: usize) {
        let answers = stream::iter((0..answers).map(|_| answer())).boxed();
        operations.start(id.to_owned(), answers, request_id());
    }

    #[tokio::test]
    async fn operations_are_served_in_turn() {
        let mut operations = operations(100);
        start(&mut operations, "a", 50);
        start(&mut operations, "b", 50);
        // Both are given time to fill their buffers, so that the order is the line's choice.
        tokio::task::yield_now().await;
        let mut order = String::new();
        for _ in 0..6 {
            let message = text(operations.turn().await);
            order.push(if message.contains(r#""id":"a""#) { 'a' } else { 'b' });
        }
        assert_eq!(order, "ababab");
    }

    #[tokio::test]
    async fn the_last_message_comes_after_all_others() {
        let mut operations = operations(2);
        start(&mut operations, "a", 3);
        let mut kinds = Vec::new();
        for _ in 0..4 {
            kinds.push(matches!(operations.turn().await, Turn::Last(..)));
        }
        assert_eq!(kinds, [false, false, false, true]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_consumer_that_does_not_read_ends_its_operation() {
        let mut operations = operations(2);
        start(&mut operations, "a", 10);
        tokio::time::sleep(Duration::from_secs(6)).await;
        let mut texts = Vec::new();
        for _ in 0..3 {
            texts.push(text(operations.turn().await));
        }
        assert!(texts[1].contains(r#""type":"next""#));
        assert!(texts[2].contains(r#""type":"error""#) && texts[2].contains("SLOW_CONSUMER"), "{}", texts[2]);
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_that_wait_are_bounded_over_all_operations() {
        let mut operations = Operations::new(100, 100, Duration::from_secs(5));
        start(&mut operations, "a", 10);
        tokio::time::sleep(Duration::from_secs(6)).await;
        assert!(matches!(operations.turn().await, Turn::Message(_)));
        let mut last = text(operations.turn().await);
        for _ in 0..3 {
            if last.contains("SLOW_CONSUMER") {
                return;
            }
            last = text(operations.turn().await);
        }
        panic!("more than the room was buffered: {last}");
    }

    #[tokio::test]
    async fn a_stopped_operation_says_nothing_more() {
        let mut operations = operations(100);
        start(&mut operations, "a", 5);
        start(&mut operations, "b", 1);
        tokio::task::yield_now().await;
        operations.stop("a");
        assert!(text(operations.turn().await).contains(r#""id":"b""#));
    }
}
