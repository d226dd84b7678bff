//! Everything with an id, by its id.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, ID, Interface, Object, Result};
use entity::id::{AnyId, ApiKeyId, HoldId, Id, OrganizationId, RealmId, TransactionId, WalletId};

use crate::access::fields::handed;
use crate::access::policy::Permission;
use crate::api_key::api as api_key;
use crate::api_key::graphql::ApiKey;
use crate::audit::graphql::AuditEvent;
use crate::credit::api as credit;
use crate::credit::graphql::{Hold, LedgerTransaction, Wallet};
use crate::kernel::error::{Error, ErrorCode, Refusal};
use crate::kernel::owned::{self, OwnedRow};
use crate::member::graphql::Member;
use crate::organization::graphql::owned::Owned;
use crate::organization::graphql::{Organization, Organizations};
use crate::project::graphql::Project;
use crate::schema::session::{Session, expose};
use crate::trade::graphql::{Buyer, Invoice, Seller};
use crate::webhook::graphql::{WebhookDelivery, WebhookEndpoint};

/// The most ids `nodes` takes.
const NODES_MAX: usize = 100;

/// Anything that can be fetched by its id.
#[derive(Interface, Clone)]
#[graphql(field(name = "id", ty = "ID", desc = "Globally unique and opaque; the prefix tells people what it is."))]
pub enum Node {
    Organization(Organization),
    Wallet(Wallet),
    Hold(Hold),
    LedgerTransaction(LedgerTransaction),
    ApiKey(ApiKey),
    AuditEvent(AuditEvent),
    WebhookEndpoint(WebhookEndpoint),
    WebhookDelivery(WebhookDelivery),
    Project(Project),
    Seller(Seller),
    Buyer(Buyer),
    Invoice(Invoice),
    Member(Member),
}

#[derive(Default)]
pub struct NodeQuery;

#[Object]
impl NodeQuery {
    /// Anything by its id; null when there is none that the caller sees.
    async fn node(&self, ctx: &Context<'_>, #[graphql(desc = "Any id.")] id: ID) -> Result<Option<Node>> {
        let mut found = nodes(Session::of(ctx), &[id]).await.map_err(|error| expose(ctx, error))?;
        Ok(found.pop().flatten())
    }

    /// Many things by their ids, in the order asked, at most 100; null where there is none that the caller sees.
    async fn nodes(&self, ctx: &Context<'_>, #[graphql(desc = "Any ids.")] ids: Vec<ID>) -> Result<Vec<Option<Node>>> {
        nodes(Session::of(ctx), &ids).await.map_err(|error| expose(ctx, error))
    }
}

macro_rules! of_kind {
    ($wanted:expr, $kind:ident) => {
        $wanted.iter().filter_map(|id| if let AnyId::$kind(id) = id { Some(*id) } else { None }).collect::<Vec<_>>()
    };
}

/// At most a fixed number of statements for each kind of id.
async fn nodes(session: &Arc<Session>, ids: &[ID]) -> Result<Vec<Option<Node>>, Error> {
    session.signed_in()?;
    if ids.len() > NODES_MAX {
        return Err(Refusal {
            path: vec!["ids".into()],
            ..Refusal::new(ErrorCode::BadRequest, "nodes takes at most 100 ids.")
        }
        .into());
    }
    let mut wanted: Vec<AnyId> = Vec::with_capacity(ids.len());
    for id in ids {
        let read = id.parse().map_err(|error: entity::id::IdError| Refusal {
            path: vec!["id".into()],
            ..Refusal::new(ErrorCode::InvalidInput, format!("{error}."))
        });
        wanted.push(read?);
    }
    let mut found: HashMap<AnyId, Node> = HashMap::new();
    let load = Loader { session };
    load.organizations(&wanted, &mut found).await?;
    load.wallets(&wanted, &mut found).await?;
    load.holds(&wanted, &mut found).await?;
    load.transactions(&wanted, &mut found).await?;
    load.api_keys(&wanted, &mut found).await?;
    load.audit_events(&wanted, &mut found).await?;
    load.owned(of_kind!(wanted, WebhookEndpoint), Node::WebhookEndpoint, &mut found).await?;
    load.owned(of_kind!(wanted, Delivery), Node::WebhookDelivery, &mut found).await?;
    load.owned(of_kind!(wanted, Project), Node::Project, &mut found).await?;
    load.owned(of_kind!(wanted, Seller), Node::Seller, &mut found).await?;
    load.owned(of_kind!(wanted, Buyer), Node::Buyer, &mut found).await?;
    load.owned(of_kind!(wanted, Invoice), Node::Invoice, &mut found).await?;
    load.owned(of_kind!(wanted, Member), Node::Member, &mut found).await?;
    Ok(wanted.iter().map(|id| found.get(id).cloned()).collect())
}

struct Loader<'a> {
    session: &'a Arc<Session>,
}

