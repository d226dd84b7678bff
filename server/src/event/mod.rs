//! Events as the outside knows them.
//!
//! [`catalogue`] lists every type there is and says what patterns such as `credit.*` mean. The features make the events,
//! in their own `event.rs`; the kernel writes them.
//!
//! **Not here.** Reading the outbox, streams, deliveries.

pub mod catalogue;
