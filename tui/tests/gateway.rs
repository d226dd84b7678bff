//! A gateway with a small world in it, that answers the console's operations in JSON by their
//! names. The tests of `update` call it directly, the tests of the shell over a socket.

use std::collections::{HashMap, VecDeque};

use serde_json::{Value, json};

use crate::gateway_lists::{Key, refused};
use crate::gateway_webhooks::{Delivery, Endpoint};

pub const QUINN: &str = "org_01h455vb4pex5vsknk084sn02q";
pub const ACME: &str = "org_01h455vb4pex5vsknk084sn03a";
pub const BEANHOUSE: &str = "org_01h455vb4pex5vsknk084sn03c";
pub const ZOE: &str = "org_01h455vb4pex5vsknk084sn03d";
pub const ACME_BERLIN: &str = "org_01h455vb4pex5vsknk084sn04b";
pub const TAX: &str = "org_01h455vb4pex5vsknk084sn05t";
pub const NORTHWIND: &str = "org_01h455vb4pex5vsknk084sn06n";
pub const CLIENTS: usize = 120;
/// Of everybody below a root.
const MONTHLY_CAP: i64 = 50_000;
/// Of a root.
const MINIMUM_RESERVE: i64 = 10_000;
/// As many as the right side asks for.
const LEDGER_ENTRIES: usize = 25;
/// Events that can be told once more.
const EVENTS_MAX: usize = 4_096;

pub fn client(number: usize) -> String {
    format!("org_01h455vb4pex5vsknk084c{number:04}")
}

#[derive(Clone)]
pub struct Organization {
    pub id: String,
    pub name: String,
    pub parent: Option<String>,
    pub relation: Option<&'static str>,
    pub tier: &'static str,
    pub country: &'static str,
    pub balance: i64,
    pub held: i64,
    pub version: i64,
    pub suspended: Option<String>,
    pub monthly_used: i64,
}

pub struct Gateway {
    pub organizations: Vec<Organization>,
    pub operator: bool,
    /// Results by idempotency key, as the real one keeps them.
    pub remembered: HashMap<String, Value>,
    /// What to answer instead, by operation name: the next one only.
    pub instead: HashMap<String, Value>,
    pub ledger: Vec<(String, &'static str, i64, String)>,
    pub keys: Vec<Key>,
    pub endpoints: Vec<Endpoint>,
    pub deliveries: Vec<Delivery>,
    pub events_told: usize,
    /// The last of them, for streams that begin behind one.
    pub events: VecDeque<Value>,
    /// Every operation asked for, in order.
    pub log: Vec<String>,
}

pub fn organization(id: &str, name: &str, parent: Option<&str>, balance: i64) -> Organization {
    Organization {
        id: id.to_owned(),
        name: name.to_owned(),
        parent: parent.map(str::to_owned),
        relation: parent.map(|_| "OWNED"),
        tier: if parent.is_none() { "ENTERPRISE" } else { "STANDARD" },
        country: "US",
        balance,
        held: 0,
        version: 1,
        suspended: None,
        monthly_used: 0,
    }
}

impl Gateway {
    pub fn new() -> Self {
        let mut organizations = vec![
            organization(QUINN, "Quinn's Coffee CRM", None, 482_000),
            organization(TAX, "Tax & Accounting LLP", None, 1_250_000),
            organization(NORTHWIND, "Northwind Agency", None, 96_400),
            Organization {
                held: 200,
                monthly_used: 41_260,
                tier: "ENTERPRISE",
                ..organization(ACME, "Acme Coffee", Some(QUINN), 12_450)
            },
            Organization {
                suspended: Some("Invoice 2041 unpaid for 60 days".to_owned()),
                ..organization(BEANHOUSE, "Beanhouse Roasters", Some(QUINN), -120)
            },
            Organization {
                relation: Some("LINKED"),
                country: "FR",
                ..organization(ZOE, "Café Zoë", Some(QUINN), 3_310)
            },
            organization("org_01h455vb4pex5vsknk084sn03e", "Drip & Co", Some(QUINN), 8_005),
            Organization { country: "DE", ..organization(ACME_BERLIN, "Acme Coffee Berlin", Some(ACME), 940) },
            organization("org_01h455vb4pex5vsknk084sn04c", "Acme Roastery", Some(ACME), 2_275),
            organization("org_01h455vb4pex5vsknk084sn07a", "Studio Fjord", Some(NORTHWIND), 7_700),
            organization("org_01h455vb4pex5vsknk084sn07b", "Lumen Dental", Some(NORTHWIND), 15_020),
        ];
        for number in 0..CLIENTS {
            let balance = 1_000 + i64::try_from(number).unwrap() * 37;
            let form = ["Corp", "GmbH", "Ltd", "SARL", "LLC", "BV"][number % 6];
            let name = match u8::try_from(number) {
                Ok(letter @ 0..26) => format!("Client {} {form}", char::from(b'A' + letter)),
                _ => format!("Client {number:03} {form}"),
            };
            organizations.push(Organization {
                relation: Some("LINKED"),
                ..organization(&client(number), &name, Some(TAX), balance)
            });
        }
        let ledger = [
            ("TRANSFER", 15_000, "Top up for November"),
            ("CHARGE", -1_500, "invoice.submit x 300"),
            ("CHARGE", -1_050, "invoice.submit x 210"),
            ("REFUND", 5, "Invoice 8812 submitted twice"),
            ("CHARGE", -5, "invoice.submit"),
        ];
        let ledger = ledger.map(|(kind, amount, words)| (ACME.into(), kind, amount, words.into()));
        Self {
            organizations,
            operator: true,
            remembered: HashMap::new(),
            instead: HashMap::new(),
            ledger: ledger.to_vec(),
            keys: Key::of_the_world(),
            endpoints: Endpoint::of_the_world(),
            deliveries: Delivery::of_the_world(),
            events_told: 0,
            events: VecDeque::new(),
            log: Vec::new(),
        }
    }

