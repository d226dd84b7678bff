//! The command line: `keys status:active till`, `suspend`, `@production`; and the filter of a list.
//!
//! A line is a resource with a filter, a profile, or a part of a command's name. It is never more than
//! what a key could do: an act on the line opens its dialog and nothing else.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher};
use tui_input::Input;

use super::{Effects, input, list};
use crate::command::{self, Command, Context};
use crate::effect::Effect;
use crate::model::finder::{Choice, FilterLine, Palette, step};
use crate::model::{Model, Overlay};
use crate::resource::{Filter, ResourceId};

/// Lines that are remembered.
const TYPED_MAX: usize = 50;

pub fn open(model: &mut Model) {
    model.overlay = Overlay::Palette(Palette::default());
    typed(model);
}

pub fn open_filter(model: &mut Model) {
    let Some(list) = model.places.list() else { return };
    let input = Input::new(list.filter.text.clone());
    model.overlay = Overlay::Filter(FilterLine { input, problem: None });
}

/// What a line asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    Show(ResourceId, Filter),
    Profile(String),
}

/// Reads a line; `None` when it is only the beginning of something.
pub fn parse(line: &str, profiles: &[String]) -> Option<Result<Line, String>> {
    let line = line.trim().trim_start_matches(':');
    if let Some(profile) = line.strip_prefix('@') {
        return Some(known_profile(profile, profiles));
    }
    // `@profile` at the end goes to another gateway; the list is opened there by hand, since the
    // organization it was of is not there.
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    let id = ResourceId::of_word(word)?;
    if let Some(profile) = rest.split_whitespace().find_map(|word| word.strip_prefix('@')) {
        return Some(known_profile(profile, profiles));
    }
    let text = rest.trim().trim_start_matches('/');
    Some(Filter::parse(text, id.spec()).map(|filter| Line::Show(id, filter)))
}

fn known_profile(name: &str, profiles: &[String]) -> Result<Line, String> {
    match profiles.iter().any(|profile| profile == name) {
        true => Ok(Line::Profile(name.to_owned())),
        false if profiles.is_empty() => Err("there are no profiles: write them to the profiles file".to_owned()),
        false => Err(format!("no profile {name:?}: there is {}", profiles.join(", "))),
    }
}

/// The commands that the line offers: those of the place it was opened from.
pub fn offered(model: &Model) -> impl Iterator<Item = &'static Command> {
    let context = match model.places.list() {
        Some(list) => Context::List(list.resource.id),
        None => Context::Tree,
    };
    command::of_context(context).filter(|command| !command.name.is_empty() && command.name != "commands")
}

pub fn typed(model: &mut Model) {
    let Overlay::Palette(palette) = &model.overlay else { return };
    let text = palette.input.value().to_owned();
    let mut matches = Vec::new();
    let mut problem = None;
    match parse(&text, &model.settings.profiles) {
        Some(Ok(_)) => matches.push(Choice::Line(text.trim().to_owned())),
        Some(Err(words)) => problem = Some(words),
        None => {}
    }
    let mut matcher = Matcher::new(Config::DEFAULT);
    let wanted = text.trim_start_matches(':');
    let pattern = Pattern::parse(wanted, CaseMatching::Ignore, Normalization::Smart);
    let names = offered(model).map(|command| Named(command.name, format!("{} {}", command.name, command.purpose)));
    let mut ranked = pattern.match_list(names, &mut matcher);
    // A name in full means its command, whatever else speaks of it.
    ranked.sort_by_key(|(Named(name, _), _)| !name.eq_ignore_ascii_case(wanted.trim()));
    matches.extend(ranked.into_iter().map(|(Named(name, _), _)| Choice::Command(name)));
    if let Overlay::Palette(palette) = &mut model.overlay {
        palette.cursor = matches.first().cloned();
        palette.matches = matches;
        palette.problem = problem;
    }
}

