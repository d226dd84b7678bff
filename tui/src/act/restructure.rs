//! Moving an organization below another parent, and letting it go as a root of its own.

use cynic::{MutationBuilder, QueryBuilder};

use super::{Field, Form, Kind, Prepared, Problem, Risk, Spec, field};
use crate::credits::Credits;
use crate::graphql::outcome::settled;
use crate::graphql::{Answer, OrganizationId, OrganizationRow, Plan, Receipt, Request, UserError, schema};

pub const MOVE: Spec = Spec {
    name: "move",
    title: "Move below another parent",
    verb: "Move",
    on: Kind::Organization,
    risk: Risk::Medium,
    scope: "org:write",
    has_source: false,
    fields: |_| {
        let parent = Field::text(PARENT, "its id, org_…; c copies one in the tree", field::NAME_CHARS_MAX, "");
        vec![parent.deciding(), Field::reason()]
    },
    plan: Some(move_plan),
    prepare: prepare_move,
    inverse: None,
};

pub const DETACH: Spec = Spec {
    name: "detach",
    title: "Detach, as a root of its own",
    verb: "Detach",
    on: Kind::Organization,
    risk: Risk::High,
    scope: "org:write",
    has_source: false,
    fields: |_| vec![Field::reason()],
    plan: Some(detach_plan),
    prepare: prepare_detach,
    inverse: None,
};

const PARENT: &str = "New parent";

/// The gateway's account of either act.
#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "OrganizationRestructuringPlan")]
struct Account {
    plan_hash: String,
    descendants: i32,
    open_holds: i32,
    held_credits: Credits,
    webhook_endpoints: i32,
    refusals: Vec<UserError>,
}

impl Account {
    fn plan(self) -> Box<Plan> {
        let Self { plan_hash, descendants, open_holds, held_credits, webhook_endpoints, refusals } = self;
        // No key ends, and nothing is swept.
        let (api_keys, reclaimable_credits) = (0, Credits::default());
        Box::new(Plan {
            plan_hash,
            descendants,
            api_keys,
            open_holds,
            held_credits,
            reclaimable_credits,
            webhook_endpoints,
            refusals,
        })
    }
}

#[derive(cynic::QueryVariables, Debug)]
struct MovePlanVariables {
    organization_id: OrganizationId,
    parent_id: OrganizationId,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "MovePlanVariables")]
struct MovePlan {
    #[arguments(organizationId: $organization_id, parentId: $parent_id)]
    organization_move_plan: Option<Account>,
}

#[derive(cynic::InputObject, Debug)]
struct OrganizationMoveInput {
    organization_id: OrganizationId,
    parent_id: OrganizationId,
    reason: Option<String>,
    expected_version: Option<i32>,
    plan_hash: Option<String>,
}

#[derive(cynic::QueryVariables, Debug)]
struct MoveVariables {
    input: OrganizationMoveInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "MoveVariables")]
struct MoveMutation {
    #[arguments(input: $input)]
    organization_move: Option<OrganizationMovePayload>,
}

#[derive(cynic::QueryFragment, Debug)]
struct OrganizationMovePayload {
    organization: Option<OrganizationRow>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryVariables, Debug)]
struct DetachPlanVariables {
    organization_id: OrganizationId,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "DetachPlanVariables")]
struct DetachPlan {
    #[arguments(organizationId: $organization_id)]
    organization_detach_plan: Option<Account>,
}

#[derive(cynic::InputObject, Debug)]
struct OrganizationDetachInput {
    organization_id: OrganizationId,
    reason: Option<String>,
    expected_version: Option<i32>,
    plan_hash: Option<String>,
}

#[derive(cynic::QueryVariables, Debug)]
struct DetachVariables {
    input: OrganizationDetachInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "DetachVariables")]
struct DetachMutation {
    #[arguments(input: $input)]
    organization_detach: Option<OrganizationDetachPayload>,
}

#[derive(cynic::QueryFragment, Debug)]
struct OrganizationDetachPayload {
    organization: Option<OrganizationRow>,
    user_errors: Vec<UserError>,
}

/// None as long as no parent is named.
fn move_plan(form: &Form) -> Option<Request<Answer>> {
    let parent = form.optional(PARENT)?;
    let variables = MovePlanVariables {
        organization_id: OrganizationId::new(&form.target.id),
        parent_id: OrganizationId::new(&parent),
    };
    Some(Request::new("MovePlan", MovePlan::build(variables), |data: MovePlan, _| {
        Answer::Plan(data.organization_move_plan.map(Account::plan))
    }))
}

fn detach_plan(form: &Form) -> Option<Request<Answer>> {
    let variables = DetachPlanVariables { organization_id: OrganizationId::new(&form.target.id) };
    Some(Request::new("DetachPlan", DetachPlan::build(variables), |data: DetachPlan, _| {
        Answer::Plan(data.organization_detach_plan.map(Account::plan))
    }))
}

fn prepare_move(form: &Form) -> Result<Prepared, Problem> {
    let parent = form.required(PARENT, "name the organization it is to go below, by its id")?;
    let reason = form.required("Reason", "say why: the reason stays in the audit log")?;
    let input = OrganizationMoveInput {
        organization_id: OrganizationId::new(&form.target.id),
        parent_id: OrganizationId::new(&parent),
        reason: Some(reason.clone()),
        expected_version: form.target.version,
        plan_hash: form.plan_hash(),
    };
    let operation = MoveMutation::build(MoveVariables { input });
    let request = Request::of_payload("Move", operation, |data: MoveMutation| {
        let payload = data.organization_move?;
        Some(settled(payload.user_errors, Receipt { organization: payload.organization, ..Receipt::default() }))
    });
    Ok(Prepared {
        says: vec![
            (PARENT, parent),
            ("Reason", reason),
            ("", "Whoever is above it now, and not there, loses every right over it at once.".to_owned()),
        ],
        done: "Moved".to_owned(),
        request: request.with_idempotency_header(form.idempotency_key),
    })
}

fn prepare_detach(form: &Form) -> Result<Prepared, Problem> {
    let reason = form.required("Reason", "say why: the reason stays in the audit log")?;
    let input = OrganizationDetachInput {
        organization_id: OrganizationId::new(&form.target.id),
        reason: Some(reason.clone()),
        expected_version: form.target.version,
        plan_hash: form.plan_hash(),
    };
    let operation = DetachMutation::build(DetachVariables { input });
    let request = Request::of_payload("Detach", operation, |data: DetachMutation| {
        let payload = data.organization_detach?;
        Some(settled(payload.user_errors, Receipt { organization: payload.organization, ..Receipt::default() }))
    });
    Ok(Prepared {
        says: vec![
            ("Reason", reason),
            ("", "It and all below it leave your sight, and only the operator can bring them back.".to_owned()),
        ],
        done: "Detached".to_owned(),
        request: request.with_idempotency_header(form.idempotency_key),
    })
}
