//! The rules the kernel runs a batch of movements by: load one book for all, decide each on what the ones before it left,
//! write everything at once.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use entity::credits::Credits;
use entity::id::{HoldId, KeyFamilyId, OrganizationId, RealmId, TransactionId};
use entity::kind::Environment;
use entity::{ledger_transaction, meter};
use sea_orm::ConnectionTrait;

use crate::access::principal::KeyPrincipal;
use crate::credit::command::{Ask, Moved, Quantity, Spent};
use crate::credit::engine::decision::{Decision, Outcome};
use crate::credit::engine::request::{self, Cost, Note, Price};
use crate::credit::engine::{Book, Request, decide};
use crate::credit::model::{self, DEFAULT_PRIORITY};
use crate::credit::post::{TxIds, refused};
use crate::credit::{event, load, save};
use crate::kernel::batch::{Decided, Item, Rules};
use crate::kernel::bundle::Bundle;
use crate::kernel::error::{ErrorCode, Fault, Refusal, Result};
use crate::kernel::tx::{Target, Tx};

/// The ledger's rules.
pub struct LedgerRules;

/// What batches have loaded, and what this one has decided so far.
#[derive(Default)]
pub struct State {
    book: Book,
    meters: load::Meters,
    decisions: Vec<Decision>,
}

impl Rules for LedgerRules {
    type Request = Ask;
    type State = State;

    async fn load(&self, tx: &Tx, state: &mut State, items: &[(&Item<Ask>, &Target)]) -> Result<()> {
        let mut wanted = load::Wanted::default();
        let mut meters: BTreeSet<&str> = BTreeSet::new();
        let mut roots: BTreeSet<OrganizationId> = BTreeSet::new();
        for (item, target) in items {
            wanted.organizations.insert(target.id());
            wanted.organizations.extend(item.also.iter().map(|(id, _)| *id));
            wanted.families.extend(family_of(item.key()));
            match &item.request {
                Ask::Charge { cost, .. } | Ask::Hold { cost, .. } => {
                    if let Quantity::Meter { key, .. } = cost
                        && !state.meters.contains_key(&(target.path.root(), key.clone()))
                    {
                        meters.insert(key);
                        roots.insert(target.path.root());
                    }
                }
                Ask::Capture { hold, .. } | Ask::Void { hold } | Ask::Refund { hold, .. } => {
                    wanted.holds.insert(*hold);
                }
                Ask::Grant(_) => wanted.issued = true,
                Ask::Transfer { .. } => {}
            }
        }
        load::extend(tx, tx.realm(), &mut state.book, &wanted, tx.now()).await?;
        let found = load::meters(tx, tx.realm(), &roots, &meters).await?;
        state.meters.extend(found);
        Ok(())
    }

    fn decide(&self, tx: &Tx, state: &mut State, item: &Item<Ask>, target: &Target) -> Result<Decided> {
        let request = request_of(state, item, target)?;
        let decision = decide(&state.book, &request, tx.now(), &mut TxIds(tx)).map_err(refused)?;
        state.book.apply(&decision);
        let decided = answer(tx, &state.book, item, target, &decision)?;
        state.decisions.push(decision);
        Ok(decided)
    }

    fn save(&self, tx: &Tx, state: &mut State, writes: &mut Bundle) -> Result<()> {
        save::decisions(tx, &state.decisions, writes)
    }

    fn settle(&self, state: &mut State) -> usize {
        // Holds and empty buckets are without end; they are read again where they are named.
        let State { book, decisions, .. } = state;
        let changed = decisions.drain(..).flat_map(|decision| decision.wallets);
        let mut wallets: BTreeSet<_> = changed.map(|change| (change.organization, change.environment)).collect();
        wallets.extend(book.holds().flat_map(|hold| hold.legs.iter().map(|leg| (leg.organization, hold.environment))));
        for (organization, environment) in wallets {
            book.forget_empty_buckets(organization, environment);
        }
        book.forget_holds();
        state.book.size() + state.meters.len()
    }
}

/// The engine's request: environment by the key, price by the realm's catalogue, family by the key that asks.
fn request_of(state: &State, item: &Item<Ask>, target: &Target) -> Result<Request, Refusal> {
    let key = item.key();
    let spend = |cost: &Quantity, environment: Option<Environment>, note: Note| {
        Ok::<_, Refusal>(request::Spend {
            organization: target.id(),
            environment: environment_of(key, environment)?,
            cost: cost_of(cost, |key| state.meters.get(&(target.path.root(), key.to_owned())))?,
            family: family_of(key),
            note,
        })
    };
    Ok(match &item.request {
        Ask::Charge { cost, environment, remark } => {
            remark.check()?;
            Request::Charge(spend(cost, *environment, remark.note())?)
        }
        Ask::Hold { cost, environment, expires_in, remark } => {
            remark.check()?;
            Request::Hold { spend: spend(cost, *environment, remark.note())?, expires_in: *expires_in }
        }
        Ask::Capture { hold, amount, remark } => {
            remark.check()?;
            check_environment(state, key, *hold)?;
            Request::Capture { hold: *hold, amount: *amount, note: remark.note() }
        }
        Ask::Void { hold } => {
            check_environment(state, key, *hold)?;
            Request::Void { hold: *hold }
        }
        Ask::Refund { hold, amount, remark } => {
            remark.check()?;
            check_environment(state, key, *hold)?;
            Request::Refund { hold: *hold, amount: *amount, note: remark.note() }
        }
        Ask::Transfer { target: to, amount, remark } => {
            remark.check()?;
            Request::Transfer(request::Transfer {
                source: target.id(),
                target: *to,
                environment: environment_of(key, None)?,
                amount: *amount,
                note: remark.note(),
            })
        }
        Ask::Grant(terms) => {
            terms.remark.check()?;
            Request::Grant(request::Grant {
                organization: target.id(),
                environment: terms.environment,
                amount: terms.amount,
                origin: terms.origin,
                priority: terms.priority.unwrap_or(DEFAULT_PRIORITY),
                expires_at: terms.expires_at,
                note: terms.remark.note(),
            })
        }
    })
}

