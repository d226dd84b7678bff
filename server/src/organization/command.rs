//! Making and changing organizations. Suspension and archiving are in `lifecycle`, edges in `edge`, moving and detaching in
//! `restructure`.

use entity::credits::Credits;
use entity::id::{OrganizationId, RealmId};
use entity::kind::{BillingMode, Delegations, FundingMode, Relation, Tier};
use serde::Serialize;

use crate::access::path::DEPTH_MAX;
use crate::access::policy::Reach;
use crate::credit;
use crate::kernel::authorize::status_refusal;
use crate::kernel::command::{Command, Subject};
use crate::kernel::error::{Detail, ErrorCode, Refusal, Result};
use crate::kernel::event::Event;
use crate::kernel::tx::Tx;
use crate::organization::model::{Change, DEFAULT_RELATION, DEFAULT_TIMEZONE, Limits, Organization, Profile, fold};
use crate::organization::{event, model, store};

/// What a new root is given (Crane).
pub const ROOT_CREDITS: Credits = Credits::new(500).unwrap();

/// A new organization: a child of `parent`, or a root, which only the operator makes.
#[derive(Clone, Debug, Serialize)]
pub struct CreateOrganization {
    pub parent: Parent,
    pub profile: Profile,
    pub relation: Option<Relation>,
    /// What a new root is given; ignored for children.
    pub welcome_credits: Credits,
    #[serde(skip)]
    pub idempotency_key: Option<String>,
}

/// Where a new organization goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Parent {
    /// Below the acting organization.
    Acting,
    Of(OrganizationId),
    /// A root in a realm of its own.
    Root,
}

impl Command for CreateOrganization {
    const NAME: &'static str = "organizationCreate";
    const REFUSALS: &'static [ErrorCode] = &[
        ErrorCode::InvalidInput,
        ErrorCode::ForbiddenScope,
        ErrorCode::Conflict,
        ErrorCode::EnterpriseOnly,
        ErrorCode::DepthExceeded,
    ];
    type Output = Organization;

    fn subject(&self) -> Subject {
        match self.parent {
            Parent::Acting => Subject::Organization(None),
            Parent::Of(id) => Subject::Organization(Some(id)),
            Parent::Root => Subject::Platform,
        }
    }

    fn idempotency_key(&self) -> Option<&str> {
        self.idempotency_key.as_deref()
    }

    async fn run(&self, tx: &mut Tx) -> Result<Organization> {
        create(tx, self).await
    }
}

/// Creates within a transaction; `organizationProvision` does it too.
pub async fn create(tx: &mut Tx, command: &CreateOrganization) -> Result<Organization> {
    command.profile.check()?;
    let Change::Set(_) = command.profile.name else {
        return Err(Refusal::invalid("name", "A name is needed.").into());
    };
    let record = if command.parent == Parent::Root { root(tx, command).await? } else { child(tx, command).await? };
    let mut path = vec![record.id];
    if record.parent_id.is_some() {
        path.extend(tx.target().path.ids());
    }
    tx.emit(Event::new(
        event::CREATED,
        path.clone(),
        &event::Created {
            name: &record.name,
            parent_organization_id: record.parent_id,
            relation: record.relation,
            external_id: record.external_id.as_deref(),
        },
    ));
    tx.note("name", record.name.as_str());
    tx.audit_under(record.id, path);
    credit::api::open_wallets(tx, record.id).await?;
    if record.parent_id.is_none() && command.welcome_credits.is_positive() {
        credit::api::give(tx, record.id, entity::kind::Environment::Live, command.welcome_credits).await?;
    }
    Ok(record)
}

async fn root(tx: &mut Tx, command: &CreateOrganization) -> Result<Organization> {
    let realm: RealmId = tx.id();
    tx.enter_new_realm(realm);
    store::insert_realm(tx, realm).await?;
    let mut record = blank(tx, None, BillingMode::Hybrid, Tier::Enterprise, DEFAULT_TIMEZONE.to_owned());
    command.profile.apply(&mut record);
    store::insert_many(tx, vec![record.clone()]).await?;
    Ok(record)
}

async fn child(tx: &mut Tx, command: &CreateOrganization) -> Result<Organization> {
    let path = &tx.target().path;
    let depth = path.depth();
    if let Some(refusal) = status_refusal(path.effective_status()) {
        // A suspended parent can still be given children by its ancestors; an archived one cannot by anybody.
        if refusal.code == ErrorCode::OrganizationArchived {
            return Err(refusal.into());
        }
    }
    if depth >= DEPTH_MAX {
        let message = format!("The tree may be {DEPTH_MAX} levels deep, and the parent is at the last one.");
        return Err(Refusal::new(ErrorCode::DepthExceeded, message).at("parentId").into());
    }
    let parent = store::get(tx, tx.target().id()).await?;
    if parent.tier != Tier::Enterprise {
        let message = format!(
            "{} is on the {} tier, which has no children. Raise its tier to ENTERPRISE.",
            parent.name, parent.tier
        );
        return Err(Refusal::new(ErrorCode::EnterpriseOnly, message).at("parentId").into());
    }
    if let Change::Set(external_id) = &command.profile.external_id
        && store::external_id_taken(tx, tx.realm(), Some(parent.id), external_id, None).await?
    {
        return Err(external_id_conflict(external_id).into());
    }
    let mut record = blank(tx, Some(&parent), parent.billing_mode, parent.tier, parent.timezone.clone());
    record.relation = command.relation.unwrap_or(DEFAULT_RELATION);
    record.delegation = Delegations::default_of(record.relation);
    command.profile.apply(&mut record);
    may_set_tier(tx, &command.profile, parent.tier)?;
    store::insert_many(tx, vec![record.clone()]).await?;
    Ok(record)
}

