use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::{Context, Poll};

use futures_util::FutureExt;
use futures_util::stream::BoxStream;
use tokio::sync::mpsc::Receiver;
use tokio_util::task::AbortOnDropHandle;

use super::super::RequestId;
use super::super::answer::Answer;
use super::super::pace::{End, Outgoing, Resume, Room};
use super::messages;

pub(super) enum Turn {
    Message(Outgoing),
    /// The operation's last message, and its id.
    Last(String, Outgoing),
}

struct Running {
    id: String,
    messages: Receiver<Outgoing>,
    task: AbortOnDropHandle<End>,
}

/// The running operations of one socket. Who was served goes to the end of the line, so that a busy stream
/// cannot starve its siblings.
pub(super) struct Operations {
    line: VecDeque<Running>,
    room: Room,
}

impl Operations {
    pub(super) fn new(room: Room) -> Self {
        Self { line: VecDeque::new(), room }
    }

    pub(super) fn start(
        &mut self,
        id: String,
        answers: BoxStream<'static, Answer>,
        resume: Resume,
        request_id: RequestId,
    ) {
        let next = {
            let id = id.clone();
            move |answer: &Answer| messages::next(&id, answer)
        };
        let (messages, task) = self.room.feed(answers, next, resume, request_id);
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
                    if let Poll::Ready(end) = running.task.poll_unpin(context) {
                        let id = std::mem::take(&mut running.id);
                        self.line.remove(index);
                        let text = match end {
                            Ok(End::Refused(answer)) => messages::error(&id, &answer),
                            Ok(End::Complete) | Err(_) => messages::complete(&id),
                        };
                        return Poll::Ready(Turn::Last(id, Outgoing { text, _room: None }));
                    }
                }
            }
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use async_graphql::{Response, Value};
    use futures_util::{StreamExt, stream};
    use uuid::Uuid;

    use super::*;

    fn request_id() -> RequestId {
        RequestId::new(Uuid::from_u128(1))
    }

    fn answer() -> Answer {
        Answer::engine(Response::new(Value::from(1)), &request_id())
    }

    fn operations(buffer_messages: usize) -> Operations {
        Operations::new(Room::new(buffer_messages, 1_000_000, Duration::from_secs(5)))
    }

    fn text(turn: Turn) -> String {
        match turn {
            Turn::Message(message) | Turn::Last(_, message) => message.text,
        }
    }

    fn start(operations: &mut Operations, id: &str, answers: usize) {
        let answers = stream::iter((0..answers).map(|_| answer())).boxed();
        operations.start(id.to_owned(), answers, Resume::default(), request_id());
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
    async fn a_slow_consumer_is_told_the_cursor_of_the_last_answer_that_it_gets() {
        let mut operations = operations(2);
        let resume = Resume::default();
        let told = resume.clone();
        let answers = stream::iter(1..=10).map(move |cursor| {
            told.set(cursor.to_string());
            answer()
        });
        operations.start("a".to_owned(), answers.boxed(), resume, request_id());
        tokio::time::sleep(Duration::from_secs(6)).await;
        assert!(matches!(operations.turn().await, Turn::Message(_)));
        assert!(matches!(operations.turn().await, Turn::Message(_)));
        let last = text(operations.turn().await);
        assert!(last.contains("SLOW_CONSUMER") && last.contains(r#""cursor":"2""#), "{last}");
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_that_wait_are_bounded_over_all_operations() {
        let mut operations = Operations::new(Room::new(100, 100, Duration::from_secs(5)));
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
