//! Suspending: keys and sessions of an organization and of all below it are refused at once.

use cynic::{MutationBuilder, QueryBuilder};

use super::{Field, Form, Inverse, Kind, Prepared, Problem, RESUME, Risk, Spec, Undoing};
use crate::graphql::outcome::settled;
use crate::graphql::{Answer, OrganizationId, OrganizationRow, Plan, Receipt, Request, UserError, schema};

pub const SUSPEND: Spec = Spec {
    name: "suspend",
    title: "Suspend",
    verb: "Suspend",
    on: Kind::Organization,
    risk: Risk::Medium,
    scope: "org:write",
    has_source: false,
    fields: |_| vec![Field::reason()],
    plan: Some(plan),
    prepare,
    inverse: Some(Inverse { spec: || &RESUME, how: Undoing::SameTarget }),
};

#[derive(cynic::QueryVariables, Debug)]
struct PlanVariables {
    organization_id: OrganizationId,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "PlanVariables")]
struct SuspendPlan {
    #[arguments(organizationId: $organization_id)]
    organization_suspend_plan: Option<Plan>,
}

#[derive(cynic::InputObject, Debug)]
struct OrganizationSuspendInput {
    organization_id: OrganizationId,
    reason: Option<String>,
    plan_hash: Option<String>,
}

#[derive(cynic::QueryVariables, Debug)]
struct SuspendVariables {
    input: OrganizationSuspendInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "SuspendVariables")]
struct SuspendMutation {
    #[arguments(input: $input)]
    organization_suspend: Option<OrganizationSuspendPayload>,
}

#[derive(cynic::QueryFragment, Debug)]
struct OrganizationSuspendPayload {
    organization: Option<OrganizationRow>,
    user_errors: Vec<UserError>,
}

fn plan(form: &Form) -> Option<Request<Answer>> {
    let variables = PlanVariables { organization_id: OrganizationId::new(&form.target.id) };
    Some(Request::new("SuspendPlan", SuspendPlan::build(variables), |data: SuspendPlan, _| {
        Answer::Plan(data.organization_suspend_plan.map(Box::new))
    }))
}

fn prepare(form: &Form) -> Result<Prepared, Problem> {
    let reason = form.required("Reason", "say why: the reason stays in the audit log")?;
    let input = OrganizationSuspendInput {
        organization_id: OrganizationId::new(&form.target.id),
        reason: Some(reason.clone()),
        plan_hash: form.plan_hash(),
    };
    let operation = SuspendMutation::build(SuspendVariables { input });
    let request = Request::of_payload("Suspend", operation, |data: SuspendMutation| {
        let payload = data.organization_suspend?;
        Some(settled(payload.user_errors, Receipt { organization: payload.organization, ..Receipt::default() }))
    });
    Ok(Prepared {
        says: vec![
            ("Reason", reason),
            ("", "Keys and sessions of it and of all below are refused at once.".to_owned()),
        ],
        done: "Suspended".to_owned(),
        request: request.with_idempotency_header(form.idempotency_key),
    })
}
