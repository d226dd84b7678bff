//! Mutations of members.

use async_graphql::{Context, ID, InputObject, Object, Result};

use crate::kernel::error::Refusal;
use crate::member::command::{AddMember, RemoveMember};
use crate::member::graphql::object::Member;
use crate::member::model::Person;
use crate::organization::graphql::{Organization, owner_of};
use crate::schema::Query;
use crate::schema::kind::MemberRole;
use crate::schema::payload::payload;
use crate::schema::session::{Session, id_of, optional_id};

/// A person to make a member.
#[derive(InputObject, Clone, Debug)]
pub struct MemberAddInput {
    /// The acting organization when absent.
    pub organization_id: Option<ID>,
    /// The person's address. Whoever is known by it is added with the names on record.
    pub email: String,
    /// 1 to 100 characters.
    pub first_name: String,
    /// 1 to 100 characters.
    pub last_name: String,
    /// What the person may do; at most what the caller may.
    pub role: MemberRole,
    /// Makes a retry safe: the same key and input answer with the first answer for 30 days.
    pub idempotency_key: Option<String>,
}

/// A membership to end.
#[derive(InputObject, Clone, Debug)]
pub struct MemberRemoveInput {
    /// The member.
    pub member_id: ID,
}

payload! {
    /// The answer of `memberAdd`.
    MemberAddPayload {
        /// The new member.
        member: Member,
    } replayed
}
payload! {
    /// The answer of `memberRemove`.
    MemberRemovePayload {
        /// The id of the membership that ended.
        removed_member_id: ID,
        /// Where it was.
        organization: Organization,
    }
}

#[derive(Default)]
pub struct MemberMutation;

#[Object]
impl MemberMutation {
    /// Makes a person a member, found by e-mail address or made. Needs `members:*` and what the role holds, or
    /// `org:admin`.
    async fn member_add(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A person to make a member.")] input: MemberAddInput,
    ) -> Result<Option<MemberAddPayload>> {
        let session = Session::of(ctx);
        let command = || -> Result<AddMember, Refusal> {
            Ok(AddMember {
                organization: optional_id(input.organization_id.as_ref(), "organizationId")?,
                person: Person {
                    email: input.email.clone(),
                    first_name: input.first_name.clone(),
                    last_name: input.last_name.clone(),
                    phone_number: None,
                },
                role: input.role.into(),
                idempotency_key: session.idempotency_key(input.idempotency_key.clone()),
            })
        };
        Ok(Some(match session.execute(ctx, command()).await? {
            Err(refusal) => MemberAddPayload::refused(refusal),
            Ok(executed) => {
                let owner = owner_of(ctx, executed.output.membership.organization_id).await?;
                MemberAddPayload {
                    member: owner.map(|owner| Member::shown(owner, executed.output)),
                    replayed: executed.replayed,
                    user_errors: Vec::new(),
                    query: Query::default(),
                }
            }
        }))
    }

    /// Ends a membership; the last owner's stays. Needs `members:*` and what the role holds, or `org:admin`.
    async fn member_remove(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A membership to end.")] input: MemberRemoveInput,
    ) -> Result<Option<MemberRemovePayload>> {
        let session = Session::of(ctx);
        let command =
            || -> Result<RemoveMember, Refusal> { Ok(RemoveMember { member: id_of(&input.member_id, "memberId")? }) };
        Ok(Some(match session.execute(ctx, command()).await? {
            Err(refusal) => MemberRemovePayload::refused(refusal),
            Ok(executed) => MemberRemovePayload {
                removed_member_id: Some(input.member_id),
                organization: owner_of(ctx, executed.output).await?,
                user_errors: Vec::new(),
                query: Query::default(),
            },
        }))
    }
}
