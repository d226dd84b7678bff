//! Plain types that the database, the rules and the API share: typed ids, credits and instants.

pub mod credits;
pub mod id;
pub mod timestamp;
