//! Trade: sellers, buyers and the invoices between them.
//!
//! **Tables.** seller, buyer, invoice.
//! **Commands.** create a seller, a buyer, an invoice; submit and cancel an invoice.
//! **Events.** `seller.*`, `buyer.*`, `invoice.*`, see [`event`].
//!
//! **Invariants.** Seller, buyer and invoice are one organization's. An invoice is submitted once, and its charge by the
//! meter `invoice.submit` is taken in the same transaction: submitted and paid for, or neither. Cancelling gives no
//! credits back: the submission was made. Money is whole minor units of the currency, at most 2^53−1.
//!
//! **Not here.** Numbers of invoices, taxes, posting to the books, sending anything to an authority.

pub mod command;
pub mod event;
pub mod graphql;
pub mod model;
pub(crate) mod store;
#[cfg(test)]
mod tests;
