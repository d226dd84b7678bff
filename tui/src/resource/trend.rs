//! Sums by day, for a small chart over a list.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::credits::Credits;

/// What the entries that were read come to, by day in UTC.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trend {
    /// What is summed.
    pub title: String,
    days: BTreeMap<Date, Credits>,
    /// From this day on every entry was read; from the beginning when absent.
    pub known_from: Option<Date>,
}

impl Trend {
    /// Sums amounts, newest first. Unless there are no more of them, the oldest day may be cut off and is left out.
    pub fn of(title: &str, amounts: impl Iterator<Item = (Timestamp, Credits)>, has_more: bool) -> Self {
        let mut days: BTreeMap<Date, Credits> = BTreeMap::new();
        for (at, amount) in amounts {
            let sum = days.entry(day_of(at)).or_insert(Credits(0));
            *sum = Credits(sum.0.saturating_add(amount.0));
        }
        let mut known_from = None;
        if has_more && let Some((cut_off, _)) = days.pop_first() {
            known_from = cut_off.tomorrow().ok();
        }
        Self { title: title.to_owned(), days, known_from }
    }

    /// The last `count` days up to the one of `now`, oldest first; a day that is not wholly known has no sum.
    pub fn days(&self, now: Timestamp, count: usize) -> Vec<(Date, Option<Credits>)> {
        let today = day_of(now);
        let mut days = Vec::with_capacity(count);
        let mut day = Some(today);
        while let Some(date) = day.filter(|_| days.len() < count) {
            let is_known = self.known_from.is_none_or(|from| date >= from);
            let sum = self.days.get(&date).copied().unwrap_or(Credits(0));
            days.push((date, is_known.then_some(sum)));
            day = date.yesterday().ok();
        }
        days.reverse();
        days
    }
}

fn day_of(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn trend(has_more: bool) -> Trend {
        let amounts = [("2026-11-20T00:10:00Z", 5), ("2026-11-18T23:50:00Z", 7), ("2026-11-18T01:00:00Z", 1)];
        Trend::of("charged", amounts.into_iter().map(|(when, amount)| (at(when), Credits(amount))), has_more)
    }

    fn sums(trend: &Trend) -> Vec<Option<i64>> {
        let days = trend.days(at("2026-11-20T12:00:00Z"), 4);
        days.into_iter().map(|(_, sum)| sum.map(|sum| sum.0)).collect()
    }

    #[test]
    fn a_day_is_the_sum_of_its_entries_and_one_without_any_is_nothing() {
        assert_eq!(sums(&trend(false)), [Some(0), Some(8), Some(0), Some(5)]);
    }

    #[test]
    fn a_day_that_may_be_cut_off_and_those_before_it_are_not_known() {
        assert_eq!(sums(&trend(true)), [None, None, Some(0), Some(5)]);
    }
}