    pub fn find(&self, id: &str) -> Option<&Organization> {
        self.organizations.iter().find(|organization| organization.id == id)
    }

    pub fn find_mut(&mut self, id: &str) -> &mut Organization {
        self.organizations.iter_mut().find(|o| o.id == id).expect("an organization of the world")
    }

    /// Takes credits as a charge would.
    pub fn charge(&mut self, id: &str, amount: i64, description: &str) {
        let organization = self.find_mut(id);
        organization.balance -= amount;
        organization.monthly_used += amount;
        organization.version += 1;
        self.ledger.push((id.to_owned(), "CHARGE", -amount, description.to_owned()));
    }

    pub fn respond(&mut self, operation: &str, variables: &Value) -> Value {
        self.log.push(operation.to_owned());
        if let Some(instead) = self.instead.remove(operation) {
            return instead;
        }
        let data = match operation {
            "ViewerQuery" => json!({ "viewer": self.viewer() }),
            "RootsQuery" => {
                assert_eq!(variables["filter"], json!({ "root": true }));
                let roots = self.children(None);
                json!({ "organizations": page(&roots, variables) })
            }
            "ChildrenQuery" => {
                let children = self.children(variables["by"]["id"].as_str());
                json!({ "organization": { "children": page(&children, variables) } })
            }
            "DetailQuery" => json!({ "organization": self.detail(&variables["by"]["id"]) }),
            "RowsQuery" => {
                let ids = variables["ids"].as_array().unwrap();
                json!({ "nodes": ids.iter().map(|id| self.node(id)).collect::<Vec<_>>() })
            }
            "PathQuery" => json!({ "organization": self.path(&variables["by"]["id"]) }),
            "SearchQuery" => {
                let part = variables["filter"]["name"].as_str().unwrap().to_lowercase();
                let found = self.organizations.iter().filter(|o| o.name.to_lowercase().contains(&part));
                let found: Vec<Value> = found.map(|found| self.row(found)).collect();
                json!({ "organizations": page(&found, variables) })
            }
            "SuspendPlan" => json!({ "organizationSuspendPlan": self.plan(&variables["organizationId"]) }),
            "ArchivePlan" => json!({ "organizationArchivePlan": self.plan(&variables["organizationId"]) }),
            "DetachPlan" => json!({ "organizationDetachPlan": self.plan(&variables["organizationId"]) }),
            "MovePlan" => {
                // A parent out of sight is none.
                let seen = self.find(variables["parentId"].as_str().unwrap()).is_some();
                let plan = seen.then(|| self.plan(&variables["organizationId"]));
                json!({ "organizationMovePlan": plan })
            }
            "NodesQuery" => {
                let ids = variables["ids"].as_array().unwrap();
                json!({ "nodes": ids.iter().map(|id| self.listed(id.as_str().unwrap())).collect::<Vec<_>>() })
            }
            list if !list.ends_with("Mutation") => self.list(list, variables),
            mutation => return json!({ "data": self.mutate(mutation, &variables["input"]) }),
        };
        json!({ "data": data })
    }

