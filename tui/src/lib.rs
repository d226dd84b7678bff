//! Banyan's console: organizations, their credits and their keys, live, in a terminal.
//!
//! Shape: `update` takes a model, a message and the time, and gives back effects; `view` draws a
//! model and changes nothing; `shell` is the only part that waits, sends, reads keys or writes to
//! the terminal. Keys, answers and live events enter by the same door, `Msg`, so a recorded list
//! of messages replays a session.
//!
//! Layering: `graphql` and `text` know nothing of the rest; `act` (what can be done) and `resource`
//! (what can be listed) know them; `command` is the one table of both; `model` knows all of these;
//! `update` and `view` know the model; `connection` turns effects into messages; `shell` holds it
//! together, and `once` runs a single command without it.
//!
//! Not here: the database. The console knows the gateway's schema and nothing else.

pub mod act;
pub mod command;
pub mod connection;
pub mod credits;
pub mod effect;
pub mod graphql;
pub mod model;
pub mod msg;
pub mod once;
pub mod profile;
pub mod record;
pub mod replay;
pub mod resource;
pub mod shell;
pub mod text;
pub mod update;
pub mod view;