/// A key does not see the other environment's holds.
fn check_environment(state: &State, key: Option<&KeyPrincipal>, hold: HoldId) -> Result<(), Refusal> {
    match (key, state.book.hold(hold)) {
        (Some(key), Some(hold)) if hold.environment != key.environment => Err(Refusal::not_found()),
        _ => Ok(()),
    }
}

fn answer(tx: &Tx, book: &Book, item: &Item<Ask>, target: &Target, decision: &Decision) -> Result<Decided> {
    let mut change = serde_json::Map::new();
    let output = match decision.outcome {
        Outcome::Charged { hold, transaction, amount } => {
            change.insert("amount".to_owned(), amount.get().into());
            change.insert("holdId".to_owned(), hold.to_string().into());
            serde_json::to_value(spent(tx, book, hold, Some(transaction))?)
        }
        Outcome::Held { hold, amount, .. } => {
            change.insert("amount".to_owned(), amount.get().into());
            change.insert("holdId".to_owned(), hold.to_string().into());
            serde_json::to_value(spent(tx, book, hold, None)?)
        }
        Outcome::Captured { hold, transaction, amount, .. } | Outcome::Refunded { hold, transaction, amount } => {
            change.insert("amount".to_owned(), amount.get().into());
            change.insert("holdId".to_owned(), hold.to_string().into());
            serde_json::to_value(spent(tx, book, hold, Some(transaction))?)
        }
        Outcome::Voided { hold, .. } => {
            change.insert("holdId".to_owned(), hold.to_string().into());
            serde_json::to_value(spent(tx, book, hold, None)?)
        }
        Outcome::Granted { amount, .. } => {
            change.insert("amount".to_owned(), amount.get().into());
            serde_json::to_value(moved(tx, book, decision, None, target.id())?)
        }
        Outcome::Transferred { amount, .. } => {
            let Ask::Transfer { target: to, .. } = &item.request else {
                return Err(Fault::new("a transfer was decided that nobody asked for").into());
            };
            change.insert("amount".to_owned(), amount.get().into());
            change.insert("targetOrganizationId".to_owned(), to.to_string().into());
            serde_json::to_value(moved(tx, book, decision, Some(target.id()), *to)?)
        }
        ref other => return Err(Fault::new(format!("nobody can ask for {other:?}")).into()),
    };
    let output = output.map_err(|e| Fault::caused_by("an answer does not serialize", e))?;
    Ok(Decided { output, events: event::of(book, decision), change })
}

pub(super) fn spent(tx: &Tx, book: &Book, hold: HoldId, transaction: Option<TransactionId>) -> Result<Spent, Fault> {
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

pub(super) fn moved(
    tx: &Tx,
    book: &Book,
    decision: &Decision,
    source: Option<OrganizationId>,
    target: OrganizationId,
) -> Result<Moved, Fault> {
    let transaction = decision.transactions.first().ok_or_else(|| Fault::new("a movement posted no transaction"))?;
    let shown = |id: OrganizationId| {
        let wallet = book.wallet(id, transaction.environment);
        let wallet = wallet.ok_or_else(|| Fault::new(format!("{id} has no wallet")))?;
        Ok::<_, Fault>(model::shown_wallet(tx.realm(), wallet, tx.now()))
    };
    let amount = transaction.entries.iter().filter(|entry| entry.amount.is_positive());
    Ok(Moved {
        transaction: ledger_transaction::Model {
            realm_id: tx.realm(),
            id: transaction.id,
            kind: transaction.kind,
            environment: transaction.environment,
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

pub(super) fn family_of(key: Option<&KeyPrincipal>) -> Option<KeyFamilyId> {
    key.map(|key| key.family)
}

/// The key's environment; a key never touches the other one.
pub(super) fn environment_of(key: Option<&KeyPrincipal>, asked: Option<Environment>) -> Result<Environment, Refusal> {
    match (key, asked) {
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
fn cost_of<'a>(cost: &Quantity, find: impl FnOnce(&str) -> Option<&'a meter::Model>) -> Result<Cost, Refusal> {
    match cost {
        Quantity::Amount(amount) => Ok(Cost::Amount(*amount)),
        Quantity::Meter { key, quantity } => {
            let found = find(key).ok_or_else(|| {
                let message = format!("There is no meter \"{key}\" in this catalogue. The query `meters` lists them.");
                Refusal::new(ErrorCode::UnknownMeter, message).at("meter")
            })?;
            let meter = Arc::from(found.meter_key.as_str());
            Ok(Cost::Metered(Price { meter, quantity: *quantity, unit_price: found.credits }))
        }
    }
}

/// The same for one cost outside of a batch.
pub async fn price(
    connection: &impl ConnectionTrait,
    realm: RealmId,
    root: OrganizationId,
    cost: &Quantity,
) -> Result<Cost> {
    let meters = match cost {
        Quantity::Amount(_) => HashMap::new(),
        Quantity::Meter { key, .. } => {
            load::meters(connection, realm, &BTreeSet::from([root]), &BTreeSet::from([key.as_str()])).await?
        }
    };
    Ok(cost_of(cost, |key| meters.get(&(root, key.to_owned())))?)
}
