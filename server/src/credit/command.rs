//! What can be asked of the ledger. Each is one request to the engine; all go through the `ledger`'s queue.

use std::sync::Arc;
use std::time::Duration;

use entity::credits::Credits;
use entity::id::{AnyId, HoldId, OrganizationId, TransactionId};
use entity::kind::{BucketOrigin, Environment};
use entity::ledger_transaction;
use entity::timestamp::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::access::fields;
use crate::access::policy::Permission;
use crate::access::principal::KeyPrincipal;
use crate::credit::model::{Hold, Remark, Wallet};
use crate::kernel::command::Subject;

/// How much: an amount, or a meter and a quantity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Quantity {
    Amount(Credits),
    Meter { key: String, quantity: i64 },
}

/// A movement and both ends as they stood right after it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Moved {
    pub transaction: ledger_transaction::Model,
    pub source: Option<Wallet>,
    pub target: Wallet,
}

/// A hold or charge and its organization's wallet as they stood right after.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Spent {
    pub hold: Hold,
    pub wallet: Wallet,
    pub transaction: Option<TransactionId>,
}

/// What a spend says, shared by charge, hold and quote.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SpendInput {
    pub organization: Option<OrganizationId>,
    pub cost: Quantity,
    pub environment: Option<Environment>,
    pub remark: Remark,
}

/// What is asked, in the words of the ledger.
#[derive(Clone, Debug)]
pub enum Ask {
    Charge { cost: Quantity, environment: Option<Environment>, remark: Remark },
    Hold { cost: Quantity, environment: Option<Environment>, expires_in: Option<Duration>, remark: Remark },
    Capture { hold: HoldId, amount: Option<Credits>, remark: Remark },
    Void { hold: HoldId },
    Refund { hold: HoldId, amount: Option<Credits>, remark: Remark },
    Transfer { target: OrganizationId, amount: Credits, remark: Remark },
    Grant(GrantTerms),
}

/// Credits to issue.
#[derive(Clone, Debug, Serialize)]
pub struct GrantTerms {
    pub amount: Credits,
    pub origin: BucketOrigin,
    pub priority: Option<i32>,
    pub expires_at: Option<Timestamp>,
    pub environment: Environment,
    pub remark: Remark,
}

/// A mutation that moves credits, as a value. Its serialized fields are the input that idempotency compares.
pub trait Movement: Serialize + Send + Sync {
    /// The mutation field's name: also the operation of the idempotency record and the action of the audit entry.
    const NAME: &'static str;
    /// What the mutation's row in [`fields`] says.
    const PERMISSION: Permission = fields::needs("Mutation", Self::NAME);
    type Output: Serialize + DeserializeOwned + Send;

    fn subject(&self) -> Subject;

    /// Other organizations the permission is needed for, with the input field that names each.
    fn also(&self) -> Vec<(OrganizationId, &'static str)> {
        Vec::new()
    }

    /// Somebody else's key that the caller presents, whose spend it is.
    fn presented(&self) -> Option<Arc<KeyPrincipal>> {
        None
    }

    fn idempotency_key(&self) -> &str;

    fn ask(&self) -> Ask;
}

/// Spends at once.
#[derive(Clone, Debug, Serialize)]
pub struct Charge {
    pub spend: SpendInput,
    #[serde(skip)]
    pub idempotency_key: String,
}

impl Movement for Charge {
    const NAME: &'static str = "creditCharge";
    type Output = Spent;

    fn subject(&self) -> Subject {
        Subject::Organization(self.spend.organization)
    }

    fn idempotency_key(&self) -> &str {
        &self.idempotency_key
    }

    fn ask(&self) -> Ask {
        let SpendInput { cost, environment, remark, .. } = self.spend.clone();
        Ask::Charge { cost, environment, remark }
    }
}

/// Reserves, to be captured or voided later.
#[derive(Clone, Debug, Serialize)]
pub struct TakeHold {
    pub spend: SpendInput,
    pub expires_in: Option<Duration>,
    #[serde(skip)]
    pub idempotency_key: String,
}

