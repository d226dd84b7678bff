//! Which endpoints an event goes to.
//!
//! Events are looked at in the order of the realm, a portion in one transaction, together with the realm's cursor: each
//! event is handed out once, whichever gateway does it. A gateway that finds the cursor locked leaves the realm to the one
//! that has it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use entity::delivery::Model as Delivery;
use entity::delivery_queue::Model as Queue;
use entity::event::Model as Event;
use entity::id::{OrganizationId, RealmId, WebhookEndpointId};
use entity::kind::DeliveryStatus;
use entity::timestamp::Timestamp;

use crate::access::path::Path;
use crate::access::store as access_store;
use crate::event::catalogue;
use crate::kernel::Kernel;
use crate::kernel::error::Result;
use crate::kernel::work::Work;
use crate::webhook::hearing::hears;
use crate::webhook::model::Endpoint;
use crate::webhook::store::fan_out as store;
use crate::webhook::store::fan_out::Lane;

/// Events of one transaction.
const BATCH: u64 = 500;
/// Realms of one look.
const REALMS: i64 = 100;

/// Looks at a portion of every realm that has something new. Answers whether there may be more.
pub async fn look(kernel: &Kernel) -> Result<bool> {
    let realms = store::realms_behind(&kernel.db.snapshot(), REALMS).await?;
    let mut moved = false;
    for realm in realms {
        moved |= hand_out(kernel, realm).await?;
    }
    Ok(moved)
}

/// Hands out the realm's next events. Answers whether it was this gateway's turn.
async fn hand_out(kernel: &Kernel, realm: RealmId) -> Result<bool> {
    let work = kernel.begin_work().await?;
    let Some(after) = store::claim_cursor(&work, realm).await? else { return Ok(false) };
    let head = store::head(&work, realm).await?;
    let events = store::events(&work, realm, after, head, BATCH).await?;
    let full = u64::try_from(events.len()).is_ok_and(|count| count == BATCH);
    let seen = if full { events.last().map_or(head, |last| last.sequence) } else { head };
    if !events.is_empty() {
        let batch = Batch::load(&work, realm, events).await?;
        batch.deliver(kernel, &work).await?;
    }
    store::move_cursor(&work, realm, seen).await?;
    work.commit().await?;
    Ok(seen > after)
}

/// Events and everybody who may hear of them.
struct Batch {
    realm: RealmId,
    events: Vec<Event>,
    endpoints: HashMap<OrganizationId, Vec<Endpoint>>,
    /// The paths, as they are now, of organizations whose events need something delegated.
    paths: HashMap<OrganizationId, Path>,
}

impl Batch {
    async fn load(work: &Work, realm: RealmId, events: Vec<Event>) -> Result<Self> {
        let listeners: BTreeSet<OrganizationId> =
            events.iter().flat_map(|event| event.path.0.iter().copied()).collect();
        let mut endpoints: HashMap<OrganizationId, Vec<Endpoint>> = HashMap::new();
        for endpoint in store::endpoints(work, realm, &listeners).await? {
            endpoints.entry(endpoint.organization_id).or_default().push(endpoint);
        }
        let needs_path = |event: &&Event| {
            catalogue::delegation_of(&event.event_type).is_some()
                && event.path.0.iter().skip(1).any(|ancestor| endpoints.contains_key(ancestor))
        };
        let happened_to: BTreeSet<OrganizationId> =
            events.iter().filter(needs_path).map(|event| event.organization_id).collect();
        let happened_to: Vec<OrganizationId> = happened_to.into_iter().collect();
        let paths = access_store::paths(work, &[realm], &happened_to).await?;
        let paths = paths.into_iter().map(|(id, (_, path))| (id, path)).collect();
        Ok(Self { realm, events, endpoints, paths })
    }

    /// The endpoints that an event goes to.
    fn hearers<'a>(&'a self, event: &'a Event) -> impl Iterator<Item = &'a Endpoint> {
        let now = self.paths.get(&event.organization_id);
        let above = event.path.0.iter().filter_map(|id| self.endpoints.get(id)).flatten();
        above.filter(move |endpoint| hears(endpoint, event, now))
    }

    async fn deliver(&self, kernel: &Kernel, work: &Work) -> Result<()> {
        let heard: Vec<(&Event, &Endpoint)> =
            self.events.iter().flat_map(|event| self.hearers(event).map(move |endpoint| (event, endpoint))).collect();
        if heard.is_empty() {
            return Ok(());
        }
        let now = kernel.world.clock.now();
        let served: BTreeMap<WebhookEndpointId, &Endpoint> =
            heard.iter().map(|(_, endpoint)| (endpoint.id, *endpoint)).collect();
        // Locked before it is asked which lanes are busy: the answer holds until the commit.
        let queues = store::lock_queues(work, self.realm, &served.keys().copied().collect()).await?;
        let lanes: BTreeSet<Lane> =
            heard.iter().map(|(event, endpoint)| (endpoint.id, event.organization_id)).collect();
        let mut busy = store::busy(work, self.realm, &lanes).await?;
        let mut woken = BTreeSet::new();
        let mut rows = Vec::with_capacity(heard.len());
        for (event, endpoint) in heard {
            let first = busy.insert((endpoint.id, event.organization_id));
            if first {
                woken.insert(endpoint.id);
            }
            let id = kernel.world.ids.id(now).into();
            rows.push(delivery(event, endpoint, id, first.then_some(now), now));
        }
        store::insert(work, rows).await?;
        let at = queues.iter().filter(|queue| woken.contains(&queue.webhook_endpoint_id));
        let at = at.filter(|queue| served.get(&queue.webhook_endpoint_id).is_some_and(|it| it.paused_at.is_none()));
        store::wake(
            work,
            self.realm,
            at.filter_map(|queue| Some((queue.webhook_endpoint_id, sooner(queue, now)?))).collect(),
        )
        .await
    }
}

/// When the queue is to be served, now that something is due in it; `None` when it is soon enough already.
fn sooner(queue: &Queue, now: Timestamp) -> Option<Timestamp> {
    let at = queue.hold_off_until.map_or(now, |until| until.max(now));
    queue.next_attempt_at.is_none_or(|next| next > at).then_some(at)
}

fn delivery(
    event: &Event,
    endpoint: &Endpoint,
    id: entity::id::DeliveryId,
    next_attempt_at: Option<Timestamp>,
    now: Timestamp,
) -> Delivery {
    Delivery {
        realm_id: event.realm_id,
        id,
        organization_id: endpoint.organization_id,
        webhook_endpoint_id: endpoint.id,
        event_id: event.id,
        event_type: event.event_type.clone(),
        event_sequence: Some(event.sequence),
        event_organization_id: event.organization_id,
        ordered: true,
        redelivery_of: None,
        status: DeliveryStatus::Pending,
        attempt_count: 0,
        next_attempt_at,
        created_at: now,
        settled_at: None,
    }
}
