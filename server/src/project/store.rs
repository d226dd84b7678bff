//! The SQL of projects.

use entity::id::OrganizationId;
use entity::project::{Entity, Model};
use sea_orm::{EntityTrait, IntoActiveModel};
use uuid::Uuid;

use crate::access::fields::handed;
use crate::access::policy::Permission;
use crate::kernel::error::Result;
use crate::kernel::owned::OwnedRow;
use crate::kernel::tx::Tx;

impl OwnedRow for Model {
    const TABLE: &'static str = "project";
    const READ: Permission = handed("Project");

    fn uuid(&self) -> Uuid {
        self.id.into()
    }

    fn organization_id(&self) -> OrganizationId {
        self.organization_id
    }
}

pub async fn insert(tx: &Tx, project: Model) -> Result<()> {
    Entity::insert(project.into_active_model()).exec_without_returning(tx).await?;
    Ok(())
}
