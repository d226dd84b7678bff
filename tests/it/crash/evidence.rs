//! What the database holds and what the receiver heard, looked at after every death of a gateway.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use entity::id::{EventId, OrganizationId};
use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseConnection, QueryResult, Statement};
use serde_json::Value;
use tests::{Received, postgres};

/// The realm of the one root there is.
const REALM: &str = "(SELECT realm_id FROM organization LIMIT 1)";
/// The longest a killed gateway's statements may go on in the database.
const QUIET_DEADLINE: Duration = Duration::from_secs(20);

pub struct Evidence {
    database: DatabaseConnection,
    /// Everything up to this number was looked at.
    checked: i64,
    /// Charges and projects there are, by the events that tell of them.
    made: BTreeSet<String>,
    /// Where each event stands, and whom it happened to.
    events: BTreeMap<String, (i64, String)>,
    /// Events in the order they first arrived.
    arrived: Vec<String>,
    known: BTreeSet<String>,
    requests: usize,
}

/// An audit entry or an event.
struct Record {
    sequence: i64,
    name: String,
    data: Value,
}

/// The members of an entry's change and of an event's data that name what was made.
const MADE: [(&str, &str, &str); 2] =
    [("creditCharge", "credit.charged", "holdId"), ("projectCreate", "project.created", "projectId")];

impl Evidence {
    /// Begins behind what is there already.
    pub async fn begin(url: &str) -> Self {
        let database = postgres::connect_to(url).await;
        let mut begun = Self {
            database,
            checked: 0,
            made: BTreeSet::new(),
            events: BTreeMap::new(),
            arrived: Vec::new(),
            known: BTreeSet::new(),
            requests: 0,
        };
        begun.checked =
            begun.number(&format!("SELECT since_sequence FROM webhook_endpoint WHERE realm_id = {REALM}")).await;
        begun
    }

