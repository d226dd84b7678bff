//! From parameters to an answer: the steps that HTTP, event streams and WebSockets share.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_graphql::Executor;
use async_graphql::parser::types::OperationType;
use axum::http::StatusCode;
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt, StreamExt};

use super::admission::{Admitted, Credentials, TopLevelError, code};
use super::answer::{Answer, Cost, Outcome};
use super::guard::{Bill, Guard};
use super::pace::{Opening, Resume};
use super::parameters::Parameters;
use super::{RequestId, Service, Throttle};

/// Told to clients whose request ran into a deadline.
const RETRY_AFTER_MS: u64 = 1_000;

/// An operation that the guard let through.
pub(super) struct Operation {
    pub(super) request: async_graphql::Request,
    pub(super) kind: OperationType,
    pub(super) root_fields: u64,
    cost_points: u64,
    maximum_points: u64,
    bill: Bill,
}

impl Operation {
    pub(super) fn cost(&self) -> Cost {
        Cost {
            requested_points: Some(self.cost_points),
            actual_points: None,
            maximum_points: self.maximum_points,
            left: None,
        }
    }
}

/// Before anybody is admitted: a hostile document must not reach the database, not even for its key.
pub(super) fn check<E: Executor>(
    service: &Service<E>,
    parameters: Parameters,
    request_id: &RequestId,
) -> Result<Operation, Box<Answer>> {
    let maximum_points = service.guard.limits().cost_points;
    let checked = service.guard.check(&parameters.query, parameters.operation_name.as_deref(), &parameters.variables);
    match checked {
        Ok(accepted) => {
            let mut request = async_graphql::Request::from(parameters);
            request.set_parsed_query(accepted.document);
            Ok(Operation {
                request,
                kind: accepted.kind,
                root_fields: accepted.root_fields,
                cost_points: accepted.cost_points,
                maximum_points,
                bill: accepted.bill,
            })
        }
        Err(refusal) => {
            if let super::guard::Refusal::Limit { limit, .. } = &refusal {
                metrics::counter!("graphql_documents_rejected_total", "limit" => limit.name()).increment(1);
            }
            let requested_points = refusal.cost_points();
            let cost = Cost { requested_points, actual_points: None, maximum_points, left: None };
            Err(Box::new(Answer::refusal(&refusal, request_id).with_cost(cost)))
        }
    }
}

/// Asks who this is, but not for ever.
pub(super) async fn admit<E: Executor>(
    service: &Service<E>,
    credentials: Credentials,
) -> Result<Admitted, TopLevelError> {
    let asking = service.admission.admit(credentials);
    match tokio::time::timeout(service.settings.execution_deadline, asking).await {
        Ok(admission) => admission,
        Err(_) => Err(late("The gateway could not check the credentials in time. Try again later.")),
    }
}

/// An operation whose points are paid and whose principal is attached.
pub(super) struct Ready {
    pub(super) request: async_graphql::Request,
    pub(super) kind: OperationType,
    pub(super) cost: Cost,
    bill: Bill,
    throttle: Arc<dyn Throttle>,
    pub(super) deadline: Duration,
}

impl Ready {
    /// Gives back what was asked for and not used, and says what is left then.
    fn settle(&self, guard: &Guard, answer: &Answer) -> Cost {
        let mut cost = self.cost;
        if let Some(data) = answer.data() {
            let actual = guard.used(&self.bill, data);
            self.throttle.give_back(cost.requested_points.unwrap_or(actual).saturating_sub(actual));
            cost.actual_points = Some(actual);
        }
        cost.left = self.throttle.left();
        cost
    }
}

