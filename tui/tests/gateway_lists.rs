//! The lists of the gateway in the tests, and the acts on what is in them.

use serde_json::{Value, json};

use crate::gateway::{ACME, Gateway, QUINN};

#[derive(Clone)]
pub struct Key {
    pub id: String,
    pub organization: String,
    pub name: String,
    pub status: &'static str,
    pub scopes: Vec<String>,
    pub prefix: String,
    pub used: Option<&'static str>,
}

impl Key {
    pub fn of_the_world() -> Vec<Self> {
        let key = |number: usize, organization: &str, name: &str, status, scopes: &[&str], used| Self {
            id: format!("key_01h455vb4pex5vsknk084s{number:04}"),
            organization: organization.to_owned(),
            name: name.to_owned(),
            status,
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            prefix: format!("byn_live_01Jq7bT2vYc4Wm9KxR5nLd01Jq7bVfQ8sZtH3pE{number:04}"),
            used,
        };
        vec![
            key(1, ACME, "Till backend", "ACTIVE", &["org:read", "credits:spend"], Some("2026-11-20T09:41:00Z")),
            key(2, ACME, "Till backend (old)", "SUPERSEDED", &["credits:spend"], None),
            key(3, ACME, "Loyalty app", "ACTIVE", &["credits:read"], Some("2026-11-19T17:03:00Z")),
            key(4, QUINN, "CRM backend", "ACTIVE", &["org:admin"], Some("2026-11-20T09:59:00Z")),
        ]
    }

    pub fn node(&self) -> Value {
        json!({
            "__typename": "ApiKey", "id": self.id, "organization": { "id": self.organization }, "name": self.name,
            "prefix": self.prefix, "environment": "LIVE", "scopes": self.scopes, "status": self.status,
            "spendLimit": null, "spentThisMonth": 41_260, "lastUsedAt": self.used, "expiresAt": null,
            "createdAt": "2026-03-02T08:15:00Z",
        })
    }
}

pub fn refused(field: &str, code: &str, message: &str) -> Value {
    // A payload has all of its fields; readers take those that they know.
    json!({ field: {
        "organization": null, "apiKey": null, "apiKeys": null, "secret": null, "replayed": false,
        "webhookDelivery": null, "webhookEndpoint": null, "reclaimedCredits": null, "pendingReclaim": null, "revokedApiKeys": null,
        "userErrors": [{ "message": message, "code": code, "path": [] }],
    } })
}

impl Gateway {
    /// Changes whenever what a plan counts does.
    pub fn plan_hash(&self, id: &str) -> String {
        let keys = self.keys.iter().filter(|key| key.organization == id && key.status == "ACTIVE").count();
        format!("plan-{id}-{keys}")
    }

    pub fn plan(&self, id: &Value) -> Value {
        let id = id.as_str().unwrap();
        let below = self.organizations.iter().filter(|o| self.ancestors(o).iter().any(|above| above.id == id)).count();
        json!({
            "planHash": self.plan_hash(id), "descendants": below,
            "apiKeys": self.keys.iter().filter(|key| key.organization == id && key.status == "ACTIVE").count(),
            "openHolds": 1, "heldCredits": 200, "reclaimableCredits": 12_250, "webhookEndpoints": 2, "refusals": [],
        })
    }

    pub fn mint(&mut self, organization: &str, name: &str) -> Value {
        let key = Key {
            id: format!("key_01h455vb4pex5vsknk084n{:04}", self.keys.len()),
            organization: organization.to_owned(),
            name: name.to_owned(),
            status: "ACTIVE",
            scopes: vec!["org:read".to_owned()],
            prefix: "byn_live_9fT4".to_owned(),
            used: None,
        };
        let node = key.node();
        self.keys.push(key);
        node
    }

    /// One record by its id, as `nodes` answers it.
    pub fn listed(&self, id: &str) -> Value {
        let key = self.keys.iter().find(|key| key.id == id).map(Key::node);
        let organization = || {
            self.find(id).map(|found| {
                let mut row = self.row(found);
                row["__typename"] = "Organization".into();
                row
            })
        };
        key.or_else(organization).or_else(|| self.listed_webhook(id)).unwrap_or(Value::Null)
    }

