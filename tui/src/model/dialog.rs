//! A question about one act on one organization.
//!
//! Invariants: the target, the source and the idempotency key are taken when the dialog opens and
//! no later message changes them, whatever happens to the tree behind; what is sent is the act that
//! the question showed; the answer that costs nothing is the marked one.

use jiff::{SignedDuration, Timestamp};
use tui_input::Input;

use crate::credits::Credits;
use crate::effect::RequestId;
use crate::graphql::{Act, Environment, OrganizationId, Secret};

/// Keys that arrive sooner after a question than this were meant for what stood there before.
pub const GUARD: SignedDuration = SignedDuration::from_millis(150);
const REASON_CHARS_MAX: usize = 500;
const NAME_CHARS_MAX: usize = 255;
const AMOUNT_CHARS_MAX: usize = 24;
const SCOPES_CHARS_MAX: usize = 1000;

/// An organization as it was when the dialog opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub id: OrganizationId,
    pub name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Suspend,
    Resume,
    Transfer,
    MintKey,
}

#[derive(Clone, Debug)]
pub struct Dialog {
    pub kind: Kind,
    pub target: Named,
    pub source: Option<Named>,
    pub source_available: Option<Credits>,
    pub fields: Vec<Field>,
    pub field: usize,
    pub problem: Option<String>,
    pub stage: Stage,
    pub idempotency_key: String,
    pub guarded_until: Timestamp,
    /// Whether the marked answer is "yes". It never is at first.
    pub yes_marked: bool,
}

#[derive(Clone, Debug)]
pub enum Stage {
    Editing,
    Confirming {
        act: Act,
    },
    Sending {
        act: Act,
        request: RequestId,
        attempt: u32,
    },
    /// The connection went before the answer came. `resend_at` is absent when the console has
    /// tried often enough and waits to be told.
    Unknown {
        act: Act,
        attempt: u32,
        resend_at: Option<Timestamp>,
        reason: String,
    },
    /// Decided, and nothing was done.
    Refused {
        refusals: Vec<Refusal>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub code: Option<String>,
    pub message: String,
}

#[derive(Clone, Debug)]
pub struct Field {
    pub label: &'static str,
    pub hint: &'static str,
    pub value: Value,
}

#[derive(Clone, Debug)]
pub enum Value {
    Text { input: Input, chars_max: usize },
    Choice { words: &'static [&'static str], chosen: usize },
}

/// A minted key's secret, for as long as its panel is open and not a moment longer.
#[derive(Clone, Debug)]
pub struct SecretPanel {
    pub organization: Named,
    pub key_name: String,
    pub prefix: String,
    pub secret: Secret,
    pub guarded_until: Timestamp,
}

impl Field {
    fn text(label: &'static str, hint: &'static str, chars_max: usize, value: &str) -> Self {
        let input = Input::new(value.to_owned());
        Self { label, hint, value: Value::Text { input, chars_max } }
    }

    pub fn content(&self) -> &str {
        match &self.value {
            Value::Text { input, .. } => input.value(),
            Value::Choice { words, chosen } => words.get(*chosen).copied().unwrap_or_default(),
        }
    }
}

impl Kind {
    pub fn title(self) -> &'static str {
        match self {
            Self::Suspend => "Suspend",
            Self::Resume => "Resume",
            Self::Transfer => "Transfer credits",
            Self::MintKey => "Mint an API key",
        }
    }

    pub fn fields(self, environment: &Environment) -> Vec<Field> {
        match self {
            Self::Suspend => {
                vec![Field::text("Reason", "kept in the audit log and shown to the organization", REASON_CHARS_MAX, "")]
            }
            Self::Resume => Vec::new(),
            Self::Transfer => vec![
                Field::text("Amount", "whole credits", AMOUNT_CHARS_MAX, ""),
                Field::text("Description", "optional, on both ledgers", REASON_CHARS_MAX, ""),
            ],
            Self::MintKey => vec![
                Field::text("Name", "what will use it", NAME_CHARS_MAX, ""),
                Field::text("Scopes", "separated by spaces or commas", SCOPES_CHARS_MAX, "org:read credits:read"),
                Field {
                    label: "Environment",
                    hint: "space for the other",
                    value: Value::Choice {
                        words: &["LIVE", "TEST"],
                        chosen: usize::from(*environment == Environment::Test),
                    },
                },
            ],
        }
    }
}

impl Dialog {
    fn field_content(&self, label: &str) -> &str {
        let field = self.fields.iter().find(|field| field.label == label);
        field.map_or("", Field::content).trim()
    }

    /// The act that the fields describe, or the field that is wrong and what to do about it.
    pub fn act(&self) -> Result<Act, (usize, String)> {
        let organization = self.target.id.clone();
        match self.kind {
            Kind::Suspend => match self.field_content("Reason") {
                "" => Err((0, "say why: the reason stays in the audit log".to_owned())),
                reason => Ok(Act::Suspend { organization, reason: reason.to_owned() }),
            },
            Kind::Resume => Ok(Act::Resume { organization }),
            Kind::Transfer => {
                let amount =
                    Credits::from_typed(self.field_content("Amount")).map_err(|problem| (0, problem.to_string()))?;
                let source = self.source.as_ref().map(|source| source.id.clone());
                let source = source.ok_or((0, "there is no organization to take from".to_owned()))?;
                let description = Some(self.field_content("Description").to_owned());
                let description = description.filter(|text| !text.is_empty());
                Ok(Act::Transfer { source, target: organization, amount, description })
            }
            Kind::MintKey => {
                let name = self.field_content("Name").to_owned();
                if name.is_empty() {
                    return Err((0, "give the key a name, such as what will use it".to_owned()));
                }
                let scopes: Vec<String> = self
                    .field_content("Scopes")
                    .split([',', ' '])
                    .filter(|scope| !scope.is_empty())
                    .map(str::to_owned)
                    .collect();
                if scopes.is_empty() {
                    return Err((1, "name at least one scope, such as org:read".to_owned()));
                }
                let environment = match self.field_content("Environment") {
                    "TEST" => Environment::Test,
                    _ => Environment::Live,
                };
                Ok(Act::MintKey { organization, name, scopes, environment })
            }
        }
    }

    /// What the answer "yes" is called, so that it cannot be mistaken for another.
    pub fn yes_label(&self) -> String {
        match (self.kind, &self.stage) {
            (Kind::Transfer, Stage::Confirming { act: Act::Transfer { amount, .. } }) => {
                format!("Transfer {amount}")
            }
            (Kind::Transfer, _) => "Transfer".to_owned(),
            (Kind::Suspend, _) => "Suspend".to_owned(),
            (Kind::Resume, _) => "Resume".to_owned(),
            (Kind::MintKey, _) => "Mint".to_owned(),
        }
    }
}
