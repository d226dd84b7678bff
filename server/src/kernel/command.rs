//! What a mutation is below GraphQL.

use std::future::Future;

use entity::id::{AnyId, OrganizationId};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::access::fields;
use crate::access::policy::{Permission, Place, Standing};
use crate::kernel::error::{ErrorCode, Result};
use crate::kernel::tx::{Target, Tx};

/// What a command acts on; the kernel finds the realm, the organization and the caller's reach from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// This organization, or the acting one when none is named.
    Organization(Option<OrganizationId>),
    /// The organization that owns this key, hold, endpoint….
    OwnerOf(AnyId),
    /// No organization: a new root.
    Platform,
}

impl Subject {
    /// What was named, as it was named.
    pub fn id(&self) -> Option<AnyId> {
        match self {
            Self::Organization(named) => named.map(AnyId::from),
            Self::OwnerOf(id) => Some(*id),
            Self::Platform => None,
        }
    }

    /// What of an organization it is, when it is not the organization.
    pub fn part(&self) -> Option<AnyId> {
        match self {
            Self::OwnerOf(id) => Some(*id),
            Self::Organization(_) | Self::Platform => None,
        }
    }
}

/// A mutation as a value. Its serialized fields are the input that idempotency compares.
pub trait Command: Serialize + Send + Sync {
    /// The mutation field's name: also the operation of the idempotency record and the action of the audit entry.
    const NAME: &'static str;
    /// What the mutation's row in [`fields`] says; a mutation without one does not compile. Only what is no mutation of
    /// the schema (a worker's command, the seed's) says it itself.
    const PERMISSION: Permission = fields::needs("Mutation", Self::NAME);
    /// What the organization acted on must be.
    const STANDING: Standing = fields::standing(Self::NAME);
    /// Where the act must come from.
    const PLACE: Place = fields::place(Self::NAME);
    /// Every refusal `run` can answer with, beside those of the kernel itself.
    const REFUSALS: &'static [ErrorCode];

    /// What it answers; kept as JSON for replays, so it carries no secret (see [`Command::forget_secrets`]).
    type Output: Serialize + DeserializeOwned + Clone + Send;

    fn subject(&self) -> Subject;

    fn idempotency_key(&self) -> Option<&str> {
        None
    }

    /// Decides and writes. Everything it writes is committed together with audit entry, events and idempotency record,
    /// or not at all. It may run again after a serialization failure, so it has no effect outside of `tx`.
    fn run(&self, tx: &mut Tx) -> impl Future<Output = Result<Self::Output>> + Send;

    /// Whether a retry with the same idempotency key is to hear this answer again. A "not now" is not: SPEC §5 does not
    /// freeze what lacked funds.
    fn is_final(_output: &Self::Output) -> bool {
        true
    }

    /// Blanks what a replay must not show again.
    fn forget_secrets(_output: &mut Self::Output) {}
}

/// What the kernel answers.
#[derive(Clone, Debug)]
pub struct Executed<T> {
    pub output: T,
    /// Whether it is the first answer told again.
    pub replayed: bool,
    /// The organization acted on as the transaction found it; `None` where there was none, as for a new root.
    pub target: Option<Target>,
}
