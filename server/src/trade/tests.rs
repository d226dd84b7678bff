//! Invoices through the schema.

use entity::kind::Environment::{self, Live, Test};
use serde_json::{Value, json};

use crate::schema::testing::{Gateway, refusal};

const PARTIES: &str = "mutation { sellerCreate(input: { name: \"Acme Coffee\", taxNumber: \"12345678-0001\" }) {
    seller { id } userErrors { message } } buyerCreate(input: { name: \"Quinn\" }) { buyer { id } userErrors { message } } }";

const CREATE: &str = "mutation ($input: InvoiceCreateInput!) { invoiceCreate(input: $input) {
    invoice { id status total currency lines { total } seller { name } buyer { name } }
    userErrors { code path message } } }";

const SUBMIT: &str = "mutation ($input: InvoiceSubmitInput!) { invoiceSubmit(input: $input) {
    invoice { id status chargeId submittedAt } charge { id amount meter environment } replayed
    userErrors { code path message } } }";

/// A root with a meter, a trader's key, and a draft.
async fn draft(environment: Environment) -> (Gateway, String, Value) {
    let gateway = Gateway::start().await;
    let (root, key) = gateway.root(&["trade:*", "org:read", "credits:read"], environment).await;
    let meter =
        "mutation ($id: ID!) { meterSet(input: { organizationId: $id, key: \"invoice.submit\", credits: 300 }) {
        userErrors { message } } }";
    gateway.operator(meter, json!({ "id": root })).await;
    let parties = gateway.with_key(&key, PARTIES, json!({})).await;
    let (seller, buyer) =
        (&parties["data"]["sellerCreate"]["seller"]["id"], &parties["data"]["buyerCreate"]["buyer"]["id"]);
    let lines = json!([{ "description": "Coffee", "quantity": 3, "unitPrice": 1_250 }]);
    let input = json!({ "sellerId": seller, "buyerId": buyer, "currency": "NGN", "lines": lines });
    let made = gateway.with_key(&key, CREATE, json!({ "input": input })).await;
    let invoice = made["data"]["invoiceCreate"]["invoice"].clone();
    assert_eq!((&invoice["status"], &invoice["total"]), (&json!("DRAFT"), &json!(3_750)), "{made}");
    assert_eq!((&invoice["seller"]["name"], &invoice["buyer"]["name"]), (&json!("Acme Coffee"), &json!("Quinn")));
    (gateway, key, invoice["id"].clone())
}

async fn submit(gateway: &Gateway, key: &str, input: Value) -> Value {
    gateway.with_key(key, SUBMIT, json!({ "input": input })).await["data"]["invoiceSubmit"].clone()
}

#[tokio::test]
async fn an_invoice_is_submitted_and_charged_once_in_the_keys_environment() {
    let (gateway, key, id) = draft(Test).await;
    let first = submit(&gateway, &key, json!({ "invoiceId": id, "idempotencyKey": "k1" })).await;
    assert_eq!(first["invoice"]["status"], "SUBMITTED", "{first}");
    assert_eq!(first["charge"]["environment"], "TEST");
    assert_eq!(first["charge"]["amount"], 300);
    assert_eq!(first["invoice"]["chargeId"], first["charge"]["id"]);
    let again = submit(&gateway, &key, json!({ "invoiceId": id, "idempotencyKey": "k1" })).await;
    assert_eq!(again["replayed"], true, "{again}");
    assert_eq!(refusal(&submit(&gateway, &key, json!({ "invoiceId": id })).await).0, "CONFLICT");
    let balance = "{ viewer { organization { wallet(environment: TEST) { balance } } } }";
    let balance = gateway.with_key(&key, balance, json!({})).await;
    assert_eq!(balance["data"]["viewer"]["organization"]["wallet"]["balance"], 999_700, "{balance}");
}

#[tokio::test]
async fn an_invoice_that_cannot_be_paid_for_stays_a_draft() {
    let (gateway, key, id) = draft(Live).await;
    let second =
        "mutation ($id: ID!) { creditCharge(input: { organizationId: $id, amount: 400, idempotencyKey: \"k\" }) {
        userErrors { message } } }";
    let root = gateway.with_key(&key, "{ viewer { organization { id } } }", json!({})).await;
    gateway.operator(second, json!({ "id": root["data"]["viewer"]["organization"]["id"] })).await;
    let refused = submit(&gateway, &key, json!({ "invoiceId": id })).await;
    assert_eq!(refusal(&refused), ("INSUFFICIENT_CREDITS", vec![]));
    let list = "{ viewer { organization { invoices(status: DRAFT) { totalCount nodes { id status chargeId } } } } }";
    let listed = gateway.with_key(&key, list, json!({})).await;
    let expected = json!({ "totalCount": 1, "nodes": [{ "id": id, "status": "DRAFT", "chargeId": null }] });
    assert_eq!(listed["data"]["viewer"]["organization"]["invoices"], expected, "{listed}");
}

#[tokio::test]
async fn a_cancelled_invoice_is_neither_submitted_nor_cancelled_again() {
    let (gateway, key, id) = draft(Live).await;
    let cancel = "mutation ($id: ID!) { invoiceCancel(input: { invoiceId: $id }) {
        invoice { status } userErrors { code path } } }";
    let answer = gateway.with_key(&key, cancel, json!({ "id": id })).await;
    assert_eq!(answer["data"]["invoiceCancel"]["invoice"]["status"], "CANCELLED", "{answer}");
    let answer = gateway.with_key(&key, cancel, json!({ "id": id })).await;
    assert_eq!(refusal(&answer["data"]["invoiceCancel"]), ("CONFLICT", vec!["input", "invoiceId"]));
    assert_eq!(refusal(&submit(&gateway, &key, json!({ "invoiceId": id })).await).0, "CONFLICT");
}

#[tokio::test]
async fn a_seller_of_somebody_else_does_not_exist() {
    let (gateway, _, _) = draft(Live).await;
    let (_, theirs) = gateway.root(&["trade:*"], Live).await;
    let (_, ours) = gateway.root(&["trade:*"], Live).await;
    let theirs = gateway.with_key(&theirs, PARTIES, json!({})).await;
    let ours_made = gateway.with_key(&ours, PARTIES, json!({})).await;
    let input = json!({
        "sellerId": theirs["data"]["sellerCreate"]["seller"]["id"],
        "buyerId": ours_made["data"]["buyerCreate"]["buyer"]["id"],
        "currency": "NGN",
        "lines": [{ "description": "Coffee", "quantity": 1, "unitPrice": 1 }],
    });
    let answer = gateway.with_key(&ours, CREATE, json!({ "input": input })).await;
    assert_eq!(refusal(&answer["data"]["invoiceCreate"]), ("NOT_FOUND", vec!["input", "sellerId"]));
}
