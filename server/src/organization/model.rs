//! The record of an organization and what makes one valid. Pure.

use std::collections::BTreeMap;
use std::str::FromStr;

use entity::codec::{Json, Metadata};
use entity::credits::Credits;
use entity::kind::{BillingMode, FundingMode, Relation, Tier};
use serde::{Deserialize, Serialize};

use crate::kernel::error::{ErrorCode, Refusal};

pub use entity::organization::Model as Organization;

pub const NAME_CHARS: std::ops::RangeInclusive<usize> = 2..=255;
pub const METADATA_KEYS_MAX: usize = 50;
pub const METADATA_KEY_MAX_CHARS: usize = 40;
pub const METADATA_VALUE_MAX_CHARS: usize = 500;
pub const EXTERNAL_ID_MAX_CHARS: usize = 255;
pub const INDUSTRY_MAX_CHARS: usize = 100;
pub const REASON_MAX_CHARS: usize = 500;
/// The longest URL kept, in characters.
pub const URL_MAX_CHARS: usize = 2_048;
/// The time zone of an organization that says none and has no parent.
pub const DEFAULT_TIMEZONE: &str = "UTC";

/// One field of an update: left alone, cleared, or set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change<T> {
    #[default]
    Keep,
    Clear,
    Set(T),
}

impl<T: Clone> Change<T> {
    pub fn apply(&self, current: Option<T>) -> Option<T> {
        match self {
            Self::Keep => current,
            Self::Clear => None,
            Self::Set(value) => Some(value.clone()),
        }
    }

    pub fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }
}

/// What a record says of itself; every field checked by [`Profile::check`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    pub name: Change<String>,
    pub email: Change<String>,
    pub billing_email: Change<String>,
    pub tax_number: Change<String>,
    pub phone_number: Change<String>,
    pub website: Change<String>,
    pub country: Change<String>,
    pub industry: Change<String>,
    pub base_currency: Change<String>,
    pub timezone: Change<String>,
    pub external_id: Change<String>,
    pub metadata: Change<BTreeMap<String, String>>,
    pub billing_mode: Change<BillingMode>,
    pub tier: Change<Tier>,
}

impl Profile {
    /// The first field that is out of form, in the order of the schema.
    pub fn check(&self) -> Result<(), Refusal> {
        check(&self.name, "name", is_name, "A name has 2 to 255 characters and is not only spaces.")?;
        check(&self.email, "email", is_email, "This is no e-mail address, such as ops@example.com.")?;
        check(
            &self.billing_email,
            "billingEmail",
            is_email,
            "This is no e-mail address, such as billing@example.com.",
        )?;
        check(&self.tax_number, "taxNumber", is_tax_number, "A tax number has the form XXXXXXXX-XXXX, in digits.")?;
        check(&self.phone_number, "phoneNumber", is_phone_number, "A phone number has the form +14155550123 (E.164).")?;
        check(&self.website, "website", is_http_url, "A website is an http:// or https:// address.")?;
        check(&self.country, "country", is_country, "A country is two letters of ISO 3166-1, such as NG.")?;
        check(
            &self.industry,
            "industry",
            |text| has_chars(text, 1..=INDUSTRY_MAX_CHARS),
            "An industry has 1 to 100 characters.",
        )?;
        check(
            &self.base_currency,
            "baseCurrency",
            is_currency,
            "A currency is three letters of ISO 4217, such as NGN.",
        )?;
        check(
            &self.timezone,
            "timezone",
            is_timezone,
            "A time zone is a name of the IANA database, such as Africa/Lagos.",
        )?;
        check(
            &self.external_id,
            "externalId",
            |text| has_chars(text, 1..=EXTERNAL_ID_MAX_CHARS),
            "An external id has 1 to 255 characters.",
        )?;
        if let Change::Set(metadata) = &self.metadata {
            check_metadata(metadata)?;
        }
        for (cleared, field) in [
            (matches!(self.name, Change::Clear), "name"),
            (matches!(self.timezone, Change::Clear), "timezone"),
            (matches!(self.billing_mode, Change::Clear), "billingMode"),
            (matches!(self.tier, Change::Clear), "tier"),
        ] {
            if cleared {
                return Err(Refusal::invalid(field, format!("{field} cannot be null. Leave it out to keep it.")));
            }
        }
        Ok(())
    }

