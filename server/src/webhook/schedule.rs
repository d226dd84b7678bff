//! When an attempt is repeated, and when an endpoint is given up. Pure.

use std::time::Duration;

use entity::timestamp::Timestamp;

/// The pauses after failed attempts; the first attempt is made at once. They end after more than a day.
const PAUSES: [Duration; 7] = [
    Duration::from_secs(5),
    Duration::from_mins(5),
    Duration::from_mins(30),
    Duration::from_hours(2),
    Duration::from_hours(5),
    Duration::from_hours(10),
    Duration::from_hours(10),
];

/// The longest pause an endpoint may ask for.
pub const RETRY_AFTER_MAX: Duration = Duration::from_hours(24);
/// An endpoint that answered nothing but failures for so long is disabled,
pub const DISABLE_AFTER: Duration = Duration::from_hours(5 * 24);
/// once so many attempts in a row failed.
pub const DISABLE_AFTER_FAILURES: i64 = 20;

/// What came of an attempt, as far as the schedule cares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Empty when there was none.
    pub status: Option<u16>,
    /// How long the endpoint asked to be left alone.
    pub retry_after: Option<Duration>,
}

/// What becomes of the delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Delivered,
    RetryAt(Timestamp),
    /// The last attempt failed.
    GivenUp,
    /// The endpoint said that it is gone for good.
    Gone,
}

const GONE: u16 = 410;
const TOO_MANY_REQUESTS: u16 = 429;
const UNAVAILABLE: u16 = 503;

impl Answer {
    pub fn is_success(self) -> bool {
        matches!(self.status, Some(200..=299))
    }

    /// What follows from the attempt of this number, from 1. `chance` stretches the pause by up to a fifth, so that what
    /// failed together does not come back together.
    pub fn verdict(self, attempt: i64, now: Timestamp, chance: u8) -> Verdict {
        if self.is_success() {
            return Verdict::Delivered;
        }
        if self.status == Some(GONE) {
            return Verdict::Gone;
        }
        let pause = usize::try_from(attempt - 1).ok().and_then(|done| PAUSES.get(done));
        let Some(pause) = pause else { return Verdict::GivenUp };
        let stretched = *pause + *pause * u32::from(chance) / (5 * u32::from(u8::MAX));
        Verdict::RetryAt(now.plus(stretched.max(self.asked_for())))
    }

    fn asked_for(self) -> Duration {
        self.retry_after.unwrap_or_default().min(RETRY_AFTER_MAX)
    }

    /// Until when nothing at all is sent to an endpoint that says it is overrun.
    pub fn hold_off(self, now: Timestamp) -> Option<Timestamp> {
        let overrun = matches!(self.status, Some(TOO_MANY_REQUESTS | UNAVAILABLE)) && self.retry_after.is_some();
        overrun.then(|| now.plus(self.asked_for()))
    }
}

/// Reads `Retry-After`: seconds, or an instant (RFC 9110 §10.2.3).
pub fn retry_after(header: &str, now: Timestamp) -> Option<Duration> {
    let header = header.trim();
    if let Ok(seconds) = header.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(header).ok()?;
    Some(Timestamp::from(at).since(now))
}

/// Attempts to an endpoint that failed one after the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Health {
    pub failures: i64,
    pub failing_since: Option<Timestamp>,
}

impl Health {
    pub fn after(self, answer: Answer, now: Timestamp) -> Self {
        if answer.is_success() {
            return Self::default();
        }
        Self { failures: self.failures + 1, failing_since: self.failing_since.or(Some(now)) }
    }

