//! What happens to credits by itself: holds and buckets whose time is up.
//!
//! Every gateway runs it. A worker picks a realm with work, then does the work in a transaction of that realm, which holds
//! the realm's lock: two gateways that pick the same realm do it one after the other, and the second finds nothing left.

use std::collections::BTreeSet;
use std::time::Duration;

use entity::id::{HoldId, OrganizationId, RealmId};
use entity::kind::HoldStatus;
use entity::{bucket, hold, wallet};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::Serialize;

use crate::access::policy::Permission;
use crate::access::principal::Caller;
use crate::credit::engine::Request;
use crate::credit::{load, post};
use crate::http::Shutdown;
use crate::kernel::Kernel;
use crate::kernel::command::{Command, Subject};
use crate::kernel::error::{Error, ErrorCode, Result};
use crate::kernel::tx::Tx;

/// How often it looks.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// Holds or buckets of one transaction.
const BATCH: u64 = 200;

/// Looks until the gateway stops. A failure is logged and looked at again.
pub async fn run(kernel: Kernel, shutdown: Shutdown) {
    loop {
        tokio::select! {
            () = shutdown.begun() => return,
            () = tokio::time::sleep(LOOK_INTERVAL) => {}
        }
        if let Err(Error::Fault(fault)) = run_until_idle(&kernel).await {
            tracing::warn!(cause = %fault.chain(), "expiring holds and credits failed; trying again");
        }
    }
}

/// Expires everything whose time is up now.
pub async fn run_until_idle(kernel: &Kernel) -> Result<()> {
    loop {
        let due = due_holds(kernel).await?;
        if due.is_empty() {
            break;
        }
        for (realm, organization) in due {
            let command = ExpireHolds { realm, organization };
            kernel.execute(&caller(kernel), &command).await?;
        }
    }
    loop {
        let due = due_buckets(kernel).await?;
        if due.is_empty() {
            return Ok(());
        }
        for (realm, organization) in due {
            let command = ExpireBuckets { realm, organization };
            kernel.execute(&caller(kernel), &command).await?;
        }
    }
}

fn caller(kernel: &Kernel) -> Caller {
    Caller::system(kernel.world.ids.id(kernel.world.clock.now()))
}

/// Organizations with open holds whose time is up.
async fn due_holds(kernel: &Kernel) -> Result<BTreeSet<(RealmId, OrganizationId)>> {
    let snapshot = kernel.db.snapshot();
    let rows: Vec<(RealmId, OrganizationId)> = hold::Entity::find()
        .select_only()
        .column(hold::Column::RealmId)
        .column(hold::Column::OrganizationId)
        .filter(hold::Column::Status.eq(HoldStatus::Open))
        .filter(hold::Column::ExpiresAt.lte(kernel.world.clock.now()))
        .limit(BATCH)
        .into_tuple()
        .all(&snapshot)
        .await?;
    Ok(rows.into_iter().collect())
}

/// Organizations with expired buckets that still have something nobody holds.
async fn due_buckets(kernel: &Kernel) -> Result<BTreeSet<(RealmId, OrganizationId)>> {
    let snapshot = kernel.db.snapshot();
    let rows = expired_buckets(&snapshot, bucket::Entity::find(), kernel.world.clock.now()).await?;
    let wallets = wallet::Entity::find()
        .filter(wallet::Column::Id.is_in(rows.iter().map(|row| row.wallet_id)))
        .all(&snapshot)
        .await?;
    Ok(wallets.into_iter().map(|row| (row.realm_id, row.organization_id)).collect())
}

async fn expired_buckets(
    connection: &impl sea_orm::ConnectionTrait,
    among: sea_orm::Select<bucket::Entity>,
    now: entity::timestamp::Timestamp,
) -> Result<Vec<bucket::Model>> {
    let select = among
        .filter(bucket::Column::ExpiresAt.is_not_null())
        .filter(bucket::Column::ExpiresAt.lte(now))
        .filter(sea_orm::sea_query::Expr::cust("balance > held"))
        .limit(BATCH);
    Ok(select.all(connection).await?)
}

#[derive(Serialize)]
struct ExpireHolds {
    realm: RealmId,
    organization: OrganizationId,
}

impl Command for ExpireHolds {
    const NAME: &'static str = "creditHoldExpire";
    const PERMISSION: Permission = Permission::CreditSpend;
    const REFUSALS: &'static [ErrorCode] = &[ErrorCode::Conflict];
    type Output = usize;

    fn subject(&self) -> Subject {
        Subject::Organization(Some(self.organization))
    }

    async fn run(&self, tx: &mut Tx) -> Result<usize> {
        let due: Vec<HoldId> = hold::Entity::find()
            .select_only()
            .column(hold::Column::Id)
            .filter(hold::Column::RealmId.eq(tx.realm()))
            .filter(hold::Column::OrganizationId.eq(self.organization))
            .filter(hold::Column::Status.eq(HoldStatus::Open))
            .filter(hold::Column::ExpiresAt.lte(tx.now()))
            .order_by_asc(hold::Column::Id)
            .limit(BATCH)
            .into_tuple()
            .all(&*tx)
            .await?;
        let wanted = load::Wanted { holds: due.iter().copied().collect(), ..load::Wanted::default() };
        let requests: Vec<Request> = due.iter().map(|hold| Request::Expire { hold: *hold }).collect();
        post::post(tx, &wanted, &requests).await?;
        tx.note("holds", due.len());
        Ok(due.len())
    }
}

#[derive(Serialize)]
struct ExpireBuckets {
    realm: RealmId,
    organization: OrganizationId,
}

impl Command for ExpireBuckets {
    const NAME: &'static str = "creditExpire";
    const PERMISSION: Permission = Permission::CreditSpend;
    const REFUSALS: &'static [ErrorCode] = &[ErrorCode::Conflict];
    type Output = usize;

    fn subject(&self) -> Subject {
        Subject::Organization(Some(self.organization))
    }

    async fn run(&self, tx: &mut Tx) -> Result<usize> {
        let wallets = wallet::Entity::find()
            .filter(wallet::Column::RealmId.eq(tx.realm()))
            .filter(wallet::Column::OrganizationId.eq(self.organization))
            .all(&*tx)
            .await?;
        let own = bucket::Entity::find()
            .filter(bucket::Column::RealmId.eq(tx.realm()))
            .filter(bucket::Column::WalletId.is_in(wallets.iter().map(|wallet| wallet.id)));
        let due = expired_buckets(&*tx, own, tx.now()).await?;
        let mut requests = Vec::new();
        for row in &due {
            if let Some(wallet) = wallets.iter().find(|wallet| wallet.id == row.wallet_id) {
                requests.push(Request::ExpireBucket {
                    organization: self.organization,
                    environment: wallet.environment,
                    bucket: row.id,
                });
            }
        }
        let wanted = load::Wanted {
            organizations: BTreeSet::from([self.organization]),
            buckets: due.iter().map(|row| row.id).collect(),
            ..load::Wanted::default()
        };
        post::post(tx, &wanted, &requests).await?;
        tx.note("buckets", requests.len());
        Ok(requests.len())
    }
}
