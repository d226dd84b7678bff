//! API keys, their families, and the operator's keys.

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
CREATE TABLE api_key_family (
    realm_id UUID NOT NULL,
    id UUID NOT NULL,
    organization_id UUID NOT NULL,
    spend_limit BIGINT CHECK (spend_limit >= 0),
    rate_limit BIGINT CHECK (rate_limit > 0),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (realm_id, id),
    FOREIGN KEY (realm_id, organization_id) REFERENCES organization (realm_id, id)
);

CREATE TABLE api_key (
    realm_id UUID NOT NULL,
    id UUID NOT NULL,
    family_id UUID NOT NULL,
    organization_id UUID NOT NULL,
    name TEXT NOT NULL,
    environment TEXT NOT NULL,
    scopes TEXT NOT NULL,
    allowed_ips TEXT NOT NULL,
    secret_hash TEXT NOT NULL,
    pepper_id BIGINT NOT NULL,
    prefix TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    superseded_at BIGINT,
    revoked_at BIGINT,
    last_used_at BIGINT,
    PRIMARY KEY (realm_id, id),
    FOREIGN KEY (realm_id, family_id) REFERENCES api_key_family (realm_id, id),
    FOREIGN KEY (realm_id, organization_id) REFERENCES organization (realm_id, id)
);

CREATE INDEX api_key_by_organization ON api_key (realm_id, organization_id, id);

CREATE INDEX api_key_by_family ON api_key (realm_id, family_id);

CREATE INDEX api_key_by_id ON api_key (id);

CREATE TABLE operator_key (
    id UUID NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    secret_hash TEXT NOT NULL,
    pepper_id BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT
);
"#;
