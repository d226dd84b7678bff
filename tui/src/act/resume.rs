//! Resuming: lifts what the caller's own organization placed, and nobody else's suspension.

use cynic::MutationBuilder;

use super::{Form, Inverse, Kind, Prepared, Problem, Risk, SUSPEND, Spec, Undoing};
use crate::graphql::outcome::settled;
use crate::graphql::scalar::EffectiveStatus;
use crate::graphql::{OrganizationId, OrganizationRow, Receipt, Request, UserError, schema};

pub const RESUME: Spec = Spec {
    name: "resume",
    title: "Resume",
    verb: "Resume",
    on: Kind::Organization,
    risk: Risk::Low,
    scope: "org:write",
    has_source: false,
    fields: |_| Vec::new(),
    plan: None,
    prepare,
    inverse: Some(Inverse { spec: || &SUSPEND, how: Undoing::SameTarget }),
};

#[derive(cynic::InputObject, Debug)]
struct OrganizationResumeInput {
    organization_id: OrganizationId,
}

#[derive(cynic::QueryVariables, Debug)]
struct ResumeVariables {
    input: OrganizationResumeInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "ResumeVariables")]
struct ResumeMutation {
    #[arguments(input: $input)]
    organization_resume: Option<OrganizationResumePayload>,
}

#[derive(cynic::QueryFragment, Debug)]
struct OrganizationResumePayload {
    organization: Option<OrganizationRow>,
    user_errors: Vec<UserError>,
}

fn prepare(form: &Form) -> Result<Prepared, Problem> {
    let input = OrganizationResumeInput { organization_id: OrganizationId::new(&form.target.id) };
    let operation = ResumeMutation::build(ResumeVariables { input });
    let request = Request::of_payload("Resume", operation, |data: ResumeMutation| {
        let payload = data.organization_resume?;
        let organization = payload.organization;
        let still_held = organization.as_ref().is_some_and(|row| row.effective_status != EffectiveStatus::Active);
        let note = still_held.then(|| "still held by somebody else's suspension".to_owned());
        Some(settled(payload.user_errors, Receipt { organization, note, ..Receipt::default() }))
    });
    let says = vec![("", "Lifts only the suspensions that your organization placed.".to_owned())];
    Ok(Prepared { says, done: "Resumed".to_owned(), request: request.with_idempotency_header(form.idempotency_key) })
}
