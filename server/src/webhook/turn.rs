//! Serving one endpoint: sending what is due, in the order of each organization, and writing down how it went.

use std::collections::HashMap;
use std::time::Duration;

use entity::delivery::Model as Delivery;
use entity::delivery_attempt::Model as Attempt;
use entity::delivery_queue::Model as Queue;
use entity::event::Model as Event;
use entity::kind::DeliveryStatus;
use entity::timestamp::Timestamp;
use tokio::task::JoinSet;

use crate::access::store as access_store;
use crate::kernel::error::{Error, Fault, Result};
use crate::kernel::work::Work;
use crate::webhook::command::{DisableEndpoint, secret_place};
use crate::webhook::message::{self, Message};
use crate::webhook::model::{self, Endpoint, Standing};
use crate::webhook::schedule::{Health, Verdict};
use crate::webhook::send::Attempted;
use crate::webhook::store::queue as store;
use crate::webhook::store::queue::Claim;
use crate::webhook::worker::Worker;

/// How long an endpoint is one gateway's before another may take it. Renewed with every look; far longer than an attempt.
pub const LEASE: Duration = Duration::from_mins(1);
/// Requests at once to one endpoint that does well. One that does not gets one.
const PARALLEL: usize = 8;
/// Requests of one turn; then it is the turn of those that wait.
const TURN_MAX: usize = 200;
/// Deliveries cancelled or cleared in one transaction.
const PORTION: i64 = 500;
/// When a suspended organization's endpoints are looked at again.
const SUSPENDED_LOOK: Duration = Duration::from_secs(30);
/// An endpoint that takes longer than this to answer is not let stand in the way of others.
const SLOW: Duration = Duration::from_secs(2);
/// How often it looks for more while answers are waited for.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// How often an answer is written down before it is left to the next gateway to ask again.
const RECORD_TRIES: u32 = 3;

/// What a look found to do.
enum Found {
    Send(Vec<Shipment>),
    /// Nothing now, while something of this endpoint is still being sent.
    Nothing,
    /// Something was put in order; look again.
    Again,
    /// The endpoint was given back, or another gateway has it.
    Over,
}

/// A delivery on its way out.
struct Shipment {
    delivery: Delivery,
    url: String,
    body: String,
    secrets: Vec<String>,
}

impl Worker {
    /// Serves a claimed endpoint until nothing is due, or its turn is over.
    pub(super) async fn serve(&self, claim: Claim) -> Result<()> {
        // Tasks, not futures of this one: one that is writing down its answer goes on while this looks for more.
        let mut under_way = JoinSet::new();
        let mut sent = 0;
        loop {
            let room = if sent < TURN_MAX && !self.stopping() { PARALLEL - under_way.len() } else { 0 };
            match self.look(&claim, room, under_way.is_empty()).await? {
                Found::Send(shipments) => {
                    sent += shipments.len();
                    for shipment in shipments {
                        let worker = self.clone();
                        under_way.spawn(async move { worker.attempt(&claim, shipment).await });
                    }
                }
                Found::Again => continue,
                Found::Nothing => {}
                Found::Over => {
                    // What is still out is another gateway's by now; its answer is of no use.
                    return Ok(());
                }
            }
            // A slow answer does not keep other organizations' events waiting.
            if let Ok(Some(done)) = tokio::time::timeout(LOOK_INTERVAL, under_way.join_next()).await {
                done.map_err(|e| Fault::caused_by("an attempt to send a webhook ended early", e))??;
            }
        }
    }

    /// Finds what to send, as far as there is room for it; gives the endpoint back when there is nothing and nothing is
    /// under way.
    async fn look(&self, claim: &Claim, room: usize, alone: bool) -> Result<Found> {
        if room == 0 && !alone {
            return Ok(Found::Nothing);
        }
        let work = self.kernel.begin_work().await?;
        let Some(mut queue) = store::hold(&work, claim).await? else { return Ok(Found::Over) };
        let now = self.now();
        queue.lease_until = Some(now.plus(LEASE));
        let found = self.decide(&work, claim, &mut queue, room, now).await?;
        if matches!(found, Found::Nothing) && alone {
            queue.lease_id = None;
            queue.lease_until = None;
            store::save(&work, queue).await?;
            work.commit().await?;
            return Ok(Found::Over);
        }
        if !matches!(found, Found::Over) {
            store::save(&work, queue).await?;
        }
        work.commit().await?;
        Ok(found)
    }

