//! What a test did, to be compared with the audit trail it left.

use std::collections::BTreeMap;

use async_graphql::parser::parse_query;
use async_graphql::parser::types::{OperationType, Selection};
use sea_orm::{ConnectionTrait, Statement};
use serde_json::Value;

use crate::{Answer, TestApp};

/// How often each mutation was done, and was refused for lack of rights.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Record(BTreeMap<String, Counts>);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    done: i64,
    denied: i64,
}

/// Many charges in one mutation.
const BATCH: &str = "creditChargeBatch";
/// It answers `valid: false` and is done all the same, so its payload does not tell what the audit trail has.
const NOT_TOLD_BY_PAYLOAD: &str = "apiKeyVerify";

impl Record {
    /// Notes the mutations of an answer. What the operator is refused leaves no entry: there is no realm to put it in.
    pub(crate) fn note(&mut self, document: &str, by_operator: bool, answer: &Answer) {
        for (response_key, field) in mutations(document) {
            let payload = &answer.data()[&response_key];
            if payload.is_null() || field == NOT_TOLD_BY_PAYLOAD {
                continue;
            }
            match payload["results"].as_array() {
                // Every charge of a batch is one of its own.
                Some(results) if field == BATCH => {
                    results.iter().for_each(|result| self.note_one("creditCharge", by_operator, result));
                }
                _ => self.note_one(&field, by_operator, payload),
            }
        }
    }

    fn note_one(&mut self, field: &str, by_operator: bool, payload: &Value) {
        let Some(errors) = payload["userErrors"].as_array() else {
            panic!("select userErrors of {field}, or nobody knows whether it was done");
        };
        let counts = self.0.entry(field.to_owned()).or_default();
        match errors.first().and_then(|error| error["code"].as_str()) {
            None if payload["replayed"] != true => counts.done += 1,
            Some("FORBIDDEN_SCOPE" | "NOT_FOUND") if !by_operator => counts.denied += 1,
            _ => {}
        }
    }

    /// Insists that the audit trail tells the same.
    pub(crate) async fn compare(&self, app: &TestApp) {
        let connection = app.kernel().db.connection();
        // What workers and the seed do, nobody sent.
        let text = "SELECT action, outcome, COUNT(*) AS total FROM audit_event WHERE actor_kind <> 'SYSTEM'
          GROUP BY action, outcome";
        let statement = Statement::from_string(connection.get_database_backend(), text);
        let mut found = Self::default();
        for row in connection.query_all_raw(statement).await.expect("the audit trail can be read") {
            let action: String = row.try_get("", "action").expect("an action");
            let outcome: String = row.try_get("", "outcome").expect("an outcome");
            let total: i64 = row.try_get("", "total").expect("a count");
            if !app.is_mutation(&action) || action == NOT_TOLD_BY_PAYLOAD {
                continue;
            }
            let counts = found.0.entry(action).or_default();
            match outcome.as_str() {
                "DONE" => counts.done = total,
                _ => counts.denied = total,
            }
        }
        let sent: BTreeMap<_, _> = self.0.iter().filter(|(_, counts)| **counts != Counts::default()).collect();
        assert_eq!(found.0.iter().collect::<BTreeMap<_, _>>(), sent, "every mutation has exactly one audit entry");
    }
}

/// Response key and field name of each mutation of the document; none when it is something else.
fn mutations(document: &str) -> Vec<(String, String)> {
    let Ok(parsed) = parse_query(document) else { return Vec::new() };
    let mut found = Vec::new();
    for (_, operation) in parsed.operations.iter() {
        if operation.node.ty != OperationType::Mutation {
            continue;
        }
        for selection in &operation.node.selection_set.node.items {
            if let Selection::Field(field) = &selection.node {
                let name = field.node.name.node.to_string();
                found.push((field.node.response_key().node.to_string(), name));
            }
        }
    }
    found
}

/// What the database holds, to see that a refusal changed none of it: rows of every table, and the sums that a change
/// without a new row would move. Entries of denied attempts are left out.
pub(crate) async fn contents(app: &TestApp) -> BTreeMap<String, i64> {
    let tables = [
        "realm",
        "organization",
        "suspension",
        "api_key_family",
        "api_key",
        "meter",
        "system_account",
        "wallet",
        "bucket",
        "ledger_transaction",
        "ledger_entry",
        "hold",
        "hold_leg",
        "spend_counter",
        "idempotency_record",
        "event",
        "member",
        "webhook_endpoint",
        "delivery",
        "project",
        "seller",
        "buyer",
        "invoice",
    ];
    let mut found = BTreeMap::new();
    for table in tables {
        found.insert(table.to_owned(), app.number(&format!("SELECT COUNT(*) FROM {table}")).await);
    }
    for (name, text) in [
        ("audit entries of what was done", "SELECT COUNT(*) FROM audit_event WHERE outcome = 'DONE'"),
        ("versions of organizations", "SELECT COALESCE(SUM(version), 0) FROM organization"),
        ("versions of wallets", "SELECT COALESCE(SUM(version), 0) FROM wallet"),
        ("credits in wallets", "SELECT COALESCE(SUM(balance), 0) FROM wallet"),
        ("credits held", "SELECT COALESCE(SUM(held), 0) FROM wallet"),
        ("keys that stand", "SELECT COUNT(*) FROM api_key WHERE revoked_at IS NULL AND superseded_at IS NULL"),
    ] {
        found.insert(name.to_owned(), app.number(text).await);
    }
    found
}

/// A document that runs one mutation with the variable `$input`, and asks for everything an error can tell.
pub(crate) fn document(field: &str, selection: &str) -> String {
    let mut type_name = field.to_owned();
    type_name[..1].make_ascii_uppercase();
    let replayed = if is_repeatable(field) { "replayed" } else { "" };
    format!(
        "mutation($input: {type_name}Input!) {{ {field}(input: $input) {{ {selection} {replayed} {USER_ERRORS} }} }}"
    )
}

/// Whether a mutation takes an idempotency key.
pub(crate) fn is_repeatable(field: &str) -> bool {
    (field.starts_with("credit") && field != BATCH)
        || matches!(field, "organizationCreate" | "apiKeyCreate" | "apiKeyRotate" | "apiKeyVerify")
}

/// Everything a user error can carry.
pub(crate) const USER_ERRORS: &str = "userErrors { __typename code message path
  ... on InsufficientCreditsError { required spendable shortfall payers { organizationId available spendable } }
  ... on CapExceededError { limit limitId cap used requested resetsAt }
  ... on OrganizationStatusError { organizationId effectiveStatus }
  ... on StaleVersionError { expectedVersion currentVersion } }";

/// Gives an input that moves credits an idempotency key of its own unless the test wrote one.
pub(crate) fn with_idempotency_key(field: &str, mut input: Value, serial: u64) -> Value {
    if field.starts_with("credit") && field != BATCH && input.get("idempotencyKey").is_none() {
        input["idempotencyKey"] = format!("auto-{serial}").into();
    }
    input
}
