//! Who may run a command on what, by what the database says inside the transaction.

use std::collections::{BTreeSet, HashMap};

use entity::id::{AnyId, OrganizationId, RealmId};
use sea_orm::ConnectionTrait;

use crate::access::path::EffectiveStatus;
use crate::access::policy::{self, Permission, Reach, Standing};
use crate::access::principal::Principal;
use crate::access::scope::Scopes;
use crate::access::store as access_store;
use crate::kernel::command::Subject;
use crate::kernel::error::{Detail, ErrorCode, Refusal, Result};
use crate::kernel::sql::Sql;
use crate::kernel::tx::{Target, Tx};

pub(crate) fn unauthenticated() -> Refusal {
    Refusal::new(
        ErrorCode::Unauthenticated,
        "This needs a key. Send `Authorization: Bearer <key>` with a key that is neither revoked nor expired.",
    )
}

pub(super) fn name_an_organization() -> Refusal {
    Refusal::invalid("organizationId", "The operator belongs to no organization: name one.")
}

/// Reads key, paths and status again, inside the transaction: what was revoked or suspended since the request began is
/// refused here.
pub(super) async fn authorize(tx: &Tx, subject: &Subject, permission: Permission) -> Result<Option<Target>> {
    let wanted = match subject {
        Subject::Platform => None,
        Subject::Organization(named) => {
            Some(named.or(tx.caller.acting_organization()).ok_or_else(name_an_organization)?)
        }
        Subject::OwnerOf(id) => Some(owner(tx, *id).await?),
    };
    match &tx.caller.principal {
        Principal::Anonymous => Err(unauthenticated().into()),
        Principal::System => Ok(match wanted {
            Some(wanted) => Some(target_of_all(tx, wanted).await?),
            None => None,
        }),
        Principal::Operator(key) => {
            access_store::operator_key(tx, *key).await?.ok_or_else(unauthenticated)?;
            Ok(match wanted {
                Some(wanted) => Some(target_of_all(tx, wanted).await?),
                None => None,
            })
        }
        Principal::ApiKey(key) => {
            let found = access_store::key_and_paths(tx, key.realm, key.key, wanted).await?;
            let found = found.ok_or_else(unauthenticated)?;
            check_key(&found, tx.now)?;
            let Some(wanted) = wanted else {
                return Err(denied(permission, &policy::Denial::OperatorOnly).into());
            };
            let path = if wanted == found.key.organization_id { Some(found.own) } else { found.target };
            let path = path.ok_or_else(Refusal::not_found)?;
            let reach = policy::reach(found.key.organization_id, &path).ok_or_else(Refusal::not_found)?;
            let scopes = Scopes::new(found.key.scopes.0);
            policy::decide(&scopes, reach, permission).map_err(|denial| denied(permission, &denial))?;
            Ok(Some(Target { realm: tx.realm, path, reach, scopes }))
        }
    }
}

async fn target_of_all(tx: &Tx, wanted: OrganizationId) -> Result<Target> {
    let mut paths = access_store::paths(tx, &[tx.realm], &[wanted]).await?;
    let (_, path) = paths.remove(&wanted).ok_or_else(Refusal::not_found)?;
    Ok(Target { realm: tx.realm, path, reach: Reach::Operator, scopes: Scopes::all_known() })
}

pub(crate) fn denied(permission: Permission, denial: &policy::Denial) -> Refusal {
    Refusal::new(ErrorCode::ForbiddenScope, denial.message(permission))
}

/// Whether a key may be used at all at this moment: not revoked, not expired, its organization and every ancestor active.
pub(crate) fn check_key(found: &access_store::KeyAndPaths, now: entity::timestamp::Timestamp) -> Result<(), Refusal> {
    let expired = found.key.expires_at.is_some_and(|at| at <= now);
    if found.key.revoked_at.is_some() || expired {
        return Err(unauthenticated());
    }
    status_refusal(found.own.effective_status()).map_or(Ok(()), Err)
}

