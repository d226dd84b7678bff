//! Sellers, buyers and invoices.

use std::collections::HashMap;

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use uuid::Uuid;

use crate::kernel::error::Error;
use crate::kernel::owned::{self, OwnedRow};
use crate::organization::graphql::Organization;
use crate::organization::graphql::owned::Owned;
use crate::schema::connection::connection;
use crate::schema::kind::InvoiceStatus;
use crate::schema::scalar::{Currency, DateTime, MinorUnits};
use crate::schema::session::expose;
use crate::trade::model;

/// A type over a table of parties.
macro_rules! party {
    ($(#[$doc:meta])* $name:ident, $row:ty, $id_doc:literal) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(Owned<$row>);

        impl From<Owned<$row>> for $name {
            fn from(owned: Owned<$row>) -> Self {
                Self(owned)
            }
        }

        $(#[$doc])*
        #[Object]
        impl $name {
            #[doc = $id_doc]
            pub async fn id(&self) -> ID {
                self.0.row().id.to_string().into()
            }

            /// Whose trade it is part of.
            async fn organization(&self) -> Organization {
                self.0.owner.clone()
            }

            /// What it is called on invoices.
            async fn name(&self) -> &str {
                &self.0.row().name
            }

            /// XXXXXXXX-XXXX.
            async fn tax_number(&self) -> Option<&str> {
                self.0.row().tax_number.as_deref()
            }

            /// Contact address.
            async fn email(&self) -> Option<&str> {
                self.0.row().email.as_deref()
            }

            /// When it was made.
            async fn created_at(&self) -> DateTime {
                self.0.row().created_at.into()
            }
        }
    };
}

party! {
    /// Who sells, as invoices name it.
    Seller, model::Seller, "The id, `sel_…`."
}
party! {
    /// Who buys, as invoices name it.
    Buyer, model::Buyer, "The id, `buy_…`."
}

connection! {
    /// A page of sellers.
    SellerConnection, SellerEdge, Seller, "A seller of a page."
}
connection! {
    /// A page of buyers.
    BuyerConnection, BuyerEdge, Buyer, "A buyer of a page."
}

/// What a seller asks of a buyer.
#[derive(Clone)]
pub struct Invoice(Owned<model::Invoice>);

impl From<Owned<model::Invoice>> for Invoice {
    fn from(owned: Owned<model::Invoice>) -> Self {
        Self(owned)
    }
}

connection! {
    /// A page of invoices.
    InvoiceConnection, InvoiceEdge, Invoice, "An invoice of a page."
}

impl Invoice {
    /// Sellers or buyers of every invoice of the level, in one statement.
    async fn party<R: OwnedRow>(&self, id_of: fn(&model::Invoice) -> Uuid) -> Result<Option<Owned<R>>, Error> {
        let Owned { owner, level, .. } = &self.0;
        let rows = level.once(R::TABLE, || async {
            let ids: Vec<Uuid> = level.members.iter().map(id_of).collect();
            let rows: Vec<R> =
                owned::by_ids(&owner.siblings.session.snapshot(), &owner.siblings.realms(), &ids).await?;
            Ok(rows.into_iter().map(|row| (row.uuid(), row)).collect::<HashMap<_, _>>())
        });
        Ok(rows.await?.get(&id_of(self.0.row())).map(|row| Owned::one(owner.clone(), row.clone())))
    }
}

/// What a seller asks of a buyer.
#[Object]
impl Invoice {
    /// The id, `inv_…`.
    pub async fn id(&self) -> ID {
        self.0.row().id.to_string().into()
    }

    /// Whose trade it is part of.
    async fn organization(&self) -> Organization {
        self.0.owner.clone()
    }

    /// Who sells.
    async fn seller(&self, ctx: &Context<'_>) -> Result<Option<Seller>> {
        let seller = self.party::<model::Seller>(|invoice| invoice.seller_id.into()).await;
        Ok(seller.map_err(|error| expose(ctx, error))?.map(Into::into))
    }

    /// Who buys.
    async fn buyer(&self, ctx: &Context<'_>) -> Result<Option<Buyer>> {
        let buyer = self.party::<model::Buyer>(|invoice| invoice.buyer_id.into()).await;
        Ok(buyer.map_err(|error| expose(ctx, error))?.map(Into::into))
    }

    /// Where it stands.
    async fn status(&self) -> InvoiceStatus {
        self.0.row().status.into()
    }

    /// The currency of every amount on it.
    async fn currency(&self) -> Currency {
        Currency(self.0.row().currency.clone())
    }

    /// What is sold.
    async fn lines(&self, ctx: &Context<'_>) -> Result<Vec<InvoiceLine>> {
        let lines: Result<Vec<model::Line>, _> = serde_json::from_value(self.0.row().lines.0.clone());
        let lines = lines.map_err(|error| {
            let doing = format!("the lines of {} do not read back", self.0.row().id);
            expose(ctx, crate::kernel::error::Fault::caused_by(doing, error).into())
        })?;
        Ok(lines.into_iter().map(InvoiceLine::from).collect())
    }

    /// The sum of its lines.
    async fn total(&self) -> MinorUnits {
        MinorUnits(self.0.row().total_minor)
    }

    /// The charge that its submission was paid with, `hold_…`.
    async fn charge_id(&self) -> Option<ID> {
        self.0.row().hold_id.map(|id| id.to_string().into())
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        self.0.row().created_at.into()
    }

    /// When it was submitted.
    async fn submitted_at(&self) -> Option<DateTime> {
        self.0.row().submitted_at.map(Into::into)
    }

    /// When it was cancelled.
    async fn cancelled_at(&self) -> Option<DateTime> {
        self.0.row().cancelled_at.map(Into::into)
    }
}

/// One line of an invoice.
#[derive(SimpleObject, Clone, Debug)]
pub struct InvoiceLine {
    /// What is sold.
    pub description: String,
    /// How many.
    pub quantity: i32,
    /// What one costs.
    pub unit_price: MinorUnits,
    /// What all cost.
    pub total: MinorUnits,
}

impl From<model::Line> for InvoiceLine {
    fn from(line: model::Line) -> Self {
        Self {
            quantity: i32::try_from(line.quantity).unwrap_or(i32::MAX),
            unit_price: MinorUnits(line.unit_price),
            total: MinorUnits(line.total().unwrap_or(model::MONEY_MAX_MINOR)),
            description: line.description,
        }
    }
}
