//! An API key and what may be done with it. Pure.

use std::time::Duration;

use entity::credits::Credits;
use entity::kind::Environment;
use entity::timestamp::Timestamp;
use entity::{api_key, api_key_family};
use serde::{Deserialize, Serialize};

use crate::access::scope::{SCOPES_MAX, Scopes, is_well_formed};
use crate::kernel::error::{ErrorCode, Refusal};

pub const NAME_MAX_CHARS: usize = 100;
/// The most CIDR ranges of one key.
pub const ALLOWED_IPS_MAX: usize = 50;
/// How long a rotated key goes on working when the request does not say.
pub const GRACE_DEFAULT: Duration = Duration::from_secs(24 * 3_600);
pub const GRACE_MAX: Duration = Duration::from_secs(7 * 24 * 3_600);
/// Requests per minute that a rate limit may allow.
pub const RATE_LIMIT_RANGE: std::ops::RangeInclusive<i64> = 1..=1_000_000;

/// A key with what its family shares.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApiKey {
    pub row: api_key::Model,
    pub family: api_key_family::Model,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    Active,
    /// Rotated; works until its grace ends.
    Superseded,
    Revoked,
    Expired,
}

impl ApiKey {
    pub fn status(&self, now: Timestamp) -> Status {
        if self.row.revoked_at.is_some() {
            Status::Revoked
        } else if self.row.expires_at.is_some_and(|at| at <= now) {
            Status::Expired
        } else if self.row.superseded_at.is_some() {
            Status::Superseded
        } else {
            Status::Active
        }
    }

    /// Only an active key rotates: a superseded one has a successor already, and rotation never revives.
    pub fn check_rotatable(&self, now: Timestamp) -> Result<(), Refusal> {
        let state = match self.status(now) {
            Status::Active => return Ok(()),
            Status::Superseded => "was rotated before; rotate its successor",
            Status::Revoked => "is revoked; mint a new key",
            Status::Expired => "has expired; mint a new key",
        };
        Err(Refusal::conflict(format!("{} {state}.", self.row.id)).at("apiKeyId"))
    }

    /// When a key rotated now stops working: after the grace, or when it would have anyway.
    pub fn grace_end(&self, now: Timestamp, grace: Duration) -> Timestamp {
        let end = now.plus(grace);
        self.row.expires_at.map_or(end, |own| own.min(end))
    }
}

/// What a mint asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Terms {
    pub name: String,
    pub scopes: Scopes,
    pub environment: Environment,
    pub expires_at: Option<Timestamp>,
    pub allowed_ips: Vec<String>,
    pub spend_limit: Option<Credits>,
    pub rate_limit: Option<i64>,
}

impl Terms {
    /// Everything about the terms that needs no database: form, ranges, and scopes ⊆ the minter's (SPEC §3).
    pub fn check(&self, now: Timestamp, minter: &Minter<'_>) -> Result<(), Refusal> {
        if self.name.trim().is_empty() || self.name.chars().count() > NAME_MAX_CHARS {
            return Err(Refusal::invalid("name", format!("A name has 1 to {NAME_MAX_CHARS} characters.")));
        }
        if self.scopes.is_empty() || self.scopes.len() > SCOPES_MAX {
            return Err(Refusal::invalid("scopes", format!("A key has 1 to {SCOPES_MAX} scopes.")));
        }
        if let Some(bad) = self.scopes.iter().find(|scope| !is_well_formed(scope)) {
            let message =
                format!("\"{}\" is no scope: write namespace:action, such as content:read.", bad.escape_debug());
            return Err(Refusal::invalid("scopes", message));
        }
        minter.check(&self.scopes)?;
        if self.expires_at.is_some_and(|at| at <= now) {
            return Err(Refusal::invalid("expiresAt", "expiresAt is in the future."));
        }
        if self.allowed_ips.len() > ALLOWED_IPS_MAX {
            return Err(Refusal::invalid("allowedIps", format!("A key has at most {ALLOWED_IPS_MAX} ranges.")));
        }
        if let Some(bad) = self.allowed_ips.iter().find(|text| range(text).is_none()) {
            let message = format!("\"{}\" is no address or CIDR range, such as 203.0.113.0/24.", bad.escape_debug());
            return Err(Refusal::invalid("allowedIps", message));
        }
        if self.spend_limit.is_some_and(Credits::is_negative) {
            return Err(Refusal::invalid("spendLimit", "spendLimit is 0 or more credits per month."));
        }
        if self.rate_limit.is_some_and(|limit| !RATE_LIMIT_RANGE.contains(&limit)) {
            return Err(Refusal::invalid("rateLimit", "rateLimit is 1 to 1000000 requests per minute."));
        }
        Ok(())
    }
}

