//! A webhook endpoint and what makes one valid. Pure.

use std::net::IpAddr;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use entity::kind::EventScope;

use crate::access::path::Path;
use crate::access::scope::Scopes;
use crate::event::catalogue;
use crate::kernel::error::{ErrorCode, Refusal};
use crate::webhook::address::{self, Loopback};

pub use entity::delivery::Model as Delivery;
pub use entity::webhook_endpoint::Model as Endpoint;

/// The most endpoints of one organization.
pub const ENDPOINTS_MAX: i64 = 20;
/// The longest URL, in characters.
pub const URL_MAX_CHARS: usize = 2_048;
/// The most event types and patterns of one endpoint.
pub const EVENT_TYPES_MAX: usize = 50;
pub const DESCRIPTION_MAX_CHARS: usize = 500;

/// What `disabledReason` says when the organization asked for it.
pub const DISABLED_ON_REQUEST: &str = "Disabled on request.";

/// What `disabledReason` says when the organization was archived.
pub const DISABLED_BY_ARCHIVE: &str = "The organization was archived.";
/// How long the secret before a rotation signs too, when the request does not say.
pub const OVERLAP_DEFAULT: Duration = Duration::from_hours(24);
pub const OVERLAP_MAX: Duration = Duration::from_hours(7 * 24);

/// What happens to an endpoint's deliveries now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// They are sent.
    Open,
    /// They are kept for when it is resumed.
    Paused,
    /// They are kept for when its organization is resumed.
    Suspended,
    /// They are cancelled.
    Disabled,
}

/// Whether anything is sent to an endpoint. `path` is its organization's.
pub fn standing(endpoint: &Endpoint, path: Option<&Path>) -> Standing {
    // What an archive disables still sends what happened up to then.
    if endpoint.disabled_at.is_some() && endpoint.until_sequence.is_none() {
        return Standing::Disabled;
    }
    if endpoint.paused_at.is_some() {
        return Standing::Paused;
    }
    let suspended = path.is_some_and(|path| path.nodes().iter().any(|node| node.suspended));
    if suspended { Standing::Suspended } else { Standing::Open }
}

/// Whether an endpoint was enabled when the event with this number happened.
pub fn was_enabled(endpoint: &Endpoint, sequence: i64) -> bool {
    endpoint.since_sequence < sequence && endpoint.until_sequence.is_none_or(|until| sequence <= until)
}

/// An https URL without credentials or fragment; http only to this very machine, where the deployment allows it.
pub fn check_url(text: &str, allow_http_loopback: bool) -> Result<(), Refusal> {
    let wrong = |message: &str| Err(Refusal::invalid("url", message));
    if text.chars().count() > URL_MAX_CHARS {
        return wrong("A URL has at most 2048 characters.");
    }
    let Ok(url) = url::Url::parse(text) else {
        return wrong("This is no URL, such as https://example.com/webhooks.");
    };
    match url.scheme() {
        "https" => {}
        "http" if allow_http_loopback && is_loopback(&url) => {}
        _ => return wrong("An endpoint is reached over https://."),
    }
    let loopback = if allow_http_loopback { Loopback::Allowed } else { Loopback::Refused };
    let literal = match url.host() {
        Some(url::Host::Ipv4(address)) => Some(IpAddr::V4(address)),
        Some(url::Host::Ipv6(address)) => Some(IpAddr::V6(address)),
        _ => None,
    };
    // A courtesy: what a name leads to is decided when it is dialled, and so is this again.
    if let Some(what) = literal.and_then(|address| address::refusal(address, loopback)) {
        return wrong(&format!("This address is not public: {what}. An endpoint is reached over the internet."));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return wrong("A URL carries no user name or password. Check the signature of what arrives instead.");
    }
    if url.fragment().is_some() {
        return wrong("A URL has no fragment: leave out # and what follows it.");
    }
    Ok(())
}

