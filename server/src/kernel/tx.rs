//! One change in the making.

use std::net::IpAddr;

use entity::id::{OrganizationId, RealmId};
use entity::timestamp::Timestamp;
use sea_orm::prelude::async_trait::async_trait;
use sea_orm::{ConnectionTrait, DatabaseBackend, DbErr, ExecResult, QueryResult, Statement};
use serde::Serialize;
use uuid::Uuid;

use crate::access::path::Path;
use crate::access::policy::Reach;
use crate::access::principal::Caller;
use crate::access::scope::Scopes;
use crate::kernel::clock::World;
use crate::kernel::db::Transaction;
use crate::kernel::event::Event;

/// Under which an audit entry's change has the fields of a record that changed, as they were.
pub const BEFORE: &str = "before";
/// The same fields as they became.
pub const AFTER: &str = "after";

/// Fields that change with every other, or follow from one.
const MADE_BY_BANYAN: [&str; 3] = ["version", "updated_at", "name_folded"];

/// A column's name as the schema spells it.
fn camel(column: &str) -> String {
    let mut parts = column.split('_');
    let mut name = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut letters = part.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    name
}

/// The transaction a command runs in. It exists only after the kernel has found the caller allowed to run that command
/// on that organization, it holds the realm's lock, and only the kernel can commit it.
pub struct Tx {
    pub(super) connection: Transaction,
    pub(super) realm: RealmId,
    /// The realm the command began in, when it has entered a new one.
    pub(super) home: Option<RealmId>,
    pub(super) now: Timestamp,
    /// The last number the realm had given out when the lock was taken.
    pub(super) sequence: i64,
    pub(super) world: World,
    pub(super) caller: Caller,
    pub(super) target: Option<Target>,
    pub(super) events: Vec<Event>,
    pub(super) change: serde_json::Map<String, serde_json::Value>,
    pub(super) audited: Option<(OrganizationId, Vec<OrganizationId>)>,
}

/// The organization a command acts on, as this transaction sees it.
#[derive(Clone, Debug)]
pub struct Target {
    pub realm: RealmId,
    pub path: Path,
    pub reach: Reach,
    pub scopes: Scopes,
}

impl Target {
    pub fn id(&self) -> OrganizationId {
        self.path.id()
    }
}

impl Tx {
    pub fn realm(&self) -> RealmId {
        self.realm
    }

    /// The one moment everything in this transaction happens at.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    pub fn address(&self) -> Option<IpAddr> {
        self.caller.address
    }

    /// The number of the last event queued so far, or one that is smaller than any to come when there is none yet. Only in
    /// a command that stays in its realm.
    pub fn last_sequence(&self) -> i64 {
        // The audit entry comes first.
        self.sequence + 1 + i64::try_from(self.events.len()).unwrap_or(0)
    }

    /// A new id of any kind.
    pub fn id<I: From<Uuid>>(&self) -> I {
        self.world.ids.id(self.now).into()
    }

    /// 256 unguessable bits.
    pub fn secret(&self) -> [u8; 32] {
        self.world.ids.secret()
    }

    /// The organization acted on. Commands of the platform (a new root) have none and must not ask.
    pub fn target(&self) -> &Target {
        self.target.as_ref().expect("only commands that name a target organization ask for it")
    }

    /// Goes on in a realm that this transaction is about to make; what it writes from here on belongs there, audit entry
    /// and events included. The lock of the platform's realm is kept.
    pub fn enter_new_realm(&mut self, realm: RealmId) {
        self.home = Some(self.realm);
        self.realm = realm;
    }

    /// Queues an event. It is written in this transaction, after the command has run, in the order of the calls.
    pub fn emit(&mut self, event: Event) {
        self.events.push(event);
    }

    /// Notes a fact for the audit entry. Never a secret.
    pub fn note(&mut self, name: &str, value: impl Into<serde_json::Value>) {
        self.change.insert(name.to_owned(), value.into());
    }

    /// Notes for the audit entry which fields of a record changed, and how. The record has no secret.
    pub fn note_change(&mut self, before: &impl Serialize, after: &impl Serialize) {
        let fields = |record: serde_json::Result<serde_json::Value>| match record {
            Ok(serde_json::Value::Object(fields)) => fields,
            _ => serde_json::Map::new(),
        };
        let (before, after) = (fields(serde_json::to_value(before)), fields(serde_json::to_value(after)));
        let mut was = serde_json::Map::new();
        let mut became = serde_json::Map::new();
        for (name, value) in after {
            let old = before.get(&name).cloned().unwrap_or_default();
            if old != value && !MADE_BY_BANYAN.contains(&name.as_str()) {
                let name = camel(&name);
                was.insert(name.clone(), old);
                became.insert(name, value);
            }
        }
        self.note(BEFORE, was);
        self.note(AFTER, became);
    }

    /// Files the audit entry under another organization than the target: a new one, with its path, itself first.
    pub fn audit_under(&mut self, organization: OrganizationId, path: Vec<OrganizationId>) {
        self.audited = Some((organization, path));
    }
}

#[async_trait]
impl ConnectionTrait for Tx {
    fn get_database_backend(&self) -> DatabaseBackend {
        self.connection.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.connection.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.connection.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.connection.query_one_raw(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.connection.query_all_raw(statement).await
    }
}
