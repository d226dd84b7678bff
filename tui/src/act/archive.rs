//! Archiving, which is for good: keys are revoked, endpoints disabled, credits swept to the nearest live ancestor.

use cynic::{MutationBuilder, QueryBuilder};

use super::{Field, Form, Kind, Prepared, Problem, Risk, Spec};
use crate::credits::Credits;
use crate::graphql::outcome::settled;
use crate::graphql::{Answer, OrganizationId, OrganizationRow, Plan, Receipt, Request, UserError, schema};

pub const ARCHIVE: Spec = Spec {
    name: "archive",
    title: "Archive, for good",
    verb: "Archive",
    on: Kind::Organization,
    risk: Risk::High,
    scope: "org:write",
    has_source: false,
    fields: |_| {
        vec![
            Field::choice(
                "Below it",
                "active organizations below: refuse, or archive them too; space changes",
                BELOW,
                0,
            ),
            Field::reason(),
        ]
    },
    plan: Some(plan),
    prepare,
    inverse: None,
};

/// The second word archives the whole subtree.
const BELOW: &[&str] = &["refuse", "archive"];

#[derive(cynic::QueryVariables, Debug)]
struct PlanVariables {
    organization_id: OrganizationId,
    cascade: bool,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "PlanVariables")]
struct ArchivePlan {
    #[arguments(organizationId: $organization_id, cascade: $cascade)]
    organization_archive_plan: Option<Plan>,
}

#[derive(cynic::InputObject, Debug)]
struct OrganizationArchiveInput {
    organization_id: OrganizationId,
    cascade: bool,
    reason: Option<String>,
    plan_hash: Option<String>,
}

#[derive(cynic::QueryVariables, Debug)]
struct ArchiveVariables {
    input: OrganizationArchiveInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "ArchiveVariables")]
struct ArchiveMutation {
    #[arguments(input: $input)]
    organization_archive: Option<OrganizationArchivePayload>,
}

#[derive(cynic::QueryFragment, Debug)]
struct OrganizationArchivePayload {
    organization: Option<OrganizationRow>,
    reclaimed_credits: Option<Credits>,
    pending_reclaim: Option<Credits>,
    revoked_api_keys: Option<i32>,
    user_errors: Vec<UserError>,
}

fn cascade(form: &Form) -> bool {
    form.text("Below it") == BELOW[1]
}

fn plan(form: &Form) -> Option<Request<Answer>> {
    let variables = PlanVariables { organization_id: OrganizationId::new(&form.target.id), cascade: cascade(form) };
    Some(Request::new("ArchivePlan", ArchivePlan::build(variables), |data: ArchivePlan, _| {
        Answer::Plan(data.organization_archive_plan.map(Box::new))
    }))
}

fn prepare(form: &Form) -> Result<Prepared, Problem> {
    let reason = form.required("Reason", "say why: the reason stays in the audit log")?;
    let cascade = cascade(form);
    let input = OrganizationArchiveInput {
        organization_id: OrganizationId::new(&form.target.id),
        cascade,
        reason: Some(reason.clone()),
        plan_hash: form.plan_hash(),
    };
    let operation = ArchiveMutation::build(ArchiveVariables { input });
    let request = Request::of_payload("Archive", operation, |data: ArchiveMutation| {
        let payload = data.organization_archive?;
        let note = payload.reclaimed_credits.map(|reclaimed| {
            let keys = payload.revoked_api_keys.unwrap_or_default();
            let pending = payload.pending_reclaim.filter(|pending| pending.0 > 0);
            let pending = pending.map_or_else(String::new, |pending| format!(", {pending} more when holds settle"));
            format!("{reclaimed} credits reclaimed{pending}, {keys} keys revoked")
        });
        let receipt = Receipt { organization: payload.organization, note, ..Receipt::default() };
        Some(settled(payload.user_errors, receipt))
    });
    let below = if cascade { "archived too" } else { "not touched" };
    Ok(Prepared {
        says: vec![
            ("Reason", reason),
            ("Below it", below.to_owned()),
            ("", "Its keys and endpoints end for good. This cannot be undone.".to_owned()),
        ],
        done: "Archived".to_owned(),
        request: request.with_idempotency_header(form.idempotency_key),
    })
}
