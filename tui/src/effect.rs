//! Everything the console can want done, as data. Only the shell carries it out.

use serde::{Deserialize, Serialize};

use crate::act::Act;
use crate::graphql::{Follow, Query};

/// Names a request, so that the answer to an older one can be told and dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RequestId(pub u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SubscriptionId(pub u64);

#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// The picture changed.
    Draw,
    Ask {
        request: RequestId,
        query: Query,
    },
    /// The only effect that changes anything at the gateway.
    Act {
        request: RequestId,
        act: Box<Act>,
    },
    /// Open the live connection and keep it; when it is lost, do not wait before the next attempt.
    Connect,
    Subscribe {
        subscription: SubscriptionId,
        follow: Follow,
        /// The last cursor of this stream that was heard.
        after: Option<String>,
    },
    Unsubscribe {
        subscription: SubscriptionId,
    },
    Copy(Copied),
    /// Leave for another profile.
    Switch(String),
    /// Give the terminal back and stop, until the shell that started the console says to go on.
    Suspend,
    Quit,
}

/// Text for the terminal's clipboard.
#[derive(Clone, Debug, PartialEq)]
pub enum Copied {
    Id(String),
    Graphql(String),
    Secret(crate::graphql::Secret),
}

impl Copied {
    pub fn text(&self) -> &str {
        match self {
            Self::Id(text) | Self::Graphql(text) => text,
            Self::Secret(secret) => secret.expose(),
        }
    }
}
