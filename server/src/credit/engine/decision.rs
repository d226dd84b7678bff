//! What a request does: everything to write and to tell, and nothing that was written yet.

use entity::credits::Credits;
use entity::id::{BucketId, EntryId, HoldId, KeyFamilyId, OrganizationId, TransactionId, WalletId};
use entity::timestamp::Timestamp;

use super::book::{Bucket, Counter, Hold};
use super::refusal::Cap;
use super::request::Note;
use super::terms::{Environment, RefillState, StarvedReason, SystemAccount, TransactionKind};

/// The effect of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The answer to whoever asked.
    pub outcome: Outcome,
    /// Entries to append, in order. Holding and releasing post none.
    pub transactions: Vec<Transaction>,
    /// Wallets to update, each once.
    pub wallets: Vec<WalletChange>,
    /// Counters to add to, each once.
    pub counters: Vec<CounterChange>,
    /// Holds to insert or update, each once.
    pub holds: Vec<HoldChange>,
    /// To add to what the realm has issued.
    pub issued: Credits,
    /// Facts to tell, in order.
    pub notices: Vec<Notice>,
}

/// The answer to one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Charged {
        hold: HoldId,
        transaction: TransactionId,
        amount: Credits,
    },
    Held {
        hold: HoldId,
        amount: Credits,
        expires_at: Timestamp,
    },
    Captured {
        hold: HoldId,
        transaction: TransactionId,
        amount: Credits,
        returned: Credits,
    },
    Voided {
        hold: HoldId,
        returned: Credits,
    },
    Expired {
        hold: HoldId,
        returned: Credits,
    },
    Refunded {
        hold: HoldId,
        transaction: TransactionId,
        amount: Credits,
    },
    Granted {
        transaction: TransactionId,
        bucket: BucketId,
        amount: Credits,
    },
    Transferred {
        transaction: TransactionId,
        amount: Credits,
    },
    /// No transaction when all of the bucket is held.
    BucketExpired {
        transaction: Option<TransactionId>,
        amount: Credits,
    },
    /// No transaction when there was nothing to sweep.
    Swept {
        transaction: Option<TransactionId>,
        amount: Credits,
    },
    /// The refill state that the wallet is in now.
    RefillRearmed {
        state: RefillState,
    },
}

/// Entries that belong together and sum to zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    pub id: TransactionId,
    pub kind: TransactionKind,
    pub environment: Environment,
    /// Whose doing it is: who spent, was granted, refilled or swept; of a transfer the source.
    pub organization: OrganizationId,
    /// The hold it settles or refunds.
    pub hold: Option<HoldId>,
    pub created_at: Timestamp,
    pub note: Note,
    pub entries: Vec<Entry>,
}

/// One line of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub id: EntryId,
    pub account: Account,
    /// Positive into the account.
    pub amount: Credits,
}

/// What entries are posted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Account {
    Bucket {
        organization: OrganizationId,
        wallet: WalletId,
        bucket: BucketId,
    },
    /// Of the realm, in the transaction's environment.
    System(SystemAccount),
}

/// A wallet's new figures and the buckets that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WalletChange {
    pub organization: OrganizationId,
    pub environment: Environment,
    pub wallet: WalletId,
    /// The new version, one above the loaded one.
    pub version: i64,
    pub balance: Credits,
    pub held: Credits,
    pub refill: RefillState,
    pub balance_delta: Credits,
    pub held_delta: Credits,
    pub buckets: Vec<BucketChange>,
}

/// A bucket's new figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BucketChange {
    pub bucket: Bucket,
    /// Whether it is new.
    pub opened: bool,
    pub balance_delta: Credits,
    pub held_delta: Credits,
}

/// What to add to a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CounterChange {
    pub environment: Environment,
    pub counter: Counter,
    pub delta: Credits,
}

/// A hold with its new figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HoldChange {
    Opened(Hold),
    Updated(Hold),
}

/// A fact that somebody may want to hear of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    ChargeMade {
        hold: HoldId,
        organization: OrganizationId,
        environment: Environment,
        amount: Credits,
        family: Option<KeyFamilyId>,
    },
    HoldOpened {
        hold: HoldId,
        organization: OrganizationId,
        environment: Environment,
        amount: Credits,
        expires_at: Timestamp,
    },
    HoldCaptured {
        hold: HoldId,
        organization: OrganizationId,
        environment: Environment,
        amount: Credits,
        returned: Credits,
    },
    HoldVoided {
        hold: HoldId,
        organization: OrganizationId,
        environment: Environment,
        returned: Credits,
    },
    HoldExpired {
        hold: HoldId,
        organization: OrganizationId,
        environment: Environment,
        returned: Credits,
    },
    RefundMade {
        hold: HoldId,
        organization: OrganizationId,
        environment: Environment,
        amount: Credits,
    },
    GrantMade {
        transaction: TransactionId,
        organization: OrganizationId,
        environment: Environment,
        amount: Credits,
    },
    TransferMade {
        transaction: TransactionId,
        source: OrganizationId,
        target: OrganizationId,
        environment: Environment,
        amount: Credits,
    },
    CreditsSwept {
        transaction: TransactionId,
        from: OrganizationId,
        to: OrganizationId,
        amount: Credits,
    },
    CreditsExpired {
        transaction: TransactionId,
        organization: OrganizationId,
        environment: Environment,
        bucket: BucketId,
        amount: Credits,
    },
    /// Credits came from the parent.
    RefillFired {
        transaction: TransactionId,
        organization: OrganizationId,
        parent: OrganizationId,
        amount: Credits,
    },
    /// The threshold could not be restored. Told when it begins, not again while it lasts.
    RefillStarved {
        organization: OrganizationId,
        reason: StarvedReason,
    },
    /// Use of a limit went past one of `CAP_WARNING_PERCENTS`.
    CapWarning {
        cap: Cap,
        percent: i64,
        limit: Credits,
        used: Credits,
        resets_at: Timestamp,
    },
    /// The new figures of a wallet; one for each in [`Decision::wallets`].
    WalletChanged {
        organization: OrganizationId,
        environment: Environment,
        wallet: WalletId,
        version: i64,
        balance: Credits,
        held: Credits,
        available: Credits,
    },
}

impl Transaction {
    /// # Panics
    /// When the entries do not sum to zero.
    pub fn assert_balanced(&self) {
        let sum: i128 = self.entries.iter().map(|entry| i128::from(entry.amount.get())).sum();
        assert!(sum == 0, "the entries of {} sum to {sum}, not to zero", self.id);
    }
}
