//! The state of the console: everything that a frame shows and that a message can change.
//!
//! Shape: organizations are kept once, by id; the tree, the search and the detail refer to them.
//! Only `update` changes a model, and it needs nothing but the message and the time.
//!
//! Not here: the terminal, the network, the clock. A model does not know that they exist.

pub mod detail;
pub mod dialog;
pub mod doubt;
pub mod finder;
pub mod link;
pub mod list;
pub mod place;
pub mod spot;
pub mod tree;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::act::{Named, Pinned, Spec};
use crate::command::{Command, Context};
use crate::effect::{RequestId, SubscriptionId};
use crate::graphql::scalar::PrincipalKind;
use crate::graphql::{Environment, OrganizationId, OrganizationRow, Viewer};
use crate::msg::Measured;
use crate::resource::{Record, Resource, Slice};
use detail::Detail;
use dialog::{Dialog, Offer, Secrets, Stage};
use doubt::Doubt;
use finder::{FilterLine, Palette, Search};
use link::Link;
use place::{Place, Places};
use spot::Pointed;
use tree::Tree;

/// How long a notice stays.
pub const NOTICE: SignedDuration = SignedDuration::from_secs(6);

/// What does not change while the console runs.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Settings {
    /// The gateway, as the header shows it.
    pub gateway: String,
    pub has_key: bool,
    /// Why there is no key, and what to do about it.
    pub without_key: Vec<String>,
    pub read_only: bool,
    /// The name it was chosen by, when it was.
    pub profile: Option<String>,
    /// What goes wrong here hurts customers: it shows, and more is asked before an act.
    pub production: bool,
    /// The profile's colour: one of the sixteen, by name.
    pub colour: Option<String>,
    /// Every profile there is, to complete `@`.
    pub profiles: Vec<String>,
    pub ascii: bool,
    /// No colour at all, as `NO_COLOR` asks.
    pub mono: bool,
    /// Whether clicks and the wheel are the console's; off, they are the terminal's own.
    #[serde(default)]
    pub mouse: bool,
}

