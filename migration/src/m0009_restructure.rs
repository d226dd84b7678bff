//! What moving and detaching need. Where organizations were in the tree, and when: one row for each time that an
//! organization had one parent in one relation. And a catalogue of meters for each root, because a realm may have several.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        crate::backend::run(manager, TABLES).await
    }
}

/// What stands is taken to have stood since the organization was made: nothing could move before, and earlier relations
/// were not kept. The first period has its organization's id, which is unique here too.
const TABLES: &str = r#"
CREATE TABLE edge_period (
    realm_id UUID NOT NULL,
    id UUID NOT NULL,
    organization_id UUID NOT NULL,
    parent_id UUID NOT NULL,
    relation TEXT NOT NULL,
    since BIGINT NOT NULL,
    until BIGINT,
    PRIMARY KEY (realm_id, id),
    FOREIGN KEY (realm_id, organization_id) REFERENCES organization (realm_id, id),
    FOREIGN KEY (realm_id, parent_id) REFERENCES organization (realm_id, id)
);

CREATE INDEX edge_period_of_child ON edge_period (realm_id, organization_id, id);

CREATE INDEX edge_period_of_parent ON edge_period (realm_id, parent_id, since);

CREATE UNIQUE INDEX edge_period_running ON edge_period (realm_id, organization_id) WHERE until IS NULL;

INSERT INTO edge_period (realm_id, id, organization_id, parent_id, relation, since)
    SELECT realm_id, id, id, parent_id, relation, created_at FROM organization WHERE parent_id IS NOT NULL;

ALTER TABLE meter RENAME TO meter_of_realm;

CREATE TABLE meter (
    realm_id UUID NOT NULL,
    organization_id UUID NOT NULL,
    meter_key SORTABLE NOT NULL,
    credits BIGINT NOT NULL CHECK (credits >= 0),
    description TEXT,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (realm_id, organization_id, meter_key),
    FOREIGN KEY (realm_id, organization_id) REFERENCES organization (realm_id, id)
);

INSERT INTO meter (realm_id, organization_id, meter_key, credits, description, updated_at)
    SELECT m.realm_id, o.id, m.meter_key, m.credits, m.description, m.updated_at
    FROM meter_of_realm m JOIN organization o ON o.realm_id = m.realm_id AND o.parent_id IS NULL;

DROP TABLE meter_of_realm;
"#;
