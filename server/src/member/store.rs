//! The SQL of people and members.

use entity::id::{MemberId, OrganizationId, UserId};
use entity::kind::MemberRole;
use entity::{member, user};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter};
use uuid::Uuid;

use crate::access::fields::handed;
use crate::access::policy::Permission;
use crate::kernel::error::{Fault, Result};
use crate::kernel::owned::OwnedRow;
use crate::kernel::sql::Sql;
use crate::kernel::tx::Tx;
use crate::member::model::{Membership, Person, User, fold_email};

impl OwnedRow for Membership {
    const TABLE: &'static str = "member";
    const READ: Permission = handed("Member");

    fn uuid(&self) -> Uuid {
        self.id.into()
    }

    fn organization_id(&self) -> OrganizationId {
        self.organization_id
    }
}

pub async fn users_by_ids(connection: &impl ConnectionTrait, ids: &[UserId]) -> Result<Vec<User>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(user::Entity::find().filter(user::Column::Id.is_in(ids.iter().copied())).all(connection).await?)
}

/// The person with this address, made when there is none. Users belong to no realm, so another realm's transaction may
/// be making the same person: the address is unique, and who comes second finds the first one's.
pub async fn find_or_insert_user(tx: &Tx, person: &Person) -> Result<User> {
    let email = fold_email(&person.email);
    let mut sql = Sql::new("INSERT INTO users (id, email, first_name, last_name, phone_number, created_at) VALUES (");
    sql.bind(tx.id::<UserId>()).push(", ").bind(email.clone()).push(", ").bind(person.first_name.clone()).push(", ");
    sql.bind(person.last_name.clone()).push(", ").bind(person.phone_number.clone()).push(", ").bind(tx.now());
    sql.push(") ON CONFLICT (email) DO NOTHING");
    tx.execute_raw(sql.statement(tx)).await?;
    let found = user::Entity::find().filter(user::Column::Email.eq(email)).one(tx).await?;
    Ok(found.ok_or_else(|| Fault::new("a user that was just made is not there"))?)
}

pub async fn is_member(tx: &Tx, organization: OrganizationId, user: UserId) -> Result<bool> {
    let found = member::Entity::find()
        .filter(member::Column::RealmId.eq(tx.realm()))
        .filter(member::Column::OrganizationId.eq(organization))
        .filter(member::Column::UserId.eq(user))
        .one(tx)
        .await?;
    Ok(found.is_some())
}

pub async fn count_owners(tx: &Tx, organization: OrganizationId) -> Result<u64> {
    let count = member::Entity::find()
        .filter(member::Column::RealmId.eq(tx.realm()))
        .filter(member::Column::OrganizationId.eq(organization))
        .filter(member::Column::Role.eq(MemberRole::Owner))
        .count(tx)
        .await?;
    Ok(count)
}

pub async fn insert(tx: &Tx, membership: Membership) -> Result<()> {
    member::Entity::insert(membership.into_active_model()).exec_without_returning(tx).await?;
    Ok(())
}

pub async fn delete(tx: &Tx, id: MemberId) -> Result<()> {
    member::Entity::delete_many()
        .filter(member::Column::RealmId.eq(tx.realm()))
        .filter(member::Column::Id.eq(id))
        .exec(tx)
        .await?;
    Ok(())
}
