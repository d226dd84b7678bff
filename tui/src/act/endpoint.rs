//! What is sent to a webhook endpoint: paused, kept for later; disabled, not even kept.

use cynic::MutationBuilder;

use super::{Form, Inverse, Kind, Prepared, Risk, Spec, Undoing};
use crate::graphql::outcome::settled;
use crate::graphql::{Outcome, Receipt, Request, UserError, schema};

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
    prepare: |form| {
        Ok(prepared(form, "Nothing is sent to it until it is unpaused; it is kept.", "Paused", pause(form)))
    },
    inverse: Some(Inverse { spec: || &ENDPOINT_UNPAUSE, how: Undoing::SameTarget }),
};

pub const ENDPOINT_UNPAUSE: Spec = Spec {
    name: "unpause",
    title: "Send to a webhook endpoint again",
    verb: "Unpause",
    risk: Risk::Low,
    prepare: |form| Ok(prepared(form, "What was kept is sent, oldest first.", "Unpaused", resume(form))),
    inverse: Some(Inverse { spec: || &ENDPOINT_PAUSE, how: Undoing::SameTarget }),
    ..ENDPOINT_PAUSE
};

pub const ENDPOINT_DISABLE: Spec = Spec {
    name: "disable",
    title: "Disable a webhook endpoint",
    verb: "Disable",
    prepare: |form| {
        let words = "What waits is cancelled, and what happens until it is enabled is never sent to it.";
        Ok(prepared(form, words, "Disabled", set_enabled(form, false)))
    },
    inverse: Some(Inverse { spec: || &ENDPOINT_ENABLE, how: Undoing::SameTarget }),
    ..ENDPOINT_PAUSE
};

pub const ENDPOINT_ENABLE: Spec = Spec {
    name: "enable",
    title: "Enable a webhook endpoint",
    verb: "Enable",
    risk: Risk::Low,
    prepare: |form| {
        let words = "What happens from now on is sent to it; what was cancelled stays so.";
        Ok(prepared(form, words, "Enabled", set_enabled(form, true)))
    },
    inverse: Some(Inverse { spec: || &ENDPOINT_DISABLE, how: Undoing::SameTarget }),
    ..ENDPOINT_PAUSE
};

fn prepared(form: &Form, words: &str, done: &str, request: Request<Outcome>) -> Prepared {
    Prepared {
        says: vec![("", words.to_owned())],
        done: done.to_owned(),
        request: request.with_idempotency_header(form.idempotency_key),
    }
}

#[derive(cynic::InputObject, Debug)]
struct WebhookEndpointPauseInput {
    webhook_endpoint_id: cynic::Id,
}

#[derive(cynic::QueryVariables, Debug)]
struct PauseVariables {
    input: WebhookEndpointPauseInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "PauseVariables")]
struct PauseMutation {
    #[arguments(input: $input)]
    webhook_endpoint_pause: Option<WebhookEndpointPausePayload>,
}

#[derive(cynic::QueryFragment, Debug)]
struct WebhookEndpointPausePayload {
    user_errors: Vec<UserError>,
}

fn pause(form: &Form) -> Request<Outcome> {
    let input = WebhookEndpointPauseInput { webhook_endpoint_id: cynic::Id::new(&form.target.id) };
    let operation = PauseMutation::build(PauseVariables { input });
    Request::of_payload("PauseEndpoint", operation, |data: PauseMutation| {
        Some(settled(data.webhook_endpoint_pause?.user_errors, Receipt::default()))
    })
}

#[derive(cynic::InputObject, Debug)]
struct WebhookEndpointResumeInput {
    webhook_endpoint_id: cynic::Id,
}

#[derive(cynic::QueryVariables, Debug)]
struct UnpauseVariables {
    input: WebhookEndpointResumeInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "UnpauseVariables")]
struct UnpauseMutation {
    #[arguments(input: $input)]
    webhook_endpoint_resume: Option<WebhookEndpointResumePayload>,
}

#[derive(cynic::QueryFragment, Debug)]
struct WebhookEndpointResumePayload {
    user_errors: Vec<UserError>,
}

fn resume(form: &Form) -> Request<Outcome> {
    let input = WebhookEndpointResumeInput { webhook_endpoint_id: cynic::Id::new(&form.target.id) };
    let operation = UnpauseMutation::build(UnpauseVariables { input });
    Request::of_payload("UnpauseEndpoint", operation, |data: UnpauseMutation| {
        Some(settled(data.webhook_endpoint_resume?.user_errors, Receipt::default()))
    })
}

#[derive(cynic::InputObject, Debug)]
struct WebhookEndpointUpdateInput {
    webhook_endpoint_id: cynic::Id,
    enabled: Option<bool>,
}

#[derive(cynic::QueryVariables, Debug)]
struct EnableVariables {
    input: WebhookEndpointUpdateInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "EnableVariables")]
struct EnableMutation {
    #[arguments(input: $input)]
    webhook_endpoint_update: Option<WebhookEndpointUpdatePayload>,
}

#[derive(cynic::QueryFragment, Debug)]
struct WebhookEndpointUpdatePayload {
    user_errors: Vec<UserError>,
}

fn set_enabled(form: &Form, enabled: bool) -> Request<Outcome> {
    let input =
        WebhookEndpointUpdateInput { webhook_endpoint_id: cynic::Id::new(&form.target.id), enabled: Some(enabled) };
    let operation = EnableMutation::build(EnableVariables { input });
    Request::of_payload("EnableEndpoint", operation, |data: EnableMutation| {
        Some(settled(data.webhook_endpoint_update?.user_errors, Receipt::default()))
    })
}
