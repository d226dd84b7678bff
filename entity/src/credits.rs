//! The only type of an amount of credits.
//!
//! Signed, whole, and never beyond 2^53−1 either way, so that a JSON number carries every value
//! exactly. There are no operators: whoever adds says what happens when the sum does not fit.

use std::fmt;

use sea_orm::sea_query::{ArrayType, ColumnType, Nullable, ValueType, ValueTypeErr};
use sea_orm::{ColIdx, DbErr, IntoActiveValue, QueryResult, TryGetError, TryGetable, Value};
use serde::{Deserialize, Deserializer, Serialize, de};

/// An amount of credits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Credits(i64);

/// The number does not fit [`Credits`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("credits go from -9007199254740991 to 9007199254740991")]
pub struct OutOfRange;

impl Credits {
    /// 2^53−1, the largest whole number that every JSON reader holds exactly.
    pub const MAX: Self = Self(9_007_199_254_740_991);
    /// The negative of [`Credits::MAX`].
    pub const MIN: Self = Self(-9_007_199_254_740_991);
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// The amount, if it is in range; usable in constants.
    pub const fn new(amount: i64) -> Option<Self> {
        if amount < Self::MIN.0 || amount > Self::MAX.0 {
            return None;
        }
        Some(Self(amount))
    }

    /// The amount as a plain number.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Whether this is more than nothing.
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// Whether this is less than nothing.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// Whether this is nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum, if it is in range.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).and_then(Self::new)
    }

    /// The difference, if it is in range.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).and_then(Self::new)
    }

    /// The product with a count, if it is in range.
    #[must_use]
    pub fn checked_mul(self, count: i64) -> Option<Self> {
        self.0.checked_mul(count).and_then(Self::new)
    }

    /// The same amount the other way. The range is symmetric, so it always fits.
    #[must_use]
    pub const fn neg(self) -> Self {
        Self(-self.0)
    }

    /// This amount, or nothing when it is negative.
    #[must_use]
    pub fn floor_zero(self) -> Self {
        self.max(Self::ZERO)
    }

    /// The sum, held at the ends of the range. For what is shown, never for what is booked.
    #[must_use]
    pub fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0).clamp(Self::MIN.0, Self::MAX.0))
    }

    /// The difference, held at the ends of the range. For what is shown, never for what is booked.
    #[must_use]
    pub fn saturating_sub(self, other: Self) -> Self {
        self.saturating_add(other.neg())
    }
}

impl TryFrom<i64> for Credits {
    type Error = OutOfRange;

    fn try_from(amount: i64) -> Result<Self, OutOfRange> {
        Self::new(amount).ok_or(OutOfRange)
    }
}

impl From<Credits> for i64 {
    fn from(credits: Credits) -> Self {
        credits.0
    }
}

impl fmt::Display for Credits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl<'de> Deserialize<'de> for Credits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(i64::deserialize(deserializer)?).ok_or_else(|| de::Error::custom(OutOfRange))
    }
}

// Written out and not derived: a row beyond the range is an error, not an amount.

impl From<Credits> for Value {
    fn from(credits: Credits) -> Self {
        credits.0.into()
    }
}

impl TryGetable for Credits {
    fn try_get_by<I: ColIdx>(row: &QueryResult, index: I) -> Result<Self, TryGetError> {
        Self::new(i64::try_get_by(row, index)?).ok_or_else(|| {
            TryGetError::DbErr(DbErr::TryIntoErr {
                from: "i64",
                into: "Credits",
                source: std::sync::Arc::new(OutOfRange),
            })
        })
    }
}

impl ValueType for Credits {
    fn try_from(value: Value) -> Result<Self, ValueTypeErr> {
        <i64 as ValueType>::try_from(value).and_then(|amount| Self::new(amount).ok_or(ValueTypeErr))
    }

    fn type_name() -> String {
        "Credits".to_owned()
    }

    fn array_type() -> ArrayType {
        <i64 as ValueType>::array_type()
    }

    fn column_type() -> ColumnType {
        <i64 as ValueType>::column_type()
    }
}

impl Nullable for Credits {
    fn null() -> Value {
        <i64 as Nullable>::null()
    }
}

impl IntoActiveValue<Credits> for Credits {
    fn into_active_value(self) -> sea_orm::ActiveValue<Credits> {
        sea_orm::ActiveValue::Set(self)
    }
}

impl schemars::JsonSchema for Credits {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Credits".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "integer", "minimum": Self::MIN.0, "maximum": Self::MAX.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Credits = Credits::new(1).unwrap();

    #[test]
    fn arithmetic_stops_at_two_to_the_53_minus_one() {
        assert_eq!(Credits::MAX.get(), (1 << 53) - 1);
        assert_eq!(Credits::MAX.checked_add(ONE), None);
        assert_eq!(Credits::MIN.checked_sub(ONE), None);
        assert_eq!(Credits::MAX.checked_mul(2), None);
        assert_eq!(Credits::MAX.checked_mul(i64::MAX), None);
        assert_eq!(Credits::MAX.neg(), Credits::MIN);
        assert_eq!(ONE.checked_mul(-3), Credits::new(-3));
        assert_eq!(Credits::MAX.saturating_add(ONE), Credits::MAX);
    }

    #[test]
    fn credits_travel_as_json_numbers_and_refuse_what_is_out_of_range() {
        assert_eq!(serde_json::to_string(&Credits::MAX).unwrap(), "9007199254740991");
        assert_eq!(serde_json::from_str::<Credits>("-5").unwrap(), Credits::new(-5).unwrap());
        assert!(serde_json::from_str::<Credits>("9007199254740992").is_err());
        assert!(serde_json::from_str::<Credits>("1.5").is_err());
        assert!(serde_json::from_str::<Credits>("\"1\"").is_err());
    }

    #[test]
    fn a_column_value_out_of_range_is_no_credits() {
        assert_eq!(<Credits as ValueType>::try_from(Value::from(7_i64)).unwrap().get(), 7);
        assert!(<Credits as ValueType>::try_from(Value::from(i64::MAX)).is_err());
    }
}
