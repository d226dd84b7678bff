//! Mutations of trade.

use async_graphql::{Context, ID, InputObject, Object, Result};

use crate::credit::graphql::{Hold, shown_charge};
use crate::kernel::error::Refusal;
use crate::organization::graphql::owned::Owned;
use crate::organization::graphql::owner_of;
use crate::schema::Query;
use crate::schema::payload::payload;
use crate::schema::scalar::{Currency, MinorUnits};
use crate::schema::session::{Session, expose, id_of, optional_id};
use crate::trade::command::{CancelInvoice, CreateBuyer, CreateInvoice, CreateSeller, SubmitInvoice};
use crate::trade::graphql::object::{Buyer, Invoice, Seller};
use crate::trade::model::{self, Line, Party};

/// A new seller.
#[derive(InputObject, Clone, Debug)]
pub struct SellerCreateInput {
    /// The acting organization when absent.
    pub organization_id: Option<ID>,
    /// 2 to 255 characters.
    pub name: String,
    /// XXXXXXXX-XXXX, in digits.
    pub tax_number: Option<String>,
    /// Contact address.
    pub email: Option<String>,
    /// Makes a retry safe: the same key and input answer with the first answer for 30 days.
    pub idempotency_key: Option<String>,
}

/// A new buyer.
#[derive(InputObject, Clone, Debug)]
pub struct BuyerCreateInput {
    /// The acting organization when absent.
    pub organization_id: Option<ID>,
    /// 2 to 255 characters.
    pub name: String,
    /// XXXXXXXX-XXXX, in digits.
    pub tax_number: Option<String>,
    /// Contact address.
    pub email: Option<String>,
    /// Makes a retry safe: the same key and input answer with the first answer for 30 days.
    pub idempotency_key: Option<String>,
}

/// A new draft.
#[derive(InputObject, Clone, Debug)]
pub struct InvoiceCreateInput {
    /// The acting organization when absent.
    pub organization_id: Option<ID>,
    /// Who sells; the organization's own seller.
    pub seller_id: ID,
    /// Who buys; the organization's own buyer.
    pub buyer_id: ID,
    /// Three letters of ISO 4217.
    pub currency: Currency,
    /// What is sold: 1 to 500 lines.
    pub lines: Vec<InvoiceLineInput>,
    /// Makes a retry safe: the same key and input answer with the first answer for 30 days.
    pub idempotency_key: Option<String>,
}

/// One line of a new invoice.
#[derive(InputObject, Clone, Debug)]
pub struct InvoiceLineInput {
    /// What is sold, 1 to 500 characters.
    pub description: String,
    /// How many: 1 to 1000000.
    pub quantity: i32,
    /// What one costs, 0 or more.
    pub unit_price: MinorUnits,
}

/// A draft to submit.
#[derive(InputObject, Clone, Debug)]
pub struct InvoiceSubmitInput {
    /// The invoice.
    pub invoice_id: ID,
    /// Makes a retry answer with the first answer; without one it is refused with `CONFLICT`. Neither charges twice.
    pub idempotency_key: Option<String>,
}

/// An invoice to withdraw.
#[derive(InputObject, Clone, Debug)]
pub struct InvoiceCancelInput {
    /// The invoice.
    pub invoice_id: ID,
}

payload! {
    /// The answer of `sellerCreate`.
    SellerCreatePayload {
        /// The new seller.
        seller: Seller,
    } replayed
}
payload! {
    /// The answer of `buyerCreate`.
    BuyerCreatePayload {
        /// The new buyer.
        buyer: Buyer,
    } replayed
}
payload! {
    /// The answer of `invoiceCreate`.
    InvoiceCreatePayload {
        /// The new draft.
        invoice: Invoice,
    } replayed
}
payload! {
    /// The answer of `invoiceSubmit`.
    InvoiceSubmitPayload {
        /// The invoice, submitted.
        invoice: Invoice,
        /// What the submission cost.
        charge: Hold,
    } replayed
}
payload! {
    /// The answer of `invoiceCancel`.
    InvoiceCancelPayload {
        /// The invoice, cancelled.
        invoice: Invoice,
    }
}

macro_rules! party_of {
    ($input:expr) => {
        Party { name: $input.name.clone(), tax_number: $input.tax_number.clone(), email: $input.email.clone() }
    };
}

async fn shown(ctx: &Context<'_>, invoice: model::Invoice) -> Result<Option<Invoice>> {
    let owner = owner_of(ctx, invoice.organization_id).await?;
    Ok(owner.map(|owner| Owned::one(owner, invoice).into()))
}

#[derive(Default)]
pub struct TradeMutation;

