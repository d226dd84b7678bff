//! What is known of the connection, and how old the data on the screen is.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::effect::{RequestId, SubscriptionId};
use crate::graphql::{FieldError, Follow, OrganizationId, Topic};

#[derive(Clone, Debug, Default)]
pub struct Link {
    pub state: LinkState,
    /// Set at the first sign of loss and kept through every failed attempt: the moment up to which
    /// the screen is known to be right.
    pub stale_since: Option<Timestamp>,
    /// Requests of the catch-up that are still out. The badge goes when none is.
    pub catching_up: BTreeSet<RequestId>,
    /// When the catch-up began: what it brings is right up to then.
    pub caught_up_to: Timestamp,
    /// A catch-up that failed is tried again then.
    pub catch_up_at: Option<Timestamp>,
    pub subscriptions: Vec<(SubscriptionId, Follow)>,
    /// How far the events of each organization that was followed have been heard.
    pub cursors: BTreeMap<OrganizationId, String>,
    /// What the gateway refused to stream, so as not to ask for it again and again.
    pub refused: Vec<(Follow, Vec<FieldError>)>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LinkState {
    /// No key was given; there is nothing to connect with.
    #[default]
    WithoutKey,
    Connecting,
    Live,
    Lost {
        reason: String,
        attempt: u32,
        retry_at: Timestamp,
    },
    /// The gateway said that this key is not accepted.
    Refused {
        code: u16,
        reason: String,
    },
}

impl Link {
    pub fn is_live(&self) -> bool {
        self.state == LinkState::Live
    }

    /// The organization that a stream is about.
    pub fn followed(&self, subscription: SubscriptionId) -> Option<&Follow> {
        self.subscriptions.iter().find(|(id, _)| *id == subscription).map(|(_, follow)| follow)
    }

    pub fn follows_wallets(&self) -> bool {
        self.subscriptions.iter().any(|(_, follow)| is_of_wallets(follow))
    }

    /// Why wallets are not streamed, when the gateway said so.
    pub fn wallets_refused(&self) -> Option<&[FieldError]> {
        let last = self.refused.iter().rfind(|(follow, _)| is_of_wallets(follow));
        last.map(|(_, errors)| errors.as_slice())
    }

    pub fn stale_from(&mut self, moment: Timestamp) {
        let earlier = self.stale_since.map_or(moment, |since| since.min(moment));
        self.stale_since = Some(earlier);
    }
}

fn is_of_wallets(follow: &Follow) -> bool {
    matches!(follow.topic, Topic::Wallets { .. })
}
