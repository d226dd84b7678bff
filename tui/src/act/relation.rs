//! Whether an organization is owned by its parent or linked to it.

use cynic::MutationBuilder;

use super::{Field, Form, Kind, Prepared, Problem, Risk, Spec};
use crate::graphql::outcome::settled;
use crate::graphql::scalar::Relation;
use crate::graphql::{OrganizationId, OrganizationRow, Receipt, Request, UserError, schema};

pub const RELATION: Spec = Spec {
    name: "relation",
    title: "Relation to the parent",
    verb: "Change",
    on: Kind::Organization,
    risk: Risk::Medium,
    scope: "org:write",
    has_source: false,
    fields: |occasion| {
        let linked = occasion.known.is_some_and(|known| known.relation == Some(Relation::Owned));
        vec![Field::choice("Relation", "space for the other", RELATIONS, usize::from(linked))]
    },
    plan: None,
    prepare,
    inverse: None,
};

const RELATIONS: &[&str] = &["OWNED", "LINKED"];

#[derive(cynic::InputObject, Debug)]
struct OrganizationRelationUpdateInput {
    organization_id: OrganizationId,
    relation: Relation,
    expected_version: Option<i32>,
}

#[derive(cynic::QueryVariables, Debug)]
struct RelationVariables {
    input: OrganizationRelationUpdateInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "RelationVariables")]
struct RelationMutation {
    #[arguments(input: $input)]
    organization_relation_update: Option<OrganizationRelationUpdatePayload>,
}

#[derive(cynic::QueryFragment, Debug)]
struct OrganizationRelationUpdatePayload {
    organization: Option<OrganizationRow>,
    user_errors: Vec<UserError>,
}

fn prepare(form: &Form) -> Result<Prepared, Problem> {
    let relation = Relation::of_word(form.text("Relation"));
    let (words, consequence) = match relation {
        Relation::Owned => ("OWNED", "It is consolidated into the parent's reports from today on."),
        _ => ("LINKED", "It keeps its books to itself from today on; past periods stay consolidated."),
    };
    let input = OrganizationRelationUpdateInput {
        organization_id: OrganizationId::new(&form.target.id),
        relation,
        expected_version: form.target.version,
    };
    let operation = RelationMutation::build(RelationVariables { input });
    let request = Request::of_payload("Relation", operation, |data: RelationMutation| {
        let payload = data.organization_relation_update?;
        Some(settled(payload.user_errors, Receipt { organization: payload.organization, ..Receipt::default() }))
    });
    Ok(Prepared {
        says: vec![("Relation", words.to_owned()), ("", consequence.to_owned())],
        done: format!("Made {words}"),
        request: request.with_idempotency_header(form.idempotency_key),
    })
}
