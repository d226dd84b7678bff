//! The one-shot commands' flags, made from the tables of lists and acts.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command};

use super::{choices, plain_fields};
use crate::act::{Risk, Spec};
use crate::command;
use crate::graphql::Environment;
use crate::resource::ResourceId;

const LIMIT: usize = 1_000;

pub const EXIT_CODES: &str = "\
Exit status of a command: 0 done, 1 the gateway could not be reached or understood, 2 the command was not right or was
not confirmed and nothing was sent, 3 the gateway refused and nothing was changed, 4 there is no such thing in sight,
5 an act was sent and its outcome is not known (send it again under the same --idempotency-key).";

/// What every command knows of its surroundings.
#[derive(Clone, Debug)]
pub struct Scene {
    pub json: bool,
    pub read_only: bool,
    pub production: bool,
    pub environment: Environment,
}

/// A command, read.
#[derive(Debug)]
pub enum Once {
    Get {
        id: ResourceId,
        /// An organization, except of organizations: there it is the one that is meant.
        target: Option<String>,
        filter: String,
        limit: usize,
    },
    Act {
        spec: &'static Spec,
        target: String,
        source: Option<String>,
        values: Vec<(&'static str, String)>,
        idempotency_key: String,
        yes: bool,
        typed: Option<String>,
        dry_run: bool,
    },
}

/// Adds a command for the lists and one for each act.
pub fn commands(program: Command) -> Command {
    let names: Vec<&'static str> = ResourceId::ALL.into_iter().map(|id| id.spec().name).collect();
    let get = Command::new("get")
        .about("Print a list, or one organization")
        .arg(Arg::new("resource").required(true).help(format!("One of {}, or its beginning", names.join(", "))))
        .arg(Arg::new("target").help(
            "By its id: the organization whose list it is, or the one that is meant; of deliveries, the endpoint",
        ))
        .arg(
            Arg::new("filter")
                .long("filter")
                .value_name("WORDS")
                .default_value("")
                .help("As in the console: words, or key:value"),
        )
        .arg(
            Arg::new("limit")
                .long("limit")
                .value_name("N")
                .value_parser(clap::value_parser!(usize))
                .default_value(LIMIT.to_string())
                .help("At most this many records"),
        );
    let program = program.subcommand(get);
    command::acts().fold(program, |program, (command, spec)| program.subcommand(of_act(command.purpose, spec)))
}

fn of_act(purpose: &'static str, spec: &'static Spec) -> Command {
    let asks = match spec.risk {
        Risk::Low => "",
        Risk::Medium => " (needs --yes)",
        Risk::High => " (needs --yes and --type)",
    };
    let mut act = Command::new(spec.name)
        .about(format!("{purpose}{asks}"))
        .arg(Arg::new("target").required(true).help(format!("The {} by its id", spec.on.word())));
    if spec.has_source {
        act =
            act.arg(Arg::new("from").long("from").value_name("ID").required(true).help("The organization that gives"));
    }
    for field in plain_fields(spec) {
        let mut flag = Arg::new(field.label).long(field.flag()).help(field.hint.clone()).value_name("VALUE");
        if let Some(words) = choices(&field) {
            flag = flag.value_parser(PossibleValuesParser::new(words)).ignore_case(true);
        }
        act = act.arg(flag);
    }
    act.arg(Arg::new("yes").long("yes").action(ArgAction::SetTrue).help("Do it without asking"))
        .arg(Arg::new("typed").long("type").value_name("NAME").help("The target's name, to show that it is meant"))
        .arg(
            Arg::new("dry-run")
                .long("dry-run")
                .action(ArgAction::SetTrue)
                .help("Show the plan and print the GraphQL; do nothing"),
        )
        .arg(
            Arg::new("idempotency-key")
                .long("idempotency-key")
                .value_name("KEY")
                .help("Under which it happens once, however often it is sent; a new one when absent"),
        )
}

/// Reads a command; `fresh` draws an idempotency key. `None` when the name is none of these.
pub fn read(name: &str, matches: &ArgMatches, fresh: impl FnOnce() -> String) -> Option<Result<Once, String>> {
    let text = |matches: &ArgMatches, name: &str| matches.get_one::<String>(name).cloned();
    if name == "get" {
        let word = text(matches, "resource").unwrap_or_default();
        let unknown = || format!("there is no list called {word:?}");
        return Some(ResourceId::of_word(&word).ok_or_else(unknown).map(|id| Once::Get {
            id,
            target: text(matches, "target"),
            filter: text(matches, "filter").unwrap_or_default(),
            limit: matches.get_one("limit").copied().unwrap_or(LIMIT),
        }));
    }
    let (_, spec) = command::acts().find(|(_, spec)| spec.name == name)?;
    let values =
        plain_fields(spec).iter().filter_map(|field| Some((field.label, text(matches, field.label)?))).collect();
    Some(Ok(Once::Act {
        spec,
        target: text(matches, "target").unwrap_or_default(),
        source: if spec.has_source { text(matches, "from") } else { None },
        values,
        idempotency_key: text(matches, "idempotency-key").unwrap_or_else(fresh),
        yes: matches.get_flag("yes"),
        typed: text(matches, "typed"),
        dry_run: matches.get_flag("dry-run"),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&str]) -> Once {
        let program = commands(Command::new("banyan-tui"));
        let matches = program.try_get_matches_from([&["banyan-tui"], words].concat()).unwrap();
        let (name, matches) = matches.subcommand().unwrap();
        read(name, matches, || "fresh".to_owned()).unwrap().unwrap()
    }

    #[test]
    fn the_flags_are_the_fields_of_the_dialogs() {
        commands(Command::new("banyan-tui")).debug_assert();
        let Once::Act { spec, target, source, values, .. } =
            parsed(&["transfer", "org_2", "--from", "org_1", "--amount", "500"])
        else {
            panic!("an act")
        };
        assert_eq!((spec.name, &*target, source.as_deref()), ("transfer", "org_2", Some("org_1")));
        assert_eq!(values, [("Amount", "500".to_owned())]);
        let Once::Act { values, .. } = parsed(&["archive", "org_2", "--below-it", "archive", "--reason", "closed"])
        else {
            panic!("an act")
        };
        assert_eq!(values, [("Below it", "archive".to_owned()), ("Reason", "closed".to_owned())]);
    }

    #[test]
    fn every_act_of_the_table_is_a_command_and_every_list_can_be_got() {
        let program = commands(Command::new("banyan-tui"));
        for (command, spec) in command::acts() {
            assert!(program.find_subcommand(spec.name).is_some(), "{}", command.name);
        }
        for id in ResourceId::ALL {
            let Once::Get { id: read, .. } = parsed(&["get", id.spec().name]) else { panic!("a list") };
            assert_eq!(read, id);
        }
    }
}
