//! Projects in the schema.

use async_graphql::{Context, ID, InputObject, Object, Result};
use entity::project::Model;

use crate::kernel::error::Refusal;
use crate::organization::graphql::owned::Owned;
use crate::organization::graphql::{Organization, owner_of};
use crate::project::command::CreateProject;
use crate::schema::Query;
use crate::schema::connection::connection;
use crate::schema::payload::payload;
use crate::schema::scalar::DateTime;
use crate::schema::session::{Session, optional_id};

/// What an organization works on.
#[derive(Clone)]
pub struct Project(Owned<Model>);

impl From<Owned<Model>> for Project {
    fn from(owned: Owned<Model>) -> Self {
        Self(owned)
    }
}

connection! {
    /// A page of projects.
    ProjectConnection, ProjectEdge, Project, "A project of a page."
}

/// What an organization works on.
#[Object]
impl Project {
    /// The id, `prj_…`.
    pub async fn id(&self) -> ID {
        self.0.row().id.to_string().into()
    }

    /// Whose project it is.
    async fn organization(&self) -> Organization {
        self.0.owner.clone()
    }

    /// What people call it.
    async fn name(&self) -> &str {
        &self.0.row().name
    }

    /// A name of the IANA database.
    async fn timezone(&self) -> &str {
        &self.0.row().timezone
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        self.0.row().created_at.into()
    }
}

/// A new project.
#[derive(InputObject, Clone, Debug)]
pub struct ProjectCreateInput {
    /// The acting organization when absent.
    pub organization_id: Option<ID>,
    /// 2 to 255 characters.
    pub name: String,
    /// A name of the IANA database; the organization's when absent.
    pub timezone: Option<String>,
    /// Makes a retry safe: the same key and input answer with the first answer for 30 days.
    pub idempotency_key: Option<String>,
}

payload! {
    /// The answer of `projectCreate`.
    ProjectCreatePayload {
        /// The new project.
        project: Project,
    } replayed
}

#[derive(Default)]
pub struct ProjectMutation;

#[Object]
impl ProjectMutation {
    /// Makes a project in the acting organization or a descendant. Needs `projects:*`, and `DATA_WRITE` delegated along
    /// the path.
    async fn project_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A new project.")] input: ProjectCreateInput,
    ) -> Result<Option<ProjectCreatePayload>> {
        let session = Session::of(ctx);
        let command = || -> Result<CreateProject, Refusal> {
            Ok(CreateProject {
                organization: optional_id(input.organization_id.as_ref(), "organizationId")?,
                name: input.name.clone(),
                timezone: input.timezone.clone(),
                idempotency_key: session.idempotency_key(input.idempotency_key.clone()),
            })
        };
        Ok(Some(match session.execute(ctx, command()).await? {
            Err(refusal) => ProjectCreatePayload::refused(refusal),
            Ok(executed) => {
                let owner = owner_of(ctx, executed.output.organization_id).await?;
                ProjectCreatePayload {
                    project: owner.map(|owner| Owned::one(owner, executed.output).into()),
                    replayed: executed.replayed,
                    user_errors: Vec::new(),
                    query: Query::default(),
                }
            }
        }))
    }
}
