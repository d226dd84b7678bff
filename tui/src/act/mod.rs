//! What the console can make the gateway do.
//!
//! An act is one file here (its name, risk, fields, mutation, and what undoes it) and one row in the
//! table of commands. The dialog, the one-shot command, help and the documentation come from those.
//!
//! Invariants: an [`Act`] is made from pinned targets before its question is shown; the question
//! shows its words, and what is sent is its request. Nothing that arrives in between changes either.
//!
//! Not here: dialogs and sending. An act knows what it is, not how far it has come.

mod archive;
mod delivery;
mod endpoint;
mod field;
mod grant;
mod limits;
mod mint;
mod relation;
mod restructure;
mod resume;
mod revoke;
mod rotate;
mod secret;
mod suspend;
mod transfer;

pub use archive::ARCHIVE;
pub use delivery::{PING, REDELIVER};
pub use endpoint::{ENDPOINT_DISABLE, ENDPOINT_ENABLE, ENDPOINT_PAUSE, ENDPOINT_UNPAUSE};
pub use field::{Change, Field, Problem, Value};
pub use grant::GRANT;
pub use limits::LIMITS;
pub use mint::MINT;
pub use relation::RELATION;
pub use restructure::{DETACH, MOVE};
pub use resume::RESUME;
pub use revoke::REVOKE;
pub use rotate::ROTATE;
pub use secret::SECRET_ROTATE;
pub use suspend::SUSPEND;
pub use transfer::TRANSFER;

use crate::graphql::{Answer, Environment, OrganizationDetail, OrganizationId, Outcome, Plan, Request};

/// An organization as it was when it was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub id: OrganizationId,
    pub name: String,
}

/// What an act can be done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Organization,
    ApiKey,
    Endpoint,
    Delivery,
}

impl Kind {
    pub fn word(self) -> &'static str {
        match self {
            Self::Organization => "organization",
            Self::ApiKey => "key",
            Self::Endpoint => "endpoint",
            Self::Delivery => "delivery",
        }
    }

    pub fn plural(self) -> &'static str {
        match self {
            Self::Organization => "organizations",
            Self::ApiKey => "keys",
            Self::Endpoint => "endpoints",
            Self::Delivery => "deliveries",
        }
    }
}

/// The one thing an act is done to, as it was when it was chosen: by id, never by its place in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pinned {
    pub kind: Kind,
    pub id: String,
    pub name: String,
    /// Whose it is; of an organization, the organization itself.
    pub organization: Named,
    /// The version that was seen, where the schema has one.
    pub version: Option<i32>,
}

impl Pinned {
    pub fn organization(named: Named, version: Option<i32>) -> Self {
        Self {
            kind: Kind::Organization,
            id: named.id.as_str().to_owned(),
            name: named.name.clone(),
            organization: named,
            version,
        }
    }
}

/// What a wrong key costs, and so how much is asked before an act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Risk {
    /// Undone by another act: a question.
    Low,
    /// Felt by customers or in the books: a question, and a reason where the schema keeps one.
    Medium,
    /// Not to be undone: the name is typed as well.
    High,
}

impl Risk {
    pub fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    /// In production one step more is asked of what customers feel.
    pub fn raised(self, production: bool) -> Self {
        match self {
            Self::Medium if production => Self::High,
            risk => risk,
        }
    }
}

/// The question for a plan; none as long as fields are empty that the plan depends on.
pub type AskForPlan = fn(&Form) -> Option<Request<Answer>>;

/// One kind of act.
pub struct Spec {
    /// As the palette, the command line and the one-shot command spell it.
    pub name: &'static str,
    /// Over the dialog.
    pub title: &'static str,
    /// The answer "yes", so that it cannot be mistaken for another.
    pub verb: &'static str,
    pub on: Kind,
    pub risk: Risk,
    /// The scope the gateway will ask a key for.
    pub scope: &'static str,
    /// Whether a second organization gives.
    pub has_source: bool,
    pub fields: fn(&Occasion) -> Vec<Field>,
    /// The gateway's own account of what would happen, where it gives one.
    pub plan: Option<AskForPlan>,
    pub prepare: fn(&Form) -> Result<Prepared, Problem>,
    pub inverse: Option<Inverse>,
}

impl PartialEq for Spec {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl std::fmt::Debug for Spec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// What undoes an act.
#[derive(Clone, Copy, Debug)]
pub struct Inverse {
    pub spec: fn() -> &'static Spec,
    pub how: Undoing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undoing {
    /// The other act on the same target.
    SameTarget,
    /// Back the way it came, the same amount.
    Swapped,
    /// The other act on what was made.
    WhatWasMade,
    /// The same act with what stood in the fields before.
    Before,
}

/// When and about what a dialog opens.
pub struct Occasion<'a> {
    pub target: &'a Pinned,
    pub environment: &'a Environment,
    /// What is known of the target's organization, to show what would change.
    pub known: Option<&'a OrganizationDetail>,
}

/// A filled-in dialog, for one of its targets.
pub struct Form<'a> {
    pub target: &'a Pinned,
    pub source: Option<&'a Named>,
    pub fields: &'a [Field],
    pub plan: Option<&'a Plan>,
    pub idempotency_key: &'a str,
}

impl Form<'_> {
    /// What stands in a field, without blanks at its ends.
    pub fn text(&self, label: &str) -> &str {
        let field = self.fields.iter().find(|field| field.label == label);
        field.map_or("", Field::content).trim()
    }

    pub fn optional(&self, label: &str) -> Option<String> {
        Some(self.text(label)).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// What stands in a field that may not be empty; `otherwise` says what to do about one that is.
    pub fn required(&self, label: &'static str, otherwise: &str) -> Result<String, Problem> {
        self.optional(label).ok_or_else(|| Problem::of(label, otherwise))
    }

    pub fn plan_hash(&self) -> Option<String> {
        self.plan.map(|plan| plan.plan_hash.clone())
    }
}

/// What a form comes to.
pub struct Prepared {
    /// The question, line by line: label and exact value.
    pub says: Vec<(&'static str, String)>,
    /// For the notice afterwards, before the target's name: "Suspended".
    pub done: String,
    pub request: Request<Outcome>,
}

/// One act on one target, ready to be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Act {
    pub spec: &'static Spec,
    pub target: Pinned,
    pub source: Option<Named>,
    pub idempotency_key: String,
    pub says: Vec<(&'static str, String)>,
    pub done: String,
    pub request: Request<Outcome>,
}

impl Act {
    pub fn of(spec: &'static Spec, form: &Form) -> Result<Self, Problem> {
        let prepared = (spec.prepare)(form)?;
        Ok(Self {
            spec,
            target: form.target.clone(),
            source: form.source.cloned(),
            idempotency_key: form.idempotency_key.to_owned(),
            says: prepared.says,
            done: prepared.done,
            request: prepared.request,
        })
    }
}
