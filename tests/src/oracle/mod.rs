//! A second opinion on credits.
//!
//! Random worlds of organizations are given random commands through GraphQL on the real router with a real database. What
//! each comes to is foretold by [`rules`], a naive second implementation of SPEC §5, and must be the same to the last
//! figure: what was done, or the code of the refusal with everything it carries. Every few rounds all that is shown of a
//! world is compared too.
//!
//! [`generate`] thinks of a [`command`], [`rules`] foretell, [`document`] sends and compares, [`picture`] looks,
//! [`world`] keeps one world and [`run`] many; [`shrink`] makes a difference short.
//!
//! Now and then several requests of one world race each other: then one of their orders must explain all answers.
//!
//! **Not here.** The rules of anything but credits and what credits depend on.

mod command;
mod document;
mod generate;
mod names;
mod order;
mod picture;
mod rules;
mod run;
mod shrink;
mod world;

pub use run::{Difference, Plan};
