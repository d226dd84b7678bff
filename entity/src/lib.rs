//! The rows of Banyan's tables and the plain types they are made of. No queries, no rules, no GraphQL.
//!
//! | tables | owner in `server/src` |
//! |---|---|
//! | realm | `kernel` |
//! | organization, suspension, edge_period | `organization` |
//! | api_key, api_key_family, operator_key | `api_key` |
//! | wallet, bucket, ledger_transaction, ledger_entry, hold, hold_leg, spend_counter, system_account, meter | `credit` |
//! | idempotency_record, audit_event, event | `kernel` writes, `audit` and `event` read |
//! | audit_link, audit_chain | `audit` |
//! | user, member | `member` |
//! | webhook_endpoint, event_cursor, delivery_queue, delivery, delivery_attempt | `webhook` |
//! | project | `project` |
//! | seller, buyer, invoice | `trade` |

pub mod codec;
pub mod credits;
pub mod id;
pub mod kind;
pub mod timestamp;

pub mod api_key;
pub mod api_key_family;
pub mod audit_chain;
pub mod audit_event;
pub mod audit_link;
pub mod bucket;
pub mod buyer;
pub mod delivery;
pub mod delivery_attempt;
pub mod delivery_queue;
pub mod edge_period;
pub mod event;
pub mod event_cursor;
pub mod hold;
pub mod hold_leg;
pub mod idempotency_record;
pub mod invoice;
pub mod ledger_entry;
pub mod ledger_transaction;
pub mod member;
pub mod meter;
pub mod operator_key;
pub mod organization;
pub mod project;
pub mod realm;
pub mod seller;
pub mod spend_counter;
pub mod suspension;
pub mod system_account;
pub mod user;
pub mod wallet;
pub mod webhook_endpoint;