    /// The record with the changes made; `version` and `updated_at` are the caller's.
    pub fn apply(&self, record: &mut Organization) {
        record.name = self.name.apply(Some(record.name.clone())).unwrap_or_default();
        record.name_folded = fold(&record.name);
        record.email = self.email.apply(record.email.take());
        record.billing_email = self.billing_email.apply(record.billing_email.take());
        record.tax_number = self.tax_number.apply(record.tax_number.take());
        record.phone_number = self.phone_number.apply(record.phone_number.take());
        record.website = self.website.apply(record.website.take());
        record.country = self.country.apply(record.country.take());
        record.industry = self.industry.apply(record.industry.take());
        record.base_currency = self.base_currency.apply(record.base_currency.take());
        record.timezone = self.timezone.apply(Some(record.timezone.clone())).unwrap_or_default();
        record.external_id = self.external_id.apply(record.external_id.take());
        record.metadata = Json(self.metadata.apply(Some(record.metadata.0.clone())).unwrap_or_default());
        record.billing_mode = self.billing_mode.apply(Some(record.billing_mode)).unwrap_or(record.billing_mode);
        record.tier = self.tier.apply(Some(record.tier)).unwrap_or(record.tier);
    }
}

fn check(value: &Change<String>, field: &str, valid: impl Fn(&str) -> bool, message: &str) -> Result<(), Refusal> {
    match value {
        Change::Set(text) if !valid(text) => Err(Refusal::invalid(field, message)),
        _ => Ok(()),
    }
}

/// Lower case, so that lists sort and searches match whatever the capitals.
pub fn fold(name: &str) -> String {
    name.to_lowercase()
}

pub fn has_chars(text: &str, range: std::ops::RangeInclusive<usize>) -> bool {
    range.contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

pub fn is_name(text: &str) -> bool {
    has_chars(text, NAME_CHARS) && text.trim().chars().count() >= *NAME_CHARS.start()
}

pub fn is_email(text: &str) -> bool {
    email_address::EmailAddress::from_str(text).is_ok_and(|address| address.domain().contains('.'))
}

/// Eight digits, a hyphen, four digits.
pub fn is_tax_number(text: &str) -> bool {
    text.len() == 13 && text.bytes().enumerate().all(|(i, b)| if i == 8 { b == b'-' } else { b.is_ascii_digit() })
}

/// A plus sign and up to fifteen digits that do not begin with zero (ITU-T E.164).
pub fn is_phone_number(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit())
    })
}

pub fn is_http_url(text: &str) -> bool {
    text.len() <= URL_MAX_CHARS
        && url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

fn is_country(text: &str) -> bool {
    isocountry::CountryCode::for_alpha2(text).is_ok()
}

pub fn is_currency(text: &str) -> bool {
    iso_currency::Currency::from_code(text).is_some()
}

pub fn is_timezone(text: &str) -> bool {
    jiff::tz::TimeZone::get(text).is_ok()
}

/// SPEC §2: at most 50 keys of 1 to 40 characters, values of at most 500.
pub fn check_metadata(metadata: &BTreeMap<String, String>) -> Result<(), Refusal> {
    if metadata.len() > METADATA_KEYS_MAX {
        let message = format!("Metadata has at most {METADATA_KEYS_MAX} keys; this has {}.", metadata.len());
        return Err(Refusal::invalid("metadata", message));
    }
    for (key, value) in metadata {
        if key.is_empty() || key.chars().count() > METADATA_KEY_MAX_CHARS {
            let message = format!("A metadata key has 1 to {METADATA_KEY_MAX_CHARS} characters.");
            return Err(Refusal::invalid("metadata", message));
        }
        if value.chars().count() > METADATA_VALUE_MAX_CHARS {
            let message = format!("A metadata value has at most {METADATA_VALUE_MAX_CHARS} characters.");
            return Err(Refusal::invalid("metadata", message));
        }
    }
    Ok(())
}

/// Reads the `JSON` scalar as metadata: an object of strings.
pub fn metadata_from(value: &serde_json::Value, field: &str) -> Result<BTreeMap<String, String>, Refusal> {
    let wrong = || Refusal::invalid(field, "Metadata is a JSON object whose values are strings.");
    let fields = value.as_object().ok_or_else(wrong)?;
    fields.iter().map(|(key, value)| Ok((key.clone(), value.as_str().ok_or_else(wrong)?.to_owned()))).collect()
}

pub fn check_reason(reason: Option<&str>) -> Result<(), Refusal> {
    match reason {
        Some(text) if text.chars().count() > REASON_MAX_CHARS => {
            Err(Refusal::invalid("reason", format!("A reason has at most {REASON_MAX_CHARS} characters.")))
        }
        _ => Ok(()),
    }
}

/// Who pays for the organization: its own edge's setting, else the parent's default for its children (SPEC §5).
pub fn funding_mode(edge: Option<FundingMode>, parent: Option<(bool, bool)>) -> FundingMode {
    match (edge, parent) {
        (_, None) => FundingMode::Isolated,
        (Some(mode), _) => mode,
        (None, Some((true, _))) => FundingMode::Pooled,
        (None, Some((false, true))) => FundingMode::Fallback,
        (None, Some((false, false))) => FundingMode::Isolated,
    }
}

/// Limits as an update leaves them; threshold and amount go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub monthly_credit_cap: Option<Credits>,
    pub subtree_monthly_cap: Option<Credits>,
    pub refill_threshold: Option<Credits>,
    pub refill_amount: Option<Credits>,
    pub refill_monthly_ceiling: Option<Credits>,
}

