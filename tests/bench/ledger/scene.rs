//! Who charges whom: a pool that children draw on, and a great many wallets of their own.

use std::path::Path;
use std::sync::Arc;

use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use serde_json::{Value, json};

use crate::gateway::{self, Gateway};
use crate::load::Requests;

/// What is in the pool: more than any run spends.
const POOL: i64 = 1_000_000_000_000;

pub struct Key {
    pub id: String,
    pub secret: String,
}

pub struct Scene {
    /// A key for each child of the pool.
    pub hot: Vec<Key>,
    /// Organizations with wallets of their own, and keys that may charge them.
    pub cold: Arc<Vec<String>>,
    cold_keys: Arc<Vec<String>>,
    hot_keys: Arc<Vec<String>>,
    child: String,
}

/// The ids of the rows that one charge of a pool's child touches.
pub struct Rows {
    pub realm: String,
    pub root: String,
    pub child: String,
    pub family: String,
    pub wallet: String,
    pub bucket: String,
    /// Where a charge of the child counts, as a hold tells it, and the month it counts in.
    pub counted: String,
    pub month: i64,
}

impl Scene {
    pub async fn make(gateway: &Gateway, url: &str, data: &Path, children: usize, cold: u32) -> Self {
        let app = gateway::app(url, data).await;
        let operator = banyan::seed::operator_key(&app, "benchmark").await.expect("an operator key is made");
        let client = Client { http: reqwest::Client::new(), gateway, key: operator.reveal().to_owned() };
        let root = client.create(json!({ "name": "Pool" })).await;
        client
            .run(
                "creditGrant",
                json!({ "organizationId": root, "amount": POOL, "idempotencyKey": "pool" }),
                "transaction { id }",
            )
            .await;
        let pooled = json!({ "organizationId": root, "primaryCoversSecondary": true });
        client.run("organizationFundingUpdate", pooled, "organization { id }").await;
        let mut hot = Vec::new();
        let mut child = String::new();
        for number in 0..children {
            child = client.create(json!({ "name": format!("Child {number}"), "parentId": root })).await;
            hot.push(client.mint(&child, "LIVE").await);
        }
        // The rows by hand are modelled on one of the gateway's.
        let last = Client { key: hot.last().expect("there are children").secret.clone(), ..client.clone() };
        last.run("creditCharge", json!({ "amount": 1, "idempotencyKey": "model" }), "charge { id }").await;
        let mut cold_ids = Vec::new();
        let mut cold_keys = Vec::new();
        if cold > 0 {
            let root = banyan::seed::many(&app, cold).await.expect("the organizations are made");
            let connection = app.kernel.db.connection();
            let sql = format!(
                "SELECT id FROM organization WHERE realm_id = (SELECT realm_id FROM organization WHERE id = '{}')",
                uuid::Uuid::from(root)
            );
            let statement = Statement::from_string(connection.get_database_backend(), sql);
            for row in connection.query_all_raw(statement).await.expect("organizations can be read") {
                let id: entity::id::OrganizationId = row.try_get("", "id").expect("an id");
                cold_ids.push(id.to_string());
            }
            // Every organization's TEST wallet starts full.
            for _ in 0..children {
                cold_keys.push(client.mint(&root.to_string(), "TEST").await.secret);
            }
            connection.execute_unprepared("VACUUM ANALYZE").await.expect("the database is vacuumed");
        }
        Self {
            hot_keys: Arc::new(hot.iter().map(|key| key.secret.clone()).collect()),
            hot,
            cold: Arc::new(cold_ids),
            cold_keys: Arc::new(cold_keys),
            child,
        }
    }

    pub fn hot_requests(&self) -> Requests {
        Requests { keys: Arc::clone(&self.hot_keys), organizations: Arc::default() }
    }

    pub fn cold_requests(&self) -> Requests {
        Requests { keys: Arc::clone(&self.cold_keys), organizations: Arc::clone(&self.cold) }
    }

    /// The rows behind the last child's charges, as literals of the database at hand.
    pub async fn rows(&self, database: &DatabaseConnection) -> Rows {
        let child: entity::id::OrganizationId = self.child.parse().expect("the gateway told an id");
        let backend = database.get_database_backend();
        let literal = |id: uuid::Uuid| match backend {
            sea_orm::DatabaseBackend::Sqlite => format!("X'{}'", id.simple()),
            _ => format!("'{id}'"),
        };
        let child = literal(child.into());
        let sql = format!(
            "SELECT o.realm_id, o.parent_id, w.id AS wallet_id, b.id AS bucket_id, k.family_id, h.counted
             FROM organization o
             JOIN hold h ON h.realm_id = o.realm_id AND h.organization_id = o.id
             JOIN wallet w ON w.realm_id = o.realm_id AND w.organization_id = o.parent_id AND w.environment = 'LIVE'
             JOIN bucket b ON b.realm_id = w.realm_id AND b.wallet_id = w.id
             JOIN api_key k ON k.realm_id = o.realm_id AND k.organization_id = o.id
             WHERE o.id = {child} ORDER BY b.balance DESC"
        );
        let row = database.query_one_raw(Statement::from_string(backend, sql)).await;
        let row = row.expect("the rows can be read").expect("the pool has a bucket");
        let id = |column: &str| literal(row.try_get("", column).expect("an id"));
        let counted: String = row.try_get("", "counted").expect("a hold tells where it counts");
        Rows {
            realm: id("realm_id"),
            root: id("parent_id"),
            family: id("family_id"),
            wallet: id("wallet_id"),
            bucket: id("bucket_id"),
            child,
            month: month_of(&counted),
            counted,
        }
    }
}

/// The month of the first counter a hold names.
fn month_of(counted: &str) -> i64 {
    let counted: Value = serde_json::from_str(counted).expect("a hold tells where it counts");
    counted[0]["month"].as_i64().expect("a counter has a month")
}

#[derive(Clone)]
struct Client<'a> {
    http: reqwest::Client,
    gateway: &'a Gateway,
    key: String,
}

impl Client<'_> {
    async fn run(&self, field: &str, input: Value, selection: &str) -> Value {
        let mut name = field[..1].to_uppercase();
        name.push_str(&field[1..]);
        let query = format!(
            "mutation($input: {name}Input!) {{ answer: {field}(input: $input) {{ {selection} userErrors {{ code message }} }} }}"
        );
        let body = json!({ "query": query, "variables": { "input": input } });
        let url = format!("http://{}/graphql", self.gateway.address);
        let response = self.http.post(url).bearer_auth(&self.key).json(&body).send().await;
        let mut answer: Value =
            response.expect("the gateway answers").json().await.expect("the gateway answers with JSON");
        let payload = answer["data"]["answer"].take();
        assert_eq!(payload["userErrors"], json!([]), "{field}: {answer}");
        payload
    }

    async fn create(&self, input: Value) -> String {
        let payload = self.run("organizationCreate", input, "organization { id }").await;
        payload["organization"]["id"].as_str().expect("an id").to_owned()
    }

    async fn mint(&self, organization: &str, environment: &str) -> Key {
        let input = json!({
            "organizationId": organization, "name": "benchmark", "environment": environment,
            "scopes": ["credits:spend", "credits:read"],
        });
        let payload = self.run("apiKeyCreate", input, "apiKey { id } secret").await;
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        Key { id: text(&payload["apiKey"]["id"]), secret: text(&payload["secret"]) }
    }
}
