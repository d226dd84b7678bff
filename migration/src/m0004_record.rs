//! What every change leaves behind: its idempotency record, its audit entry, its event.

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
CREATE TABLE idempotency_record (
    realm_id UUID NOT NULL,
    actor_id UUID NOT NULL,
    operation TEXT NOT NULL,
    idempotency_key SORTABLE NOT NULL,
    input_hash TEXT NOT NULL,
    result TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (realm_id, actor_id, operation, idempotency_key)
);

CREATE INDEX idempotency_record_expiring ON idempotency_record (realm_id, expires_at);

CREATE TABLE audit_event (
    realm_id UUID NOT NULL,
    sequence BIGINT NOT NULL,
    id UUID NOT NULL,
    organization_id UUID,
    path TEXT NOT NULL,
    acting_organization_id UUID,
    actor_kind TEXT NOT NULL,
    actor_id UUID,
    action TEXT NOT NULL,
    target_id TEXT,
    outcome TEXT NOT NULL,
    change TEXT NOT NULL,
    request_id UUID NOT NULL,
    address TEXT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (realm_id, sequence)
);

CREATE INDEX audit_event_by_organization ON audit_event (realm_id, organization_id, sequence);

CREATE INDEX audit_event_by_id ON audit_event (id);

CREATE TABLE event (
    realm_id UUID NOT NULL,
    sequence BIGINT NOT NULL,
    id UUID NOT NULL,
    event_type TEXT NOT NULL,
    organization_id UUID NOT NULL,
    path TEXT NOT NULL,
    data TEXT NOT NULL,
    occurred_at BIGINT NOT NULL,
    PRIMARY KEY (realm_id, sequence)
);

CREATE INDEX event_by_organization ON event (realm_id, organization_id, sequence);
"#;
