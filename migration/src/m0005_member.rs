//! People and their membership of organizations. A person belongs to no realm.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        crate::backend::run(manager, TABLES).await
    }
}

const TABLES: &str = r#"
CREATE TABLE users (
    id UUID NOT NULL PRIMARY KEY,
    email SORTABLE NOT NULL UNIQUE,
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    phone_number TEXT,
    created_at BIGINT NOT NULL
);

CREATE TABLE member (
    realm_id UUID NOT NULL,
    id UUID NOT NULL,
    organization_id UUID NOT NULL,
    user_id UUID NOT NULL,
    role TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (realm_id, id),
    UNIQUE (realm_id, organization_id, user_id),
    FOREIGN KEY (realm_id, organization_id) REFERENCES organization (realm_id, id)
);
"#;
