//! Whether a key that a customer presented to a platform's own service is good for something, and its charge.
//!
//! Without a charge nothing is written, and so nothing is audited: the answer is read. With one, the key is read again
//! where the charge is decided, in the ledger's queue with the other movements of the realm: what was revoked or suspended
//! by then pays nothing.

use std::net::IpAddr;
use std::sync::Arc;

use entity::id::{ApiKeyId, OrganizationId};
use entity::kind::Environment;
use entity::timestamp::Timestamp;
use serde::Serialize;

use crate::access::fields;
use crate::access::policy::Permission;
use crate::access::principal::KeyPrincipal;
use crate::access::reader::Reader;
use crate::access::scope::Scopes;
use crate::access::store::{self as access_store, KeyAndPaths};
use crate::api_key::model::{address_allowed, check_environment};
use crate::api_key::secret::{Named, Peppers, Token};
use crate::credit::api::{Quantity, Spent};
use crate::credit::command::{Ask, Movement};
use crate::credit::model::Remark;
use crate::kernel::authorize::{check_key, unauthenticated};
use crate::kernel::command::Subject;
use crate::kernel::error::{ErrorCode, Refusal, Result};

/// The mutation field's name.
pub const NAME: &str = "apiKeyVerify";
pub const PERMISSION: Permission = fields::needs("Mutation", NAME);

/// What is asked about a presented key.
pub struct Question {
    pub secret: String,
    pub required_scopes: Scopes,
    /// The address the customer's request came from, for keys restricted to ranges.
    pub address: Option<IpAddr>,
}

/// A key that is what it says, and lies in reach of whoever asks.
pub struct Genuine {
    found: KeyAndPaths,
    presented: String,
}

/// What a genuine key is good for.
pub struct Good {
    pub key: ApiKeyId,
    pub organization: OrganizationId,
    pub scopes: Scopes,
}

impl Question {
    /// Finds the presented key below `within`, an organization that the asker may verify keys of. One statement, none for
    /// what is no key at all; one answer for all that is unknown.
    pub async fn find(
        &self,
        keys: &Reader,
        peppers: &Peppers,
        within: OrganizationId,
    ) -> Result<Result<Genuine, Refusal>> {
        let Some(token) = Token::parse(&self.secret) else { return Ok(Err(unauthenticated())) };
        let Named::ApiKey { realm, key, .. } = token.named else { return Ok(Err(unauthenticated())) };
        let found = keys.find(realm, key, None).await?.map(|presented| presented.found);
        let genuine = found.filter(|found| {
            peppers.matches(&token, found.key.pepper_id, &found.key.secret_hash) && found.own.contains(within)
        });
        Ok(genuine.map(|found| Genuine { found, presented: token.prefix() }).ok_or_else(unauthenticated))
    }

    /// What does not change while a key lives: where it may be used from and what it holds.
    fn check_terms(&self, key: &access_store::KeyRow) -> Result<(), Refusal> {
        if !address_allowed(&key.allowed_ips.0, self.address) {
            let message = "The key may not be used from this address.";
            return Err(Refusal::new(ErrorCode::ForbiddenScope, message));
        }
        match Scopes::new(key.scopes.0.iter().cloned()).first_missing(&self.required_scopes) {
            Some(missing) => Err(Refusal::new(ErrorCode::ForbiddenScope, format!("The key does not hold {missing}."))),
            None => Ok(()),
        }
    }
}

impl Genuine {
    /// Whether it is good at this moment: alive, its organization and all above active, and within its terms.
    pub fn check(&self, question: &Question, now: Timestamp) -> Result<Good, Refusal> {
        check_key(&self.found, now)?;
        self.terms(question)
    }

    fn terms(&self, question: &Question) -> Result<Good, Refusal> {
        question.check_terms(&self.found.key)?;
        Ok(Good {
            key: self.found.key.id,
            organization: self.found.key.organization_id,
            scopes: Scopes::new(self.found.key.scopes.0.iter().cloned()),
        })
    }

    /// The charge to submit, and what the key is good for when it is taken. Whether the key is alive is left to the
    /// ledger: a retry hears the first answer even when the key has died since. `asker` is the asking key's environment.
    pub fn charge(
        &self,
        asker: Option<Environment>,
        question: &Question,
        cost: Quantity,
        remark: Remark,
        idempotency_key: String,
    ) -> Result<(Good, PresentedCharge), Refusal> {
        let good = self.terms(question)?;
        check_environment(asker, self.found.key.environment)?;
        let row = &self.found.key;
        let key = KeyPrincipal {
            realm: row.realm_id,
            key: row.id,
            family: row.family_id,
            organization: row.organization_id,
            environment: row.environment,
            scopes: good.scopes.clone(),
        };
        let charge = PresentedCharge {
            presented: self.presented.clone(),
            required_scopes: question.required_scopes.clone(),
            address: question.address,
            cost,
            remark,
            key: Arc::new(key),
            idempotency_key,
        };
        Ok((good, charge))
    }
}

/// A charge to the organization of a presented key.
#[derive(Clone, Debug, Serialize)]
pub struct PresentedCharge {
    /// The public part. The secret is compared, never hashed into records.
    presented: String,
    required_scopes: Scopes,
    address: Option<IpAddr>,
    cost: Quantity,
    remark: Remark,
    #[serde(skip)]
    key: Arc<KeyPrincipal>,
    #[serde(skip)]
    idempotency_key: String,
}

impl Movement for PresentedCharge {
    const NAME: &'static str = NAME;
    type Output = Spent;

    fn subject(&self) -> Subject {
        Subject::Organization(Some(self.key.organization))
    }

    fn presented(&self) -> Option<Arc<KeyPrincipal>> {
        Some(Arc::clone(&self.key))
    }

    fn idempotency_key(&self) -> &str {
        &self.idempotency_key
    }

    fn ask(&self) -> Ask {
        Ask::Charge { cost: self.cost.clone(), environment: None, remark: self.remark.clone() }
    }
}
