//! When keys were last used, without a write per request.
//!
//! Requests note their key in memory; a worker writes what was noted once a minute, one statement for a realm. A gateway
//! that is killed forgets at most that minute, and nothing depends on it: it is for people who look for dead keys. It is
//! the one write that passes by the kernel, because it is no change that anybody made.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use entity::id::{ApiKeyId, RealmId};
use entity::timestamp::Timestamp;
use sea_orm::ConnectionTrait;

use crate::http::Shutdown;
use crate::kernel::Kernel;
use crate::kernel::error::Result;
use crate::kernel::sql::Sql;

/// How often it is written.
const FLUSH_INTERVAL: Duration = Duration::from_secs(60);
/// Keys remembered between two writes; more are forgotten until the next.
const NOTED_MAX: usize = 100_000;
/// Keys of one statement.
const KEYS_PER_STATEMENT: usize = 1_000;

/// The keys that were used since the last write.
#[derive(Clone, Default)]
pub struct LastUsed(Arc<Mutex<HashMap<(RealmId, ApiKeyId), Timestamp>>>);

impl LastUsed {
    pub fn note(&self, realm: RealmId, key: ApiKeyId, now: Timestamp) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.len() < NOTED_MAX || noted.contains_key(&(realm, key)) {
            noted.insert((realm, key), now);
        }
    }

    /// Writes what was noted.
    pub async fn flush(&self, kernel: &Kernel) -> Result<()> {
        let noted = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let mut by_realm: HashMap<RealmId, Vec<(ApiKeyId, Timestamp)>> = HashMap::new();
        for ((realm, key), at) in noted {
            by_realm.entry(realm).or_default().push((key, at));
        }
        let connection = kernel.db.connection();
        for (realm, mut keys) in by_realm {
            // In one order, so that two gateways that write the same keys seldom wait for each other in a circle.
            keys.sort_unstable();
            for chunk in keys.chunks(KEYS_PER_STATEMENT) {
                let mut sql = Sql::new("WITH v (id, used_at) AS (VALUES ");
                for (i, (key, at)) in chunk.iter().enumerate() {
                    sql.push(if i == 0 { "(" } else { ", (" }).bind(*key).push(", ").bind(*at).push(")");
                }
                sql.push(") UPDATE api_key SET last_used_at = v.used_at FROM v WHERE api_key.realm_id = ").bind(realm);
                // Of two gateways the one that wrote last may know the older use.
                sql.push(
                    " AND api_key.id = v.id AND (api_key.last_used_at IS NULL OR api_key.last_used_at < v.used_at)",
                );
                connection.execute_raw(sql.statement(connection)).await?;
            }
        }
        Ok(())
    }

    /// Writes once a minute until the gateway stops, and once more then.
    pub async fn run(self, kernel: Kernel, shutdown: Shutdown) {
        loop {
            let stopping = tokio::select! {
                () = shutdown.begun() => true,
                () = tokio::time::sleep(FLUSH_INTERVAL) => false,
            };
            if let Err(error) = self.flush(&kernel).await {
                tracing::warn!(cause = %error, "when keys were last used could not be written");
            }
            if stopping {
                return;
            }
        }
    }
}
