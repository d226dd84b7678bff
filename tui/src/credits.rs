//! Credits as the schema counts them: whole, and small enough that a JSON number is exact.

use serde::{Deserialize, Serialize};

/// The largest amount the schema allows, 2^53 − 1.
pub const CREDITS_MAX: i64 = 9_007_199_254_740_991;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Credits(pub i64);

/// Why a typed amount is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountProblem {
    #[error("type an amount in whole credits")]
    Missing,
    #[error("an amount is digits only, such as 1500 or 1,500")]
    NotWhole,
    #[error("an amount is at least 1")]
    Zero,
    #[error("an amount is at most 9,007,199,254,740,991")]
    TooLarge,
}

impl Credits {
    /// The amount a person typed. Separators between the digits are allowed, a sign or a fraction
    /// is not: guessing what "1.500" meant would move a thousandth or a thousandfold.
    pub fn from_typed(text: &str) -> Result<Self, AmountProblem> {
        let text = text.trim();
        if text.is_empty() {
            return Err(AmountProblem::Missing);
        }
        let groups: Vec<&str> = text.split([',', '_', ' ']).collect();
        let digits_only =
            groups.iter().all(|group| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_digit()));
        // "1,5" is a fraction in half of the world: a separator must stand before three digits.
        if !digits_only || groups.iter().skip(1).any(|group| group.len() != 3) {
            return Err(AmountProblem::NotWhole);
        }
        let amount: i64 = groups.concat().parse().map_err(|_| AmountProblem::TooLarge)?;
        match amount {
            0 => Err(AmountProblem::Zero),
            amount if amount > CREDITS_MAX => Err(AmountProblem::TooLarge),
            amount => Ok(Self(amount)),
        }
    }

    /// With an explicit sign, for what moved.
    pub fn signed(self) -> String {
        if self.0 > 0 { format!("+{self}") } else { self.to_string() }
    }
}

/// Exact, in groups of three; never rounded and never abbreviated.
impl std::fmt::Display for Credits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let digits = self.0.unsigned_abs().to_string();
        let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
        if self.0 < 0 {
            text.push('-');
        }
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                text.push(',');
            }
            text.push(digit);
        }
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_shown_exactly() {
        let shown = |amount| Credits(amount).to_string();
        assert_eq!(shown(0), "0");
        assert_eq!(shown(999), "999");
        assert_eq!(shown(-1000), "-1,000");
        assert_eq!(shown(CREDITS_MAX), "9,007,199,254,740,991");
        assert_eq!(shown(i64::MIN), "-9,223,372,036,854,775,808");
    }

    #[test]
    fn what_could_mean_two_amounts_is_not_an_amount() {
        assert_eq!(Credits::from_typed(" 1,500 "), Ok(Credits(1500)));
        assert_eq!(Credits::from_typed("12_000_000"), Ok(Credits(12_000_000)));
        for doubtful in ["1.500", "1,5", "1,,500", "-5", "+5", "5 0", "１００"] {
            assert_eq!(Credits::from_typed(doubtful), Err(AmountProblem::NotWhole), "{doubtful}");
        }
    }

    #[test]
    fn an_amount_is_within_what_the_schema_can_say() {
        assert_eq!(Credits::from_typed(""), Err(AmountProblem::Missing));
        assert_eq!(Credits::from_typed("0"), Err(AmountProblem::Zero));
        assert_eq!(Credits::from_typed("9007199254740991"), Ok(Credits(CREDITS_MAX)));
        assert_eq!(Credits::from_typed("9007199254740992"), Err(AmountProblem::TooLarge));
        assert_eq!(Credits::from_typed("99999999999999999999"), Err(AmountProblem::TooLarge));
    }
}
