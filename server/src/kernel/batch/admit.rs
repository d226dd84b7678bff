//! Who of a batch may run: keys and paths as they stand under the realm's lock.

use std::collections::{BTreeSet, HashMap};

use entity::id::{AnyId, ApiKeyId, OperatorKeyId, OrganizationId};

use super::Item;
use crate::access::path::Path;
use crate::access::policy::{self, Reach};
use crate::access::principal::Principal;
use crate::access::scope::Scopes;
use crate::access::store::{self as access_store, KeyAndPaths, KeyRow};
use crate::kernel::authorize::{self, check_key, denied, unauthenticated};
use crate::kernel::command::Subject;
use crate::kernel::error::{Refusal, Result};
use crate::kernel::tx::{Target, Tx};

/// Keys and paths of a realm that were read under its lock. What is not there was not asked for yet, or does not exist.
#[derive(Default)]
pub(super) struct Access {
    keys: HashMap<ApiKeyId, KeyRow>,
    paths: HashMap<OrganizationId, Path>,
}

/// An item that its caller may run.
pub(super) struct Admitted {
    pub target: Target,
    /// What is wrong with the key it presents.
    pub presented: Option<Refusal>,
}

impl Access {
    /// How many keys and organizations are known.
    pub fn size(&self) -> usize {
        self.keys.len() + self.paths.len()
    }

    async fn find_keys(&mut self, tx: &Tx, ids: &BTreeSet<ApiKeyId>) -> Result<()> {
        let unknown = ids.iter().copied().filter(|id| !self.keys.contains_key(id)).collect();
        self.keys.extend(access_store::keys(tx, tx.realm(), &unknown).await?);
        Ok(())
    }

    async fn find_paths(&mut self, tx: &Tx, ids: &BTreeSet<OrganizationId>) -> Result<()> {
        let unknown: Vec<OrganizationId> = ids.iter().copied().filter(|id| !self.paths.contains_key(id)).collect();
        let found = access_store::paths(tx, &[tx.realm()], &unknown).await?;
        self.paths.extend(found.into_iter().map(|(id, (_, path))| (id, path)));
        Ok(())
    }
}

/// Every item's target, or why it has none: keys, paths and owners in one statement each, and none for what is known.
pub(super) async fn authorize<R>(
    tx: &Tx,
    items: &[Item<R>],
    access: &mut Access,
) -> Result<Vec<Result<Admitted, Refusal>>> {
    let mut keys: BTreeSet<ApiKeyId> = BTreeSet::new();
    let mut operators: BTreeSet<OperatorKeyId> = BTreeSet::new();
    let mut owned: BTreeSet<AnyId> = BTreeSet::new();
    for item in items {
        match &item.caller.principal {
            Principal::ApiKey(key) => {
                keys.insert(key.key);
            }
            Principal::Operator(key) => {
                operators.insert(*key);
            }
            Principal::Anonymous | Principal::System => {}
        }
        keys.extend(item.presented.iter().map(|presented| presented.key));
        if let Subject::OwnerOf(id) = &item.subject {
            owned.insert(*id);
        }
    }
    let owners = authorize::owners(tx, &owned).await?;
    access.find_keys(tx, &keys).await?;
    // The operator's keys belong to no realm, so no realm's lock keeps them as they are.
    let operator_rows = access_store::operator_keys(tx, &operators).await?;
    let wanted = |item: &Item<R>| match &item.subject {
        Subject::Platform => None,
        Subject::Organization(named) => named.or(item.caller.acting_organization()),
        Subject::OwnerOf(id) => owners.get(id).copied(),
    };
    let mut ids: BTreeSet<OrganizationId> =
        keys.iter().filter_map(|key| access.keys.get(key)).map(|row| row.organization_id).collect();
    ids.extend(items.iter().filter_map(wanted));
    ids.extend(items.iter().flat_map(|item| item.also.iter().map(|(id, _)| *id)));
    access.find_paths(tx, &ids).await?;
    let Access { keys: key_rows, paths } = access;
    let path_of = |id: OrganizationId| paths.get(&id).cloned();
    let good_key = |key: ApiKeyId| -> Result<KeyAndPaths, Refusal> {
        let row = key_rows.get(&key).ok_or_else(unauthenticated)?;
        let own = path_of(row.organization_id).ok_or_else(unauthenticated)?;
        let found = KeyAndPaths { key: row.clone(), own, target: None };
        check_key(&found, tx.now())?;
        Ok(found)
    };
    let admitted = |item: &Item<R>| -> Result<Admitted, Refusal> {
        let (own, scopes) = match &item.caller.principal {
            Principal::Anonymous => return Err(unauthenticated()),
            Principal::System => (None, Scopes::all_known()),
            Principal::Operator(key) if operator_rows.contains(key) => (None, Scopes::all_known()),
            Principal::Operator(_) => return Err(unauthenticated()),
            Principal::ApiKey(key) => {
                let found = good_key(key.key)?;
                (Some(found.key.organization_id), Scopes::new(found.key.scopes.0))
            }
        };
        let reach_into = |path: &Path| match own {
            None => Some(Reach::Operator),
            Some(own) => policy::reach(own, path),
        };
        let allowed = |path: &Path| -> Result<Reach, Refusal> {
            let reach = reach_into(path).ok_or_else(Refusal::not_found)?;
            policy::decide(&scopes, reach, item.permission).map_err(|denial| denied(item.permission, &denial))?;
            Ok(reach)
        };
        let path = wanted(item).and_then(path_of).ok_or_else(Refusal::not_found)?;
        let reach = allowed(&path)?;
        for (other, field) in &item.also {
            let named = |refusal: Refusal| if refusal.path.is_empty() { refusal.at(field) } else { refusal };
            let other = path_of(*other).ok_or_else(|| named(Refusal::not_found()))?;
            allowed(&other).map_err(named)?;
        }
        let presented = item.presented.as_ref().and_then(|presented| good_key(presented.key).err());
        Ok(Admitted { target: Target { realm: tx.realm(), path, reach, scopes }, presented })
    };
    Ok(items.iter().map(admitted).collect())
}
