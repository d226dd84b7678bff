//! The fields of a dialog, which are the flags of a one-shot command as well.

use serde::Serialize;
use tui_input::Input;

use crate::credits::Credits;
use crate::graphql::schema;

pub const REASON_CHARS_MAX: usize = 500;
pub const NAME_CHARS_MAX: usize = 255;
pub const AMOUNT_CHARS_MAX: usize = 24;
pub const SCOPES_CHARS_MAX: usize = 1000;
pub const ENVIRONMENTS: &[&str] = &["LIVE", "TEST"];

#[derive(Clone, Debug)]
pub struct Field {
    pub label: &'static str,
    pub hint: String,
    pub value: Value,
    /// What is so now, where that is known; what would be put back.
    pub before: Option<String>,
    /// Whether the gateway's plan depends on what is typed here.
    pub decides: bool,
}

#[derive(Clone, Debug)]
pub enum Value {
    Text {
        input: Input,
        chars_max: usize,
    },
    Choice {
        words: &'static [&'static str],
        chosen: usize,
    },
    /// To be typed exactly so, by somebody who has read what it is about.
    Echo {
        input: Input,
        expected: String,
    },
}

/// What is wrong with a form, and in which field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub label: &'static str,
    pub words: String,
}

impl Problem {
    pub fn of(label: &'static str, words: impl Into<String>) -> Self {
        Self { label, words: words.into() }
    }
}

impl Field {
    pub fn text(label: &'static str, hint: &str, chars_max: usize, value: &str) -> Self {
        let value = Value::Text { input: Input::new(value.to_owned()), chars_max };
        Self { label, hint: hint.to_owned(), value, before: None, decides: false }
    }

    pub fn choice(label: &'static str, hint: &str, words: &'static [&'static str], chosen: usize) -> Self {
        Self { label, hint: hint.to_owned(), value: Value::Choice { words, chosen }, before: None, decides: true }
    }

    /// The same, and the plan is made anew when it was typed.
    pub fn deciding(self) -> Self {
        Self { decides: true, ..self }
    }

    pub fn reason() -> Self {
        Self::text("Reason", "kept in the audit log and shown to the organization", REASON_CHARS_MAX, "")
    }

    /// An amount that is set, kept or taken away.
    pub fn change(label: &'static str, now: Option<Option<Credits>>) -> Self {
        let before = now.map(|now| now.map_or_else(|| "none".to_owned(), |now| now.to_string()));
        let hint = match &before {
            Some(before) => format!("now {before}; empty keeps it, none takes it away"),
            None => "empty keeps what is so, none takes it away".to_owned(),
        };
        Self { before, hint, ..Self::text(label, "", AMOUNT_CHARS_MAX, "") }
    }

    pub fn content(&self) -> &str {
        match &self.value {
            Value::Text { input, .. } | Value::Echo { input, .. } => input.value(),
            Value::Choice { words, chosen } => words.get(*chosen).copied().unwrap_or_default(),
        }
    }

    /// The flag of the one-shot command: `--refill-amount`.
    pub fn flag(&self) -> String {
        self.label.to_lowercase().replace(' ', "-")
    }

    /// Puts a value in; says what the choices are when it is none of them.
    pub fn fill(&mut self, text: &str) -> Result<(), Problem> {
        let label = self.label;
        match &mut self.value {
            Value::Text { input, chars_max } if text.chars().count() <= *chars_max => *input = Input::new(text.into()),
            Value::Text { chars_max, .. } => return Err(Problem::of(label, format!("at most {chars_max} characters"))),
            Value::Echo { input, .. } => *input = Input::new(text.into()),
            Value::Choice { words, chosen } => {
                let at = words.iter().position(|word| word.eq_ignore_ascii_case(text.trim()));
                *chosen = at.ok_or_else(|| Problem::of(label, format!("one of {}", words.join(", "))))?;
            }
        }
        Ok(())
    }
}

/// What becomes of an optional amount. Absent and null differ in the schema, and here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Change {
    #[serde(skip)]
    Kept,
    Removed,
    Set(Credits),
}

impl Change {
    /// As somebody typed it: nothing, "none", or an amount.
    pub fn from_typed(label: &'static str, text: &str) -> Result<Self, Problem> {
        match text.trim() {
            "" => Ok(Self::Kept),
            none if none.eq_ignore_ascii_case("none") => Ok(Self::Removed),
            // A cap of nothing stops all spending, and is one.
            "0" => Ok(Self::Set(Credits(0))),
            amount => Credits::from_typed(amount)
                .map(Self::Set)
                .map_err(|problem| Problem::of(label, format!("{problem}; or none, or nothing"))),
        }
    }

    pub fn is_kept(&self) -> bool {
        *self == Self::Kept
    }

    /// From what is so to what will be, for the question.
    pub fn says(self, before: Option<&str>, arrow: &str) -> Option<String> {
        let after = match self {
            Self::Kept => return None,
            Self::Removed => "none".to_owned(),
            Self::Set(amount) => amount.to_string(),
        };
        Some(match before {
            Some(before) => format!("{before} {arrow} {after}"),
            None => after,
        })
    }
}

impl cynic::schema::IsScalar<schema::Credits> for Change {
    type SchemaType = schema::Credits;
}
cynic::impl_coercions!(Change [] [], schema::Credits);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_set_kept_or_taken_away_and_never_guessed() {
        let change = |text| Change::from_typed("Cap", text).ok();
        assert_eq!(change(" "), Some(Change::Kept));
        assert_eq!(change("None"), Some(Change::Removed));
        assert_eq!(change("1,500"), Some(Change::Set(Credits(1500))));
        assert_eq!(change("0"), Some(Change::Set(Credits(0))));
        assert_eq!(change("no"), None);
    }

    #[test]
    fn a_removed_amount_is_null_and_not_absent() {
        assert_eq!(serde_json::to_string(&Change::Removed).unwrap(), "null");
        assert_eq!(serde_json::to_string(&Change::Set(Credits(7))).unwrap(), "7");
    }

    #[test]
    fn a_choice_is_filled_in_by_its_word_only() {
        let mut field = Field::choice("Environment", "", &["LIVE", "TEST"], 0);
        assert!(field.fill("test").is_ok());
        assert_eq!(field.content(), "TEST");
        assert!(field.fill("staging").is_err());
    }
}
