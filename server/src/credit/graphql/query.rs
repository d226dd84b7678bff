//! Queries about credits.

use async_graphql::{Context, ID, Object, Result, SimpleObject};

use crate::access::fields::needs;
use crate::credit::engine::request::{Note, Spend};
use crate::credit::engine::{quote, spendable};
use crate::credit::graphql::input::{CreditQuoteInput, quantity};
use crate::credit::rules::{environment_of, family_of, price};
use crate::credit::{load, post, read};
use crate::kernel::error::Error;
use crate::schema::scalar::Credits;
use crate::schema::session::{Session, expose, optional_id};
use crate::schema::user_error::UserError;

/// What a charge would do if it were made now. Nothing is reserved by asking.
#[derive(SimpleObject)]
pub struct CreditQuote {
    /// Whether the charge would be made.
    pub allowed: bool,
    /// What it would cost; null when that cannot be told.
    pub amount: Option<Credits>,
    /// What the organization could spend now.
    pub spendable: Credits,
    /// Who would pay which part, in the order of payment.
    pub legs: Vec<QuoteLeg>,
    /// Why the charge would be refused, if it would.
    pub user_errors: Vec<UserError>,
}

/// What one bucket would pay.
#[derive(SimpleObject)]
pub struct QuoteLeg {
    /// Whose wallet it is.
    pub organization_id: ID,
    /// Which bucket of it.
    pub bucket_id: ID,
    /// How much of the amount.
    pub amount: Credits,
}

/// A priced action.
#[derive(SimpleObject)]
pub struct Meter {
    /// Such as invoice.submit.
    pub key: String,
    /// Credits per unit.
    pub credits: Credits,
    /// What it counts.
    pub description: Option<String>,
}

impl From<entity::meter::Model> for Meter {
    fn from(row: entity::meter::Model) -> Self {
        Self { key: row.meter_key, credits: row.credits.into(), description: row.description }
    }
}

#[derive(Default)]
pub struct CreditQuery;

#[Object]
impl CreditQuery {
    /// The decision of a charge without its effect: what it would cost whom, or why it would be refused. Needs
    /// `credits:read`.
    async fn credit_quote(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The charge to be quoted.")] input: CreditQuoteInput,
    ) -> Result<Option<CreditQuote>> {
        let session = Session::of(ctx);
        let read = async {
            let named = optional_id(input.organization_id.as_ref(), "organizationId")?;
            let (realm, path, _) = session.target(named, const { needs("Query", "creditQuote") }).await?;
            let key = session.caller.principal.key();
            let (snapshot, now) = (session.snapshot(), session.now());
            let environment = environment_of(key, input.environment.map(Into::into))?;
            let cost = quantity(input.amount, input.meter.as_deref(), input.quantity);
            let cost = match cost {
                Ok(cost) => price(&snapshot, realm, path.root(), &cost).await,
                Err(refusal) => Err(refusal.into()),
            };
            let (cost, refused) = match cost {
                Ok(cost) => (Some(cost), None),
                Err(Error::Refused(refusal)) => (None, Some(*refusal)),
                Err(fault) => return Err(fault),
            };
            let organization = path.id();
            let wanted = load::Wanted {
                organizations: [organization].into(),
                families: family_of(key).into_iter().collect(),
                ..load::Wanted::default()
            };
            let book = load::book(&snapshot, realm, &wanted, now).await?;
            let spendable = spendable(&book, organization, environment, now).into();
            let denied = |refusal: crate::kernel::error::Refusal| CreditQuote {
                allowed: false,
                amount: None,
                spendable,
                legs: Vec::new(),
                user_errors: vec![refusal.into()],
            };
            let Some(cost) = cost else {
                return Ok(denied(refused.expect("a cost that was not read was refused")));
            };
            let spend = Spend { organization, environment, cost, family: family_of(key), note: Note::default() };
            Ok(match quote(&book, &spend, now) {
                Err(refusal) => denied(post::refused(refusal)),
                Ok(quote) => CreditQuote {
                    allowed: true,
                    amount: Some(quote.amount.into()),
                    spendable,
                    legs: quote
                        .legs
                        .into_iter()
                        .map(|leg| QuoteLeg {
                            organization_id: leg.organization.to_string().into(),
                            bucket_id: leg.bucket.to_string().into(),
                            amount: leg.amount.into(),
                        })
                        .collect(),
                    user_errors: Vec::new(),
                },
            })
        };
        let quoted: Result<_, Error> = read.await;
        quoted.map(Some).map_err(|error| expose(ctx, error))
    }

    /// The catalogue of priced actions of the acting organization's tree.
    async fn meters(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "An organization of the tree; the acting one when absent.")] organization_id: Option<ID>,
    ) -> Result<Option<Vec<Meter>>> {
        let session = Session::of(ctx);
        let read = async {
            let named = optional_id(organization_id.as_ref(), "organizationId")?;
            let (realm, path, _) = session.target(named, const { needs("Query", "meters") }).await?;
            read::meters(&session.snapshot(), realm, path.root()).await
        };
        let rows: Result<_, Error> = read.await;
        Ok(Some(rows.map_err(|error| expose(ctx, error))?.into_iter().map(Into::into).collect()))
    }
}
