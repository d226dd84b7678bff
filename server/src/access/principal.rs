//! Who asks, and on whose behalf.

use std::net::IpAddr;
use std::sync::Arc;

use entity::id::{ApiKeyId, KeyFamilyId, OperatorKeyId, OrganizationId, RealmId};
use entity::kind::{Environment, PrincipalKind};
use uuid::Uuid;

use crate::access::scope::Scopes;

/// Who was recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// Nobody: may look at the schema and nothing else.
    Anonymous,
    /// Whoever runs the deployment.
    Operator(OperatorKeyId),
    /// An organization's API key.
    ApiKey(Arc<KeyPrincipal>),
    /// Banyan's own workers.
    System,
}

/// What a key was found to be when the request began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPrincipal {
    pub realm: RealmId,
    pub key: ApiKeyId,
    pub family: KeyFamilyId,
    pub organization: OrganizationId,
    pub environment: Environment,
    pub scopes: Scopes,
}

impl Principal {
    pub const fn kind(&self) -> PrincipalKind {
        match self {
            Self::Anonymous => PrincipalKind::Anonymous,
            Self::Operator(_) => PrincipalKind::Operator,
            Self::ApiKey(_) => PrincipalKind::ApiKey,
            Self::System => PrincipalKind::System,
        }
    }

    /// The id that idempotency records and audit entries are filed under. A key's is its family's: a rotation between two
    /// tries must not do the thing twice.
    pub fn actor_id(&self) -> Uuid {
        match self {
            Self::Anonymous | Self::System => Uuid::nil(),
            Self::Operator(key) => (*key).into(),
            Self::ApiKey(key) => key.family.into(),
        }
    }

    /// How logs and audit entries name it.
    pub fn name(&self) -> String {
        match self {
            Self::Anonymous => "anonymous".to_owned(),
            Self::System => "system".to_owned(),
            Self::Operator(key) => key.to_string(),
            Self::ApiKey(key) => key.key.to_string(),
        }
    }

    pub fn key(&self) -> Option<&KeyPrincipal> {
        match self {
            Self::ApiKey(key) => Some(key),
            _ => None,
        }
    }
}

/// One request's principal and circumstances.
#[derive(Clone, Debug)]
pub struct Caller {
    pub principal: Principal,
    /// The organization the header `Banyan-Organization` put in the place of the key's own.
    pub acting: Option<OrganizationId>,
    pub request_id: Uuid,
    pub address: Option<IpAddr>,
    /// The header `Idempotency-Key`, which serves a document with one mutation field.
    pub idempotency_key: Option<String>,
}

impl Caller {
    /// The organization meant when an input names none.
    pub fn acting_organization(&self) -> Option<OrganizationId> {
        self.acting.or_else(|| self.principal.key().map(|key| key.organization))
    }

    /// Banyan's own workers and the seed.
    pub fn system(request_id: Uuid) -> Self {
        Self { principal: Principal::System, acting: None, request_id, address: None, idempotency_key: None }
    }
}
