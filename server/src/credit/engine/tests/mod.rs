//! The rules, by example and by chance.

mod world;
