//! Pausing a webhook endpoint, and sending to it again.

use cynic::MutationBuilder;

use super::{Form, Inverse, Kind, Prepared, Problem, Risk, Spec, Undoing};
use crate::graphql::outcome::settled;
use crate::graphql::{Receipt, Request, UserError, schema};

pub const ENDPOINT_PAUSE: Spec = Spec {
    name: "pause",
    title: "Pause a webhook endpoint",
    verb: "Pause",
    on: Kind::Endpoint,
    risk: Risk::Medium,
    scope: "webhooks:*",
    has_source: false,
    fields: |_| Vec::new(),
    plan: None,
    prepare: |form| prepare(form, false),
    inverse: Some(Inverse { spec: || &ENDPOINT_UNPAUSE, how: Undoing::SameTarget }),
};

pub const ENDPOINT_UNPAUSE: Spec = Spec {
    name: "unpause",
    title: "Send to a webhook endpoint again",
    verb: "Unpause",
    risk: Risk::Low,
    prepare: |form| prepare(form, true),
    inverse: Some(Inverse { spec: || &ENDPOINT_PAUSE, how: Undoing::SameTarget }),
    ..ENDPOINT_PAUSE
};

#[derive(cynic::InputObject, Debug)]
struct WebhookEndpointUpdateInput {
    webhook_endpoint_id: cynic::Id,
    enabled: Option<bool>,
}

#[derive(cynic::QueryVariables, Debug)]
struct EndpointVariables {
    input: WebhookEndpointUpdateInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "EndpointVariables")]
struct EndpointMutation {
    #[arguments(input: $input)]
    webhook_endpoint_update: Option<WebhookEndpointUpdatePayload>,
}

#[derive(cynic::QueryFragment, Debug)]
struct WebhookEndpointUpdatePayload {
    user_errors: Vec<UserError>,
}

fn prepare(form: &Form, enabled: bool) -> Result<Prepared, Problem> {
    let input =
        WebhookEndpointUpdateInput { webhook_endpoint_id: cynic::Id::new(&form.target.id), enabled: Some(enabled) };
    let operation = EndpointMutation::build(EndpointVariables { input });
    let request = Request::of_payload("Endpoint", operation, |data: EndpointMutation| {
        Some(settled(data.webhook_endpoint_update?.user_errors, Receipt::default()))
    });
    let (words, done) = match enabled {
        true => ("Events are sent to it again.", "Unpaused"),
        false => ("Nothing is sent to it until it is unpaused.", "Paused"),
    };
    Ok(Prepared {
        says: vec![("", words.to_owned())],
        done: done.to_owned(),
        request: request.with_idempotency_header(form.idempotency_key),
    })
}