pub(super) fn attach<E: Executor>(
    service: &Service<E>,
    operation: Operation,
    admitted: &Admitted,
    request_id: &RequestId,
) -> Result<Ready, Box<Answer>> {
    let throttle = Arc::clone(&admitted.throttle);
    if let Err(error) = throttle.take(operation.cost_points) {
        let cost = Cost { left: throttle.left(), ..operation.cost() };
        return Err(Box::new(Answer::top_level(error, request_id).with_cost(cost)));
    }
    let deadline = match admitted.anonymous {
        true => service.settings.anonymous_execution_deadline,
        false => service.settings.execution_deadline,
    };
    let (kind, cost) = (operation.kind, operation.cost());
    let request = (admitted.attach)(operation.request);
    Ok(Ready { request, kind, cost, bill: operation.bill, throttle, deadline })
}

/// Runs a query or a mutation to its one answer. Past the deadline the engine's future is dropped, and with it
/// the statement or transaction it waits for.
pub(super) async fn execute<E: Executor>(service: &Service<E>, mut ready: Ready, request_id: &RequestId) -> Answer {
    let started = Instant::now();
    let request = std::mem::replace(&mut ready.request, async_graphql::Request::new(""));
    let run = AssertUnwindSafe(service.executor.execute(request)).catch_unwind();
    let answer = match tokio::time::timeout(ready.deadline, run).await {
        Ok(Ok(response)) => Answer::engine(response, request_id),
        Ok(Err(panic)) => Answer::panicked(panic.as_ref(), request_id),
        Err(_) => Answer::top_level(out_of_time(ready.kind), request_id),
    };
    record(ready.kind, &answer, started);
    let cost = ready.settle(&service.guard, &answer);
    answer.with_cost(cost)
}

/// The answers of any operation: one of a query or a mutation, any number of a subscription. A panic is the last
/// of them. Where a subscription can be taken up again is noted in `resume`, that it listens in `opening`; so is that it
/// answered or ended, which is as good.
pub(super) fn stream<E: Executor>(
    service: &Arc<Service<E>>,
    ready: Ready,
    resume: Resume,
    opening: Opening,
    request_id: RequestId,
) -> BoxStream<'static, Answer> {
    if ready.kind != OperationType::Subscription {
        let service = Arc::clone(service);
        return stream::once(async move { execute(&service, ready, &request_id).await }).boxed();
    }
    // A stream is paid for once, however long it runs.
    let cost = Cost { left: ready.throttle.left(), ..ready.cost };
    let request = ready.request.data(resume).data(opening.clone());
    let responses = AssertUnwindSafe(service.executor.execute_stream(request, None)).catch_unwind();
    let ended = opening.clone();
    responses
        .map(move |item| {
            opening.done();
            match item {
                Ok(response) => Answer::engine(response, &request_id).with_cost(cost),
                Err(panic) => Answer::panicked(panic.as_ref(), &request_id).with_cost(cost),
            }
        })
        .chain(stream::once(async move { ended.done() }).filter_map(|()| std::future::ready(None)))
        .boxed()
}

fn out_of_time(kind: OperationType) -> TopLevelError {
    let message = match kind {
        OperationType::Mutation => {
            "The gateway gave up waiting. It is not known whether the mutation took effect: send it again with the \
             same idempotencyKey."
        }
        _ => "The gateway gave up waiting. Ask for less, or try again later.",
    };
    late(message)
}

fn late(message: &str) -> TopLevelError {
    let mut error = TopLevelError::new(StatusCode::SERVICE_UNAVAILABLE, code::RETRY_LATER, message);
    error.retry_after_ms = Some(RETRY_AFTER_MS);
    error
}

fn record(kind: OperationType, answer: &Answer, started: Instant) {
    let kind = match kind {
        OperationType::Query => "query",
        OperationType::Mutation => "mutation",
        OperationType::Subscription => "subscription",
    };
    let outcome = match answer.outcome {
        Outcome::Executed if answer.errors().is_empty() => "ok",
        Outcome::Executed => "errors",
        Outcome::RequestError => "request_error",
        Outcome::Refused(_) => "refused",
    };
    metrics::counter!("graphql_operations_total", "type" => kind, "outcome" => outcome).increment(1);
    metrics::histogram!("graphql_operation_duration_seconds", "type" => kind).record(started.elapsed().as_secs_f64());
}
