//! What moving or detaching would do, before it is done.

use entity::id::{OrganizationId, RealmId};
use entity::kind::{Delegations, Tier};
use sea_orm::ConnectionTrait;
use sha2::{Digest, Sha256};

use crate::access::path::{EffectiveStatus, Path};
use crate::access::policy::Permission;
use crate::kernel::error::{Refusal, Result};
use crate::organization::restructure::outlook::{Destination, Mover, look};
use crate::organization::restructure::rules::{self, Facts};
use crate::organization::store;
use crate::organization::store::edge::Borrowed;

/// Everything an act would change for somebody, as of one moment.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The parent it would have; none makes a root.
    pub parent: Option<OrganizationId>,
    /// How many organizations that are not archived would go along.
    pub descendants: i64,
    /// Ancestors that would lose every right, nearest first.
    pub left: Vec<OrganizationId>,
    /// What its edge would delegate.
    pub delegation: Delegations,
    pub tier: Tier,
    /// Who would pay for its spend.
    pub payer: OrganizationId,
    pub status: EffectiveStatus,
    /// Open holds that wallets of the ancestors left would go on funding.
    pub borrowed: Borrowed,
    /// Why the act would be refused, if it would.
    pub refusals: Vec<Refusal>,
    /// Changes whenever anything does that it says or depends on.
    pub hash: String,
}

impl Plan {
    /// Looks without changing anything, as advice.
    pub async fn make(
        connection: &impl ConnectionTrait,
        realm: RealmId,
        old: &Path,
        to: Destination,
        mover: &Mover<'_>,
        permission: Permission,
    ) -> Result<Self> {
        let facts = look(connection, realm, old, to, mover, permission).await?;
        Self::of(connection, realm, &facts, to).await
    }

    /// The plan of these facts.
    pub async fn of(connection: &impl ConnectionTrait, realm: RealmId, facts: &Facts, to: Destination) -> Result<Self> {
        let record = &facts.record;
        let new_path = facts.new.as_ref().map(|(_, path)| path).filter(|path| !path.contains(record.id));
        let left = rules::left(&facts.old, facts.new.as_ref().map(|(_, path)| path));
        let mut below = store::live_descendants(connection, realm, record.id).await?;
        below.sort_unstable();
        let borrowed = store::edge::borrowed(connection, realm, record.id, &left).await?;
        let decided = rules::decide(facts);
        let (delegation, tier) =
            decided.as_ref().map_or((record.delegation, record.tier), |settled| (settled.delegation, settled.tier));
        let payer = match new_path {
            None => record.id,
            Some(path) => {
                let ids: Vec<OrganizationId> = path.ids().collect();
                let mut above = store::by_ids(connection, &[realm], &ids).await?;
                above.sort_by_key(|one| ids.iter().position(|id| *id == one.id));
                rules::payer(record, &above)
            }
        };
        let own = Path::new(
            facts.old.nodes().iter().take(1).chain(new_path.iter().flat_map(|path| path.nodes())).cloned().collect(),
        );
        let status = own.as_ref().map_or(EffectiveStatus::Active, Path::effective_status);
        let mut hasher = Sha256::new();
        let parent_version = facts.new.as_ref().map(|(parent, _)| parent.version);
        hasher.update(format!("{to:?}|{}|{parent_version:?}|{:?}|{new_path:?}|", record.version, facts.old));
        hasher.update(format!("{delegation:?}|{tier}|{payer}|{borrowed:?}|{}", facts.external_id_taken));
        for id in &below {
            hasher.update(id.to_string());
        }
        let hash = hasher.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Ok(Self {
            parent: facts.new.as_ref().map(|(parent, _)| parent.id),
            descendants: i64::try_from(below.len()).unwrap_or(i64::MAX),
            left,
            delegation,
            tier,
            payer,
            status,
            borrowed,
            refusals: decided.err().into_iter().collect(),
            hash,
        })
    }
}
