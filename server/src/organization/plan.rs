//! What suspending or archiving would do, before it is done.

use entity::credits::Credits;
use entity::id::{OrganizationId, RealmId};
use entity::timestamp::Timestamp;
use sea_orm::ConnectionTrait;
use sha2::{Digest, Sha256};

use crate::kernel::error::{Refusal, Result};
use crate::organization::{lifecycle, store};
use crate::{api_key, credit, webhook};

/// What is planned.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Act {
    Suspend,
    Archive { cascade: bool },
}

/// Everything an act would touch, as of one moment.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The organization and, where the act reaches below, everything below that is not archived.
    pub organizations: Vec<OrganizationId>,
    /// How many of them are below.
    pub descendants: i64,
    /// Keys that would stop working.
    pub api_keys: i64,
    pub reclaimable: Credits,
    pub held: Credits,
    pub open_holds: i64,
    pub webhook_endpoints: i64,
    /// Why the act would be refused, if it would.
    pub refusals: Vec<Refusal>,
    /// Changes whenever anything above does.
    pub hash: String,
}

impl Plan {
    /// Looks without changing anything. Inside a transaction the answer is binding, outside it is advice.
    pub async fn make(
        connection: &impl ConnectionTrait,
        realm: RealmId,
        top: OrganizationId,
        act: Act,
        now: Timestamp,
    ) -> Result<Self> {
        let below = store::live_descendants(connection, realm, top).await?;
        let descendants = i64::try_from(below.len()).unwrap_or(i64::MAX);
        let mut organizations = vec![top];
        organizations.extend(below);
        organizations[1..].sort_unstable();
        let api_keys = api_key::api::count_usable(connection, realm, &organizations, now).await?;
        let credits = credit::api::to_reclaim(connection, realm, &organizations, now).await?;
        let webhook_endpoints = webhook::api::count_enabled(connection, realm, &organizations).await?;
        let mut refusals = Vec::new();
        if act == (Act::Archive { cascade: false }) && descendants > 0 {
            refusals.push(lifecycle::has_active_children(descendants));
        }
        let mut hasher = Sha256::new();
        hasher.update(format!(
            "{act:?}|{api_keys}|{}|{}|{}|{webhook_endpoints}",
            credits.reclaimable, credits.held, credits.open_holds
        ));
        for id in &organizations {
            hasher.update(id.to_string());
        }
        let hash = hasher.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Ok(Self {
            organizations,
            descendants,
            api_keys,
            reclaimable: credits.reclaimable,
            held: credits.held,
            open_holds: credits.open_holds,
            webhook_endpoints,
            refusals,
            hash,
        })
    }
}
