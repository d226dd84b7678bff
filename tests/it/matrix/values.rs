//! What inputs say beside ids. Every value lets a mutation get past its guards and, where it can, changes nothing: a stale
//! version or plan is refused after the guards have let it through.

use serde_json::{Value, json};

/// Values by the name of the input, in whatever place.
const NAMED: &[(&str, &str)] = &[
    ("expectedVersion", "0"),
    ("planHash", "\"stale\""),
    ("amount", "1"),
    ("delegation", "[]"),
    ("scopes", "[\"keys:verify\"]"),
    ("eventTypes", "[\"*\"]"),
    ("url", "\"https://example.com/hook\""),
    ("role", "\"VIEWER\""),
    ("currency", "\"EUR\""),
    ("key", "\"scan.page\""),
    ("first", "100"),
    ("action", "\"creditCharge\""),
];

/// Values by place, where the name alone does not say it.
const PLACED: &[(&str, &str, &str)] = &[
    ("Mutation.organizationProvision", "apiKey", "{ \"scopes\": [\"keys:verify\"] }"),
    ("Organization.wallet", "environment", "\"LIVE\""),
    ("Subscription.events", "after", "\"0\""),
];

/// The value that an input has in the matrix; `serial` makes what must be unique so.
pub fn named(place: &str, name: &str, serial: u64) -> Option<Value> {
    match name {
        "idempotencyKey" => return Some(format!("matrix-{serial}").into()),
        "email" if place.starts_with("Mutation.member") => return Some(format!("m{serial}@example.com").into()),
        "ownerEmail" => return Some(format!("m{serial}@example.com").into()),
        _ => {}
    }
    let placed = PLACED.iter().find(|(at, of, _)| (*at, *of) == (place, name)).map(|(_, _, text)| *text);
    let text = placed.or_else(|| NAMED.iter().find(|(of, _)| *of == name).map(|(_, text)| *text))?;
    Some(serde_json::from_str(text).unwrap_or_else(|_| json!(text)))
}
