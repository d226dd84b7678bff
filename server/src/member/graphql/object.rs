//! The type `Member`.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};
use entity::id::UserId;

use crate::kernel::error::{Error, Fault};
use crate::member::model::{Member as Found, Membership, User};
use crate::member::store;
use crate::organization::graphql::Organization;
use crate::organization::graphql::owned::Owned;
use crate::schema::connection::connection;
use crate::schema::kind::MemberRole;
use crate::schema::scalar::DateTime;
use crate::schema::session::expose;

/// A person's membership of an organization.
#[derive(Clone)]
pub struct Member(Owned<Membership>);

impl From<Owned<Membership>> for Member {
    fn from(owned: Owned<Membership>) -> Self {
        Self(owned)
    }
}

connection! {
    /// A page of members.
    MemberConnection, MemberEdge, Member, "A member of a page."
}

impl Member {
    /// A member that a command answered with.
    pub fn shown(owner: Organization, member: Found) -> Self {
        Self(Owned::one(owner, member.membership))
    }

    /// The people of the whole level, loaded once.
    async fn users(&self) -> Result<Arc<HashMap<UserId, User>>, Error> {
        let Owned { owner, level, .. } = &self.0;
        level
            .once("users", || async {
                let ids: Vec<UserId> = level.members.iter().map(|membership| membership.user_id).collect();
                let users = store::users_by_ids(&owner.siblings.session.snapshot(), &ids).await?;
                Ok(users.into_iter().map(|user| (user.id, user)).collect())
            })
            .await
    }

    async fn of_user(&self, ctx: &Context<'_>, read: fn(&User) -> String) -> Result<String> {
        let users = self.users().await.map_err(|error| expose(ctx, error))?;
        let user = users.get(&self.0.row().user_id).ok_or_else(|| {
            let doing = format!("{} has no user", self.0.row().id);
            expose(ctx, Fault::new(doing).into())
        })?;
        Ok(read(user))
    }
}

/// A person's membership of an organization.
#[Object]
impl Member {
    /// The id, `mem_…`.
    pub async fn id(&self) -> ID {
        self.0.row().id.to_string().into()
    }

    /// Where the person is a member.
    async fn organization(&self) -> Organization {
        self.0.owner.clone()
    }

    /// The person, the same in every organization, `usr_…`.
    async fn user_id(&self) -> ID {
        self.0.row().user_id.to_string().into()
    }

    /// The person's address, in lower case.
    async fn email(&self, ctx: &Context<'_>) -> Result<String> {
        self.of_user(ctx, |user| user.email.clone()).await
    }

    /// The person's first and last name.
    async fn name(&self, ctx: &Context<'_>) -> Result<String> {
        self.of_user(ctx, |user| format!("{} {}", user.first_name, user.last_name)).await
    }

    /// The person's first name.
    async fn first_name(&self, ctx: &Context<'_>) -> Result<String> {
        self.of_user(ctx, |user| user.first_name.clone()).await
    }

    /// The person's last name.
    async fn last_name(&self, ctx: &Context<'_>) -> Result<String> {
        self.of_user(ctx, |user| user.last_name.clone()).await
    }

    /// What the person may do here.
    async fn role(&self) -> MemberRole {
        self.0.row().role.into()
    }

    /// Since when.
    async fn created_at(&self) -> DateTime {
        self.0.row().created_at.into()
    }
}
