//! A line of text over a list: the search for organizations, and the palette of commands.

use jiff::{SignedDuration, Timestamp};
use tui_input::Input;

use crate::effect::RequestId;
use crate::graphql::{OrganizationId, OrganizationRow};

/// Typing must rest this long before the gateway is asked.
pub const REST: SignedDuration = SignedDuration::from_millis(150);
pub const QUERY_CHARS_MAX: usize = 255;

#[derive(Clone, Debug, Default)]
pub struct Search {
    pub input: Input,
    /// The name that `results` answer.
    pub answered: Option<String>,
    pub results: Vec<OrganizationRow>,
    pub more: bool,
    pub cursor: Option<OrganizationId>,
    pub asked: Option<RequestId>,
    pub ask_at: Option<Timestamp>,
    pub failure: Option<String>,
}

/// The command line: what is typed, and what it could mean.
#[derive(Clone, Debug, Default)]
pub struct Palette {
    pub input: Input,
    pub matches: Vec<Choice>,
    pub cursor: Option<Choice>,
    /// What is wrong with the line as it stands.
    pub problem: Option<String>,
    /// How far back in what was typed before.
    pub recalled: Option<usize>,
}

/// Something that Enter would do.
#[derive(Clone, Debug, PartialEq)]
pub enum Choice {
    Command(&'static str),
    /// The line itself: a resource with its filter, a profile, or an act.
    Line(String),
}

/// A line over a list: what it is narrowed to.
#[derive(Clone, Debug, Default)]
pub struct FilterLine {
    pub input: Input,
    pub problem: Option<String>,
}

/// The element `by` places from `from`, staying inside; the first when `from` is not there.
pub fn step<T: PartialEq + Clone>(items: &[T], from: Option<&T>, down: bool) -> Option<T> {
    let at = from.and_then(|from| items.iter().position(|item| item == from));
    let to = match (at, down) {
        (None, _) => 0,
        (Some(at), true) => (at + 1).min(items.len().saturating_sub(1)),
        (Some(at), false) => at.saturating_sub(1),
    };
    items.get(to).cloned()
}