    fn viewer(&self) -> Value {
        match self.operator {
            true => json!({
                "kind": "OPERATOR", "organization": null, "scopes": [], "environment": null
            }),
            false => json!({
                "kind": "API_KEY", "organization": self.row(self.find(QUINN).unwrap()),
                "scopes": ["org:read", "credits:read", "credits:transfer"], "environment": "LIVE"
            }),
        }
    }

    pub fn children(&self, parent: Option<&str>) -> Vec<Value> {
        let below = self.organizations.iter().filter(|o| o.parent.as_deref() == parent);
        below.map(|organization| self.row(organization)).collect()
    }

    pub fn status(&self, organization: &Organization) -> &'static str {
        let mut current = Some(organization);
        while let Some(at) = current {
            if at.suspended.is_some() {
                return "SUSPENDED";
            }
            current = at.parent.as_deref().and_then(|parent| self.find(parent));
        }
        "ACTIVE"
    }

    pub fn row(&self, organization: &Organization) -> Value {
        let parent = organization.parent.as_deref().and_then(|id| self.find(id));
        let children = self.organizations.iter().filter(|o| o.parent.as_ref() == Some(&organization.id));
        json!({
            "id": organization.id, "name": organization.name,
            "effectiveStatus": self.status(organization), "relation": organization.relation,
            "version": organization.version, "depth": self.ancestors(organization).len(),
            "parent": parent.map(|parent| json!({ "id": parent.id, "name": parent.name })),
            "summary": {
                "childCount": children.count(),
                "available": organization.balance - organization.held, "balance": organization.balance,
            },
            "tier": organization.tier, "externalId": null, "createdAt": "2026-03-02T08:15:00Z",
        })
    }

    pub fn ancestors<'a>(&'a self, organization: &'a Organization) -> Vec<&'a Organization> {
        let parent = |o: &&'a Organization| o.parent.as_deref().and_then(|id| self.find(id));
        std::iter::successors(parent(&organization), parent).collect()
    }

    fn node(&self, id: &Value) -> Value {
        let found = self.find(id.as_str().unwrap());
        found.map_or(Value::Null, |found| {
            let mut row = self.row(found);
            row["__typename"] = "Organization".into();
            row
        })
    }

    fn path(&self, id: &Value) -> Value {
        let Some(found) = self.find(id.as_str().unwrap()) else { return Value::Null };
        let mut row = self.row(found);
        let ancestors = self.ancestors(found);
        row["ancestors"] = ancestors.into_iter().map(|ancestor| self.row(ancestor)).collect();
        row
    }

    pub fn wallet(&self, id: &str) -> Value {
        let organization = self.find(id).unwrap();
        let available = organization.balance - organization.held;
        let parent = organization.parent.as_deref().and_then(|parent| self.find(parent));
        let spendable = parent.map_or(available, |parent| {
            let of_parent = parent.balance - MINIMUM_RESERVE;
            (available.max(0) + of_parent).min(MONTHLY_CAP - organization.monthly_used)
        });
        json!({
            "organization": { "id": id }, "environment": "LIVE",
            "balance": organization.balance, "held": organization.held, "available": available,
            "spendable": spendable,
            "version": organization.version,
        })
    }

