//! What other features may read of organizations inside their own transaction.

use entity::id::OrganizationId;

use crate::kernel::error::{Refusal, Result};
use crate::kernel::tx::Tx;
use crate::organization::model::Organization;
use crate::organization::store;

pub use crate::organization::command::{CreateOrganization, Parent, bare_child, create};
pub use crate::organization::store::edge::{Consolidated, consolidated};
pub use crate::organization::store::insert_many;

/// The record; `NOT_FOUND` when there is none in the transaction's realm.
pub async fn get(tx: &Tx, id: OrganizationId) -> Result<Organization> {
    store::get(tx, id).await
}

/// The organization acted on; `CONFLICT` when it is archived. What is made is made for a live one.
pub fn live_target(tx: &Tx) -> Result<OrganizationId, Refusal> {
    let organization = tx.target().id();
    if tx.target().path.nodes()[0].archived {
        return Err(Refusal::conflict(format!("{organization} is archived, which is final.")));
    }
    Ok(organization)
}
