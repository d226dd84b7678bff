//! Every type of event, and patterns over them. Pure.

use entity::kind::Delegation;

use crate::api_key::event as api_key;
use crate::credit::event as credit;
use crate::member::event as member;
use crate::organization::event as organization;
use crate::project::event as project;
use crate::trade::event as trade;
use crate::webhook::event as webhook;

/// A type of event and when it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventType {
    pub name: &'static str,
    pub description: &'static str,
}

const fn of(name: &'static str, description: &'static str) -> EventType {
    EventType { name, description }
}

/// All there are, by feature. A feature's `event.rs` names nothing that is not here.
pub const EVENT_TYPES: &[EventType] = &[
    of(organization::CREATED, "An organization was created."),
    of(organization::UPDATED, "An organization's record changed."),
    of(organization::SUSPENDED, "An organization was suspended, and everything below it with it."),
    of(organization::RESUMED, "A suspension was lifted; another one may still stand."),
    of(organization::ARCHIVED, "An organization was archived, for good."),
    of(organization::MOVED, "An organization got another parent, with everything below it."),
    of(
        organization::CHILD_DEPARTED,
        "A child was moved to another parent. Whoever is above the new place hears `organization.moved` besides.",
    ),
    of(
        organization::DETACHED,
        "An organization became a root of its own, with everything below it. It is the last that its ancestors hear of it.",
    ),
    of(organization::RELATION_UPDATED, "The edge to the parent became OWNED or LINKED."),
    of(organization::DELEGATION_UPDATED, "The edge to the parent delegates other things."),
    of(organization::FUNDING_UPDATED, "Who pays for an organization, or what it keeps for itself, changed."),
    of(organization::LIMITS_UPDATED, "Caps or the automatic refill changed."),
    of(api_key::CREATED, "An API key was minted."),
    of(api_key::ROTATED, "An API key was replaced; the old one works on for its grace."),
    of(api_key::REVOKED, "API keys were revoked."),
    of(credit::CHARGED, "Credits were spent at once."),
    of(credit::HELD, "Credits were reserved."),
    of(credit::CAPTURED, "A hold was spent, in full or in part."),
    of(credit::VOIDED, "A hold was returned on request."),
    of(credit::HOLD_EXPIRED, "A hold was returned because its time was up."),
    of(credit::REFUNDED, "Spent credits were given back."),
    of(credit::GRANTED, "Credits were issued."),
    of(credit::TRANSFERRED, "Credits moved between two wallets on request."),
    of(credit::SWEPT, "The credits of an archived organization went home."),
    of(credit::EXPIRED, "Credits ran out of time."),
    of(credit::REFILL_FIRED, "A wallet was refilled from the parent's."),
    of(credit::REFILL_STARVED, "A wallet ran low and could not be refilled."),
    of(credit::CAP_WARNING, "A monthly limit is nearly used up."),
    of(member::ADDED, "A person became a member."),
    of(member::REMOVED, "A membership ended."),
    of(project::CREATED, "A project was made."),
    of(trade::SELLER_CREATED, "A seller was made."),
    of(trade::BUYER_CREATED, "A buyer was made."),
    of(trade::INVOICE_CREATED, "A draft of an invoice was made."),
    of(trade::INVOICE_SUBMITTED, "An invoice was submitted, and its meter charged."),
    of(trade::INVOICE_CANCELLED, "An invoice was withdrawn."),
    of(webhook::CREATED, "A webhook endpoint was registered."),
    of(webhook::UPDATED, "A webhook endpoint changed, was disabled or enabled."),
    of(webhook::PAUSED, "A webhook endpoint was paused; what happens is kept for it."),
    of(webhook::RESUMED, "A webhook endpoint was resumed."),
    of(
        webhook::SECRET_ROTATED,
        "A webhook endpoint got another signing secret; the one before it signs too for a while.",
    ),
    of(webhook::DISABLED, "A webhook endpoint was disabled because it is gone, or failed for days."),
    of(webhook::DELETED, "A webhook endpoint was removed."),
    of(webhook::PING, "A webhook endpoint was pinged. Only that endpoint hears of it, whatever types it asked for."),
];

/// What every edge between an organization and an ancestor has to delegate for the ancestor to hear of this. None for what
/// belongs to control, which always reaches (SPEC §8).
pub fn delegation_of(name: &str) -> Option<Delegation> {
    match name.split('.').next()? {
        "credit" => Some(Delegation::Billing),
        "project" | "seller" | "buyer" | "invoice" => Some(Delegation::DataRead),
        _ => None,
    }
}

