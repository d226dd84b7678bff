//! What differs between the two databases, and nothing else in the workspace's migrations.

use sea_orm_migration::SchemaManager;
use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseBackend, DbErr};

/// Runs the statements of one migration, separated by `;` at a line's end.
///
/// `SORTABLE` stands for text that compares byte by byte: PostgreSQL would otherwise sort by the
/// cluster's locale, and a keyset cursor made on one machine would skip rows on another.
/// `HOT(n)` leaves `100 - n` % of each page free on PostgreSQL, so that rows updated all day stay in place.
pub async fn run(manager: &SchemaManager<'_>, statements: &str) -> Result<(), DbErr> {
    let connection = manager.get_connection();
    let postgres = manager.get_database_backend() == DatabaseBackend::Postgres;
    let (sortable, hot) = if postgres { ("TEXT COLLATE \"C\"", " WITH (fillfactor = 60)") } else { ("TEXT", "") };
    for statement in statements.split(";\n") {
        let statement = statement.trim();
        if statement.is_empty() {
            continue;
        }
        let statement = statement.replace("SORTABLE", sortable).replace(" HOT(60)", hot);
        connection.execute_unprepared(&statement).await?;
    }
    Ok(())
}
