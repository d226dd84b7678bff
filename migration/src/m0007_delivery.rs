//! Sending events to webhook endpoints: how far each realm's events were looked at, what is to be sent where, and how it
//! went.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        crate::backend::run(manager, TABLES).await
    }
}

/// No foreign key leads from a delivery to its endpoint: a removed endpoint's log is cleared away in portions afterwards,
/// not in the transaction that removes it.
const TABLES: &str = r#"
ALTER TABLE webhook_endpoint ADD COLUMN paused_at BIGINT;

ALTER TABLE webhook_endpoint ADD COLUMN previous_secret_sealed TEXT;

ALTER TABLE webhook_endpoint ADD COLUMN previous_secret_expires_at BIGINT;

ALTER TABLE webhook_endpoint ADD COLUMN since_sequence BIGINT NOT NULL DEFAULT 0;

ALTER TABLE webhook_endpoint ADD COLUMN until_sequence BIGINT;

CREATE TABLE event_cursor (
    realm_id UUID NOT NULL,
    sequence BIGINT NOT NULL,
    PRIMARY KEY (realm_id)
);

CREATE TABLE delivery_queue (
    realm_id UUID NOT NULL,
    webhook_endpoint_id UUID NOT NULL,
    next_attempt_at BIGINT,
    lease_id UUID,
    lease_until BIGINT,
    hold_off_until BIGINT,
    failures BIGINT NOT NULL,
    failing_since BIGINT,
    troubled BOOLEAN NOT NULL,
    PRIMARY KEY (realm_id, webhook_endpoint_id)
);

CREATE INDEX delivery_queue_due ON delivery_queue (realm_id, next_attempt_at) WHERE next_attempt_at IS NOT NULL;

CREATE INDEX delivery_queue_due_anywhere ON delivery_queue (next_attempt_at) WHERE next_attempt_at IS NOT NULL;

CREATE TABLE delivery (
    realm_id UUID NOT NULL,
    id UUID NOT NULL,
    organization_id UUID NOT NULL,
    webhook_endpoint_id UUID NOT NULL,
    event_id UUID NOT NULL,
    event_type TEXT NOT NULL,
    event_sequence BIGINT,
    event_organization_id UUID NOT NULL,
    ordered BOOLEAN NOT NULL,
    redelivery_of UUID,
    status TEXT NOT NULL,
    attempt_count BIGINT NOT NULL,
    next_attempt_at BIGINT,
    created_at BIGINT NOT NULL,
    settled_at BIGINT,
    PRIMARY KEY (realm_id, id)
);

CREATE INDEX delivery_by_endpoint ON delivery (realm_id, webhook_endpoint_id, id);

CREATE INDEX delivery_by_id ON delivery (id);

CREATE INDEX delivery_due ON delivery (realm_id, webhook_endpoint_id, next_attempt_at)
    WHERE next_attempt_at IS NOT NULL;

CREATE INDEX delivery_lane ON delivery (realm_id, webhook_endpoint_id, event_organization_id, event_sequence)
    WHERE status = 'PENDING';

CREATE INDEX delivery_settled ON delivery (settled_at) WHERE settled_at IS NOT NULL;

CREATE UNIQUE INDEX delivery_once ON delivery (realm_id, webhook_endpoint_id, event_sequence) WHERE ordered;

CREATE TABLE delivery_attempt (
    realm_id UUID NOT NULL,
    delivery_id UUID NOT NULL,
    number BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    duration_ms BIGINT NOT NULL,
    response_status BIGINT,
    response_body TEXT,
    error TEXT,
    PRIMARY KEY (realm_id, delivery_id, number),
    FOREIGN KEY (realm_id, delivery_id) REFERENCES delivery (realm_id, id)
);

INSERT INTO event_cursor (realm_id, sequence)
    SELECT r.realm_id, r.sequence FROM realm r
    WHERE EXISTS (SELECT 1 FROM webhook_endpoint w WHERE w.realm_id = r.realm_id);

INSERT INTO delivery_queue (realm_id, webhook_endpoint_id, failures, troubled)
    SELECT realm_id, id, 0, FALSE FROM webhook_endpoint;
"#;
