//! The commands that move credits. Each is one request to the engine.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use entity::credits::Credits;
use entity::id::{AnyId, HoldId, KeyFamilyId, OrganizationId, TransactionId};
use entity::kind::{BucketOrigin, Environment};
use entity::timestamp::Timestamp;
use entity::{ledger_transaction, meter};
use sea_orm::{EntityTrait, IntoActiveModel, sea_query};
use serde::{Deserialize, Serialize};

use crate::access::policy::{self, Permission};
use crate::access::principal::Principal;
use crate::access::store as access_store;
use crate::credit::engine::decision::{Decision, Outcome};
use crate::credit::engine::request::{self, Cost, Price};
use crate::credit::engine::{Book, Request};
use crate::credit::model::{self, DEFAULT_PRIORITY, Hold, METER_KEY_MAX_CHARS, Remark, Wallet};
use crate::credit::{load, post};
use crate::kernel::command::{Command, Subject};
use crate::kernel::error::{ErrorCode, Fault, Refusal, Result};
use crate::kernel::execute::denied;
use crate::kernel::tx::Tx;

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

const SPEND_REFUSALS: &[ErrorCode] = &[
    ErrorCode::InvalidInput,
    ErrorCode::UnknownMeter,
    ErrorCode::ForbiddenScope,
    ErrorCode::OrganizationArchived,
    ErrorCode::OrganizationSuspended,
    ErrorCode::CapExceeded,
    ErrorCode::ReserveProtected,
    ErrorCode::InsufficientCredits,
];

const SETTLE_REFUSALS: &[ErrorCode] = &[ErrorCode::InvalidInput, ErrorCode::Conflict, ErrorCode::ForbiddenScope];

/// What a spend says, shared by charge, hold and quote.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SpendInput {
    pub organization: Option<OrganizationId>,
    pub cost: Quantity,
    pub environment: Option<Environment>,
    pub remark: Remark,
}

impl SpendInput {
    /// The engine's spend: environment by the key, price by the realm's catalogue, family by the key that asks.
    pub async fn resolve(&self, tx: &Tx) -> Result<request::Spend> {
        self.remark.check()?;
        Ok(request::Spend {
            organization: tx.target().id(),
            environment: environment_of(&tx.caller().principal, self.environment)?,
            cost: price(tx, tx.realm(), &self.cost).await?,
            family: family_of(&tx.caller().principal),
            note: self.remark.note(),
        })
    }
}

pub(super) fn family_of(principal: &Principal) -> Option<KeyFamilyId> {
    principal.key().map(|key| key.family)
}

/// The key's environment; a key never touches the other one.
pub(super) fn environment_of(principal: &Principal, asked: Option<Environment>) -> Result<Environment, Refusal> {
    match (principal.key(), asked) {
        (Some(key), Some(asked)) if asked != key.environment => Err(Refusal::new(
            ErrorCode::ForbiddenScope,
            format!("This is a {} key. Use a {asked} key to touch {asked} credits.", key.environment),
        )
        .at("environment")),
        (Some(key), _) => Ok(key.environment),
        (None, asked) => Ok(asked.unwrap_or(Environment::Live)),
    }
}

/// The cost with the meter's price of this moment, which stays with the hold.
pub async fn price(
    connection: &impl sea_orm::ConnectionTrait,
    realm: entity::id::RealmId,
    cost: &Quantity,
) -> Result<Cost> {
    match cost {
        Quantity::Amount(amount) => Ok(Cost::Amount(*amount)),
        Quantity::Meter { key, quantity } => {
            let found = load::meter(connection, realm, key).await?.ok_or_else(|| {
                let message = format!("There is no meter \"{key}\" in this catalogue. The query `meters` lists them.");
                Refusal::new(ErrorCode::UnknownMeter, message).at("meter")
            })?;
            Ok(Cost::Metered(Price {
                meter: Arc::from(found.meter_key.as_str()),
                quantity: *quantity,
                unit_price: found.credits,
            }))
        }
    }
}

/// What a spend needs in the book.
pub(super) fn wanted_by(spend: &request::Spend) -> load::Wanted {
    load::Wanted {
        organizations: BTreeSet::from([spend.organization]),
        families: spend.family.into_iter().collect(),
        ..load::Wanted::default()
    }
}

fn spent(tx: &Tx, book: &Book, hold: HoldId, transaction: Option<TransactionId>) -> Result<Spent> {
    let hold = book.hold(hold).ok_or_else(|| Fault::new("a decided hold is not in its book"))?;
    let wallet = book
        .wallet(hold.organization, hold.environment)
        .ok_or_else(|| Fault::new(format!("{} has no wallet", hold.organization)))?;
    Ok(Spent {
        hold: model::hold_rows(tx.realm(), hold),
        wallet: model::shown_wallet(tx.realm(), wallet, tx.now()),
        transaction,
    })
}

