//! What can be done to a world: one mutation or query of one actor, by names that do not depend on ids.
//!
//! Everything that a command makes is named by the command's number, so that a list of commands means the same when some
//! of them are left out.

use entity::kind::{BillingMode, BucketOrigin, Delegation, Environment, FundingMode, Relation};
use serde_json::{Value, json};

use crate::oracle::rules::MOST;

/// The number of a command, and the name of what it made.
pub type Serial = u32;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Actor {
    Operator,
    /// The key that this command minted.
    Key(Serial),
}

/// One command of a world.
#[derive(Clone, Debug)]
pub struct Command {
    pub serial: Serial,
    pub actor: Actor,
    pub act: Act,
    /// Sent under the idempotency key of this command instead of one of its own.
    pub repeats: Option<Serial>,
}

/// A setting that is kept, cleared or set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change<T> {
    Keep,
    Clear,
    Set(T),
}

/// How much is to be spent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cost {
    Amount(i64),
    Meter { key: String, quantity: Option<i32> },
}

/// What charges, holds and quotes have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spend {
    pub organization: Option<Serial>,
    pub cost: Cost,
    pub environment: Option<Environment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub organization: Serial,
    pub amount: i64,
    pub origin: BucketOrigin,
    pub priority: Option<i32>,
    /// In seconds from 1970.
    pub expires_at: Option<i64>,
    pub environment: Environment,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Funding {
    pub organization: Serial,
    pub mode: Change<FundingMode>,
    pub covers: Option<bool>,
    pub falls_back: Option<bool>,
    pub reserve: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub organization: Serial,
    pub own_cap: Change<i64>,
    pub subtree_cap: Change<i64>,
    pub threshold: Change<i64>,
    pub amount: Change<i64>,
    pub ceiling: Change<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    Create {
        parent: Option<Serial>,
        zone: Option<&'static str>,
        billing_mode: Option<BillingMode>,
        relation: Option<Relation>,
    },
    /// A key that may do everything, or one that may spend only.
    Mint {
        organization: Serial,
        environment: Environment,
        all: bool,
        spend_limit: Option<i64>,
    },
    Rotate {
        key: Serial,
    },
    Meter {
        organization: Serial,
        key: String,
        credits: i64,
    },
    Grant(Grant),
    Charge(Spend),
    Hold {
        spend: Spend,
        seconds: Option<i32>,
    },
    Capture {
        hold: Serial,
        amount: Option<i64>,
    },
    Void {
        hold: Serial,
    },
    Refund {
        hold: Serial,
        amount: Option<i64>,
    },
    Transfer {
        source: Option<Serial>,
        target: Serial,
        amount: i64,
    },
    Quote(Spend),
    Fund(Funding),
    Limit(Limits),
    Update {
        organization: Serial,
        zone: Option<&'static str>,
        billing_mode: Option<BillingMode>,
        stale: bool,
    },
    Delegate {
        organization: Serial,
        delegation: Vec<Delegation>,
    },
    Suspend {
        organization: Serial,
    },
    Resume {
        organization: Serial,
    },
    Archive {
        organization: Serial,
        cascade: bool,
    },
    Move {
        organization: Serial,
        parent: Serial,
    },
    Detach {
        organization: Serial,
    },
}

