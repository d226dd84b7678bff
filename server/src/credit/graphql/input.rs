//! Inputs of credits and how they become commands.

use async_graphql::{ID, InputObject};

use crate::credit::command::{Quantity, SpendInput};
use crate::credit::model::Remark;
use crate::kernel::error::Refusal;
use crate::organization::model::metadata_from;
use crate::schema::kind::{BucketOrigin, Environment};
use crate::schema::scalar::{Credits, DateTime, Json};
use crate::schema::session::optional_id;

/// Credits to issue.
#[derive(InputObject, Clone, Debug)]
pub struct CreditGrantInput {
    /// Who is given them.
    pub organization_id: Option<ID>,
    /// More than 0.
    pub amount: Credits,
    /// Where they come from.
    #[graphql(default_with = "BucketOrigin::Promotional")]
    pub origin: BucketOrigin,
    /// Lower is spent first; 100 when absent.
    pub priority: Option<i32>,
    /// When what is left is lost; never when absent.
    pub expires_at: Option<DateTime>,
    /// Which wallet.
    #[graphql(default_with = "Environment::Live")]
    pub environment: Environment,
    /// What for, at most 500 characters.
    pub description: Option<String>,
    /// An object of strings.
    pub metadata: Option<Json>,
    /// Makes a retry safe.
    pub idempotency_key: String,
}

/// Credits to move.
#[derive(InputObject, Clone, Debug)]
pub struct CreditTransferInput {
    /// Where they leave; the acting organization when absent.
    pub source_organization_id: Option<ID>,
    /// Where they go.
    pub target_organization_id: ID,
    /// More than 0.
    pub amount: Credits,
    /// What for, at most 500 characters.
    pub description: Option<String>,
    /// An object of strings.
    pub metadata: Option<Json>,
    /// Makes a retry safe.
    pub idempotency_key: String,
}

/// Credits to spend at once: an amount, or a meter and a quantity.
#[derive(InputObject, Clone, Debug)]
pub struct CreditChargeInput {
    /// Whose spend it is; the acting organization when absent.
    pub organization_id: Option<ID>,
    /// More than 0. Instead of a meter.
    pub amount: Option<Credits>,
    /// A meter of the catalogue. Instead of an amount.
    pub meter: Option<String>,
    /// How many units of the meter; 1 when absent.
    pub quantity: Option<i32>,
    /// The key's environment when absent; a key never touches the other one.
    pub environment: Option<Environment>,
    /// What for, at most 500 characters.
    pub description: Option<String>,
    /// An object of strings.
    pub metadata: Option<Json>,
    /// Makes a retry safe.
    pub idempotency_key: String,
}

/// Credits to reserve: an amount, or a meter and a quantity.
#[derive(InputObject, Clone, Debug)]
pub struct CreditHoldInput {
    /// Whose spend it is; the acting organization when absent.
    pub organization_id: Option<ID>,
    /// More than 0. Instead of a meter.
    pub amount: Option<Credits>,
    /// A meter of the catalogue. Instead of an amount.
    pub meter: Option<String>,
    /// How many units of the meter; 1 when absent.
    pub quantity: Option<i32>,
    /// The key's environment when absent; a key never touches the other one.
    pub environment: Option<Environment>,
    /// How long it stays open: 1 to 604800, seven days; 900 when absent.
    pub expires_in_seconds: Option<i32>,
    /// What for, at most 500 characters.
    pub description: Option<String>,
    /// An object of strings.
    pub metadata: Option<Json>,
    /// Makes a retry safe.
    pub idempotency_key: String,
}

/// What a charge would do: an amount, or a meter and a quantity.
#[derive(InputObject, Clone, Debug)]
pub struct CreditQuoteInput {
    /// Whose spend it would be; the acting organization when absent.
    pub organization_id: Option<ID>,
    /// More than 0. Instead of a meter.
    pub amount: Option<Credits>,
    /// A meter of the catalogue. Instead of an amount.
    pub meter: Option<String>,
    /// How many units of the meter; 1 when absent.
    pub quantity: Option<i32>,
    /// The key's environment when absent.
    pub environment: Option<Environment>,
}

/// A hold to spend.
#[derive(InputObject, Clone, Debug)]
pub struct CreditCaptureInput {
    /// The hold.
    pub hold_id: ID,
    /// At most what it holds; all of it when absent. The rest returns.
    pub amount: Option<Credits>,
    /// What for, at most 500 characters.
    pub description: Option<String>,
    /// Makes a retry safe.
    pub idempotency_key: String,
}

/// A hold to return.
#[derive(InputObject, Clone, Debug)]
pub struct CreditVoidInput {
    /// The hold.
    pub hold_id: ID,
    /// Makes a retry safe.
    pub idempotency_key: String,
}

/// A charge to give back.
#[derive(InputObject, Clone, Debug)]
pub struct CreditRefundInput {
    /// The charge, or the captured hold.
    pub hold_id: ID,
    /// At most what was spent and not refunded; all of it when absent.
    pub amount: Option<Credits>,
    /// What for, at most 500 characters.
    pub description: Option<String>,
    /// Makes a retry safe.
    pub idempotency_key: String,
}

/// The price of a meter.
#[derive(InputObject, Clone, Debug)]
pub struct MeterSetInput {
    /// The root whose catalogue it is; the acting organization when absent.
    pub organization_id: Option<ID>,
    /// Such as invoice.submit.
    pub key: String,
    /// Credits per unit, more than 0.
    pub credits: Credits,
    /// What it counts.
    pub description: Option<String>,
}

/// Reads amount, meter and quantity.
pub fn quantity(amount: Option<Credits>, meter: Option<&str>, quantity: Option<i32>) -> Result<Quantity, Refusal> {
    match (amount, meter) {
        (Some(amount), None) if quantity.is_none() => Ok(Quantity::Amount(amount.0)),
        (None, Some(key)) => Ok(Quantity::Meter { key: key.to_owned(), quantity: i64::from(quantity.unwrap_or(1)) }),
        (Some(_), None) => Err(Refusal::invalid("quantity", "quantity goes with meter, not with amount.")),
        _ => Err(Refusal::invalid("amount", "Give an amount, or a meter with a quantity.")),
    }
}

/// Reads description and metadata.
pub fn remark(description: Option<&String>, metadata: Option<&Json>) -> Result<Remark, Refusal> {
    let metadata = metadata.map(|json| metadata_from(&json.0, "metadata")).transpose()?;
    Ok(Remark { description: description.cloned(), metadata: metadata.unwrap_or_default() })
}

macro_rules! spend {
    ($($input:ident),+) => {$(
        impl $input {
            pub fn spend(&self) -> Result<SpendInput, Refusal> {
                Ok(SpendInput {
                    organization: optional_id(self.organization_id.as_ref(), "organizationId")?,
                    cost: quantity(self.amount, self.meter.as_deref(), self.quantity)?,
                    environment: self.environment.map(Into::into),
                    remark: remark(self.description.as_ref(), self.metadata.as_ref())?,
                })
            }
        }
    )+};
}

spend!(CreditChargeInput, CreditHoldInput);
