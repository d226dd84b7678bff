//! Moving credits between two wallets.

use cynic::MutationBuilder;

use super::{Field, Form, Inverse, Kind, Prepared, Problem, Risk, Spec, TRANSFER as SELF, Undoing, field};
use crate::credits::Credits;
use crate::graphql::outcome::settled;
use crate::graphql::{OrganizationId, Receipt, Request, UserError, Wallet, schema};

pub const TRANSFER: Spec = Spec {
    name: "transfer",
    title: "Transfer credits",
    verb: "Transfer",
    on: Kind::Organization,
    risk: Risk::Low,
    scope: "credits:transfer",
    has_source: true,
    fields: |_| {
        vec![
            Field::text("Amount", "whole credits", field::AMOUNT_CHARS_MAX, ""),
            Field::text("Description", "optional, on both ledgers", field::REASON_CHARS_MAX, ""),
        ]
    },
    plan: None,
    prepare,
    inverse: Some(Inverse { spec: || &SELF, how: Undoing::Swapped }),
};

#[derive(cynic::InputObject, Debug)]
struct CreditTransferInput {
    source_organization_id: Option<OrganizationId>,
    target_organization_id: OrganizationId,
    amount: Credits,
    #[cynic(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    idempotency_key: String,
}

#[derive(cynic::QueryVariables, Debug)]
struct TransferVariables {
    input: CreditTransferInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "TransferVariables")]
struct TransferMutation {
    #[arguments(input: $input)]
    credit_transfer: Option<CreditTransferPayload>,
}

#[derive(cynic::QueryFragment, Debug)]
struct CreditTransferPayload {
    source_wallet: Option<Wallet>,
    target_wallet: Option<Wallet>,
    replayed: bool,
    user_errors: Vec<UserError>,
}

fn prepare(form: &Form) -> Result<Prepared, Problem> {
    let amount =
        Credits::from_typed(form.text("Amount")).map_err(|problem| Problem::of("Amount", problem.to_string()))?;
    let source = form.source.ok_or_else(|| Problem::of("Amount", "there is no organization to take from"))?;
    let description = form.optional("Description");
    let input = CreditTransferInput {
        source_organization_id: Some(source.id.clone()),
        target_organization_id: OrganizationId::new(&form.target.id),
        amount,
        description: description.clone(),
        idempotency_key: form.idempotency_key.to_owned(),
    };
    let operation = TransferMutation::build(TransferVariables { input });
    let request = Request::of_payload("Transfer", operation, |data: TransferMutation| {
        let payload = data.credit_transfer?;
        let wallets = [payload.source_wallet, payload.target_wallet];
        let receipt = Receipt {
            wallets: wallets.into_iter().flatten().collect(),
            replayed: payload.replayed,
            ..Receipt::default()
        };
        Some(settled(payload.user_errors, receipt))
    });
    let description = description.unwrap_or_else(|| "none".to_owned());
    Ok(Prepared {
        says: vec![("Amount", format!("{amount} credits")), ("Description", description)],
        done: format!("Transferred {amount} credits to"),
        request,
    })
}
