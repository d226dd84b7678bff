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
pub mod tree;

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};

use crate::command::{Command, Context};
use crate::effect::{RequestId, SubscriptionId};
use crate::graphql::scalar::PrincipalKind;
use crate::graphql::{Environment, OrganizationId, OrganizationRow, Viewer};
use crate::msg::Measured;
use detail::Detail;
use dialog::{Dialog, Named, SecretPanel, Stage};
use doubt::Doubt;
use finder::{Palette, Search};
use link::Link;
use tree::Tree;

/// How long a notice stays.
pub const NOTICE: SignedDuration = SignedDuration::from_secs(6);

/// What does not change while the console runs.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The gateway, as the header shows it.
    pub gateway: String,
    pub has_key: bool,
    /// Why there is no key, and what to do about it.
    pub without_key: Vec<String>,
    pub read_only: bool,
    pub ascii: bool,
    /// No colour at all, as `NO_COLOR` asks.
    pub mono: bool,
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
    pub doubt: Doubt,
    pub detail: Detail,
    pub side: Side,
    pub overlay: Overlay,
    pub jump: Option<RequestId>,
    pub notice: Option<Notice>,
    pub measured: Measured,
    pub help_scroll: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    Viewer,
    /// A page of a branch; of the roots when there is no parent.
    Page {
        parent: Option<OrganizationId>,
        from_start: bool,
    },
    Detail,
    Rows {
        ids: Vec<OrganizationId>,
    },
    Jump,
    Search {
        name: String,
    },
    Act,
}

impl Purpose {
    /// True when the answer says what stands in rows of the tree.
    pub fn brings_rows(&self) -> bool {
        matches!(self, Self::Page { .. } | Self::Rows { .. } | Self::Jump)
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
    Dialog(Box<Dialog>),
    Secret(SecretPanel),
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
            doubt: Doubt::default(),
            detail: Detail::default(),
            side: Side::default(),
            overlay: Overlay::default(),
            jump: None,
            notice: None,
            measured: Measured { tree_rows: 20, detail_rows: 20, ..Measured::default() },
            help_scroll: 0,
        }
    }

    /// Where keys go now.
    pub fn context(&self) -> Context {
        if !self.settings.has_key {
            return Context::Welcome;
        }
        match &self.overlay {
            Overlay::None => match self.side {
                Side::Tree => Context::Tree,
                Side::Detail => Context::Detail,
            },
            Overlay::Help => Context::Help,
            Overlay::Search(_) | Overlay::Palette(_) => Context::Finder,
            Overlay::Dialog(dialog) => match dialog.stage {
                Stage::Editing => Context::Editing,
                Stage::Confirming { .. } => Context::Confirming,
                Stage::Sending { .. } => Context::Sending,
                Stage::Unknown { .. } => Context::Unknown,
                Stage::Refused { .. } => Context::Refused,
            },
            Overlay::Secret(_) => Context::Secret,
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

    /// Why a command may not be given at all.
    pub fn forbids(&self, command: &Command) -> Option<&'static str> {
        (self.settings.read_only && command.changes).then_some("the console was started with --read-only")
    }

    /// The scope a key seems to lack for a command. The gateway has the last word.
    pub fn missing_scope(&self, command: &Command) -> Option<&'static str> {
        let needed = command.scope?;
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
        let planned = [self.detail.ask_at, self.doubt.ask_at, self.link.catch_up_at, self.age_changes_at()];
        planned.into_iter().chain([search, resend, notice]).flatten().min()
    }

    /// How old the data is, while that is shown.
    pub fn age(&self) -> Option<SignedDuration> {
        let since = self.link.stale_since?;
        Some(self.now.duration_since(since).max(SignedDuration::ZERO))
    }

    fn age_changes_at(&self) -> Option<Timestamp> {
        let age = self.age()?;
        // Seconds matter in the first minute and only there.
        let step = if age < SignedDuration::from_secs(60) { 1 } else { 60 };
        let shown = age.as_secs() / step;
        let next = SignedDuration::from_secs((shown + 1) * step);
        self.link.stale_since?.checked_add(next).ok()
    }
}