    /// An event as the stream would tell it; its cursor is the number of events told before.
    pub fn event(&mut self, kind: &str, id: &str) -> Value {
        self.events_told += 1;
        let parent = self.find(id).and_then(|organization| organization.parent.clone());
        let event = json!({
            "id": format!("evt_{}", self.events_told), "occurredAt": "2026-11-20T10:00:00Z",
            "cursor": self.events_told.to_string(), "type": kind, "organizationId": id,
            "data": { "organizationId": id, "parentOrganizationId": parent },
        });
        if self.events.len() >= EVENTS_MAX {
            self.events.pop_front();
        }
        self.events.push_back(event.clone());
        event
    }

    fn detail(&self, id: &Value) -> Value {
        let Some(organization) = self.find(id.as_str().unwrap()) else { return Value::Null };
        let mut balance = organization.balance;
        let mut entries = Vec::new();
        let own = self.ledger.iter().enumerate().filter(|(_, entry)| entry.0 == organization.id);
        for (number, (_, kind, amount, description)) in own.rev().take(LEDGER_ENTRIES) {
            entries.push(json!({
                "kind": kind, "amount": amount, "balanceAfter": balance,
                "description": description, "createdAt": format!("2026-11-20T09:{:02}:30Z", number % 60),
            }));
            balance -= amount;
        }
        let suspended = |at: &Organization| {
            at.suspended.as_ref().map(|reason| {
                json!({
                    "placedBy": "operator", "placedByOrganizationId": null, "reason": reason,
                    "placedAt": "2026-11-18T16:20:00Z", "organizationId": at.id,
                })
            })
        };
        let ancestors = self.ancestors(organization);
        let suspensions: Vec<Value> =
            std::iter::once(organization).chain(ancestors.iter().copied()).filter_map(suspended).collect();
        let payer = ancestors.first().unwrap_or(&organization);
        let root = organization.parent.is_none();
        json!({
            "id": organization.id, "name": organization.name,
            "email": "billing@example.com", "externalId": "crm-1042",
            "country": organization.country, "baseCurrency": "USD", "timezone": "America/New_York",
            "billingMode": "HYBRID", "tier": organization.tier,
            "relation": organization.relation, "delegation": match organization.relation {
                Some("OWNED") => json!(["BILLING", "DATA_READ", "DATA_WRITE"]),
                Some(_) => json!(["BILLING"]),
                None => json!([]),
            },
            "createdAt": "2026-03-02T08:15:00Z", "effectiveStatus": self.status(organization),
            "suspensions": suspensions,
            "billingOrganization": { "id": payer.id, "name": payer.name },
            "wallet": self.wallet(&organization.id),
            "funding": {
                "mode": if root { "ISOLATED" } else { "FALLBACK" },
                "inherited": !root, "minimumReserve": if root { MINIMUM_RESERVE } else { 0 },
            },
            "limits": {
                "monthlyCreditCap": if root { Value::Null } else { MONTHLY_CAP.into() },
                "monthlyUsed": organization.monthly_used,
                "subtreeMonthlyCap": null, "subtreeMonthlyUsed": organization.monthly_used,
                "refillThreshold": if root { Value::Null } else { 5_000.into() },
                "refillAmount": if root { Value::Null } else { 10_000.into() },
                "refillMonthlyCeiling": 60_000, "refilledThisMonth": 20_000,
                "refillState": "ARMED", "refillReason": null,
                "periodEndsAt": "2026-12-01T05:00:00Z",
            },
            "apiKeys": {
                "nodes": self.keys.iter().filter(|key| key.organization == organization.id).map(Key::node).collect::<Vec<_>>(),
                "pageInfo": { "hasNextPage": false, "endCursor": null },
            },
            "ledgerEntries": {
                "nodes": entries, "pageInfo": { "hasNextPage": false, "endCursor": null },
            },
        })
    }

