//! The webhook endpoints of the gateway in the tests, and what was sent to them.

use serde_json::{Value, json};

use crate::gateway::{ACME, Gateway};
use crate::gateway_lists::{page, refused};

pub const TILL: &str = "whe_01h455vb4pex5vsknk084s0001";

#[derive(Clone)]
pub struct Endpoint {
    pub id: String,
    pub url: &'static str,
    pub enabled: bool,
    pub paused: bool,
}

/// The answer to an attempt: status, milliseconds, why it failed, body.
type Answered = (Option<i64>, i64, Option<&'static str>, Option<String>);

#[derive(Clone)]
pub struct Delivery {
    pub id: String,
    pub kind: &'static str,
    pub status: &'static str,
    pub attempts: Vec<Answered>,
    pub next_attempt: Option<&'static str>,
    pub again_for: Option<String>,
}

impl Endpoint {
    pub fn of_the_world() -> Vec<Self> {
        let endpoint = |id: &str, url, enabled, paused| Self { id: id.to_owned(), url, enabled, paused };
        vec![
            endpoint(TILL, "https://till.acme.example/hooks/banyan", true, false),
            endpoint("whe_01h455vb4pex5vsknk084s0002", "https://crm.acme.example/banyan", true, true),
            endpoint("whe_01h455vb4pex5vsknk084s0003", "https://old.acme.example/banyan", false, false),
        ]
    }

    fn node(&self) -> Value {
        json!({
            "__typename": "WebhookEndpoint", "id": self.id, "organization": { "id": ACME }, "url": self.url,
            "description": null, "enabled": self.enabled, "paused": self.paused,
            "disabledAt": if self.enabled { Value::Null } else { "2026-11-18T09:00:00Z".into() },
            "disabledReason": if self.enabled { Value::Null } else { "Answered 410 Gone.".into() },
            "pausedAt": if self.paused { "2026-11-19T09:00:00Z".into() } else { Value::Null },
            "previousSecretExpiresAt": null, "scope": "OWN", "eventTypes": ["credit.*", "organization.*"],
            "createdAt": "2026-03-02T08:15:00Z",
        })
    }
}

impl Delivery {
    pub fn of_the_world() -> Vec<Self> {
        let body = "{\"error\":\"no such till\",\n \"hint\":\"ask\u{202e} the\u{1b}[2J owner\"}";
        let delivery = |number: usize, kind, status, attempts, next_attempt| Self {
            id: format!("dlv_01h455vb4pex5vsknk084s{number:04}"),
            kind,
            status,
            attempts,
            next_attempt,
            again_for: None,
        };
        vec![
            delivery(
                3,
                "credit.charged",
                "PENDING",
                vec![(Some(503), 84, None, Some("overloaded".to_owned()))],
                Some("2026-11-20T10:00:30Z"),
            ),
            delivery(
                2,
                "organization.suspended",
                "FAILED",
                vec![
                    (None, 10_000, Some("No answer within 10 seconds."), None),
                    (Some(422), 31, None, Some(body.to_owned())),
                ],
                None,
            ),
            delivery(1, "credit.charged", "DELIVERED", vec![(Some(200), 12, None, Some(String::new()))], None),
        ]
    }

    fn node(&self, whole: bool) -> Value {
        let attempts: Vec<Value> = self
            .attempts
            .iter()
            .map(|(status, took, error, _)| json!({ "responseStatus": status, "durationMs": took, "error": error }))
            .collect();
        let mut node = json!({
            "__typename": "WebhookDelivery", "id": self.id, "status": self.status, "eventType": self.kind,
            "eventId": format!("evt_{}", &self.id[4..]), "eventOrganizationId": ACME,
            "attemptCount": self.attempts.len(), "attempts": attempts, "nextAttemptAt": self.next_attempt,
            "createdAt": "2026-11-20T09:58:00Z", "settledAt": null, "redeliveryOfId": self.again_for,
            "webhookEndpoint": { "organization": { "id": ACME } },
        });
        if whole {
            let attempts = self.attempts.iter().enumerate().map(|(at, (status, took, error, body))| {
                json!({
                    "number": at + 1, "startedAt": format!("2026-11-20T09:58:{:02}Z", at * 7), "responseStatus": status,
                    "durationMs": took, "error": error, "responseBody": body,
                })
            });
            node["answered"] = attempts.collect();
        }
        node
    }
}

impl Gateway {
    pub fn webhooks(&self, operation: &str, variables: &Value) -> Value {
        match operation {
            "EndpointsQuery" => {
                let of_acme = variables["by"]["id"] == ACME;
                let own = self.endpoints.iter().filter(|_| of_acme).map(Endpoint::node).collect();
                json!({ "organization": { "webhookEndpoints": page(own, variables) } })
            }
            "DeliveriesQuery" => {
                assert!(variables["id"].as_str().is_some_and(|id| id.starts_with("whe_")), "{variables}");
                let status = variables["status"].as_str();
                let own = self.deliveries.iter().filter(|_| variables["id"] == TILL);
                let own = own.filter(|delivery| status.is_none_or(|status| delivery.status == status));
                let own = own.map(|delivery| delivery.node(false)).collect();
                json!({ "node": { "__typename": "WebhookEndpoint", "deliveries": page(own, variables) } })
            }
            _ => {
                let found = self.deliveries.iter().find(|delivery| variables["id"] == *delivery.id);
                json!({ "node": found.map(|delivery| delivery.node(true)) })
            }
        }
    }

    pub fn listed_webhook(&self, id: &str) -> Option<Value> {
        let endpoint = self.endpoints.iter().find(|endpoint| endpoint.id == id).map(Endpoint::node);
        endpoint.or_else(|| self.deliveries.iter().find(|delivery| delivery.id == id).map(|found| found.node(false)))
    }

    pub fn mutate_webhooks(&mut self, mutation: &str, input: &Value) -> Value {
        let id = input["webhookEndpointId"].as_str().unwrap_or_default();
        let endpoint = self.endpoints.iter_mut().find(|endpoint| endpoint.id == id);
        match mutation {
            "PauseMutation" => {
                endpoint.unwrap().paused = true;
                json!({ "webhookEndpointPause": { "userErrors": [] } })
            }
            "UnpauseMutation" => {
                endpoint.unwrap().paused = false;
                json!({ "webhookEndpointResume": { "userErrors": [] } })
            }
            "EnableMutation" => {
                endpoint.unwrap().enabled = input["enabled"] == true;
                json!({ "webhookEndpointUpdate": { "userErrors": [] } })
            }
            "PingMutation" => {
                let queued = self.queue("webhook_endpoint.ping", None);
                json!({ "webhookEndpointPing": { "webhookDelivery": queued, "replayed": false, "userErrors": [] } })
            }
            "SecretMutation" => {
                let endpoint = endpoint.unwrap().node();
                json!({ "webhookEndpointSecretRotate": {
                    "webhookEndpoint": endpoint, "secret": "whsec_notARealSecretOnlyForTests", "replayed": false,
                    "userErrors": [],
                } })
            }
            "RedeliverMutation" => {
                let id = input["webhookDeliveryId"].as_str().unwrap_or_default().to_owned();
                let Some(found) = self.deliveries.iter().find(|delivery| delivery.id == id) else {
                    return refused("webhookDeliveryRedeliver", "NOT_FOUND", "There is no such delivery.");
                };
                if found.status == "PENDING" {
                    return refused("webhookDeliveryRedeliver", "CONFLICT", "It is still being tried. Wait for it.");
                }
                let queued = self.queue(found.kind, Some(id));
                json!({ "webhookDeliveryRedeliver": {
                    "webhookDelivery": queued, "replayed": false, "userErrors": [],
                } })
            }
            unknown => panic!("the gateway of the tests has no {unknown}"),
        }
    }

    /// Puts a delivery in the queue, newest first.
    fn queue(&mut self, kind: &'static str, again_for: Option<String>) -> Value {
        let id = format!("dlv_01h455vb4pex5vsknk084s{:04}", self.deliveries.len() + 1);
        let next_attempt = Some("2026-11-20T10:00:00Z");
        let queued = Delivery { id, kind, status: "PENDING", attempts: Vec::new(), next_attempt, again_for };
        let node = queued.node(false);
        self.deliveries.insert(0, queued);
        node
    }
}
