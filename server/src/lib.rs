//! The gateway. Data flows one way: HTTP → principal → schema → command → kernel → a feature's rules → its store.

pub mod access;
pub mod admission;
pub mod api_key;
pub mod app;
pub mod audit;
pub mod credit;
pub mod event;
pub mod http;
pub mod kernel;
pub mod member;
pub mod organization;
pub mod project;
pub mod schema;
pub mod seed;
pub mod settings;
pub mod throttle;
pub mod trade;
pub mod webhook;
