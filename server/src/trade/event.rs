//! What happens in trade, as the outside hears it.

use entity::id::{BuyerId, HoldId, InvoiceId, SellerId};
use schemars::JsonSchema;
use serde::Serialize;

pub const SELLER_CREATED: &str = "seller.created";
pub const BUYER_CREATED: &str = "buyer.created";
pub const INVOICE_CREATED: &str = "invoice.created";
pub const INVOICE_SUBMITTED: &str = "invoice.submitted";
pub const INVOICE_CANCELLED: &str = "invoice.cancelled";

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SellerCreated<'a> {
    pub seller_id: SellerId,
    pub name: &'a str,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BuyerCreated<'a> {
    pub buyer_id: BuyerId,
    pub name: &'a str,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InvoiceChanged<'a> {
    pub invoice_id: InvoiceId,
    pub seller_id: SellerId,
    pub buyer_id: BuyerId,
    pub currency: &'a str,
    pub total: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub charge_id: Option<HoldId>,
}