impl Limits {
    pub fn check(&self) -> Result<(), Refusal> {
        if self.refill_threshold.is_some() != self.refill_amount.is_some() {
            let missing = if self.refill_threshold.is_some() { "refillAmount" } else { "refillThreshold" };
            return Err(Refusal::new(
                ErrorCode::RefillRequiresThresholdAndAmount,
                "Set refillThreshold and refillAmount together, or clear both.",
            )
            .at(missing));
        }
        for (value, field) in [
            (self.monthly_credit_cap, "monthlyCreditCap"),
            (self.subtree_monthly_cap, "subtreeMonthlyCap"),
            (self.refill_threshold, "refillThreshold"),
            (self.refill_monthly_ceiling, "refillMonthlyCeiling"),
        ] {
            if value.is_some_and(Credits::is_negative) {
                return Err(Refusal::invalid(field, format!("{field} is 0 or more. Use null for no limit.")));
            }
        }
        if self.refill_amount.is_some_and(|amount| !amount.is_positive()) {
            return Err(Refusal::invalid("refillAmount", "refillAmount is more than 0."));
        }
        Ok(())
    }
}

/// The relation of a new child that says none: Layers and Crane create owned ones.
pub const DEFAULT_RELATION: Relation = Relation::Owned;

/// An empty map.
pub fn no_metadata() -> Metadata {
    Json(BTreeMap::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_checked() {
        for good in ["+14155550123", "+2348012345678"] {
            assert!(is_phone_number(good), "{good}");
        }
        for bad in ["14155550123", "+0123456789", "+1415555012345678", "+1 415 555", "+"] {
            assert!(!is_phone_number(bad), "{bad}");
        }
        assert!(is_tax_number("12345678-0001"));
        for bad in ["1234567-00001", "12345678 0001", "12345678-000", "12345678-000a", "12345678-00011"] {
            assert!(!is_tax_number(bad), "{bad}");
        }
        assert!(is_country("NG") && !is_country("ng") && !is_country("ZZ") && !is_country("NGA"));
        assert!(is_currency("NGN") && !is_currency("ngn") && !is_currency("NAIRA"));
        assert!(is_timezone("America/Los_Angeles") && !is_timezone("Mars/Olympus"));
        assert!(is_email("ops@acme.ng") && !is_email("ops@acme") && !is_email("acme.ng"));
        assert!(is_http_url("https://acme.ng") && !is_http_url("ftp://acme.ng") && !is_http_url("acme.ng"));
        assert!(is_name("AB") && !is_name("A") && !is_name("  ") && !is_name(&"x".repeat(256)));
    }

    #[test]
    fn metadata_stops_at_fifty_keys() {
        let keys = |n: usize| (0..n).map(|i| (format!("k{i}"), String::new())).collect::<BTreeMap<_, _>>();
        assert!(check_metadata(&keys(50)).is_ok());
        assert!(check_metadata(&keys(51)).is_err());
        assert!(check_metadata(&BTreeMap::from([("k".repeat(41), String::new())])).is_err());
        assert!(check_metadata(&BTreeMap::from([("k".into(), "v".repeat(501))])).is_err());
    }

    #[test]
    fn a_required_field_cannot_be_cleared() {
        let profile = Profile { name: Change::Clear, ..Profile::default() };
        assert_eq!(profile.check().unwrap_err().path, ["input", "name"]);
    }

    #[test]
    fn one_sided_refill_is_refused() {
        let limits = Limits {
            monthly_credit_cap: None,
            subtree_monthly_cap: None,
            refill_threshold: Credits::new(1_000),
            refill_amount: None,
            refill_monthly_ceiling: None,
        };
        assert_eq!(limits.check().unwrap_err().code, ErrorCode::RefillRequiresThresholdAndAmount);
    }

    #[test]
    fn the_edge_decides_before_the_parents_default() {
        assert_eq!(funding_mode(Some(FundingMode::Isolated), Some((true, false))), FundingMode::Isolated);
        assert_eq!(funding_mode(None, Some((true, true))), FundingMode::Pooled);
        assert_eq!(funding_mode(None, Some((false, true))), FundingMode::Fallback);
        assert_eq!(funding_mode(Some(FundingMode::Pooled), None), FundingMode::Isolated);
    }
}