impl Loader<'_> {
    fn realms(&self) -> Vec<RealmId> {
        self.session.realms()
    }

    /// The owners that the caller may see this of.
    async fn owners(&self, ids: Vec<OrganizationId>, permission: Permission) -> Result<Vec<Organization>, Error> {
        let level = Organizations::of_ids(self.session, &ids).await?;
        let mut owners = Organization::all(&level);
        owners.retain(|owner| self.session.allows(owner.member().reach, permission).is_ok());
        Ok(owners)
    }

    async fn organizations(&self, wanted: &[AnyId], found: &mut HashMap<AnyId, Node>) -> Result<(), Error> {
        let ids: Vec<OrganizationId> = of_kind!(wanted, Organization);
        if !ids.is_empty() {
            for owner in self.owners(ids, const { handed("Organization") }).await? {
                found.insert(owner.organization_id().into(), Node::Organization(owner));
            }
        }
        Ok(())
    }

    /// Rows of one of the tables whose rows belong to one organization each.
    async fn owned<I, R, N>(
        &self,
        ids: Vec<I>,
        node: fn(N) -> Node,
        found: &mut HashMap<AnyId, Node>,
    ) -> Result<(), Error>
    where
        I: Id + Into<AnyId>,
        R: OwnedRow,
        N: From<Owned<R>>,
    {
        if ids.is_empty() {
            return Ok(());
        }
        let uuids: Vec<_> = ids.into_iter().map(Id::uuid).collect();
        let rows: Vec<R> = owned::by_ids(&self.session.snapshot(), &self.realms(), &uuids).await?;
        let owners = self.owners(rows.iter().map(R::organization_id).collect(), R::READ).await?;
        for row in rows {
            if let Some(owner) = owners.iter().find(|owner| owner.organization_id() == row.organization_id()) {
                found.insert(I::from(row.uuid()).into(), node(Owned::one(owner.clone(), row).into()));
            }
        }
        Ok(())
    }

    async fn wallets(&self, wanted: &[AnyId], found: &mut HashMap<AnyId, Node>) -> Result<(), Error> {
        let ids: Vec<WalletId> = of_kind!(wanted, Wallet);
        if ids.is_empty() {
            return Ok(());
        }
        let rows = credit::wallets_by_ids(&self.session.snapshot(), &self.realms(), &ids).await?;
        let owners =
            self.owners(rows.iter().map(|row| row.organization_id).collect(), const { handed("Wallet") }).await?;
        for row in rows {
            if let Some(owner) = owners.iter().find(|owner| owner.organization_id() == row.organization_id) {
                found.insert(row.id.into(), Node::Wallet(Wallet::shown(owner.clone(), row)));
            }
        }
        Ok(())
    }

    async fn holds(&self, wanted: &[AnyId], found: &mut HashMap<AnyId, Node>) -> Result<(), Error> {
        let ids: Vec<HoldId> = of_kind!(wanted, Hold);
        if ids.is_empty() {
            return Ok(());
        }
        let rows = credit::holds_by_ids(&self.session.snapshot(), &self.realms(), &ids).await?;
        let owners =
            self.owners(rows.iter().map(|row| row.organization_id).collect(), const { handed("Hold") }).await?;
        for row in rows {
            if let Some(owner) = owners.iter().find(|owner| owner.organization_id() == row.organization_id) {
                found.insert(row.id.into(), Node::Hold(Hold::found(owner.clone(), row)));
            }
        }
        Ok(())
    }

    async fn transactions(&self, wanted: &[AnyId], found: &mut HashMap<AnyId, Node>) -> Result<(), Error> {
        let ids: Vec<TransactionId> = of_kind!(wanted, Transaction);
        if ids.is_empty() {
            return Ok(());
        }
        let rows = credit::transactions_by_ids(&self.session.snapshot(), &self.realms(), &ids).await?;
        let sides = rows.iter().flat_map(|row| [Some(row.organization_id), row.counterparty_id]).flatten().collect();
        let owners = self.owners(sides, const { handed("LedgerTransaction") }).await?;
        let visible = |id: OrganizationId| owners.iter().any(|owner| owner.organization_id() == id);
        for row in rows {
            if visible(row.organization_id) || row.counterparty_id.is_some_and(visible) {
                let session = Arc::clone(self.session);
                found.insert(row.id.into(), Node::LedgerTransaction(LedgerTransaction { session, row }));
            }
        }
        Ok(())
    }

    async fn api_keys(&self, wanted: &[AnyId], found: &mut HashMap<AnyId, Node>) -> Result<(), Error> {
        let ids: Vec<ApiKeyId> = of_kind!(wanted, ApiKey);
        if ids.is_empty() {
            return Ok(());
        }
        let keys = api_key::by_ids(&self.session.snapshot(), &self.realms(), &ids).await?;
        let owners =
            self.owners(keys.iter().map(|key| key.row.organization_id).collect(), const { handed("ApiKey") }).await?;
        for key in keys {
            if let Some(owner) = owners.iter().find(|owner| owner.organization_id() == key.row.organization_id) {
                let id = key.row.id;
                if let Some(node) = ApiKey::all(owner, vec![key]).pop() {
                    found.insert(id.into(), Node::ApiKey(node));
                }
            }
        }
        Ok(())
    }

    async fn audit_events(&self, wanted: &[AnyId], found: &mut HashMap<AnyId, Node>) -> Result<(), Error> {
        let ids = of_kind!(wanted, AuditEvent);
        if ids.is_empty() {
            return Ok(());
        }
        let rows = crate::audit::store::by_ids(&self.session.snapshot(), &self.realms(), &ids).await?;
        let owners = self
            .owners(rows.iter().filter_map(|row| row.organization_id).collect(), const { handed("AuditEvent") })
            .await?;
        for row in rows {
            let seen = row.organization_id.is_some_and(|id| owners.iter().any(|owner| owner.organization_id() == id));
            if seen {
                found.insert(row.id.into(), Node::AuditEvent(AuditEvent(row)));
            }
        }
        Ok(())
    }
}
