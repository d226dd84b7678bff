//! Mutations of credits.

use std::sync::Arc;

use async_graphql::{Context, Object, Result};
use entity::id::OrganizationId;

use crate::access::fields::needs;
use crate::credit::command::{
    Capture, Charge, GrantCredits, GrantTerms, Moved, Refund, Spent, TakeHold, TransferCredits, Void,
};
use crate::credit::graphql::hold::Hold;
use crate::credit::graphql::input::{
    CreditCaptureInput, CreditChargeInput, CreditGrantInput, CreditHoldInput, CreditRefundInput, CreditTransferInput,
    CreditVoidInput, MeterSetInput, remark,
};
use crate::credit::graphql::ledger::LedgerTransaction;
use crate::credit::graphql::query::Meter;
use crate::credit::graphql::wallet::Wallet;
use crate::credit::meter::SetMeter;
use crate::credit::model::Wallet as ShownWallet;
use crate::kernel::command::Executed;
use crate::kernel::error::{Error, Refusal};
use crate::organization::graphql::{Organization, Organizations};
use crate::schema::Query;
use crate::schema::payload::payload;
use crate::schema::session::{Session, expose, id_of, optional_id};

payload! {
    /// The answer of `creditGrant`.
    CreditGrantPayload {
        /// The movement.
        transaction: LedgerTransaction,
        /// The wallet right after.
        wallet: Wallet,
    } replayed
}
payload! {
    /// The answer of `creditTransfer`.
    CreditTransferPayload {
        /// The movement; the same id stands on both ledgers.
        transaction: LedgerTransaction,
        /// The source's wallet right after; null where an edge on the way does not delegate `BILLING`.
        source_wallet: Wallet,
        /// The target's wallet right after; null where an edge on the way does not delegate `BILLING`.
        target_wallet: Wallet,
    } replayed
}
payload! {
    /// The answer of `creditCharge`.
    CreditChargePayload {
        /// The charge: a hold captured at once. Refund it by its id.
        charge: Hold,
        /// The organization's own wallet right after; somebody else may have paid.
        wallet: Wallet,
    } replayed
}
payload! {
    /// The answer of `creditHold`.
    CreditHoldPayload {
        /// The hold.
        hold: Hold,
        /// The organization's own wallet right after; somebody else may pay.
        wallet: Wallet,
    } replayed
}
payload! {
    /// The answer of `creditCapture`.
    CreditCapturePayload {
        /// The hold, captured.
        hold: Hold,
        /// The organization's own wallet right after.
        wallet: Wallet,
    } replayed
}
payload! {
    /// The answer of `creditVoid`.
    CreditVoidPayload {
        /// The hold, voided.
        hold: Hold,
        /// The organization's own wallet right after.
        wallet: Wallet,
    } replayed
}
payload! {
    /// The answer of `creditRefund`.
    CreditRefundPayload {
        /// The charge with what was refunded of it.
        hold: Hold,
        /// The organization's own wallet right after.
        wallet: Wallet,
    } replayed
}
payload! {
    /// The answer of `meterSet`.
    MeterSetPayload {
        /// The meter as it is now.
        meter: Meter,
    }
}

/// The organizations of an answer, in one level.
pub(super) async fn owners(session: &Arc<Session>, ids: &[OrganizationId]) -> Result<Vec<Organization>, Error> {
    Ok(Organization::all(&Organizations::of_ids(session, ids).await?))
}

fn wallet(owners: &[Organization], shown: Option<ShownWallet>) -> Option<Wallet> {
    let shown = shown?;
    let owner = owners.iter().find(|owner| owner.organization_id() == shown.row.organization_id)?;
    Some(Wallet::shown(owner.clone(), shown.row))
}

async fn moved(ctx: &Context<'_>, moved: Moved) -> Result<(LedgerTransaction, Option<Wallet>, Option<Wallet>)> {
    let mut ids = vec![moved.target.row.organization_id];
    ids.extend(moved.source.as_ref().map(|wallet| wallet.row.organization_id));
    let mut owners = owners(Session::of(ctx), &ids).await.map_err(|error| expose(ctx, error))?;
    // Moving credits over an edge takes less than reading the wallet behind it.
    owners.retain(|owner| owner.may(const { needs("CreditTransferPayload", "targetWallet") }));
    let transaction = LedgerTransaction { session: Session::of(ctx).clone(), row: moved.transaction };
    Ok((transaction, wallet(&owners, moved.source), wallet(&owners, Some(moved.target))))
}

