//! Organizations and keys, made the way a platform makes them.

use std::ops::Deref;

use banyan::access::scope::KNOWN;
use serde_json::{Value, json};

use crate::TestApp;

/// An API key with its secret.
#[derive(Clone, Debug)]
pub struct Key {
    pub id: String,
    pub secret: String,
}

impl AsRef<str> for Key {
    fn as_ref(&self) -> &str {
        &self.secret
    }
}

/// An organization and a key of its own that holds every scope there is.
#[derive(Clone)]
pub struct Organization {
    app: TestApp,
    pub id: String,
    pub key: Key,
}

impl Deref for Organization {
    type Target = str;

    fn deref(&self) -> &str {
        &self.id
    }
}

/// An organization to be made.
#[must_use]
pub struct New {
    app: TestApp,
    parent: Option<Key>,
    input: Value,
    credits: i64,
}

impl New {
    pub(crate) fn root(app: &TestApp, name: &str) -> Self {
        Self { app: app.clone(), parent: None, input: json!({ "name": name }), credits: 0 }
    }

    /// Prepaid credits in its LIVE wallet, granted by the operator.
    pub fn with_credits(mut self, credits: i64) -> Self {
        self.credits = credits;
        self
    }

    pub fn linked(self) -> Self {
        self.with("relation", "LINKED")
    }

    /// Sets a field of `OrganizationCreateInput`.
    pub fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.input[field] = value.into();
        self
    }

    pub async fn create(self) -> Organization {
        let app = self.app;
        let creator = self.parent.as_ref().unwrap_or(app.operator());
        let answer = app.mutate(creator, "organizationCreate", self.input, "organization { id }").await;
        let id = text(&answer.done()["organization"]["id"]);
        let key = mint(&app, &id, json!({ "scopes": all_scopes() })).await;
        let organization = Organization { app, id, key };
        if self.credits > 0 {
            organization.grant(json!({ "amount": self.credits, "origin": "PREPAID" })).await;
        }
        organization
    }
}

impl Organization {
    /// A child, made with this organization's key.
    pub fn child(&self, name: &str) -> New {
        let input = json!({ "name": name, "parentId": self.id });
        New { app: self.app.clone(), parent: Some(self.key.clone()), input, credits: 0 }
    }

    /// A key of this organization with these scopes, given by the operator.
    pub async fn mint(&self, scopes: &[&str]) -> Key {
        self.mint_with(json!({ "scopes": scopes })).await
    }

    /// A key of this organization with these fields of `ApiKeyCreateInput`, given by the operator.
    pub async fn mint_with(&self, input: Value) -> Key {
        mint(&self.app, &self.id, input).await
    }

    /// Credits from the operator, with these fields of `CreditGrantInput`.
    pub async fn grant(&self, mut input: Value) {
        input["organizationId"] = self.id.clone().into();
        self.app.mutate(self.app.operator(), "creditGrant", input, "wallet { balance }").await.done();
    }

    /// Reads fields of it as the operator sees them.
    pub async fn read(&self, selection: &str) -> Value {
        let document = format!("query($id: ID!) {{ organization(by: {{ id: $id }}) {{ {selection} }} }}");
        let answer = self.app.gql(self.app.operator(), &document, json!({ "id": self.id })).await.clean();
        answer.at("/organization").clone()
    }

    /// The posted balance of its LIVE wallet.
    pub async fn balance(&self) -> i64 {
        number(&self.read("wallet { balance }").await["wallet"]["balance"])
    }

    /// What its LIVE wallet has available.
    pub async fn available(&self) -> i64 {
        number(&self.read("wallet { available }").await["wallet"]["available"])
    }

    /// Sets limits, as the operator.
    pub async fn limit(&self, mut input: Value) {
        input["organizationId"] = self.id.clone().into();
        self.app.mutate(self.app.operator(), "organizationLimitsUpdate", input, "organization { id }").await.done();
    }

    /// Sets who pays, as the operator.
    pub async fn fund(&self, mut input: Value) {
        input["organizationId"] = self.id.clone().into();
        self.app.mutate(self.app.operator(), "organizationFundingUpdate", input, "organization { id }").await.done();
    }

    /// Suspends it with this key.
    pub async fn suspend(&self, by: &Key) {
        let input = json!({ "organizationId": self.id });
        self.app.mutate(by, "organizationSuspend", input, "organization { id }").await.done();
    }
}

async fn mint(app: &TestApp, organization: &str, mut input: Value) -> Key {
    input["organizationId"] = organization.into();
    if input.get("name").is_none() {
        input["name"] = "test".into();
    }
    let answer = app.mutate(app.operator(), "apiKeyCreate", input, "secret apiKey { id }").await;
    let minted = answer.done();
    Key { id: text(&minted["apiKey"]["id"]), secret: text(&minted["secret"]) }
}

fn all_scopes() -> Vec<&'static str> {
    KNOWN.iter().map(|(scope, _)| *scope).collect()
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text was selected").to_owned()
}

fn number(value: &Value) -> i64 {
    value.as_i64().expect("a number was selected")
}
