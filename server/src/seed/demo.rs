//! The demo tree: an ERP platform with linked businesses (Yona), an accounting firm and a real-estate group (Crane), a
//! bank partner with 145 businesses (Finora), and a coffee CRM with its customers (Layers).

use std::collections::BTreeMap;

use entity::credits::Credits;
use entity::id::{OperatorKeyId, OrganizationId};
use entity::kind::{BillingMode, BucketOrigin, Delegation, Environment, FundingMode, Relation};
use serde::{Deserialize, Serialize};

use crate::access::principal::{Caller, Principal};
use crate::access::scope::Scopes;
use crate::api_key::command::CreateKey;
use crate::api_key::model::Terms;
use crate::api_key::secret::Named;
use crate::app::{App, write_private};
use crate::credit::command::{Charge, GrantCredits, GrantTerms, Movement, Quantity, SpendInput, TransferCredits};
use crate::credit::meter::SetMeter;
use crate::credit::model::Remark;
use crate::kernel::command::{Command, Executed};
use crate::kernel::error::{Error, Fault, Result};
use crate::organization::command::{CreateOrganization, Parent, UpdateFunding, UpdateLimits};
use crate::organization::edge::UpdateDelegation;
use crate::organization::lifecycle::SuspendOrganization;
use crate::organization::model::{Change, Profile};
use crate::seed::{keys_path, operator_key};

/// How many businesses the bank partner runs (Finora's own figure).
const BANK_BUSINESSES: usize = 145;

/// The file with the demo's keys; the console reads it.
#[derive(Serialize, Deserialize)]
struct KeyFile {
    url: String,
    operator: String,
    key: Vec<KeyEntry>,
}

#[derive(Serialize, Deserialize)]
struct KeyEntry {
    name: String,
    organization: String,
    secret: String,
}

/// The key that GraphiQL opens with: the coffee CRM's.
pub(super) fn graphiql_key(text: &str) -> Option<String> {
    let file: KeyFile = toml::from_str(text).ok()?;
    let crm = file.key.iter().find(|key| key.name == "quinns-backend");
    crm.or(file.key.first()).map(|key| key.secret.clone())
}

/// Makes the demo tree and writes its keys.
pub async fn demo(app: &App) -> Result<()> {
    let operator = operator_key(app, "demo operator").await?;
    let Named::Operator { key } = operator.named else {
        return Err(Fault::new("an operator's key names no operator").into());
    };
    let mut story = Story { app, operator: key, keys: Vec::new(), serial: 0 };
    story.erp_platform().await?;
    story.accounting_firm().await?;
    story.real_estate().await?;
    story.bank_partner().await?;
    story.coffee_crm().await?;
    let file = KeyFile {
        url: format!("http://{}/graphql", app.settings.listen),
        operator: operator.reveal().to_owned(),
        key: story.keys,
    };
    let text = toml::to_string(&file).map_err(|e| Fault::caused_by("the demo keys do not serialize", e))?;
    let path = keys_path(&app.settings);
    write_private(&path, &text).map_err(|e| Fault::caused_by(format!("{} cannot be written", path.display()), e))?;
    Ok(())
}

struct Story<'a> {
    app: &'a App,
    operator: OperatorKeyId,
    keys: Vec<KeyEntry>,
    serial: u32,
}

fn credits(amount: i64) -> Credits {
    Credits::new(amount).expect("the story's amounts are in range")
}

/// Nothing of the story is ever refused.
fn told<T>(name: &str, done: Result<Executed<T>>) -> Result<T> {
    done.map(|executed| executed.output).map_err(|error| match error {
        Error::Refused(refusal) => Fault::new(format!("the demo's {name} was refused: {}", refusal.message)).into(),
        fault => fault,
    })
}

fn set(text: &str) -> Change<String> {
    Change::Set(text.to_owned())
}