fn only(decisions: &[Decision]) -> Result<&Decision> {
    Ok(decisions.first().ok_or_else(|| Fault::new("one request made no decision"))?)
}

/// Spends at once.
#[derive(Clone, Debug, Serialize)]
pub struct Charge {
    pub spend: SpendInput,
    #[serde(skip)]
    pub idempotency_key: String,
}

impl Command for Charge {
    const NAME: &'static str = "creditCharge";
    const PERMISSION: Permission = Permission::CreditSpend;
    const REFUSALS: &'static [ErrorCode] = SPEND_REFUSALS;
    type Output = Spent;

    fn subject(&self) -> Subject {
        Subject::Organization(self.spend.organization)
    }

    fn idempotency_key(&self) -> Option<&str> {
        Some(&self.idempotency_key)
    }

    async fn run(&self, tx: &mut Tx) -> Result<Spent> {
        let spend = self.spend.resolve(tx).await?;
        charge(tx, spend).await
    }
}

/// Charges within another command's transaction: `apiKeyVerify`, an invoice's submission.
pub async fn charge(tx: &mut Tx, spend: request::Spend) -> Result<Spent> {
    let wanted = wanted_by(&spend);
    let (book, decisions) = post::post(tx, &wanted, &[Request::Charge(spend)]).await?;
    let Outcome::Charged { hold, transaction, amount } = only(&decisions)?.outcome else {
        return Err(Fault::new("a charge was decided as something else").into());
    };
    tx.note("holdId", hold.to_string());
    tx.note("amount", amount.get());
    spent(tx, &book, hold, Some(transaction))
}

/// Reserves, to be captured or voided later.
#[derive(Clone, Debug, Serialize)]
pub struct TakeHold {
    pub spend: SpendInput,
    pub expires_in: Option<Duration>,
    #[serde(skip)]
    pub idempotency_key: String,
}

impl Command for TakeHold {
    const NAME: &'static str = "creditHold";
    const PERMISSION: Permission = Permission::CreditSpend;
    const REFUSALS: &'static [ErrorCode] = SPEND_REFUSALS;
    type Output = Spent;

    fn subject(&self) -> Subject {
        Subject::Organization(self.spend.organization)
    }

    fn idempotency_key(&self) -> Option<&str> {
        Some(&self.idempotency_key)
    }

    async fn run(&self, tx: &mut Tx) -> Result<Spent> {
        let spend = self.spend.resolve(tx).await?;
        let wanted = wanted_by(&spend);
        let request = Request::Hold { spend, expires_in: self.expires_in };
        let (book, decisions) = post::post(tx, &wanted, &[request]).await?;
        let Outcome::Held { hold, amount, .. } = only(&decisions)?.outcome else {
            return Err(Fault::new("a hold was decided as something else").into());
        };
        tx.note("holdId", hold.to_string());
        tx.note("amount", amount.get());
        spent(tx, &book, hold, None)
    }
}

/// What settles a hold.
#[derive(Clone, Debug, Serialize)]
pub enum Settle {
    Capture { amount: Option<Credits> },
    Void,
    Refund { amount: Option<Credits> },
}

/// Captures, voids or refunds; one command for each name, so that each has its own operation and audit action.
async fn settle(tx: &mut Tx, hold: HoldId, settle: &Settle, remark: &Remark) -> Result<Spent> {
    remark.check()?;
    let wanted = load::Wanted { holds: BTreeSet::from([hold]), ..load::Wanted::default() };
    let request = match settle {
        Settle::Capture { amount } => Request::Capture { hold, amount: *amount, note: remark.note() },
        Settle::Void => Request::Void { hold },
        Settle::Refund { amount } => Request::Refund { hold, amount: *amount, note: remark.note() },
    };
    if let Some(key) = tx.caller().principal.key() {
        let found = load::holds(&*tx, tx.realm(), &wanted.holds).await?;
        if found.get(&hold).is_some_and(|found| found.row.environment != key.environment) {
            return Err(Refusal::not_found().into());
        }
    }
    let (book, decisions) = post::post(tx, &wanted, &[request]).await?;
    let transaction = match only(&decisions)?.outcome {
        Outcome::Captured { transaction, .. } | Outcome::Refunded { transaction, .. } => Some(transaction),
        _ => None,
    };
    tx.note("holdId", hold.to_string());
    spent(tx, &book, hold, transaction)
}

