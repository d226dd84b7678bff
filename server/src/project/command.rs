//! Making projects.

use entity::id::OrganizationId;
use entity::project::Model as Project;
use serde::Serialize;

use crate::kernel::command::{Command, Subject};
use crate::kernel::error::{ErrorCode, Refusal, Result};
use crate::kernel::event::Event;
use crate::kernel::tx::Tx;
use crate::organization::api::{get, live_target};
use crate::organization::model::{is_name, is_timezone};
use crate::project::{event, store};

/// Makes a project.
#[derive(Clone, Debug, Serialize)]
pub struct CreateProject {
    pub organization: Option<OrganizationId>,
    pub name: String,
    /// The organization's when absent.
    pub timezone: Option<String>,
    #[serde(skip)]
    pub idempotency_key: Option<String>,
}

impl Command for CreateProject {
    const NAME: &'static str = "projectCreate";
    const REFUSALS: &'static [ErrorCode] = &[ErrorCode::InvalidInput, ErrorCode::ForbiddenScope, ErrorCode::Conflict];
    type Output = Project;

    fn subject(&self) -> Subject {
        Subject::Organization(self.organization)
    }

    fn idempotency_key(&self) -> Option<&str> {
        self.idempotency_key.as_deref()
    }

    async fn run(&self, tx: &mut Tx) -> Result<Project> {
        let organization = live_target(tx)?;
        if !is_name(&self.name) {
            return Err(Refusal::invalid("name", "A name has 2 to 255 characters and is not only spaces.").into());
        }
        let timezone = match &self.timezone {
            Some(timezone) if !is_timezone(timezone) => {
                let message = "A time zone is a name of the IANA database, such as Africa/Lagos.";
                return Err(Refusal::invalid("timezone", message).into());
            }
            Some(timezone) => timezone.clone(),
            None => get(tx, organization).await?.timezone,
        };
        let project = Project {
            realm_id: tx.realm(),
            id: tx.id(),
            organization_id: organization,
            name: self.name.clone(),
            timezone,
            created_at: tx.now(),
        };
        store::insert(tx, project.clone()).await?;
        let path = tx.target().path.ids().collect();
        tx.emit(Event::new(event::CREATED, path, &event::Created { project_id: project.id, name: &project.name }));
        tx.note("projectId", project.id.to_string());
        Ok(project)
    }
}
