//! A gateway without its transport, over a database of its own, for the tests of features.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_graphql::{Request, Variables};
use entity::credits::Credits;
use entity::id::OperatorKeyId;
use entity::kind::Environment;
use entity::timestamp::Timestamp;
use migration::MigratorTrait;
use sea_orm::{EntityTrait, IntoActiveModel};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::access::principal::{Caller, KeyPrincipal, Principal};
use crate::access::reader::Reader;
use crate::access::scope::Scopes;
use crate::access::store as access_store;
use crate::access::watch::AuthorityWatch;
use crate::api_key::secret::{Named, Peppers, Token};
use crate::credit::ledger::Ledger;
use crate::event::relay::Relay;
use crate::kernel::Kernel;
use crate::kernel::clock::{ManualClock, SystemIds, World};
use crate::kernel::db::Database;
use crate::kernel::realm::platform_realm;
use crate::schema::session::Session;

/// A gateway with an operator's key and nothing else.
pub struct Gateway {
    schema: super::Schema,
    kernel: Kernel,
    operator: OperatorKeyId,
    /// Holds the database's file.
    _folder: tempfile::TempDir,
}

impl Gateway {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}?mode=rwc", folder.path().join("banyan.db").display());
        let db = Database::open(&url, 1).await.unwrap();
        migration::Migrator::up(db.connection(), None).await.unwrap();
        let now = Timestamp::from_millis(1_790_000_000_000);
        let realm = entity::realm::Model { realm_id: platform_realm(), sequence: 0, created_at: now };
        entity::realm::Entity::insert(realm.into_active_model())
            .on_conflict_do_nothing()
            .exec_without_returning(db.connection())
            .await
            .unwrap();
        let operator = OperatorKeyId::from(Uuid::from_u128(1));
        let key = entity::operator_key::Model {
            id: operator,
            name: "test".into(),
            secret_hash: String::new(),
            pepper_id: 1,
            created_at: now,
            revoked_at: None,
        };
        entity::operator_key::Entity::insert(key.into_active_model())
            .exec_without_returning(db.connection())
            .await
            .unwrap();
        let world = World { clock: Arc::new(ManualClock::at(now)), ids: Arc::new(SystemIds) };
        Self { schema: super::build(), kernel: Kernel::new(db, world), operator, _folder: folder }
    }

    pub fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    /// A realm of its own, with nothing in it.
    pub async fn new_realm(&self) -> entity::id::RealmId {
        let realm_id = entity::id::RealmId::from(Uuid::from_u128(7));
        let realm = entity::realm::Model { realm_id, sequence: 0, created_at: self.kernel.world.clock.now() };
        entity::realm::Entity::insert(realm.into_active_model())
            .exec_without_returning(self.kernel.db.connection())
            .await
            .unwrap();
        realm_id
    }

    /// How many statements have been sent.
    pub fn statements(&self) -> u64 {
        self.kernel.db.statements()
    }

    /// Executes as the operator; panics on a top-level error.
    pub async fn operator(&self, document: &str, variables: Value) -> Value {
        let answer = self.run(Principal::Operator(self.operator), Scopes::all_known(), document, variables).await;
        assert_eq!(answer["errors"], Value::Null, "{answer}");
        answer["data"].clone()
    }

    /// Executes with a key's secret; answers data and errors.
    pub async fn with_key(&self, secret: &str, document: &str, variables: Value) -> Value {
        let named = Token::parse(secret).unwrap().named;
        let Named::ApiKey { realm, key, environment } = named else { panic!("an operator's key") };
        let found = access_store::key_and_paths(&self.kernel.db.snapshot(), realm, key, None).await.unwrap().unwrap();
        let scopes = Scopes::new(found.key.scopes.0);
        let principal = KeyPrincipal {
            realm,
            key,
            family: found.key.family_id,
            organization: found.key.organization_id,
            environment,
            scopes: scopes.clone(),
        };
        self.run(Principal::ApiKey(Arc::new(principal)), scopes, document, variables).await
    }

    async fn run(&self, principal: Principal, scopes: Scopes, document: &str, variables: Value) -> Value {
        let caller = Caller { principal, acting: None, request_id: Uuid::nil(), address: None, idempotency_key: None };
        let session = Session {
            caller,
            kernel: self.kernel.clone(),
            ledger: Ledger::new(self.kernel.clone()),
            keys: Reader::new(self.kernel.db.clone()),
            throttle: None,
            relay: Relay::new(self.kernel.clone(), AuthorityWatch::new(self.kernel.clone())),
            peppers: Peppers::new(BTreeMap::from([(1, vec![7; 32])])).unwrap(),
            scopes,
            welcome_credits: Credits::new(500).unwrap(),
            webhook_http_loopback: false,
        };
        let request = Request::new(document).variables(Variables::from_json(variables)).data(Arc::new(session));
        serde_json::to_value(self.schema.execute(request).await).unwrap()
    }

    /// A root with a key that holds the given scopes: its id and the secret.
    pub async fn root(&self, scopes: &[&str], environment: Environment) -> (String, String) {
        let made = self
            .operator(
                "mutation { organizationCreate(input: { name: \"Quinn's CRM\" }) { organization { id } } }",
                json!({}),
            )
            .await;
        let id = made["organizationCreate"]["organization"]["id"].as_str().unwrap().to_owned();
        let secret = self.key(&id, scopes, environment).await;
        (id, secret)
    }

    /// A key of an organization.
    pub async fn key(&self, organization: &str, scopes: &[&str], environment: Environment) -> String {
        let input = json!({
            "organizationId": organization, "name": "test", "scopes": scopes, "environment": environment,
        });
        let document =
            "mutation ($input: ApiKeyCreateInput!) { apiKeyCreate(input: $input) { secret userErrors { message } } }";
        let made = self.operator(document, json!({ "input": input })).await;
        made["apiKeyCreate"]["secret"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned()
    }
}

/// The code of the only user error of a payload.
pub fn refusal(payload: &Value) -> (&str, Vec<&str>) {
    let errors = payload["userErrors"].as_array().unwrap_or_else(|| panic!("{payload}"));
    assert_eq!(errors.len(), 1, "{payload}");
    let path = errors[0]["path"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    (errors[0]["code"].as_str().unwrap(), path)
}
