//! What is sent: the body, and what proves that it is ours (Standard Webhooks). Pure.

use entity::delivery::Model as Delivery;
use entity::event::Model as Event;
use entity::id::OrganizationId;
use entity::timestamp::Timestamp;
use serde::Serialize;
use standardwebhooks::Webhook;

use crate::kernel::error::Fault;
use crate::webhook::event::Pinged;

/// A request to an endpoint, but for where it goes.
pub struct Message {
    /// The event's id, the same however often it is sent: a receiver that remembers it takes each event once.
    pub id: String,
    pub timestamp_seconds: i64,
    /// One signature for each secret that is valid, with a space between them.
    pub signature: String,
    pub body: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a, D> {
    #[serde(rename = "type")]
    event_type: &'a str,
    timestamp: Timestamp,
    organization_id: OrganizationId,
    data: D,
}

fn written<D: Serialize>(body: &Body<'_, D>) -> String {
    serde_json::to_string(body).expect("an event's data is JSON already")
}

/// The body that an event is sent as.
pub fn body(event: &Event) -> String {
    written(&Body {
        event_type: &event.event_type,
        timestamp: event.occurred_at,
        organization_id: event.organization_id,
        data: &event.data.0,
    })
}

/// The body of a ping, of which there is no event.
pub fn ping_body(delivery: &Delivery) -> String {
    written(&Body {
        event_type: &delivery.event_type,
        timestamp: delivery.created_at,
        organization_id: delivery.event_organization_id,
        data: Pinged {
            webhook_endpoint_id: delivery.webhook_endpoint_id,
            organization_id: delivery.event_organization_id,
        },
    })
}

impl Message {
    /// Signs a body with each of the secrets.
    pub fn new(delivery: &Delivery, body: String, secrets: &[String], now: Timestamp) -> Result<Self, Fault> {
        let id = delivery.event_id.to_string();
        let timestamp_seconds = now.as_millis().div_euclid(1_000);
        let sign = |secret: &String| Webhook::new(secret)?.sign(&id, timestamp_seconds, body.as_bytes());
        let signatures: Result<Vec<String>, _> = secrets.iter().map(sign).collect();
        // The cause would quote the secret.
        let signatures = signatures.map_err(|_| Fault::new("a webhook endpoint's secret does not sign"))?;
        Ok(Self { id, timestamp_seconds, signature: signatures.join(" "), body })
    }
}

#[cfg(test)]
mod tests {
    use entity::kind::DeliveryStatus;
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_123);

    fn delivery() -> Delivery {
        let id = Uuid::from_u128(7);
        Delivery {
            realm_id: id.into(),
            id: id.into(),
            organization_id: id.into(),
            webhook_endpoint_id: id.into(),
            event_id: id.into(),
            event_type: "credit.charged".into(),
            event_sequence: Some(1),
            event_organization_id: id.into(),
            ordered: true,
            redelivery_of: None,
            status: DeliveryStatus::Pending,
            attempt_count: 0,
            next_attempt_at: None,
            created_at: NOW,
            settled_at: None,
        }
    }

    #[test]
    fn a_message_carries_a_signature_for_each_valid_secret() {
        let secrets = [crate::webhook::model::secret([1; 32]), crate::webhook::model::secret([2; 32])];
        let message = Message::new(&delivery(), "{}".into(), &secrets, NOW).unwrap();
        assert_eq!(message.timestamp_seconds, 1_790_000_000);
        assert!(message.id.starts_with("evt_"));
        let signatures: Vec<&str> = message.signature.split(' ').collect();
        assert_eq!(signatures.len(), 2);
        assert!(signatures.iter().all(|signature| signature.starts_with("v1,")) && signatures[0] != signatures[1]);
    }

    /// The example of the Standard Webhooks specification's own libraries.
    #[test]
    fn a_signature_is_the_standards() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let signed = Webhook::new(secret).unwrap().sign(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signed.unwrap(), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_body_names_type_time_organization_and_data() {
        let id = Uuid::from_u128(7);
        let event = Event {
            realm_id: id.into(),
            sequence: 1,
            id: id.into(),
            event_type: "credit.charged".into(),
            organization_id: id.into(),
            path: entity::codec::Json(vec![id.into()]),
            data: entity::codec::Json(json!({ "amount": 5 })),
            occurred_at: NOW,
        };
        let body: Value = serde_json::from_str(&body(&event)).unwrap();
        let organization = event.organization_id.to_string();
        let expected = json!({ "type": "credit.charged", "timestamp": NOW.to_string(), "organizationId": organization,
            "data": { "amount": 5 } });
        assert_eq!(body, expected);
    }
}
