//! The rules, by example and by chance.

mod chance;
mod expiry;
mod holds;
mod limits;
mod moves;
mod refills;
mod spending;
mod world;