macro_rules! settling_command {
    ($(#[$doc:meta])* $name:ident, $operation:literal, $settle:expr, { $($field:ident: $type:ty),* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Serialize)]
        pub struct $name {
            pub hold: HoldId,
            $(pub $field: $type,)*
            pub remark: Remark,
            #[serde(skip)]
            pub idempotency_key: String,
        }

        impl Command for $name {
            const NAME: &'static str = $operation;
            const PERMISSION: Permission = Permission::CreditSpend;
            const REFUSALS: &'static [ErrorCode] = SETTLE_REFUSALS;
            type Output = Spent;

            fn subject(&self) -> Subject {
                Subject::OwnerOf(AnyId::Hold(self.hold))
            }

            fn idempotency_key(&self) -> Option<&str> {
                Some(&self.idempotency_key)
            }

            async fn run(&self, tx: &mut Tx) -> Result<Spent> {
                let make: fn(&Self) -> Settle = $settle;
                settle(tx, self.hold, &make(self), &self.remark).await
            }
        }
    };
}

settling_command! {
    /// Spends what a hold reserved; the rest returns.
    Capture, "creditCapture", |command| Settle::Capture { amount: command.amount }, { amount: Option<Credits> }
}
settling_command! {
    /// Returns what a hold reserved.
    Void, "creditVoid", |_| Settle::Void, {}
}
settling_command! {
    /// Gives spent credits back to the legs that paid.
    Refund, "creditRefund", |command| Settle::Refund { amount: command.amount }, { amount: Option<Credits> }
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

impl Command for TransferCredits {
    const NAME: &'static str = "creditTransfer";
    const PERMISSION: Permission = Permission::CreditTransfer;
    const REFUSALS: &'static [ErrorCode] = &[
        ErrorCode::NotFound,
        ErrorCode::InvalidInput,
        ErrorCode::Conflict,
        ErrorCode::BillingModeMismatch,
        ErrorCode::InsufficientCredits,
        ErrorCode::ReserveProtected,
    ];
    type Output = Moved;

    fn subject(&self) -> Subject {
        Subject::Organization(self.source)
    }

    fn idempotency_key(&self) -> Option<&str> {
        Some(&self.idempotency_key)
    }

    async fn run(&self, tx: &mut Tx) -> Result<Moved> {
        check_other_end(tx, self.target).await?;
        transfer(tx, tx.target().id(), self.target, self.amount, &self.remark).await
    }
}

/// Transfers within another command's transaction, in the key's environment; `organizationProvision` does it too. Both
/// ends are the caller's to command.
pub async fn transfer(
    tx: &mut Tx,
    source: OrganizationId,
    target: OrganizationId,
    amount: Credits,
    remark: &Remark,
) -> Result<Moved> {
    remark.check()?;
    let environment = environment_of(&tx.caller().principal, None)?;
    let wanted = load::Wanted { organizations: BTreeSet::from([source, target]), ..load::Wanted::default() };
    let request = Request::Transfer(request::Transfer { source, target, environment, amount, note: remark.note() });
    let (book, decisions) = post::post(tx, &wanted, &[request]).await?;
    tx.note("sourceOrganizationId", source.to_string());
    tx.note("targetOrganizationId", target.to_string());
    tx.note("amount", amount.get());
    moved(tx, &book, only(&decisions)?, Some(source), target, environment)
}

/// The target of a transfer must be as visible and as controllable as its source.
async fn check_other_end(tx: &Tx, id: OrganizationId) -> Result<()> {
    let mut paths = access_store::paths(tx, &[tx.realm()], &[id]).await?;
    let unknown = || Refusal { path: vec!["input".into(), "targetOrganizationId".into()], ..Refusal::not_found() };
    let (_, path) = paths.remove(&id).ok_or_else(unknown)?;
    if let Some(key) = tx.caller().principal.key() {
        let reach = policy::reach(key.organization, &path).ok_or_else(unknown)?;
        policy::decide(&tx.target().scopes, reach, Permission::CreditTransfer)
            .map_err(|denial| denied(Permission::CreditTransfer, &denial))?;
    }
    Ok(())
}

fn moved(
    tx: &Tx,
    book: &Book,
    decision: &Decision,
    source: Option<OrganizationId>,
    target: OrganizationId,
    environment: Environment,
) -> Result<Moved> {
    let transaction = decision.transactions.first().ok_or_else(|| Fault::new("a movement posted no transaction"))?;
    let shown = |id: OrganizationId| {
        let wallet = book.wallet(id, environment).ok_or_else(|| Fault::new(format!("{id} has no wallet")))?;
        Ok::<_, Fault>(model::shown_wallet(tx.realm(), wallet, tx.now()))
    };
    let amount = transaction.entries.iter().filter(|entry| entry.amount.is_positive());
    Ok(Moved {
        transaction: ledger_transaction::Model {
            realm_id: tx.realm(),
            id: transaction.id,
            kind: transaction.kind,
            environment,
            organization_id: transaction.organization,
            counterparty_id: source.map(|_| target),
            hold_id: None,
            amount: amount.fold(Credits::ZERO, |sum, entry| sum.saturating_add(entry.amount)),
            description: transaction.note.description.as_deref().map(str::to_owned),
            metadata: model::metadata_of(&transaction.note),
            created_at: transaction.created_at,
        },
        source: source.map(shown).transpose()?,
        target: shown(target)?,
    })
}

/// Issues credits. The operator's alone.
#[derive(Clone, Debug, Serialize)]
pub struct GrantCredits {
    pub organization: Option<OrganizationId>,
    pub amount: Credits,
    pub origin: BucketOrigin,
    pub priority: Option<i32>,
    pub expires_at: Option<Timestamp>,
    pub environment: Environment,
    pub remark: Remark,
    #[serde(skip)]
    pub idempotency_key: String,
}

impl Command for GrantCredits {
    const NAME: &'static str = "creditGrant";
    const PERMISSION: Permission = Permission::CreditIssue;
    const REFUSALS: &'static [ErrorCode] = &[ErrorCode::InvalidInput, ErrorCode::Conflict];
    type Output = Moved;

    fn subject(&self) -> Subject {
        Subject::Organization(self.organization)
    }

    fn idempotency_key(&self) -> Option<&str> {
        Some(&self.idempotency_key)
    }

    async fn run(&self, tx: &mut Tx) -> Result<Moved> {
        self.remark.check()?;
        let organization = tx.target().id();
        let grant = request::Grant {
            organization,
            environment: self.environment,
            amount: self.amount,
            origin: self.origin,
            priority: self.priority.unwrap_or(DEFAULT_PRIORITY),
            expires_at: self.expires_at,
            note: self.remark.note(),
        };
        let (book, decision) = grant_in(tx, grant).await?;
        tx.note("amount", self.amount.get());
        moved(tx, &book, &decision, None, organization, self.environment)
    }
}

/// Issues credits within another command's transaction: a new root's gift, a new TEST wallet.
pub async fn grant_in(tx: &mut Tx, grant: request::Grant) -> Result<(Book, Decision)> {
    let wanted =
        load::Wanted { organizations: BTreeSet::from([grant.organization]), issued: true, ..load::Wanted::default() };
    let (book, decisions) = post::post(tx, &wanted, &[Request::Grant(grant)]).await?;
    Ok((book, only(&decisions)?.clone()))
}

/// Sets the price of a meter in the realm's catalogue.
#[derive(Clone, Debug, Serialize)]
pub struct SetMeter {
    pub organization: Option<OrganizationId>,
    pub key: String,
    pub credits: Credits,
    pub description: Option<String>,
}

impl Command for SetMeter {
    const NAME: &'static str = "meterSet";
    const PERMISSION: Permission = Permission::OrganizationControl;
    const REFUSALS: &'static [ErrorCode] = &[ErrorCode::InvalidInput, ErrorCode::ForbiddenScope];
    type Output = meter::Model;

    fn subject(&self) -> Subject {
        Subject::Organization(self.organization)
    }

    async fn run(&self, tx: &mut Tx) -> Result<meter::Model> {
        if tx.target().path.depth() > 1 {
            let message = "The catalogue belongs to the root. Set its meters with a key of the root.";
            return Err(Refusal::new(ErrorCode::ForbiddenScope, message).into());
        }
        let well_formed =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'-');
        if self.key.is_empty() || self.key.len() > METER_KEY_MAX_CHARS || !self.key.bytes().all(well_formed) {
            let message = "A meter's key has 1 to 100 of a–z, 0–9, '.', '_' and '-', such as invoice.submit.";
            return Err(Refusal::invalid("key", message).into());
        }
        if !self.credits.is_positive() {
            return Err(Refusal::invalid("credits", "A meter's price is more than 0.").into());
        }
        let row = meter::Model {
            realm_id: tx.realm(),
            meter_key: self.key.clone(),
            credits: self.credits,
            description: self.description.clone(),
            updated_at: tx.now(),
        };
        meter::Entity::insert(row.clone().into_active_model())
            .on_conflict(
                sea_query::OnConflict::columns([meter::Column::RealmId, meter::Column::MeterKey])
                    .update_columns([meter::Column::Credits, meter::Column::Description, meter::Column::UpdatedAt])
                    .to_owned(),
            )
            .exec_without_returning(&*tx)
            .await?;
        tx.note("meter", self.key.as_str());
        tx.note("credits", self.credits.get());
        Ok(row)
    }
}
