//! Roots, their organizations, and keys to listen and to spend with.

use std::path::Path;

use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};

use crate::gateway::{self, Gateway};
use crate::{FIREHOSES, STREAMS_PER_SOCKET};

pub struct Scene {
    pub roots: Vec<Root>,
}

pub struct Root {
    pub id: String,
    /// The root itself is not among them.
    pub organizations: Vec<String>,
    /// One for each socket.
    pub listening_keys: Vec<String>,
    pub spending_key: String,
}

impl Root {
    /// The variables of each of its streams.
    pub fn streams(&self) -> Vec<Value> {
        let own = self.organizations.iter().map(|id| json!({ "of": id, "scope": "OWN" }));
        own.chain((0..FIREHOSES).map(|_| json!({ "of": self.id, "scope": "SUBTREE" }))).collect()
    }
}

impl Scene {
    pub async fn make(gateway: &Gateway, url: &str, data: &Path, roots: usize, organizations: u32) -> Self {
        let app = gateway::app(url, data).await;
        let operator = banyan::seed::operator_key(&app, "benchmark").await.expect("an operator key is made");
        let http = reqwest::Client::new();
        let address = format!("http://{}/graphql", gateway.address);
        let mint = async |root: &str, environment: &str, scopes: &[&str]| {
            let query = "mutation($input: ApiKeyCreateInput!) {
              answer: apiKeyCreate(input: $input) { secret userErrors { message } } }";
            let input = json!({
                "organizationId": root, "name": "benchmark", "environment": environment, "scopes": scopes,
            });
            let body = json!({ "query": query, "variables": { "input": input } });
            let sent = http.post(&address).bearer_auth(operator.reveal()).json(&body).send().await;
            let answer: Value = sent.expect("the gateway answers").json().await.expect("it answers with JSON");
            let secret = answer["data"]["answer"]["secret"].as_str();
            secret.unwrap_or_else(|| panic!("no key: {answer}")).to_owned()
        };
        let mut made = Vec::new();
        for _ in 0..roots {
            let root = banyan::seed::many(&app, organizations + 1).await.expect("the organizations are made");
            let connection = app.kernel.db.connection();
            let all = "SELECT id, realm_id FROM organization";
            let rows = connection.query_all_raw(Statement::from_string(connection.get_database_backend(), all)).await;
            let rows = rows.expect("organizations can be read");
            let read = |row: &sea_orm::QueryResult| -> (entity::id::OrganizationId, entity::id::RealmId) {
                (row.try_get("", "id").expect("an id"), row.try_get("", "realm_id").expect("an id"))
            };
            let realm = rows.iter().map(read).find(|(id, _)| *id == root).expect("the root is there").1;
            let below = rows.iter().map(read).filter(|(id, of)| *of == realm && *id != root);
            let mut below: Vec<String> = below.map(|(id, _)| id.to_string()).collect();
            below.truncate(organizations as usize);
            let id = root.to_string();
            let sockets = (below.len() + FIREHOSES).div_ceil(STREAMS_PER_SOCKET);
            let mut listening_keys = Vec::new();
            for _ in 0..sockets {
                listening_keys.push(mint(&id, "LIVE", &["org:admin"]).await);
            }
            // Every organization's TEST wallet starts full.
            let spending_key = mint(&id, "TEST", &["credits:spend", "credits:read"]).await;
            made.push(Root { id, organizations: below, listening_keys, spending_key });
        }
        Self { roots: made }
    }

    pub fn streams(&self) -> usize {
        self.roots.iter().map(|root| root.organizations.len() + FIREHOSES).sum()
    }

    pub fn sockets(&self) -> usize {
        self.roots.iter().map(|root| root.listening_keys.len()).sum()
    }
}
