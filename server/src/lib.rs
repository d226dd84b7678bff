//! The gateway. Data flows one way: HTTP → principal → schema → command → kernel → a feature's rules → its store.

pub mod access;
pub mod api_key;
pub mod credit;
pub mod kernel;
pub mod organization;
pub mod webhook;