/// An owned child with a name and nothing else, like its root in the rest; for load work.
pub fn bare_child(tx: &Tx, root: &Organization, parent: OrganizationId, name: &str) -> Organization {
    let mut record = blank(tx, Some(root), root.billing_mode, root.tier, root.timezone.clone());
    record.parent_id = Some(parent);
    record.name = name.to_owned();
    record.name_folded = fold(name);
    record
}

fn blank(
    tx: &Tx,
    parent: Option<&Organization>,
    billing_mode: BillingMode,
    tier: Tier,
    timezone: String,
) -> Organization {
    Organization {
        realm_id: tx.realm(),
        id: tx.id(),
        parent_id: parent.map(|parent| parent.id),
        name: String::new(),
        name_folded: fold(""),
        email: None,
        billing_email: None,
        tax_number: None,
        phone_number: None,
        website: None,
        country: None,
        industry: None,
        base_currency: None,
        timezone,
        external_id: None,
        metadata: model::no_metadata(),
        billing_mode,
        tier,
        relation: Relation::Owned,
        delegation: Delegations::ALL,
        funding: None,
        primary_covers_secondary: false,
        fallback_to_primary: false,
        minimum_reserve: Credits::ZERO,
        monthly_credit_cap: None,
        subtree_monthly_cap: None,
        refill_threshold: None,
        refill_amount: None,
        refill_monthly_ceiling: None,
        version: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
        archived_at: None,
    }
}

fn external_id_conflict(external_id: &str) -> Refusal {
    Refusal::conflict(format!("A sibling that is not archived already has the external id \"{external_id}\"."))
        .at("externalId")
}

/// A tier is given from above: a child gets at most its parent's, and nobody raises their own.
fn may_set_tier(tx: &Tx, profile: &Profile, most: Tier) -> Result<(), Refusal> {
    match profile.tier {
        Change::Set(tier) if tx.target().reach != Reach::Operator && tier > most => Err(Refusal::new(
            ErrorCode::ForbiddenScope,
            format!("You can give at most the tier {most}. The operator can give more."),
        )
        .at("tier")),
        _ => Ok(()),
    }
}

/// Refuses an archived organization and a version that is not the current one.
pub(super) fn check_current(record: &Organization, expected: Option<i64>) -> Result<(), Refusal> {
    if record.archived_at.is_some() {
        return Err(Refusal::conflict(format!("{} is archived, which is final.", record.id)));
    }
    match expected {
        Some(expected) if expected != record.version => Err(Refusal::new(
            ErrorCode::StaleVersion,
            format!("The version is {} now. Read the organization again and decide.", record.version),
        )
        .at("expectedVersion")
        .with(Detail::StaleVersion { expected, current: record.version })),
        _ => Ok(()),
    }
}

/// Changes the record.
#[derive(Clone, Debug, Serialize)]
pub struct UpdateOrganization {
    pub organization: Option<OrganizationId>,
    pub expected_version: i64,
    pub profile: Profile,
}

impl Command for UpdateOrganization {
    const NAME: &'static str = "organizationUpdate";
    const REFUSALS: &'static [ErrorCode] =
        &[ErrorCode::InvalidInput, ErrorCode::Conflict, ErrorCode::StaleVersion, ErrorCode::ForbiddenScope];
    type Output = Organization;

    fn subject(&self) -> Subject {
        Subject::Organization(self.organization)
    }

    async fn run(&self, tx: &mut Tx) -> Result<Organization> {
        self.profile.check()?;
        let mut record = store::get(tx, tx.target().id()).await?;
        check_current(&record, Some(self.expected_version))?;
        may_set_tier(tx, &self.profile, record.tier)?;
        if let Change::Set(external_id) = &self.profile.external_id
            && store::external_id_taken(tx, tx.realm(), record.parent_id, external_id, Some(record.id)).await?
        {
            return Err(external_id_conflict(external_id).into());
        }
        let before = record.clone();
        self.profile.apply(&mut record);
        store::save(tx, &mut record).await?;
        tx.note_change(&before, &record);
        let path = tx.target().path.ids().collect();
        tx.emit(Event::new(event::UPDATED, path, &event::Updated { name: &record.name, version: record.version }));
        tx.note("version", record.version);
        Ok(record)
    }
}

