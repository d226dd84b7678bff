//! The SQL of access: paths of organizations, and keys with the path of their organization.

use std::collections::{BTreeSet, HashMap, HashSet};

use entity::id::{ApiKeyId, KeyFamilyId, OperatorKeyId, OrganizationId, RealmId};
use entity::kind::{Delegations, Environment};
use entity::timestamp::Timestamp;
use entity::{codec::Json, operator_key};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter};

use crate::access::path::{DEPTH_MAX, Node, Path};
use crate::kernel::error::Result;
use crate::kernel::sql::Sql;

#[derive(FromQueryResult)]
struct StepRow {
    start_id: OrganizationId,
    realm_id: RealmId,
    id: OrganizationId,
    parent_id: Option<OrganizationId>,
    delegation: Delegations,
    archived: bool,
    suspended: bool,
}

/// The steps from each starting organization up to its root. `starts` is the text of the first part of the recursion.
fn climb(sql: &mut Sql, select: &str) {
    sql.push(
        " UNION ALL
          SELECT up.start_id, up.distance + 1, p.realm_id, p.id, p.parent_id, p.delegation, p.archived_at
          FROM up JOIN organization p ON p.realm_id = up.realm_id AND p.id = up.parent_id
          WHERE up.distance < ",
    )
    .bind(i64::try_from(DEPTH_MAX).unwrap_or(i64::MAX))
    .push(") SELECT up.start_id, up.realm_id, up.id, up.parent_id, up.delegation, up.archived_at IS NOT NULL AS archived,
          EXISTS (SELECT 1 FROM suspension s WHERE s.realm_id = up.realm_id AND s.organization_id = up.id) AS suspended")
    .push(select);
}

const START: &str =
    "SELECT o.id, CAST(0 AS BIGINT), o.realm_id, o.id, o.parent_id, o.delegation, o.archived_at FROM organization o ";
const UP: &str = "up (start_id, distance, realm_id, id, parent_id, delegation, archived_at) AS (";

/// The paths of many organizations in one statement. Unknown ids are missing from the answer.
///
/// `realms` narrows the search and lets a cluster route it; the operator, who has no realm, passes none.
pub async fn paths(
    connection: &impl ConnectionTrait,
    realms: &[RealmId],
    ids: &[OrganizationId],
) -> Result<HashMap<OrganizationId, (RealmId, Path)>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let mut sql = Sql::new("WITH RECURSIVE ");
    sql.push(UP).push(START).push("WHERE o.id").within(ids.iter().copied());
    if !realms.is_empty() {
        sql.push(" AND o.realm_id").within(realms.iter().copied());
    }
    climb(&mut sql, " FROM up ORDER BY up.start_id, up.distance");
    let rows = StepRow::find_by_statement(sql.statement(connection)).all(connection).await?;
    Ok(collect(rows))
}

fn collect(rows: Vec<StepRow>) -> HashMap<OrganizationId, (RealmId, Path)> {
    let mut nodes: HashMap<OrganizationId, (RealmId, Vec<Node>)> = HashMap::new();
    for row in rows {
        nodes.entry(row.start_id).or_insert_with(|| (row.realm_id, Vec::new())).1.push(Node {
            id: row.id,
            parent: row.parent_id,
            delegation: row.delegation,
            archived: row.archived,
            suspended: row.suspended,
        });
    }
    nodes.into_iter().filter_map(|(id, (realm, nodes))| Some((id, (realm, Path::new(nodes)?)))).collect()
}

/// A key as it stands now.
#[derive(Clone, Debug, FromQueryResult)]
pub struct KeyRow {
    pub realm_id: RealmId,
    pub id: ApiKeyId,
    pub family_id: KeyFamilyId,
    pub organization_id: OrganizationId,
    pub environment: Environment,
    pub scopes: Json<Vec<String>>,
    pub allowed_ips: Json<Vec<String>>,
    pub secret_hash: String,
    pub pepper_id: i64,
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

/// A key, the path of its organization, and the path of the organization it wants to act on.
pub struct KeyAndPaths {
    pub key: KeyRow,
    pub own: Path,
    /// `None` when nothing else was asked for, or when there is no such organization in the key's realm.
    pub target: Option<Path>,
}

/// A key that somebody presents, and the organization it is to act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ask {
    pub key: ApiKeyId,
    pub target: Option<OrganizationId>,
}

