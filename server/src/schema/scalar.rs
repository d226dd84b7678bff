//! Scalars: what JSON has no word for. Each names where its form is specified.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use entity::credits::Credits as CreditAmount;
use entity::timestamp::Timestamp;

/// A whole number of credits between −(2^53−1) and 2^53−1, so that a JSON number carries it exactly.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Credits(pub CreditAmount);

/// A whole number of credits between −(2^53−1) and 2^53−1, so that a JSON number carries it exactly.
#[Scalar(name = "Credits", specified_by_url = "https://www.rfc-editor.org/rfc/rfc8259#section-6")]
impl ScalarType for Credits {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::Number(number) => whole(number).and_then(CreditAmount::new).map(Self).ok_or_else(|| {
                InputValueError::custom("Credits are whole numbers from -9007199254740991 to 9007199254740991")
            }),
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::from(self.0.get())
    }
}

/// 1e3 and 5.0 are whole numbers too, as JSON reads them; what is beyond 2^53 is refused before it is rounded.
fn whole(number: &async_graphql::Number) -> Option<i64> {
    number.as_i64().or_else(|| {
        let float = number.as_f64()?;
        let in_range = float.fract() == 0.0 && float.abs() <= 9_007_199_254_740_991.0;
        #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53, so exact")]
        in_range.then_some(float as i64)
    })
}

/// An amount of money as a whole number of the currency's minor units, such as kobo or cents, within ±(2^53−1), so that
/// a JSON number carries it exactly.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct MinorUnits(pub i64);

/// An amount of money as a whole number of the currency's minor units, such as kobo or cents, within ±(2^53−1), so that
/// a JSON number carries it exactly.
#[Scalar(name = "MinorUnits", specified_by_url = "https://www.iso.org/iso-4217-currency-codes.html")]
impl ScalarType for MinorUnits {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            // The range is that of credits, for the same reason.
            Value::Number(number) => {
                whole(number).and_then(CreditAmount::new).map(|amount| Self(amount.get())).ok_or_else(|| {
                    InputValueError::custom("Minor units are whole numbers from -9007199254740991 to 9007199254740991")
                })
            }
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::from(self.0)
    }
}

impl From<CreditAmount> for Credits {
    fn from(amount: CreditAmount) -> Self {
        Self(amount)
    }
}

/// An instant as RFC 3339 text, in UTC when Banyan writes it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct DateTime(pub Timestamp);

/// An instant as RFC 3339 text, in UTC when Banyan writes it.
#[Scalar(name = "DateTime", specified_by_url = "https://scalars.graphql.org/andimarek/date-time")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => Ok(Self(text.parse()?)),
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

impl From<Timestamp> for DateTime {
    fn from(at: Timestamp) -> Self {
        Self(at)
    }
}

/// A calendar day as ISO 8601 text, such as 2026-11-22.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Date(pub jiff::civil::Date);

/// A calendar day as ISO 8601 text, such as 2026-11-22.
#[Scalar(name = "Date", specified_by_url = "https://www.rfc-editor.org/rfc/rfc3339#section-5.6")]
impl ScalarType for Date {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => {
                Ok(Self(text.parse().map_err(|_| InputValueError::custom("a date has the form 2026-11-22"))?))
            }
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

macro_rules! text_scalar {
    ($(#[$doc:meta])* $name:ident, $graphql:literal, $url:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name(pub String);

        // Whether the text is a member of the list is the command's to say: it answers with a code and a path.
        $(#[$doc])*
        #[Scalar(name = $graphql, specified_by_url = $url)]
        impl ScalarType for $name {
            fn parse(value: Value) -> InputValueResult<Self> {
                match value {
                    Value::String(text) => Ok(Self(text)),
                    other => Err(InputValueError::expected_type(other)),
                }
            }

            fn to_value(&self) -> Value {
                Value::String(self.0.clone())
            }
        }
    };
}

text_scalar! {
    /// A currency as three letters of ISO 4217, such as NGN.
    Currency, "Currency", "https://www.iso.org/iso-4217-currency-codes.html"
}
text_scalar! {
    /// A country as two letters of ISO 3166-1 alpha-2, such as NG.
    CountryCode, "CountryCode", "https://www.iso.org/iso-3166-country-codes.html"
}

/// Any JSON value. Metadata is an object whose values are strings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Json(pub serde_json::Value);

/// Any JSON value. Metadata is an object whose values are strings.
#[Scalar(name = "JSON", specified_by_url = "https://www.rfc-editor.org/rfc/rfc8259")]
impl ScalarType for Json {
    fn parse(value: Value) -> InputValueResult<Self> {
        Ok(Self(value.into_json()?))
    }

    fn to_value(&self) -> Value {
        Value::from_json(self.0.clone()).unwrap_or_default()
    }
}

impl Json {
    /// Metadata as the schema shows it.
    pub fn metadata(metadata: &entity::codec::Metadata) -> Self {
        Self(serde_json::json!(metadata.0))
    }
}
