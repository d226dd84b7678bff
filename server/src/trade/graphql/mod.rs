//! Trade in the schema.

pub mod mutation;
pub mod object;

pub use mutation::TradeMutation;
pub use object::{Buyer, BuyerConnection, Invoice, InvoiceConnection, Seller, SellerConnection};