/// What was spent, and the wallet of the organization that spent it.
fn spent(ctx: &Context<'_>, executed: Executed<Spent>) -> (Option<Hold>, Option<Wallet>) {
    let owners = Organization::all(&Organizations::of_targets(Session::of(ctx), executed.target.as_ref()));
    shown_spend(&owners, executed.output)
}

/// A charge or hold and the wallet of its organization, which is one of `owners`.
pub(super) fn shown_spend(owners: &[Organization], spent: Spent) -> (Option<Hold>, Option<Wallet>) {
    let owner = owners.iter().find(|owner| owner.organization_id() == spent.wallet.row.organization_id);
    let hold = owner.map(|owner| Hold::shown(owner.clone(), spent.hold));
    (hold, wallet(owners, Some(spent.wallet)))
}

/// A charge within another payload, such as `apiKeyVerify`'s.
pub async fn shown_charge(session: &Arc<Session>, charge: Spent) -> Result<Option<Hold>, Error> {
    let owners = owners(session, &[charge.wallet.row.organization_id]).await?;
    Ok(shown_spend(&owners, charge).0)
}

#[derive(Default)]
pub struct CreditMutation;

#[Object]
impl CreditMutation {
    /// Issues credits. The operator's alone.
    async fn credit_grant(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Credits to issue.")] input: CreditGrantInput,
    ) -> Result<Option<CreditGrantPayload>> {
        let command = || -> Result<GrantCredits, Refusal> {
            Ok(GrantCredits {
                organization: optional_id(input.organization_id.as_ref(), "organizationId")?,
                terms: GrantTerms {
                    amount: input.amount.0,
                    origin: input.origin.into(),
                    priority: input.priority,
                    expires_at: input.expires_at.map(|at| at.0),
                    environment: input.environment.into(),
                    remark: remark(input.description.as_ref(), input.metadata.as_ref())?,
                },
                idempotency_key: input.idempotency_key.clone(),
            })
        };
        Ok(Some(match Session::of(ctx).submit(ctx, command()).await? {
            Err(refusal) => CreditGrantPayload::refused(refusal),
            Ok(executed) => {
                let (transaction, _, wallet) = moved(ctx, executed.output).await?;
                CreditGrantPayload {
                    transaction: Some(transaction),
                    wallet,
                    replayed: executed.replayed,
                    user_errors: Vec::new(),
                    query: Query::default(),
                }
            }
        }))
    }

    /// Moves credits from the acting organization to a descendant, back, or between two descendants. Credits do not cross
    /// between billing mode PREPAID and the others. Needs `credits:transfer`.
    async fn credit_transfer(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Credits to move.")] input: CreditTransferInput,
    ) -> Result<Option<CreditTransferPayload>> {
        let command = || -> Result<TransferCredits, Refusal> {
            Ok(TransferCredits {
                source: optional_id(input.source_organization_id.as_ref(), "sourceOrganizationId")?,
                target: id_of(&input.target_organization_id, "targetOrganizationId")?,
                amount: input.amount.0,
                remark: remark(input.description.as_ref(), input.metadata.as_ref())?,
                idempotency_key: input.idempotency_key.clone(),
            })
        };
        Ok(Some(match Session::of(ctx).submit(ctx, command()).await? {
            Err(refusal) => CreditTransferPayload::refused(refusal),
            Ok(executed) => {
                let (transaction, source_wallet, target_wallet) = moved(ctx, executed.output).await?;
                CreditTransferPayload {
                    transaction: Some(transaction),
                    source_wallet,
                    target_wallet,
                    replayed: executed.replayed,
                    user_errors: Vec::new(),
                    query: Query::default(),
                }
            }
        }))
    }

    /// Spends at once. All covered, or nothing written: status and limits on the whole path, then the payers' credits.
    /// Needs `credits:spend`.
    async fn credit_charge(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Credits to spend at once: an amount, or a meter and a quantity.")] input: CreditChargeInput,
    ) -> Result<Option<CreditChargePayload>> {
        let command = || -> Result<Charge, Refusal> {
            Ok(Charge { spend: input.spend()?, idempotency_key: input.idempotency_key.clone() })
        };
        Ok(Some(match Session::of(ctx).submit(ctx, command()).await? {
            Err(refusal) => CreditChargePayload::refused(refusal),
            Ok(executed) => {
                let replayed = executed.replayed;
                let (charge, wallet) = spent(ctx, executed);
                CreditChargePayload { charge, wallet, replayed, user_errors: Vec::new(), query: Query::default() }
            }
        }))
    }