/// A TEST key never touches live credits (SPEC §1), so neither does what it makes, takes over or charges with. `own` is
/// the asking key's environment; the operator has none.
pub fn check_environment(own: Option<Environment>, wanted: Environment) -> Result<(), Refusal> {
    if own != Some(Environment::Test) || wanted == Environment::Test {
        return Ok(());
    }
    let message = "This is a TEST key, and that would reach LIVE credits. Use a LIVE key, or the environment TEST.";
    Err(Refusal::new(ErrorCode::ForbiddenScope, message))
}

/// Who mints, as far as scopes care.
pub enum Minter<'a> {
    /// May give anything, `org:admin` included.
    Operator,
    /// May give what it holds, never `org:admin`.
    Key(&'a Scopes),
}

impl Minter<'_> {
    fn check(&self, wanted: &Scopes) -> Result<(), Refusal> {
        let Self::Key(held) = self else { return Ok(()) };
        if wanted.is_admin() {
            let message = "A key cannot give org:admin. An owner or the operator can.";
            return Err(Refusal::new(ErrorCode::ForbiddenScope, message).at("scopes"));
        }
        match held.first_missing(wanted) {
            None => Ok(()),
            Some(missing) => Err(Refusal::new(
                ErrorCode::ForbiddenScope,
                format!("Your key does not hold {missing}, so it cannot give it. Ask for fewer scopes."),
            )
            .at("scopes")),
        }
    }
}

/// An address stands for the range of itself.
pub fn range(text: &str) -> Option<ipnet::IpNet> {
    text.parse().ok().or_else(|| text.parse::<std::net::IpAddr>().ok().map(ipnet::IpNet::from))
}

/// Whether a key restricted to ranges may be used from an address. IPv4 in IPv6 clothes counts as IPv4.
pub fn address_allowed(allowed: &[String], address: Option<std::net::IpAddr>) -> bool {
    allowed.is_empty()
        || address.is_some_and(|address| {
            allowed.iter().filter_map(|text| range(text)).any(|range| range.contains(&address.to_canonical()))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(scopes: &[&str]) -> Terms {
        Terms {
            name: "acme-integration".into(),
            scopes: Scopes::new(scopes.iter().copied()),
            environment: entity::kind::Environment::Live,
            expires_at: None,
            allowed_ips: Vec::new(),
            spend_limit: None,
            rate_limit: None,
        }
    }

    const NOW: Timestamp = Timestamp::from_micros(1_000_000);

    #[test]
    fn minted_scopes_are_a_subset_of_the_minters() {
        let held = Scopes::new(["content:*", "org:admin"]);
        let minter = Minter::Key(&held);
        assert!(terms(&["content:read", "content:write"]).check(NOW, &minter).is_ok());
        assert_eq!(terms(&["credits:spend"]).check(NOW, &minter).unwrap_err().code, ErrorCode::ForbiddenScope);
    }

    #[test]
    fn a_key_never_gives_admin() {
        let held = Scopes::new(["org:admin"]);
        assert_eq!(terms(&["org:admin"]).check(NOW, &Minter::Key(&held)).unwrap_err().code, ErrorCode::ForbiddenScope);
        assert!(terms(&["org:admin"]).check(NOW, &Minter::Operator).is_ok());
    }

    #[test]
    fn an_address_is_compared_without_its_clothes() {
        let allowed = vec!["203.0.113.0/24".to_owned(), "2001:db8::1".to_owned()];
        assert!(address_allowed(&allowed, Some("203.0.113.9".parse().unwrap())));
        assert!(address_allowed(&allowed, Some("::ffff:203.0.113.9".parse().unwrap())));
        assert!(address_allowed(&allowed, Some("2001:db8::1".parse().unwrap())));
        assert!(!address_allowed(&allowed, Some("198.51.100.1".parse().unwrap())));
        assert!(!address_allowed(&allowed, None));
        assert!(address_allowed(&[], None));
    }
}
