//! The ledger without HTTP and GraphQL: movements put into its queue by this process.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use banyan::access::principal::{Caller, KeyPrincipal, Principal};
use banyan::access::scope::Scopes;
use banyan::app::App;
use banyan::credit::command::{Charge, Quantity, SpendInput};
use banyan::credit::model::Remark;
use entity::credits::Credits;
use entity::id::ApiKeyId;
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseConnection, EntityTrait, QueryFilter, Statement};
use uuid::Uuid;

use crate::figure::Sample;
use crate::gateway;
use crate::load::now_micros;
use crate::scene::Scene;

pub struct Engine {
    app: App,
    principals: Vec<Principal>,
}

impl Engine {
    pub async fn open(url: &str, data: &Path, scene: &Scene) -> Self {
        let app = gateway::app(url, data).await;
        let mut principals = Vec::new();
        for key in &scene.hot {
            let id: ApiKeyId = key.id.parse().expect("the gateway told an id");
            let row = entity::api_key::Entity::find()
                .filter(entity::api_key::Column::Id.eq(id))
                .one(app.kernel.db.connection())
                .await
                .expect("the key can be read")
                .expect("the key is there");
            principals.push(Principal::ApiKey(Arc::new(KeyPrincipal {
                realm: row.realm_id,
                key: row.id,
                family: row.family_id,
                organization: row.organization_id,
                environment: row.environment,
                scopes: Scopes::new(row.scopes.0),
            })));
        }
        Self { app, principals }
    }

    pub async fn run(&self, database: &DatabaseConnection, in_flight: usize, time: Duration) -> Sample {
        let since = now_micros();
        let begin = Instant::now();
        let end = begin + time;
        let tasks: Vec<_> = (0..in_flight)
            .map(|number| {
                let principal = self.principals[number % self.principals.len()].clone();
                tokio::spawn(charge_until(self.app.clone(), principal, end))
            })
            .collect();
        let mut took = Vec::new();
        for task in tasks {
            took.extend(task.await.expect("a charger does its work"));
        }
        let elapsed = begin.elapsed();
        took.sort_unstable();
        Sample {
            per_second: took.len() as f64 / elapsed.as_secs_f64(),
            typical: took.get(took.len() / 2).copied().unwrap_or_default(),
            batch: batch_size(database, since).await,
        }
    }

    /// What was written is right as well as fast.
    pub async fn verify(self) {
        let report = banyan::credit::verify::run(&self.app.kernel).await.expect("the ledger can be read");
        println!("{report}");
    }
}

async fn charge_until(app: App, principal: Principal, end: Instant) -> Vec<Duration> {
    let mut took = Vec::new();
    while Instant::now() < end {
        let caller = Caller {
            principal: principal.clone(),
            acting: None,
            request_id: Uuid::from_u128(rand::random()),
            address: None,
            idempotency_key: None,
        };
        let charge = Charge {
            spend: SpendInput {
                organization: None,
                cost: Quantity::Amount(Credits::new(1).expect("one is a number of credits")),
                environment: None,
                remark: Remark::default(),
            },
            idempotency_key: Uuid::from_u128(rand::random()).to_string(),
        };
        let begin = Instant::now();
        app.ledger.submit(&caller, &charge).await.expect("the charge is covered");
        took.push(begin.elapsed());
    }
    took
}

/// Charges of one transaction since then, on average: what a batch writes, it writes at one moment.
pub async fn batch_size(database: &DatabaseConnection, since: i64) -> f64 {
    let sql = format!(
        "SELECT COUNT(*) AS charges, COUNT(DISTINCT created_at) AS batches FROM hold WHERE created_at >= {since}"
    );
    let statement = Statement::from_string(database.get_database_backend(), sql);
    let row = database.query_one_raw(statement).await.expect("holds can be counted").expect("a count has a row");
    let charges: i64 = row.try_get("", "charges").expect("a count");
    let batches: i64 = row.try_get("", "batches").expect("a count");
    charges as f64 / batches.max(1) as f64
}