    fn mutate(&mut self, mutation: &str, input: &Value) -> Value {
        let key = input["idempotencyKey"].as_str().unwrap_or_default().to_owned();
        if let Some(answer) = self.remembered.get(&key) {
            let mut answer = answer.clone();
            for payload in answer.as_object_mut().unwrap().values_mut() {
                payload["replayed"] = true.into();
            }
            return answer;
        }
        let id = |name: &str| input[name].as_str().unwrap_or_default().to_owned();
        let answer = match mutation {
            "SuspendMutation" => {
                if input["planHash"].as_str() != Some(&self.plan_hash(&id("organizationId"))) {
                    return refused("organizationSuspend", "PLAN_STALE", "The plan is out of date. Look at a new one.");
                }
                self.find_mut(&id("organizationId")).suspended = Some(id("reason"));
                let row = self.row(self.find(&id("organizationId")).unwrap());
                json!({ "organizationSuspend": { "organization": row, "userErrors": [] } })
            }
            "ResumeMutation" => {
                self.find_mut(&id("organizationId")).suspended = None;
                let row = self.row(self.find(&id("organizationId")).unwrap());
                json!({ "organizationResume": { "organization": row, "userErrors": [] } })
            }
            "TransferMutation" => self.transfer(input),
            "MintMutation" => {
                let minted = self.mint(&id("organizationId"), &id("name"));
                json!({ "apiKeyCreate": {
                    "apiKey": minted, "secret": "byn_live_9fT4_notARealSecretOnlyForTests", "replayed": false,
                    "userErrors": [],
                } })
            }
            other => self.mutate_more(other, input),
        };
        let refused = answer.to_string().contains("\"code\"");
        if !key.is_empty() && !refused {
            self.remembered.insert(key, answer.clone());
        }
        answer
    }

    fn transfer(&mut self, input: &Value) -> Value {
        let source = input["sourceOrganizationId"].as_str().unwrap().to_owned();
        let target = input["targetOrganizationId"].as_str().unwrap().to_owned();
        let amount = input["amount"].as_i64().unwrap();
        if self.find(&source).unwrap().balance < amount {
            return json!({ "creditTransfer": {
                "sourceWallet": null, "targetWallet": null, "replayed": false,
                "userErrors": [{
                    "message": format!("The source has too little. Transfer at most {}.",
                        self.find(&source).unwrap().balance),
                    "code": "INSUFFICIENT_CREDITS", "path": ["input", "amount"],
                }],
            } });
        }
        for (id, change) in [(&source, -amount), (&target, amount)] {
            let organization = self.find_mut(id);
            organization.balance += change;
            organization.version += 1;
            self.ledger.push((id.clone(), "TRANSFER", change, "Console".to_owned()));
        }
        json!({ "creditTransfer": {
            "sourceWallet": self.wallet(&source), "targetWallet": self.wallet(&target),
            "replayed": false, "userErrors": [],
        } })
    }
}

/// A page whose cursors are places in the list.
fn page(rows: &[Value], variables: &Value) -> Value {
    let size = |name: &str| variables[name].as_u64().map(|size| usize::try_from(size).unwrap());
    let place = |name: &str| variables[name].as_str().map(|cursor| cursor.parse::<usize>().unwrap());
    let from = place("after").map_or(0, |after| after + 1).min(rows.len());
    let to = place("before").unwrap_or(rows.len());
    let (from, to) = match size("last") {
        Some(last) => (from.max(to.saturating_sub(last)), to),
        None => (from, to.min(from + size("first").unwrap())),
    };
    let cursor = |at: usize| (from < to).then(|| at.to_string());
    json!({
        "nodes": rows[from..to],
        "pageInfo": {
            "hasPreviousPage": from > 0, "hasNextPage": to < rows.len(), "startCursor": cursor(from),
            "endCursor": cursor(to.saturating_sub(1)),
        },
    })
}
