//! The console from outside: messages in, model, effects and frames out; and the whole of it over
//! a real socket.

mod acting;
mod browsing;
mod console;
mod following;
mod frame;
mod gateway;
mod golden;
mod operations;
mod picture;
mod shell;
mod staying_connected;