impl Story<'_> {
    fn caller(&self) -> Caller {
        let world = &self.app.kernel.world;
        Caller {
            principal: Principal::Operator(self.operator),
            acting: None,
            request_id: world.ids.id(world.clock.now()),
            address: None,
            idempotency_key: None,
        }
    }

    async fn run<C: Command>(&self, command: C) -> Result<C::Output> {
        told(C::NAME, self.app.kernel.execute(&self.caller(), &command).await)
    }

    async fn movement<M: Movement>(&self, movement: M) -> Result<M::Output> {
        told(M::NAME, self.app.ledger.submit(&self.caller(), &movement).await)
    }

    fn next_key(&mut self) -> String {
        self.serial += 1;
        format!("demo-{}", self.serial)
    }

    async fn root(&self, name: &str, profile: Profile, purse: i64) -> Result<OrganizationId> {
        let profile = Profile { name: set(name), ..profile };
        let root = self
            .run(CreateOrganization {
                parent: Parent::Root,
                profile,
                relation: None,
                welcome_credits: self.app.settings.root_credits,
                idempotency_key: None,
            })
            .await?;
        self.movement(GrantCredits {
            organization: Some(root.id),
            terms: GrantTerms {
                amount: credits(purse),
                origin: BucketOrigin::Prepaid,
                priority: None,
                expires_at: None,
                environment: Environment::Live,
                remark: Remark { description: Some("First purchase".to_owned()), metadata: BTreeMap::new() },
            },
            idempotency_key: format!("purse-{}", root.id),
        })
        .await?;
        Ok(root.id)
    }

    async fn child(&self, parent: OrganizationId, name: &str, relation: Relation) -> Result<OrganizationId> {
        self.child_with(parent, Profile { name: set(name), ..Profile::default() }, relation).await
    }

    async fn child_with(&self, parent: OrganizationId, profile: Profile, relation: Relation) -> Result<OrganizationId> {
        let command = CreateOrganization {
            parent: Parent::Of(parent),
            profile,
            relation: Some(relation),
            welcome_credits: Credits::ZERO,
            idempotency_key: None,
        };
        Ok(self.run(command).await?.id)
    }

    async fn fund(&mut self, source: OrganizationId, target: OrganizationId, amount: i64) -> Result<()> {
        let idempotency_key = self.next_key();
        self.movement(TransferCredits {
            source: Some(source),
            target,
            amount: credits(amount),
            remark: Remark { description: Some("Monthly credit allocation".to_owned()), metadata: BTreeMap::new() },
            idempotency_key,
        })
        .await?;
        Ok(())
    }

    async fn spend(&mut self, organization: OrganizationId, cost: Quantity, what: &str) -> Result<()> {
        let idempotency_key = self.next_key();
        self.movement(Charge {
            spend: SpendInput {
                organization: Some(organization),
                cost,
                environment: None,
                remark: Remark { description: Some(what.to_owned()), metadata: BTreeMap::new() },
            },
            idempotency_key,
        })
        .await?;
        Ok(())
    }

    async fn mint(&mut self, organization: OrganizationId, name: &str, of: &str, scopes: &[&str]) -> Result<()> {
        let minted = self
            .run(CreateKey {
                organization: Some(organization),
                terms: Terms {
                    name: name.to_owned(),
                    scopes: Scopes::new(scopes.iter().copied()),
                    environment: Environment::Live,
                    expires_at: None,
                    allowed_ips: Vec::new(),
                    spend_limit: None,
                    rate_limit: None,
                },
                peppers: self.app.peppers.clone(),
                idempotency_key: None,
            })
            .await?;
        let secret = minted.secret.ok_or_else(|| Fault::new("a new key has no secret"))?;
        self.keys.push(KeyEntry { name: name.to_owned(), organization: of.to_owned(), secret });
        Ok(())
    }

    async fn platform_key(&mut self, root: OrganizationId, name: &str, of: &str) -> Result<()> {
        let mut scopes: Vec<&str> = crate::access::scope::KNOWN.iter().map(|(scope, _)| *scope).collect();
        scopes.push("content:*");
        self.mint(root, name, of, &scopes).await
    }

    async fn pool(&self, parent: OrganizationId, covers: bool, fallback: bool, reserve: i64) -> Result<()> {
        self.run(UpdateFunding {
            organization: Some(parent),
            mode: Change::Keep,
            primary_covers_secondary: Some(covers),
            fallback_to_primary: Some(fallback),
            minimum_reserve: Some(credits(reserve)),
        })
        .await?;
        Ok(())
    }

    /// Yona: a platform whose businesses are isolated from it; it controls them and pays for them, and reads nothing.
    async fn erp_platform(&mut self) -> Result<()> {
        let profile = Profile {
            email: set("platform@ledgerline.example"),
            country: set("NG"),
            base_currency: set("NGN"),
            timezone: set("Africa/Lagos"),
            industry: set("Software"),
            ..Profile::default()
        };
        let erp = self.root("Ledgerline ERP", profile, 250_000).await?;
        self.run(SetMeter {
            organization: Some(erp),
            key: "invoice.submit".to_owned(),
            credits: credits(5),
            description: Some("One invoice sent to the tax authority".to_owned()),
        })
        .await?;
        self.pool(erp, true, false, 500).await?;
        for (name, email, invoices) in [
            ("Acme Nigeria", "admin@acme.example", 12),
            ("Lagos Textiles", "office@lagostextiles.example", 5),
            ("Kano Grain Traders", "hello@kanograin.example", 0),
        ] {
            let profile = Profile { name: set(name), email: set(email), country: set("NG"), ..Profile::default() };
            let business = self.child_with(erp, profile, Relation::Linked).await?;
            for _ in 0..invoices {
                let cost = Quantity::Meter { key: "invoice.submit".to_owned(), quantity: 1 };
                self.spend(business, cost, "Invoice submitted").await?;
            }
            self.run(UpdateDelegation {
                organization: business,
                delegation: Vec::<Delegation>::new(),
                expected_version: None,
            })
            .await?;
        }
        self.platform_key(erp, "ledgerline-partner", "Ledgerline ERP").await
    }

    /// Crane: one pool for a firm, its clients isolated from each other, their branches consolidated.
    async fn accounting_firm(&mut self) -> Result<()> {
        let profile = Profile {
            email: set("firm@tax-accounting.example"),
            country: set("US"),
            base_currency: set("USD"),
            timezone: set("America/New_York"),
            industry: set("Accounting"),
            ..Profile::default()
        };
        let firm = self.root("Tax & Accounting LLP", profile, 80_000).await?;
        self.pool(firm, true, false, 0).await?;
        let client_a = self.child(firm, "Client A Corp", Relation::Linked).await?;
        let client_b = self.child(firm, "Client B LLC", Relation::Linked).await?;
        self.pool(client_b, true, false, 0).await?;
        let us = self.child(client_b, "B's US Operations", Relation::Owned).await?;
        self.child(client_b, "B's Canadian Branch", Relation::Owned).await?;
        self.child(firm, "Firm's Internal Books", Relation::Linked).await?;
        self.spend(client_a, Quantity::Amount(credits(120)), "Bank feed import").await?;
        self.spend(us, Quantity::Amount(credits(75)), "Receipts scanned").await?;
        self.platform_key(firm, "firm-backend", "Tax & Accounting LLP").await
    }

    async fn real_estate(&mut self) -> Result<()> {
        let profile = Profile { country: set("US"), base_currency: set("USD"), ..Profile::default() };
        let group = self.root("Real Estate Investment Group", profile, 40_000).await?;
        self.pool(group, false, true, 1_000).await?;
        for name in ["Property A LLC", "Property B LLC", "Management Company"] {
            let owned = self.child(group, name, Relation::Owned).await?;
            self.fund(group, owned, 500).await?;
            self.spend(owned, Quantity::Amount(credits(620)), "Rent statements").await?;
        }
        self.child(group, "Construction Division", Relation::Linked).await?;
        Ok(())
    }

    /// Finora: a bank partner with many businesses, some of them suspended.
    async fn bank_partner(&mut self) -> Result<()> {
        let profile = Profile {
            email: set("partners@bank.example"),
            country: set("NG"),
            base_currency: set("NGN"),
            timezone: set("Africa/Lagos"),
            industry: set("Banking"),
            ..Profile::default()
        };
        let bank = self.root("Finora Partner Bank", profile, 500_000).await?;
        self.pool(bank, false, true, 10_000).await?;
        let trades = ["Suya Spot", "Pharmacy", "Electronics", "Fashion House", "Logistics", "Bakery", "Farm Supplies"];
        let towns = ["Ikeja", "Lekki", "Kano", "Abuja", "Ibadan", "Enugu", "Jos", "Benin", "Calabar", "Kaduna", "Yaba"];
        for i in 0..BANK_BUSINESSES {
            let name = format!("{} {} {:03}", towns[i % towns.len()], trades[i % trades.len()], i + 1);
            let profile = Profile {
                name: set(&name),
                industry: set("Retail"),
                external_id: set(&format!("biz_{:03}", i + 1)),
                ..Profile::default()
            };
            let business = self.child_with(bank, profile, Relation::Linked).await?;
            if i % 29 == 7 {
                self.run(SuspendOrganization {
                    organization: business,
                    reason: Some("Know-your-customer documents are overdue".to_owned()),
                    plan_hash: None,
                })
                .await?;
            } else if i % 12 == 0 {
                self.fund(bank, business, 1_000).await?;
                self.spend(business, Quantity::Amount(credits(150)), "Statements").await?;
            }
        }
        self.platform_key(bank, "bank-partner", "Finora Partner Bank").await
    }

    /// Layers: a CRM whose customers have wallets of their own, with caps and automatic refill.
    async fn coffee_crm(&mut self) -> Result<()> {
        let profile = Profile {
            email: set("ops@quinns-crm.example"),
            country: set("US"),
            base_currency: set("USD"),
            timezone: set("America/Los_Angeles"),
            industry: set("Software"),
            ..Profile::default()
        };
        let crm = self.root("Quinn's Coffee CRM", profile, 60_000).await?;
        self.pool(crm, false, false, 500).await?;
        let acme_profile = Profile {
            name: set("Acme Coffee"),
            external_id: set("acme-coffee"),
            metadata: Change::Set(BTreeMap::from([("plan".to_owned(), "growth".to_owned())])),
            ..Profile::default()
        };
        let acme = self.child_with(crm, acme_profile, Relation::Owned).await?;
        self.fund(crm, acme, 5_000).await?;
        self.limits(acme, Some(5_000), Some((1_000, 2_000))).await?;
        for (amount, what) in [(180, "Spring campaign"), (320, "Product photos"), (90, "Newsletter")] {
            self.spend(acme, Quantity::Amount(credits(amount)), what).await?;
        }
        self.mint(
            acme,
            "acme-integration",
            "Acme Coffee",
            &["content:read", "content:write", "org:read", "credits:read", "credits:spend"],
        )
        .await?;
        let bean = self.child(crm, "Bean There Roasters", Relation::Owned).await?;
        self.fund(crm, bean, 800).await?;
        self.run(SuspendOrganization {
            organization: bean,
            reason: Some("Payment failed three times".to_owned()),
            plan_hash: None,
        })
        .await?;
        // Starved of credits: its refill wants more than the month's ceiling lets through.
        let starved = self.child(crm, "Drip & Drop", Relation::Owned).await?;
        self.fund(crm, starved, 300).await?;
        self.run(UpdateLimits {
            organization: Some(starved),
            monthly_credit_cap: Change::Keep,
            subtree_monthly_cap: Change::Keep,
            refill_threshold: Change::Set(credits(400)),
            refill_amount: Change::Set(credits(250)),
            refill_monthly_ceiling: Change::Set(credits(100)),
        })
        .await?;
        let pooled = self.child(crm, "Velvet Espresso Bar", Relation::Linked).await?;
        self.run(UpdateFunding {
            organization: Some(pooled),
            mode: Change::Set(FundingMode::Pooled),
            primary_covers_secondary: None,
            fallback_to_primary: None,
            minimum_reserve: None,
        })
        .await?;
        self.spend(pooled, Quantity::Amount(credits(45)), "Menu translation").await?;
        let prepaid = Profile {
            name: set("Grounds for Appeal"),
            billing_mode: Change::Set(BillingMode::Prepaid),
            ..Profile::default()
        };
        self.child_with(crm, prepaid, Relation::Owned).await?;
        self.platform_key(crm, "quinns-backend", "Quinn's Coffee CRM").await
    }

    async fn limits(&self, id: OrganizationId, cap: Option<i64>, refill: Option<(i64, i64)>) -> Result<()> {
        let change = |amount: Option<i64>| amount.map_or(Change::Keep, |amount| Change::Set(credits(amount)));
        self.run(UpdateLimits {
            organization: Some(id),
            monthly_credit_cap: change(cap),
            subtree_monthly_cap: Change::Keep,
            refill_threshold: change(refill.map(|(threshold, _)| threshold)),
            refill_amount: change(refill.map(|(_, amount)| amount)),
            refill_monthly_ceiling: Change::Keep,
        })
        .await?;
        Ok(())
    }
}