/// Whether something happened after which somebody may hear more or less than before.
pub fn changes_authority(name: &str) -> bool {
    name.starts_with("organization.")
        && ![organization::CREATED, organization::UPDATED, organization::FUNDING_UPDATED, organization::LIMITS_UPDATED]
            .contains(&name)
}

/// Everything.
const ANY: &str = "*";

/// Whether a pattern means a type: `*` means all, `credit.*` all that begin with `credit.`, a type itself.
pub fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix(ANY) {
        Some("") => true,
        Some(stem) => stem.ends_with('.') && name.starts_with(stem),
        None => pattern == name,
    }
}

/// Whether a pattern means any type there is.
pub fn is_known(pattern: &str) -> bool {
    EVENT_TYPES.iter().any(|known| matches(pattern, known.name))
}

/// The pattern that a mistaken one was most likely meant to be.
pub fn nearest(mistaken: &str) -> String {
    // Typed texts are short; what is longer than any pattern is near to none, and cutting it bounds the work.
    let mistaken: String = mistaken.chars().take(PATTERN_MAX_CHARS).collect::<String>().to_lowercase();
    let wildcards = EVENT_TYPES.iter().flat_map(|known| {
        known.name.match_indices('.').map(|(dot, _)| format!("{}.{ANY}", known.name.get(..dot).unwrap_or_default()))
    });
    let types = EVENT_TYPES.iter().map(|known| known.name.to_owned());
    types.chain(wildcards).min_by_key(|known| strsim::damerau_levenshtein(&mistaken, known)).unwrap_or_default()
}

/// The longest pattern that is read, in characters.
pub const PATTERN_MAX_CHARS: usize = 100;

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// The texts of the constants of every feature's `event.rs`.
    fn declared() -> Vec<String> {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut declared = Vec::new();
        for folder in std::fs::read_dir(sources).unwrap() {
            let Ok(text) = std::fs::read_to_string(folder.unwrap().path().join("event.rs")) else { continue };
            let constants = text.lines().filter(|line| line.starts_with("pub const ") && line.contains(": &str = \""));
            declared.extend(constants.filter_map(|line| Some(line.split('"').nth(1)?.to_owned())));
        }
        declared
    }

    #[test]
    fn every_type_a_feature_names_is_listed_once_and_described() {
        let mut listed: Vec<String> = EVENT_TYPES.iter().map(|known| known.name.to_owned()).collect();
        listed.sort();
        let mut declared: Vec<String> =
            declared().into_iter().filter(|name| name.contains('.') && !name.contains("://")).collect();
        declared.sort();
        assert!(declared.len() > 20, "the sources were not found");
        assert_eq!(listed, declared);
        assert!(EVENT_TYPES.iter().all(|known| known.description.ends_with('.')));
    }

    /// A new kind of data must say what it needs, or ancestors hear what is not theirs.
    #[test]
    fn every_type_is_control_money_or_data() {
        let mut control: Vec<&str> = EVENT_TYPES.iter().map(|known| known.name).collect();
        control.retain(|name| delegation_of(name).is_none());
        let mut features: Vec<&str> = control.iter().filter_map(|name| name.split('.').next()).collect();
        features.dedup();
        assert_eq!(features, ["organization", "api_key", "member", "webhook_endpoint"]);
        assert!(changes_authority(organization::DELEGATION_UPDATED) && !changes_authority(organization::UPDATED));
    }

    #[test]
    fn a_wildcard_means_what_is_below_it() {
        assert!(matches("*", "credit.charged"));
        assert!(matches("credit.*", "credit.refill.fired"));
        assert!(matches("credit.refill.*", "credit.refill.fired"));
        assert!(!matches("credit.refill.*", "credit.charged"));
        assert!(!matches("cred*", "credit.charged"));
        assert!(!matches("credit", "credit.charged"));
    }

    #[test]
    fn a_pattern_that_means_nothing_is_unknown_and_the_nearest_is_named() {
        for known in ["*", "credit.*", "organization.limits.*", "api_key.rotated"] {
            assert!(is_known(known), "{known}");
        }
        for (bad, nearest_to_it) in [
            ("credit.chargd", "credit.charged"),
            ("Organization.Created", "organization.created"),
            ("credits.*", "credit.*"),
            ("apikey.rotated", "api_key.rotated"),
        ] {
            assert!(!is_known(bad), "{bad}");
            assert_eq!(nearest(bad), nearest_to_it);
        }
        assert!(!is_known("") && !is_known("**") && !is_known(".*"));
    }
}