/// What a realm's keys and paths were at one moment.
#[derive(Debug, Default)]
pub struct KeysAndPaths {
    keys: HashMap<ApiKeyId, (KeyRow, Option<i64>)>,
    paths: HashMap<OrganizationId, Path>,
}

impl KeysAndPaths {
    pub fn get(&self, ask: Ask) -> Option<KeyAndPaths> {
        let (key, _) = self.keys.get(&ask.key)?;
        let own = self.paths.get(&key.organization_id)?.clone();
        let target = ask.target.and_then(|id| self.paths.get(&id)).cloned();
        Some(KeyAndPaths { key: key.clone(), own, target })
    }

    /// Requests that the key's family may make in a minute; `None` is no limit.
    pub fn rate_limit(&self, key: ApiKeyId) -> Option<i64> {
        self.keys.get(&key).and_then(|(_, limit)| *limit)
    }
}

#[derive(FromQueryResult)]
struct KeyStepRow {
    #[sea_orm(nested)]
    step: StepRow,
    /// On the first step of an organization, once for each of its keys that was asked for.
    #[sea_orm(nested)]
    key: Option<PrefixedKeyRow>,
}

#[derive(FromQueryResult)]
struct PrefixedKeyRow {
    #[sea_orm(alias = "key_realm_id")]
    realm_id: RealmId,
    #[sea_orm(alias = "key_id")]
    id: ApiKeyId,
    #[sea_orm(alias = "key_family_id")]
    family_id: KeyFamilyId,
    #[sea_orm(alias = "key_organization_id")]
    organization_id: OrganizationId,
    #[sea_orm(alias = "key_environment")]
    environment: Environment,
    #[sea_orm(alias = "key_scopes")]
    scopes: Json<Vec<String>>,
    #[sea_orm(alias = "key_allowed_ips")]
    allowed_ips: Json<Vec<String>>,
    #[sea_orm(alias = "key_secret_hash")]
    secret_hash: String,
    #[sea_orm(alias = "key_pepper_id")]
    pepper_id: i64,
    #[sea_orm(alias = "key_expires_at")]
    expires_at: Option<Timestamp>,
    #[sea_orm(alias = "key_revoked_at")]
    revoked_at: Option<Timestamp>,
    #[sea_orm(alias = "key_rate_limit")]
    rate_limit: Option<i64>,
}

/// Keys of one realm with their paths, all of one moment, in one indexed statement. Unknown ids are missing.
pub async fn keys_and_paths(
    connection: &impl ConnectionTrait,
    realm: RealmId,
    asks: &HashSet<Ask>,
) -> Result<KeysAndPaths> {
    let keys: BTreeSet<ApiKeyId> = asks.iter().map(|ask| ask.key).collect();
    let targets: BTreeSet<OrganizationId> = asks.iter().filter_map(|ask| ask.target).collect();
    let mut sql = Sql::new(
        "WITH RECURSIVE k AS (
           SELECT a.*, f.rate_limit FROM api_key a
           JOIN api_key_family f ON f.realm_id = a.realm_id AND f.id = a.family_id WHERE a.realm_id = ",
    );
    sql.bind(realm).push(" AND a.id").within(keys).push("), ").push(UP).push(START);
    sql.push("WHERE o.realm_id = ").bind(realm).push(" AND o.id IN (SELECT organization_id FROM k");
    if !targets.is_empty() {
        sql.push(" UNION SELECT id FROM organization WHERE realm_id = ").bind(realm).push(" AND id").within(targets);
    }
    sql.push(")");
    climb(
        &mut sql,
        ", k.realm_id AS key_realm_id, k.id AS key_id, k.family_id AS key_family_id,
           k.organization_id AS key_organization_id, k.environment AS key_environment, k.scopes AS key_scopes,
           k.allowed_ips AS key_allowed_ips, k.secret_hash AS key_secret_hash, k.pepper_id AS key_pepper_id,
           k.expires_at AS key_expires_at, k.revoked_at AS key_revoked_at, k.rate_limit AS key_rate_limit
         FROM up LEFT JOIN k ON up.distance = 0 AND k.organization_id = up.start_id
         ORDER BY up.start_id, up.distance",
    );
    let rows = KeyStepRow::find_by_statement(sql.statement(connection)).all(connection).await?;
    let mut keys = HashMap::with_capacity(asks.len());
    let mut steps: Vec<StepRow> = Vec::with_capacity(rows.len());
    for row in rows {
        if let Some(key) = row.key {
            keys.insert(key.id, key.into());
        }
        if steps.last().is_none_or(|last| (last.start_id, last.id) != (row.step.start_id, row.step.id)) {
            steps.push(row.step);
        }
    }
    let paths = collect(steps).into_iter().map(|(id, (_, path))| (id, path)).collect();
    Ok(KeysAndPaths { keys, paths })
}