    /// Reserves credits for work in flight. Price and payers are fixed now. Needs `credits:spend`.
    async fn credit_hold(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Credits to reserve: an amount, or a meter and a quantity.")] input: CreditHoldInput,
    ) -> Result<Option<CreditHoldPayload>> {
        let command = || -> Result<TakeHold, Refusal> {
            let seconds = |seconds: i32| {
                u64::try_from(seconds)
                    .map(std::time::Duration::from_secs)
                    .map_err(|_| Refusal::invalid("expiresInSeconds", "expiresInSeconds is 1 to 604800, seven days."))
            };
            Ok(TakeHold {
                spend: input.spend()?,
                expires_in: input.expires_in_seconds.map(seconds).transpose()?,
                idempotency_key: input.idempotency_key.clone(),
            })
        };
        Ok(Some(match Session::of(ctx).submit(ctx, command()).await? {
            Err(refusal) => CreditHoldPayload::refused(refusal),
            Ok(executed) => {
                let replayed = executed.replayed;
                let (hold, wallet) = spent(ctx, executed);
                CreditHoldPayload { hold, wallet, replayed, user_errors: Vec::new(), query: Query::default() }
            }
        }))
    }

    /// Spends what a hold reserved, once; the rest returns. Needs `credits:spend`.
    async fn credit_capture(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A hold to spend.")] input: CreditCaptureInput,
    ) -> Result<Option<CreditCapturePayload>> {
        let command = || -> Result<Capture, Refusal> {
            Ok(Capture {
                hold: id_of(&input.hold_id, "holdId")?,
                amount: input.amount.map(|credits| credits.0),
                remark: remark(input.description.as_ref(), None)?,
                idempotency_key: input.idempotency_key.clone(),
            })
        };
        Ok(Some(match Session::of(ctx).submit(ctx, command()).await? {
            Err(refusal) => CreditCapturePayload::refused(refusal),
            Ok(executed) => {
                let replayed = executed.replayed;
                let (hold, wallet) = spent(ctx, executed);
                CreditCapturePayload { hold, wallet, replayed, user_errors: Vec::new(), query: Query::default() }
            }
        }))
    }

    /// Returns what a hold reserved. Needs `credits:spend`.
    async fn credit_void(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A hold to return.")] input: CreditVoidInput,
    ) -> Result<Option<CreditVoidPayload>> {
        let command = || -> Result<Void, Refusal> {
            Ok(Void { hold: id_of(&input.hold_id, "holdId")?, idempotency_key: input.idempotency_key.clone() })
        };
        Ok(Some(match Session::of(ctx).submit(ctx, command()).await? {
            Err(refusal) => CreditVoidPayload::refused(refusal),
            Ok(executed) => {
                let replayed = executed.replayed;
                let (hold, wallet) = spent(ctx, executed);
                CreditVoidPayload { hold, wallet, replayed, user_errors: Vec::new(), query: Query::default() }
            }
        }))
    }

    /// Gives spent credits back to the wallets that paid. Needs `credits:spend`.
    async fn credit_refund(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A charge to give back.")] input: CreditRefundInput,
    ) -> Result<Option<CreditRefundPayload>> {
        let command = || -> Result<Refund, Refusal> {
            Ok(Refund {
                hold: id_of(&input.hold_id, "holdId")?,
                amount: input.amount.map(|credits| credits.0),
                remark: remark(input.description.as_ref(), None)?,
                idempotency_key: input.idempotency_key.clone(),
            })
        };
        Ok(Some(match Session::of(ctx).submit(ctx, command()).await? {
            Err(refusal) => CreditRefundPayload::refused(refusal),
            Ok(executed) => {
                let replayed = executed.replayed;
                let (hold, wallet) = spent(ctx, executed);
                CreditRefundPayload { hold, wallet, replayed, user_errors: Vec::new(), query: Query::default() }
            }
        }))
    }

    /// Sets the price of a meter in the root's catalogue. Holds already taken keep theirs. Needs `org:admin` of the root.
    async fn meter_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The price of a meter.")] input: MeterSetInput,
    ) -> Result<Option<MeterSetPayload>> {
        let command = || -> Result<SetMeter, Refusal> {
            Ok(SetMeter {
                organization: optional_id(input.organization_id.as_ref(), "organizationId")?,
                key: input.key.clone(),
                credits: input.credits.0,
                description: input.description.clone(),
            })
        };
        Ok(Some(match Session::of(ctx).execute(ctx, command()).await? {
            Err(refusal) => MeterSetPayload::refused(refusal),
            Ok(executed) => MeterSetPayload {
                meter: Some(executed.output.into()),
                user_errors: Vec::new(),
                query: Query::default(),
            },
        }))
    }
}