/// Sets who pays: the edge's own mode, and as a parent the pool config under Yona's names.
#[derive(Clone, Debug, Serialize)]
pub struct UpdateFunding {
    pub organization: Option<OrganizationId>,
    pub mode: Change<FundingMode>,
    pub primary_covers_secondary: Option<bool>,
    pub fallback_to_primary: Option<bool>,
    pub minimum_reserve: Option<Credits>,
}

impl Command for UpdateFunding {
    const NAME: &'static str = "organizationFundingUpdate";
    const REFUSALS: &'static [ErrorCode] = &[ErrorCode::InvalidInput, ErrorCode::Conflict, ErrorCode::ForbiddenScope];
    type Output = Organization;

    fn subject(&self) -> Subject {
        Subject::Organization(self.organization)
    }

    async fn run(&self, tx: &mut Tx) -> Result<Organization> {
        let mut record = store::get(tx, tx.target().id()).await?;
        check_current(&record, None)?;
        if !self.mode.is_keep() {
            if record.parent_id.is_none() {
                return Err(Refusal::conflict("A root pays for itself: it has no edge to set a mode on.")
                    .at("mode")
                    .into());
            }
            // Whose wallet pays is the parent's to say: a child cannot put itself into its parent's pool.
            if tx.target().reach == Reach::Own {
                let message = "Only the parent's side sets who pays for a child. Ask an ancestor.";
                return Err(Refusal::new(ErrorCode::ForbiddenScope, message).at("mode").into());
            }
        }
        if self.minimum_reserve.is_some_and(Credits::is_negative) {
            return Err(Refusal::invalid("minimumReserve", "minimumReserve is 0 or more.").into());
        }
        let before = record.clone();
        record.funding = self.mode.apply(record.funding);
        record.primary_covers_secondary = self.primary_covers_secondary.unwrap_or(record.primary_covers_secondary);
        record.fallback_to_primary = self.fallback_to_primary.unwrap_or(record.fallback_to_primary);
        record.minimum_reserve = self.minimum_reserve.unwrap_or(record.minimum_reserve);
        store::save(tx, &mut record).await?;
        tx.note_change(&before, &record);
        let data = event::FundingChanged { funding: record.funding, minimum_reserve: record.minimum_reserve };
        let path = tx.target().path.ids().collect();
        tx.emit(Event::new(event::FUNDING_UPDATED, path, &data));
        tx.note("funding", record.funding.map(FundingMode::as_str));
        Ok(record)
    }
}

/// Sets caps and automatic refill (Layers' credit config).
#[derive(Clone, Debug, Serialize)]
pub struct UpdateLimits {
    pub organization: Option<OrganizationId>,
    pub monthly_credit_cap: Change<Credits>,
    pub subtree_monthly_cap: Change<Credits>,
    pub refill_threshold: Change<Credits>,
    pub refill_amount: Change<Credits>,
    pub refill_monthly_ceiling: Change<Credits>,
}

impl Command for UpdateLimits {
    const NAME: &'static str = "organizationLimitsUpdate";
    const REFUSALS: &'static [ErrorCode] = &[
        ErrorCode::InvalidInput,
        ErrorCode::Conflict,
        ErrorCode::ForbiddenScope,
        ErrorCode::RefillRequiresThresholdAndAmount,
    ];
    type Output = Organization;

    fn subject(&self) -> Subject {
        Subject::Organization(self.organization)
    }

    async fn run(&self, tx: &mut Tx) -> Result<Organization> {
        let mut record = store::get(tx, tx.target().id()).await?;
        check_current(&record, None)?;
        let before = record.clone();
        record.monthly_credit_cap = self.monthly_credit_cap.apply(record.monthly_credit_cap);
        record.subtree_monthly_cap = self.subtree_monthly_cap.apply(record.subtree_monthly_cap);
        record.refill_threshold = self.refill_threshold.apply(record.refill_threshold);
        record.refill_amount = self.refill_amount.apply(record.refill_amount);
        record.refill_monthly_ceiling = self.refill_monthly_ceiling.apply(record.refill_monthly_ceiling);
        Limits {
            monthly_credit_cap: record.monthly_credit_cap,
            subtree_monthly_cap: record.subtree_monthly_cap,
            refill_threshold: record.refill_threshold,
            refill_amount: record.refill_amount,
            refill_monthly_ceiling: record.refill_monthly_ceiling,
        }
        .check()?;
        store::save(tx, &mut record).await?;
        tx.note_change(&before, &record);
        let path = tx.target().path.ids().collect();
        tx.emit(Event::new(event::LIMITS_UPDATED, path, &event::LimitsChanged { version: record.version }));
        tx.note("version", record.version);
        credit::api::rearm(tx, record.id).await?;
        Ok(record)
    }
}