impl From<PrefixedKeyRow> for (KeyRow, Option<i64>) {
    fn from(row: PrefixedKeyRow) -> Self {
        let key = KeyRow {
            realm_id: row.realm_id,
            id: row.id,
            family_id: row.family_id,
            organization_id: row.organization_id,
            environment: row.environment,
            scopes: row.scopes,
            allowed_ips: row.allowed_ips,
            secret_hash: row.secret_hash,
            pepper_id: row.pepper_id,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
        };
        (key, row.rate_limit)
    }
}

/// The same for one key.
pub async fn key_and_paths(
    connection: &impl ConnectionTrait,
    realm: RealmId,
    key: ApiKeyId,
    target: Option<OrganizationId>,
) -> Result<Option<KeyAndPaths>> {
    let ask = Ask { key, target };
    Ok(keys_and_paths(connection, realm, &HashSet::from([ask])).await?.get(ask))
}

/// Keys of a realm as they stand now, in one statement.
pub async fn keys(
    connection: &impl ConnectionTrait,
    realm: RealmId,
    ids: &BTreeSet<ApiKeyId>,
) -> Result<HashMap<ApiKeyId, KeyRow>> {
    keys_of(connection, &[realm], ids).await
}

/// The same of many realms; of any when none is named.
pub async fn keys_of(
    connection: &impl ConnectionTrait,
    realms: &[RealmId],
    ids: &BTreeSet<ApiKeyId>,
) -> Result<HashMap<ApiKeyId, KeyRow>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let mut sql = Sql::new(
        "SELECT realm_id, id, family_id, organization_id, environment, scopes, allowed_ips, secret_hash, pepper_id,
           expires_at, revoked_at FROM api_key WHERE id",
    );
    sql.within(ids.iter().copied());
    match realms {
        [] => {}
        [realm] => {
            sql.push(" AND realm_id = ").bind(*realm);
        }
        realms => {
            sql.push(" AND realm_id").within(realms.iter().copied());
        }
    }
    let rows = KeyRow::find_by_statement(sql.statement(connection)).all(connection).await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// Which of the operator's keys are not revoked.
pub async fn operator_keys(
    connection: &impl ConnectionTrait,
    ids: &BTreeSet<OperatorKeyId>,
) -> Result<BTreeSet<OperatorKeyId>> {
    if ids.is_empty() {
        return Ok(BTreeSet::new());
    }
    let rows = operator_key::Entity::find()
        .filter(operator_key::Column::Id.is_in(ids.iter().copied()))
        .filter(operator_key::Column::RevokedAt.is_null())
        .all(connection)
        .await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// An operator's key, unless it was revoked.
pub async fn operator_key(connection: &impl ConnectionTrait, id: OperatorKeyId) -> Result<Option<operator_key::Model>> {
    let found = operator_key::Entity::find()
        .filter(operator_key::Column::Id.eq(id))
        .filter(operator_key::Column::RevokedAt.is_null())
        .one(connection)
        .await?;
    Ok(found)
}
