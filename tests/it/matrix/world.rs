//! Two trees, everything there is in them, and everybody who may ask.

use std::collections::BTreeMap;

use banyan::access::scope::KNOWN;
use serde_json::{Value, json};
use tests::{Key, Organization, TestApp};

use super::oracle::{LINKED, NARROWED, OWNED, Sight, Standing, Who};

/// An organization with one of everything that has an id.
pub struct Target {
    pub name: &'static str,
    pub organization: Organization,
    pub child: Organization,
    /// A key that may be rotated and revoked.
    pub victim: Key,
    ids: BTreeMap<&'static str, String>,
    /// Others of what a mutation ends, made while the target was live.
    spares: BTreeMap<&'static str, Vec<String>>,
    made: usize,
}

/// How many of each a target has in store: as many as may end one after the target is archived.
const SPARES: usize = 2;

impl Target {
    /// The id that an input of this name means when this is the target.
    pub fn id(&self, input: &str) -> Option<&str> {
        Some(match input {
            "organizationId" | "parentId" | "sourceOrganizationId" => &self.organization.id,
            "targetOrganizationId" => &self.child.id,
            "apiKeyId" => &self.victim.id,
            _ => self.ids.get(input)?,
        })
    }

    /// The id of the node of this type.
    pub fn node(&self, of: &str) -> &str {
        let id = match of {
            "Organization" => Some(self.organization.id.as_str()),
            "ApiKey" => Some(self.victim.id.as_str()),
            _ => self.ids.get(of).map(String::as_str),
        };
        id.unwrap_or_else(|| {
            panic!("make a {of} in tests/it/matrix/world.rs (`Target::make`), to be found by node(id)")
        })
    }

    async fn make(app: &TestApp, name: &'static str, organization: Organization) -> Self {
        let child = organization.child("Child").create().await;
        organization.grant(json!({ "amount": 1_000 })).await;
        let victim = organization.mint(&["keys:verify"]).await;
        let mut target =
            Self { name, organization, child, victim, ids: BTreeMap::new(), spares: BTreeMap::new(), made: 0 };
        for (mutation, made, inputs) in [
            ("creditHold", "hold", &["holdId", "Hold"][..]),
            ("memberAdd", "member", &["memberId", "Member"]),
            ("webhookEndpointCreate", "webhookEndpoint", &["webhookEndpointId", "WebhookEndpoint"]),
            ("webhookEndpointPing", "webhookDelivery", &["webhookDeliveryId", "WebhookDelivery"]),
            ("projectCreate", "project", &["projectId", "Project"]),
            ("sellerCreate", "seller", &["sellerId", "Seller"]),
            ("buyerCreate", "buyer", &["buyerId", "Buyer"]),
            ("invoiceCreate", "invoice", &["invoiceId", "Invoice"]),
        ] {
            let id = target.another(app, mutation, made).await;
            target.ids.extend(inputs.iter().map(|input| (*input, id.clone())));
        }
        for _ in 0..SPARES {
            for (maker, made) in [("memberAdd", "member"), ("webhookEndpointCreate", "webhookEndpoint")] {
                let id = target.another(app, maker, made).await;
                target.spares.entry(maker).or_default().push(id);
            }
        }
        let read = "wallet { id } ledgerEntries(first: 1) { nodes { transactionId } }";
        let read = target.organization.read(read).await;
        target.ids.insert("Wallet", text(&read["wallet"]["id"]));
        target.ids.insert("LedgerTransaction", text(&read["ledgerEntries"]["nodes"][0]["transactionId"]));
        let audit = "query($id: ID) { auditEvents(organizationId: $id, first: 1) { nodes { id } } }";
        let audit = app.gql(app.operator(), audit, json!({ "id": target.organization.id })).await.clean();
        target.ids.insert("AuditEvent", text(audit.at("/auditEvents/nodes/0/id")));
        target
    }

    /// Makes another of something, as the operator.
    async fn another(&mut self, app: &TestApp, mutation: &str, made: &str) -> String {
        self.made += 1;
        let mut input = match mutation {
            "creditHold" => json!({ "amount": 2 }),
            "memberAdd" => {
                let email = format!("{}-{}@example.com", self.name, self.made).replace(' ', "-");
                json!({ "email": email, "firstName": "Ada", "lastName": "Lovelace", "role": "VIEWER" })
            }
            "webhookEndpointCreate" => json!({ "url": "https://example.com/hook", "eventTypes": ["*"] }),
            "webhookEndpointPing" => json!({ "webhookEndpointId": self.id("webhookEndpointId") }),
            "invoiceCreate" => {
                json!({ "sellerId": self.id("sellerId"), "buyerId": self.id("buyerId"), "currency": "EUR",
                "lines": [{ "description": "x", "quantity": 1, "unitPrice": 1 }] })
            }
            _ => json!({ "name": "Something" }),
        };
        if mutation != "webhookEndpointPing" {
            input["organizationId"] = self.organization.id.clone().into();
        }
        let answer = app.mutate(app.operator(), mutation, input, &format!("{made} {{ id }}")).await;
        text(&answer.done()[made]["id"])
    }