    pub fn is_hopeless(self, now: Timestamp) -> bool {
        self.failures >= DISABLE_AFTER_FAILURES
            && self.failing_since.is_some_and(|since| now.since(since) >= DISABLE_AFTER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    fn failed() -> Answer {
        Answer { status: Some(500), retry_after: None }
    }

    fn asks(status: u16, seconds: u64) -> Answer {
        Answer { status: Some(status), retry_after: Some(Duration::from_secs(seconds)) }
    }

    #[test]
    fn eight_attempts_are_made_over_more_than_a_day() {
        let mut at = NOW;
        let mut attempt = 1;
        while let Verdict::RetryAt(next) = failed().verdict(attempt, at, 0) {
            assert!(next > at);
            at = next;
            attempt += 1;
        }
        assert_eq!((attempt, at.since(NOW)), (8, Duration::from_secs(5 + 300 + 1_800 + 27 * 3_600)));
        assert_eq!(failed().verdict(8, at, 0), Verdict::GivenUp);
    }

    #[test]
    fn chance_stretches_a_pause_by_at_most_a_fifth() {
        assert_eq!(failed().verdict(2, NOW, 0), Verdict::RetryAt(NOW.plus(Duration::from_secs(300))));
        assert_eq!(failed().verdict(2, NOW, 255), Verdict::RetryAt(NOW.plus(Duration::from_secs(360))));
    }

    #[test]
    fn any_answer_between_200_and_299_is_a_delivery_and_a_redirect_is_none() {
        for (status, delivered) in [(200, true), (204, true), (299, true), (301, false), (308, false), (404, false)] {
            let answer = Answer { status: Some(status), retry_after: None };
            assert_eq!(answer.verdict(1, NOW, 0) == Verdict::Delivered, delivered, "{status}");
        }
        assert_ne!(Answer::default().verdict(1, NOW, 0), Verdict::Delivered);
    }

    #[test]
    fn gone_is_gone_at_the_first_attempt() {
        assert_eq!(Answer { status: Some(410), retry_after: None }.verdict(1, NOW, 0), Verdict::Gone);
    }

    #[test]
    fn an_endpoint_may_ask_for_a_longer_pause_up_to_a_day_and_for_no_shorter_one() {
        let at = |answer: Answer| match answer.verdict(1, NOW, 0) {
            Verdict::RetryAt(at) => at.since(NOW).as_secs(),
            other => panic!("{other:?}"),
        };
        assert_eq!(at(asks(503, 120)), 120);
        assert_eq!(at(asks(500, 120)), 120);
        assert_eq!(at(asks(503, 1)), 5);
        assert_eq!(at(asks(429, 1_000_000)), 86_400);
    }

    #[test]
    fn only_an_endpoint_that_says_it_is_overrun_is_left_alone_whole() {
        assert_eq!(asks(429, 60).hold_off(NOW), Some(NOW.plus(Duration::from_mins(1))));
        assert_eq!(asks(503, 60).hold_off(NOW), Some(NOW.plus(Duration::from_mins(1))));
        assert_eq!(asks(500, 60).hold_off(NOW), None);
        assert_eq!(failed().hold_off(NOW), None);
    }

    #[test]
    fn retry_after_is_seconds_or_an_instant() {
        let now: Timestamp = "2026-06-03T12:00:00Z".parse().unwrap();
        assert_eq!(retry_after(" 120 ", now), Some(Duration::from_mins(2)));
        assert_eq!(retry_after("Wed, 03 Jun 2026 12:01:00 GMT", now), Some(Duration::from_mins(1)));
        assert_eq!(retry_after("Wed, 03 Jun 2026 11:59:00 GMT", now), Some(Duration::ZERO));
        for nonsense in ["", "soon", "-1", "1.5", "99999999999999999999999"] {
            assert_eq!(retry_after(nonsense, now), None, "{nonsense}");
        }
    }

    #[test]
    fn an_endpoint_is_hopeless_after_days_and_attempts_and_one_success_clears_it() {
        let mut health = Health::default();
        for _ in 0..DISABLE_AFTER_FAILURES {
            health = health.after(failed(), NOW);
        }
        assert!(!health.is_hopeless(NOW), "twenty failures in an instant");
        assert!(health.is_hopeless(NOW.plus(DISABLE_AFTER)));
        let few = Health { failures: DISABLE_AFTER_FAILURES - 1, ..health };
        assert!(!few.is_hopeless(NOW.plus(DISABLE_AFTER)), "few attempts over days");
        let mended = health.after(Answer { status: Some(200), retry_after: None }, NOW);
        assert_eq!(mended, Health::default());
    }
}
