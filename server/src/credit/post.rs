//! From a request of the engine to rows and events, inside one transaction.

use uuid::Uuid;

use crate::credit::engine::decision::Decision;
use crate::credit::engine::refusal::{Cap, Conflict, Problem, Refusal as EngineRefusal, Shortage};
use crate::credit::engine::{Book, IdSource, Request, decide};
use crate::credit::{event, load, save};
use crate::kernel::bundle::Bundle;
use crate::kernel::error::{CapKind, Detail, ErrorCode, PayerPart, Refusal, Result};
use crate::kernel::tx::Tx;

/// Ids of one transaction, in the order they are asked for.
pub(super) struct TxIds<'a>(pub &'a Tx);

impl IdSource for TxIds<'_> {
    fn next_uuid(&mut self) -> Uuid {
        self.0.id()
    }
}

/// Loads what the requests name, decides them in order, each on what the one before left, writes and tells it all.
/// The first refusal ends it: nothing is written.
pub async fn post(tx: &mut Tx, wanted: &load::Wanted, requests: &[Request]) -> Result<(Book, Vec<Decision>)> {
    let mut book = load::book(&*tx, tx.realm(), wanted, tx.now()).await?;
    let mut decisions = Vec::with_capacity(requests.len());
    for request in requests {
        let decision = decide(&book, request, tx.now(), &mut TxIds(tx)).map_err(refused)?;
        book.apply(&decision);
        decisions.push(decision);
    }
    let mut writes = Bundle::default();
    save::decisions(tx, &decisions, &mut writes)?;
    writes.run(tx).await?;
    for decision in &decisions {
        for event in event::of(&book, decision) {
            tx.emit(event);
        }
    }
    Ok((book, decisions))
}

/// The engine's refusal as every surface shows it.
pub fn refused(refusal: EngineRefusal) -> Refusal {
    let message = refusal.to_string();
    match refusal {
        EngineRefusal::InvalidInput { field, problem } => {
            let code = match problem {
                Problem::NotAnAncestor => ErrorCode::Conflict,
                _ => ErrorCode::InvalidInput,
            };
            Refusal::new(code, sentence(&message)).at(field)
        }
        EngineRefusal::NotFound { .. } => Refusal::not_found(),
        EngineRefusal::Conflict(Conflict::HoldIs { .. } | Conflict::HoldTimeIsUp { .. }) => {
            Refusal::conflict(message).at("holdId")
        }
        EngineRefusal::Conflict(_) => Refusal::conflict(message),
        EngineRefusal::OrganizationArchived { archived, .. } => Refusal::new(ErrorCode::OrganizationArchived, message)
            .with(Detail::Status { organization: archived, archived: true }),
        EngineRefusal::OrganizationSuspended { suspended, .. } => {
            Refusal::new(ErrorCode::OrganizationSuspended, message)
                .with(Detail::Status { organization: suspended, archived: false })
        }
        EngineRefusal::BillingModeMismatch { .. } => Refusal::new(ErrorCode::BillingModeMismatch, message),
        EngineRefusal::CapExceeded { cap, limit, used, requested, resets_at } => {
            let (limit_kind, id) = match cap {
                Cap::Own(id) => (CapKind::Monthly, id.to_string()),
                Cap::Subtree(id) => (CapKind::Subtree, id.to_string()),
                Cap::Family(id) => (CapKind::KeyFamily, id.to_string()),
            };
            let detail = Detail::CapExceeded { limit: limit_kind, id, cap: limit, used, requested, resets_at };
            Refusal::new(ErrorCode::CapExceeded, message).with(detail)
        }
        EngineRefusal::ReserveProtected(shortage) => {
            Refusal::new(ErrorCode::ReserveProtected, message).with(short(&shortage))
        }
        EngineRefusal::InsufficientCredits(shortage) => {
            Refusal::new(ErrorCode::InsufficientCredits, message).with(short(&shortage))
        }
    }
}

fn sentence(text: &str) -> String {
    format!("{text}.")
}

fn short(shortage: &Shortage) -> Detail {
    Detail::InsufficientCredits {
        required: shortage.required,
        spendable: shortage.spendable,
        shortfall: shortage.shortfall,
        payers: shortage
            .payers
            .iter()
            .map(|payer| PayerPart {
                organization: payer.organization,
                available: payer.available,
                spendable: payer.spendable,
            })
            .collect(),
    }
}
