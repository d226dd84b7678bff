//! Making sellers, buyers and invoices; submitting and cancelling invoices.

use std::collections::BTreeMap;

use entity::codec::Json;
use entity::id::{AnyId, BuyerId, InvoiceId, OrganizationId, SellerId};
use entity::kind::InvoiceStatus;
use serde::{Deserialize, Serialize};

use crate::credit::api::{Spent, charge_meter};
use crate::credit::model::Remark;
use crate::kernel::command::{Command, Subject};
use crate::kernel::error::{Error, ErrorCode, Fault, Refusal, Result};
use crate::kernel::event::Event;
use crate::kernel::owned::{self, OwnedRow};
use crate::kernel::tx::Tx;
use crate::organization::api::live_target;
use crate::trade::model::{
    Buyer, Invoice, Line, Party, SUBMIT_METER, Seller, check_cancellable, check_currency, check_submittable, total,
};
use crate::trade::{event, store};

macro_rules! party_command {
    ($(#[$doc:meta])* $command:ident, $operation:literal, $row:ident, $insert:path, |$made:ident| $event:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Serialize)]
        pub struct $command {
            pub organization: Option<OrganizationId>,
            pub party: Party,
            #[serde(skip)]
            pub idempotency_key: Option<String>,
        }

        impl Command for $command {
            const NAME: &'static str = $operation;
            const REFUSALS: &'static [ErrorCode] =
                &[ErrorCode::InvalidInput, ErrorCode::ForbiddenScope, ErrorCode::Conflict];
            type Output = $row;

            fn subject(&self) -> Subject {
                Subject::Organization(self.organization)
            }

            fn idempotency_key(&self) -> Option<&str> {
                self.idempotency_key.as_deref()
            }

            async fn run(&self, tx: &mut Tx) -> Result<$row> {
                let organization = live_target(tx)?;
                self.party.check()?;
                let $made = $row {
                    realm_id: tx.realm(),
                    id: tx.id(),
                    organization_id: organization,
                    name: self.party.name.clone(),
                    tax_number: self.party.tax_number.clone(),
                    email: self.party.email.clone(),
                    created_at: tx.now(),
                };
                $insert(tx, $made.clone()).await?;
                let (event_type, data) = $event;
                let path = tx.target().path.ids().collect();
                tx.emit(Event::new(event_type, path, &data));
                tx.note("id", $made.id.to_string());
                Ok($made)
            }
        }
    };
}

party_command! {
    /// Makes a seller.
    CreateSeller, "sellerCreate", Seller, store::insert_seller,
    |seller| (event::SELLER_CREATED, event::SellerCreated { seller_id: seller.id, name: &seller.name })
}
party_command! {
    /// Makes a buyer.
    CreateBuyer, "buyerCreate", Buyer, store::insert_buyer,
    |buyer| (event::BUYER_CREATED, event::BuyerCreated { buyer_id: buyer.id, name: &buyer.name })
}

/// Makes a draft.
#[derive(Clone, Debug, Serialize)]
pub struct CreateInvoice {
    pub organization: Option<OrganizationId>,
    pub seller: SellerId,
    pub buyer: BuyerId,
    pub currency: String,
    pub lines: Vec<Line>,
    #[serde(skip)]
    pub idempotency_key: Option<String>,
}

impl Command for CreateInvoice {
    const NAME: &'static str = "invoiceCreate";
    const REFUSALS: &'static [ErrorCode] =
        &[ErrorCode::InvalidInput, ErrorCode::NotFound, ErrorCode::ForbiddenScope, ErrorCode::Conflict];
    type Output = Invoice;

    fn subject(&self) -> Subject {
        Subject::Organization(self.organization)
    }

    fn idempotency_key(&self) -> Option<&str> {
        self.idempotency_key.as_deref()
    }

    async fn run(&self, tx: &mut Tx) -> Result<Invoice> {
        let organization = live_target(tx)?;
        check_currency(&self.currency)?;
        let total_minor = total(&self.lines)?;
        check_party::<Seller>(tx, organization, self.seller, "sellerId").await?;
        check_party::<Buyer>(tx, organization, self.buyer, "buyerId").await?;
        let lines = serde_json::to_value(&self.lines).map_err(|e| Fault::caused_by("lines do not serialize", e))?;
        let invoice = Invoice {
            realm_id: tx.realm(),
            id: tx.id(),
            organization_id: organization,
            seller_id: self.seller,
            buyer_id: self.buyer,
            status: InvoiceStatus::Draft,
            currency: self.currency.clone(),
            total_minor,
            lines: Json(lines),
            hold_id: None,
            created_at: tx.now(),
            submitted_at: None,
            cancelled_at: None,
        };
        store::insert_invoice(tx, invoice.clone()).await?;
        tell(tx, event::INVOICE_CREATED, &invoice);
        Ok(invoice)
    }
}

/// Seller and buyer are the organization's own; anybody else's do not exist for it.
async fn check_party<R: OwnedRow>(
    tx: &Tx,
    organization: OrganizationId,
    id: impl Into<uuid::Uuid>,
    field: &str,
) -> Result<()> {
    let found = owned::by_ids::<R>(tx, &[tx.realm()], &[id.into()]).await?;
    if found.iter().any(|row| row.organization_id() == organization) {
        return Ok(());
    }
    Err(Refusal::not_found().at(field).into())
}

fn tell(tx: &mut Tx, event_type: &'static str, invoice: &Invoice) {
    let data = event::InvoiceChanged {
        invoice_id: invoice.id,
        seller_id: invoice.seller_id,
        buyer_id: invoice.buyer_id,
        currency: &invoice.currency,
        total: invoice.total_minor,
        charge_id: invoice.hold_id,
    };
    let path = tx.target().path.ids().collect();
    tx.note("invoiceId", invoice.id.to_string());
    tx.emit(Event::new(event_type, path, &data));
}

/// Submits a draft and takes its charge, both or neither.
#[derive(Clone, Debug, Serialize)]
pub struct SubmitInvoice {
    pub invoice: InvoiceId,
    #[serde(skip)]
    pub idempotency_key: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Submitted {
    pub invoice: Invoice,
    pub charge: Spent,
}

impl Command for SubmitInvoice {
    const NAME: &'static str = "invoiceSubmit";
    const REFUSALS: &'static [ErrorCode] = &[
        ErrorCode::InvalidInput,
        ErrorCode::ForbiddenScope,
        ErrorCode::Conflict,
        ErrorCode::UnknownMeter,
        ErrorCode::OrganizationArchived,
        ErrorCode::OrganizationSuspended,
        ErrorCode::CapExceeded,
        ErrorCode::ReserveProtected,
        ErrorCode::InsufficientCredits,
    ];
    type Output = Submitted;

    fn subject(&self) -> Subject {
        Subject::OwnerOf(AnyId::Invoice(self.invoice))
    }

    fn idempotency_key(&self) -> Option<&str> {
        self.idempotency_key.as_deref()
    }

    async fn run(&self, tx: &mut Tx) -> Result<Submitted> {
        live_target(tx)?;
        let mut invoice: Invoice = owned::get(tx, self.invoice).await?;
        check_submittable(&invoice)?;
        let metadata = BTreeMap::from([("invoiceId".to_owned(), invoice.id.to_string())]);
        let remark = Remark { description: Some("Invoice submitted".to_owned()), metadata };
        let charge = charge_meter(tx, SUBMIT_METER, &remark).await.map_err(not_of_the_input)?;
        invoice.status = InvoiceStatus::Submitted;
        invoice.submitted_at = Some(tx.now());
        invoice.hold_id = Some(charge.hold.id());
        store::save_invoice(tx, &invoice).await?;
        tell(tx, event::INVOICE_SUBMITTED, &invoice);
        Ok(Submitted { invoice, charge })
    }
}

/// The charge's fields are not fields of this input, so its refusals name none.
fn not_of_the_input(error: Error) -> Error {
    match error {
        Error::Refused(refusal) => Refusal { path: Vec::new(), ..*refusal }.into(),
        fault @ Error::Fault(_) => fault,
    }
}

/// Withdraws an invoice. Its charge, if there was one, stays.
#[derive(Clone, Debug, Serialize)]
pub struct CancelInvoice {
    pub invoice: InvoiceId,
}

impl Command for CancelInvoice {
    const NAME: &'static str = "invoiceCancel";
    const REFUSALS: &'static [ErrorCode] = &[ErrorCode::ForbiddenScope, ErrorCode::Conflict];
    type Output = Invoice;

    fn subject(&self) -> Subject {
        Subject::OwnerOf(AnyId::Invoice(self.invoice))
    }

    async fn run(&self, tx: &mut Tx) -> Result<Invoice> {
        live_target(tx)?;
        let mut invoice: Invoice = owned::get(tx, self.invoice).await?;
        check_cancellable(&invoice)?;
        invoice.status = InvoiceStatus::Cancelled;
        invoice.cancelled_at = Some(tx.now());
        store::save_invoice(tx, &invoice).await?;
        tell(tx, event::INVOICE_CANCELLED, &invoice);
        Ok(invoice)
    }
}
