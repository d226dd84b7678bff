//! Holds and charges.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use entity::kind::{Environment as EnvironmentKind, HoldStatus as HoldStatusKind};
use entity::{hold, hold_leg};
use futures_util::future::BoxFuture;

use crate::access::fields::handed;
use crate::credit::{load, model, read};
use crate::kernel::error::Error;
use crate::kernel::page::{Cursor, Page, Slice, SortKey};
use crate::organization::graphql::Organization;
use crate::schema::connection::{Paged, connection};
use crate::schema::kind::{Environment, HoldStatus};
use crate::schema::level::Level;
use crate::schema::scalar::{Credits, DateTime, Json};
use crate::schema::session::expose;

/// Credits reserved for work in flight, and after the capture the charge it became. A charge is a hold captured at once.
#[derive(Clone)]
pub struct Hold {
    owner: Organization,
    level: Arc<Level<hold::Model>>,
    index: usize,
    /// Legs that are known already, from the command that made them.
    legs: Option<Vec<hold_leg::Model>>,
}

connection! {
    /// A page of holds.
    HoldConnection, HoldEdge, Hold, "A hold of a page."
}

impl HoldConnection {
    /// The organization's holds, newest first; one statement serves all siblings.
    pub async fn of(
        owner: &Organization,
        environment: Option<EnvironmentKind>,
        status: Option<HoldStatusKind>,
        page: Page,
    ) -> Result<Self, Error> {
        let siblings = Arc::clone(&owner.siblings);
        let filter = read::HoldFilter { environment, status };
        let pages = siblings.level.once(format!("holds {filter:?} {page:?}"), || async {
            let owners = owner.permitted(const { handed("Hold") });
            let pages = read::holds(&siblings.session.snapshot(), &owners, &filter, &page).await?;
            let mut members = Vec::new();
            let mut by_owner = std::collections::HashMap::with_capacity(pages.len());
            for (id, slice) in pages {
                let indexes: Vec<usize> = (members.len()..members.len() + slice.rows.len()).collect();
                members.extend(slice.rows);
                by_owner.insert(id, (indexes, slice.has_next, slice.has_previous));
            }
            Ok((Level::new(members), by_owner))
        });
        let pages = pages.await?;
        let (level, by_owner) = &*pages;
        let slice =
            by_owner.get(&owner.organization_id()).map_or_else(Slice::empty, |(indexes, next, previous)| Slice {
                rows: indexes
                    .iter()
                    .map(|index| {
                        let hold = Hold { owner: owner.clone(), level: Arc::clone(level), index: *index, legs: None };
                        (Cursor { key: SortKey::Age, id: hold.row().id.into() }, hold)
                    })
                    .collect(),
                has_next: *next,
                has_previous: *previous,
            });
        let owner = owner.clone();
        let total = Arc::new(move || -> BoxFuture<'static, Result<i64, Error>> {
            let (owner, filter) = (owner.clone(), filter.clone());
            Box::pin(async move {
                let siblings = &owner.siblings;
                let counts = siblings.level.once(format!("holds total {filter:?}"), || async {
                    let owners = owner.permitted(const { handed("Hold") });
                    read::count_holds(&siblings.session.snapshot(), &owners, &filter).await
                });
                Ok(counts.await?.get(&owner.organization_id().into()).copied().unwrap_or(0))
            })
        });
        Ok(Self(Paged { slice, total }))
    }
}

impl Hold {
    /// A hold as a command left it.
    pub fn shown(owner: Organization, hold: model::Hold) -> Self {
        Self { owner, level: Level::new(vec![hold.row]), index: 0, legs: Some(hold.legs) }
    }

    /// A hold found by its id.
    pub fn found(owner: Organization, row: hold::Model) -> Self {
        Self { owner, level: Level::new(vec![row]), index: 0, legs: None }
    }

    fn row(&self) -> &hold::Model {
        &self.level.members[self.index]
    }
}

/// Credits reserved for work in flight, and after the capture the charge it became. A charge is a hold captured at once.
#[Object]
impl Hold {
    /// The id, `hold_…`; of a charge too.
    pub async fn id(&self) -> ID {
        self.row().id.to_string().into()
    }

    /// Whose spend it is.
    async fn organization(&self) -> Organization {
        self.owner.clone()
    }

    /// LIVE or TEST.
    async fn environment(&self) -> Environment {
        self.row().environment.into()
    }

    /// Where it stands.
    async fn status(&self) -> HoldStatus {
        self.row().status.into()
    }

    /// What was reserved.
    async fn amount(&self) -> Credits {
        self.row().amount.into()
    }

    /// What was spent of it.
    async fn captured(&self) -> Credits {
        self.row().captured.into()
    }

    /// What was given back of what was spent.
    async fn refunded(&self) -> Credits {
        self.row().refunded.into()
    }

    /// The meter it was priced by.
    async fn meter(&self) -> Option<&str> {
        self.row().meter.as_deref()
    }

    /// How many units of the meter.
    async fn quantity(&self) -> Option<i32> {
        self.row().quantity.and_then(|quantity| i32::try_from(quantity).ok())
    }

    /// The meter's price when it was taken.
    async fn unit_price(&self) -> Option<Credits> {
        self.row().unit_price.map(Into::into)
    }

    /// What for.
    async fn description(&self) -> Option<&str> {
        self.row().description.as_deref()
    }

    /// An object of strings.
    async fn metadata(&self) -> Json {
        Json::metadata(&self.row().metadata)
    }

    /// Who pays which part, in the order of payment; fixed when it was taken.
    async fn legs(&self, ctx: &Context<'_>) -> Result<Vec<HoldLeg>> {
        if let Some(legs) = &self.legs {
            return Ok(legs.iter().map(HoldLeg::of).collect());
        }
        let loaded = self.level.once("legs", || async {
            let ids: Vec<_> = self.level.members.iter().map(|row| row.id).collect();
            let realms = crate::kernel::page::distinct(self.level.members.iter().map(|row| row.realm_id));
            load::legs(&self.owner.siblings.session.snapshot(), &realms, &ids).await
        });
        let loaded = loaded.await.map_err(|error| expose(ctx, error))?;
        Ok(loaded.get(&self.row().id).map_or_else(Vec::new, |legs| legs.iter().map(HoldLeg::of).collect()))
    }

    /// When it was taken.
    async fn created_at(&self) -> DateTime {
        self.row().created_at.into()
    }

    /// When it returns by itself, unless it is settled before.
    async fn expires_at(&self) -> DateTime {
        self.row().expires_at.into()
    }

    /// When it was captured, voided or expired.
    async fn settled_at(&self) -> Option<DateTime> {
        self.row().settled_at.map(Into::into)
    }
}

/// What one bucket gives to a hold.
#[derive(SimpleObject, Clone, Debug)]
pub struct HoldLeg {
    /// Whose wallet it is.
    pub organization_id: ID,
    /// Which bucket of it.
    pub bucket_id: ID,
    /// What it reserved.
    pub amount: Credits,
    /// What was spent of it.
    pub captured: Credits,
    /// What was given back of what was spent.
    pub refunded: Credits,
}

impl HoldLeg {
    fn of(leg: &hold_leg::Model) -> Self {
        Self {
            organization_id: leg.organization_id.to_string().into(),
            bucket_id: leg.bucket_id.to_string().into(),
            amount: leg.amount.into(),
            captured: leg.captured.into(),
            refunded: leg.refunded.into(),
        }
    }
}
