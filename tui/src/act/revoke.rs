//! Revoking a key, or every key of its family, for good.

use cynic::MutationBuilder;

use super::{Field, Form, Kind, Prepared, Problem, Risk, Spec};
use crate::graphql::outcome::settled;
use crate::graphql::{Receipt, Request, UserError, schema};

pub const REVOKE: Spec = Spec {
    name: "revoke",
    title: "Revoke an API key, for good",
    verb: "Revoke",
    on: Kind::ApiKey,
    risk: Risk::High,
    scope: "keys:*",
    has_source: false,
    fields: |_| {
        vec![Field::choice("Which", "this key, or every key of its family; space changes", WHICH, 0), Field::reason()]
    },
    plan: None,
    prepare,
    inverse: None,
};

/// The second word ends every key that rotations made from one.
const WHICH: &[&str] = &["key", "family"];

#[derive(cynic::InputObject, Debug)]
struct ApiKeyRevokeInput {
    api_key_id: cynic::Id,
    family: bool,
    reason: Option<String>,
}

#[derive(cynic::QueryVariables, Debug)]
struct RevokeVariables {
    input: ApiKeyRevokeInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "RevokeVariables")]
struct RevokeMutation {
    #[arguments(input: $input)]
    api_key_revoke: Option<ApiKeyRevokePayload>,
}

#[derive(cynic::QueryFragment, Debug)]
struct ApiKeyRevokePayload {
    api_keys: Option<Vec<RevokedKey>>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "ApiKey")]
struct RevokedKey {
    #[expect(dead_code, reason = "counted; a selection may not be empty")]
    id: cynic::Id,
}

fn prepare(form: &Form) -> Result<Prepared, Problem> {
    let reason = form.required("Reason", "say why: the reason stays in the audit log")?;
    let family = form.text("Which") == WHICH[1];
    let which = if family { "every key of its family" } else { "this key" };
    let input = ApiKeyRevokeInput { api_key_id: cynic::Id::new(&form.target.id), family, reason: Some(reason.clone()) };
    let operation = RevokeMutation::build(RevokeVariables { input });
    let request = Request::of_payload("Revoke", operation, |data: RevokeMutation| {
        let payload = data.api_key_revoke?;
        let ended = payload.api_keys.map_or(0, |keys| keys.len());
        let note = (ended > 1).then(|| format!("{ended} keys of the family ended"));
        Some(settled(payload.user_errors, Receipt { note, ..Receipt::default() }))
    });
    Ok(Prepared {
        says: vec![
            ("Which", which.to_owned()),
            ("Reason", reason),
            ("", "Whoever uses it is refused from the next request on. This cannot be undone.".to_owned()),
        ],
        done: "Revoked".to_owned(),
        request: request.with_idempotency_header(form.idempotency_key),
    })
}
