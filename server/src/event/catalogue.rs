//! Every type of event, what it carries, and patterns over them. Pure.

use std::collections::BTreeSet;

use entity::id::OrganizationId;
use entity::kind::Delegation;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::json;

use crate::api_key::event as api_key;
use crate::credit::event::{self as credit, Moved};
use crate::member::event as member;
use crate::organization::event as organization;
use crate::project::event as project;
use crate::trade::event as trade;
use crate::webhook::event as webhook;

/// A type of event, when it happens, and what it carries.
#[derive(Clone, Copy, Debug)]
pub struct EventType {
    pub name: &'static str,
    pub description: &'static str,
    payload: fn() -> Schema,
}

impl EventType {
    /// The JSON Schema of the event's `data`, made from the type that is sent.
    pub fn schema(&self) -> serde_json::Value {
        let mut schema = (self.payload)();
        let object = schema.ensure_object();
        let properties = object.entry("properties").or_insert_with(|| json!({}));
        if let Some(properties) = properties.as_object_mut() {
            // `kernel::event` adds it to every payload.
            properties.insert("organizationId".to_owned(), entity_id());
        }
        let required = object.entry("required").or_insert_with(|| json!([]));
        if let Some(required) = required.as_array_mut()
            && !required.iter().any(|name| name == "organizationId")
        {
            required.push("organizationId".into());
        }
        object.insert("title".to_owned(), self.name.into());
        object.insert("description".to_owned(), self.description.into());
        schema.to_value()
    }
}

fn entity_id() -> serde_json::Value {
    OrganizationId::json_schema(&mut SchemaGenerator::default()).to_value()
}

fn schema_of<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12()
        .for_serialize()
        .with(|it| it.inline_subschemas = true)
        .into_generator()
        .into_root_schema_for::<T>()
}

const fn of<T: JsonSchema>(name: &'static str, description: &'static str) -> EventType {
    EventType { name, description, payload: schema_of::<T> }
}

/// All there are, by feature. A feature's `event.rs` names nothing that is not here.
pub const EVENT_TYPES: &[EventType] = &[
    of::<organization::Created<'static>>(organization::CREATED, "An organization was created."),
    of::<organization::Updated<'static>>(organization::UPDATED, "An organization's record changed."),
    of::<organization::StatusChanged<'static>>(
        organization::SUSPENDED,
        "An organization was suspended, and everything below it with it.",
    ),
    of::<organization::StatusChanged<'static>>(
        organization::RESUMED,
        "A suspension was lifted; another one may still stand.",
    ),
    of::<organization::Archived<'static>>(organization::ARCHIVED, "An organization was archived, for good."),
    of::<organization::Moved<'static>>(
        organization::MOVED,
        "An organization got another parent, with everything below it.",
    ),
    of::<organization::ChildDeparted<'static>>(
        organization::CHILD_DEPARTED,
        "A child was moved to another parent. Whoever is above the new place hears `organization.moved` besides.",
    ),
    of::<organization::Detached<'static>>(
        organization::DETACHED,
        "An organization became a root of its own, with everything below it. It is the last that its ancestors hear of it.",
    ),
    of::<organization::EdgeChanged>(organization::RELATION_UPDATED, "The edge to the parent became OWNED or LINKED."),
    of::<organization::EdgeChanged>(organization::DELEGATION_UPDATED, "The edge to the parent delegates other things."),
    of::<organization::FundingChanged>(
        organization::FUNDING_UPDATED,
        "Who pays for an organization, or what it keeps for itself, changed.",
    ),
    of::<organization::LimitsChanged>(organization::LIMITS_UPDATED, "Caps or the automatic refill changed."),
    of::<api_key::Created<'static>>(api_key::CREATED, "An API key was minted."),
    of::<api_key::Rotated>(api_key::ROTATED, "An API key was replaced; the old one works on for its grace."),
    of::<api_key::Revoked<'static>>(api_key::REVOKED, "API keys were revoked."),
    of::<Moved<credit::Charged>>(credit::CHARGED, "Credits were spent at once."),
    of::<Moved<credit::Held>>(credit::HELD, "Credits were reserved."),
    of::<Moved<credit::Captured>>(credit::CAPTURED, "A hold was spent, in full or in part."),
    of::<Moved<credit::Returned>>(credit::VOIDED, "A hold was returned on request."),
    of::<Moved<credit::Returned>>(credit::HOLD_EXPIRED, "A hold was returned because its time was up."),
    of::<Moved<credit::Refunded>>(credit::REFUNDED, "Spent credits were given back."),
    of::<Moved<credit::Granted>>(credit::GRANTED, "Credits were issued."),
    of::<Moved<credit::Transferred>>(credit::TRANSFERRED, "Credits moved between two wallets on request."),
    of::<Moved<credit::MovedLive>>(credit::SWEPT, "The credits of an archived organization went home."),
    of::<Moved<credit::Expired>>(credit::EXPIRED, "Credits ran out of time."),
    of::<Moved<credit::MovedLive>>(credit::REFILL_FIRED, "A wallet was refilled from the parent's."),
    of::<Moved<credit::RefillStarved>>(credit::REFILL_STARVED, "A wallet ran low and could not be refilled."),
    of::<Moved<credit::CapWarning>>(credit::CAP_WARNING, "A monthly limit is nearly used up."),
    of::<member::Changed>(member::ADDED, "A person became a member."),
    of::<member::Changed>(member::REMOVED, "A membership ended."),
    of::<project::Created<'static>>(project::CREATED, "A project was made."),
    of::<trade::SellerCreated<'static>>(trade::SELLER_CREATED, "A seller was made."),
    of::<trade::BuyerCreated<'static>>(trade::BUYER_CREATED, "A buyer was made."),
    of::<trade::InvoiceChanged<'static>>(trade::INVOICE_CREATED, "A draft of an invoice was made."),
    of::<trade::InvoiceChanged<'static>>(trade::INVOICE_SUBMITTED, "An invoice was submitted, and its meter charged."),
    of::<trade::InvoiceChanged<'static>>(trade::INVOICE_CANCELLED, "An invoice was withdrawn."),
    of::<webhook::Changed<'static>>(webhook::CREATED, "A webhook endpoint was registered."),
    of::<webhook::Changed<'static>>(webhook::UPDATED, "A webhook endpoint changed, was disabled or enabled."),
    of::<webhook::Changed<'static>>(webhook::PAUSED, "A webhook endpoint was paused; what happens is kept for it."),
    of::<webhook::Changed<'static>>(webhook::RESUMED, "A webhook endpoint was resumed."),
    of::<webhook::Changed<'static>>(
        webhook::SECRET_ROTATED,
        "A webhook endpoint got another signing secret; the one before it signs too for a while.",
    ),
    of::<webhook::Disabled<'static>>(
        webhook::DISABLED,
        "A webhook endpoint was disabled because it is gone, or failed for days.",
    ),
    of::<webhook::Deleted>(webhook::DELETED, "A webhook endpoint was removed."),
    of::<webhook::Pinged>(
        webhook::PING,
        "A webhook endpoint was pinged. Only that endpoint hears of it, whatever types it asked for.",
    ),
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

