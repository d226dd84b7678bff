//! Loading what a move or a detach depends on: inside the transaction that does it, or outside for a plan.

use entity::id::{OrganizationId, RealmId};
use entity::kind::Environment;
use sea_orm::ConnectionTrait;
use serde::Serialize;
use uuid::Uuid;

use crate::access::path::Path;
use crate::access::policy::{self, Permission};
use crate::access::principal::Principal;
use crate::access::scope::Scopes;
use crate::access::store as access_store;
use crate::kernel::authorize::denied;
use crate::kernel::error::{Error, Fault, Refusal, Result};
use crate::organization::restructure::rules::{self, Facts};
use crate::organization::store;

/// Where an organization is to go.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Destination {
    Below(OrganizationId),
    /// Nowhere: it becomes a root.
    Root,
}

/// Who moves it.
pub struct Mover<'a> {
    /// The organization of the key that asks; none for the operator, who reaches all of them.
    pub own: Option<OrganizationId>,
    pub environment: Option<Environment>,
    pub scopes: &'a Scopes,
}

impl<'a> Mover<'a> {
    pub fn new(principal: &Principal, scopes: &'a Scopes) -> Self {
        let key = principal.key();
        Self { own: key.map(|key| key.organization), environment: key.map(|key| key.environment), scopes }
    }

    /// Whether the mover could lift a suspension of this holder's.
    fn lifts(&self, holder: Uuid) -> bool {
        self.own.is_none_or(|own| Uuid::from(own) == holder)
    }

    /// Insists on the right to put something below an organization.
    fn may_go_below(&self, path: &Path, permission: Permission) -> Result<(), Refusal> {
        let Some(own) = self.own else { return Ok(()) };
        let reach = policy::reach(own, path).ok_or_else(Refusal::not_found)?;
        policy::decide(self.scopes, reach, permission).map_err(|denial| denied(permission, &denial))?;
        Ok(())
    }
}

fn at_the_parent(error: Error) -> Error {
    match error {
        Error::Refused(refusal) => refusal.at("parentId").into(),
        fault @ Error::Fault(_) => fault,
    }
}

/// The facts. `old` is the path of the organization, which the mover was found to have this permission in.
pub async fn look(
    connection: &impl ConnectionTrait,
    realm: RealmId,
    old: &Path,
    to: Destination,
    mover: &Mover<'_>,
    permission: Permission,
) -> Result<Facts> {
    let parent = match to {
        Destination::Root => None,
        Destination::Below(parent) => {
            let found = find_parent(connection, realm, parent, mover, permission).await;
            Some(found.map_err(at_the_parent)?)
        }
    };
    let wanted: Vec<OrganizationId> = [old.id()].into_iter().chain(parent.as_ref().map(Path::id)).collect();
    let mut records = store::by_ids(connection, &[realm], &wanted).await?;
    let mut take = |id: OrganizationId| {
        let at = records.iter().position(|record| record.id == id);
        at.map(|at| records.swap_remove(at)).ok_or_else(|| Fault::new(format!("{id} has a path and no record")))
    };
    // Below itself is refused later; the one record serves for both.
    let record = take(old.id())?;
    let new = match parent {
        Some(path) if path.id() == record.id => Some((record.clone(), path)),
        Some(path) => Some((take(path.id())?, path)),
        None => None,
    };
    let new_path = new.as_ref().map(|(_, path)| path);
    let bound_by = bound_by(connection, realm, old, new_path, mover).await?;
    let (mut external_id_taken, mut height) = (false, None);
    if let Some((parent, path)) = new.as_ref().filter(|(_, path)| !path.contains(record.id)) {
        if let Some(external_id) = &record.external_id {
            external_id_taken =
                store::external_id_taken(connection, realm, Some(parent.id), external_id, Some(record.id)).await?;
        }
        // What goes no further down than it is fits as it did.
        if path.depth() >= old.depth() {
            let most = crate::access::path::DEPTH_MAX.saturating_sub(path.depth());
            height = Some(store::edge::height(connection, realm, record.id, most).await?);
        }
    }
    Ok(Facts { record, old: old.clone(), new, environment: mover.environment, bound_by, external_id_taken, height })
}

async fn find_parent(
    connection: &impl ConnectionTrait,
    realm: RealmId,
    parent: OrganizationId,
    mover: &Mover<'_>,
    permission: Permission,
) -> Result<Path> {
    // The operator sees every realm, and is told why one of another is no parent.
    let realms: &[RealmId] = if mover.own.is_some() { &[realm] } else { &[] };
    let mut found = access_store::paths(connection, realms, &[parent]).await?;
    let (its_realm, path) = found.remove(&parent).ok_or_else(Refusal::not_found)?;
    mover.may_go_below(&path, permission)?;
    if its_realm != realm {
        let message = "Organizations never move between realms: the parent was born in another root's.";
        return Err(Refusal::conflict(message).into());
    }
    Ok(path)
}

/// The nearest ancestor left behind that somebody suspended whose suspension the mover could not lift.
async fn bound_by(
    connection: &impl ConnectionTrait,
    realm: RealmId,
    old: &Path,
    new: Option<&Path>,
    mover: &Mover<'_>,
) -> Result<Option<OrganizationId>> {
    let left = rules::left(old, new);
    let suspended = old.nodes().iter().filter(|node| node.suspended && left.contains(&node.id));
    let suspended: Vec<(RealmId, OrganizationId)> = suspended.map(|node| (realm, node.id)).collect();
    let standing = store::suspensions(connection, &suspended).await?;
    let binds = |id: &OrganizationId| {
        standing.iter().any(|suspension| suspension.organization_id == *id && !mover.lifts(suspension.holder_id))
    };
    Ok(suspended.into_iter().map(|(_, id)| id).find(binds))
}