    async fn decide(
        &self,
        work: &Work,
        claim: &Claim,
        queue: &mut Queue,
        room: usize,
        now: Timestamp,
    ) -> Result<Found> {
        let Some(endpoint) = store::endpoint(work, claim).await? else {
            let cleared = store::clear(work, claim, PORTION.unsigned_abs()).await?;
            return Ok(if cleared { Found::Over } else { Found::Again });
        };
        let paths = access_store::paths(work, &[claim.realm], &[endpoint.organization_id]).await?;
        let path = paths.get(&endpoint.organization_id).map(|(_, path)| path);
        match model::standing(&endpoint, path) {
            Standing::Disabled => {
                queue.next_attempt_at = None;
                let cancelled = store::cancel(work, claim, now, PORTION).await?;
                return Ok(if cancelled > 0 { Found::Again } else { Found::Nothing });
            }
            Standing::Paused => {
                queue.next_attempt_at = None;
                return Ok(Found::Nothing);
            }
            Standing::Suspended => {
                queue.next_attempt_at = Some(now.plus(SUSPENDED_LOOK));
                return Ok(Found::Nothing);
            }
            Standing::Open => {}
        }
        let held_off = queue.hold_off_until.is_some_and(|until| until > now);
        // Before it has proved itself again, an endpoint gets one request at a time.
        let room = if queue.troubled { (room + 1).saturating_sub(PARALLEL) } else { room };
        let due = if held_off || room == 0 {
            Vec::new()
        } else {
            store::due(work, claim, now, u64::try_from(room).unwrap_or(1)).await?
        };
        if due.is_empty() {
            let next = store::earliest(work, claim).await?;
            // What was due before this turn ended lines up behind those that wait.
            queue.next_attempt_at = next.map(|at| at.max(now).max(queue.hold_off_until.unwrap_or(now)));
            return Ok(Found::Nothing);
        }
        let (wanted, unwanted): (Vec<Delivery>, Vec<Delivery>) = due.into_iter().partition(|delivery| {
            delivery.event_sequence.is_none_or(|at| !delivery.ordered || model::was_enabled(&endpoint, at))
        });
        if !unwanted.is_empty() {
            for delivery in unwanted {
                self.settle(work, claim, delivery, DeliveryStatus::Cancelled, now).await?;
            }
            return Ok(Found::Again);
        }
        self.load(work, claim, &endpoint, wanted, now).await
    }

    /// Puts the deliveries off to the end of the lease and makes what is sent of them.
    async fn load(
        &self,
        work: &Work,
        claim: &Claim,
        endpoint: &Endpoint,
        deliveries: Vec<Delivery>,
        now: Timestamp,
    ) -> Result<Found> {
        let sequences = deliveries.iter().filter_map(|delivery| delivery.event_sequence).collect();
        let events: HashMap<i64, Event> = store::events(work, claim.realm, sequences)
            .await?
            .into_iter()
            .map(|event| (event.sequence, event))
            .collect();
        let ids: Vec<_> = deliveries.iter().map(|delivery| delivery.id).collect();
        store::put_off(work, claim.realm, &ids, now.plus(LEASE)).await?;
        let secrets = self.secrets(endpoint, now)?;
        let mut shipments = Vec::with_capacity(deliveries.len());
        for delivery in deliveries {
            let body = match delivery.event_sequence {
                None => Some(message::ping_body(&delivery)),
                Some(sequence) => events.get(&sequence).map(message::body),
            };
            match body {
                Some(body) => {
                    shipments.push(Shipment { delivery, url: endpoint.url.clone(), body, secrets: secrets.clone() });
                }
                // The outbox no longer has it.
                None => self.settle(work, claim, delivery, DeliveryStatus::Cancelled, now).await?,
            }
        }
        Ok(if shipments.is_empty() { Found::Again } else { Found::Send(shipments) })
    }

    /// The secrets that sign now: the endpoint's, and for a while the one before it.
    fn secrets(&self, endpoint: &Endpoint, now: Timestamp) -> Result<Vec<String>> {
        let open =
            |column, sealed: &str| self.sealer.open(secret_place(endpoint.realm_id, endpoint.id, column), sealed);
        let mut secrets = vec![open("secret_sealed", &endpoint.secret_sealed)?];
        if let Some(sealed) = &endpoint.previous_secret_sealed
            && endpoint.previous_secret_expires_at.is_some_and(|at| at > now)
        {
            secrets.push(open("previous_secret_sealed", sealed)?);
        }
        Ok(secrets)
    }

