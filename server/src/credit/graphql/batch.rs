//! Many charges in one request.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};

use crate::credit::command::{Charge, Spent};
use crate::credit::graphql::hold::Hold;
use crate::credit::graphql::input::CreditChargeInput;
use crate::credit::graphql::mutation::shown_spend;
use crate::credit::graphql::wallet::Wallet;
use crate::credit::ledger::BATCH_ITEMS_MAX;
use crate::kernel::command::Executed;
use crate::kernel::error::{Error, ErrorCode, Refusal};
use crate::organization::graphql::{Organization, Organizations};
use crate::schema::Query;
use crate::schema::payload::payload;
use crate::schema::session::{Session, expose};
use crate::schema::user_error::UserError;

/// Charges to take in one request.
#[derive(InputObject, Clone, Debug)]
pub struct CreditChargeBatchInput {
    /// 1 to 1,000 charges, each with an idempotency key of its own. They are decided in this order.
    pub charges: Vec<CreditChargeInput>,
}

/// What became of one charge of a batch.
#[derive(SimpleObject)]
pub struct CreditChargeResult {
    /// The charge; null when it was refused.
    pub charge: Option<Hold>,
    /// The organization's own wallet right after; somebody else may have paid.
    pub wallet: Option<Wallet>,
    /// Whether this is the first answer to the same idempotency key, told again.
    pub replayed: bool,
    /// Why not. Empty when it was done; the other charges of the batch are not affected.
    pub user_errors: Vec<UserError>,
}

payload! {
    /// The answer of `creditChargeBatch`.
    CreditChargeBatchPayload {
        /// One result for each charge, in the order of the input.
        results: Vec<CreditChargeResult>,
    }
}

#[derive(Default)]
pub struct CreditBatchMutation;

#[Object]
impl CreditBatchMutation {
    /// Spends many times at once, with an outcome for each: one that is refused leaves the others alone. Those of one realm
    /// are decided together, which is many times faster than one after the other. Needs `credits:spend`.
    async fn credit_charge_batch(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Charges to take in one request.")] input: CreditChargeBatchInput,
    ) -> Result<Option<CreditChargeBatchPayload>> {
        let session = Session::of(ctx);
        session.signed_in().map_err(|refusal| expose(ctx, refusal.into()))?;
        if !(1..=BATCH_ITEMS_MAX).contains(&input.charges.len()) {
            let message = format!("A batch has 1 to {BATCH_ITEMS_MAX} charges. Split it.");
            return Ok(Some(CreditChargeBatchPayload::refused(Refusal::invalid("charges", message))));
        }
        let read = |charge: CreditChargeInput| -> Result<Charge, Refusal> {
            Ok(Charge { spend: charge.spend()?, idempotency_key: charge.idempotency_key })
        };
        let charges: Vec<Result<Charge, Refusal>> = input.charges.into_iter().map(read).collect();
        let outcomes = session.ledger.submit_all(&session.caller, charges).await;
        let targets = outcomes.iter().filter_map(|outcome| outcome.as_ref().ok()?.target.as_ref());
        let owners = Organization::all(&Organizations::of_targets(session, targets));
        let results = outcomes.into_iter().enumerate().map(|(at, outcome)| result(&owners, at, outcome)).collect();
        Ok(Some(CreditChargeBatchPayload { results: Some(results), user_errors: Vec::new(), query: Query::default() }))
    }
}

fn result(owners: &[Organization], at: usize, outcome: Result<Executed<Spent>, Error>) -> CreditChargeResult {
    match outcome {
        Ok(executed) => {
            let (charge, wallet) = shown_spend(owners, executed.output);
            CreditChargeResult { charge, wallet, replayed: executed.replayed, user_errors: Vec::new() }
        }
        Err(Error::Refused(refusal)) => refused(*refusal, at),
        Err(Error::Fault(fault)) => {
            tracing::error!(cause = %fault.chain(), at, "a charge of a batch failed");
            let message = "Something failed in the gateway. Retry with the same idempotency key.";
            refused(Refusal::new(ErrorCode::Internal, message), at)
        }
    }
}

/// A refusal of one charge, its path leading to that charge.
fn refused(mut refusal: Refusal, at: usize) -> CreditChargeResult {
    let field = refusal.path.split_off(refusal.path.len().min(1));
    refusal.path = vec!["input".to_owned(), "charges".to_owned(), at.to_string()];
    refusal.path.extend(field);
    CreditChargeResult { charge: None, wallet: None, replayed: false, user_errors: vec![refusal.into()] }
}
