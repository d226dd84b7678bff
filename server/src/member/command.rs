//! Adding and removing members.

use entity::id::{AnyId, MemberId, OrganizationId};
use entity::kind::MemberRole;
use serde::Serialize;

use crate::kernel::command::{Command, Subject};
use crate::kernel::error::{ErrorCode, Refusal, Result};
use crate::kernel::event::Event;
use crate::kernel::owned;
use crate::kernel::tx::Tx;
use crate::member::model::{Member, Membership, Person, PersonFields, check_may_give};
use crate::member::{event, store};
use crate::organization::api::live_target;

/// Makes a person a member.
#[derive(Clone, Debug, Serialize)]
pub struct AddMember {
    pub organization: Option<OrganizationId>,
    pub person: Person,
    pub role: MemberRole,
    #[serde(skip)]
    pub idempotency_key: Option<String>,
}

/// How `memberAdd` calls what it says of a person.
const FIELDS: PersonFields =
    PersonFields { email: "email", first_name: "firstName", last_name: "lastName", phone_number: "phoneNumber" };

impl Command for AddMember {
    const NAME: &'static str = "memberAdd";
    const REFUSALS: &'static [ErrorCode] = &[ErrorCode::InvalidInput, ErrorCode::ForbiddenScope, ErrorCode::Conflict];
    type Output = Member;

    fn subject(&self) -> Subject {
        Subject::Organization(self.organization)
    }

    fn idempotency_key(&self) -> Option<&str> {
        self.idempotency_key.as_deref()
    }

    async fn run(&self, tx: &mut Tx) -> Result<Member> {
        let organization = live_target(tx)?;
        self.person.check(FIELDS)?;
        check_may_give(&tx.target().scopes, self.role)?;
        let path = tx.target().path.ids().collect();
        add(tx, organization, path, &self.person, self.role).await
    }
}

/// Adds within a transaction; `organizationProvision` does it too. `path` is the organization's.
pub async fn add(
    tx: &mut Tx,
    organization: OrganizationId,
    path: Vec<OrganizationId>,
    person: &Person,
    role: MemberRole,
) -> Result<Member> {
    let user = store::find_or_insert_user(tx, person).await?;
    if store::is_member(tx, organization, user.id).await? {
        let message = "This person is a member already. Remove them first to give another role.";
        return Err(Refusal::conflict(message).at("email").into());
    }
    let membership = Membership {
        realm_id: tx.realm(),
        id: tx.id(),
        organization_id: organization,
        user_id: user.id,
        role,
        created_at: tx.now(),
    };
    store::insert(tx, membership.clone()).await?;
    tell(tx, event::ADDED, path, &membership);
    Ok(Member { membership, user })
}

fn tell(tx: &mut Tx, event_type: &'static str, path: Vec<OrganizationId>, membership: &Membership) {
    let data = event::Changed { member_id: membership.id, user_id: membership.user_id, role: membership.role };
    tx.emit(Event::new(event_type, path, &data));
    tx.note("memberId", membership.id.to_string());
    tx.note("userId", membership.user_id.to_string());
    tx.note("role", membership.role.as_str());
}

/// Ends a membership. The person and their other memberships stay.
#[derive(Clone, Debug, Serialize)]
pub struct RemoveMember {
    pub member: MemberId,
}

impl Command for RemoveMember {
    const NAME: &'static str = "memberRemove";
    const REFUSALS: &'static [ErrorCode] = &[ErrorCode::ForbiddenScope, ErrorCode::Conflict];
    type Output = OrganizationId;

    fn subject(&self) -> Subject {
        Subject::OwnerOf(AnyId::Member(self.member))
    }

    async fn run(&self, tx: &mut Tx) -> Result<OrganizationId> {
        let membership: Membership = owned::get(tx, self.member).await?;
        check_may_give(&tx.target().scopes, membership.role)
            .map_err(|refusal| Refusal { path: vec!["input".into(), "memberId".into()], ..refusal })?;
        let organization = membership.organization_id;
        if membership.role == MemberRole::Owner && store::count_owners(tx, organization).await? <= 1 {
            let message = "This is the last owner. Add another one first.";
            return Err(Refusal::conflict(message).at("memberId").into());
        }
        store::delete(tx, membership.id).await?;
        let path = tx.target().path.ids().collect();
        tell(tx, event::REMOVED, path, &membership);
        Ok(organization)
    }
}