#[Object]
impl TradeMutation {
    /// Makes a seller. Needs `trade:*`, and `DATA_WRITE` delegated along the path.
    async fn seller_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A new seller.")] input: SellerCreateInput,
    ) -> Result<Option<SellerCreatePayload>> {
        let session = Session::of(ctx);
        let command = || -> Result<CreateSeller, Refusal> {
            Ok(CreateSeller {
                organization: optional_id(input.organization_id.as_ref(), "organizationId")?,
                party: party_of!(input),
                idempotency_key: session.idempotency_key(input.idempotency_key.clone()),
            })
        };
        Ok(Some(match session.execute(ctx, command()).await? {
            Err(refusal) => SellerCreatePayload::refused(refusal),
            Ok(executed) => {
                let owner = owner_of(ctx, executed.output.organization_id).await?;
                SellerCreatePayload {
                    seller: owner.map(|owner| Owned::one(owner, executed.output).into()),
                    replayed: executed.replayed,
                    user_errors: Vec::new(),
                    query: Query::default(),
                }
            }
        }))
    }

    /// Makes a buyer. Needs `trade:*`, and `DATA_WRITE` delegated along the path.
    async fn buyer_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A new buyer.")] input: BuyerCreateInput,
    ) -> Result<Option<BuyerCreatePayload>> {
        let session = Session::of(ctx);
        let command = || -> Result<CreateBuyer, Refusal> {
            Ok(CreateBuyer {
                organization: optional_id(input.organization_id.as_ref(), "organizationId")?,
                party: party_of!(input),
                idempotency_key: session.idempotency_key(input.idempotency_key.clone()),
            })
        };
        Ok(Some(match session.execute(ctx, command()).await? {
            Err(refusal) => BuyerCreatePayload::refused(refusal),
            Ok(executed) => {
                let owner = owner_of(ctx, executed.output.organization_id).await?;
                BuyerCreatePayload {
                    buyer: owner.map(|owner| Owned::one(owner, executed.output).into()),
                    replayed: executed.replayed,
                    user_errors: Vec::new(),
                    query: Query::default(),
                }
            }
        }))
    }

    /// Makes a draft. Needs `trade:*`, and `DATA_WRITE` delegated along the path.
    async fn invoice_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A new draft.")] input: InvoiceCreateInput,
    ) -> Result<Option<InvoiceCreatePayload>> {
        let session = Session::of(ctx);
        let command = || -> Result<CreateInvoice, Refusal> {
            let lines = input.lines.iter().map(|line| Line {
                description: line.description.clone(),
                quantity: i64::from(line.quantity),
                unit_price: line.unit_price.0,
            });
            Ok(CreateInvoice {
                organization: optional_id(input.organization_id.as_ref(), "organizationId")?,
                seller: id_of(&input.seller_id, "sellerId")?,
                buyer: id_of(&input.buyer_id, "buyerId")?,
                currency: input.currency.0.clone(),
                lines: lines.collect(),
                idempotency_key: session.idempotency_key(input.idempotency_key.clone()),
            })
        };
        Ok(Some(match session.execute(ctx, command()).await? {
            Err(refusal) => InvoiceCreatePayload::refused(refusal),
            Ok(executed) => InvoiceCreatePayload {
                invoice: shown(ctx, executed.output).await?,
                replayed: executed.replayed,
                user_errors: Vec::new(),
                query: Query::default(),
            },
        }))
    }

    /// Submits a draft and charges the meter `invoice.submit`, in the key's environment; both or neither. Needs `trade:*`,
    /// and `DATA_WRITE` delegated along the path.
    async fn invoice_submit(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A draft to submit.")] input: InvoiceSubmitInput,
    ) -> Result<Option<InvoiceSubmitPayload>> {
        let session = Session::of(ctx);
        let command = || -> Result<SubmitInvoice, Refusal> {
            Ok(SubmitInvoice {
                invoice: id_of(&input.invoice_id, "invoiceId")?,
                idempotency_key: session.idempotency_key(input.idempotency_key.clone()),
            })
        };
        Ok(Some(match session.execute(ctx, command()).await? {
            Err(refusal) => InvoiceSubmitPayload::refused(refusal),
            Ok(executed) => InvoiceSubmitPayload {
                invoice: shown(ctx, executed.output.invoice).await?,
                charge: shown_charge(session, executed.output.charge).await.map_err(|error| expose(ctx, error))?,
                replayed: executed.replayed,
                user_errors: Vec::new(),
                query: Query::default(),
            },
        }))
    }

    /// Withdraws a draft or a submitted invoice; what its submission cost stays spent. Needs `trade:*`, and `DATA_WRITE`
    /// delegated along the path.
    async fn invoice_cancel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "An invoice to withdraw.")] input: InvoiceCancelInput,
    ) -> Result<Option<InvoiceCancelPayload>> {
        let session = Session::of(ctx);
        let command = || -> Result<CancelInvoice, Refusal> {
            Ok(CancelInvoice { invoice: id_of(&input.invoice_id, "invoiceId")? })
        };
        Ok(Some(match session.execute(ctx, command()).await? {
            Err(refusal) => InvoiceCancelPayload::refused(refusal),
            Ok(executed) => InvoiceCancelPayload {
                invoice: shown(ctx, executed.output).await?,
                user_errors: Vec::new(),
                query: Query::default(),
            },
        }))
    }
}
