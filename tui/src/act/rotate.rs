//! Rotating a key: a new one of the same family now, and the old one for a while longer.

use cynic::MutationBuilder;

use super::mint::IssuedKey;
use super::{Field, Form, Kind, Prepared, Problem, Risk, Spec};
use crate::graphql::outcome::settled;
use crate::graphql::{Receipt, Request, Secret, UserError, schema};

pub const ROTATE: Spec = Spec {
    name: "rotate",
    title: "Rotate an API key",
    verb: "Rotate",
    on: Kind::ApiKey,
    risk: Risk::Medium,
    scope: "keys:*",
    has_source: false,
    fields: |_| vec![Field::text("Grace", "hours that the old key works on, 0 to 168", 3, "24")],
    plan: None,
    prepare,
    inverse: None,
};

const GRACE_HOURS_MAX: i32 = 168;

#[derive(cynic::InputObject, Debug)]
struct ApiKeyRotateInput {
    api_key_id: cynic::Id,
    grace_period_seconds: Option<i32>,
    idempotency_key: Option<String>,
}

#[derive(cynic::QueryVariables, Debug)]
struct RotateVariables {
    input: ApiKeyRotateInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "RotateVariables")]
struct RotateMutation {
    #[arguments(input: $input)]
    api_key_rotate: Option<ApiKeyRotatePayload>,
}

#[derive(cynic::QueryFragment, Debug)]
struct ApiKeyRotatePayload {
    api_key: Option<IssuedKey>,
    secret: Option<Secret>,
    replayed: bool,
    user_errors: Vec<UserError>,
}

fn prepare(form: &Form) -> Result<Prepared, Problem> {
    let hours: Option<i32> = form.text("Grace").parse().ok().filter(|hours| (0..=GRACE_HOURS_MAX).contains(hours));
    let hours = hours.ok_or_else(|| Problem::of("Grace", "whole hours, 0 to 168"))?;
    let input = ApiKeyRotateInput {
        api_key_id: cynic::Id::new(&form.target.id),
        grace_period_seconds: Some(hours * 3600),
        idempotency_key: Some(form.idempotency_key.to_owned()),
    };
    let operation = RotateMutation::build(RotateVariables { input });
    let request = Request::of_payload("Rotate", operation, |data: RotateMutation| {
        let payload = data.api_key_rotate?;
        let issued = payload.api_key.map(|key| key.with(payload.secret));
        Some(settled(payload.user_errors, Receipt { issued, replayed: payload.replayed, ..Receipt::default() }))
    });
    let old = match hours {
        0 => "stops working at once".to_owned(),
        1 => "works for 1 hour more".to_owned(),
        hours => format!("works for {hours} hours more"),
    };
    Ok(Prepared {
        says: vec![("Old key", old), ("New key", "its secret is shown once".to_owned())],
        done: "Rotated".to_owned(),
        request,
    })
}
