//! The one table of commands. Keys, footer, help and palette all read it, so that none of them can
//! promise what another does not do.
//!
//! A new command is a variant and a row here, and an arm in `update`.

use crate::msg::Key;

/// Where the keys go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    /// No key was given: there is nothing to do but to leave.
    Welcome,
    Tree,
    Detail,
    Help,
    /// Search and palette: a line of text over a list.
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

    pub fn title(self) -> &'static str {
        match self {
            Self::Welcome => "Without a key",
            Self::Tree => "Tree",
            Self::Detail => "Organization",
            Self::Help => "Help",
            Self::Finder => "Search and commands",
            Self::Editing => "Filling in",
            Self::Confirming => "Confirming",
            Self::Sending => "Sending",
            Self::Unknown => "Unknown outcome",
            Self::Refused => "Refused",
            Self::Secret => "Secret",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CommandId {
    Up,
    Down,
    PageUp,
    PageDown,
    Top,
    Bottom,
    Expand,
    Collapse,
    SwitchSide,
    Search,
    Palette,
    Help,
    Refresh,
    Suspend,
    Resume,
    Transfer,
    MintKey,
    CopyId,
    Quit,
    QuitAnywhere,
    Close,
    FinderUp,
    FinderDown,
    Choose,
    NextField,
    PreviousField,
    NextChoice,
    Submit,
    SwitchAnswer,
    Answer,
    Confirm,
    Edit,
    CheckAgain,
    CopySecret,
}

pub struct Command {
    pub id: CommandId,
    pub keys: &'static [Key],
    pub contexts: &'static [Context],
    /// One or two words, for the footer.
    pub label: &'static str,
    /// A line, for help and palette.
    pub purpose: &'static str,
    pub in_footer: bool,
    /// True when it leads to a mutation: a read-only console does not have it.
    pub changes: bool,
    /// The scope the gateway will ask a key for. A hint beside the command, never a lock: the
    /// gateway decides.
    pub scope: Option<&'static str>,
}

const BROWSING: &[Context] = &[Context::Tree, Context::Detail];
const EVERYWHERE: &[Context] = &[
    Context::Welcome,
    Context::Tree,
    Context::Detail,
    Context::Help,
    Context::Finder,
    Context::Editing,
    Context::Confirming,
    Context::Sending,
    Context::Unknown,
    Context::Refused,
    Context::Secret,
];

const fn plain(
    id: CommandId,
    keys: &'static [Key],
    contexts: &'static [Context],
    label: &'static str,
    purpose: &'static str,
) -> Command {
    Command { id, keys, contexts, label, purpose, in_footer: true, changes: false, scope: None }
}

impl Command {
    const fn unlisted(mut self) -> Self {
        self.in_footer = false;
        self
    }

    const fn changing(mut self, scope: &'static str) -> Self {
        self.changes = true;
        self.scope = Some(scope);
        self
    }
}

#[rustfmt::skip]
pub const COMMANDS: &[Command] = {
    use CommandId as Id;
    use Context as In;
    &[
        plain(Id::Up, &[Key::Up, Key::Char('k')], &[In::Tree, In::Detail, In::Help], "up", "Move up").unlisted(),
        plain(Id::Down, &[Key::Down, Key::Char('j')], &[In::Tree, In::Detail, In::Help], "down", "Move down").unlisted(),
        plain(Id::PageUp, &[Key::PageUp, Key::Ctrl('b')], BROWSING, "page up", "Move up by a page").unlisted(),
        plain(Id::PageDown, &[Key::PageDown, Key::Ctrl('f')], BROWSING, "page down", "Move down by a page").unlisted(),
        plain(Id::Top, &[Key::Home, Key::Char('g')], BROWSING, "top", "Go to the first line").unlisted(),
        plain(Id::Bottom, &[Key::End, Key::Char('G')], BROWSING, "bottom", "Go to the last line").unlisted(),
        plain(Id::Expand, &[Key::Enter, Key::Right, Key::Char('l')], &[In::Tree], "open", "Open the branch, or load more of it"),
        plain(Id::Collapse, &[Key::Left, Key::Char('h')], &[In::Tree], "close", "Close the branch, or go to its parent").unlisted(),
        plain(Id::Search, &[Key::Char('/')], BROWSING, "search", "Search all organizations by name"),
        plain(Id::Suspend, &[Key::Char('s')], BROWSING, "suspend", "Suspend the chosen organization").changing("org:write"),
        plain(Id::Resume, &[Key::Char('u')], BROWSING, "resume", "Lift your suspension of the chosen organization").changing("org:write"),
        plain(Id::Transfer, &[Key::Char('t')], BROWSING, "transfer", "Transfer credits to the chosen organization").changing("credits:transfer"),
        plain(Id::MintKey, &[Key::Char('m')], BROWSING, "mint", "Mint an API key for the chosen organization").changing("keys:*"),
        plain(Id::Help, &[Key::Char('?')], BROWSING, "help", "Show every key"),
        plain(Id::Quit, &[Key::Char('q')], &[In::Tree, In::Detail, In::Welcome], "quit", "Leave the console"),
        plain(Id::SwitchSide, &[Key::Tab, Key::BackTab], BROWSING, "side", "Switch between tree and organization"),
        plain(Id::Palette, &[Key::Char(':')], BROWSING, "commands", "Find a command by its name"),
        plain(Id::CopyId, &[Key::Char('c')], BROWSING, "copy id", "Copy the chosen organization's id").unlisted(),
        plain(Id::Refresh, &[Key::Char('r')], BROWSING, "refresh", "Ask again for what is on the screen").unlisted(),
        plain(Id::QuitAnywhere, &[Key::Ctrl('c')], EVERYWHERE, "quit", "Leave the console, from anywhere").unlisted(),

        plain(Id::Choose, &[Key::Enter], &[In::Finder], "choose", "Take the marked line"),
        plain(Id::FinderUp, &[Key::Up, Key::Ctrl('p')], &[In::Finder], "up", "Mark the line above").unlisted(),
        plain(Id::FinderDown, &[Key::Down, Key::Ctrl('n')], &[In::Finder], "down", "Mark the line below").unlisted(),

        plain(Id::Submit, &[Key::Enter], &[In::Editing], "continue", "Go to the next field, then to the question"),
        plain(Id::NextField, &[Key::Tab, Key::Down], &[In::Editing], "next field", "Go to the next field"),
        plain(Id::PreviousField, &[Key::BackTab, Key::Up], &[In::Editing], "previous", "Go to the field before").unlisted(),
        plain(Id::NextChoice, &[Key::Ctrl('t')], &[In::Editing], "other choice", "Take the other choice of this field").unlisted(),

        plain(Id::Confirm, &[Key::Char('y')], &[In::Confirming], "yes, do it", "Do what the question says"),
        plain(Id::Answer, &[Key::Enter], &[In::Confirming], "cancel, or the marked", "Take the marked answer, which is to cancel"),
        plain(Id::SwitchAnswer, &[Key::Tab, Key::Left, Key::Right], &[In::Confirming], "other answer", "Mark the other answer"),

        plain(Id::CheckAgain, &[Key::Char('r')], &[In::Unknown], "check now", "Send the same idempotency key again to find out"),
        plain(Id::Edit, &[Key::Char('e')], &[In::Refused], "change it", "Go back to the fields"),
        plain(Id::CopySecret, &[Key::Char('y')], &[In::Secret], "copy", "Copy the secret through the terminal (OSC 52)"),

        plain(Id::Close, &[Key::Esc], &[In::Help, In::Finder, In::Editing, In::Confirming, In::Unknown, In::Refused, In::Secret], "close", "Close without doing anything more"),
        plain(Id::Close, &[Key::Char('q'), Key::Char('?')], &[In::Help], "close", "Close help").unlisted(),
        plain(Id::Close, &[Key::Char('n'), Key::Char('q')], &[In::Confirming], "no", "Cancel").unlisted(),
    ]
};

/// The command a key means in a context.
pub fn bound(context: Context, key: Key) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.contexts.contains(&context) && command.keys.contains(&key))
}

