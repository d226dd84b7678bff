//! Banyan's console: organizations, their credits and their keys, live, in a terminal.
//!
//! Shape: `update` takes a model, a message and the time, and gives back effects; `view` draws a
//! model and changes nothing; `shell` is the only part that waits, sends, reads keys or writes to
//! the terminal. Keys, answers and live events enter by the same door, `Msg`, so a recorded list
//! of messages replays a session.
//!
//! Layering: `graphql` and `text` know nothing of the rest; `model` knows them; `update` and
//! `view` know the model; `connection` turns effects into messages; `shell` holds it together.
//!
//! Not here: the database. The console knows the gateway's schema and nothing else.

pub mod command;
pub mod connection;
pub mod credits;
pub mod effect;
pub mod graphql;
pub mod model;
pub mod msg;
pub mod profile;
pub mod record;
pub mod shell;
pub mod text;
pub mod update;
pub mod view;
