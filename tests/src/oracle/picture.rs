//! A world as it is shown, against what the rules say it is: balances, reservations, caps' use, holds and refills.

use entity::kind::{Environment, HoldStatus};
use serde_json::{Map, Value, json};

use crate::TestApp;
use crate::oracle::command::{self, Serial, instant};
use crate::oracle::names::Names;
use crate::oracle::rules::{Oracle, Place, Refill, Subject};

const ORGANIZATIONS: &str = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Organization {
    id status effectiveStatus version funding { mode } billingOrganization { id }
    limits { monthlyUsed subtreeMonthlyUsed refilledThisMonth refillState refillReason periodEndsAt }
    live: wallet(environment: LIVE) { ...W } test: wallet(environment: TEST) { ...W } } } }
  fragment W on Wallet { balance held available spendable
    buckets { id origin priority expiresAt createdAt balance held } }";
const HOLDS: &str = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Hold {
    id environment status amount captured refunded meter quantity unitPrice createdAt expiresAt settledAt
    legs { organizationId bucketId amount captured refunded } } } }";
const KEYS: &str = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on ApiKey { id familyId spentThisMonth } } }";
/// As many nodes as a query may ask for, and a guard may let through.
const NODES_MAX: usize = 40;

/// Compares organizations, wallets and keys, and the holds that are open or, at the end, all.
///
/// # Errors
/// The first place that differs.
pub async fn compare(app: &TestApp, oracle: &Oracle, names: &mut Names, all: bool) -> Result<(), String> {
    let organizations: Vec<Serial> = oracle.organizations.keys().copied().collect();
    let pictures = organizations.iter().map(|id| picture(oracle, *id)).collect();
    nodes(app, names, ORGANIZATIONS, pictures).await?;
    let pictures = oracle.keys.keys().map(|key| key_picture(oracle, *key)).collect();
    nodes(app, names, KEYS, pictures).await?;
    let shown = |id: &&Serial| all || oracle.holds[id].status == HoldStatus::Open;
    let pictures = oracle.holds.keys().filter(shown).map(|hold| oracle.shown_hold(*hold)).collect();
    nodes(app, names, HOLDS, pictures).await
}

async fn nodes(app: &TestApp, names: &mut Names, document: &str, pictures: Vec<Value>) -> Result<(), String> {
    for pictures in pictures.chunks(NODES_MAX) {
        let ids: Option<Vec<&str>> = pictures.iter().map(|picture| names.id(picture["id"].as_str()?)).collect();
        let ids = ids.ok_or("something has no id, though the gateway made it")?;
        let answer = app.gql(app.operator(), document, json!({ "ids": ids })).await;
        for (picture, node) in pictures.iter().zip(answer.body["data"]["nodes"].as_array().unwrap_or(&Vec::new())) {
            let name = picture["id"].as_str().unwrap_or_default().to_owned();
            names.compare(picture, node, &name)?;
        }
        if !answer.errors().is_empty() {
            return Err(format!("a picture was refused: {}", answer.body));
        }
    }
    Ok(())
}

fn picture(oracle: &Oracle, id: Serial) -> Value {
    let organization = oracle.organization(id);
    let effective = match (oracle.archived_at(id), oracle.suspended_at(id)) {
        (Some(_), _) => "ARCHIVED",
        (None, Some(_)) => "SUSPENDED",
        (None, None) => "ACTIVE",
    };
    let used = |of: Subject| oracle.used(Place { of, month: oracle.month(id) }, Environment::Live);
    let (state, reason) = match organization.refill {
        Refill::Armed => ("ARMED", None),
        Refill::Fired => ("FIRED", None),
        Refill::Starved(reason) => ("STARVED", Some(reason)),
    };
    json!({
        "id": command::organization(id),
        "status": if organization.archived { "ARCHIVED" } else { "ACTIVE" },
        "effectiveStatus": effective,
        "version": organization.version,
        "funding": { "mode": oracle.funding(id) },
        "billingOrganization": { "id": command::organization(oracle.payers(id, Environment::Live)[0]) },
        "limits": {
            "monthlyUsed": used(Subject::Own(id)),
            "subtreeMonthlyUsed": used(Subject::Subtree(id)),
            "refilledThisMonth": oracle.refilled_this_month(id),
            "refillState": state,
            "refillReason": reason,
            "periodEndsAt": instant(oracle.month_end(id)),
        },
        "live": wallet(oracle, id, Environment::Live),
        "test": wallet(oracle, id, Environment::Test),
    })
}

fn wallet(oracle: &Oracle, id: Serial, environment: Environment) -> Value {
    let mut shown = oracle.shown(id, environment);
    let mut buckets = Vec::new();
    for index in oracle.wallet(id, environment) {
        let bucket = &oracle.buckets[index];
        if bucket.balance == 0 && bucket.held == 0 {
            continue;
        }
        buckets.push(json!({
            "id": command::bucket(index),
            "origin": bucket.kind.origin,
            "priority": bucket.kind.priority,
            "expiresAt": bucket.kind.expires_at.map(instant),
            "createdAt": instant(bucket.created_at),
            "balance": bucket.balance,
            "held": bucket.held,
        }));
    }
    shown["spendable"] = json!(oracle.spendable(id, environment));
    shown["buckets"] = Value::Array(buckets);
    shown
}

fn key_picture(oracle: &Oracle, key: Serial) -> Value {
    let of = &oracle.keys[&key];
    let place = Place { of: Subject::Family(of.family), month: oracle.month(of.organization) };
    Value::Object(Map::from_iter([
        ("id".to_owned(), command::key(key).into()),
        ("familyId".to_owned(), command::family(of.family).into()),
        ("spentThisMonth".to_owned(), oracle.used(place, of.environment).into()),
    ]))
}
