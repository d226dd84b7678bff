//! Organizations that were listed together, and what their fields load for all of them at once.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use entity::id::{OrganizationId, RealmId};

use crate::access::path::{EffectiveStatus as PathStatus, Path};
use crate::access::policy::Reach;
use crate::access::store as access_store;
use crate::kernel::error::Result;
use crate::kernel::page::distinct;
use crate::organization::model::Organization as Record;
use crate::organization::store::{self, Status};
use crate::schema::level::Level;
use crate::schema::session::Session;

/// One organization of a level and how far the caller reaches into it.
#[derive(Clone)]
pub struct Member {
    pub record: Record,
    pub reach: Reach,
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
                Some(Member { record, reach })
            })
            .collect();
        Ok(Self::new(session, members))
    }

    /// The organizations with these ids, as far as they are in sight. Two statements.
    pub async fn of_ids(session: &Arc<Session>, ids: &[OrganizationId]) -> Result<OrganizationLevel> {
        let records = store::by_ids(&session.snapshot(), &session.realms(), ids).await?;
        Self::of_records(session, records).await
    }

    /// Realm and id of every member.
    pub fn keys(&self) -> Vec<(RealmId, OrganizationId)> {
        self.level.members.iter().map(|member| (member.record.realm_id, member.record.id)).collect()
    }

    pub fn realms(&self) -> Vec<RealmId> {
        distinct(self.level.members.iter().map(|member| member.record.realm_id))
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
