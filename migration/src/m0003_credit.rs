//! The ledger: wallets, buckets, holds, append-only entries, and the counters behind limits.

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
CREATE TABLE meter (
    realm_id UUID NOT NULL,
    meter_key SORTABLE NOT NULL,
    credits BIGINT NOT NULL CHECK (credits >= 0),
    description TEXT,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (realm_id, meter_key)
);

CREATE TABLE system_account (
    realm_id UUID NOT NULL,
    environment TEXT NOT NULL,
    account TEXT NOT NULL,
    balance BIGINT NOT NULL,
    PRIMARY KEY (realm_id, environment, account)
) HOT(60);

CREATE TABLE wallet (
    realm_id UUID NOT NULL,
    id UUID NOT NULL,
    organization_id UUID NOT NULL,
    environment TEXT NOT NULL,
    balance BIGINT NOT NULL,
    held BIGINT NOT NULL CHECK (held >= 0),
    refill_state TEXT NOT NULL,
    refill_reason TEXT,
    version BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (realm_id, id),
    UNIQUE (realm_id, organization_id, environment),
    FOREIGN KEY (realm_id, organization_id) REFERENCES organization (realm_id, id)
) HOT(60);

CREATE INDEX wallet_by_id ON wallet (id);

CREATE TABLE bucket (
    realm_id UUID NOT NULL,
    id UUID NOT NULL,
    wallet_id UUID NOT NULL,
    origin TEXT NOT NULL,
    priority BIGINT NOT NULL,
    expires_at BIGINT,
    balance BIGINT NOT NULL,
    held BIGINT NOT NULL CHECK (held >= 0),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (realm_id, id),
    FOREIGN KEY (realm_id, wallet_id) REFERENCES wallet (realm_id, id)
) HOT(60);

CREATE INDEX bucket_by_wallet ON bucket (realm_id, wallet_id);

CREATE INDEX bucket_expiring ON bucket (realm_id, expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE ledger_transaction (
    realm_id UUID NOT NULL,
    id UUID NOT NULL,
    kind TEXT NOT NULL,
    environment TEXT NOT NULL,
    organization_id UUID NOT NULL,
    counterparty_id UUID,
    hold_id UUID,
    amount BIGINT NOT NULL,
    description TEXT,
    metadata TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (realm_id, id)
);

CREATE INDEX ledger_transaction_by_id ON ledger_transaction (id);

CREATE TABLE ledger_entry (
    realm_id UUID NOT NULL,
    id UUID NOT NULL,
    transaction_id UUID NOT NULL,
    account TEXT NOT NULL,
    environment TEXT NOT NULL,
    organization_id UUID,
    wallet_id UUID,
    bucket_id UUID,
    amount BIGINT NOT NULL CHECK (amount <> 0),
    balance_after BIGINT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (realm_id, id),
    FOREIGN KEY (realm_id, transaction_id) REFERENCES ledger_transaction (realm_id, id),
    CHECK ((account = 'BUCKET') = (bucket_id IS NOT NULL))
);

CREATE INDEX ledger_entry_by_organization ON ledger_entry (realm_id, organization_id, id)
    WHERE organization_id IS NOT NULL;

CREATE INDEX ledger_entry_by_transaction ON ledger_entry (realm_id, transaction_id);

CREATE TABLE hold (
    realm_id UUID NOT NULL,
    id UUID NOT NULL,
    organization_id UUID NOT NULL,
    environment TEXT NOT NULL,
    status TEXT NOT NULL,
    amount BIGINT NOT NULL CHECK (amount > 0),
    captured BIGINT NOT NULL,
    refunded BIGINT NOT NULL,
    meter TEXT,
    quantity BIGINT,
    unit_price BIGINT,
    description TEXT,
    metadata TEXT NOT NULL,
    family_id UUID,
    counted TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    settled_at BIGINT,
    PRIMARY KEY (realm_id, id),
    FOREIGN KEY (realm_id, organization_id) REFERENCES organization (realm_id, id),
    CHECK (captured >= 0 AND captured <= amount),
    CHECK (refunded >= 0 AND refunded <= captured)
) HOT(60);

CREATE INDEX hold_by_organization ON hold (realm_id, organization_id, id);

CREATE INDEX hold_by_id ON hold (id);

CREATE INDEX hold_expiring ON hold (realm_id, expires_at) WHERE status = 'OPEN';

CREATE TABLE hold_leg (
    realm_id UUID NOT NULL,
    hold_id UUID NOT NULL,
    position BIGINT NOT NULL,
    organization_id UUID NOT NULL,
    wallet_id UUID NOT NULL,
    bucket_id UUID NOT NULL,
    amount BIGINT NOT NULL CHECK (amount > 0),
    captured BIGINT NOT NULL,
    refunded BIGINT NOT NULL,
    PRIMARY KEY (realm_id, hold_id, position),
    FOREIGN KEY (realm_id, hold_id) REFERENCES hold (realm_id, id)
) HOT(60);

CREATE INDEX hold_leg_by_wallet ON hold_leg (realm_id, wallet_id);

CREATE TABLE spend_counter (
    realm_id UUID NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_id UUID NOT NULL,
    environment TEXT NOT NULL,
    month BIGINT NOT NULL,
    used BIGINT NOT NULL,
    PRIMARY KEY (realm_id, subject_kind, subject_id, environment, month)
) HOT(60);
"#;
