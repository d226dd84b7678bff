//! The SQL of sellers, buyers and invoices.

use entity::id::OrganizationId;
use entity::{buyer, invoice, seller};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use uuid::Uuid;

use crate::access::fields::handed;
use crate::access::policy::Permission;
use crate::kernel::error::{Fault, Result};
use crate::kernel::owned::OwnedRow;
use crate::kernel::tx::Tx;
use crate::trade::model::{Buyer, Invoice, Seller};

macro_rules! owned_rows {
    ($($model:ty = $table:literal;)+) => {$(
        impl OwnedRow for $model {
            const TABLE: &'static str = $table;
            const READ: Permission = handed(stringify!($model));

            fn uuid(&self) -> Uuid {
                self.id.into()
            }

            fn organization_id(&self) -> OrganizationId {
                self.organization_id
            }
        }
    )+};
}

owned_rows! {
    Seller = "seller";
    Buyer = "buyer";
    Invoice = "invoice";
}

pub async fn insert_seller(tx: &Tx, seller: Seller) -> Result<()> {
    seller::Entity::insert(seller.into_active_model()).exec_without_returning(tx).await?;
    Ok(())
}

pub async fn insert_buyer(tx: &Tx, buyer: Buyer) -> Result<()> {
    buyer::Entity::insert(buyer.into_active_model()).exec_without_returning(tx).await?;
    Ok(())
}

pub async fn insert_invoice(tx: &Tx, invoice: Invoice) -> Result<()> {
    invoice::Entity::insert(invoice.into_active_model()).exec_without_returning(tx).await?;
    Ok(())
}

/// Writes the whole row.
pub async fn save_invoice(tx: &Tx, invoice: &Invoice) -> Result<()> {
    let updated = invoice::Entity::update_many()
        .set(invoice.clone().into_active_model().reset_all())
        .filter(invoice::Column::RealmId.eq(tx.realm()))
        .filter(invoice::Column::Id.eq(invoice.id))
        .exec(tx)
        .await?;
    if updated.rows_affected != 1 {
        return Err(Fault::new(format!("saving {} touched {} rows", invoice.id, updated.rows_affected)).into());
    }
    Ok(())
}
