//! What organizations keep for themselves: webhook endpoints, projects, sellers, buyers, invoices.

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
CREATE TABLE webhook_endpoint (
    realm_id UUID NOT NULL,
    id UUID NOT NULL,
    organization_id UUID NOT NULL,
    url TEXT NOT NULL,
    event_types TEXT NOT NULL,
    scope TEXT NOT NULL,
    description TEXT,
    secret_sealed TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    disabled_at BIGINT,
    disabled_reason TEXT,
    PRIMARY KEY (realm_id, id),
    FOREIGN KEY (realm_id, organization_id) REFERENCES organization (realm_id, id)
);

CREATE INDEX webhook_endpoint_by_organization ON webhook_endpoint (realm_id, organization_id, id);

CREATE TABLE project (
    realm_id UUID NOT NULL,
    id UUID NOT NULL,
    organization_id UUID NOT NULL,
    name TEXT NOT NULL,
    timezone TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (realm_id, id),
    FOREIGN KEY (realm_id, organization_id) REFERENCES organization (realm_id, id)
);

CREATE INDEX project_by_organization ON project (realm_id, organization_id, id);

CREATE TABLE seller (
    realm_id UUID NOT NULL,
    id UUID NOT NULL,
    organization_id UUID NOT NULL,
    name TEXT NOT NULL,
    tax_number TEXT,
    email TEXT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (realm_id, id),
    FOREIGN KEY (realm_id, organization_id) REFERENCES organization (realm_id, id)
);

CREATE INDEX seller_by_organization ON seller (realm_id, organization_id, id);

CREATE TABLE buyer (
    realm_id UUID NOT NULL,
    id UUID NOT NULL,
    organization_id UUID NOT NULL,
    name TEXT NOT NULL,
    tax_number TEXT,
    email TEXT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (realm_id, id),
    FOREIGN KEY (realm_id, organization_id) REFERENCES organization (realm_id, id)
);

CREATE INDEX buyer_by_organization ON buyer (realm_id, organization_id, id);

CREATE TABLE invoice (
    realm_id UUID NOT NULL,
    id UUID NOT NULL,
    organization_id UUID NOT NULL,
    seller_id UUID NOT NULL,
    buyer_id UUID NOT NULL,
    status TEXT NOT NULL,
    currency TEXT NOT NULL,
    total_minor BIGINT NOT NULL CHECK (total_minor >= 0),
    lines TEXT NOT NULL,
    hold_id UUID,
    created_at BIGINT NOT NULL,
    submitted_at BIGINT,
    cancelled_at BIGINT,
    PRIMARY KEY (realm_id, id),
    FOREIGN KEY (realm_id, organization_id) REFERENCES organization (realm_id, id),
    FOREIGN KEY (realm_id, seller_id) REFERENCES seller (realm_id, id),
    FOREIGN KEY (realm_id, buyer_id) REFERENCES buyer (realm_id, id)
);

CREATE INDEX invoice_by_organization ON invoice (realm_id, organization_id, id);
"#;
