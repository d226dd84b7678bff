//! Organizations that were listed together, and what their fields load for all of them at once.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use entity::id::{OrganizationId, RealmId};
use tokio::sync::OnceCell;

use crate::access::path::{EffectiveStatus as PathStatus, Path};
use crate::access::policy::Reach;
use crate::access::store as access_store;
use crate::kernel::error::{Fault, Result};
use crate::kernel::page::distinct;
use crate::kernel::tx::Target;
use crate::organization::model::Organization as Record;
use crate::organization::store::{self, Status};
use crate::schema::level::Level;
use crate::schema::session::Session;

/// One organization of a level and how far the caller reaches into it.
pub struct Member {
    pub realm: RealmId,
    pub id: OrganizationId,
    pub reach: Reach,
    /// There from the start where the organization was listed; else read when a field first asks for it.
    record: OnceCell<Record>,
}

impl Member {
    pub fn listed(record: Record, reach: Reach) -> Self {
        Self { realm: record.realm_id, id: record.id, reach, record: OnceCell::new_with(Some(record)) }
    }

    /// The record, when it need not be read.
    pub fn known(&self) -> Option<&Record> {
        self.record.get()
    }
}

/// A level of organizations and the request it belongs to.
pub struct Organizations {
    pub session: Arc<Session>,
    pub level: Arc<Level<Member>>,
}

pub type OrganizationLevel = Arc<Organizations>;

/// The paths of a level's members.
pub type Paths = HashMap<OrganizationId, (RealmId, Path)>;

impl Organizations {
    pub fn new(session: &Arc<Session>, members: Vec<Member>) -> OrganizationLevel {
        Arc::new(Self { session: Arc::clone(session), level: Level::new(members) })
    }

    /// Records whose reach is not known yet; those out of sight are left out. One statement.
    pub async fn of_records(session: &Arc<Session>, records: Vec<Record>) -> Result<OrganizationLevel> {
        let ids: Vec<OrganizationId> = records.iter().map(|record| record.id).collect();
        let paths = access_store::paths(&session.snapshot(), &session.realms(), &ids).await?;
        let members = records
            .into_iter()
            .filter_map(|record| {
                let reach = session.reach(&paths.get(&record.id)?.1)?;
                Some(Member::listed(record, reach))
            })
            .collect();
        Ok(Self::new(session, members))
    }

    /// The organizations with these ids, as far as they are in sight. Two statements.
    pub async fn of_ids(session: &Arc<Session>, ids: &[OrganizationId]) -> Result<OrganizationLevel> {
        let records = store::by_ids(&session.snapshot(), &session.realms(), ids).await?;
        Self::of_records(session, records).await
    }

    /// What commands acted on, as far into it as they found the caller to reach. No statement: an answer that tells no more
    /// than what was done reads nothing again.
    pub fn of_targets<'a>(session: &Arc<Session>, targets: impl IntoIterator<Item = &'a Target>) -> OrganizationLevel {
        let reached = |target: &Target| {
            let member = Member { realm: target.realm, id: target.id(), reach: target.reach, record: OnceCell::new() };
            (member.id, member)
        };
        let members: BTreeMap<_, _> = targets.into_iter().map(reached).collect();
        Self::new(session, members.into_values().collect())
    }

    /// A member's record. Those that are not known yet are read for all members in one statement.
    pub async fn record(&self, index: usize) -> Result<&Record> {
        let member = &self.level.members[index];
        let read = || async {
            let records = self.level.once("records", || async {
                let ids: Vec<OrganizationId> = self.keys().into_iter().map(|(_, id)| id).collect();
                let records = store::by_ids(&self.session.snapshot(), &self.realms(), &ids).await?;
                Ok(records.into_iter().map(|record| (record.id, record)).collect::<HashMap<_, _>>())
            });
            let found = records.await?.get(&member.id).cloned();
            Ok(found.ok_or_else(|| Fault::new(format!("{} has no row any more", member.id)))?)
        };
        member.record.get_or_try_init(read).await
    }

    /// The record of every member.
    pub async fn records(&self) -> Result<Vec<&Record>> {
        let mut records = Vec::with_capacity(self.level.members.len());
        for index in 0..self.level.members.len() {
            records.push(self.record(index).await?);
        }
        Ok(records)
    }

    /// Realm and id of every member.
    pub fn keys(&self) -> Vec<(RealmId, OrganizationId)> {
        self.level.members.iter().map(|member| (member.realm, member.id)).collect()
    }

    pub fn realms(&self) -> Vec<RealmId> {
        distinct(self.level.members.iter().map(|member| member.realm))
    }

    /// The members' paths, loaded once.
    pub async fn paths(&self) -> Result<Arc<Paths>> {
        self.level
            .once("paths", || async {
                let ids: Vec<OrganizationId> = self.keys().into_iter().map(|(_, id)| id).collect();
                access_store::paths(&self.session.snapshot(), &self.realms(), &ids).await
            })
            .await
    }

    /// Realm, id and effective status of every member that passes.
    pub async fn with_status(&self) -> Result<Vec<(RealmId, OrganizationId, Status)>> {
        let paths = self.paths().await?;
        Ok(paths.iter().map(|(id, (realm, path))| (*realm, *id, status_of(path))).collect())
    }

    /// The members' ancestors that are in sight, as a level of their own, loaded once.
    pub async fn ancestors(&self) -> Result<Arc<OrganizationLevel>> {
        self.level
            .once("ancestors", || async {
                let paths = self.paths().await?;
                let mut seen = HashSet::new();
                let ids: Vec<OrganizationId> =
                    paths.values().flat_map(|(_, path)| path.ids().skip(1)).filter(|id| seen.insert(*id)).collect();
                Self::of_ids(&self.session, &ids).await
            })
            .await
    }
}

pub fn status_of(path: &Path) -> Status {
    match path.effective_status() {
        PathStatus::Active => Status::Active,
        PathStatus::Suspended { .. } => Status::Suspended,
        PathStatus::Archived { .. } => Status::Archived,
    }
}
