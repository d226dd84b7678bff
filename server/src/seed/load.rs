//! A tree of any size for load work, a thousand organizations a transaction.

use entity::id::OrganizationId;
use serde::Serialize;

use crate::access::policy::Permission;
use crate::access::principal::Caller;
use crate::app::App;
use crate::kernel::command::{Command, Subject};
use crate::kernel::error::{ErrorCode, Result};
use crate::kernel::tx::Tx;
use crate::organization::api::{CreateOrganization, Parent, bare_child};
use crate::organization::model::{Change, Profile};
use crate::{credit, organization};

/// Children of every organization but the last level's.
const CHILDREN: usize = 10;
/// Organizations of one transaction.
const BATCH: usize = 500;

/// Makes a root and `count` organizations below it, ten to a parent, each with both wallets.
pub async fn many(app: &App, count: u32) -> Result<OrganizationId> {
    let kernel = &app.kernel;
    let caller = || Caller::system(kernel.world.ids.id(kernel.world.clock.now()));
    let root = kernel
        .execute(
            &caller(),
            &CreateOrganization {
                parent: Parent::Root,
                profile: Profile { name: Change::Set("Load root".to_owned()), ..Profile::default() },
                relation: None,
                welcome_credits: app.settings.root_credits,
                idempotency_key: None,
            },
        )
        .await?
        .output;
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let mut ids = vec![root.id];
    while ids.len() <= count {
        let from = ids.len();
        let to = (from + BATCH).min(count + 1).min(from * CHILDREN + 1);
        // Parents are made before their children, so the first batches are small.
        let parents: Vec<OrganizationId> = (from..to).map(|i| ids[(i - 1) / CHILDREN]).collect();
        let command = CreateMany { root: root.id, first_number: from, parents };
        ids.extend(kernel.execute(&caller(), &command).await?.output);
    }
    Ok(root.id)
}

/// Children of many parents at once, named by number.
#[derive(Serialize)]
struct CreateMany {
    root: OrganizationId,
    first_number: usize,
    parents: Vec<OrganizationId>,
}

impl Command for CreateMany {
    const NAME: &'static str = "organizationSeed";
    const PERMISSION: Permission = Permission::Platform;
    const REFUSALS: &'static [ErrorCode] = &[];
    type Output = Vec<OrganizationId>;

    fn subject(&self) -> Subject {
        Subject::Organization(Some(self.root))
    }

    async fn run(&self, tx: &mut Tx) -> Result<Vec<OrganizationId>> {
        let root = organization::api::get(tx, self.root).await?;
        let mut records = Vec::with_capacity(self.parents.len());
        for (i, parent) in self.parents.iter().enumerate() {
            let number = self.first_number + i;
            records.push(bare_child(tx, &root, *parent, &format!("Organization {number:07}")));
        }
        let ids: Vec<OrganizationId> = records.iter().map(|record| record.id).collect();
        organization::api::insert_many(tx, records).await?;
        credit::api::open_wallets_of(tx, &ids).await?;
        tx.note("organizations", ids.len());
        Ok(ids)
    }
}