    pub fn list(&self, operation: &str, variables: &Value) -> Value {
        let id = variables["by"]["id"].as_str().unwrap_or_default();
        match operation {
            "OrganizationsQuery" => {
                json!({ "organizations": self.organizations_page(self.organizations.iter(), variables) })
            }
            "BelowQuery" => {
                let below = self.organizations.iter().filter(|o| self.ancestors(o).iter().any(|above| above.id == id));
                json!({ "organization": { "descendants": self.organizations_page(below, variables) } })
            }
            "KeysQuery" => {
                let status = variables["filter"]["status"].as_str();
                let own = self.keys.iter().filter(|key| key.organization == id);
                let own = own.filter(|key| status.is_none_or(|status| key.status == status));
                json!({ "organization": { "apiKeys": page(own.map(Key::node).collect(), variables) } })
            }
            "LedgerQuery" => {
                let mut balance = self.find(id).map_or(0, |organization| organization.balance);
                let mut entries = Vec::new();
                let own = self.ledger.iter().enumerate().filter(|(_, entry)| entry.0 == id);
                for (number, (_, kind, amount, description)) in own.rev() {
                    entries.push(json!({
                        "id": format!("ent_{number:04}"), "kind": kind, "amount": amount, "balanceAfter": balance,
                        "description": description, "counterpartyOrganizationId": null,
                        "transactionId": format!("txn_{number:04}"),
                        "createdAt": format!("2026-11-20T09:{:02}:30Z", number % 60),
                    }));
                    balance -= amount;
                }
                json!({ "organization": { "ledgerEntries": page(entries, variables) } })
            }
            "WalletQuery" => {
                let mut wallet = self.wallet(id);
                let bucket = |number: usize, origin: &str, priority: i64, balance: i64, expires: Value| {
                    json!({
                        "id": format!("bkt_{number:04}"), "origin": origin, "priority": priority, "balance": balance,
                        "held": 0, "available": balance, "expiresAt": expires, "createdAt": "2026-03-02T08:15:00Z",
                    })
                };
                let balance = wallet["balance"].as_i64().unwrap();
                wallet["buckets"] = json!([
                    bucket(1, "PROMOTIONAL", 50, 450, json!("2026-12-31T00:00:00Z")),
                    bucket(2, "INCLUDED", 100, 2_000, json!("2026-12-01T05:00:00Z")),
                    bucket(3, "PREPAID", 200, balance - 2_450, Value::Null),
                ]);
                let own = self.ledger.iter().enumerate().filter(|(_, entry)| entry.0 == id).rev();
                let entries: Vec<Value> = own
                    .map(|(number, (_, kind, amount, _))| {
                        // An entry a day, the newest today.
                        let day = 20 - (self.ledger.len() - 1 - number).min(19);
                        json!({ "kind": kind, "amount": amount, "createdAt": format!("2026-11-{day:02}T09:30:00Z") })
                    })
                    .collect();
                let entries = json!({
                    "nodes": entries, "pageInfo": { "hasNextPage": false, "hasPreviousPage": false },
                });
                json!({ "organization": { "id": id, "wallet": wallet, "ledgerEntries": entries } })
            }
            "HoldsQuery" => json!({ "organization": { "holds": page(Vec::new(), variables) } }),
            "MembersQuery" => {
                let members = vec![json!({
                    "id": "mbr_0001", "name": "Quinn Adler", "email": "quinn@example.com", "role": "OWNER",
                    "createdAt": "2026-03-02T08:15:00Z",
                })];
                json!({ "organization": { "members": page(members, variables) } })
            }
            "EndpointsQuery" | "DeliveriesQuery" | "WholeQuery" => self.webhooks(operation, variables),
            "AuditQuery" => json!({ "auditEvents": page(Vec::new(), variables) }),
            unknown => panic!("the gateway of the tests has no {unknown}"),
        }
    }

