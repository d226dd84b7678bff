//! The router with a toy schema behind it, called as a client would.

mod errors;
mod graphiql;
mod hostile;
mod http;
mod probes;
mod sse;
mod toy;
mod websocket;
