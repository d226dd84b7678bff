//! How much the viewer may still ask.

use async_graphql::SimpleObject;

use crate::http::Allowance;
use crate::throttle::Left;

/// What the key's family and its tree may still ask of this gateway. Each gateway counts for itself, and a restart begins
/// anew.
#[derive(SimpleObject)]
pub struct RateLimit {
    /// Requests of the key's family; null when the key has no `rateLimit`.
    requests: Option<RequestAllowance>,
    /// Points of the key's family, as `extensions.cost` counts them; null when they are not limited.
    key_points: Option<PointAllowance>,
    /// Points of all keys of the tree together; null when they are not limited.
    root_points: Option<PointAllowance>,
}

/// Requests that may still be sent.
#[derive(SimpleObject)]
pub struct RequestAllowance {
    /// The most that can be available.
    maximum: i32,
    /// What may be sent now, after this request.
    available: i32,
    /// What comes back, evenly, in a minute.
    restored_per_minute: i32,
}

/// Points that documents may still cost.
#[derive(SimpleObject)]
pub struct PointAllowance {
    /// The most that can be available.
    maximum: i32,
    /// What is there now, after what this document asks for and before what it does not use is given back.
    available: i32,
    /// What comes back, evenly, in a second.
    restored_per_second: i32,
}

fn number(units: u64) -> i32 {
    i32::try_from(units).unwrap_or(i32::MAX)
}

impl From<Left> for RateLimit {
    fn from(left: Left) -> Self {
        Self {
            requests: left.requests.map(Into::into),
            key_points: left.key_points.map(Into::into),
            root_points: left.root_points.map(Into::into),
        }
    }
}

impl From<Allowance> for RequestAllowance {
    fn from(allowance: Allowance) -> Self {
        Self {
            maximum: number(allowance.maximum),
            available: number(allowance.available),
            restored_per_minute: number(allowance.restored),
        }
    }
}

impl From<Allowance> for PointAllowance {
    fn from(allowance: Allowance) -> Self {
        Self {
            maximum: number(allowance.maximum),
            available: number(allowance.available),
            restored_per_second: number(allowance.restored),
        }
    }
}
