//! What other features may do with endpoints inside their own transaction.

use entity::id::{OrganizationId, RealmId};
use entity::kind::EventScope;
use entity::webhook_endpoint::{Column, Entity};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter};

use crate::kernel::error::Result;
use crate::kernel::tx::Tx;
use crate::webhook::model::DISABLED_BY_ARCHIVE;

/// Disables every endpoint of the organizations that are being archived. What happened up to the last event queued so far
/// is still sent.
pub async fn disable_all(tx: &Tx, organizations: &[OrganizationId]) -> Result<()> {
    for chunk in organizations.chunks(500) {
        Entity::update_many()
            .col_expr(Column::DisabledAt, Expr::value(tx.now()))
            .col_expr(Column::DisabledReason, Expr::value(DISABLED_BY_ARCHIVE))
            .col_expr(Column::UntilSequence, Expr::value(tx.last_sequence()))
            .filter(Column::RealmId.eq(tx.realm()))
            .filter(Column::OrganizationId.is_in(chunk.iter().copied()))
            .filter(Column::DisabledAt.is_null())
            .exec(tx)
            .await?;
    }
    Ok(())
}

/// How many endpoints of the organizations are enabled.
pub async fn count_enabled(
    connection: &impl ConnectionTrait,
    realm: RealmId,
    organizations: &[OrganizationId],
) -> Result<i64> {
    let mut total = 0;
    for chunk in organizations.chunks(500) {
        let count = Entity::find()
            .filter(Column::RealmId.eq(realm))
            .filter(Column::OrganizationId.is_in(chunk.iter().copied()))
            .filter(Column::DisabledAt.is_null())
            .count(connection)
            .await?;
        total += i64::try_from(count).unwrap_or(i64::MAX);
    }
    Ok(total)
}

/// How many enabled endpoints of the organizations hear of others below them.
pub async fn count_firehoses(
    connection: &impl ConnectionTrait,
    realm: RealmId,
    organizations: &[OrganizationId],
) -> Result<i64> {
    let count = Entity::find()
        .filter(Column::RealmId.eq(realm))
        .filter(Column::OrganizationId.is_in(organizations.iter().copied()))
        .filter(Column::DisabledAt.is_null())
        .filter(Column::Scope.ne(EventScope::Own))
        .count(connection)
        .await?;
    Ok(i64::try_from(count).unwrap_or(i64::MAX))
}
