//! Everything that can happen to the console, as data.
//!
//! A recorded list of messages replays a session: what is not in a message cannot influence the
//! model. Secrets do not survive serialization, see [`Secret`](crate::graphql::Secret) and
//! [`Pasted`].

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::effect::{RequestId, SubscriptionId};
use crate::graphql::{Answer, Event, Failure, FieldError, Outcome, Wallet};
use crate::model::spot::Spot;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Msg {
    Start,
    Key(Key),
    Paste(Pasted),
    Mouse(Mouse),
    Resized,
    Answered {
        request: RequestId,
        answer: Result<Answer, Failure>,
    },
    Settled {
        request: RequestId,
        outcome: Result<Outcome, Failure>,
    },
    Live(Live),
    /// A deadline of the model has passed.
    Woke,
    /// A frame went out, and these were its measures.
    Drawn(Measured),
    /// The process was asked to end.
    Terminate,
    /// The process was asked to stop for a while.
    Suspend,
}

/// What the live connection reports.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Live {
    Connecting,
    /// Acknowledged: subscriptions may be sent.
    Ready,
    Wallets(Vec<Wallet>),
    Events {
        subscription: SubscriptionId,
        events: Vec<Event>,
    },
    /// More changed than could be kept; what is shown may be behind.
    Lagged,
    SubscriptionRefused {
        subscription: SubscriptionId,
        errors: Vec<FieldError>,
    },
    /// Lost, and it will be tried again.
    Lost {
        reason: String,
        attempt: u32,
        heard_at: Timestamp,
        retry_at: Timestamp,
    },
    /// Lost for good: the gateway does not accept this key.
    Refused {
        code: u16,
        reason: String,
    },
}

/// What the mouse did, and in which cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mouse {
    pub does: Pointing,
    pub column: u16,
    pub row: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pointing {
    Pressed,
    WheelUp,
    WheelDown,
}

/// Sizes that only drawing can know and that scrolling needs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measured {
    pub tree_rows: usize,
    pub list_rows: usize,
    pub detail_rows: usize,
    pub detail_lines: usize,
    /// Lines of help that do not fit.
    pub help_hidden: usize,
    /// What can be pointed at; nothing unless the mouse is the console's.
    #[serde(default)]
    pub spots: Vec<Spot>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Key {
    Char(char),
    Ctrl(char),
    Enter,
    Esc,
    Tab,
    BackTab,
    Backspace,
    Delete,
    Up,
    Down,
    Left,
    Right,
    Home,
    End,
    PageUp,
    PageDown,
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = match self {
            Self::Char(' ') => "space",
            Self::Char(letter) => return write!(f, "{letter}"),
            Self::Ctrl(letter) => return write!(f, "ctrl-{letter}"),
            Self::Enter => "enter",
            Self::Esc => "esc",
            Self::Tab => "tab",
            Self::BackTab => "shift-tab",
            Self::Backspace => "backspace",
            Self::Delete => "delete",
            Self::Up => "up",
            Self::Down => "down",
            Self::Left => "left",
            Self::Right => "right",
            Self::Home => "home",
            Self::End => "end",
            Self::PageUp => "pgup",
            Self::PageDown => "pgdn",
        };
        f.pad(name)
    }
}

/// Text from the clipboard. It may be anything, a password included, so a recording keeps only
/// how long it was.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Pasted(pub String);

impl std::fmt::Debug for Pasted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[pasted, {} characters]", self.0.chars().count())
    }
}

impl Serialize for Pasted {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{self:?}"))
    }
}