    /// Makes anew what a mutation that ends it was let through to.
    pub async fn restore(&mut self, app: &TestApp, mutation: &str) {
        // Whoever was let back in is cut off again, for those that come after.
        if mutation == "organizationResume" && self.name == "suspended" {
            self.organization.suspend(app.operator()).await;
        }
        // The keys of an archived organization have ended anyway.
        if mutation == "apiKeyRevoke" && self.name != "archived" {
            self.victim = self.organization.mint(&["keys:verify"]).await;
        }
        let (maker, made, inputs) = match mutation {
            "memberRemove" => ("memberAdd", "member", ["memberId", "Member"]),
            "webhookEndpointDelete" => {
                ("webhookEndpointCreate", "webhookEndpoint", ["webhookEndpointId", "WebhookEndpoint"])
            }
            _ => return,
        };
        let spare = self.spares.get_mut(maker).and_then(Vec::pop);
        let id = match spare {
            Some(id) => id,
            None => self.another(app, maker, made).await,
        };
        self.ids.extend(inputs.into_iter().map(|input| (input, id.clone())));
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// Somebody who asks, and whom about.
#[derive(Clone)]
pub struct Principal {
    pub name: String,
    pub key: Option<String>,
    /// What the header `Banyan-Organization` says.
    pub header: Option<String>,
    /// The index of the target.
    pub target: usize,
    pub who: Who,
}

/// Everything the matrix is about.
pub struct World {
    pub targets: Vec<Target>,
    pub principals: Vec<Principal>,
    /// Somebody to whom the first target is out of sight, and a place of their own.
    pub outsiders: Vec<(&'static str, String, usize)>,
    /// The root that all but the stranger are below.
    pub root: String,
    /// Every organization's parent.
    pub parents: BTreeMap<String, Option<String>>,
}

/// Where in `World::targets`.
pub const OVER_OWNED: usize = 0;
pub const OVER_LINKED: usize = 1;
pub const OVER_NARROWED: usize = 2;
pub const BELOW_LINKED: usize = 3;
pub const SUSPENDED: usize = 4;
pub const ARCHIVED: usize = 5;
const SIBLING: usize = 6;
const STRANGER: usize = 7;
const DESCENDANT: usize = 8;
pub const ROOT: usize = 9;
const LINKED_BELOW_OWNED: usize = 10;

impl World {
    pub async fn make(app: &TestApp) -> Self {
        let root = app.root("Root").with_credits(1_000).create().await;
        let elsewhere = app.root("Elsewhere").with_credits(1_000).create().await;
        let owned = root.child("Owned").with("externalId", "owned").create().await;
        let linked = root.child("Linked").linked().create().await;
        let narrowed = root.child("Narrowed").linked().create().await;
        let below = linked.child("Below linked").create().await;
        let suspended = root.child("Suspended").create().await;
        let archived = root.child("Archived").create().await;
        let sibling = root.child("Sibling").create().await;
        let descendant = owned.child("Descendant").create().await;
        // Here the edge farther down delegates less, and below the LINKED edge the one nearer to the root does.
        let lower = owned.child("Linked below owned").linked().create().await;
        let organizations = [
            ("over an OWNED edge", owned.clone()),
            ("over a LINKED edge", linked.clone()),
            ("over a narrowed edge", narrowed.clone()),
            ("below a LINKED edge", below),
            ("suspended", suspended.clone()),
            ("archived", archived.clone()),
            ("a sibling", sibling.clone()),
            ("a stranger", elsewhere.clone()),
            ("a descendant", descendant.clone()),
            ("a root", root.clone()),
            ("over a LINKED edge below an OWNED one", lower),
        ];
        let mut targets = Vec::new();
        for (name, organization) in organizations {
            targets.push(Target::make(app, name, organization).await);
        }
        let narrow = json!({ "organizationId": narrowed.id, "delegation": [] });
        app.mutate(app.operator(), "organizationDelegationUpdate", narrow, "organization { id }").await.done();
        let mut world = Self {
            targets,
            principals: Vec::new(),
            outsiders: Vec::new(),
            root: root.id.clone(),
            parents: BTreeMap::new(),
        };
        world.people(app, &root).await;
        suspended.suspend(&root.key).await;
        let archive = json!({ "organizationId": archived.id, "cascade": true });
        app.mutate(&root.key, "organizationArchive", archive, "organization { id }").await.done();
        world.outsiders = vec![
            ("sibling", sibling.key.secret.clone(), SIBLING),
            ("descendant looking up", descendant.key.secret.clone(), DESCENDANT),
            ("stranger", elsewhere.key.secret.clone(), STRANGER),
        ];
        world.learn_the_tree(app).await;
        world
    }

    async fn people(&mut self, app: &TestApp, root: &Organization) {
        let owned = self.targets[OVER_OWNED].organization.clone();
        let all: Vec<&str> = KNOWN.iter().map(|(scope, _)| *scope).collect();
        self.add("operator", Some(app.operator().secret.clone()), OVER_OWNED, Sight::All, &all);
        for (name, target) in [("suspended", SUSPENDED), ("archived", ARCHIVED), ("a root", ROOT)] {
            let key = Some(app.operator().secret.clone());
            self.add(&format!("operator on a target {name}"), key, target, Sight::All, &all);
        }
        self.add("root's own key with every scope", Some(root.key.secret.clone()), ROOT, Sight::Own, &all);
        self.add("own key with every scope", Some(owned.key.secret.clone()), OVER_OWNED, Sight::Own, &all);
        for scope in all.iter().copied() {
            let key = owned.mint(&[scope]).await;
            self.add(&format!("own key with {scope} alone"), Some(key.secret), OVER_OWNED, Sight::Own, &[scope]);
            let others: Vec<&str> = all.iter().copied().filter(|other| *other != scope).collect();
            let key = owned.mint(&others).await;
            self.add(&format!("own key without {scope}"), Some(key.secret), OVER_OWNED, Sight::Own, &others);
        }
        let key = owned.mint(&["content:read"]).await;
        self.add("own key with a platform's scope", Some(key.secret), OVER_OWNED, Sight::Own, &["content:read"]);
        for (target, edges) in [
            (OVER_OWNED, OWNED),
            (OVER_LINKED, LINKED),
            (OVER_NARROWED, NARROWED),
            (BELOW_LINKED, LINKED),
            (LINKED_BELOW_OWNED, LINKED),
            (SUSPENDED, OWNED),
            (ARCHIVED, OWNED),
        ] {
            let name = format!("ancestor of a target {}", self.targets[target].name);
            self.add(&name, Some(root.key.secret.clone()), target, Sight::Below(edges), &all);
        }
        for scope in ["org:read", "org:write", "credits:spend", "trade:*"] {
            let key = root.mint(&[scope]).await;
            let name = format!("ancestor with {scope} alone");
            self.add(&name, Some(key.secret), OVER_OWNED, Sight::Below(OWNED), &[scope]);
        }
        for target in [OVER_OWNED, OVER_NARROWED] {
            let edges = if target == OVER_OWNED { OWNED } else { NARROWED };
            let name = format!("ancestor acting by the header {}", self.targets[target].name);
            let acting = self.targets[target].organization.id.clone();
            self.add(&name, Some(root.key.secret.clone()), target, Sight::Below(edges), &all).header = Some(acting);
        }
        for (name, index) in [("sibling", SIBLING), ("stranger", STRANGER), ("descendant", DESCENDANT)] {
            let key = self.targets[index].organization.key.secret.clone();
            self.add(&format!("{name} with every scope"), Some(key), OVER_OWNED, Sight::Nowhere, &all);
        }
        for (name, index, standing) in
            [("suspended", SUSPENDED, Standing::Suspended), ("archived", ARCHIVED, Standing::Ended)]
        {
            let key = self.targets[index].organization.key.secret.clone();
            self.add(&format!("key of a {name} organization"), Some(key), index, Sight::Own, &all).who.standing =
                standing;
        }
        let revoked = owned.mint(&all).await;
        app.mutate(app.operator(), "apiKeyRevoke", json!({ "apiKeyId": revoked.id }), "apiKeys { id }").await.done();
        self.add("revoked key", Some(revoked.secret), OVER_OWNED, Sight::Own, &all).who.standing = Standing::Ended;
        self.add("anonymous", None, OVER_OWNED, Sight::Nowhere, &[]).who.standing = Standing::Anonymous;
    }

    fn add(&mut self, name: &str, key: Option<String>, target: usize, sight: Sight, scopes: &[&str]) -> &mut Principal {
        let scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
        let who = Who { sight, on_root: target == ROOT, standing: Standing::Live, scopes };
        self.principals.push(Principal { name: name.to_owned(), key, header: None, target, who });
        self.principals.last_mut().expect("one was just added")
    }

    /// The parents of all organizations, as the operator sees them.
    pub async fn learn_the_tree(&mut self, app: &TestApp) {
        let list = "{ organizations(first: 100) { totalCount nodes { id parent { id } } } }";
        let answer = app.gql(app.operator(), list, json!({})).await.clean();
        let nodes = answer.at("/organizations/nodes").as_array().cloned().unwrap_or_default();
        assert_eq!(answer.at("/organizations/totalCount"), &json!(nodes.len()), "the tree fits one page");
        let parent = |node: &Value| node["parent"]["id"].as_str().map(str::to_owned);
        self.parents = nodes.iter().map(|node| (text(&node["id"]), parent(node))).collect();
    }

    /// Whether one organization is another or below it.
    pub fn is_within(&self, id: &str, top: &str) -> bool {
        self.edges(id, top).is_some()
    }

    /// How many edges one organization is below another; `None` when it is not.
    pub fn edges(&self, id: &str, top: &str) -> Option<usize> {
        let mut above = std::iter::successors(Some(id.to_owned()), |id| self.parents.get(id).cloned().flatten());
        above.position(|id| id == top)
    }
}
