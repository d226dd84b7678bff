//! Caps and automatic refill.

use cynic::MutationBuilder;

use super::{Change, Field, Form, Inverse, Kind, LIMITS as SELF, Prepared, Problem, Risk, Spec, Undoing};
use crate::graphql::outcome::settled;
use crate::graphql::{OrganizationId, OrganizationRow, Receipt, Request, UserError, schema};

pub const LIMITS: Spec = Spec {
    name: "limits",
    title: "Caps and refill",
    verb: "Set",
    on: Kind::Organization,
    risk: Risk::Medium,
    scope: "org:write",
    has_source: false,
    fields: |occasion| {
        let limits = occasion.known.map(|known| &known.limits);
        vec![
            Field::change("Monthly cap", limits.map(|limits| limits.monthly_credit_cap)),
            Field::change("Subtree cap", limits.map(|limits| limits.subtree_monthly_cap)),
            Field::change("Refill below", limits.map(|limits| limits.refill_threshold)),
            Field::change("Refill by", limits.map(|limits| limits.refill_amount)),
            Field::change("Ceiling", limits.map(|limits| limits.refill_monthly_ceiling)),
        ]
    },
    plan: None,
    prepare,
    inverse: Some(Inverse { spec: || &SELF, how: Undoing::Before }),
};

#[derive(cynic::InputObject, Debug)]
struct OrganizationLimitsUpdateInput {
    organization_id: Option<OrganizationId>,
    #[cynic(skip_serializing_if = "Change::is_kept")]
    monthly_credit_cap: Change,
    #[cynic(skip_serializing_if = "Change::is_kept")]
    subtree_monthly_cap: Change,
    #[cynic(skip_serializing_if = "Change::is_kept")]
    refill_threshold: Change,
    #[cynic(skip_serializing_if = "Change::is_kept")]
    refill_amount: Change,
    #[cynic(skip_serializing_if = "Change::is_kept")]
    refill_monthly_ceiling: Change,
}

#[derive(cynic::QueryVariables, Debug)]
struct LimitsVariables {
    input: OrganizationLimitsUpdateInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "LimitsVariables")]
struct LimitsMutation {
    #[arguments(input: $input)]
    organization_limits_update: Option<OrganizationLimitsUpdatePayload>,
}

#[derive(cynic::QueryFragment, Debug)]
struct OrganizationLimitsUpdatePayload {
    organization: Option<OrganizationRow>,
    user_errors: Vec<UserError>,
}

fn prepare(form: &Form) -> Result<Prepared, Problem> {
    let mut says = Vec::new();
    let mut change = |label: &'static str| {
        let change = Change::from_typed(label, form.text(label))?;
        let before = form.fields.iter().find(|field| field.label == label).and_then(|field| field.before.as_deref());
        says.extend(change.says(before, "to").map(|words| (label, words)));
        Ok::<_, Problem>(change)
    };
    let input = OrganizationLimitsUpdateInput {
        organization_id: Some(OrganizationId::new(&form.target.id)),
        monthly_credit_cap: change("Monthly cap")?,
        subtree_monthly_cap: change("Subtree cap")?,
        refill_threshold: change("Refill below")?,
        refill_amount: change("Refill by")?,
        refill_monthly_ceiling: change("Ceiling")?,
    };
    if says.is_empty() {
        return Err(Problem::of("Monthly cap", "nothing is changed yet: fill in at least one field"));
    }
    says.push(("", "A cap below this month's use stops new spending and takes nothing back.".to_owned()));
    let operation = LimitsMutation::build(LimitsVariables { input });
    let request = Request::of_payload("Limits", operation, |data: LimitsMutation| {
        let payload = data.organization_limits_update?;
        Some(settled(payload.user_errors, Receipt { organization: payload.organization, ..Receipt::default() }))
    });
    Ok(Prepared {
        says,
        done: "Set the limits of".to_owned(),
        request: request.with_idempotency_header(form.idempotency_key),
    })
}