impl Act {
    /// The field of the schema.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Create { .. } => "organizationCreate",
            Self::Mint { .. } => "apiKeyCreate",
            Self::Rotate { .. } => "apiKeyRotate",
            Self::Meter { .. } => "meterSet",
            Self::Grant(_) => "creditGrant",
            Self::Charge(_) => "creditCharge",
            Self::Hold { .. } => "creditHold",
            Self::Capture { .. } => "creditCapture",
            Self::Void { .. } => "creditVoid",
            Self::Refund { .. } => "creditRefund",
            Self::Transfer { .. } => "creditTransfer",
            Self::Quote(_) => "creditQuote",
            Self::Fund(_) => "organizationFundingUpdate",
            Self::Limit(_) => "organizationLimitsUpdate",
            Self::Update { .. } => "organizationUpdate",
            Self::Delegate { .. } => "organizationDelegationUpdate",
            Self::Suspend { .. } => "organizationSuspend",
            Self::Resume { .. } => "organizationResume",
            Self::Archive { .. } => "organizationArchive",
            Self::Move { .. } => "organizationMove",
            Self::Detach { .. } => "organizationDetach",
        }
    }

    /// What the answer is asked for, beside `userErrors`.
    pub fn selection(&self) -> &'static str {
        match self {
            Self::Create { .. }
            | Self::Fund(_)
            | Self::Limit(_)
            | Self::Update { .. }
            | Self::Delegate { .. }
            | Self::Suspend { .. }
            | Self::Resume { .. }
            | Self::Move { .. } => "organization { id version }",
            Self::Detach { .. } => "organizationId organization { id version }",
            Self::Mint { .. } | Self::Rotate { .. } => "secret apiKey { id familyId }",
            Self::Meter { .. } => "meter { key credits }",
            Self::Grant(_) => "transaction { kind amount } wallet { ...W } replayed",
            Self::Charge(_) => "charge { ...H } wallet { ...W } replayed",
            Self::Hold { .. } | Self::Capture { .. } | Self::Void { .. } | Self::Refund { .. } => {
                "hold { ...H } wallet { ...W } replayed"
            }
            Self::Transfer { .. } => "transaction { kind amount } sourceWallet { ...W } targetWallet { ...W } replayed",
            Self::Quote(_) => "allowed amount spendable legs { organizationId bucketId amount }",
            Self::Archive { .. } => "organization { id version } reclaimedCredits revokedApiKeys pendingReclaim",
        }
    }

    /// Whether it takes credits along and so an idempotency key.
    pub fn moves_credits(&self) -> bool {
        matches!(
            self,
            Self::Grant(_)
                | Self::Charge(_)
                | Self::Hold { .. }
                | Self::Capture { .. }
                | Self::Void { .. }
                | Self::Refund { .. }
                | Self::Transfer { .. }
        )
    }

    /// Whether an amount is beyond what the scalar `Credits` reads.
    pub fn is_unreadable(&self) -> bool {
        let amount = match self {
            Self::Grant(Grant { amount, .. })
            | Self::Transfer { amount, .. }
            | Self::Charge(Spend { cost: Cost::Amount(amount), .. })
            | Self::Quote(Spend { cost: Cost::Amount(amount), .. })
            | Self::Hold { spend: Spend { cost: Cost::Amount(amount), .. }, .. } => *amount,
            Self::Capture { amount, .. } | Self::Refund { amount, .. } => amount.unwrap_or(0),
            _ => 0,
        };
        amount > MOST
    }

    /// The `input`, with `@` names where ids go; see [`super::names`].
    pub fn input(&self) -> Value {
        match self {
            Self::Create { parent, zone, billing_mode, relation } => without_nulls(json!({
                "name": "Banyan",
                "parentId": parent.map(organization),
                "timezone": zone,
                "billingMode": billing_mode,
                "relation": relation,
            })),
            Self::Mint { organization: of, environment, all, spend_limit } => without_nulls(json!({
                "organizationId": organization(*of),
                "name": "oracle",
                "environment": environment,
                "scopes": if *all { json!(["@all"]) } else { json!(["credits:spend"]) },
                "spendLimit": spend_limit,
            })),
            Self::Rotate { key: of } => json!({ "apiKeyId": key(*of) }),
            Self::Meter { organization: of, key, credits } => {
                json!({ "organizationId": organization(*of), "key": key, "credits": credits })
            }
            Self::Grant(grant) => without_nulls(json!({
                "organizationId": organization(grant.organization),
                "amount": grant.amount,
                "origin": grant.origin,
                "priority": grant.priority,
                "expiresAt": grant.expires_at.map(instant),
                "environment": grant.environment,
            })),
            Self::Charge(spend) | Self::Quote(spend) => spend.input(),
            Self::Hold { spend, seconds } => {
                let mut input = spend.input();
                if let Some(seconds) = seconds {
                    input["expiresInSeconds"] = json!(seconds);
                }
                input
            }
            Self::Capture { hold: of, amount } | Self::Refund { hold: of, amount } => {
                without_nulls(json!({ "holdId": hold(*of), "amount": amount }))
            }
            Self::Void { hold: of } => json!({ "holdId": hold(*of) }),
            Self::Transfer { source, target, amount } => without_nulls(json!({
                "sourceOrganizationId": source.map(organization),
                "targetOrganizationId": organization(*target),
                "amount": amount,
            })),
            Self::Fund(funding) => {
                let mut input = without_nulls(json!({
                    "organizationId": organization(funding.organization),
                    "primaryCoversSecondary": funding.covers,
                    "fallbackToPrimary": funding.falls_back,
                    "minimumReserve": funding.reserve,
                }));
                change(&mut input, "mode", funding.mode.map(|mode| json!(mode)));
                input
            }
            Self::Limit(limits) => {
                let mut input = json!({ "organizationId": organization(limits.organization) });
                for (field, limit) in [
                    ("monthlyCreditCap", limits.own_cap),
                    ("subtreeMonthlyCap", limits.subtree_cap),
                    ("refillThreshold", limits.threshold),
                    ("refillAmount", limits.amount),
                    ("refillMonthlyCeiling", limits.ceiling),
                ] {
                    change(&mut input, field, limit.map(|limit| json!(limit)));
                }
                input
            }
            Self::Update { organization: of, zone, billing_mode, stale } => without_nulls(json!({
                "organizationId": organization(*of),
                "expectedVersion": if *stale { json!("@stale") } else { json!("@version") },
                "timezone": zone,
                "billingMode": billing_mode,
            })),
            Self::Delegate { organization: of, delegation } => {
                json!({ "organizationId": organization(*of), "delegation": delegation })
            }
            Self::Suspend { organization: of } | Self::Resume { organization: of } => {
                json!({ "organizationId": organization(*of) })
            }
            Self::Move { organization: of, parent } => {
                json!({ "organizationId": organization(*of), "parentId": organization(*parent) })
            }
            Self::Detach { organization: of } => json!({ "organizationId": organization(*of) }),
            Self::Archive { organization: of, cascade } => {
                json!({ "organizationId": organization(*of), "cascade": cascade })
            }
        }
    }
}