/// What stands in the way of an organization that is not active.
pub(crate) fn status_refusal(status: EffectiveStatus) -> Option<Refusal> {
    match status {
        EffectiveStatus::Active => None,
        EffectiveStatus::Suspended { by } => Some(
            Refusal::new(
                ErrorCode::OrganizationSuspended,
                format!("{by} is suspended. Whoever suspended it can resume it; retrying does not help."),
            )
            .with(Detail::Status { organization: by, archived: false }),
        ),
        EffectiveStatus::Archived { by } => Some(
            Refusal::new(ErrorCode::OrganizationArchived, format!("{by} is archived, which is final."))
                .with(Detail::Status { organization: by, archived: true }),
        ),
    }
}

/// Refuses an organization whose status does not allow the act. Its own end is a `CONFLICT`: the act came too late.
pub(super) fn stands(standing: Standing, target: &Target) -> Result<(), Refusal> {
    match (standing, standing.check(&target.path)) {
        (_, Ok(())) => Ok(()),
        (Standing::Live, Err(_)) => Err(Refusal::conflict(format!("{} is archived, which is final.", target.id()))),
        (_, Err(status)) => status_refusal(status).map_or(Ok(()), Err),
    }
}

/// The realm of whatever an id names; `NOT_FOUND` when nothing is named.
pub(super) async fn owner_realm(connection: &impl ConnectionTrait, id: AnyId) -> Result<RealmId> {
    let Some(table) = owner_table(id) else { return Err(Refusal::not_found().into()) };
    let mut sql = Sql::new("SELECT realm_id FROM ");
    sql.push(table).push(" WHERE id = ").bind(id.uuid());
    let row = connection.query_one_raw(sql.statement(connection)).await?.ok_or_else(Refusal::not_found)?;
    Ok(row.try_get("", "realm_id")?)
}

/// The organization that owns what an id names, within the realm.
async fn owner(tx: &Tx, id: AnyId) -> Result<OrganizationId> {
    let owners = owners(tx, &BTreeSet::from([id])).await?;
    Ok(owners.get(&id).copied().ok_or_else(Refusal::not_found)?)
}

/// The organizations that own what ids name, within the realm: a statement for each kind of id.
pub(super) async fn owners(tx: &Tx, ids: &BTreeSet<AnyId>) -> Result<HashMap<AnyId, OrganizationId>> {
    let mut owners = HashMap::with_capacity(ids.len());
    let mut by_table: HashMap<&'static str, Vec<AnyId>> = HashMap::new();
    for id in ids {
        match (id, owner_table(*id)) {
            (AnyId::Organization(organization), _) => {
                owners.insert(*id, *organization);
            }
            (_, Some(table)) => by_table.entry(table).or_default().push(*id),
            (_, None) => {}
        }
    }
    for (table, ids) in by_table {
        let mut sql = Sql::new("SELECT id, organization_id FROM ");
        sql.push(table)
            .push(" WHERE realm_id = ")
            .bind(tx.realm)
            .push(" AND id")
            .within(ids.iter().map(|id| id.uuid()));
        for row in tx.query_all_raw(sql.statement(tx)).await? {
            let found: uuid::Uuid = row.try_get("", "id")?;
            if let Some(id) = ids.iter().find(|id| id.uuid() == found) {
                owners.insert(*id, row.try_get("", "organization_id")?);
            }
        }
    }
    Ok(owners)
}

/// The tables whose rows belong to one organization and can be a command's subject.
fn owner_table(id: AnyId) -> Option<&'static str> {
    Some(match id {
        AnyId::Organization(_) => "organization",
        AnyId::ApiKey(_) => "api_key",
        AnyId::Hold(_) => "hold",
        AnyId::WebhookEndpoint(_) => "webhook_endpoint",
        AnyId::Delivery(_) => "delivery",
        AnyId::Project(_) => "project",
        AnyId::Seller(_) => "seller",
        AnyId::Buyer(_) => "buyer",
        AnyId::Invoice(_) => "invoice",
        AnyId::Member(_) => "member",
        _ => return None,
    })
}
