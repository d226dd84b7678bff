//! Trade in the schema.

mod mutation;
mod object;

pub use mutation::TradeMutation;
pub use object::{Buyer, BuyerConnection, Invoice, InvoiceConnection, Seller, SellerConnection};
