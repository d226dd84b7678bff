//! The chain over each realm's audit trail.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        crate::backend::run(manager, TABLES).await
    }
}

/// No foreign key leads from a link to its entry: an entry that was removed must leave its link behind.
const TABLES: &str = r#"
CREATE TABLE audit_link (
    realm_id UUID NOT NULL,
    sequence BIGINT NOT NULL,
    previous_sequence BIGINT NOT NULL,
    entry_hash TEXT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (realm_id, sequence)
);

CREATE TABLE audit_chain (
    realm_id UUID NOT NULL,
    sealed_to BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    hash TEXT NOT NULL,
    entries BIGINT NOT NULL,
    PRIMARY KEY (realm_id)
);
"#;
