//! The console from outside: messages in, model, effects and frames out; and the whole of it over
//! a real socket.

mod acting;
mod browsing;
mod console;
mod documentation;
mod faults;
mod following;
mod frame;
mod gateway;
mod gateway_lists;
mod gateway_webhooks;
mod golden;
mod interleaving;
mod lists;
mod mouse;
mod operations;
mod picture;
mod restructuring;
mod seat;
mod served;
mod shell;
mod staying_connected;
mod webhooks;
