//! Every change of the database's shape, in order, append-only.
//!
//! A migration is one text of SQL that both databases read: `UUID`, `BIGINT`, `BOOLEAN` and `TEXT` are
//! PostgreSQL's types and valid names to SQLite, whose columns take what they are given. What differs
//! goes through [`backend`], the only place that asks which database it is.
//!
//! Rules a reviewer holds a new migration to:
//! - every primary key, unique and foreign key of a tenant table starts with `realm_id`, so the tables
//!   distribute over a cluster by realm; only `users`, `operator_key` and the like belong to no realm;
//! - times are microseconds since 1970 in UTC, amounts whole credits, both `BIGINT`;
//! - JSON is `TEXT`: it is read whole or not at all;
//! - no triggers, sequences or stored procedures;
//! - a released migration is never edited.

mod backend;
mod m0001_organization;
mod m0002_api_key;
mod m0003_credit;
mod m0004_record;
mod m0005_member;
mod m0006_tenant_data;
mod m0007_delivery;
mod m0009_restructure;
mod m0011_audit_chain;

pub use sea_orm_migration::{MigrationTrait, MigratorTrait, SchemaManager};

/// Applies the migrations this build knows, in order.
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_organization::Migration),
            Box::new(m0002_api_key::Migration),
            Box::new(m0003_credit::Migration),
            Box::new(m0004_record::Migration),
            Box::new(m0005_member::Migration),
            Box::new(m0006_tenant_data::Migration),
            Box::new(m0007_delivery::Migration),
            Box::new(m0009_restructure::Migration),
            Box::new(m0011_audit_chain::Migration),
        ]
    }
}
