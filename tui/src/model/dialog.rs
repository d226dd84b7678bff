//! A question about one act, on one target or on several that were marked.
//!
//! Invariants: the targets, the source and the idempotency keys are taken when the dialog opens and
//! no later message changes them, whatever happens to the list behind; what is sent is the act that
//! the question showed; the answer that costs nothing is the marked one.

use jiff::{SignedDuration, Timestamp};
use tui_input::Input;

use crate::act::{Act, Field, Form, Named, Pinned, Problem, Risk, Spec, Value};
use crate::credits::Credits;
use crate::effect::RequestId;
use crate::graphql::{Plan, Secret};
use crate::text;

/// Keys that arrive sooner after a question than this were meant for what stood there before.
pub const GUARD: SignedDuration = SignedDuration::from_millis(150);
/// Targets that one dialog takes.
pub const TARGETS_MAX: usize = 100;
/// Of an id, where a name cannot be typed for certain.
const ID_LETTERS: usize = 8;

#[derive(Clone, Debug)]
pub struct Dialog {
    pub spec: &'static Spec,
    pub risk: Risk,
    /// At least one.
    pub items: Vec<Item>,
    pub source: Option<Named>,
    pub source_available: Option<Credits>,
    pub fields: Vec<Field>,
    pub field: usize,
    pub problem: Option<String>,
    pub stage: Stage,
    pub guarded_until: Timestamp,
    /// Whether the marked answer is "yes". It never is at first.
    pub yes_marked: bool,
    /// Secrets that came with what is done so far; they are shown when all is decided.
    pub issued: Vec<SecretPanel>,
}

/// One target, and how far its act has come.
#[derive(Clone, Debug)]
pub struct Item {
    pub target: Pinned,
    pub idempotency_key: String,
    pub plan: Planned,
    pub fate: Fate,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub enum Planned {
    /// The act has no plan.
    #[default]
    Not,
    Asked(RequestId),
    Known(Box<Plan>),
    Failed(String),
}

#[derive(Clone, Debug, Default, PartialEq)]
pub enum Fate {
    #[default]
    Waiting,
    Done,
    Refused(Vec<Refusal>),
}

#[derive(Clone, Debug)]
pub enum Stage {
    Editing,
    Confirming {
        acts: Vec<Act>,
    },
    /// The act at `at` is out.
    Sending {
        acts: Vec<Act>,
        at: usize,
        request: RequestId,
        attempt: u32,
    },
    /// The connection went before the answer came. `resend_at` is absent when the console has
    /// tried often enough and waits to be told.
    Unknown {
        acts: Vec<Act>,
        at: usize,
        attempt: u32,
        resend_at: Option<Timestamp>,
        reason: String,
    },
    /// All is decided, and not all was done.
    Refused,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub code: Option<String>,
    pub message: String,
}

/// The secret of something new, until its panel is closed and not a moment longer.
#[derive(Clone, Debug)]
pub struct SecretPanel {
    pub organization: Named,
    pub name: String,
    pub prefix: String,
    pub secret: Secret,
}

/// Secrets to be shown, one after the other, and the dialog that still has something to say then.
#[derive(Clone, Debug)]
pub struct Secrets {
    /// At least one; the first is shown.
    pub panels: Vec<SecretPanel>,
    pub after: Option<Box<Dialog>>,
    pub guarded_until: Timestamp,
}

/// What would undo the last act, kept until the next one.
#[derive(Clone, Debug)]
pub struct Offer {
    pub spec: &'static Spec,
    pub targets: Vec<Pinned>,
    pub source: Option<Named>,
    /// What its fields begin with.
    pub filled: Vec<(&'static str, String)>,
}

impl Dialog {
    /// The first target; of most dialogs the only one.
    pub fn target(&self) -> &Pinned {
        &self.items[0].target
    }

    pub fn is_of_many(&self) -> bool {
        self.items.len() > 1
    }

    /// What has to be typed to show that the target was read: its name; the end of its id where the
    /// name has letters that only look familiar; for several, how many they are.
    pub fn echo(targets: &[Pinned]) -> String {
        match targets {
            [target] if text::spelled_out(&target.name).is_none() && !target.name.trim().is_empty() => {
                target.name.trim().to_owned()
            }
            [target] => target.id.chars().skip(target.id.chars().count().saturating_sub(ID_LETTERS)).collect(),
            targets => {
                let plural = targets.first().map_or("", |target| target.kind.plural());
                format!("{} {plural}", targets.len())
            }
        }
    }

    /// The field in which the name is typed.
    pub fn echo_field(targets: &[Pinned]) -> Field {
        let expected = Self::echo(targets);
        let hint = format!("type {expected} to show that it is meant");
        Field {
            label: "Type it",
            hint,
            value: Value::Echo { input: Input::default(), expected },
            before: None,
            decides: false,
        }
    }

    fn form<'a>(&'a self, item: &'a Item) -> Form<'a> {
        Form {
            target: &item.target,
            source: self.source.as_ref(),
            fields: &self.fields,
            plan: match &item.plan {
                Planned::Known(plan) => Some(plan),
                Planned::Not | Planned::Asked(_) | Planned::Failed(_) => None,
            },
            idempotency_key: &item.idempotency_key,
        }
    }

    /// The question that asks the gateway what would happen to an item.
    pub fn plan_request(&self, item: &Item) -> Option<crate::graphql::Request<crate::graphql::Answer>> {
        self.spec.plan.and_then(|plan| plan(&self.form(item)))
    }

    /// The acts that the fields describe, or what is wrong with them.
    pub fn acts(&self) -> Result<Vec<Act>, Problem> {
        for field in &self.fields {
            if let Value::Echo { input, expected } = &field.value
                && input.value().trim() != expected
            {
                return Err(Problem::of(field.label, format!("type it exactly: {expected}")));
            }
        }
        let undecided = self.items.iter().filter(|item| item.fate != Fate::Done);
        undecided
            .map(|item| {
                match &item.plan {
                    Planned::Asked(_) => return Err(Problem::of("", "the plan is not here yet")),
                    Planned::Failed(failure) => return Err(Problem::of("", format!("no plan: {failure}"))),
                    Planned::Not | Planned::Known(_) => {}
                }
                Act::of(self.spec, &self.form(item))
            })
            .collect()
    }

    /// What the answer "yes" is called, so that it cannot be mistaken for another.
    pub fn yes_label(&self) -> String {
        let verb = self.spec.verb;
        match &self.stage {
            Stage::Confirming { acts } if acts.len() > 1 => format!("{verb} {}", acts.len()),
            Stage::Confirming { acts } => match acts.first().and_then(|act| act.says.first()) {
                Some(("Amount", amount)) => {
                    let amount = amount.split(' ').next().unwrap_or_default();
                    format!("{verb} {amount}")
                }
                _ => verb.to_owned(),
            },
            _ => verb.to_owned(),
        }
    }

    /// How many were done and how many were not.
    pub fn tally(&self) -> (usize, usize) {
        let done = self.items.iter().filter(|item| item.fate == Fate::Done).count();
        (done, self.items.len() - done)
    }
}