#[derive(Clone, Debug)]
pub struct Model {
    pub settings: Settings,
    pub now: Timestamp,
    pub ids: Ids,
    pub viewer: Option<Viewer>,
    /// What each request that is out was for. An answer to none of them is dropped.
    pub pending: BTreeMap<RequestId, Purpose>,
    pub viewer_failure: Option<String>,
    pub link: Link,
    pub organizations: HashMap<OrganizationId, OrganizationRow>,
    pub tree: Tree,
    pub places: Places,
    pub doubt: Doubt,
    pub detail: Detail,
    pub side: Side,
    pub overlay: Overlay,
    pub jump: Option<RequestId>,
    pub notice: Option<Notice>,
    pub measured: Measured,
    pub help_scroll: usize,
    /// What would undo the last act.
    pub offer: Option<Offer>,
    /// Columns that are not to be seen, by the list's name.
    pub hidden: BTreeMap<&'static str, BTreeSet<&'static str>>,
    /// Lines of the command line, newest last.
    pub typed: Vec<String>,
    /// The last click and when it was, for the second one.
    pub clicked: Option<(Timestamp, Pointed)>,
    /// Since when the screen is held still, and how much came in since.
    pub frozen: Option<Frozen>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frozen {
    pub since: Timestamp,
    pub changes: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    Viewer,
    /// A page of a branch; of the roots when there is no parent.
    Branch {
        parent: Option<OrganizationId>,
        slice: Slice,
    },
    Detail,
    Rows {
        ids: Vec<OrganizationId>,
    },
    Jump,
    Search {
        name: String,
    },
    /// A part of a list. A list that was left and come back to knows its own requests.
    Page {
        slice: Slice,
    },
    /// Records of a list, read again in place.
    Records {
        ids: Vec<String>,
    },
    /// The record that is open, with all that its list leaves out.
    Whole {
        id: String,
    },
    Plan,
    Act,
}

impl Purpose {
    /// True when the answer says what stands in rows of the tree.
    pub fn brings_rows(&self) -> bool {
        matches!(self, Self::Branch { .. } | Self::Rows { .. } | Self::Jump)
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Side {
    #[default]
    Tree,
    Detail,
}

#[derive(Clone, Debug, Default)]
pub enum Overlay {
    #[default]
    None,
    Help,
    Search(Search),
    Palette(Palette),
    Filter(FilterLine),
    /// A record as it was when it was opened.
    Record(&'static Resource, Box<Record>),
    /// The columns of a list, to choose from, and the one that is marked.
    Columns(&'static Resource, usize),
    Dialog(Box<Dialog>),
    Secret(Secrets),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub text: String,
    pub grave: bool,
    pub until: Timestamp,
}

/// Where fresh ids come from. The seed is given once from outside, so that a replay draws the same.
#[derive(Clone, Debug)]
pub struct Ids {
    seed: uuid::Uuid,
    drawn: u64,
}

impl Ids {
    pub fn new(seed: uuid::Uuid) -> Self {
        Self { seed, drawn: 0 }
    }

    fn draw(&mut self) -> u64 {
        self.drawn += 1;
        self.drawn
    }

    pub fn request(&mut self) -> RequestId {
        RequestId(self.draw())
    }

    pub fn subscription(&mut self) -> SubscriptionId {
        SubscriptionId(self.draw())
    }

    /// Unique as long as no two consoles draw the same seed.
    pub fn idempotency_key(&mut self) -> String {
        let number = self.draw();
        format!("console-{}-{number}", self.seed.simple())
    }
}

impl Model {
    pub fn new(settings: Settings, seed: uuid::Uuid, now: Timestamp) -> Self {
        Self {
            settings,
            now,
            ids: Ids::new(seed),
            viewer: None,
            pending: BTreeMap::new(),
            viewer_failure: None,
            link: Link::default(),
            organizations: HashMap::new(),
            tree: Tree::default(),
            places: Places::default(),
            doubt: Doubt::default(),
            detail: Detail::default(),
            side: Side::default(),
            overlay: Overlay::default(),
            jump: None,
            notice: None,
            measured: Measured { tree_rows: 20, list_rows: 20, detail_rows: 20, ..Measured::default() },
            help_scroll: 0,
            offer: None,
            hidden: BTreeMap::new(),
            typed: Vec::new(),
            clicked: None,
            frozen: None,
        }
    }

    /// Where keys go now.
    pub fn context(&self) -> Context {
        if !self.settings.has_key {
            return Context::Welcome;
        }
        match &self.overlay {
            Overlay::None => self.place_context(),
            Overlay::Help => Context::Help,
            Overlay::Record(..) => Context::Record,
            Overlay::Columns(..) => Context::Columns,
            Overlay::Search(_) | Overlay::Palette(_) | Overlay::Filter(_) => Context::Finder,
            Overlay::Dialog(dialog) => match dialog.stage {
                Stage::Editing => Context::Editing,
                Stage::Confirming { .. } => Context::Confirming,
                Stage::Sending { .. } => Context::Sending,
                Stage::Unknown { .. } => Context::Unknown,
                Stage::Refused => Context::Refused,
            },
            Overlay::Secret(_) => Context::Secret,
        }
    }

    /// Where keys go when nothing lies over the place.
    pub fn place_context(&self) -> Context {
        match (&self.places.here, self.side) {
            (Place::List(list), _) => Context::List(list.resource.id),
            (Place::Tree, Side::Tree) => Context::Tree,
            (Place::Tree, Side::Detail) => Context::Detail,
        }
    }

    pub fn is_operator(&self) -> bool {
        self.viewer.as_ref().is_some_and(|viewer| viewer.kind == PrincipalKind::Operator)
    }

    /// The environment whose credits are shown: the key's own, and live for everybody else.
    pub fn environment(&self) -> Environment {
        let own = self.viewer.as_ref().and_then(|viewer| viewer.environment.clone());
        own.unwrap_or(Environment::Live)
    }

    pub fn named(&self, id: &OrganizationId) -> Option<Named> {
        let row = self.organizations.get(id)?;
        Some(Named { id: row.id.clone(), name: row.name.clone() })
    }

    /// The organization that the place is about: where views open and acts on organizations go.
    pub fn focus(&self) -> Option<Named> {
        match &self.places.here {
            Place::Tree => self.tree.chosen().and_then(|id| self.named(id)),
            Place::List(list) if list.resource.kind == Some(crate::act::Kind::Organization) => {
                list.chosen().map(|record| Named { id: OrganizationId::new(&record.id), name: record.name.clone() })
            }
            Place::List(list) => list.organization.clone(),
        }
    }

    /// What an act would be done to: the marked records, the one under the cursor, or the
    /// organization that the place is about.
    pub fn targets(&self, spec: &Spec) -> Vec<Pinned> {
        let of_focus = || {
            let named = self.focus()?;
            let version = self.organizations.get(&named.id).map(|row| row.version);
            Some(Pinned::organization(named, version))
        };
        match &self.places.here {
            Place::List(list) if list.resource.kind == Some(spec.on) => {
                if !list.marks.is_empty() {
                    return list.marks.values().cloned().collect();
                }
                let pinned = list.chosen().map(|record| record.pinned(spec.on, list.organization.as_ref()));
                pinned.into_iter().collect()
            }
            _ if spec.on == crate::act::Kind::Organization => of_focus().into_iter().collect(),
            _ => Vec::new(),
        }
    }

    /// Why a command may not be given at all.
    pub fn forbids(&self, command: &Command) -> Option<&'static str> {
        (self.settings.read_only && command.changes()).then_some("this console is read-only")
    }

    /// The scope a key seems to lack for a command. The gateway has the last word.
    pub fn missing_scope(&self, command: &Command) -> Option<&'static str> {
        let needed = command.scope()?;
        if needed == "operator" {
            return (!self.is_operator() && self.viewer.is_some()).then_some(needed);
        }
        let viewer = self.viewer.as_ref()?;
        if viewer.kind != PrincipalKind::ApiKey {
            return None;
        }
        let area = needed.split(':').next().unwrap_or(needed);
        let covers = |scope: &String| scope == needed || scope == "org:admin" || scope.strip_suffix(":*") == Some(area);
        (!viewer.scopes.iter().any(covers)).then_some(needed)
    }

    pub fn notify(&mut self, text: impl Into<String>, grave: bool) {
        let until = self.now.checked_add(NOTICE).unwrap_or(self.now);
        self.notice = Some(Notice { text: text.into(), grave, until });
    }

    /// The next moment at which something happens without anybody doing anything. `None` when the
    /// console may sleep until a key or a message comes.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        let search = match &self.overlay {
            Overlay::Search(search) => search.ask_at,
            _ => None,
        };
        let resend = match &self.overlay {
            Overlay::Dialog(dialog) => match dialog.stage {
                Stage::Unknown { resend_at, .. } => resend_at,
                _ => None,
            },
            _ => None,
        };
        let notice = self.notice.as_ref().map(|notice| notice.until);
        let list = self.places.list().and_then(|list| list.ask_at);
        let planned = [self.detail.ask_at, self.doubt.ask_at, self.link.catch_up_at, self.age_changes_at()];
        planned.into_iter().chain([search, resend, notice, list]).flatten().min()
    }

    /// How old the data is, while that is shown.
    pub fn age(&self) -> Option<SignedDuration> {
        let since = self.link.stale_since?;
        Some(self.now.duration_since(since).max(SignedDuration::ZERO))
    }

    fn age_changes_at(&self) -> Option<Timestamp> {
        let since = self.link.stale_since.or(self.frozen.map(|frozen| frozen.since))?;
        let age = self.now.duration_since(since).max(SignedDuration::ZERO);
        // Seconds matter in the first minute and only there.
        let step = if age < SignedDuration::from_secs(60) { 1 } else { 60 };
        let shown = age.as_secs() / step;
        let next = SignedDuration::from_secs((shown + 1) * step);
        since.checked_add(next).ok()
    }
}