    async fn rows(&self, text: &str) -> Vec<QueryResult> {
        let statement = Statement::from_string(self.database.get_database_backend(), text);
        self.database.query_all_raw(statement).await.unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    async fn number(&self, text: &str) -> i64 {
        let rows = self.rows(&format!("SELECT CAST(({text}) AS BIGINT) AS number")).await;
        rows[0].try_get("", "number").expect("a number")
    }

    /// As if a minute had passed since the gateway died: its leases are over.
    pub async fn let_leases_run_out(&self) {
        for text in [
            "UPDATE delivery SET next_attempt_at = 1 WHERE next_attempt_at IS NOT NULL",
            "UPDATE delivery_queue SET lease_until = 1, next_attempt_at = 1 WHERE lease_until IS NOT NULL",
        ] {
            self.database.execute_unprepared(text).await.unwrap_or_else(|error| panic!("{text}: {error}"));
        }
    }

    /// Waits until PostgreSQL has noticed that the gateway is gone: a COMMIT on its way is still done.
    pub async fn quiet(&self) {
        if self.database.get_database_backend() != DatabaseBackend::Postgres {
            return;
        }
        let others = "SELECT COUNT(*) FROM pg_stat_activity
          WHERE datname = current_database() AND application_name = 'banyan'";
        let quiet = async {
            while self.number(others).await > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(QUIET_DEADLINE, quiet).await.expect("the gateway's connections end");
    }

    async fn records(&self, table: &str, name: &str, data: &str) -> Vec<Record> {
        let text = format!(
            "SELECT sequence, {name} AS name, {data} AS data FROM {table}
             WHERE realm_id = {REALM} AND sequence > {} ORDER BY sequence",
            self.checked
        );
        let read = |row: QueryResult| {
            let data: String = row.try_get("", "data").expect("a text");
            Record {
                sequence: row.try_get("", "sequence").expect("a number"),
                name: row.try_get("", "name").expect("a text"),
                data: serde_json::from_str(&data).expect("data is JSON"),
            }
        };
        self.rows(&text).await.into_iter().map(read).collect()
    }

    /// Insists that what was committed since the last look is whole: numbers without gaps, and of everything made the row,
    /// the audit entry and the event; and that everything which was answered is there.
    pub async fn look(&mut self, answered: BTreeSet<String>) {
        let head = self.number(&format!("SELECT sequence FROM realm WHERE realm_id = {REALM}")).await;
        let entries = self.records("audit_event", "action", "change").await;
        let events = self.records("event", "event_type", "data").await;
        let mut numbers: Vec<i64> = entries.iter().chain(&events).map(|record| record.sequence).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (self.checked + 1..=head).collect::<Vec<_>>(), "numbers of the realm");
        let told: BTreeMap<i64, &Record> = events.iter().map(|event| (event.sequence, event)).collect();
        let mut audited = 0;
        for entry in &entries {
            let Some((_, event_type, field)) = MADE.iter().find(|(action, ..)| *action == entry.name) else { continue };
            let event = told.get(&(entry.sequence + 1));
            let event = event.unwrap_or_else(|| panic!("entry {} has no event", entry.sequence));
            assert_eq!((event.name.as_str(), &event.data[*field]), (*event_type, &entry.data[*field]));
            let id = entry.data[*field].as_str().expect("the entry names what was made").to_owned();
            assert!(self.made.insert(id), "entry {} made something twice", entry.sequence);
            audited += 1;
        }
        let of_made = events.iter().filter(|event| MADE.iter().any(|(_, name, _)| *name == event.name)).count();
        assert_eq!(of_made, audited, "events without an audit entry");
        let lost: Vec<&String> = answered.difference(&self.made).collect();
        assert!(lost.is_empty(), "answered and not there: {lost:?}");
        let stored = "SELECT (SELECT COUNT(*) FROM hold) + (SELECT COUNT(*) FROM project)";
        assert_eq!(self.number(stored).await, i64::try_from(self.made.len()).expect("few"), "rows without an event");
        let text = format!(
            "SELECT id, organization_id, sequence FROM event WHERE realm_id = {REALM} AND sequence > {}",
            self.checked
        );
        for row in self.rows(&text).await {
            let id: EventId = row.try_get("", "id").expect("an id");
            let organization: OrganizationId = row.try_get("", "organization_id").expect("an id");
            let sequence: i64 = row.try_get("", "sequence").expect("a number");
            self.events.insert(id.to_string(), (sequence, organization.to_string()));
        }
        self.checked = head;
    }

    /// Takes note of what the receiver heard; what it knows already it leaves out, as receivers do.
    pub fn arrived(&mut self, received: &[Received]) {
        self.requests += received.len();
        for request in received {
            if self.known.insert(request.id.clone()) {
                self.arrived.push(request.id.clone());
            }
        }
    }

    /// Events that were not handed out yet, and webhooks that did not arrive yet.
    pub async fn waiting(&self) -> i64 {
        let behind = format!(
            "SELECT (SELECT r.sequence - c.sequence FROM realm r JOIN event_cursor c ON c.realm_id = r.realm_id
                     WHERE r.realm_id = {REALM})
                  + (SELECT COUNT(*) FROM delivery WHERE status = 'PENDING')"
        );
        self.number(&behind).await
    }

    /// Insists on what holds in the end: each thing made once, each event heard once, of each organization in order.
    pub async fn conclude(&self, asked: u64) {
        assert_eq!(self.made.len(), usize::try_from(asked).expect("few"), "each thing asked for is made once");
        let heard: BTreeSet<&String> = self.arrived.iter().collect();
        let happened: BTreeSet<&String> = self.events.keys().collect();
        assert_eq!(heard, happened, "each event is heard");
        let mut last: BTreeMap<&str, i64> = BTreeMap::new();
        for id in &self.arrived {
            let (sequence, organization) = &self.events[id];
            let before = last.insert(organization, *sequence).unwrap_or(0);
            assert!(before < *sequence, "{organization} hears of {sequence} after {before}");
        }
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (made, events) = (self.made.len(), self.events.len());
        write!(f, "{made} things made, {events} events heard once in {} requests", self.requests)
    }
}