/// Whether something happened after which a key may no longer be good.
pub fn may_end_keys(name: &str) -> bool {
    changes_authority(name) || [api_key::REVOKED, api_key::ROTATED].contains(&name)
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

/// What a mistaken pattern was most likely meant to be, nearest first: what is as near as the nearest, or one letter
/// further.
pub fn nearest(mistaken: &str) -> Vec<String> {
    // Typed texts are short; what is longer than any pattern is near to none, and cutting it bounds the work.
    let mistaken: String = mistaken.chars().take(PATTERN_MAX_CHARS).collect::<String>().to_lowercase();
    let wildcards = EVENT_TYPES.iter().flat_map(|known| {
        known.name.match_indices('.').map(|(dot, _)| format!("{}.{ANY}", known.name.get(..dot).unwrap_or_default()))
    });
    let known: BTreeSet<String> = EVENT_TYPES.iter().map(|known| known.name.to_owned()).chain(wildcards).collect();
    let mut near: Vec<(usize, String)> =
        known.into_iter().map(|known| (strsim::damerau_levenshtein(&mistaken, &known), known)).collect();
    near.sort();
    let bound = near.first().map_or(0, |(distance, _)| distance + 1);
    near.into_iter().take_while(|(distance, _)| *distance <= bound).take(NEAREST_MAX).map(|(_, name)| name).collect()
}

/// The most names that a refusal proposes.
const NEAREST_MAX: usize = 3;

/// Why a list of patterns is refused, if one of them means no type there is.
pub fn unknown(patterns: &[String]) -> Option<String> {
    let unknown = patterns.iter().find(|pattern| !is_known(pattern))?;
    let shown: String = unknown.chars().take(PATTERN_MAX_CHARS).collect();
    let nearest: Vec<String> = nearest(unknown).iter().map(|name| format!("\"{name}\"")).collect();
    Some(format!("There is no event type \"{}\". Did you mean {}?", shown.escape_debug(), nearest.join(" or ")))
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

    /// A contract: what is taken away or means something else breaks who receives it. `INSTA_UPDATE=always` writes it anew.
    #[test]
    fn what_events_carry_is_what_was_committed() {
        let schemas: serde_json::Map<String, serde_json::Value> =
            EVENT_TYPES.iter().map(|known| (known.name.to_owned(), known.schema())).collect();
        insta::assert_snapshot!(serde_json::to_string_pretty(&schemas).unwrap());
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
        assert_eq!(nearest("member.moved"), ["member.removed", "member.added"]);
        for (bad, nearest_to_it) in [
            ("credit.chargd", "credit.charged"),
            ("Organization.Created", "organization.created"),
            ("credits.*", "credit.*"),
            ("apikey.rotated", "api_key.rotated"),
        ] {
            assert!(!is_known(bad), "{bad}");
            assert_eq!(nearest(bad)[0], nearest_to_it);
        }
        assert!(!is_known("") && !is_known("**") && !is_known(".*"));
    }
}
