//! Civil months in an organization's time zone: what monthly limits count in.

use std::fmt;

use entity::timestamp::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// A year and month. Which instants it covers depends on a time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    first_day: Date,
}

impl Month {
    /// The month that `at` falls in, in `zone`.
    pub fn of(at: Timestamp, zone: &TimeZone) -> Self {
        Self { first_day: zone.to_datetime(at.to_jiff()).date().first_of_month() }
    }

    /// The month stored as `year * 100 + month`, such as 202602.
    pub fn from_number(number: i32) -> Option<Self> {
        let year = i16::try_from(number.div_euclid(100)).ok()?;
        let month = i8::try_from(number.rem_euclid(100)).ok()?;
        let first_day = Date::new(year, month, 1).ok()?;
        Some(Self { first_day })
    }

    /// The number it is stored as.
    pub fn number(self) -> i32 {
        i32::from(self.first_day.year()) * 100 + i32::from(self.first_day.month())
    }

    /// The first instant that is no longer in it, in `zone`. Where midnight does not exist that
    /// day, the first instant after the gap.
    pub fn end(self, zone: &TimeZone) -> Timestamp {
        self.first_day
            .checked_add(jiff::Span::new().months(1))
            .and_then(|next| zone.to_zoned(next.to_datetime(jiff::civil::Time::midnight())))
            .map_or(jiff::Timestamp::MAX, |at| at.timestamp())
            .into()
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.first_day.year(), self.first_day.month())
    }
}

/// The zone of an IANA name; UTC when there is no such name.
pub fn time_zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap_or(TimeZone::UTC)
}