    fn organizations_page<'a>(
        &'a self,
        all: impl Iterator<Item = &'a crate::gateway::Organization>,
        variables: &Value,
    ) -> Value {
        let filter = &variables["filter"];
        let name = filter["name"].as_str().unwrap_or_default().to_lowercase();
        let mut found: Vec<_> = all.filter(|organization| organization.name.to_lowercase().contains(&name)).collect();
        found.retain(|organization| filter["status"].as_str().is_none_or(|status| self.status(organization) == status));
        match variables["orderBy"]["field"].as_str() {
            Some("BALANCE") => found.sort_by_key(|organization| organization.balance),
            Some("NAME") => found.sort_by(|a, b| a.name.cmp(&b.name)),
            _ => {}
        }
        if variables["orderBy"]["direction"] == "DESC" {
            found.reverse();
        }
        page(found.into_iter().map(|organization| self.row(organization)).collect(), variables)
    }

    pub fn mutate_more(&mut self, mutation: &str, input: &Value) -> Value {
        let id = |name: &str| input[name].as_str().unwrap_or_default().to_owned();
        match mutation {
            "RevokeMutation" => {
                let key = self.keys.iter_mut().find(|key| key.id == id("apiKeyId"));
                let Some(key) = key else { return refused("apiKeyRevoke", "NOT_FOUND", "There is no such key.") };
                key.status = "REVOKED";
                json!({ "apiKeyRevoke": { "apiKeys": [{ "id": key.id }], "userErrors": [] } })
            }
            "RotateMutation" => {
                let old = self.keys.iter_mut().find(|key| key.id == id("apiKeyId")).unwrap();
                if old.status != "ACTIVE" {
                    return refused("apiKeyRotate", "CONFLICT", "Only an active key rotates. Rotate its successor.");
                }
                old.status = "SUPERSEDED";
                let (organization, name) = (old.organization.clone(), old.name.clone());
                let minted = self.mint(&organization, &name);
                json!({ "apiKeyRotate": {
                    "apiKey": minted, "secret": "byn_live_9fT4_notARealSecretOnlyForTests", "replayed": false,
                    "userErrors": [],
                } })
            }
            "ArchiveMutation" => {
                let archived = id("organizationId");
                if !self.children(Some(&archived)).is_empty() && input["cascade"] != true {
                    return refused("organizationArchive", "HAS_ACTIVE_CHILDREN", "Archive those below it first.");
                }
                // It stays to be seen, cut off; this world tells no other way of being so.
                self.find_mut(&archived).suspended = Some("archived".to_owned());
                let row = self.row(self.find(&archived).unwrap());
                json!({ "organizationArchive": {
                    "organization": row, "reclaimedCredits": 12_250, "pendingReclaim": 0, "revokedApiKeys": 2,
                    "userErrors": [],
                } })
            }
            "MoveMutation" => {
                let moved = self.find_mut(&id("organizationId"));
                moved.parent = Some(id("parentId"));
                moved.version += 1;
                let row = self.row(self.find(&id("organizationId")).unwrap());
                json!({ "organizationMove": { "organization": row, "userErrors": [] } })
            }
            "RelationMutation" => {
                let relation = if input["relation"] == "OWNED" { "OWNED" } else { "LINKED" };
                let changed = self.find_mut(&id("organizationId"));
                changed.relation = Some(relation);
                changed.version += 1;
                let row = self.row(self.find(&id("organizationId")).unwrap());
                json!({ "organizationRelationUpdate": { "organization": row, "userErrors": [] } })
            }
            "DetachMutation" => {
                let detached = id("organizationId");
                self.organizations.retain(|organization| organization.id != detached);
                json!({ "organizationDetach": { "organization": null, "userErrors": [] } })
            }
            "GrantMutation" => {
                let granted = self.find_mut(&id("organizationId"));
                granted.balance += input["amount"].as_i64().unwrap();
                granted.version += 1;
                let wallet = self.wallet(&id("organizationId"));
                json!({ "creditGrant": { "wallet": wallet, "replayed": false, "userErrors": [] } })
            }
            "LimitsMutation" => {
                let row = self.row(self.find(&id("organizationId")).unwrap());
                json!({ "organizationLimitsUpdate": { "organization": row, "userErrors": [] } })
            }
            other => self.mutate_webhooks(other, input),
        }
    }
}

/// A page whose cursors are places in the list.
pub fn page(rows: Vec<Value>, variables: &Value) -> Value {
    let number = |name: &str| variables[name].as_str().map(|cursor| cursor.parse::<usize>().unwrap());
    let size = |name: &str| variables[name].as_u64().map(|size| usize::try_from(size).unwrap());
    let from = number("after").map_or(0, |after| after + 1);
    let to = number("before").unwrap_or(rows.len());
    let (from, to) = match (size("first"), size("last")) {
        (Some(first), _) => (from, to.min(from + first)),
        (None, Some(last)) => (from.max(to.saturating_sub(last)), to),
        (None, None) => (from, to),
    };
    let edges: Vec<Value> = (from..to).map(|at| json!({ "cursor": at.to_string(), "node": rows[at] })).collect();
    let mut page = json!({
        "edges": edges,
        "pageInfo": { "hasNextPage": to < rows.len(), "hasPreviousPage": from > 0 },
    });
    if variables["count"] == true {
        page["totalCount"] = rows.len().into();
    }
    page
}
