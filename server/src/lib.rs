//! The gateway. Data flows one way: HTTP → principal → schema → command → kernel → a feature's rules → its store.

pub mod access;
pub mod kernel;