impl Spend {
    fn input(&self) -> Value {
        let (amount, meter, quantity) = match &self.cost {
            Cost::Amount(amount) => (Some(*amount), None, None),
            Cost::Meter { key, quantity } => (None, Some(key), *quantity),
        };
        without_nulls(json!({
            "organizationId": self.organization.map(organization),
            "amount": amount,
            "meter": meter,
            "quantity": quantity,
            "environment": self.environment,
        }))
    }
}

impl<T> Change<T> {
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Change<U> {
        match self {
            Self::Keep => Change::Keep,
            Self::Clear => Change::Clear,
            Self::Set(value) => Change::Set(f(value)),
        }
    }

    pub fn or(self, kept: Option<T>) -> Option<T> {
        match self {
            Self::Keep => kept,
            Self::Clear => None,
            Self::Set(value) => Some(value),
        }
    }
}

fn change(input: &mut Value, field: &str, change: Change<Value>) {
    match change {
        Change::Keep => {}
        Change::Clear => input[field] = Value::Null,
        Change::Set(value) => input[field] = value,
    }
}

/// An absent field and null differ, and nothing here means null.
fn without_nulls(mut input: Value) -> Value {
    if let Value::Object(fields) = &mut input {
        fields.retain(|_, value| !value.is_null());
    }
    input
}

/// The name of an organization.
pub fn organization(serial: Serial) -> String {
    format!("@org:{serial}")
}

/// The name of a hold or charge.
pub fn hold(serial: Serial) -> String {
    format!("@hold:{serial}")
}

/// The name of a key.
pub fn key(serial: Serial) -> String {
    format!("@key:{serial}")
}

/// The name of the family of a key that was minted.
pub fn family(serial: Serial) -> String {
    format!("@fam:{serial}")
}

/// The name of a bucket.
pub fn bucket(index: usize) -> String {
    format!("@bkt:{index}")
}

/// An instant as the schema spells it.
pub fn instant(seconds: i64) -> String {
    let at = jiff::Timestamp::from_second(seconds).expect("worlds end before the year 9999");
    at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}
