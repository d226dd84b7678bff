use super::TopLevelError;

/// What limits how much one caller asks.
pub trait Throttle: Send + Sync {
    /// Takes an operation's points before it runs; refuses, and takes nothing, when there are not so many.
    fn take(&self, points: u64) -> Result<(), TopLevelError>;

    /// Points that an operation took and did not use.
    fn give_back(&self, points: u64);

    /// What is left, where there is least of it; `None` when points are not counted.
    fn left(&self) -> Option<Allowance>;
}

/// What somebody may still ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// The most that can be left.
    pub maximum: u64,
    pub available: u64,
    /// What comes back, in one second for points and in one minute for requests.
    pub restored: u64,
}

/// Never refuses.
pub(super) struct Unlimited;

impl Throttle for Unlimited {
    fn take(&self, _: u64) -> Result<(), TopLevelError> {
        Ok(())
    }

    fn give_back(&self, _: u64) {}

    fn left(&self) -> Option<Allowance> {
        None
    }
}
