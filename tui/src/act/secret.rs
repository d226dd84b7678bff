//! Giving a webhook endpoint another signing secret. It comes once, in the answer.

use cynic::MutationBuilder;

use super::{Field, Form, Kind, Prepared, Problem, Risk, Spec};
use crate::graphql::outcome::settled;
use crate::graphql::{Issued, Receipt, Request, Secret, UserError, schema};

pub const SECRET_ROTATE: Spec = Spec {
    name: "rotate-secret",
    title: "Rotate a webhook endpoint's secret",
    verb: "Rotate",
    on: Kind::Endpoint,
    risk: Risk::Medium,
    scope: "webhooks:*",
    has_source: false,
    fields: |_| vec![Field::text("Overlap", "hours that the old secret signs too, 0 to 168", 3, "24")],
    plan: None,
    prepare,
    inverse: None,
};

const OVERLAP_HOURS_MAX: i32 = 168;

#[derive(cynic::InputObject, Debug)]
struct WebhookEndpointSecretRotateInput {
    webhook_endpoint_id: cynic::Id,
    overlap_seconds: Option<i32>,
    idempotency_key: Option<String>,
}

#[derive(cynic::QueryVariables, Debug)]
struct SecretVariables {
    input: WebhookEndpointSecretRotateInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "SecretVariables")]
struct SecretMutation {
    #[arguments(input: $input)]
    webhook_endpoint_secret_rotate: Option<WebhookEndpointSecretRotatePayload>,
}

#[derive(cynic::QueryFragment, Debug)]
struct WebhookEndpointSecretRotatePayload {
    webhook_endpoint: Option<Rotated>,
    secret: Option<Secret>,
    replayed: bool,
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "WebhookEndpoint")]
struct Rotated {
    id: cynic::Id,
    url: String,
}

fn prepare(form: &Form) -> Result<Prepared, Problem> {
    let hours: Option<i32> = form.text("Overlap").parse().ok().filter(|hours| (0..=OVERLAP_HOURS_MAX).contains(hours));
    let hours = hours.ok_or_else(|| Problem::of("Overlap", "whole hours, 0 to 168"))?;
    let input = WebhookEndpointSecretRotateInput {
        webhook_endpoint_id: cynic::Id::new(&form.target.id),
        overlap_seconds: Some(hours * 3600),
        idempotency_key: Some(form.idempotency_key.to_owned()),
    };
    let operation = SecretMutation::build(SecretVariables { input });
    let request = Request::of_payload("RotateSecret", operation, |data: SecretMutation| {
        let payload = data.webhook_endpoint_secret_rotate?;
        let secret = payload.secret;
        let issued = payload.webhook_endpoint.map(|endpoint| {
            let id = endpoint.id.into_inner();
            Issued { prefix: id.clone(), id, name: endpoint.url, secret }
        });
        Some(settled(payload.user_errors, Receipt { issued, replayed: payload.replayed, ..Receipt::default() }))
    });
    let old = match hours {
        0 => "signs nothing more, at once".to_owned(),
        1 => "signs beside the new one for 1 hour".to_owned(),
        hours => format!("signs beside the new one for {hours} hours"),
    };
    Ok(Prepared {
        says: vec![("Old secret", old), ("New secret", "is shown once".to_owned())],
        done: "Rotated the secret of".to_owned(),
        request,
    })
}
