//! What other features may do with keys inside their own transaction.

use entity::id::{OrganizationId, RealmId};
use entity::timestamp::Timestamp;
use sea_orm::ConnectionTrait;

use crate::api_key::store::{self, Which};
use crate::kernel::error::Result;
use crate::kernel::tx::Tx;

pub use crate::api_key::command::{Minted, mint};

/// Revokes every key of the organizations; answers how many worked until now.
pub async fn revoke_all(tx: &Tx, organizations: &[OrganizationId]) -> Result<u64> {
    let mut revoked = 0;
    for chunk in organizations.chunks(500) {
        revoked += u64::try_from(store::revoke(tx, Which::Organizations(chunk)).await?.len()).unwrap_or(u64::MAX);
    }
    Ok(revoked)
}

/// How many keys of the organizations work now.
pub async fn count_usable(
    connection: &impl ConnectionTrait,
    realm: RealmId,
    organizations: &[OrganizationId],
    now: Timestamp,
) -> Result<i64> {
    store::count_usable(connection, realm, organizations, now).await
}
