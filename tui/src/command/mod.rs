//! What can be done, as one table.
//!
//! Keys, footer, palette, help, the one-shot commands and the documentation all read it, so that
//! none of them can promise what another does not do. A new command is a row of the table, and an
//! arm in `update` or a file in `act`.

mod table;

use crate::act::{Risk, Spec};
use crate::msg::Key;
use crate::resource::ResourceId;
pub use table::{COMMANDS, Step};

/// Where the keys go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    /// No key was given: there is nothing to do but to leave.
    Welcome,
    Tree,
    Detail,
    List(ResourceId),
    /// One record of a list, whole.
    Record,
    /// The columns of a list.
    Columns,
    Help,
    /// Search, command line and filter: a line of text over a list.
    Finder,
    /// A dialog's fields.
    Editing,
    /// A dialog's question.
    Confirming,
    /// A dialog whose act is on its way; nothing may be pressed but to leave the program.
    Sending,
    /// A dialog whose outcome is not known.
    Unknown,
    /// A dialog whose act was refused.
    Refused,
    /// A secret that is shown once.
    Secret,
}

impl Context {
    /// True where a plain letter is text.
    pub fn takes_text(self) -> bool {
        matches!(self, Self::Finder | Self::Editing)
    }
}

/// Under which heading help and documentation list a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    Moving,
    Views,
    Lists,
    Organizations,
    Keys,
    Endpoints,
    Console,
    Finder,
    Dialog,
}

impl Group {
    pub const ALL: [Self; 9] = [
        Self::Moving,
        Self::Views,
        Self::Lists,
        Self::Organizations,
        Self::Keys,
        Self::Endpoints,
        Self::Console,
        Self::Finder,
        Self::Dialog,
    ];

    pub fn title(self) -> &'static str {
        match self {
            Self::Moving => "Moving",
            Self::Views => "Views",
            Self::Lists => "In a list",
            Self::Organizations => "Acting on organizations",
            Self::Keys => "Acting on keys",
            Self::Endpoints => "Acting on webhook endpoints and deliveries",
            Self::Console => "The console",
            Self::Finder => "Search, command line, filter",
            Self::Dialog => "In a dialog",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Does {
    Step(Step),
    Show(ResourceId),
    /// Opens the dialog of an act: the only way to a mutation.
    Act(&'static Spec),
}

#[derive(Debug)]
pub struct Command {
    /// As the palette and the command line spell it.
    pub name: &'static str,
    pub does: Does,
    pub keys: &'static [Key],
    pub contexts: &'static [Context],
    /// One or two words, for the footer; the name when empty.
    pub label: &'static str,
    /// A line, for help, palette and documentation.
    pub purpose: &'static str,
    pub group: Group,
    pub in_footer: bool,
}

impl Command {
    pub fn act(&self) -> Option<&'static Spec> {
        if let Does::Act(spec) = self.does { Some(spec) } else { None }
    }

    /// True when it leads to a mutation: a read-only console does not have it.
    pub fn changes(&self) -> bool {
        self.act().is_some()
    }

    pub fn risk(&self) -> Option<Risk> {
        self.act().map(|spec| spec.risk)
    }

    /// The scope the gateway will ask a key for. A hint beside the command, never a lock: the
    /// gateway decides.
    pub fn scope(&self) -> Option<&'static str> {
        match self.does {
            Does::Act(spec) => Some(spec.scope),
            Does::Show(id) => Some(id.spec().scope),
            Does::Step(_) => None,
        }
    }

    pub fn does_step(&self, step: Step) -> bool {
        self.does == Does::Step(step)
    }

    pub fn footer_label(&self) -> &'static str {
        if self.label.is_empty() { self.name } else { self.label }
    }
}

/// The command a key means in a context.
pub fn bound(context: Context, key: Key) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.contexts.contains(&context) && command.keys.contains(&key))
}

/// Every command of a context, in the order of the table.
pub fn of_context(context: Context) -> impl Iterator<Item = &'static Command> {
    COMMANDS.iter().filter(move |command| command.contexts.contains(&context))
}

pub fn named(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.name == name)
}

/// The command that opens an act's dialog.
pub fn of_act(spec: &Spec) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.act() == Some(spec))
}

/// The acts, which are the one-shot commands as well.
pub fn acts() -> impl Iterator<Item = (&'static Command, &'static Spec)> {
    COMMANDS.iter().filter_map(|command| command.act().map(|spec| (command, spec)))
}

#[cfg(test)]
mod tests {
    use super::table::EVERYWHERE;
    use super::*;

    #[test]
    fn a_key_means_one_thing_in_a_context() {
        for context in EVERYWHERE {
            let mut taken = std::collections::HashMap::new();
            for command in of_context(*context) {
                for key in command.keys {
                    let before = taken.insert(*key, command.name);
                    assert_eq!(before, None, "{key} in {context:?}, for {}", command.name);
                }
            }
        }
    }

    #[test]
    fn a_name_means_one_thing() {
        let mut names = std::collections::HashSet::new();
        for command in COMMANDS.iter().filter(|command| !command.name.is_empty()) {
            assert!(names.insert(command.name), "{} twice", command.name);
        }
    }

    #[test]
    fn no_letter_is_a_command_where_text_is_typed() {
        for context in EVERYWHERE.iter().filter(|context| context.takes_text()) {
            for command in of_context(*context) {
                let letter = command.keys.iter().any(|key| matches!(key, Key::Char(_)));
                assert!(!letter, "{} in {context:?}", command.name);
            }
        }
    }

    #[test]
    fn no_key_that_asks_is_one_that_confirms() {
        let confirming: Vec<_> = of_context(Context::Confirming)
            .filter(|command| command.does_step(Step::Answer) || command.does_step(Step::SwitchAnswer))
            .flat_map(|command| command.keys)
            .collect();
        assert!(!confirming.is_empty());
        for (command, _) in acts() {
            assert!(command.keys.iter().all(|key| !confirming.contains(&key)), "{}", command.name);
        }
    }

    #[test]
    fn what_a_command_does_fits_on_its_line_of_help() {
        // Of 80 columns: the frame, the keys, and a blank.
        for command in COMMANDS {
            assert!(command.purpose.chars().count() <= 57, "{:?}", command.purpose);
        }
    }

    #[test]
    fn no_label_of_a_dialog_is_cut() {
        for (command, spec) in acts() {
            for field in crate::once::plain_fields(spec) {
                assert!(field.label.len() <= 13, "{} of {}", field.label, command.name);
            }
        }
    }

    #[test]
    fn every_list_has_a_command_that_shows_it() {
        for id in ResourceId::ALL {
            assert!(COMMANDS.iter().any(|command| command.does == Does::Show(id)), "{id:?}");
        }
    }
}