struct Named(&'static str, String);

impl AsRef<str> for Named {
    fn as_ref(&self) -> &str {
        &self.1
    }
}

/// Up from the first line goes back through what was typed before.
pub fn move_cursor(model: &mut Model, down: bool) {
    let Overlay::Palette(palette) = &mut model.overlay else { return };
    let at_first = palette.cursor == palette.matches.first().cloned();
    let recalled = match (down, palette.recalled) {
        (false, recalled) if at_first => Some(recalled.map_or(0, |back| back + 1)),
        (true, Some(0)) => None,
        (true, Some(back)) => Some(back - 1),
        _ => {
            palette.cursor = step(&palette.matches, palette.cursor.as_ref(), down);
            return;
        }
    };
    let line = match recalled {
        None => String::new(),
        Some(back) => match model.typed.iter().rev().nth(back) {
            Some(line) => line.clone(),
            None => return,
        },
    };
    palette.recalled = recalled;
    palette.input = Input::new(line);
    typed(model);
}

pub fn choose(model: &mut Model, effects: &mut Effects) {
    let Overlay::Palette(palette) = &model.overlay else { return };
    if palette.problem.is_some() {
        return;
    }
    let chosen = palette.cursor.clone();
    let text = palette.input.value().trim().to_owned();
    model.overlay = Overlay::None;
    match chosen {
        None => model.notify(format!("Nothing is called {text:?}"), false),
        Some(Choice::Command(name)) => {
            remember(model, name);
            if let Some(command) = command::named(name) {
                input::run(model, command, effects);
            }
        }
        Some(Choice::Line(line)) => {
            remember(model, &line);
            match parse(&line, &model.settings.profiles) {
                Some(Ok(Line::Show(id, filter))) => list::show(model, id, filter, effects),
                Some(Ok(Line::Profile(name))) => effects.push(Effect::Switch(name)),
                Some(Err(_)) | None => {}
            }
        }
    }
}

fn remember(model: &mut Model, line: &str) {
    model.typed.retain(|typed| typed != line);
    model.typed.push(line.to_owned());
    if model.typed.len() > TYPED_MAX {
        model.typed.remove(0);
    }
}

/// Completes the last word as far as all that it could become agree.
pub fn complete(model: &mut Model) {
    let (text, candidates) = match &model.overlay {
        Overlay::Palette(palette) => {
            let text = palette.input.value().to_owned();
            let candidates = candidates(model, &text);
            (text, candidates)
        }
        Overlay::Filter(filter) => {
            let text = filter.input.value().to_owned();
            let Some(list) = model.places.list() else { return };
            let candidates = filter_words(list.resource.id, text.rsplit(' ').next().unwrap_or_default());
            (text, candidates)
        }
        _ => return,
    };
    let word_at = text.rfind(' ').map_or(0, |at| at + 1);
    let word = &text[word_at..];
    let fitting: Vec<&String> =
        candidates.iter().filter(|candidate| candidate.to_lowercase().starts_with(&word.to_lowercase())).collect();
    let Some(first) = fitting.first() else { return };
    let shared = fitting.iter().fold(first.chars().count(), |shared, candidate| {
        let alike = first.chars().zip(candidate.chars()).take_while(|(a, b)| a == b).count();
        shared.min(alike)
    });
    let completed: String = first.chars().take(shared).collect();
    if completed.chars().count() < word.chars().count() {
        return;
    }
    // A word that can only be one is followed by the next.
    let blank = if fitting.len() == 1 && !completed.ends_with(':') { " " } else { "" };
    let line = format!("{}{completed}{blank}", &text[..word_at]);
    match &mut model.overlay {
        Overlay::Palette(palette) => palette.input = Input::new(line),
        Overlay::Filter(filter) => filter.input = Input::new(line),
        _ => {}
    }
    typed(model);
}

fn candidates(model: &Model, text: &str) -> Vec<String> {
    let last = text.rsplit(' ').next().unwrap_or_default();
    if last.starts_with('@') {
        return model.settings.profiles.iter().map(|profile| format!("@{profile}")).collect();
    }
    match text.split_once(' ') {
        None => {
            let lists = ResourceId::ALL.into_iter().map(|id| id.spec().name.to_owned());
            let commands = offered(model).map(|command| command.name.to_owned());
            let mut all: Vec<String> = lists.chain(commands).collect();
            all.sort();
            all.dedup();
            all
        }
        Some((word, _)) => ResourceId::of_word(word).map_or_else(Vec::new, |id| filter_words(id, last)),
    }
}

/// `status:` before the colon, `status:ACTIVE` behind it.
fn filter_words(id: ResourceId, word: &str) -> Vec<String> {
    let filters = id.spec().filters.iter();
    match word.split_once(':') {
        None => filters.map(|filter| format!("{}:", filter.key)).collect(),
        Some((key, _)) => filters
            .filter(|filter| filter.key.eq_ignore_ascii_case(key))
            .flat_map(|filter| filter.words.iter().map(|word| format!("{}:{word}", filter.key)))
            .collect(),
    }
}

/// Takes the filter line's text for the open list.
pub fn narrow(model: &mut Model, effects: &mut Effects) {
    let Overlay::Filter(filter) = &mut model.overlay else { return };
    let Some(list) = model.places.list() else { return };
    match Filter::parse(filter.input.value(), list.resource) {
        Ok(parsed) => {
            model.overlay = Overlay::None;
            list::narrow(model, parsed, effects);
        }
        Err(words) => filter.problem = Some(words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_list_with_its_filter_or_a_profile_and_otherwise_a_search_for_commands() {
        let profiles = ["production".to_owned()];
        let filter = Filter::parse("till status:active", ResourceId::Keys.spec()).unwrap();
        assert_eq!(parse("keys /till status:active", &profiles), Some(Ok(Line::Show(ResourceId::Keys, filter))));
        assert_eq!(parse("@production", &profiles), Some(Ok(Line::Profile("production".to_owned()))));
        assert!(parse("@elsewhere", &profiles).unwrap().unwrap_err().contains("production"));
        assert!(parse("keys colour:red", &profiles).unwrap().is_err());
        assert_eq!(parse("susp", &profiles), None);
    }
}