impl Movement for TakeHold {
    const NAME: &'static str = "creditHold";
    type Output = Spent;

    fn subject(&self) -> Subject {
        Subject::Organization(self.spend.organization)
    }

    fn idempotency_key(&self) -> &str {
        &self.idempotency_key
    }

    fn ask(&self) -> Ask {
        let SpendInput { cost, environment, remark, .. } = self.spend.clone();
        Ask::Hold { cost, environment, expires_in: self.expires_in, remark }
    }
}

/// Spends what a hold reserved; the rest returns.
#[derive(Clone, Debug, Serialize)]
pub struct Capture {
    pub hold: HoldId,
    pub amount: Option<Credits>,
    pub remark: Remark,
    #[serde(skip)]
    pub idempotency_key: String,
}

impl Movement for Capture {
    const NAME: &'static str = "creditCapture";
    type Output = Spent;

    fn subject(&self) -> Subject {
        Subject::OwnerOf(AnyId::Hold(self.hold))
    }

    fn idempotency_key(&self) -> &str {
        &self.idempotency_key
    }

    fn ask(&self) -> Ask {
        Ask::Capture { hold: self.hold, amount: self.amount, remark: self.remark.clone() }
    }
}

/// Returns what a hold reserved.
#[derive(Clone, Debug, Serialize)]
pub struct Void {
    pub hold: HoldId,
    #[serde(skip)]
    pub idempotency_key: String,
}

impl Movement for Void {
    const NAME: &'static str = "creditVoid";
    type Output = Spent;

    fn subject(&self) -> Subject {
        Subject::OwnerOf(AnyId::Hold(self.hold))
    }

    fn idempotency_key(&self) -> &str {
        &self.idempotency_key
    }

    fn ask(&self) -> Ask {
        Ask::Void { hold: self.hold }
    }
}

/// Gives spent credits back to the legs that paid.
#[derive(Clone, Debug, Serialize)]
pub struct Refund {
    pub hold: HoldId,
    pub amount: Option<Credits>,
    pub remark: Remark,
    #[serde(skip)]
    pub idempotency_key: String,
}

impl Movement for Refund {
    const NAME: &'static str = "creditRefund";
    type Output = Spent;

    fn subject(&self) -> Subject {
        Subject::OwnerOf(AnyId::Hold(self.hold))
    }

    fn idempotency_key(&self) -> &str {
        &self.idempotency_key
    }

    fn ask(&self) -> Ask {
        Ask::Refund { hold: self.hold, amount: self.amount, remark: self.remark.clone() }
    }
}

/// Moves credits between two wallets of one realm.
#[derive(Clone, Debug, Serialize)]
pub struct TransferCredits {
    /// The acting organization when absent.
    pub source: Option<OrganizationId>,
    pub target: OrganizationId,
    pub amount: Credits,
    pub remark: Remark,
    #[serde(skip)]
    pub idempotency_key: String,
}

impl Movement for TransferCredits {
    const NAME: &'static str = "creditTransfer";
    type Output = Moved;

    fn subject(&self) -> Subject {
        Subject::Organization(self.source)
    }

    fn also(&self) -> Vec<(OrganizationId, &'static str)> {
        vec![(self.target, "targetOrganizationId")]
    }

    fn idempotency_key(&self) -> &str {
        &self.idempotency_key
    }

    fn ask(&self) -> Ask {
        Ask::Transfer { target: self.target, amount: self.amount, remark: self.remark.clone() }
    }
}

/// Issues credits. The operator's alone.
#[derive(Clone, Debug, Serialize)]
pub struct GrantCredits {
    pub organization: Option<OrganizationId>,
    pub terms: GrantTerms,
    #[serde(skip)]
    pub idempotency_key: String,
}

impl Movement for GrantCredits {
    const NAME: &'static str = "creditGrant";
    type Output = Moved;

    fn subject(&self) -> Subject {
        Subject::Organization(self.organization)
    }

    fn idempotency_key(&self) -> &str {
        &self.idempotency_key
    }

    fn ask(&self) -> Ask {
        Ask::Grant(self.terms.clone())
    }
}
