//! Realms, the tree of organizations and what suspends them.

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
CREATE TABLE realm (
    realm_id UUID NOT NULL PRIMARY KEY,
    sequence BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL
);

CREATE TABLE organization (
    realm_id UUID NOT NULL,
    id UUID NOT NULL,
    parent_id UUID,
    name TEXT NOT NULL,
    name_folded SORTABLE NOT NULL,
    email TEXT,
    billing_email TEXT,
    tax_number TEXT,
    phone_number TEXT,
    website TEXT,
    country TEXT,
    industry TEXT,
    base_currency TEXT,
    timezone TEXT NOT NULL,
    external_id SORTABLE,
    metadata TEXT NOT NULL,
    billing_mode TEXT NOT NULL,
    tier TEXT NOT NULL,
    relation TEXT NOT NULL,
    delegation BIGINT NOT NULL,
    funding TEXT,
    primary_covers_secondary BOOLEAN NOT NULL,
    fallback_to_primary BOOLEAN NOT NULL,
    minimum_reserve BIGINT NOT NULL CHECK (minimum_reserve >= 0),
    monthly_credit_cap BIGINT CHECK (monthly_credit_cap >= 0),
    subtree_monthly_cap BIGINT CHECK (subtree_monthly_cap >= 0),
    refill_threshold BIGINT CHECK (refill_threshold >= 0),
    refill_amount BIGINT CHECK (refill_amount > 0),
    refill_monthly_ceiling BIGINT CHECK (refill_monthly_ceiling >= 0),
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    archived_at BIGINT,
    PRIMARY KEY (realm_id, id),
    FOREIGN KEY (realm_id) REFERENCES realm (realm_id),
    FOREIGN KEY (realm_id, parent_id) REFERENCES organization (realm_id, id),
    CHECK ((refill_threshold IS NULL) = (refill_amount IS NULL)),
    CHECK (parent_id IS NULL OR parent_id <> id)
);

CREATE INDEX organization_children_by_name ON organization (realm_id, parent_id, name_folded, id);

CREATE INDEX organization_children_by_age ON organization (realm_id, parent_id, id);

CREATE UNIQUE INDEX organization_external_id ON organization (realm_id, parent_id, external_id)
    WHERE external_id IS NOT NULL AND archived_at IS NULL;

CREATE INDEX organization_lookup_external_id ON organization (realm_id, external_id)
    WHERE external_id IS NOT NULL;

CREATE INDEX organization_by_id ON organization (id);

CREATE INDEX organization_roots ON organization (name_folded, id) WHERE parent_id IS NULL;

CREATE TABLE suspension (
    realm_id UUID NOT NULL,
    id UUID NOT NULL,
    organization_id UUID NOT NULL,
    holder_id UUID NOT NULL,
    reason TEXT,
    placed_at BIGINT NOT NULL,
    PRIMARY KEY (realm_id, id),
    UNIQUE (realm_id, organization_id, holder_id),
    FOREIGN KEY (realm_id, organization_id) REFERENCES organization (realm_id, id)
);
"#;
