//! Rows that may be out of date although they look like the others.
//!
//! A row is read once and kept while it is scrolled out of sight. What happens in the meantime
//! does not read it again; it puts the row in doubt, and a row in doubt is asked for as soon as it
//! is on the screen.

use std::collections::{HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};

use super::detail::REFETCH;
use crate::credits::Credits;
use crate::effect::RequestId;
use crate::graphql::OrganizationId;

/// How long a question that failed waits before the next.
const AGAIN: SignedDuration = SignedDuration::from_secs(5);

#[derive(Clone, Debug, Default)]
pub struct Doubt {
    rows: HashSet<OrganizationId>,
    /// Organizations that are new below an open branch and have no row yet.
    pub arrived: Vec<OrganizationId>,
    pub asked: Option<RequestId>,
    pub ask_at: Option<Timestamp>,
    rests_until: Option<Timestamp>,
    /// Credits that came live while rows were asked for: newer than what will be answered.
    pub moved: HashMap<OrganizationId, Credits>,
}

impl Doubt {
    pub fn add(&mut self, rows: impl IntoIterator<Item = OrganizationId>) {
        self.rows.extend(rows);
    }

    pub fn holds(&self, row: &OrganizationId) -> bool {
        self.rows.contains(row)
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.arrived.is_empty()
    }

    pub fn remove(&mut self, rows: &[OrganizationId]) {
        for row in rows {
            self.rows.remove(row);
        }
        self.arrived.retain(|row| !rows.contains(row));
    }

    pub fn ask(&mut self, request: RequestId, now: Timestamp) {
        self.asked = Some(request);
        self.ask_at = None;
        self.rests_until = now.checked_add(REFETCH).ok();
    }

    pub fn answered(&mut self, request: RequestId, failed: bool, now: Timestamp) {
        if self.asked == Some(request) {
            self.asked = None;
            if failed {
                self.rests_until = now.checked_add(AGAIN).ok();
            }
        }
    }

    /// The moment from which the next question may go out.
    pub fn rests_until(&self) -> Option<Timestamp> {
        self.rests_until
    }
}
