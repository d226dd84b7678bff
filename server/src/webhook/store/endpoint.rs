//! Endpoints, as people keep them.

use entity::id::{OrganizationId, WebhookEndpointId};
use entity::webhook_endpoint::{Column, Entity};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter};
use uuid::Uuid;

use crate::access::fields::handed;
use crate::access::policy::Permission;
use crate::kernel::error::{Fault, Result};
use crate::kernel::owned::OwnedRow;
use crate::kernel::tx::Tx;
use crate::webhook::model::Endpoint;

impl OwnedRow for Endpoint {
    const TABLE: &'static str = "webhook_endpoint";
    const READ: Permission = handed("WebhookEndpoint");

    fn uuid(&self) -> Uuid {
        self.id.into()
    }

    fn organization_id(&self) -> OrganizationId {
        self.organization_id
    }
}

/// How many endpoints the organization has, disabled ones included.
pub async fn count(tx: &Tx, organization: OrganizationId) -> Result<i64> {
    let count = Entity::find()
        .filter(Column::RealmId.eq(tx.realm()))
        .filter(Column::OrganizationId.eq(organization))
        .count(tx)
        .await?;
    Ok(i64::try_from(count).unwrap_or(i64::MAX))
}

pub async fn insert(tx: &Tx, endpoint: Endpoint) -> Result<()> {
    Entity::insert(endpoint.into_active_model()).exec_without_returning(tx).await?;
    Ok(())
}

/// Writes the whole row.
pub async fn save(tx: &Tx, endpoint: &Endpoint) -> Result<()> {
    let updated = Entity::update_many()
        .set(endpoint.clone().into_active_model().reset_all())
        .filter(Column::RealmId.eq(tx.realm()))
        .filter(Column::Id.eq(endpoint.id))
        .exec(tx)
        .await?;
    if updated.rows_affected != 1 {
        return Err(Fault::new(format!("saving {} touched {} rows", endpoint.id, updated.rows_affected)).into());
    }
    Ok(())
}

pub async fn delete(tx: &Tx, id: WebhookEndpointId) -> Result<()> {
    Entity::delete_many().filter(Column::RealmId.eq(tx.realm())).filter(Column::Id.eq(id)).exec(tx).await?;
    Ok(())
}