/// Every command of a context, in the order of the table.
pub fn of_context(context: Context) -> impl Iterator<Item = &'static Command> {
    COMMANDS.iter().filter(move |command| command.contexts.contains(&context))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_means_one_thing_in_a_context() {
        for context in EVERYWHERE {
            let mut taken = std::collections::HashMap::new();
            for command in of_context(*context) {
                for key in command.keys {
                    let before = taken.insert(*key, command.id);
                    assert_eq!(before, None, "{key} in {context:?}");
                }
            }
        }
    }

    #[test]
    fn no_letter_is_a_command_where_text_is_typed() {
        for context in EVERYWHERE.iter().filter(|context| context.takes_text()) {
            for command in of_context(*context) {
                let letter = command.keys.iter().any(|key| matches!(key, Key::Char(_)));
                assert!(!letter, "{:?} in {context:?}", command.id);
            }
        }
    }

    #[test]
    fn the_key_that_asks_is_never_the_key_that_confirms() {
        let confirming = COMMANDS.iter().filter(|command| command.id == CommandId::Confirm).flat_map(|c| c.keys);
        for key in confirming {
            let asking = COMMANDS.iter().filter(|command| command.changes);
            assert!(!asking.flat_map(|command| command.keys).any(|asked| asked == key), "{key}");
        }
    }
}
