//! Sending on purpose: a ping to an endpoint, and the event of a delivery once more.
//!
//! The receiver knows a redelivered event by its id, so that neither can do harm twice: both are asked about once and
//! have nothing that undoes them.

use cynic::MutationBuilder;

use super::{Form, Kind, Prepared, Problem, Risk, Spec};
use crate::graphql::outcome::settled;
use crate::graphql::{Receipt, Request, UserError, schema};

pub const PING: Spec = Spec {
    name: "ping",
    title: "Ping a webhook endpoint",
    verb: "Ping",
    on: Kind::Endpoint,
    risk: Risk::Low,
    scope: "webhooks:*",
    has_source: false,
    fields: |_| Vec::new(),
    plan: None,
    prepare: ping,
    inverse: None,
};

pub const REDELIVER: Spec = Spec {
    name: "redeliver",
    title: "Send an event once more",
    verb: "Send",
    on: Kind::Delivery,
    prepare: redeliver,
    ..PING
};

/// A delivery that was put in the queue.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "WebhookDelivery")]
struct Queued {
    id: cynic::Id,
}

fn receipt(queued: Option<Queued>, replayed: bool) -> Receipt {
    let note = queued.map(|queued| format!("on its way as {}", queued.id.inner()));
    Receipt { replayed, note, ..Receipt::default() }
}

#[derive(cynic::InputObject, Debug)]
struct WebhookEndpointPingInput {
    webhook_endpoint_id: cynic::Id,
    idempotency_key: Option<String>,
}

#[derive(cynic::QueryVariables, Debug)]
struct PingVariables {
    input: WebhookEndpointPingInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "PingVariables")]
struct PingMutation {
    #[arguments(input: $input)]
    webhook_endpoint_ping: Option<WebhookEndpointPingPayload>,
}

#[derive(cynic::QueryFragment, Debug)]
struct WebhookEndpointPingPayload {
    webhook_delivery: Option<Queued>,
    replayed: bool,
    user_errors: Vec<UserError>,
}

fn ping(form: &Form) -> Result<Prepared, Problem> {
    let input = WebhookEndpointPingInput {
        webhook_endpoint_id: cynic::Id::new(&form.target.id),
        idempotency_key: Some(form.idempotency_key.to_owned()),
    };
    let operation = PingMutation::build(PingVariables { input });
    let request = Request::of_payload("Ping", operation, |data: PingMutation| {
        let payload = data.webhook_endpoint_ping?;
        Some(settled(payload.user_errors, receipt(payload.webhook_delivery, payload.replayed)))
    });
    let words = "It is sent webhook_endpoint.ping, past whatever waits. Its deliveries show the answer.";
    Ok(Prepared { says: vec![("", words.to_owned())], done: "Pinged".to_owned(), request })
}

#[derive(cynic::InputObject, Debug)]
struct WebhookDeliveryRedeliverInput {
    webhook_delivery_id: cynic::Id,
    idempotency_key: Option<String>,
}

#[derive(cynic::QueryVariables, Debug)]
struct RedeliverVariables {
    input: WebhookDeliveryRedeliverInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "RedeliverVariables")]
struct RedeliverMutation {
    #[arguments(input: $input)]
    webhook_delivery_redeliver: Option<WebhookDeliveryRedeliverPayload>,
}

#[derive(cynic::QueryFragment, Debug)]
struct WebhookDeliveryRedeliverPayload {
    webhook_delivery: Option<Queued>,
    replayed: bool,
    user_errors: Vec<UserError>,
}

fn redeliver(form: &Form) -> Result<Prepared, Problem> {
    let input = WebhookDeliveryRedeliverInput {
        webhook_delivery_id: cynic::Id::new(&form.target.id),
        idempotency_key: Some(form.idempotency_key.to_owned()),
    };
    let operation = RedeliverMutation::build(RedeliverVariables { input });
    let request = Request::of_payload("Redeliver", operation, |data: RedeliverMutation| {
        let payload = data.webhook_delivery_redeliver?;
        Some(settled(payload.user_errors, receipt(payload.webhook_delivery, payload.replayed)))
    });
    let words = "The event goes out again under the same event id, past whatever waits, as a new delivery.";
    Ok(Prepared { says: vec![("", words.to_owned())], done: "Sent again".to_owned(), request })
}