fn is_loopback(url: &url::Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The patterns in order, each once.
pub fn event_types(asked: &[String]) -> Result<Vec<String>, Refusal> {
    if asked.is_empty() || asked.len() > EVENT_TYPES_MAX {
        let message = format!("An endpoint has 1 to {EVENT_TYPES_MAX} event types. Use \"*\" for all.");
        return Err(Refusal::invalid("eventTypes", message));
    }
    if let Some(message) = catalogue::unknown(asked) {
        return Err(Refusal::invalid("eventTypes", message));
    }
    let mut types = asked.to_vec();
    types.sort();
    types.dedup();
    Ok(types)
}

pub fn check_description(text: &str) -> Result<(), Refusal> {
    if text.chars().count() > DESCRIPTION_MAX_CHARS {
        let message = format!("A description has at most {DESCRIPTION_MAX_CHARS} characters.");
        return Err(Refusal::invalid("description", message));
    }
    Ok(())
}

/// Whether scopes suffice for an endpoint that hears of more than its own organization.
pub fn check_scope(scopes: &Scopes, scope: EventScope) -> Result<(), Refusal> {
    if scope == EventScope::Own || scopes.is_admin() {
        return Ok(());
    }
    let message = format!("An endpoint of the scope {scope} needs org:admin. Use OWN, or a key that holds it.");
    Err(Refusal::new(ErrorCode::ForbiddenScope, message).at("scope"))
}

/// A signing secret as Standard Webhooks writes it: `whsec_` and base64, here of 32 bytes.
pub fn secret(random: [u8; 32]) -> String {
    format!("whsec_{}", STANDARD.encode(random))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_https_and_carries_nothing_secret() {
        assert!(check_url("https://quinns-crm.example.com/webhooks?tenant=1", false).is_ok());
        for bad in [
            "",
            "quinns-crm.example.com",
            "ftp://example.com",
            "http://example.com/webhooks",
            "https://user@example.com/",
            "https://:secret@example.com/",
            "https://example.com/#there",
            "https://example.com/#",
            &format!("https://example.com/{}", "x".repeat(URL_MAX_CHARS)),
        ] {
            assert_eq!(check_url(bad, true).unwrap_err().path, ["input", "url"], "{bad}");
        }
    }

    #[test]
    fn plain_http_goes_to_this_machine_only_and_only_where_it_is_allowed() {
        for local in ["http://127.0.0.1:8080/hook", "http://localhost/hook", "http://[::1]:9/hook"] {
            assert!(check_url(local, true).is_ok(), "{local}");
            assert!(check_url(local, false).is_err(), "{local}");
        }
        for other in ["http://localhost.example.com/", "http://10.0.0.1/", "http://[::2]/"] {
            assert!(check_url(other, true).is_err(), "{other}");
        }
    }

    #[test]
    fn an_unknown_event_type_is_refused_and_the_nearest_is_named() {
        let refusal = event_types(&["*".into(), "credit.chargd".into()]).unwrap_err();
        assert_eq!(refusal.code, ErrorCode::InvalidInput);
        assert!(refusal.message.contains("\"credit.charged\""), "{}", refusal.message);
    }

    #[test]
    fn event_types_are_kept_once_each() {
        let asked = ["credit.*".to_owned(), "api_key.*".to_owned(), "credit.*".to_owned()];
        assert_eq!(event_types(&asked).unwrap(), ["api_key.*", "credit.*"]);
        assert!(event_types(&[]).is_err());
    }

    #[test]
    fn the_firehose_needs_admin() {
        let webhooks = Scopes::new(["webhooks:*"]);
        assert!(check_scope(&webhooks, EventScope::Own).is_ok());
        for wide in [EventScope::Children, EventScope::Subtree] {
            assert_eq!(check_scope(&webhooks, wide).unwrap_err().code, ErrorCode::ForbiddenScope);
            assert!(check_scope(&Scopes::new(["org:admin"]), wide).is_ok());
        }
    }

    #[test]
    fn a_secret_has_the_form_of_standard_webhooks() {
        let secret = secret([0xA5; 32]);
        let bytes = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        assert_eq!(bytes, [0xA5; 32]);
    }
}
