//! The subscriptions: wallets, and what happens to organizations, as they change.

use cynic::OperationBuilder;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::organization::Wallet;
use super::request::Request;
use super::scalar::{Environment, EventScope, OrganizationId};
use super::schema;

/// What may change a row, a status or a list of keys. Credits have the wallets' own stream.
const EVENT_TYPES: [&str; 2] = ["organization.*", "api_key.*"];

/// Whose news to follow, and of what kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Follow {
    pub organization: OrganizationId,
    pub scope: EventScope,
    pub topic: Topic,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Topic {
    Wallets {
        environment: Environment,
    },
    /// What may change a row, a status or a list of keys of the tree.
    Events,
    /// What may change an open list.
    List {
        types: Vec<String>,
    },
}

/// One message of a stream.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    Wallet(Wallet),
    Event(Event),
}

/// Something that happened to an organization or to one of its keys.
#[derive(cynic::QueryFragment, Serialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    pub id: cynic::Id,
    /// Where the stream goes on after a loss.
    pub cursor: String,
    #[cynic(rename = "type")]
    #[serde(rename = "type")]
    pub kind: String,
    pub organization_id: OrganizationId,
    pub occurred_at: Timestamp,
    pub data: EventData,
}

/// An event's data, as the gateway wrote it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventData(serde_json::Value);

cynic::impl_scalar!(EventData, schema::JSON);

impl EventData {
    /// Of a new organization, and of one that moved.
    pub fn parent_organization_id(&self) -> Option<OrganizationId> {
        self.0["parentOrganizationId"].as_str().map(OrganizationId::new)
    }
}

impl EventData {
    /// Each of its fields, with what is in it on as many lines as it takes.
    pub fn fields(&self) -> impl Iterator<Item = (&str, String)> {
        let shown = |value: &serde_json::Value| match value {
            serde_json::Value::String(text) => text.clone(),
            other => serde_json::to_string_pretty(other).unwrap_or_default(),
        };
        let fields = self.0.as_object().into_iter().flatten();
        fields.map(move |(name, value)| (name.as_str(), shown(value)))
    }
}

impl std::fmt::Display for EventData {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Event {
    pub fn is_about_a_key(&self) -> bool {
        self.kind.starts_with("api_key.")
    }

    /// Whether an organization is to be found below a parent where it was not before.
    pub fn is_about_an_arrival(&self) -> bool {
        self.is_about_a_move() || self.kind == "organization.created"
    }

    pub fn is_about_a_move(&self) -> bool {
        self.kind == "organization.moved"
    }
}

#[derive(cynic::QueryVariables, Debug)]
struct WalletChangesVariables {
    organization_id: OrganizationId,
    scope: EventScope,
    environment: Environment,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Subscription", variables = "WalletChangesVariables")]
struct WalletChanges {
    #[arguments(
        organizationId: $organization_id, scope: $scope, environment: $environment
    )]
    wallet_changes: Wallet,
}

#[derive(cynic::QueryVariables, Debug)]
struct EventsVariables {
    organization_id: OrganizationId,
    scope: EventScope,
    types: Option<Vec<String>>,
    after: Option<String>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Subscription", variables = "EventsVariables")]
struct Events {
    #[arguments(organizationId: $organization_id, scope: $scope, types: $types, after: $after)]
    events: Event,
}

impl Follow {
    /// The subscription. `after` is the last cursor that was heard; only events have one.
    pub fn request(&self, after: Option<&str>) -> Request<News> {
        let (organization_id, scope) = (self.organization.clone(), self.scope.clone());
        match &self.topic {
            Topic::Wallets { environment } => {
                let variables = WalletChangesVariables { organization_id, scope, environment: environment.clone() };
                let operation = OperationBuilder::<WalletChanges, _>::subscription().with_variables(variables).build();
                let operation = operation.expect("a document written to a string fails only for want of memory");
                Request::new("WalletChanges", operation, |data: WalletChanges, _| News::Wallet(data.wallet_changes))
            }
            Topic::Events | Topic::List { .. } => {
                let types = match &self.topic {
                    Topic::List { types } => types.clone(),
                    _ => EVENT_TYPES.map(str::to_owned).to_vec(),
                };
                let types = Some(types);
                let after = after.map(str::to_owned);
                let variables = EventsVariables { organization_id, scope, types, after };
                let operation = OperationBuilder::<Events, _>::subscription().with_variables(variables).build();
                let operation = operation.expect("a document written to a string fails only for want of memory");
                Request::new("Events", operation, |data: Events, _| News::Event(data.events))
            }
        }
    }
}
