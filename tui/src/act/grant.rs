//! Issuing credits: the operator's, out of nothing but the realm's account of what was issued.

use cynic::MutationBuilder;
use jiff::Timestamp;

use super::{Field, Form, Kind, Prepared, Problem, Risk, Spec, field};
use crate::credits::Credits;
use crate::graphql::outcome::settled;
use crate::graphql::scalar::BucketOrigin;
use crate::graphql::{Environment, OrganizationId, Receipt, Request, UserError, Wallet, schema};

pub const GRANT: Spec = Spec {
    name: "grant",
    title: "Grant credits",
    verb: "Grant",
    on: Kind::Organization,
    risk: Risk::Medium,
    scope: "operator",
    has_source: false,
    fields: |occasion| {
        vec![
            Field::text("Amount", "whole credits", field::AMOUNT_CHARS_MAX, ""),
            Field::choice("Origin", "space for the next", ORIGINS, 0),
            Field::text("Expires", "YYYY-MM-DD, the end of that day in UTC; empty never", 10, ""),
            Field::choice(
                "Environment",
                "space for the other",
                field::ENVIRONMENTS,
                usize::from(*occasion.environment == Environment::Test),
            ),
            Field::text("Description", "what for, on the ledger", field::REASON_CHARS_MAX, ""),
        ]
    },
    plan: None,
    prepare,
    inverse: None,
};

const ORIGINS: &[&str] = &["PROMOTIONAL", "PREPAID", "INCLUDED"];

#[derive(cynic::InputObject, Debug)]
struct CreditGrantInput {
    organization_id: Option<OrganizationId>,
    amount: Credits,
    origin: BucketOrigin,
    environment: Environment,
    #[cynic(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    description: Option<String>,
    idempotency_key: String,
}

#[derive(cynic::QueryVariables, Debug)]
struct GrantVariables {
    input: CreditGrantInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "GrantVariables")]
struct GrantMutation {
    #[arguments(input: $input)]
    credit_grant: Option<CreditGrantPayload>,
}

#[derive(cynic::QueryFragment, Debug)]
struct CreditGrantPayload {
    wallet: Option<Wallet>,
    replayed: bool,
    user_errors: Vec<UserError>,
}

fn expiry(form: &Form) -> Result<Option<Timestamp>, Problem> {
    let Some(day) = form.optional("Expires") else { return Ok(None) };
    let end = day.parse::<jiff::civil::Date>().ok().and_then(|day| {
        let next = day.tomorrow().ok()?;
        next.to_zoned(jiff::tz::TimeZone::UTC).ok()
    });
    end.map(|end| Some(end.timestamp())).ok_or_else(|| Problem::of("Expires", "a day such as 2027-01-31, or nothing"))
}

fn prepare(form: &Form) -> Result<Prepared, Problem> {
    let amount =
        Credits::from_typed(form.text("Amount")).map_err(|problem| Problem::of("Amount", problem.to_string()))?;
    let expires_at = expiry(form)?;
    let description = form.required("Description", "say what for: it stands on the ledger")?;
    let origin = BucketOrigin::of_word(form.text("Origin"));
    let environment = Environment::of_word(form.text("Environment"));
    let says = vec![
        ("Amount", format!("{amount} credits, {}, {}", origin.word(), environment.word())),
        ("Expires", expires_at.map_or_else(|| "never".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M UTC").to_string())),
        ("Description", description.clone()),
    ];
    let input = CreditGrantInput {
        organization_id: Some(OrganizationId::new(&form.target.id)),
        amount,
        origin,
        environment,
        expires_at,
        description: Some(description),
        idempotency_key: form.idempotency_key.to_owned(),
    };
    let operation = GrantMutation::build(GrantVariables { input });
    let request = Request::of_payload("Grant", operation, |data: GrantMutation| {
        let payload = data.credit_grant?;
        let receipt =
            Receipt { wallets: payload.wallet.into_iter().collect(), replayed: payload.replayed, ..Receipt::default() };
        Some(settled(payload.user_errors, receipt))
    });
    Ok(Prepared { says, done: format!("Granted {amount} credits to"), request })
}