    /// Sends once and writes down how it went. What is not written down is sent again, by whoever has the endpoint next.
    async fn attempt(&self, claim: &Claim, shipment: Shipment) -> Result<()> {
        let Shipment { delivery, url, body, secrets } = shipment;
        let started_at = self.now();
        let message = Message::new(&delivery, body, &secrets, started_at)?;
        let attempted = self.sender.send(&url, message, started_at).await;
        let outcome = if attempted.answer.is_success() { "delivered" } else { "failed" };
        metrics::counter!("banyan_webhook_attempts_total", "outcome" => outcome).increment(1);
        metrics::histogram!("banyan_webhook_attempt_seconds").record(attempted.duration.as_secs_f64());
        let mut tries = 1;
        let disable = loop {
            match self.record(claim, &delivery, started_at, &attempted).await {
                Err(Error::Fault(fault)) if fault.transient && tries < RECORD_TRIES => tries += 1,
                other => break other?,
            }
        };
        if let Some(reason) = disable {
            let command = DisableEndpoint { endpoint: claim.endpoint, reason };
            match self.kernel.execute(&self.caller(), &command).await {
                // Removed in the meantime.
                Err(Error::Refused(_)) | Ok(_) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Answers why the endpoint is to be disabled, if it is.
    async fn record(
        &self,
        claim: &Claim,
        delivery: &Delivery,
        started_at: Timestamp,
        attempted: &Attempted,
    ) -> Result<Option<&'static str>> {
        let work = self.kernel.begin_work().await?;
        let Some(mut queue) = store::hold(&work, claim).await? else {
            tracing::warn!(delivery = %delivery.id, "the lease ran out before the answer came; it is sent again");
            return Ok(None);
        };
        let now = self.now();
        let mut delivery = delivery.clone();
        delivery.attempt_count += 1;
        store::insert_attempt(
            &work,
            Attempt {
                realm_id: delivery.realm_id,
                delivery_id: delivery.id,
                number: delivery.attempt_count,
                started_at,
                duration_ms: i64::try_from(attempted.duration.as_millis()).unwrap_or(i64::MAX),
                response_status: attempted.answer.status.map(i64::from),
                response_body: attempted.body.clone(),
                error: attempted.error.clone(),
            },
        )
        .await?;
        let answer = attempted.answer;
        let verdict = answer.verdict(delivery.attempt_count, now, self.kernel.world.ids.secret()[0]);
        match verdict {
            Verdict::Delivered => self.settle(&work, claim, delivery, DeliveryStatus::Delivered, now).await?,
            Verdict::GivenUp | Verdict::Gone => {
                self.settle(&work, claim, delivery, DeliveryStatus::Failed, now).await?;
            }
            Verdict::RetryAt(at) => {
                delivery.next_attempt_at = Some(at);
                store::save_delivery(&work, &delivery).await?;
            }
        }
        let health = Health { failures: queue.failures, failing_since: queue.failing_since }.after(answer, now);
        queue.failures = health.failures;
        queue.failing_since = health.failing_since;
        queue.troubled = health.failures > 0 || attempted.duration > SLOW;
        if let Some(until) = answer.hold_off(now) {
            queue.hold_off_until = Some(until);
        }
        store::save(&work, queue).await?;
        work.commit().await?;
        Ok(match verdict {
            Verdict::Gone => Some("The endpoint answered 410 Gone."),
            _ if health.is_hopeless(now) => Some("Every attempt failed for five days."),
            _ => None,
        })
    }

    /// Ends a delivery and lets the next of its lane go.
    async fn settle(
        &self,
        work: &Work,
        claim: &Claim,
        mut delivery: Delivery,
        status: DeliveryStatus,
        now: Timestamp,
    ) -> Result<()> {
        delivery.status = status;
        delivery.next_attempt_at = None;
        delivery.settled_at = Some(now);
        store::save_delivery(work, &delivery).await?;
        if delivery.ordered {
            store::promote(work, claim, delivery.event_organization_id, now).await?;
        }
        Ok(())
    }
}
