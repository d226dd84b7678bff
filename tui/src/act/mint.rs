//! Minting an API key. Its secret comes once, in the answer.

use cynic::MutationBuilder;

use super::{Field, Form, Inverse, Kind, Prepared, Problem, REVOKE, Risk, Spec, Undoing, field};
use crate::graphql::outcome::settled;
use crate::graphql::{Environment, Issued, OrganizationId, Receipt, Request, Secret, UserError, schema};

pub const MINT: Spec = Spec {
    name: "mint",
    title: "Mint an API key",
    verb: "Mint",
    on: Kind::Organization,
    risk: Risk::Low,
    scope: "keys:*",
    has_source: false,
    fields: |occasion| {
        vec![
            Field::text("Name", "what will use it", field::NAME_CHARS_MAX, ""),
            Field::text("Scopes", "separated by spaces or commas", field::SCOPES_CHARS_MAX, "org:read credits:read"),
            Field::choice(
                "Environment",
                "space for the other",
                field::ENVIRONMENTS,
                usize::from(*occasion.environment == Environment::Test),
            ),
        ]
    },
    plan: None,
    prepare,
    inverse: Some(Inverse { spec: || &REVOKE, how: Undoing::WhatWasMade }),
};

#[derive(cynic::InputObject, Debug)]
struct ApiKeyCreateInput {
    organization_id: Option<OrganizationId>,
    name: String,
    scopes: Vec<String>,
    environment: Environment,
    idempotency_key: Option<String>,
}

#[derive(cynic::QueryVariables, Debug)]
struct MintVariables {
    input: ApiKeyCreateInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "MintVariables")]
struct MintMutation {
    #[arguments(input: $input)]
    api_key_create: Option<ApiKeyCreatePayload>,
}

#[derive(cynic::QueryFragment, Debug)]
struct ApiKeyCreatePayload {
    api_key: Option<IssuedKey>,
    secret: Option<Secret>,
    replayed: bool,
    user_errors: Vec<UserError>,
}

/// What is kept of a new key besides its secret.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "ApiKey")]
pub(super) struct IssuedKey {
    pub id: cynic::Id,
    pub name: String,
    pub prefix: String,
}

impl IssuedKey {
    pub(super) fn with(self, secret: Option<Secret>) -> Issued {
        Issued { id: self.id.into_inner(), name: self.name, prefix: self.prefix, secret }
    }
}

fn prepare(form: &Form) -> Result<Prepared, Problem> {
    let name = form.required("Name", "give the key a name, such as what will use it")?;
    let words = form.text("Scopes").split([',', ' ']).filter(|scope| !scope.is_empty());
    let scopes: Vec<String> = words.map(str::to_owned).collect();
    if scopes.is_empty() {
        return Err(Problem::of("Scopes", "name at least one scope, such as org:read"));
    }
    let environment = Environment::of_word(form.text("Environment"));
    let says =
        vec![("Name", name.clone()), ("Scopes", scopes.join(" ")), ("Environment", environment.word().to_owned())];
    let input = ApiKeyCreateInput {
        organization_id: Some(OrganizationId::new(&form.target.id)),
        name,
        scopes,
        environment,
        idempotency_key: Some(form.idempotency_key.to_owned()),
    };
    let operation = MintMutation::build(MintVariables { input });
    let request = Request::of_payload("Mint", operation, |data: MintMutation| {
        let payload = data.api_key_create?;
        let issued = payload.api_key.map(|key| key.with(payload.secret));
        Some(settled(payload.user_errors, Receipt { issued, replayed: payload.replayed, ..Receipt::default() }))
    });
    Ok(Prepared { says, done: "Minted a key of".to_owned(), request })
}
