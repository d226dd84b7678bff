//! Event streams, as graphql-sse's «distinct connections»: one request, its answers as `next`, then `complete`.
//!
//! The headers of a subscription leave when it listens: what happens after a client has them is not missed.
//!
//! A stream that ends because the gateway shuts down has no `complete`, so that the client comes back. One
//! whose authority ends says so in a last `next`.
//!
//! A client that reads slower than answers come is told SLOW_CONSUMER and where to go on, once it reads again; until then
//! its stream is closed and keeps nothing but what was on its way.

use std::convert::Infallible;
use std::sync::Arc;

use async_graphql::Executor;
use async_graphql::parser::types::OperationType;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::future::BoxFuture;
use futures_util::{Stream, StreamExt, stream};
use tokio::sync::mpsc::Receiver;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::admission::{EndReason, TopLevelError};
use super::answer::Answer;
use super::operation::{self, Ready};
use super::pace::{End, Opening, Outgoing, Resume, Room};
use super::{RequestId, Service};

pub(super) async fn respond<E: Executor>(
    service: &Arc<Service<E>>,
    ready: Ready,
    ended: BoxFuture<'static, EndReason>,
    request_id: RequestId,
) -> Response {
    let resume = Resume::default();
    let opening = Opening::default();
    let (is_subscription, deadline) = (ready.kind == OperationType::Subscription, ready.deadline);
    let answers = operation::stream(service, ready, resume.clone(), opening.clone(), request_id.clone());
    let settings = &service.settings.websocket;
    let room =
        Room::new(settings.operation_buffer_messages, settings.socket_buffer_bytes, settings.slow_consumer_patience);
    let (messages, task) = room.feed(answers, Answer::to_json, resume, request_id.clone());
    if is_subscription {
        // Past the deadline the headers leave all the same: a client that waits for them has a deadline of its own.
        let _ = tokio::time::timeout(deadline, opening.wait()).await;
    }
    let answers = Answers {
        messages,
        task,
        ended,
        shutdown: service.shutdown.signal(),
        request_id,
        is_over: false,
        _open: service.shutdown.stream(),
    };
    let events = answers.events().map(Ok::<_, Infallible>);
    let keep_alive = KeepAlive::new().interval(service.settings.event_stream_keep_alive);
    let mut response = Sse::new(events).keep_alive(keep_alive).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // nginx collects answers otherwise.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// A document that was refused, as a stream of its errors: clients take another status for a fault of the network
/// and send the same document again.
pub(super) fn refuse(answer: &Answer) -> Response {
    let events = stream::iter([next(answer), complete()]).map(Ok::<_, Infallible>);
    Sse::new(events).into_response()
}

struct Answers {
    messages: Receiver<Outgoing>,
    task: AbortOnDropHandle<End>,
    ended: BoxFuture<'static, EndReason>,
    shutdown: CancellationToken,
    request_id: RequestId,
    is_over: bool,
    _open: TaskTrackerToken,
}

impl Answers {
    fn events(self) -> impl Stream<Item = Event> + Send {
        stream::unfold(self, |mut answers| async move {
            let events = answers.next().await?;
            Some((stream::iter(events), answers))
        })
        .flatten()
    }

    async fn next(&mut self) -> Option<Vec<Event>> {
        if self.is_over {
            return None;
        }
        tokio::select! {
            biased;
            () = self.shutdown.cancelled() => None,
            reason = &mut self.ended => {
                self.is_over = true;
                let error = TopLevelError::new(StatusCode::UNAUTHORIZED, reason.code(), reason.message());
                Some(vec![next(&Answer::top_level(error, &self.request_id)), complete()])
            }
            message = self.messages.recv() => {
                if let Some(message) = message {
                    return Some(vec![Event::default().event("next").data(message.text)]);
                }
                self.is_over = true;
                Some(match (&mut self.task).await {
                    Ok(End::Refused(answer)) => vec![next(&answer), complete()],
                    Ok(End::Complete) | Err(_) => vec![complete()],
                })
            }
        }
    }
}

fn next(answer: &Answer) -> Event {
    Event::default().event("next").data(answer.to_json())
}

fn complete() -> Event {
    Event::default().event("complete").data("")
}
